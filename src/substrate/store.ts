/**
 * The block store port. The only write is `put(type, payload) → Reference`: nothing stores (id, bytes) pairs on somebody's word.
 * Blocks are durable once the store's owner has committed (see ports of the pack store); until then they may be lost together.
 */
import type { Artifact } from './artifact.js'
import { DiadError } from './errors.js'
import type { Reference } from './reference.js'

export interface BlockReader {
  /** The artifact, verified against its Reference on every read, or undefined. Throws DiadError `block-damaged` when the disk lies. */
  get: (ref: Reference) => Promise<Artifact | undefined>
  /** Whether the store holds it, from the index alone. */
  has: (ref: Reference) => boolean
}

/** undefined when it isn't held or was damaged on disk: the store has set that aside, and somebody may bring it again. */
export async function getUndamaged (blocks: BlockReader, ref: Reference): Promise<Artifact | undefined> {
  try {
    return await blocks.get(ref)
  } catch (err) {
    if (err instanceof DiadError && err.code === 'block-damaged') return undefined
    throw err
  }
}

export interface BlockStore extends BlockReader {
  put: (typeTag: number | undefined, payload: Uint8Array) => Promise<Reference>
}
