/**
 * Tree: a directory. A leaf lists entries, a node of level n lists Trees of level n-1 with the first name of each; names ascend by their UTF-8 bytes
 * across the whole directory. No times, owners or extended attributes. Source: SCHEMA `Tree`, DESIGN §3.
 */
import { type ArtifactCodec, artifactCodec } from '../substrate/codec.js'
import { MalformedError } from '../substrate/errors.js'
import { LIMITS } from '../substrate/limits.js'
import type { Reference } from '../substrate/reference.js'
import { bytes, list, literal, mapped, oneOf, ref, type Shape, struct, tuple, uint } from '../substrate/shape.js'
import { TAG } from '../substrate/type-tags.js'
import { name } from './names.js'

export interface FileEntry {
  kind: 'file'
  name: string
  /** permission bits with setuid, setgid and sticky: 0 to 0o7777 */
  mode: number
  /** bytes of content */
  size: number
  /** a File, or untagged */
  ref: Reference
}

export interface DirEntry {
  kind: 'dir'
  name: string
  mode: number
  /** a Tree */
  ref: Reference
}

export interface LinkEntry {
  kind: 'link'
  name: string
  /** 1 to 4,095 bytes exactly as the link has them; never followed */
  target: Uint8Array
}

export type Entry = FileEntry | DirEntry | LinkEntry

export interface TreeLink {
  /** the first name below `ref` */
  first: string
  /** a Tree one level lower */
  ref: Reference
}

export interface TreeLeaf { level: 0, entries: Entry[] }
export interface TreeNode { level: 1 | 2 | 3, entries: TreeLink[] }
export type Tree = TreeLeaf | TreeNode

export const TREE_TOP_LEVEL = 3
export const MODE_MAX = 0o7777

const mode = uint(MODE_MAX)

const fileEntry: Shape<FileEntry> = mapped(
  tuple<[string, 0, number, number, Reference]>(name, literal(0), mode, uint(), ref),
  ([name, , mode, size, ref]) => ({ kind: 'file', name, mode, size, ref }),
  (e): [string, 0, number, number, Reference] => [e.name, 0, e.mode, e.size, e.ref]
)
const dirEntry: Shape<DirEntry> = mapped(
  tuple<[string, 1, number, Reference]>(name, literal(1), mode, ref),
  ([name, , mode, ref]) => ({ kind: 'dir', name, mode, ref }),
  (e): [string, 1, number, Reference] => [e.name, 1, e.mode, e.ref]
)
const linkEntry: Shape<LinkEntry> = mapped(
  tuple<[string, 2, Uint8Array]>(name, literal(2), bytes(LIMITS.linkBytes, 1)),
  ([name, , target]) => ({ kind: 'link', name, target }),
  (e): [string, 2, Uint8Array] => [e.name, 2, e.target]
)

const entry: Shape<Entry> = {
  encode (value, out) {
    switch (value.kind) {
      case 'file': fileEntry.encode(value, out); break
      case 'dir': dirEntry.encode(value, out); break
      case 'link': linkEntry.encode(value, out)
    }
  },
  decode (item) {
    switch (Array.isArray(item) ? item[1] as unknown : undefined) {
      case 0: return fileEntry.decode(item)
      case 1: return dirEntry.decode(item)
      case 2: return linkEntry.decode(item)
      default: throw new MalformedError('expected an entry of kind 0 (file), 1 (directory) or 2 (link)')
    }
  }
}

const link: Shape<TreeLink> = mapped(
  tuple<[string, Reference]>(name, ref),
  ([first, ref]) => ({ first, ref }),
  (l): [string, Reference] => [l.first, l.ref]
)

const leaf: Shape<TreeLeaf> = struct({ level: literal(0), entries: list(entry, { max: LIMITS.treeEntries, ascending: (e) => e.name }) })
const node: Shape<TreeNode> = struct({ level: oneOf<1 | 2 | 3>(1, 2, 3), entries: list(link, { min: 1, max: LIMITS.treeEntries, ascending: (l) => l.first }) })

const shape: Shape<Tree> = {
  encode: (value, out) => value.level === 0 ? leaf.encode(value, out) : node.encode(value, out),
  decode: (item) => isLeaf(item) ? leaf.decode(item) : node.decode(item)
}

function isLeaf (item: unknown): boolean {
  return typeof item === 'object' && item !== null && 'level' in item && item.level === 0
}

export const treeCodec: ArtifactCodec<Tree> = artifactCodec(TAG.tree, 'Tree', shape, LIMITS.treeBytes)

/** The first name of a Tree's own list; undefined for an empty directory. */
export function firstName (tree: Tree): string | undefined {
  return tree.level === 0 ? tree.entries[0]?.name : tree.entries[0]?.first
}
