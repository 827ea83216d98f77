/** Key files found by what they are, not by their names: after a rotation a live root's file on its stick is still called `next-root-1`. */
import { readdirSync } from 'node:fs'
import { DiadError } from '../../substrate/errors.js'
import type { PublicKey } from '../../substrate/reference.js'
import { findKeyFile, recordedPublicKey } from './key-file.js'

const RECORD = '.pub'

/** Key files in `directories` that hold one of `wanted`, by public key; the first directory wins. Throws DiadError `key-unreadable`. */
export function findKeysOf (directories: readonly string[], wanted: readonly PublicKey[]): Map<PublicKey, string> {
  const out = new Map<PublicKey, string>()
  const asked = new Set(wanted)
  for (const directory of directories) {
    for (const name of namesIn(directory)) {
      if (!name.endsWith(RECORD)) continue
      const path = findKeyFile(directory, name.slice(0, -RECORD.length))
      // A record without a key is somebody's public half, lying there to be listed.
      if (path === undefined) continue
      const key = recordOf(path)
      if (key !== undefined && asked.has(key) && !out.has(key)) out.set(key, path)
    }
  }
  return out
}

/** One damaged record mustn't hide the keys beside it. */
function recordOf (path: string): PublicKey | undefined {
  try {
    return recordedPublicKey(path)
  } catch (err) {
    if (err instanceof DiadError) return undefined
    throw err
  }
}

function namesIn (directory: string): string[] {
  try {
    return readdirSync(directory).sort()
  } catch (err) {
    throw new DiadError('key-unreadable', `the directory ${directory} can't be read`, 'is the stick mounted that holds the keys?', { cause: err })
  }
}
