/** Byte helpers without any platform built-in: hex, big-endian integers, comparison. */
import { MalformedError } from './errors.js'

/** The codes of both digits of each byte, one after the other. */
const DIGITS = new Uint8Array(512)
for (let i = 0; i < 512; i++) DIGITS[i] = '0123456789abcdef'.charCodeAt(i % 2 === 0 ? i >> 5 : (i >> 1) & 15)
const scratch = new Uint8Array(2048)
const ascii = new TextDecoder()

/**
 * Lower-case hex of `bytes`. Made as codes and decoded at once: text put together digit by digit is a rope of as many pieces, each larger than the bytes
 * it stands for, and becomes one text only when it is compared. That was half of all memory of a node that follows some domains.
 */
export function toHex (bytes: Uint8Array): string {
  const { length } = bytes
  if (length > scratch.length / 2) return toHex(bytes.subarray(0, scratch.length / 2)) + toHex(bytes.subarray(scratch.length / 2))
  for (let i = 0; i < length; i++) {
    const digits = 2 * (bytes[i] as number)
    scratch[2 * i] = DIGITS[digits] as number
    scratch[2 * i + 1] = DIGITS[digits + 1] as number
  }
  return ascii.decode(scratch.subarray(0, 2 * length))
}

/** The value of each digit by its code; -1 for everything else. A table takes a third of the time of two comparisons a digit. */
const NIBBLES = new Int8Array(128).fill(-1)
for (let i = 0; i < 16; i++) NIBBLES['0123456789abcdef'.charCodeAt(i)] = i

/** Bytes of a lower-case hex string. Throws `MalformedError` on anything else. */
export function fromHex (hex: string): Uint8Array {
  const out = new Uint8Array(hex.length >>> 1)
  writeHex(out, 0, hex)
  return out
}

/** Writes the bytes of a lower-case hex string at `at`, where there must be room. Throws `MalformedError` on anything else. */
export function writeHex (out: Uint8Array, at: number, hex: string): void {
  if (hex.length % 2 !== 0) throw new MalformedError(`hex text has an odd length (${hex.length})`)
  let all = 0
  for (let i = 0; i < hex.length; i += 2) {
    const hi = hex.charCodeAt(i)
    const lo = hex.charCodeAt(i + 1)
    // A code past the table reads as undefined, which counts as 0 in bit operations: so the codes are looked at too.
    const value = (hi | lo) > 127 ? -1 : (NIBBLES[hi] as number) << 4 | (NIBBLES[lo] as number)
    all |= value
    out[at++] = value
  }
  if (all < 0) throw new MalformedError('hex text holds something other than 0-9a-f')
}

/** One array holding all parts in order. */
export function concatBytes (...parts: Uint8Array[]): Uint8Array {
  return joinBytes(parts)
}

/** As {@link concatBytes}, for more parts than a call may have arguments. */
export function joinBytes (parts: readonly Uint8Array[]): Uint8Array {
  let length = 0
  for (const p of parts) length += p.length
  const out = new Uint8Array(length)
  let at = 0
  for (const p of parts) {
    out.set(p, at)
    at += p.length
  }
  return out
}

/** Bytewise order: negative, zero or positive. A prefix comes before what it is a prefix of. */
export function compareBytes (a: Uint8Array, b: Uint8Array): number {
  const n = Math.min(a.length, b.length)
  for (let i = 0; i < n; i++) {
    const d = (a[i] as number) - (b[i] as number)
    if (d !== 0) return d
  }
  return a.length - b.length
}

export function equalBytes (a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && compareBytes(a, b) === 0
}

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Up to here bytes lie in the heap; what the encoder gives never does, and costs ten times as much for a name. */
const SHORT_TEXT = 64

export function utf8 (text: string): Uint8Array {
  if (text.length > SHORT_TEXT) return encoder.encode(text)
  const out = new Uint8Array(text.length)
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code > 0x7f) return encoder.encode(text)
    out[i] = code
  }
  return out
}

/** Bytes of `text` in UTF-8. */
export function utf8Length (text: string): number {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return utf8(text).length
  return text.length
}

/** Strict UTF-8 to text. Throws `MalformedError` on bad UTF-8. */
export function fromUtf8 (bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes)
  } catch (err) {
    throw new MalformedError('text is not valid UTF-8', { cause: err })
  }
}

/** Order of two texts by their UTF-8 bytes (JavaScript's own order is by UTF-16 units and differs above U+FFFF). */
export function compareUtf8 (a: string, b: string): number {
  const n = Math.min(a.length, b.length)
  for (let i = 0; i < n; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x !== y) {
      // Surrogates (D800..DFFF) stand for code points above every other unit, so they must sort after E000..FFFF.
      const xs = x >= 0xd800 && x <= 0xdfff
      const ys = y >= 0xd800 && y <= 0xdfff
      if (xs !== ys) return xs ? 1 : -1
      return x - y
    }
  }
  return a.length - b.length
}

/** Writes `value` (0 .. 2^53-1) as big-endian u64 at `at`. */
export function writeU64 (out: Uint8Array, at: number, value: number): void {
  writeU32(out, at, Math.floor(value / 0x100000000))
  writeU32(out, at + 4, value >>> 0)
}

export function writeU32 (out: Uint8Array, at: number, value: number): void {
  out[at] = value >>> 24
  out[at + 1] = (value >>> 16) & 0xff
  out[at + 2] = (value >>> 8) & 0xff
  out[at + 3] = value & 0xff
}

export function writeU16 (out: Uint8Array, at: number, value: number): void {
  out[at] = (value >>> 8) & 0xff
  out[at + 1] = value & 0xff
}

export function readU16 (b: Uint8Array, at: number): number {
  return (b[at] as number) * 0x100 + (b[at + 1] as number)
}

export function readU32 (b: Uint8Array, at: number): number {
  return readU16(b, at) * 0x10000 + readU16(b, at + 2)
}

/** Big-endian u64 as a number. Throws `MalformedError` above 2^53-1. */
export function readU64 (b: Uint8Array, at: number): number {
  const value = readU32(b, at) * 0x100000000 + readU32(b, at + 4)
  if (!Number.isSafeInteger(value)) throw new MalformedError('integer is above 2^53-1')
  return value
}
