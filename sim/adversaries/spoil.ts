/** Bytes that break their shape, made from bytes that don't (THREATS 3, 4, 6). */
import { concatBytes } from '../../src/substrate/bytes.js'
import type { Random } from '../world/random.js'
import { flipped } from './kit.js'

type Way = (random: Random, bytes: Uint8Array) => Uint8Array

const DEPTH = 10_000

/** CBOR heads that are made up whole: what they announce never comes, or isn't allowed. */
const MADE_UP: readonly Uint8Array[] = [
  Uint8Array.of(),
  Uint8Array.of(0x00),
  // arrays within arrays, and maps within maps
  new Uint8Array(DEPTH).fill(0x81),
  new Uint8Array(DEPTH).fill(0xa1),
  // byte string, text, array and map that say 2^30 in a few bytes; then 2^64 - 1
  ...[0x5a, 0x7a, 0x9a, 0xba].map((head) => Uint8Array.of(head, 0x40, 0, 0, 0, 1, 2, 3)),
  ...[0x5b, 0x7b, 0x9b, 0xbb].map((head) => Uint8Array.of(head, 255, 255, 255, 255, 255, 255, 255, 255)),
  // without an end
  Uint8Array.of(0x9f, 1, 2, 3),
  Uint8Array.of(0xbf, 0x61, 0x74, 1),
  // a long form of 0, a float, null, undefined, an unknown tag, a simple value
  Uint8Array.of(0x1b, 0, 0, 0, 0, 0, 0, 0, 0),
  Uint8Array.of(0xfb, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0),
  Uint8Array.of(0xf6),
  Uint8Array.of(0xf7),
  Uint8Array.of(0xda, 1, 2, 3, 4, 0xa0),
  Uint8Array.of(0xf8, 0xff)
]

const WAYS: readonly Way[] = [
  (random, bytes) => bytes.slice(0, random.below(bytes.length)),
  (random, bytes) => flipped(random, bytes),
  (random, bytes) => flipped(random, flipped(random, flipped(random, bytes))),
  (random, bytes) => concatBytes(bytes, random.bytes(1 + random.below(1000))),
  // twice the same, and itself within itself
  (_random, bytes) => concatBytes(bytes, bytes),
  (_random, bytes) => concatBytes(Uint8Array.of(0x81), bytes),
  // the map says one entry more or less than it has
  (random, bytes) => bytes.length === 0 ? bytes : concatBytes(Uint8Array.of((bytes[0] as number) + (random.chance(500_000) ? 1 : -1)), bytes.subarray(1)),
  // a piece is missing, doubled, or noise
  (random, bytes) => { const at = random.below(bytes.length); return concatBytes(bytes.slice(0, at), bytes.slice(Math.min(bytes.length, at + 1 + random.below(8)))) },
  (random, bytes) => { const at = random.below(bytes.length); return concatBytes(bytes.slice(0, at), bytes.slice(Math.max(0, at - 8))) },
  (random, bytes) => { const at = random.below(bytes.length); const out = bytes.slice(); out.set(random.bytes(Math.min(8, bytes.length - at)), at); return out },
  (random) => random.bytes(random.below(300)),
  (random) => random.pick(MADE_UP)
]

export function spoiled (random: Random, template: Uint8Array): Uint8Array {
  return random.pick(WAYS)(random, template)
}
