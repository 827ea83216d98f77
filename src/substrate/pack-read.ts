/**
 * Reading many blocks: records written together lie together, so neighbours are read with one call. Measured: 20,000 blocks of 2 KiB in the order
 * of their import, one read each 1.0 s, with spans 0.14 s.
 */
import { artifactLength, type IndexEntry, RECORD_HEAD } from './pack-format.js'

/** bytes of one read: twice the largest block, so that two neighbours of any size still fit */
const SPAN_BYTES = 2 * 1024 * 1024
/** bytes nobody asked for that are cheaper to read than to make another call */
const GAP_BYTES = 16 * 1024

export interface Wanted {
  /** the caller's own number for it */
  readonly index: number
  readonly entry: IndexEntry
}

/** One read that serves several blocks. */
export interface Span {
  readonly pack: number
  readonly offset: number
  length: number
  readonly wanted: Wanted[]
}

/** Where the ArtifactBytes of an entry start. */
export function artifactOffset (entry: IndexEntry): number {
  return entry.offset + RECORD_HEAD
}

/** Orders `wanted` by place and joins neighbours. */
export function spansOf (wanted: readonly Wanted[]): Span[] {
  const sorted = [...wanted].sort((a, b) => a.entry.pack - b.entry.pack || a.entry.offset - b.entry.offset)
  const spans: Span[] = []
  let last: Span | undefined
  for (const w of sorted) {
    const from = artifactOffset(w.entry)
    const end = from + artifactLength(w.entry.typeTag, w.entry.length)
    if (last !== undefined && last.pack === w.entry.pack && from <= last.offset + last.length + GAP_BYTES && end - last.offset <= SPAN_BYTES) {
      last.length = Math.max(last.length, end - last.offset)
      last.wanted.push(w)
    } else {
      last = { pack: w.entry.pack, offset: from, length: end - from, wanted: [w] }
      spans.push(last)
    }
  }
  return spans
}
