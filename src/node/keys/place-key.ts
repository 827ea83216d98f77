/** Key files change their names when what they are for changes: the new root_key becomes `root_key`, the old one is kept beside it. */
import { existsSync, linkSync, renameSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { PublicKey } from '../../substrate/reference.js'
import { syncDirectory } from '../home/atomic-file.js'
import { findKeysOf } from './find-keys.js'
import { findKeyFile, recordedPublicKey } from './key-file.js'

/**
 * Makes `key` the one called `name` in `directory`; what was called so becomes `NAME-retired-MARK`. At every instant each key lies whole under one name
 * at least. Returns whether `key` is called so now; false: no file there holds it.
 */
export function placeKey (directory: string, name: string, key: PublicKey, mark: string): boolean {
  const there = findKeyFile(directory, name)
  if (there !== undefined && recordedPublicKey(there) === key) return true
  const found = findKeysOf([directory], [key]).get(key)
  if (found === undefined) return false
  if (there !== undefined) renameKey(there, freeName(directory, `${name}-retired-${mark}`))
  renameKey(found, name)
  return true
}

function freeName (directory: string, name: string): string {
  let free = name
  for (let n = 2; ['.pub', '.key', '.key.age'].some((suffix) => existsSync(join(directory, free + suffix))); n++) free = `${name}-${n}`
  return free
}

function renameKey (path: string, name: string): void {
  const directory = dirname(path)
  const [, stem = '', suffix = ''] = /^(.*?)(\.key(?:\.age)?)$/.exec(basename(path)) ?? []
  const moves = ['.pub', suffix].map((s) => [join(directory, stem + s), join(directory, name + s)] as const)
  try {
    for (const [from, to] of moves) linkSync(from, to)
    for (const [from] of moves) rmSync(from)
  } catch {
    // No hard links here, as on FAT; or cut off before: then what is left goes by itself.
    for (const [from, to] of moves) if (existsSync(from)) renameSync(from, to)
  }
  syncDirectory(directory)
}
