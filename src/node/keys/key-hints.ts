/** What to say of a path that was named as a key file and isn't one: which of its neighbours was probably meant. */
import { existsSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DiadError } from '../../substrate/errors.js'

const KEY_FILE = /\.key(\.age)?$/
const PUBLIC = /\.pub$/
/** key files that a hint lists */
const SHOWN = 4

/** For a public half, with the key file that lies beside it. Throws DiadError `bad-key-spec`. */
export function refusePublicHalf (path: string): void {
  if (!PUBLIC.test(path)) return
  const beside = besides(path.replace(PUBLIC, ''))
  throw new DiadError('bad-key-spec', `${path} is the public half of a key, and can't sign`, beside === undefined ? 'name the key file that it belongs to (.key or .key.age)' : `name the key file beside it: ${beside}`)
}

export function isDirectoryFault (path: string): DiadError {
  const names = keyFilesIn(path)
  const hint = names.length === 0 ? 'no key file is in it (.key or .key.age)' : `name the file: ${names.slice(0, SHOWN).map((name) => join(path, name)).join(', ')}`
  return new DiadError('key-unreadable', `${path} is a directory, not a key file`, hint)
}

/** DiadError `key-missing`: a neighbour that was meant, an encrypted one above all, is told apart from a stick that isn't there. */
export function missingFault (path: string, cause?: unknown): DiadError {
  const beside = besides(path.replace(KEY_FILE, ''))
  const there = keyFilesIn(dirname(path))
  const hint = beside !== undefined
    ? `there is ${beside}: name that one`
    : there.length > 0 ? `${dirname(path)} holds ${there.slice(0, SHOWN).join(', ')}${there.length > SHOWN ? ', …' : ''}` : 'is the stick mounted that holds it?'
  return new DiadError('key-missing', `there is no key file ${path}`, hint, { cause })
}

function besides (stem: string): string | undefined {
  return ['.key.age', '.key'].map((suffix) => stem + suffix).find((path) => existsSync(path))
}

function keyFilesIn (directory: string): string[] {
  try {
    return readdirSync(directory).filter((name) => KEY_FILE.test(name)).sort()
  } catch {
    return []
  }
}
