/**
 * Which blocks are held *for* which domain (RULES V1 to V3). A node serves, lists, asks for and charges by this index only and asks it before the
 * store, so that deduplication on disk can't be observed: an internal block, an erased one and one never seen are the same answer by the same path.
 *
 * A follower marks what it fetched with generation 0, which always counts. A publisher marks blocks while it imports, long before the export's head
 * is durable; such a mark carries the export's generation and counts once that generation is committed, in the same batch as the head. So a crash
 * in between leaves marks that mean nothing, and there is nothing to clean up.
 *
 * Every op is for `PackStore.enqueue` or `commit`: it becomes durable together with the blocks it speaks of, and in order.
 */
import { readU32, readU64, writeHex, writeU32, writeU64 } from '../substrate/bytes.js'
import { DiadError } from '../substrate/errors.js'
import { referenceKey } from '../substrate/pack-format.js'
import { type Kv, type KvOp, KEYSPACE } from '../substrate/ports.js'
import { digestOf, type Reference } from '../substrate/reference.js'

/** The generation of what was fetched by walking from exported leaves. */
export const FETCHED = 0
/** The generation of what belongs to the domain and isn't shown: proposals that no federate key exports yet, and erased content. It never counts. */
export const HELD_BACK = 0xffff_ffff

/** Value of 'g' domain: u32 last ‖ u8 committed ‖ u32 of each generation that was begun and never committed, ascending. */
interface Generations {
  readonly last: number
  readonly committed: boolean
  readonly aborted: readonly number[]
}

interface OpenExport {
  readonly generations: Generations
  /** of its marks: one for all of them */
  readonly value: Uint8Array
  /** commitOp was handed out: its batch may be on its way */
  closing: boolean
  /** bytes that it will cost the domain; 0 for what is published here */
  owed: number
}

/** Marked by `take`, and charged by the next `settle`. */
interface Unsettled { readonly marks: KvOp[], bytes: number }

/** domain → block → generation */
type Lately = Map<Reference, Map<Reference, number>>

/** How a block stands with a domain: held-back ones were charged when they came; owed: an import under way has marked it and will charge it. */
type Standing = 'none' | 'counts' | 'held-back' | 'owed'

const NO_GENERATIONS: Generations = { last: 0, committed: true, aborted: [] }

/** Marks of `take` remembered, at least half of them: longer than the store keeps an op from the disk (pack-store.ts: 4,096 entries). */
const YOUNG = 32_768

const MARK_KEY = 65
/** Arrays of more than 64 bytes get memory of their own, outside of the heap: 0.75 µs for a key, where a piece of a larger array takes 0.1. */
const SLAB = 64 * MARK_KEY

export class AudienceIndex {
  readonly #kv: Pick<Kv, 'get'>
  /** exports of this process, by domain */
  readonly #open = new Map<Reference, OpenExport>()
  readonly #held = new Map<Reference, number>()
  readonly #unsettled = new Map<Reference, Unsettled>()
  /** What `take` marked lately: it may not be on disk yet, and whoever else brings it in mustn't charge it again. In two halves. */
  #young: Lately = new Map()
  #older: Lately = new Map()
  #youngMarks = 0
  /** For looking up: the domain's part stays from one key to the next, since an import makes thousands for one domain. */
  readonly #key = new Uint8Array(MARK_KEY)
  #keyDomain: Reference | undefined
  #slab = new Uint8Array(0)
  #slabUsed = 0

  constructor (kv: Pick<Kv, 'get'>) {
    this.#kv = kv
  }

  /** V1, V3: both lookups are always made, and nothing else is asked. Only what is durable counts. */
  heldFor (domain: Reference, ref: Reference): boolean {
    return this.heldBy(domain)(ref)
  }

  /**
   * `heldFor` for many blocks: the generations are read once, now. One that counts by then counts for ever, and one that comes to count later is
   * missed, which is safe.
   */
  heldBy (domain: Reference): (ref: Reference) => boolean {
    const generations = this.#generations(domain)
    return (ref) => {
      const value = this.#kv.get(this.#markKey(domain, ref))
      return value !== undefined && counts(generations, readU32(value, 0))
    }
  }

  /**
   * Starts an export of our own domain: a new generation, and the op to enqueue before the first mark. An export of this domain that was begun
   * earlier and not committed is given up by this: its marks never count. Throws DiadError `export-busy` while a commit of it is under way.
   */
  begin (domain: Reference): { generation: number, op: KvOp } {
    const before = this.#generations(domain)
    const mine = this.#open.get(domain)?.generations
    const durable = mine === undefined || (before.last >= mine.last && before.committed)
    if (!durable && this.#open.get(domain)?.closing === true) {
      throw new DiadError('export-busy', 'an export of this domain is being committed', 'Publish again when it is done.')
    }
    const aborted = [...before.aborted]
    if (!before.committed) aborted.push(before.last)
    if (mine !== undefined && mine.last > before.last) {
      // Begun by this process, not on disk yet; so were those that it had given up itself.
      for (const g of mine.aborted) if (g > (aborted.at(-1) ?? 0)) aborted.push(g)
      aborted.push(mine.last)
    }
    const generations = { last: Math.max(before.last, mine?.last ?? 0) + 1, committed: false, aborted }
    this.#open.set(domain, { generations, value: u32(generations.last), closing: false, owed: 0 })
    return { generation: generations.last, op: this.#generationsOp(domain, generations) }
  }

  /**
   * The op that marks `ref` as held for `domain`; undefined when there is nothing to write: a mark that counts is never replaced by one that doesn't
   * yet, or a crash would hide what was exported. Throws DiadError `export-over` for a generation that isn't the open one.
   */
  mark (domain: Reference, ref: Reference, generation: number): KvOp | undefined {
    const value = generation === FETCHED ? FETCHED_VALUE : generation === HELD_BACK ? HELD_BACK_VALUE : this.#openExport(domain, generation).value
    const key = this.#markKey(domain, ref)
    const before = this.#kv.get(key)
    if (before !== undefined) {
      const old = readU32(before, 0)
      if (old === generation || counts(this.#generations(domain), old)) return undefined
    }
    return { type: 'put', key: this.#keep(key), value: before !== undefined && wasHeldBack(before) ? alsoHeldBack(value, generation) : value }
  }

  /**
   * Marks a block that was brought in for `domain` and charges it: once, whoever else brings it in at the same time. Its bytes go to the store before
   * this, and what `settle` gives afterwards; a generation other than FETCHED is charged by `closingOps`.
   */
  take (domain: Reference, ref: Reference, generation: number, bytes: number): void {
    const standing = this.#standing(domain, ref)
    if (standing === 'counts' || (standing === 'owed' && generation !== FETCHED)) return
    const open = generation === FETCHED ? this.#open.get(domain) : this.#openExport(domain, generation)
    const unsettled = this.#unsettled.get(domain) ?? { marks: [], bytes: 0 }
    this.#unsettled.set(domain, unsettled)
    const value = generation === FETCHED ? FETCHED_VALUE : (open as OpenExport).value
    unsettled.marks.push({ type: 'put', key: this.#keep(this.#markKey(domain, ref)), value: standing === 'held-back' ? alsoHeldBack(value, generation) : value })
    this.#remember(domain, ref, generation === FETCHED || standing !== 'held-back' ? generation : HELD_BACK)
    if (standing === 'held-back') return
    // Whoever fetches what an import has brought pays for it: the import may still fail.
    if (standing === 'owed') (open as OpenExport).owed -= bytes
    if (generation === FETCHED) unsettled.bytes += bytes
    else (open as OpenExport).owed += bytes
  }

  /** Whether `take` would make `usedBytes` grow. */
  costs (domain: Reference, ref: Reference): boolean {
    return this.#standing(domain, ref) === 'none'
  }

  /** The marks of `take` that were not handed out yet, and what they cost: enqueue all in one step. Whoever relies on a mark does that first. */
  settle (domain: Reference): KvOp[] {
    const unsettled = this.#unsettled.get(domain)
    if (unsettled === undefined) return []
    this.#unsettled.delete(domain)
    return unsettled.bytes === 0 ? unsettled.marks : [...unsettled.marks, this.charge(domain, unsettled.bytes)]
  }

  /** Bytes charged to the domain, and those that will be if what is under way ends well. */
  usedBytes (domain: Reference): number {
    return this.heldBytes(domain) + (this.#unsettled.get(domain)?.bytes ?? 0) + (this.#open.get(domain)?.owed ?? 0)
  }

  #standing (domain: Reference, ref: Reference): Standing {
    let generation = this.#young.get(domain)?.get(ref) ?? this.#older.get(domain)?.get(ref)
    if (generation === undefined) {
      const value = this.#kv.get(this.#markKey(domain, ref))
      if (value === undefined) return 'none'
      generation = readU32(value, 0)
      if (wasHeldBack(value) && !counts(this.#generations(domain), generation)) return 'held-back'
    }
    if (generation === FETCHED) return 'counts'
    if (generation === HELD_BACK) return 'held-back'
    const open = this.#open.get(domain)
    if (open?.generations.last === generation) return open.closing ? 'counts' : open.owed > 0 ? 'owed' : 'none'
    return counts(this.#generations(domain), generation) ? 'counts' : 'none'
  }

  #remember (domain: Reference, ref: Reference, generation: number): void {
    if (this.#youngMarks >= YOUNG / 2) {
      this.#older = this.#young
      this.#young = new Map()
      this.#youngMarks = 0
    }
    const marks = this.#young.get(domain)
    if (marks === undefined) this.#young.set(domain, new Map([[ref, generation]]))
    else marks.set(ref, generation)
    this.#youngMarks++
  }

  #forget (domain: Reference, ref: Reference): void {
    this.#young.get(domain)?.delete(ref)
    this.#older.get(domain)?.delete(ref)
  }

  /** `commitOp` and what the generation costs, behind all that others have brought in meanwhile: the generation may rely on it. */
  closingOps (domain: Reference, generation: number): KvOp[] {
    const commit = this.commitOp(domain, generation)
    const open = this.#openExport(domain, generation)
    const { owed } = open
    open.owed = 0
    return [...this.settle(domain), commit, ...owed === 0 ? [] : [this.charge(domain, owed)]]
  }

  /** What was begun for an import comes to nothing, and costs nothing. Does nothing for a generation that is closed or isn't the open one. */
  giveUp (domain: Reference, generation: number): void {
    const open = this.#open.get(domain)
    if (open?.generations.last === generation) open.owed = 0
  }

  /**
   * The op that makes every mark of this generation count: for the batch that makes the export's head durable, and for that one only. When that batch
   * is not written after all, say so with `abandon`.
   */
  commitOp (domain: Reference, generation: number): KvOp {
    const open = this.#openExport(domain, generation)
    open.closing = true
    return this.#generationsOp(domain, { ...open.generations, committed: true })
  }

  /** The batch with `commitOp` was given up before it was handed to the store. */
  abandon (domain: Reference, generation: number): void {
    this.#openExport(domain, generation).closing = false
  }

  /**
   * Whether it belongs to the domain, shown or not. What has no mark came for others, or was put locally: V1 and V2 keep it apart. The mark of an export
   * that was given up, or isn't durable yet, is none: whoever learned the hash could have it shown by naming it.
   */
  noted (domain: Reference, ref: Reference): boolean {
    const value = this.#kv.get(this.#markKey(domain, ref))
    return value !== undefined && this.belongs(domain)(value)
  }

  /** Whether a mark, by its value, says that its block belongs to the domain, shown or not. */
  belongs (domain: Reference): (value: Uint8Array) => boolean {
    const generations = this.#generations(domain)
    return (value) => wasHeldBack(value) || counts(generations, readU32(value, 0))
  }

  /** The op after which it isn't shown, though it still belongs to the domain: erased, and not for good yet (R7, K4). */
  holdBack (domain: Reference, ref: Reference): KvOp {
    this.#forget(domain, ref)
    return { type: 'put', key: this.#keep(this.#markKey(domain, ref)), value: HELD_BACK_VALUE }
  }

  /** The op that ends it: erased (R7) or no longer kept (V5). */
  unmark (domain: Reference, ref: Reference): KvOp {
    this.#forget(domain, ref)
    return { type: 'del', key: this.#keep(this.#markKey(domain, ref)) }
  }

  /** Bytes charged to the domain (V2: the full size of each block, whether or not it was held for someone else). */
  heldBytes (domain: Reference): number {
    const known = this.#held.get(domain)
    if (known !== undefined) return known
    const value = this.#kv.get(referenceKey(KEYSPACE.heldBytes, domain))
    return value === undefined ? 0 : readU64(value, 0)
  }

  /** Charges `bytes` (negative: gives back) and returns the op to enqueue with the marks; once for many marks is enough. */
  charge (domain: Reference, bytes: number): KvOp {
    const total = Math.max(0, this.heldBytes(domain) + bytes)
    this.#held.set(domain, total)
    const value = new Uint8Array(8)
    writeU64(value, 0, total)
    return { type: 'put', key: referenceKey(KEYSPACE.heldBytes, domain), value }
  }

  #openExport (domain: Reference, generation: number): OpenExport {
    const open = this.#open.get(domain)
    if (open?.generations.last !== generation) {
      throw new DiadError('export-over', `export ${generation} of this domain is not the one that is open`, 'A newer export of the domain has begun. Publish again.')
    }
    return open
  }

  /** Good until the next call. */
  #markKey (domain: Reference, ref: Reference): Uint8Array {
    if (domain !== this.#keyDomain) {
      this.#key.set(referenceKey(KEYSPACE.audience, domain))
      this.#keyDomain = domain
    }
    writeHex(this.#key, 33, digestOf(ref))
    return this.#key
  }

  #keep (key: Uint8Array): Uint8Array {
    if (this.#slabUsed === this.#slab.length) {
      this.#slab = new Uint8Array(SLAB)
      this.#slabUsed = 0
    }
    const kept = this.#slab.subarray(this.#slabUsed, this.#slabUsed += MARK_KEY)
    kept.set(key)
    return kept
  }

  /** As they are on disk. */
  #generations (domain: Reference): Generations {
    const value = this.#kv.get(referenceKey(KEYSPACE.generation, domain))
    if (value === undefined) return NO_GENERATIONS
    const aborted: number[] = []
    for (let at = 5; at + 4 <= value.length; at += 4) aborted.push(readU32(value, at))
    return { last: readU32(value, 0), committed: value[4] === 1, aborted }
  }

  #generationsOp (domain: Reference, g: Generations): KvOp {
    const value = new Uint8Array(5 + 4 * g.aborted.length)
    writeU32(value, 0, g.last)
    value[4] = g.committed ? 1 : 0
    g.aborted.forEach((n, i) => writeU32(value, 5 + 4 * i, n))
    return { type: 'put', key: referenceKey(KEYSPACE.generation, domain), value }
  }
}

/** A fifth byte says that the block was held back before this mark, and is again if its generation comes to nothing: an import that fails mustn't lose it. */
const wasHeldBack = (value: Uint8Array): boolean => value.length === 5 || readU32(value, 0) === HELD_BACK

function alsoHeldBack (value: Uint8Array, generation: number): Uint8Array {
  if (generation === FETCHED || generation === HELD_BACK) return value
  const out = new Uint8Array(5)
  out.set(value)
  return out
}

function counts (g: Generations, generation: number): boolean {
  if (generation === FETCHED) return true
  if (generation > g.last || g.aborted.includes(generation)) return false
  return generation !== g.last || g.committed
}

function u32 (value: number): Uint8Array {
  const out = new Uint8Array(4)
  writeU32(out, 0, value)
  return out
}

const FETCHED_VALUE = u32(FETCHED)
const HELD_BACK_VALUE = u32(HELD_BACK)
