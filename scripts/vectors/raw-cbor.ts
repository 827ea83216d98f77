/** CBOR exactly as one wants it, good or bad: the codec refuses to write what the vectors need. */
import { concatBytes, utf8 } from '../../src/substrate/bytes.js'

/** The head of an item; `width` 1, 2, 4 or 8 bytes of argument forces a longer form than needed. */
export function head (major: number, n: number | bigint, width = 0): Uint8Array {
  const value = BigInt(n)
  const w = width > 0 ? width : value < 24n ? 0 : value < 0x100n ? 1 : value < 0x10000n ? 2 : value < 0x100000000n ? 4 : 8
  if (w === 0) return Uint8Array.of(major * 32 + Number(value))
  const out = new Uint8Array(1 + w)
  out[0] = major * 32 + 24 + Math.log2(w)
  for (let i = 0; i < w; i++) out[w - i] = Number((value >> BigInt(8 * i)) & 0xffn)
  return out
}

export const uint = (n: number | bigint, width = 0): Uint8Array => head(0, n, width)
export const bytes = (b: Uint8Array, width = 0): Uint8Array => concatBytes(head(2, b.length, width), b)
export const text = (t: string | Uint8Array, width = 0): Uint8Array => {
  const b = typeof t === 'string' ? utf8(t) : t
  return concatBytes(head(3, b.length, width), b)
}
export const array = (items: Uint8Array[], width = 0): Uint8Array => concatBytes(head(4, items.length, width), ...items)
/** Pairs in the order given. */
export const map = (pairs: Array<[Uint8Array, Uint8Array]>, width = 0): Uint8Array => concatBytes(head(5, pairs.length, width), ...pairs.flat())
export const raw = (...b: number[]): Uint8Array => Uint8Array.from(b)
export const join = concatBytes
