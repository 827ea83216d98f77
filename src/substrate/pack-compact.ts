/**
 * Giving the disk back what no entry of the index names: each pack that holds any such bytes is walked from its start, what is still named is written
 * again behind everything else, and when that is durable and the index names the new places, the old pack is removed. A crash at any point leaves each
 * block at one of its two places, and at worst a pack that nothing names, which the next time removes. Room is needed for the live part of one pack.
 */
import { readU32, toHex } from './bytes.js'
import { LIMITS } from './limits.js'
import { artifactLength, type IndexEntry, RECORD_DIGEST, RECORD_HEAD } from './pack-format.js'
import type { PackFiles } from './pack-writer.js'
import { type Hash, type Reference, referenceOfHash } from './reference.js'

/** bytes of one read; more than the largest record */
const WINDOW = 2 * 1024 * 1024

export interface Compacted {
  /** packs that are gone */
  readonly packs: number
  /** bytes by which the packs together are smaller */
  readonly freed: number
  /** packs with a part that can't be walked: they stay as they are, with whatever they hold beyond what was found */
  readonly stuck: readonly number[]
}

export interface CompactOptions {
  readonly signal: { readonly throwIfAborted: () => void }
  /** bytes looked at so far, of so many */
  readonly onProgress?: (done: number, total: number) => void
}

/** What it works on: a pack store. */
export interface Compactable {
  readonly files: PackFiles
  /** entries of the index as they are on disk */
  entries: () => AsyncIterable<readonly [Reference, IndexEntry]>
  /** where the block lies now */
  entry: (ref: Reference) => IndexEntry | undefined
  /** fewer bytes where the pack ends or the disk can't read them */
  read: (pack: number, offset: number, length: number) => Promise<Uint8Array>
  /** the pack that is being written */
  writing: () => number
  startPack: () => void
  /** Writes the record again at the end, or sets its block aside when it isn't what it is called; a promise: wait for it first. */
  move: (ref: Reference, from: IndexEntry, record: Uint8Array) => Promise<void> | undefined
  commit: () => Promise<void>
}

interface Pack { readonly pack: number, readonly size: number, readonly live: number }

/** What each pack holds, and how much of it the index names; bytes. Call when nothing waits for a commit. */
async function survey (store: Compactable): Promise<Pack[]> {
  const live = new Map<number, number>()
  for await (const [, { pack, typeTag, length }] of store.entries()) live.set(pack, (live.get(pack) ?? 0) + RECORD_HEAD + artifactLength(typeTag, length))
  const out: Pack[] = []
  for (const pack of await store.files.list()) out.push({ pack, size: (await store.files.open(pack))?.size ?? 0, live: live.get(pack) ?? 0 })
  return out
}

/** Bytes in packs that no entry names. */
export async function wastedBytes (store: Compactable): Promise<number> {
  return (await survey(store)).reduce((n, { size, live }) => n + Math.max(0, size - live), 0)
}

export async function compact (store: Compactable, { signal, onProgress }: CompactOptions): Promise<Compacted> {
  await store.commit()
  // A pack shorter than what is named of it was cut by somebody: its blocks will be found damaged one by one, and it is left alone.
  const isWasteful = ({ pack, size, live }: Pack): boolean => size > live || (size === 0 && pack !== store.writing())
  const before = (await survey(store)).filter(isWasteful)
  if (before.length === 0) return { packs: 0, freed: 0, stuck: [] }
  if (before.some(({ pack }) => pack === store.writing())) store.startPack()
  // Whatever was accepted meanwhile is in the index after this, and nothing more is ever written to the packs below the one in use.
  const ended = store.writing()
  await store.commit()
  const wasteful = (await survey(store)).filter((p) => p.pack < ended && isWasteful(p)).sort((a, b) => a.live - b.live)
  const total = wasteful.reduce((n, { live, size }) => n + (live > 0 ? size : 0), 0)
  const stuck: number[] = []
  let freed = 0
  let removed = 0
  let done = 0
  for (const { pack, size, live } of wasteful) {
    signal.throwIfAborted()
    let moved = 0
    if (live > 0) {
      for await (const { ref, offset, record } of records(store, pack, size)) {
        signal.throwIfAborted()
        onProgress?.(done + offset, total)
        const entry = store.entry(ref)
        if (entry?.pack !== pack || entry.offset !== offset) continue
        await store.move(ref, entry, record)
        moved += record.length
      }
      done += size
      await store.commit()
    }
    if (moved === live) {
      await store.files.remove(pack)
      removed++
      freed += size - live
    } else stuck.push(pack)
  }
  return { packs: removed, freed, stuck }
}

interface Found { readonly ref: Reference, readonly offset: number, readonly record: Uint8Array }

/** The records of a pack in their order, up to the first that can't be one. `record` is good until the next. */
async function * records (store: Compactable, pack: number, size: number): AsyncGenerator<Found> {
  let window: Uint8Array = new Uint8Array(0)
  let start = 0
  for (let offset = 0; offset + RECORD_HEAD <= size;) {
    if (offset + RECORD_HEAD > start + window.length) [window, start] = [await store.read(pack, offset, WINDOW), offset]
    if (window.length < RECORD_HEAD) return
    const length = RECORD_HEAD + readU32(window, offset - start)
    if (length > RECORD_HEAD + LIMITS.payloadBytes + artifactLength(0, 0)) return
    if (offset + length > start + window.length) [window, start] = [await store.read(pack, offset, WINDOW), offset]
    if (length > window.length) return
    const record = window.subarray(offset - start, offset - start + length)
    yield { ref: referenceOfHash(toHex(record.subarray(RECORD_DIGEST, RECORD_HEAD)) as Hash), offset, record }
    offset += length
  }
}
