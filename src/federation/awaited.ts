/**
 * What a bundle's Trees and Files name and the file hasn't brought yet. A file may name any number of blocks that it doesn't bring, 36 bytes each; in plain
 * objects each took 900 bytes. Here one takes some 60, in arrays, and there is a number of them above which no file is taken at its word: parents come
 * before their children and roots one after another (B3), so what was named long ago won't come any more, and is the first to go. Source: THREATS 14, 31.
 */
import type { Expected } from '../publication/walk.js'
import { writeHex } from '../substrate/bytes.js'
import { digestOf, type Reference } from '../substrate/reference.js'
import { saysTheSame, type Want } from './want.js'

/** Blocks waited for: about 130 MB. Names that leaves give are not counted: their records are held in memory all the same. */
const MOST = 2 ** 21
/** Roots that our own export has under way at once (bundle-export.ts), and as many again: what was named before them is over. */
const ROOTS_AT_ONCE = 128
/** of subtrees, whose parents say names of up to 255 bytes: of further ones those aren't remembered */
const NAMES = 2 ** 17
/** Different things that parents may say of one block; honest ones say a few. */
const SAYINGS = 256
/** entries for which no secret is needed to find them fast */
const FEW = 4_096

const WORDS = 8
const TYPES = ['root', 'chunk', 'content', 'file', 'tree', 'subtree'] as const
/** bits of an entry's word: type 0-2, level 3-7, depth 8-23 */
const LEVEL_AT = 3
const DEPTH_AT = 8
const EXPORTED = 1 << 24
/** the first entry of its block */
const FIRST = 1 << 25
const FREE = 1 << 26

export interface Came {
  readonly wants: readonly Want[]
  readonly exported: boolean
  /** parents that said something of it which isn't remembered */
  readonly unsaid: number
}

export class Awaited {
  private keys = new Uint32Array(WORDS * FEW)
  private words = new Uint32Array(FEW)
  private sizes = new Float64Array(FEW)
  /** how many roots had come when it was named */
  private ages = new Uint32Array(FEW)
  /** of the next entry in its bucket, or the next free one, each plus 1 */
  private next = new Uint32Array(FEW)
  private buckets = new Uint32Array(FEW)
  private used = 0
  private live = 0
  /** of those, what Trees and Files name */
  private below = 0
  private free = 0
  private readonly names = new Map<number, { readonly first: string, readonly before: string | undefined }>()
  private roots = 0
  private cleared = 0
  private secret: readonly [number, number] = [0, 0]
  private readonly bytes = new Uint8Array(4 * WORDS)
  private readonly key = new Uint32Array(this.bytes.buffer)
  /** blocks that are waited for */
  size = 0
  /** blocks that were named and aren't waited for any more, or never were */
  lost = 0

  /** `random`: 8 bytes as hex that whoever wrote the file can't know */
  constructor (private readonly random: () => string, private readonly most = MOST) {}

  has (ref: Reference): boolean {
    return this.first(this.hashOf(ref)) !== 0
  }

  /** The same said twice counts once. What is exported for one parent is for all. */
  add (want: Want, exported: boolean): void {
    const { ref, expected, depth = 0 } = want
    let hash = this.hashOf(ref)
    let others = 0
    for (let at = this.first(hash); at !== 0; at = this.same(this.next[at - 1] as number)) {
      others++
      if (exported) this.words[at - 1] = (this.words[at - 1] as number) | EXPORTED
      if (saysTheSame(this.expectedAt(at - 1), expected)) return
    }
    if (expected !== undefined && (others >= SAYINGS || !this.makeRoom())) {
      this.lost++
      return
    }
    if (this.live === this.words.length) {
      this.grow()
      hash = this.hashOf(ref)
    }
    const entry = this.place()
    let word = TYPES.indexOf(expected?.type ?? 'root') | depth << DEPTH_AT | (exported ? EXPORTED : 0) | (others === 0 ? FIRST : 0)
    if (expected !== undefined && 'level' in expected) word |= expected.level << LEVEL_AT
    this.keys.set(this.key, entry * WORDS)
    this.words[entry] = word
    if (expected !== undefined) this.below++
    this.sizes[entry] = expected !== undefined && 'size' in expected ? expected.size : 0
    this.ages[entry] = this.roots
    if (expected?.type === 'subtree' && this.names.size < NAMES) this.names.set(entry, { first: expected.first, before: expected.before })
    this.link(entry, hash)
    if (others === 0) this.size++
  }

  /** The block has come: what was said of it, and no longer is. */
  take (ref: Reference): Came | undefined {
    const hash = this.hashOf(ref)
    const wants: Want[] = []
    let all = 0
    let unsaid = 0
    for (let at = this.first(hash); at !== 0; at = this.first(hash)) {
      const entry = at - 1
      const word = this.words[entry] as number
      const expected = this.expectedAt(entry)
      const isUnsaid = expected?.type === 'subtree' && !this.names.has(entry)
      if (isUnsaid) unsaid++
      if (expected === undefined) this.roots++
      wants.push({ ref, expected: isUnsaid ? { type: 'tree' } : expected, depth: word >>> DEPTH_AT & 0xffff })
      all |= word
      this.unlink(entry, hash)
    }
    if (wants.length === 0) return undefined
    if ((all & FIRST) !== 0) this.size--
    return { wants, exported: (all & EXPORTED) !== 0, unsaid }
  }

  private expectedAt (entry: number): Expected | undefined {
    const word = this.words[entry] as number
    const size = this.sizes[entry] as number
    const level = word >>> LEVEL_AT & 31
    const type = TYPES[word & 7] as typeof TYPES[number]
    switch (type) {
      case 'root': return undefined
      case 'tree': return { type }
      case 'chunk':
      case 'content': return { type, size }
      case 'file': return { type, level, size }
      case 'subtree': return { type, level, ...this.names.get(entry) ?? { first: '', before: undefined } }
    }
  }

  /** The first entry, plus 1, of the key that was hashed last. */
  private first (hash: number): number {
    return this.same(this.buckets[hash & this.buckets.length - 1] as number)
  }

  private same (from: number): number {
    const { key, keys } = this
    let at = from
    next: for (; at !== 0; at = this.next[at - 1] as number) {
      for (let i = 0, k = (at - 1) * WORDS; i < WORDS; i++) if (keys[k + i] !== key[i]) continue next
      return at
    }
    return 0
  }

  private place (): number {
    this.live++
    if (this.free === 0) return this.used++
    const entry = this.free - 1
    this.free = this.next[entry] as number
    return entry
  }

  private link (entry: number, hash: number): void {
    const bucket = hash & this.buckets.length - 1
    this.next[entry] = this.buckets[bucket] as number
    this.buckets[bucket] = entry + 1
  }

  private unlink (entry: number, hash: number): void {
    const bucket = hash & this.buckets.length - 1
    let at = this.buckets[bucket] as number
    if (at === entry + 1) this.buckets[bucket] = this.next[entry] as number
    else {
      while (this.next[at - 1] !== entry + 1) at = this.next[at - 1] as number
      this.next[at - 1] = this.next[entry] as number
    }
    this.release(entry)
  }

  private release (entry: number): void {
    this.names.delete(entry)
    if (((this.words[entry] as number) & 7) !== 0) this.below--
    this.words[entry] = FREE
    this.next[entry] = this.free
    this.free = entry + 1
    this.live--
  }

  /** False when there is too much that may still come. */
  private makeRoom (): boolean {
    if (this.below < this.most) return true
    const before = this.roots - ROOTS_AT_ONCE
    // Each time costs as much as all that is held.
    if (before <= 0 || this.roots < this.cleared + ROOTS_AT_ONCE / 2) return false
    this.cleared = this.roots
    for (let entry = 0; entry < this.used; entry++) {
      const word = this.words[entry] as number
      if ((word & FREE) !== 0 || (word & 7) === 0 || (this.ages[entry] as number) >= before) continue
      if ((word & FIRST) !== 0) {
        this.size--
        this.lost++
      }
      this.release(entry)
    }
    this.relink()
    return this.below < this.most
  }

  private grow (): void {
    // From here on whoever chooses the digests could have them all meet in one place.
    if (this.words.length === FEW) {
      const hex = this.random()
      this.secret = [Number.parseInt(hex.slice(0, 8), 16), Number.parseInt(hex.slice(8, 16), 16)]
    }
    const room = 2 * this.words.length
    const wider = <A extends Uint32Array | Float64Array>(out: A, from: A): A => {
      out.set(from)
      return out
    }
    this.keys = wider(new Uint32Array(WORDS * room), this.keys)
    this.words = wider(new Uint32Array(room), this.words)
    this.sizes = wider(new Float64Array(room), this.sizes)
    this.ages = wider(new Uint32Array(room), this.ages)
    this.next = wider(new Uint32Array(room), this.next)
    this.buckets = new Uint32Array(room)
    this.relink()
  }

  /** Puts every entry into its bucket anew. */
  private relink (): void {
    const key = this.key.slice()
    this.buckets.fill(0)
    for (let entry = 0; entry < this.used; entry++) {
      if (((this.words[entry] as number) & FREE) !== 0) continue
      this.key.set(this.keys.subarray(entry * WORDS, (entry + 1) * WORDS))
      this.link(entry, this.hash())
    }
    this.key.set(key)
  }

  private hashOf (ref: Reference): number {
    writeHex(this.bytes, 0, digestOf(ref))
    return this.hash()
  }

  /** HalfSipHash-1-3 of the key under the secret: Aumasson and Bernstein's SipHash on words of 32 bits. */
  private hash (): number {
    const [k0, k1] = this.secret
    let a = k0
    let b = k1
    let c = 0x6c796765 ^ k0
    let d = 0x74656462 ^ k1
    for (let i = 0; i < WORDS + 4; i++) {
      const word = i < WORDS ? this.key[i] as number : i === WORDS ? 4 * WORDS << 24 : 0
      d ^= word
      if (i === WORDS + 1) c ^= 0xff
      a = a + b | 0
      b = (b << 5 | b >>> 27) ^ a
      a = a << 16 | a >>> 16
      c = c + d | 0
      d = (d << 8 | d >>> 24) ^ c
      a = a + d | 0
      d = (d << 7 | d >>> 25) ^ a
      c = c + b | 0
      b = (b << 13 | b >>> 19) ^ c
      c = c << 16 | c >>> 16
      a ^= word
    }
    return (b ^ d) >>> 0
  }
}
