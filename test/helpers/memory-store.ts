/** A block store in memory, for tests. */
import { type Artifact, referenceOf } from '../../src/substrate/artifact.js'
import type { Reference } from '../../src/substrate/reference.js'
import type { BlockStore } from '../../src/substrate/store.js'

export class MemoryStore implements BlockStore {
  readonly blocks = new Map<Reference, Artifact>()
  /** calls of `put`, repetitions included */
  puts = 0
  /** runs before each `get`; may throw or change the world */
  beforeGet: ((ref: Reference) => void | Promise<void>) | undefined

  put = async (typeTag: number | undefined, payload: Uint8Array): Promise<Reference> => {
    this.puts++
    const ref = referenceOf(typeTag, payload)
    // A copy: the port doesn't promise that the caller leaves its bytes alone.
    if (!this.blocks.has(ref)) this.blocks.set(ref, { typeTag, payload: payload.slice() })
    return ref
  }

  get = async (ref: Reference): Promise<Artifact | undefined> => {
    await this.beforeGet?.(ref)
    return this.blocks.get(ref)
  }

  has = (ref: Reference): boolean => this.blocks.has(ref)
}
