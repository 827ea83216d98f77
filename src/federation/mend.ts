/** Finding out what the disk lost or changed, and making the loss show, so that it is fetched again. Source: THREATS 1, 28. */
import { childrenOf } from '../publication/walk.js'
import type { DomainKnowledge } from '../authority/knowledge.js'
import { DiadError } from '../substrate/errors.js'
import type { KvOp } from '../substrate/ports.js'
import { NONE, type Reference } from '../substrate/reference.js'
import type { PackStore } from '../substrate/pack-store.js'
import type { Engine } from './engine.js'
import { isWhole, unwholeOp } from './ledger.js'

/** bytes read and hashed at once */
const BATCH_BYTES = 8 * 1024 * 1024

/** Reads and hashes every block. What turns out damaged is set aside by the store: it counts as missing from then on. */
export async function rehashAll (blocks: PackStore, signal: { readonly throwIfAborted: () => void }, onProgress: (blocks: number, bytes: number) => void): Promise<{ readonly blocks: number, readonly damaged: Reference[] }> {
  const damaged: Reference[] = []
  let batch: Reference[] = []
  let waiting = 0
  let count = 0
  let bytes = 0
  const flush = async (): Promise<void> => {
    signal.throwIfAborted()
    const found = await blocks.getManyBytes(batch)
    found.forEach((b, i) => { if (b === undefined) damaged.push(batch[i] as Reference) })
    count += batch.length
    bytes += waiting
    onProgress(count, bytes)
    batch = []
    waiting = 0
  }
  for await (const [ref, { length }] of blocks.blocks()) {
    batch.push(ref)
    waiting += length
    if (waiting >= BATCH_BYTES) await flush()
  }
  if (batch.length > 0) await flush()
  return { blocks: count, damaged }
}

/**
 * Names of CURRENT that count as held in full and aren't: they are marked as lacking, durable on return, so that the next fetch asks for what is gone.
 * `lost` = blocks that are known to be gone; without any there is nothing to look for.
 */
export async function markLacking (engine: Engine, k: DomainKnowledge, lost: ReadonlySet<Reference>, signal: { readonly throwIfAborted: () => void }): Promise<void> {
  if (lost.size === 0) return
  const ops: KvOp[] = []
  const fine = new Set<Reference>()
  const { kv, blocks } = engine.ports
  for (const { ref } of k.view().current.values()) {
    if (ref === NONE || !isWhole(kv, k.domain, ref)) continue
    if (!await lacks(blocks, ref, lost, fine, signal)) continue
    ops.push(unwholeOp(k.domain, ref))
  }
  if (ops.length > 0) await engine.commit(ops)
}

/** Whether something below `root` is lost. `fine` = blocks below which nothing is lost, found out before. */
async function lacks (blocks: PackStore, root: Reference, lost: ReadonlySet<Reference>, fine: Set<Reference>, signal: { readonly throwIfAborted: () => void }): Promise<boolean> {
  const seen = new Set<Reference>()
  const stack = [root]
  for (let ref = stack.pop(); ref !== undefined; ref = stack.pop()) {
    if (lost.has(ref)) return true
    if (seen.has(ref) || fine.has(ref)) continue
    seen.add(ref)
    signal.throwIfAborted()
    // Plain content has no children: its type is in the index, its bytes need not be read.
    if (blocks.stat(ref)?.typeTag === undefined) continue
    try {
      const artifact = await blocks.get(ref)
      if (artifact !== undefined) for (const c of childrenOf(artifact)) stack.push(c.ref)
    } catch (err) {
      if (err instanceof DiadError && err.code === 'block-damaged') return true
      throw err
    }
  }
  for (const ref of seen) fine.add(ref)
  return false
}
