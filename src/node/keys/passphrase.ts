/** Where a passphrase comes from. Never from the command line or the environment: other processes can read both. */
import { closeSync, openSync, readSync, type Stats, statSync } from 'node:fs'
import { DiadError } from '../../substrate/errors.js'
import { inputFailureAs } from '../files/failure.js'
import { createPrompt, openTerminal, type Terminal } from './terminal.js'

export type PassphraseSource =
  /** No passphrase: new key files are written unencrypted, and encrypted ones can't be opened. */
  | { readonly kind: 'none' }
  /** The first line of a file; `others`: more files, whose passphrases are tried on keys that are there already. */
  | { readonly kind: 'file', readonly path: string, readonly others?: readonly string[] }
  /** Asked on the terminal; `terminal` stands in for it in tests. */
  | { readonly kind: 'prompt', readonly terminal?: Terminal }
  /** One that was asked for already, so that several keys can share one question. */
  | { readonly kind: 'given', readonly passphrase: string }

/** What to do about an empty one, where a key is opened and where one is made. */
const EXISTING = 'give the passphrase that the key has'
const NEW = 'choose four or five random words; --no-passphrase leaves the keys unencrypted'

/** The most that is read of a passphrase file, in bytes. */
const MAX_FILE_BYTES = 4096
/** Characters below which one is warned of. */
const SHORT = 8

/** The passphrase that opens `what`, or undefined for source `none`. Throws DiadError `passphrase-needed`, `passphrase-file`, `passphrase-empty` or `cancelled`. */
export async function readPassphrase (source: PassphraseSource, what: string): Promise<string | undefined> {
  return obtain(source, `Passphrase for ${what}: `, undefined)
}

/** All that may open `what`: of several files each one's, else one, or none for source `none`. Throws as `readPassphrase`. */
export async function readPassphrases (source: PassphraseSource, what: string): Promise<string[]> {
  const first = await readPassphrase(source, what)
  const others = source.kind === 'file' ? source.others ?? [] : []
  return first === undefined ? [] : [first, ...others.map((path) => notEmpty(firstLine(path), `the first line of ${path} is empty`, EXISTING))]
}

/**
 * A passphrase to protect `what` from now on: on a terminal it is asked twice, and `warn` is told of one that is soon guessed. Throws as
 * `readPassphrase`, and DiadError `passphrase-mismatch`.
 */
export async function choosePassphrase (source: PassphraseSource, what: string, warn?: (line: string) => void): Promise<string | undefined> {
  const chosen = await obtain(source, `New passphrase for ${what}: `, 'The same again: ')
  if (source.kind !== 'given' && chosen !== undefined && chosen.length < SHORT) warn?.(`the passphrase has fewer than ${SHORT} characters: whoever gets the key file guesses it; four or five random words are better`)
  return chosen
}

/** In one line, why others may know the passphrase in this file; undefined for what is no plain file: a pipe has its modes from elsewhere. */
export function passphraseFileFault (path: string): string | undefined {
  if (process.platform === 'win32') return undefined
  let info: Stats
  try {
    info = statSync(path)
  } catch {
    return undefined // whoever reads it says why it can't be
  }
  if (!info.isFile() || (info.mode & 0o077) === 0) return undefined
  return `others can read or change the passphrase file ${path} (mode ${(info.mode & 0o777).toString(8).padStart(4, '0')}): chmod 600 ${path}`
}

async function obtain (source: PassphraseSource, question: string, again: string | undefined): Promise<string | undefined> {
  const hint = again === undefined ? EXISTING : NEW
  switch (source.kind) {
    case 'none': return undefined
    case 'given': return notEmpty(source.passphrase, 'the passphrase is empty', hint)
    case 'file': return notEmpty(firstLine(source.path), `the first line of ${source.path} is empty`, hint)
    case 'prompt': {
      const prompt = createPrompt(source.terminal ?? openTerminal())
      try {
        const passphrase = notEmpty(await prompt.ask(question), 'the passphrase is empty', hint)
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

function notEmpty (passphrase: string, message: string, hint: string): string {
  if (passphrase === '') throw new DiadError('passphrase-empty', message, hint)
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
    throw inputFailureAs('passphrase-file', err, path, 'the passphrase')
  }
  const end = buffer.subarray(0, length).indexOf(0x0a)
  if (end < 0 && length > MAX_FILE_BYTES) {
    throw new DiadError('passphrase-file', `the first line of ${path} is longer than ${MAX_FILE_BYTES} bytes`, 'name a file that holds nothing but the passphrase')
  }
  return buffer.subarray(0, end < 0 ? length : end).toString('utf8').replace(/\r$/, '')
}
