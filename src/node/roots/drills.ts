/** Which next root keys were tried, so that `doctor` can say when it was (N2). Local, never published. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { OfflineRootSet } from '../../authority/root-set.js'
import { DiadError } from '../../substrate/errors.js'
import type { Hash, PublicKey } from '../../substrate/reference.js'
import { errorCode, replaceFile } from '../home/atomic-file.js'
import type { Home } from '../home/home.js'
import { fieldsIn, textIn } from '../home/json-fields.js'

const FORMAT = { format: 'diad-root-drills', version: 1 }

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
  try {
    const fields = fieldsIn(FORMAT, readFileSync(path, 'utf8'))
    const drills = fields.get('drills') as Array<{ commitment: Hash, threshold: number, total: number, signed: Record<PublicKey, string> }>
    return new Map(drills.map(({ commitment, threshold, total, signed }) => [commitment, { commitment, threshold, total, signed: new Map(Object.entries(signed) as Array<[PublicKey, string]>) }]))
  } catch (err) {
    if (errorCode(err) === 'ENOENT') return new Map()
    throw new DiadError('drills-damaged', `${path} is damaged`, 'remove it and run `diad root drill` again: it only says when that was done', { cause: err })
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
  replaceFile(fileOf(home), textIn(FORMAT, { drills }))
  return drill
}

/** So long two sticks of one drill may be apart: days. */
export const DRILL_DAYS = 30

/** How many keys have signed of late, {@link DRILL_DAYS} before `now` at most. */
export function drilledOfLate (drill: Drill, now: Date): number {
  const since = new Date(now.getTime() - DRILL_DAYS * 86_400_000).toISOString()
  return [...drill.signed.values()].filter((at) => at >= since).length
}

/** When the last enough of them had signed: the oldest of the newest signatures that are needed. */
export function drilledAt (drill: Drill): string | undefined {
  return [...drill.signed.values()].sort().reverse()[drill.threshold - 1]
}

/** Whether enough next keys have shown that they still sign. */
export function isDrilled (drill: Drill | undefined): drill is Drill {
  return drill !== undefined && drill.signed.size >= drill.threshold
}
