/** What must not be published by mistake: private keys, by how their files begin, and the directories in which they lie. */
import { closeSync, openSync, readSync } from 'node:fs'
import { showName } from '../../publication/names.js'
import { DiadError } from '../../substrate/errors.js'

/** Bytes of a file that are looked at, and the greatest file that may be a key. */
const HEAD_BYTES = 64
const MAX_KEY_BYTES = 16 * 1024
const DASH = 0x2d
const SMALL_A = 0x61
/** PKCS#8 and its encrypted form, OpenSSH, what OpenSSL calls `RSA` and `EC`, PGP. */
const PEM = /^-----BEGIN (?:[A-Z0-9]{1,12} ){0,2}PRIVATE KEY(?: BLOCK)?-----/
const AGE = /^(?:age-encryption\.org\/|-----BEGIN AGE ENCRYPTED FILE-----)/
/** An encrypted file of any other name may be meant for the world. */
const DIAD_AGE = /\.key\.age$/
/** A file that marks a directory, what it begins with, and what the directory is then. */
const MARKS: ReadonlyMap<string, readonly [RegExp, string]> = new Map([
  ['home.json', [/^\{\s*"format":\s*"diad-home"/, 'a diad home, with its keys']],
  ['next-commitment.json', [/^\{\s*"format":\s*"diad-next-commitment"/, 'a place of offline roots']]
])

/** Throws DiadError `private-key` when a file of these bytes, found at `path`, is a private key. Costs one comparison for nearly every file. */
export function refuseKey (path: string, bytes: Uint8Array): void {
  const [first] = bytes
  if ((first !== DASH && first !== SMALL_A) || bytes.length > MAX_KEY_BYTES) return
  const head = headOf(bytes)
  if (PEM.test(head)) throw refused(path, 'holds a private key')
  if (AGE.test(head) && DIAD_AGE.test(path)) throw refused(path, 'holds a private key, encrypted: whoever has the file can guess passphrases for ever')
}

/** Throws DiadError `private-key` when a directory with these entries holds keys. */
export function refuseKeyFolder (path: string, entries: ReadonlyArray<{ readonly name: string, readonly type: string }>): void {
  for (const { name, type } of entries) {
    const mark = type === 'file' ? MARKS.get(name) : undefined
    if (mark?.[0].test(beginning(`${path}/${name}`)) === true) throw refused(path, `is ${mark[1]}`)
  }
}

function beginning (path: string): string {
  const bytes = new Uint8Array(HEAD_BYTES)
  let fd: number | undefined
  try {
    fd = openSync(path, 'r')
    return headOf(bytes.subarray(0, readSync(fd, bytes, 0, HEAD_BYTES, 0)))
  } catch {
    return '' // the import says what is wrong with it
  } finally {
    if (fd !== undefined) closeSync(fd)
  }
}

const headOf = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, HEAD_BYTES)).toString('latin1')

function refused (path: string, what: string): DiadError {
  return new DiadError('private-key', `${showName(path)} ${what}`, 'nothing was published. Leave it out, or, to hand it to the world all the same: --allow-keys')
}
