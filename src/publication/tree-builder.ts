/**
 * Entries → Trees, deterministically: the same directory gives the same Reference on every machine, and a changed entry changes only the Trees
 * around it. A leaf ends after an entry whose SHA-256(name) starts with a u16 below 128, at the latest at 2,048 entries or 512 KiB; the levels above
 * by the same rule over first names. Source: DESIGN §3 (block limit).
 *
 * One addition: a node above the leaves doesn't end by its hash before `NODE_MIN` items. A name that ends a node and also starts it would otherwise
 * stand alone in its node on every level for ever (one directory in 512 begins with such a name), and names made for it could do so anywhere.
 */
import { compareUtf8, utf8, utf8Length } from '../substrate/bytes.js'
import { DiadError, MalformedError } from '../substrate/errors.js'
import { sha256Hex } from '../substrate/hasher.js'
import { LIMITS } from '../substrate/limits.js'
import type { Reference } from '../substrate/reference.js'
import { TAG } from '../substrate/type-tags.js'
import type { Put } from './file-builder.js'
import { showName } from './names.js'
import { type Entry, TREE_TOP_LEVEL, type Tree, treeCodec, type TreeLink } from './tree.js'

/** With at least 256 items a node three levels hold 256^3 leaves, whatever the names. */
export const NODE_MIN = 256

/** What waits to become one Tree. */
interface Group {
  items: Array<Entry | TreeLink>
  first: string
  /** payload bytes of the items, without the head */
  bytes: number
  /** the last item ends the group */
  closed: boolean
}

export class TreeBuilder {
  readonly #put: Put
  /** One open group a level: memory is bounded by one Tree a level, whatever the directory's length. */
  readonly #groups: Group[] = [emptyGroup()]
  #last: string | undefined

  constructor (put: Put) {
    this.#put = put
  }

  /** The next entry; names strictly ascend by their UTF-8 bytes, else `MalformedError`. A promise must be awaited before the next call. */
  add (entry: Entry): Promise<void> | undefined {
    if (this.#last !== undefined && compareUtf8(this.#last, entry.name) >= 0) {
      throw new MalformedError(`the name ${showName(entry.name)} does not come after ${showName(this.#last)}`)
    }
    this.#last = entry.name
    const bytes = entryBytes(entry)
    const group = this.#groups[0] as Group
    if (isFull(group, bytes)) return this.#emit(0).then((link) => this.#addLink(1, link)).then(() => append(this.#groups[0] as Group, 0, entry, entry.name, bytes))
    append(group, 0, entry, entry.name, bytes)
    return undefined
  }

  /** The Reference of the directory's root Tree. */
  async finish (): Promise<Reference> {
    for (let level = 0; ; level++) {
      const link = await this.#emit(level)
      if (level + 1 >= this.#groups.length) return link.ref
      await this.#addLink(level + 1, link)
    }
  }

  async #addLink (level: number, link: TreeLink): Promise<void> {
    if (level > TREE_TOP_LEVEL) throw new DiadError('directory-too-big', 'the directory has more entries than the levels of a Tree can hold')
    const bytes = 1 + textBytes(link.first) + REF_BYTES
    let group = this.#groups[level] ??= emptyGroup()
    if (isFull(group, bytes)) {
      await this.#addLink(level + 1, await this.#emit(level))
      group = this.#groups[level]
    }
    append(group, level, link, link.first, bytes)
  }

  async #emit (level: number): Promise<TreeLink> {
    const group = this.#groups[level] as Group
    this.#groups[level] = emptyGroup()
    const ref = await this.#put(TAG.tree, treeCodec.encode({ level, entries: group.items } as Tree))
    return { first: group.first, ref }
  }
}

function emptyGroup (): Group {
  return { items: [], first: '', bytes: 0, closed: false }
}

function isFull (group: Group, more: number): boolean {
  return group.closed || group.bytes + more + HEAD_BYTES + headBytes(group.items.length + 1) > LIMITS.treeBytes
}

function append (group: Group, level: number, item: Entry | TreeLink, name: string, bytes: number): void {
  if (group.items.length === 0) group.first = name
  group.items.push(item)
  group.bytes += bytes
  group.closed = group.items.length >= LIMITS.treeEntries || ((level === 0 || group.items.length >= NODE_MIN) && endsTree(name))
}

/** A digest that starts with a u16 below the limit is below this one, as hex text too. */
const CUT = LIMITS.treeCut.toString(16).padStart(4, '0')

/** Whether a Tree ends after this name: one name in 512. */
export function endsTree (name: string): boolean {
  return sha256Hex(utf8(name)) < CUT
}

// Sizes in CBOR, to know a Tree's length before it is encoded.

/** map of two, text `level`, its value, text `entries`; the list's own head is counted apart */
const HEAD_BYTES = 1 + 6 + 1 + 8
const REF_BYTES = 36

/** Bytes of a CBOR head that carries `n`. */
function headBytes (n: number): number {
  return n < 24 ? 1 : n < 0x100 ? 2 : n < 0x10000 ? 3 : n < 0x100000000 ? 5 : 9
}

function textBytes (text: string): number {
  const n = utf8Length(text)
  return headBytes(n) + n
}

/** Bytes of an entry in a leaf: the list's head, name, kind, and what the kind has. */
export function entryBytes (e: Entry): number {
  const start = 2 + textBytes(e.name)
  switch (e.kind) {
    case 'file': return start + headBytes(e.mode) + headBytes(e.size) + REF_BYTES
    case 'dir': return start + headBytes(e.mode) + REF_BYTES
    case 'link': return start + headBytes(e.target.length) + e.target.length
  }
}
