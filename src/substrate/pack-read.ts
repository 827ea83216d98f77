/**
 * Reading many blocks: records written together lie together, so neighbours are read with one call. Measured: 20,000 blocks of 2 KiB in the order
 * of their import, one read each 1.0 s, with spans 0.14 s.
 */
import { referenceOfArtifactBytes } from './artifact.js'
import { artifactLength, type IndexEntry, RECORD_HEAD } from './pack-format.js'
import type { Reference } from './reference.js'

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

/** What reading needs of a store. */
export interface BlockSource {
  readonly entry: (ref: Reference) => IndexEntry | undefined
  /** fewer bytes where the pack ends or the disk can't read them: the digest then says the rest */
  readonly read: (pack: number, offset: number, length: number) => Promise<Uint8Array>
  /** what lies at `entry` isn't the block */
  readonly setAside: (ref: Reference, entry: IndexEntry) => void
}

export const samePlace = (a: IndexEntry, b: IndexEntry): boolean => a.pack === b.pack && a.offset === b.offset

/** The ArtifactBytes at `entry`, or where they were moved to meanwhile (pack-compact.ts); undefined, and set aside, when they are damaged. */
export async function readBlock (source: BlockSource, ref: Reference, entry: IndexEntry): Promise<Uint8Array | undefined> {
  const bytes = await source.read(entry.pack, artifactOffset(entry), artifactLength(entry.typeTag, entry.length))
  if (referenceOfArtifactBytes(bytes) === ref) return bytes
  const now = source.entry(ref)
  if (now !== undefined && !samePlace(now, entry)) return await readBlock(source, ref, now)
  source.setAside(ref, entry)
  return undefined
}

/** Puts what `span` asks for into `out`, each as {@link readBlock} gives it. */
export async function readSpan (source: BlockSource, { pack, offset, length, wanted }: Span, refs: readonly Reference[], out: Array<Uint8Array | undefined>): Promise<void> {
  let bytes = await source.read(pack, offset, length)
  for (const { index, entry } of wanted) {
    const ref = refs[index] as Reference
    const at = artifactOffset(entry) - offset
    const end = at + artifactLength(entry.typeTag, entry.length)
    // A span may end in the writer's buffer or in a bad sector: then each of its blocks is read alone.
    if (end > bytes.length) bytes = new Uint8Array(0)
    const one = end <= bytes.length ? bytes.subarray(at, end) : undefined
    out[index] = one !== undefined && referenceOfArtifactBytes(one) === ref ? one : await readBlock(source, ref, entry)
  }
}
