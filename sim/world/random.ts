/** All chance in a run comes from its seed: independent streams by label, so that a draw more in one place changes nothing in another. */
import { toHex, utf8 } from '../../src/substrate/bytes.js'
import { sha256Bytes } from '../../src/substrate/hasher.js'

const MILLION = 1_000_000

/** xoshiro128**: 32-bit integers only, so every machine draws the same. */
export class Random {
  #a: number
  #b: number
  #c: number
  #d: number

  private constructor (private readonly label: string) {
    const view = new DataView(sha256Bytes(utf8(label)).slice().buffer)
    this.#a = view.getUint32(0)
    this.#b = view.getUint32(4)
    this.#c = view.getUint32(8)
    this.#d = view.getUint32(12) | 1 // never all zero
  }

  static from (seed: number): Random {
    return new Random(`diad simulator ${seed}`)
  }

  /** A stream of its own, that depends on the seed and the labels alone. */
  fork (label: string): Random {
    return new Random(`${this.label} / ${label}`)
  }

  /** 0 … 2^32 - 1 */
  u32 (): number {
    const r = Math.imul(this.#b, 5)
    const out = Math.imul((r << 7) | (r >>> 25), 9) >>> 0
    const t = this.#b << 9
    this.#c ^= this.#a
    this.#d ^= this.#b
    this.#b ^= this.#c
    this.#a ^= this.#d
    this.#c ^= t
    this.#d = (this.#d << 11) | (this.#d >>> 21)
    return out
  }

  /** 0 … below - 1, for below up to 2^32. The bias of the remainder is of no weight here. */
  below (below: number): number {
    return below <= 1 ? 0 : this.u32() % below
  }

  /** true in `ppm` of a million cases */
  chance (ppm: number): boolean {
    return ppm > 0 && this.below(MILLION) < ppm
  }

  pick<T> (from: readonly T[]): T {
    if (from.length === 0) throw new RangeError('nothing to pick from')
    return from[this.below(from.length)] as T
  }

  /** A new list in random order. */
  shuffle<T> (from: readonly T[]): T[] {
    const out = [...from]
    for (let i = out.length - 1; i > 0; i--) {
      const j = this.below(i + 1)
      const held = out[i] as T
      out[i] = out[j] as T
      out[j] = held
    }
    return out
  }

  bytes (length: number): Uint8Array {
    const out = new Uint8Array(length)
    const view = new DataView(out.buffer)
    let at = 0
    for (; at + 4 <= length; at += 4) view.setUint32(at, this.u32())
    for (; at < length; at++) out[at] = this.u32()
    return out
  }

  /** `length` bytes as hex */
  hex (length: number): string {
    return toHex(this.bytes(length))
  }
}
