/**
 * What must not be published by mistake: private keys, by how their files begin, and the directories in which they lie. A file that begins with another PEM
 * block, or with what OpenSSL writes in front of one, is searched: `openssl ecparam -genkey` puts the curve before the key, web servers the certificate.
 * A passphrase file begins like any other: it is known by being the one that the very command reads.
 */
import { closeSync, openSync, readSync, type Stats, statSync } from 'node:fs'
import { showName } from '../../publication/names.js'
import { DiadError } from '../../substrate/errors.js'
import type { PassphraseSource } from '../keys/passphrase.js'

/** Bytes of a file that are looked at, and the greatest file that may be a key. */
const HEAD_BYTES = 64
const MAX_KEY_BYTES = 16 * 1024
/** `-`, `B`, `P`, `a`: how the ones below begin; and what may stand in front of a PEM block: space and comments. */
const FIRST: ReadonlySet<number | undefined> = new Set([0x2d, 0x42, 0x50, 0x61, 0x0a, 0x0d, 0x20, 0x09, 0x23])
const PEM = /^(?:\s|#[^\n]*\n)*(?:-----BEGIN |Bag Attributes)/
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
  const text = textOf(bytes, bytes.length)
  if (PUTTY.test(head) || (PEM.test(text) && PEM_KEY.test(text))) throw refused(path, 'holds a private key')
  if (AGE.test(head) && DIAD_AGE.test(path)) throw refused(path, 'holds a private key, encrypted: whoever has the file can guess passphrases for ever')
}

/** The files that `source` reads passphrases from, whatever else they are called: links lead to the same. Empty where there are none, or none is a plain file. */
export function passphraseFiles (source: PassphraseSource | undefined): ReadonlySet<string> {
  if (source?.kind !== 'file') return new Set()
  return new Set([source.path, ...source.others ?? []].flatMap((path) => {
    try {
      const stats = statSync(path)
      return stats.isFile() ? [identity(stats)] : []
    } catch {
      return [] // whoever reads it says why it can't be
    }
  }))
}

/** Throws DiadError `private-key` when the file at `path` is one of `passphrases`. */
export function refusePassphrase (path: string, stats: Stats, passphrases: ReadonlySet<string>): void {
  if (passphrases.size > 0 && passphrases.has(identity(stats))) throw refused(path, 'is the passphrase file of this very command')
}

const identity = ({ dev, ino }: Stats): string => `${dev} ${ino}`

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
