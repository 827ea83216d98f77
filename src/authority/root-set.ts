/** OfflineRootSet: the cold keys of a domain and how many of them have to agree. Source: SCHEMA [01], RULES T1. */
import { artifactCodec } from '../substrate/codec.js'
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
