/**
 * What the owner calls root keys: `usb-b/root` instead of 64 hex digits. Kept in the home as they are named to `init` and `root rotate`, so that later on a
 * key is recognized whose stick isn't there: in words, and where it is about to become a principal (RULES M1). Local, never published.
 */
import { existsSync, readdirSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { MalformedError } from '../../substrate/errors.js'
import type { PublicKey } from '../../substrate/reference.js'
import type { Home } from '../home/home.js'
import { readNameFile, writeNameFile } from '../home/name-file.js'
import { publicKeyIn } from '../home/principal-names.js'
import { COMMITMENT_FILE, readNextCommitment } from './next-commitment.js'

/** hex digits that a key is shown by */
const DIGITS = 12
const RECORD = '.pub'

/** For a root key of which only the public half is known, from a commitment. */
const UNNAMED = 'a next root'

export type RootNames = ReadonlyMap<PublicKey, string>

const fileOf = (root: string): string => join(root, 'root-names.json')

/** Of the home at `root`; empty where there is none. Throws DiadError `names-damaged`. */
export function readRootNames (root: string): Map<PublicKey, string> {
  return readNameFile(fileOf(root), 'names-damaged', (key, name) => {
    if (!/^[0-9a-f]{64}$/.test(key) || typeof name !== 'string') throw new MalformedError('not a root key with its name')
    return name
  }) as Map<PublicKey, string>
}

/** A name that is known stays; what `keys` lists besides `names` is known as a next root from now on. Durable on return. */
export function rememberRoots (home: Home, names: RootNames, keys: readonly PublicKey[] = []): void {
  const known = readRootNames(home.paths.root)
  const fresh = [...keys.map((key): [PublicKey, string] => [key, UNNAMED]), ...names].filter(([key, name]) => name === UNNAMED ? !known.has(key) : (known.get(key) ?? UNNAMED) === UNNAMED)
  if (fresh.length > 0) writeNameFile(fileOf(home.paths.root), new Map([...known, ...fresh]))
}

/** The last directory and the name without its ending: `/media/usb-b/root.key.age` is `usb-b/root`. */
export function rootLabel (path: string): string {
  return join(basename(dirname(path)), basename(path).replace(/\.(pub|key|key\.age)$/, ''))
}

/** What the `.pub` files in `directories` call their keys; a directory that isn't there names none. */
export function namesBeside (directories: readonly string[]): Map<PublicKey, string> {
  const out = new Map<PublicKey, string>()
  for (const directory of directories) {
    for (const file of recordsIn(directory)) {
      const path = join(directory, file)
      const key = publicKeyIn(path)
      if (key !== undefined && !out.has(key)) out.set(key, rootLabel(path))
    }
  }
  return out
}

function recordsIn (directory: string): string[] {
  try {
    return readdirSync(directory).filter((file) => file.endsWith(RECORD)).sort()
  } catch {
    return []
  }
}

/** Root keys that this home knows of besides the chain's: those it was told, and the next ones that its own commitment file lists. */
export function rootsKnownHere ({ paths }: Home): Map<PublicKey, string> {
  const out = readRootNames(paths.root)
  const path = join(paths.offline, COMMITMENT_FILE)
  const next = existsSync(path) ? readNextCommitment(path).set.root_keys : []
  for (const key of next) if (!out.has(key)) out.set(key, UNNAMED)
  return out
}

/** `usb-b/root (0444abcd1234)`, or the digits alone. */
export function keyInWords (key: PublicKey, names: RootNames): string {
  const name = names.get(key)
  return name === undefined ? `${key.slice(0, DIGITS)}…` : `${name} (${key.slice(0, DIGITS)})`
}

export const keysInWords = (keys: readonly PublicKey[], names: RootNames): string => keys.map((key) => keyInWords(key, names)).sort().join(', ')
