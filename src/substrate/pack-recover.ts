/** What a store does when it opens: cut off what was never visible. Needs no journal and no walk over the packs. */
import { DiadError } from './errors.js'
import { decodePackState, encodePackState, PACK_STATE_KEY, type PackState } from './pack-format.js'
import type { PackFiles } from './pack-writer.js'
import { type Kv, type KvOp, KEYSPACE } from './ports.js'

/** The op that says that whatever is put by hand into this store is noted as such; stores of older programs don't say so. */
export const PUTS_KNOWN: KvOp = { type: 'put', key: Uint8Array.of(KEYSPACE.put), value: new Uint8Array(0) }

export const putsAreKnown = (kv: Pick<Kv, 'get'>): boolean => kv.get(PUTS_KNOWN.key) !== undefined

/** Says where to go on writing. Throws DiadError `store-damaged` when packs hold bytes and the index has never heard of any. */
export async function recover (kv: Kv, files: PackFiles): Promise<PackState> {
  const packs = await files.list()
  const value = kv.get(PACK_STATE_KEY)
  const state = value === undefined ? undefined : decodePackState(value)
  if (state === undefined) {
    for (const pack of packs) {
      if (((await files.open(pack))?.size ?? 0) > 0) {
        throw new DiadError('store-damaged', `the store has packs (${pack} and perhaps more) but its index does not know them`,
          'The index was lost or is of another store. Restore the folder from a copy, or set it aside and fetch everything again.')
      }
    }
    const first = { pack: 1, length: 0 }
    await kv.batch([{ type: 'put', key: PACK_STATE_KEY, value: encodePackState(first) }, PUTS_KNOWN], true)
    return first
  }
  await cutBehind(files, state)
  // The last pack lost bytes that were synced: the disk lied or someone cut it. Its blocks will be found damaged one by one; new ones must not be
  // written at offsets that the index already uses.
  const size = (await files.open(state.pack))?.size ?? 0
  return size === state.length ? state : { pack: Math.max(state.pack, ...packs) + 1, length: 0 }
}

/** Cuts off what lies behind `end`, never more; to be called while nothing is being appended. A cut that a crash undoes is made again at the next open. */
export async function cutBehind (files: PackFiles, end: PackState): Promise<void> {
  for (const pack of await files.list()) {
    if (pack < end.pack) continue
    const log = await files.open(pack)
    const kept = pack === end.pack ? end.length : 0
    if (log !== undefined && log.size > kept) await log.truncate(kept)
  }
}
