/**
 * Reading Trees and Files. Every child is held against what its parent says of it: type, level, size, first name, order. What doesn't fit is
 * `DiadError('content-malformed')`, what isn't there `content-missing`. Nothing is read before it is asked for. Source: RULES V4, SCHEMA, THREATS 30.
 */
import type { Artifact } from '../substrate/artifact.js'
import { compareUtf8 } from '../substrate/bytes.js'
import { DiadError, MalformedError } from '../substrate/errors.js'
import type { Reference } from '../substrate/reference.js'
import type { BlockReader } from '../substrate/store.js'
import { TAG, tagName } from '../substrate/type-tags.js'
import { type File, fileCodec } from './file.js'
import { showName } from './names.js'
import { type DirEntry, type Entry, type FileEntry, firstName, type Tree, treeCodec } from './tree.js'

/** What a parent says of a child. */
export type Expected =
  /** untagged bytes of this length */
  | { type: 'chunk', size: number }
  /** a File of this level and size */
  | { type: 'file', level: number, size: number }
  /** untagged or a File of any level: a file's whole content */
  | { type: 'content', size: number }
  /** a directory's root: a Tree of any level */
  | { type: 'tree' }
  /** a further Tree of the same directory: not empty, names from `first` up to, and without, `before` */
  | { type: 'subtree', level: number, first: string, before: string | undefined }

export interface Child {
  readonly ref: Reference
  readonly expected: Expected
}

/** Whether an artifact of this type can be content: untagged bytes, a File or a Tree. A leaf may name any object (R2), but there is nothing else to have. */
export function isContent (typeTag: number | undefined): boolean {
  return typeTag === undefined || typeTag === TAG.file || typeTag === TAG.tree
}

/** What a File or Tree directly contains (RULES V4); nothing for every other artifact. The same Reference may occur more than once. Throws `content-malformed`. */
export function childrenOf (artifact: Artifact): Child[] {
  if (artifact.typeTag === TAG.file) return partsOf(decode(fileCodec.from, artifact))
  if (artifact.typeTag !== TAG.tree) return []
  const tree = decode(treeCodec.from, artifact)
  if (tree.level !== 0) return subtreesOf(tree, undefined)
  const out: Child[] = []
  for (const e of tree.entries) {
    if (e.kind === 'file') out.push({ ref: e.ref, expected: { type: 'content', size: e.size } })
    else if (e.kind === 'dir') out.push({ ref: e.ref, expected: { type: 'tree' } })
  }
  return out
}

/** Throws `content-malformed` unless `artifact` is what its parent says. A fetcher calls it as a block lands, so that a wrong subtree is never followed. */
export function checkChild (artifact: Artifact, expected: Expected): void {
  switch (expected.type) {
    case 'tree': treeOf(artifact, expected); return
    case 'subtree': treeOf(artifact, expected); return
    default: contentOf(artifact, expected)
  }
}

/** The root of a published thing, as an entry without a name: `file` for untagged artifacts and Files, `dir` for Trees. */
export async function rootEntry (reader: BlockReader, ref: Reference, mode: number): Promise<FileEntry | DirEntry> {
  const artifact = await readBlock(reader, ref)
  switch (artifact.typeTag) {
    case undefined: return { kind: 'file', name: '', mode, size: artifact.payload.length, ref }
    case TAG.file: return { kind: 'file', name: '', mode, size: decode(fileCodec.from, artifact).size, ref }
    case TAG.tree:
      decode(treeCodec.from, artifact)
      return { kind: 'dir', name: '', mode, ref }
    default: return malformed(`${ref} is neither content nor a directory but a ${tagName(artifact.typeTag)}`)
  }
}

/** The entry that `segments` lead to from `root`; undefined when there is none. No segments give the root itself. Links are not followed. */
export async function resolvePath (reader: BlockReader, root: { ref: Reference, mode: number }, segments: readonly string[]): Promise<Entry | undefined> {
  let entry: Entry = await rootEntry(reader, root.ref, root.mode)
  for (const segment of segments) {
    if (entry.kind !== 'dir') return undefined
    const next = await findEntry(reader, entry.ref, segment)
    if (next === undefined) return undefined
    entry = next
  }
  return entry
}

/** The entry of that name in the directory `ref`; reads one Tree a level. */
export async function findEntry (reader: BlockReader, ref: Reference, name: string): Promise<Entry | undefined> {
  let child: Child = { ref, expected: { type: 'tree' } }
  for (;;) {
    const tree = treeOf(await readBlock(reader, child.ref), child.expected)
    if (tree.level === 0) {
      const at = lastNotAfter(tree.entries, name, (e) => e.name)
      const found = tree.entries[at]
      return found?.name === name ? found : undefined
    }
    const before = child.expected.type === 'subtree' ? child.expected.before : undefined
    const at = lastNotAfter(tree.entries, name, (l) => l.first)
    if (at < 0) return undefined
    child = subtreesOf(tree, before)[at] as Child
  }
}

/** The entries of the directory `ref`, a leaf at a time (a generator step per entry would cost more than the entry), in ascending order. */
export async function * treeLeaves (reader: BlockReader, ref: Reference, expected: Expected = { type: 'tree' }): AsyncGenerator<readonly Entry[]> {
  const tree = treeOf(await readBlock(reader, ref), expected)
  if (tree.level === 0) {
    yield tree.entries
    return
  }
  for (const child of subtreesOf(tree, expected.type === 'subtree' ? expected.before : undefined)) yield * treeLeaves(reader, child.ref, child.expected)
}

/** The entries of the directory `ref` one by one. */
export async function * treeEntries (reader: BlockReader, ref: Reference): AsyncGenerator<Entry> {
  for await (const entries of treeLeaves(reader, ref)) yield * entries
}

/** The content of a file chunk by chunk. Every declared size is checked before the bytes below it are handed out. */
export async function * fileChunks (reader: BlockReader, ref: Reference, size: number): AsyncGenerator<Uint8Array> {
  yield * contentChunks(reader, await readBlock(reader, ref), { type: 'content', size })
}

/** As {@link fileChunks} for a block that was read already. */
export async function * contentChunks (reader: BlockReader, artifact: Artifact, expected: Expected): AsyncGenerator<Uint8Array> {
  const file = contentOf(artifact, expected)
  if (file === undefined) {
    yield artifact.payload
    return
  }
  for (const part of partsOf(file)) yield * contentChunks(reader, await readBlock(reader, part.ref), part.expected)
}

function partsOf (file: File): Child[] {
  const level = file.level
  return file.parts.map(({ ref, size }) => ({ ref, expected: level === 0 ? { type: 'chunk', size } : { type: 'file', level: level - 1, size } }))
}

function subtreesOf (tree: Tree & { level: 1 | 2 | 3 }, before: string | undefined): Child[] {
  const { level, entries } = tree
  return entries.map(({ first, ref }, i) => ({ ref, expected: { type: 'subtree', level: level - 1, first, before: entries[i + 1]?.first ?? before } }))
}

/** The File, or undefined for an untagged artifact; both as `expected` says. */
function contentOf (artifact: Artifact, expected: Expected): File | undefined {
  const { typeTag, payload } = artifact
  if (expected.type === 'tree' || expected.type === 'subtree') return malformed(`expected a Tree, got ${tagName(typeTag)}`)
  if (typeTag === undefined && expected.type !== 'file') {
    if (payload.length !== expected.size) malformed(`content says ${expected.size} bytes and has ${payload.length}`)
    return undefined
  }
  if (typeTag !== TAG.file || expected.type === 'chunk') return malformed(`expected ${expected.type === 'file' ? 'a File' : 'content'}, got ${tagName(typeTag)}`)
  const file = decode(fileCodec.from, artifact)
  if (expected.type === 'file' && file.level !== expected.level) malformed(`expected a File of level ${expected.level}, got level ${file.level}`)
  if (file.size !== expected.size) malformed(`content says ${expected.size} bytes and its File ${file.size}`)
  return file
}

function treeOf (artifact: Artifact, expected: Expected): Tree {
  const tree = decode(treeCodec.from, artifact)
  if (expected.type !== 'subtree') return tree
  if (tree.level !== expected.level) malformed(`expected a Tree of level ${expected.level}, got level ${tree.level}`)
  const first = firstName(tree)
  if (first !== expected.first) malformed(`a Tree should begin with ${showName(expected.first)} and ${first === undefined ? 'is empty' : `begins with ${showName(first)}`}`)
  const last = tree.level === 0 ? tree.entries.at(-1)?.name : tree.entries.at(-1)?.first
  if (expected.before !== undefined && last !== undefined && compareUtf8(last, expected.before) >= 0) {
    malformed(`the name ${showName(last)} stands in front of ${showName(expected.before)}`)
  }
  return tree
}

/** Index of the last item whose key is not after `name`, -1 when all are. */
function lastNotAfter<T> (items: readonly T[], name: string, key: (item: T) => string): number {
  let low = 0
  let high = items.length
  while (low < high) {
    const mid = (low + high) >>> 1
    if (compareUtf8(key(items[mid] as T), name) <= 0) low = mid + 1
    else high = mid
  }
  return low - 1
}

/** Throws `content-missing` when the store doesn't hold it. */
export async function readBlock (reader: BlockReader, ref: Reference): Promise<Artifact> {
  const artifact = await reader.get(ref)
  if (artifact === undefined) throw new DiadError('content-missing', `the block ${ref} is not here`, 'fetch the content from a peer that mirrors it, then try again')
  return artifact
}

function decode<T> (from: (artifact: Artifact) => T, artifact: Artifact): T {
  try {
    return from(artifact)
  } catch (err) {
    if (err instanceof MalformedError) return malformed(err.message, err)
    throw err
  }
}

function malformed (what: string, cause?: Error): never {
  throw new DiadError('content-malformed', what, 'the content was published like this; ask its publisher', cause === undefined ? undefined : { cause })
}
