/**
 * What must not be published by mistake: private keys, by how their files begin, and the directories in which they lie. A file that begins with another PEM
 * block, or with what OpenSSL writes in front of one, is searched: `openssl ecparam -genkey` puts the curve before the key, web servers the certificate.
 */
import { closeSync, openSync, readSync } from 'node:fs'
import { showName } from '../../publication/names.js'
import { DiadError } from '../../substrate/errors.js'

/** Bytes of a file that are looked at, and the greatest file that may be a key. */
const HEAD_BYTES = 64
const MAX_KEY_BYTES = 16 * 1024
/** `-`, `B`, `P`, `a`: how the ones below begin. */
const FIRST: ReadonlySet<number | undefined> = new Set([0x2d, 0x42, 0x50, 0x61])
const PEM = /^(?:-----BEGIN |Bag Attributes)/
/** PKCS#8 and its encrypted form, OpenSSH, what OpenSSL calls `RSA` and `EC`, PGP. */
const PEM_KEY = /^-----BEGIN (?:[A-Z0-9]{1,12} ){0,2}PRIVATE KEY(?: BLOCK)?-----/m
const PUTTY = /^PuTTY-User-Key-File-\d/
const AGE = /^(?:age-encryption\.org\/|-----BEGIN AGE ENCRYPTED FILE-----)/
/** An encrypted file of any other name may be meant for the world. */
const DIAD_AGE = /\.key\.age$/
/** A file that marks a directory, what it begins with, and what the directory is then. */
const MARKS: ReadonlyMap<string, readonly [RegExp, string]> = new Map([
  ['home.json', [/^\{\s*"format":\s*"diad-home"/, 'a diad home, with its keys']],
  ['next-commitment.json', [/^\{\s*"format":\s*"diad-next-commitment"/, 'a place of offline roots']]
])

/** Throws DiadError `private-key` when a file of these bytes, found at `path`, holds a private key. Costs one comparison for nearly every file. */
export function refuseKey (path: string, bytes: Uint8Array): void {
  if (!FIRST.has(bytes[0]) || bytes.length > MAX_KEY_BYTES) return
  const head = headOf(bytes)
  if (PUTTY.test(head) || (PEM.test(head) && PEM_KEY.test(textOf(bytes, bytes.length)))) throw refused(path, 'holds a private key')
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

const textOf = (bytes: Uint8Array, length: number): string => Buffer.from(bytes.buffer, bytes.byteOffset, length).toString('latin1')

const headOf = (bytes: Uint8Array): string => textOf(bytes, Math.min(bytes.length, HEAD_BYTES))

function refused (path: string, what: string): DiadError {
  return new DiadError('private-key', `${showName(path)} ${what}`, 'nothing was published. Leave it out, or, to hand it to the world all the same: --allow-keys')
}
