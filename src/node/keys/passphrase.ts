/** Where a passphrase comes from. Never from the command line or the environment: other processes can read both. */
import { closeSync, openSync, readSync } from 'node:fs'
import { DiadError } from '../../substrate/errors.js'
import { createPrompt, openTerminal, type Terminal } from './terminal.js'

export type PassphraseSource =
  /** No passphrase: new key files are written unencrypted, and encrypted ones can't be opened. */
  | { readonly kind: 'none' }
  /** The first line of a file. */
  | { readonly kind: 'file', readonly path: string }
  /** Asked on the terminal; `terminal` stands in for it in tests. */
  | { readonly kind: 'prompt', readonly terminal?: Terminal }
  /** One that was asked for already, so that several keys can share one question. */
  | { readonly kind: 'given', readonly passphrase: string }

/** The most that is read of a passphrase file, in bytes. */
const MAX_FILE_BYTES = 4096

/** The passphrase that opens `what`, or undefined for source `none`. Throws DiadError `passphrase-needed`, `passphrase-file`, `passphrase-empty` or `cancelled`. */
export async function readPassphrase (source: PassphraseSource, what: string): Promise<string | undefined> {
  return obtain(source, `Passphrase for ${what}: `, undefined)
}

/** A passphrase to protect `what` from now on: on a terminal it is asked twice. Throws as `readPassphrase`, and DiadError `passphrase-mismatch`. */
export async function choosePassphrase (source: PassphraseSource, what: string): Promise<string | undefined> {
  return obtain(source, `New passphrase for ${what}: `, 'The same again: ')
}

async function obtain (source: PassphraseSource, question: string, again: string | undefined): Promise<string | undefined> {
  switch (source.kind) {
    case 'none': return undefined
    case 'given': return notEmpty(source.passphrase, 'the passphrase is empty')
    case 'file': return notEmpty(firstLine(source.path), `the first line of ${source.path} is empty`)
    case 'prompt': {
      const prompt = createPrompt(source.terminal ?? openTerminal())
      try {
        const passphrase = notEmpty(await prompt.ask(question), 'the passphrase is empty')
        if (again !== undefined && await prompt.ask(again) !== passphrase) {
          throw new DiadError('passphrase-mismatch', 'the two passphrases differ', 'run the command again')
        }
        return passphrase
      } finally {
        prompt.close()
      }
    }
  }
}

function notEmpty (passphrase: string, message: string): string {
  if (passphrase === '') throw new DiadError('passphrase-empty', message, 'choose four or five random words. To leave a key unencrypted, say so explicitly.')
  return passphrase
}

/** Not read whole: the path may name a pipe or a device that never ends. */
function firstLine (path: string): string {
  const buffer = Buffer.alloc(MAX_FILE_BYTES + 1)
  try {
    return readFirstLine(path, buffer)
  } finally {
    buffer.fill(0)
  }
}

function readFirstLine (path: string, buffer: Buffer): string {
  let length = 0
  try {
    const fd = openSync(path, 'r')
    try {
      while (length < buffer.length && !buffer.subarray(0, length).includes(0x0a)) {
        const n = readSync(fd, buffer, length, buffer.length - length, null)
        if (n === 0) break
        length += n
      }
    } finally {
      closeSync(fd)
    }
  } catch (err) {
    throw new DiadError('passphrase-file', `the passphrase file ${path} can't be read`, 'check the path and its permissions', { cause: err })
  }
  const end = buffer.subarray(0, length).indexOf(0x0a)
  if (end < 0 && length > MAX_FILE_BYTES) {
    throw new DiadError('passphrase-file', `the first line of ${path} is longer than ${MAX_FILE_BYTES} bytes`, 'name a file that holds nothing but the passphrase')
  }
  return buffer.subarray(0, end < 0 ? length : end).toString('utf8').replace(/\r$/, '')
}
