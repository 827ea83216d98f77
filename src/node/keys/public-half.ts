/** A file that was named as the public half of a key: what it says, or in one line why it says nothing. */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { DiadError } from '../../substrate/errors.js'
import type { PublicKey } from '../../substrate/reference.js'
import { publicKeyIn } from '../home/principal-names.js'

const PRIVATE = /\.key(\.age)?$/
const PRIVATE_TEXT = /-----BEGIN [A-Z ]*PRIVATE KEY-----|-----BEGIN AGE ENCRYPTED FILE-----|^age-encryption\.org\//
/** bytes of a file that are looked at for signs of a private key */
const LOOK_BYTES = 4096

/** Throws DiadError `key-missing`, `key-unreadable`, `bad-key-spec` (the private half) and `key-unrecorded`. */
export function publicHalfAt (path: string): PublicKey {
  if (isPrivateHalf(path)) throw privateHalf(path)
  const key = publicKeyIn(path)
  if (key !== undefined) return key
  const info = statSync(path, { throwIfNoEntry: false })
  if (info === undefined) throw new DiadError('key-missing', `there is no file ${path}`, 'check the path; a public key is in a .pub file, beside the key file when it is made')
  if (info.isDirectory()) throw new DiadError('key-unreadable', `${path} is a directory, not a public key`, 'name the .pub file in it')
  throw new DiadError('key-unrecorded', `${path} holds no public key`, 'it has to hold 64 hex digits, or a line that begins with ssh-ed25519')
}

/** By its name, or by how the file begins. */
export function isPrivateHalf (path: string): boolean {
  if (PRIVATE.test(path)) return true
  try {
    if (!statSync(path).isFile()) return false
    return PRIVATE_TEXT.test(readFileSync(path).subarray(0, LOOK_BYTES).toString('latin1'))
  } catch {
    // Whoever reads it says why it can't be.
    return false
  }
}

export function privateHalf (path: string): DiadError {
  const beside = `${path.replace(PRIVATE, '')}.pub`
  return new DiadError('bad-key-spec', `${path} is the private half of a key, which nobody else needs`, existsSync(beside) ? `name its public half: ${beside}` : 'name its public half, the .pub file')
}
