/** CutList: one chunk of the cuts of a manifest, chained by `next`. Source: SCHEMA [06], RULES M4. */
import { artifactCodec } from '../substrate/codec.js'
import { bool, list, ref, refOrNone, struct, type TypeOf } from '../substrate/shape.js'
import { TAG } from '../substrate/type-tags.js'
import { MANY } from './shapes.js'

const cut = struct({ lane: ref, snapshot: ref, ends: bool })

/** The head `snapshot` of `lane` is an anchor (K4); with `ends` the lane is void beyond it (K3). */
export type Cut = TypeOf<typeof cut>

const shape = struct({ cuts: list(cut, { min: 1, max: MANY, ascending: (c) => c.lane }), next: refOrNone })

export type CutList = TypeOf<typeof shape>
export const cutListCodec = artifactCodec(TAG.cutList, 'CutList', shape)
