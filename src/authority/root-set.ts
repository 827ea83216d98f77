/** OfflineRootSet: the cold keys of a domain and how many of them have to agree. Source: SCHEMA [01], RULES T1. */
import { artifactCodec } from '../substrate/codec.js'
import { DiadError } from '../substrate/errors.js'
import type { PublicKey } from '../substrate/reference.js'
import { checked, list, literal, struct, type TypeOf, uint } from '../substrate/shape.js'
import { TAG } from '../substrate/type-tags.js'
import { strongKey } from './shapes.js'

/** Nine bounds the signature checks that one root entry can cost. */
const MOST_ROOTS = 9

const shape = checked(
  struct({
    version: literal(1),
    root_keys: list(strongKey, { min: 1, max: MOST_ROOTS, ascending: (key) => key }),
    threshold: uint(MOST_ROOTS, 1),
    reserved0: literal(0)
  }),
  (set) => set.threshold <= set.root_keys.length ? undefined : `a threshold of at most ${set.root_keys.length}, the number of keys`)

export type OfflineRootSet = TypeOf<typeof shape>
export const rootSetCodec = artifactCodec(TAG.offlineRootSet, 'OfflineRootSet', shape)

/** A root set of keys in any order. Throws DiadError `root-set`. */
export function rootSetFrom (keys: readonly PublicKey[], threshold: number): OfflineRootSet {
  const refuse = (why: string): DiadError => new DiadError('root-set', why, 'name 1 to 9 different keys and a threshold of at most their number')
  if (keys.length < 1 || keys.length > MOST_ROOTS) throw refuse(`a root set has 1 to ${MOST_ROOTS} keys, not ${keys.length}`)
  if (new Set(keys).size !== keys.length) throw refuse('the same root key is named twice')
  if (!Number.isInteger(threshold) || threshold < 1 || threshold > keys.length) throw refuse(`a threshold of ${threshold} makes no sense with ${keys.length} root key${keys.length === 1 ? '' : 's'}`)
  return { version: 1, root_keys: [...keys].sort(), threshold, reserved0: 0 }
}
