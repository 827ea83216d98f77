/** One block that a walk over content has come to, and what its parent says of it. */
import { type Child, checkChild, childrenOf, type Expected, isContent } from '../publication/walk.js'
import type { Artifact } from '../substrate/artifact.js'
import { DiadError } from '../substrate/errors.js'
import { LIMITS } from '../substrate/limits.js'
import type { BlockStat } from '../substrate/pack-format.js'
import type { Reference } from '../substrate/reference.js'
import { TAG } from '../substrate/type-tags.js'

export interface Want {
  readonly ref: Reference
  /** undefined for a published name, which may be a Tree, a File or plain bytes: its parent, the leaf, doesn't say */
  readonly expected: Expected | undefined
  /** blocks above it on the way from the root; none for a root */
  readonly depth?: number
}

/**
 * Blocks on top of each other. A path has up to 512 segments (LIMITS.pathBytes) and a directory up to four levels of Trees; nobody can name what lies
 * deeper, and a ladder of directories may be as deep as it has blocks.
 */
const MAX_DEPTH = LIMITS.pathBytes * 2

/** assumed of a Tree or File, whose size no parent declares */
const NODE_BYTES = 32 * 1024

/** Bytes to reckon with before the block is here. */
export function likelySize ({ expected }: Want): number {
  // But for the last one, a File in a File is as full as can be, and each leads to thousands of blocks that wait for their turn.
  if (expected?.type === 'file') return LIMITS.chunkBytes
  return expected?.type === 'chunk' || expected?.type === 'content' ? Math.min(expected.size, LIMITS.chunkBytes) : NODE_BYTES
}

/** Whether the index says all there is to say of a held block: untagged bytes of the declared length, nothing below. */
export function isPlain ({ expected }: Want, stat: BlockStat | undefined): boolean {
  if (stat === undefined || stat.typeTag !== undefined) return false
  return expected === undefined || ((expected.type === 'chunk' || expected.type === 'content') && stat.length === expected.size)
}

/**
 * What is directly below; undefined when the block isn't what its parent says, can't be content at all or lies too deep, so that no peer can have anything
 * better.
 */
export function childrenOfWant ({ expected, depth = 0 }: Want, artifact: Artifact): Want[] | undefined {
  if (!isContent(artifact.typeTag)) return undefined
  try {
    // Of a directory's root nothing more is said than its type, and decoding a Tree twice would be most of what a small file costs here.
    const typeIsAll = expected?.type === 'tree' && artifact.typeTag === TAG.tree
    if (expected !== undefined && !typeIsAll) checkChild(artifact, expected)
    const children: readonly Child[] = childrenOf(artifact)
    return children.length > 0 && depth >= MAX_DEPTH ? undefined : children.map((c) => ({ ref: c.ref, expected: c.expected, depth: depth + 1 }))
  } catch (err) {
    if (err instanceof DiadError && (err.code === 'content-malformed' || err.code === 'malformed')) return undefined
    throw err
  }
}

/** What was opened as one thing may not pass for another: what the parent says belongs to it. */
export function openedKey ({ ref, expected }: Want): string {
  return expected === undefined ? ref : `${ref} ${JSON.stringify(expected)}`
}

/** Whether two parents say the same of one block. */
export function saysTheSame (a: Expected | undefined, b: Expected | undefined): boolean {
  if (a === undefined || b === undefined) return a === b
  switch (a.type) {
    case 'tree': return b.type === 'tree'
    case 'chunk':
    case 'content': return b.type === a.type && b.size === a.size
    case 'file': return b.type === 'file' && b.level === a.level && b.size === a.size
    case 'subtree': return b.type === 'subtree' && b.level === a.level && b.first === a.first && b.before === a.before
  }
}

/** Trees and Files remembered as opened, or as proven whole: about 15 MB */
const OPENED_NODES = 65_536

/** What was opened lately. In two halves, of which the older one goes when the younger is full: what the walk still comes across stays. */
export class Opened {
  private young = new Set<string>()
  private old = new Set<string>()

  /** `nodes` are remembered at most, and half of them at least. */
  constructor (private readonly nodes = OPENED_NODES) {}

  has (key: string): boolean {
    if (this.young.has(key)) return true
    if (!this.old.has(key)) return false
    this.add(key)
    return true
  }

  add (key: string): void {
    if (this.young.size >= this.nodes / 2) {
      this.old = this.young
      this.young = new Set()
    }
    this.young.add(key)
  }
}
