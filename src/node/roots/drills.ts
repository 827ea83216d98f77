/** Which next root keys were tried, so that `doctor` can say when it was (N2). Local, never published. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { OfflineRootSet } from '../../authority/root-set.js'
import { DiadError } from '../../substrate/errors.js'
import type { Hash, PublicKey } from '../../substrate/reference.js'
import { errorCode, replaceFile } from '../home/atomic-file.js'
import type { Home } from '../home/home.js'

const FORMAT = 'diad-root-drills'
const VERSION = 1

export interface Drill {
  readonly commitment: Hash
  /** of the set that was committed to; unknown without next-commitment.json otherwise */
  readonly threshold: number
  readonly total: number
  /** by key, when it last signed: ISO 8601, UTC */
  readonly signed: ReadonlyMap<PublicKey, string>
}

const fileOf = (home: Home): string => join(home.paths.root, 'root-drills.json')

/** By commitment. Throws DiadError `drills-damaged`. */
export function readDrills (home: Home): Map<Hash, Drill> {
  const path = fileOf(home)
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (err) {
    if (errorCode(err) === 'ENOENT') return new Map()
    throw damaged(path, err)
  }
  try {
    const { format, version, drills } = JSON.parse(text) as { format: unknown, version: unknown, drills: Array<{ commitment: Hash, threshold: number, total: number, signed: Record<PublicKey, string> }> }
    if (format !== FORMAT || version !== VERSION) throw damaged(path)
    return new Map(drills.map(({ commitment, threshold, total, signed }) => [commitment, { commitment, threshold, total, signed: new Map(Object.entries(signed) as Array<[PublicKey, string]>) }]))
  } catch (err) {
    if (err instanceof DiadError) throw err
    throw damaged(path, err)
  }
}

/** Adds what `keys` of the committed `set` have shown. */
export function rememberDrill (home: Home, commitment: Hash, set: OfflineRootSet, keys: readonly PublicKey[], at: Date): Drill {
  const all = readDrills(home)
  const signed = new Map(all.get(commitment)?.signed)
  for (const key of keys) signed.set(key, at.toISOString())
  const drill: Drill = { commitment, threshold: set.threshold, total: set.root_keys.length, signed }
  all.set(commitment, drill)
  const drills = [...all.values()].map((d) => ({ ...d, signed: Object.fromEntries(d.signed) }))
  replaceFile(fileOf(home), JSON.stringify({ format: FORMAT, version: VERSION, drills }, null, 2) + '\n')
  return drill
}

/** Whether enough next keys have shown that they still sign. */
export function isDrilled (drill: Drill | undefined): drill is Drill {
  return drill !== undefined && drill.signed.size >= drill.threshold
}

function damaged (path: string, cause?: unknown): DiadError {
  return new DiadError('drills-damaged', `${path} is damaged`, 'remove it and run `diad root drill` again: it only says when that was done', { cause })
}
