/** Received bytes waiting to be parsed. Chunks are kept as they came; `take` copies only what lies across two of them. */
import { MalformedError } from '../../substrate/errors.js'

export class ByteQueue {
  #chunks: Uint8Array[] = []
  /** index of the first chunk and offset in it: shift() on a long array would cost its length each time */
  #first = 0
  #at = 0
  #length = 0

  get length (): number {
    return this.#length
  }

  push (chunk: Uint8Array): void {
    if (chunk.length === 0) return
    this.#chunks.push(chunk)
    this.#length += chunk.length
  }

  /** The next `n` bytes: a view when they lie in one chunk, else a copy, in `into` when that is large enough. The caller has checked `length`. */
  take (n: number, into?: Uint8Array): Uint8Array {
    if (n > this.#length) throw new MalformedError(`${n} bytes taken from a queue of ${this.#length}`)
    if (n === 0) return new Uint8Array(0)
    const chunk = this.#head()
    if (chunk.length - this.#at >= n) {
      const view = chunk.subarray(this.#at, this.#at + n)
      this.#skip(n)
      return view
    }
    const out = into !== undefined && into.length >= n ? into.subarray(0, n) : new Uint8Array(n)
    let filled = 0
    while (filled < n) {
      const head = this.#head()
      const part = Math.min(n - filled, head.length - this.#at)
      out.set(part === head.length ? head : head.subarray(this.#at, this.#at + part), filled)
      filled += part
      this.#skip(part)
    }
    return out
  }

  u32 (): number {
    return this.u16() * 0x10000 + this.u16()
  }

  u16 (): number {
    return this.u8() * 0x100 + this.u8()
  }

  u8 (): number {
    const value = this.#head()[this.#at] as number
    this.#skip(1)
    return value
  }

  clear (): void {
    this.#chunks = []
    this.#first = this.#at = this.#length = 0
  }

  #head (): Uint8Array {
    return this.#chunks[this.#first] as Uint8Array
  }

  /** Moves on within the first chunk. */
  #skip (n: number): void {
    this.#at += n
    this.#length -= n
    if (this.#at < this.#head().length) return
    this.#at = 0
    this.#first++
    if (this.#first === this.#chunks.length || this.#first >= 1024) {
      this.#chunks = this.#chunks.slice(this.#first)
      this.#first = 0
    }
  }
}
