/** S-4: one Snapshot and one CutList in every wrong form. Each case is malformed, and has to be said so in milliseconds. */
import { fromHex, utf8 } from '../../src/substrate/bytes.js'
import { referenceBytes } from '../../src/substrate/reference.js'
import { array, bytes, head, join, map, raw, text, uint } from './raw-cbor.js'
import { headOf, laneRef, left, snapshotRef } from './samples.js'

export interface HostileCase { readonly name: string, readonly type: string, readonly payload: Uint8Array }

const snapshot = headOf(left)
const lane = bytes(referenceBytes(laneRef))
const root = bytes(fromHex(snapshot.log_root))
type Pair = [Uint8Array, Uint8Array]
/** Keys in canonical order: shorter first, then bytewise. */
const pairs = (change: Partial<Record<'lane' | 'logseq' | 'log_root' | 'log_size', Uint8Array>> = {}): Pair[] => [
  [text('lane'), change.lane ?? lane],
  [text('logseq'), change.logseq ?? uint(snapshot.logseq)],
  [text('log_root'), change.log_root ?? root],
  [text('log_size'), change.log_size ?? uint(snapshot.log_size)]
]
export const canonicalSnapshot = map(pairs())
const swap = (list: Pair[], i: number, j: number): Pair[] => {
  const out = [...list]
  out[i] = list[j] as Pair
  out[j] = list[i] as Pair
  return out
}
const [first, ...others] = pairs() as [Pair, ...Pair[]]

const cut = (ends: Uint8Array): Uint8Array => map([[text('ends'), ends], [text('lane'), lane], [text('snapshot'), bytes(referenceBytes(snapshotRef))]])
const TRUE = raw(0xf5)
const none = bytes(join(raw(0, 1), new Uint8Array(32)))
const cuts = (list: Uint8Array): Uint8Array => map([[text('cuts'), list], [text('next'), none]])
export const canonicalCuts = cuts(array([cut(TRUE)]))

const BREAK = raw(0xff)
const GIB = 2 ** 30
const deep = (n: number): Uint8Array => join(new Uint8Array(n).fill(0x81), raw(0))

const ofSnapshot: Array<[string, Uint8Array]> = [
  ['integer in one byte more than needed', map(pairs({ logseq: uint(snapshot.logseq, 1) }))],
  ['integer in two bytes more than needed', map(pairs({ logseq: uint(snapshot.logseq, 2) }))],
  ['integer in four bytes more than needed', map(pairs({ logseq: uint(snapshot.logseq, 4) }))],
  ['integer in eight bytes more than needed', map(pairs({ logseq: uint(snapshot.logseq, 8) }))],
  ['length of a byte string longer than needed', map(pairs({ lane: bytes(referenceBytes(laneRef), 2) }))],
  ['length of a key longer than needed', map([[text('lane', 1), lane], ...others])],
  ['count of a map longer than needed', map(pairs(), 1)],
  ['keys not sorted: first two swapped', map(swap(pairs(), 0, 1))],
  ['keys of one length not sorted', map(swap(pairs(), 2, 3))],
  ['keys sorted by bytes alone, not by length first', map(swap(swap(pairs(), 1, 2), 2, 3))],
  ['a key twice', map([first, first, ...others])],
  ['a key twice with two values, another missing', map([first, [text('lane'), none], ...others.slice(1)])],
  ['a key missing', map(others)],
  ['an unknown key', map([...pairs(), [text('observed'), uint(0)]])],
  ['the key __proto__', map([...pairs(), [text('__proto__'), map([])]])],
  ['the key __proto__ in place of another', map([first, ...others.slice(0, 2), [text('__proto__'), uint(3)]])],
  ['a key as byte string', map([[bytes(utf8('lane')), lane], ...others])],
  ['a key as integer', map([[uint(1), lane], ...others])],
  ['a key of bad UTF-8', map([[text(raw(0xff, 0xfe, 0xfd, 0xfc)), lane], ...others])],
  ['map of indefinite length', join(raw(0xbf), ...pairs().flat(), BREAK)],
  ['byte string of indefinite length', map(pairs({ lane: join(raw(0x5f), lane, BREAK) }))],
  ['key of indefinite length', map([[join(raw(0x7f), text('lane'), BREAK), lane], ...others])],
  ['a lone break', BREAK],
  ['reserved head 1c', map(pairs({ logseq: raw(0x1c) }))],
  ['half float 3.0', map(pairs({ logseq: raw(0xf9, 0x42, 0x00) }))],
  ['single float 3.0', map(pairs({ logseq: raw(0xfa, 0x40, 0x40, 0, 0) }))],
  ['double float 3.0', map(pairs({ logseq: raw(0xfb, 0x40, 0x08, 0, 0, 0, 0, 0, 0) }))],
  ['NaN', map(pairs({ logseq: raw(0xfb, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0) }))],
  ['infinity', map(pairs({ logseq: raw(0xf9, 0x7c, 0x00) }))],
  ['negative integer', map(pairs({ logseq: head(1, 0) }))],
  ['integer 2^53', map(pairs({ logseq: uint(2n ** 53n) }))],
  ['integer 2^64 - 1', map(pairs({ logseq: uint(2n ** 64n - 1n) }))],
  ['bignum', map(pairs({ logseq: join(raw(0xc2), bytes(raw(3))) }))],
  ['null', map(pairs({ logseq: raw(0xf6) }))],
  ['undefined', map(pairs({ logseq: raw(0xf7) }))],
  ['simple value 32', map(pairs({ logseq: raw(0xf8, 0x20) }))],
  ['true where an integer stands', map(pairs({ logseq: TRUE }))],
  ['tag 42 around a link', map(pairs({ lane: join(raw(0xd8, 0x2a), bytes(join(raw(0, 1, 0x55, 0x12, 0x20), referenceBytes(laneRef).subarray(2)))) }))],
  ['self-described CBOR', join(raw(0xd9, 0xd9, 0xf7), canonicalSnapshot)],
  ['text where bytes stand', map(pairs({ log_root: text('r'.repeat(32)) }))],
  ['reference of 33 bytes', map(pairs({ lane: bytes(referenceBytes(laneRef).subarray(0, 33)) }))],
  ['reference of 35 bytes', map(pairs({ lane: bytes(join(referenceBytes(laneRef), raw(0))) }))],
  ['reference with hash id 0x0002', map(pairs({ lane: bytes(join(raw(0, 2), referenceBytes(laneRef).subarray(2))) }))],
  ['the zero reference where none is allowed', map(pairs({ lane: none }))],
  ['hash of 31 bytes', map(pairs({ log_root: bytes(fromHex(snapshot.log_root).subarray(1)) }))],
  ['a byte behind the end', join(canonicalSnapshot, raw(0))],
  ['a second item behind the end', join(canonicalSnapshot, canonicalSnapshot)],
  ['the last byte missing', canonicalSnapshot.subarray(0, -1)],
  ['cut off inside a key', canonicalSnapshot.subarray(0, 4)],
  ['no bytes', new Uint8Array(0)],
  ['an array instead of a map', array(pairs().map(([, value]) => value))],
  ['an empty map', map([])],
  ['an integer', uint(0)],
  ['nested 9 deep', deep(9)],
  ['nested 10,000 deep', deep(10_000)],
  ['maps nested 10,000 deep', join(...Array.from({ length: 10_000 }, () => raw(0xa1, 0x60)), raw(0))],
  ['a byte string that says 2^30', map(pairs({ lane: join(head(2, GIB), new Uint8Array(64)) }))],
  ['a byte string that says 2^64 - 1', map(pairs({ lane: join(head(2, 2n ** 64n - 1n), new Uint8Array(64)) }))],
  ['a text that says 2^30', join(raw(0xa4), head(3, GIB), new Uint8Array(64))],
  ['an array that says 2^30', join(head(4, GIB), new Uint8Array(64))],
  ['an array that says 2^53', join(head(4, 2n ** 53n), new Uint8Array(64))],
  ['a map that says 2^30', join(head(5, GIB), new Uint8Array(64))]
]

const ofCuts: Array<[string, Uint8Array]> = [
  ['array of indefinite length', cuts(join(raw(0x9f), cut(TRUE), BREAK))],
  ['count of an array longer than needed', cuts(array([cut(TRUE)], 1))],
  ['0 for false', cuts(array([cut(uint(0))]))],
  ['true in two bytes', cuts(array([cut(raw(0xf8, 0x15))]))],
  ['the same element twice in a set', cuts(array([cut(TRUE), cut(TRUE)]))]
]

export const HOSTILE_CBOR: readonly HostileCase[] = [
  ...ofSnapshot.map(([name, payload]) => ({ name, type: 'Snapshot', payload })),
  ...ofCuts.map(([name, payload]) => ({ name, type: 'CutList', payload }))
]
