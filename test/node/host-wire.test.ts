import fc from 'fast-check'
import { expect, test } from 'vitest'
import { BlockClient } from '../../src/node/host/block-client.js'
import { decodeRequest, encodeCancel, encodeRequest, recordHead, responseHead } from '../../src/node/host/block-wire.js'
import { HOST_LIMITS, TokenBucket } from '../../src/node/host/budgets.js'
import { ByteQueue } from '../../src/node/host/byte-queue.js'
import { FrameIntake, frameHeader } from '../../src/node/host/frame-intake.js'
import { Outbox } from '../../src/node/host/outbox.js'
import { Standing } from '../../src/node/host/standing.js'
import { referenceOf } from '../../src/substrate/artifact.js'
import { concatBytes } from '../../src/substrate/bytes.js'

const DOMAIN = referenceOf(undefined, new Uint8Array([1]))
const sizes = fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 30 })

/** `bytes` cut at `cuts`, wherever those fall. */
function pieces (bytes: Uint8Array, cuts: number[]): Uint8Array[] {
  const at = [...new Set([0, ...cuts.map((c) => c % (bytes.length + 1)), bytes.length])].sort((a, b) => a - b)
  return at.slice(1).map((end, i) => bytes.slice(at[i], end))
}

function numbered (size: number, seed: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, i) => i * 31 + seed)
}

test('frames come out whole however the stream was cut', () => {
  fc.assert(fc.property(sizes, fc.array(fc.nat(), { maxLength: 40 }), (lengths, cuts) => {
    const frames = lengths.map(numbered)
    const got: Uint8Array[] = []
    const intake = new FrameIntake(1000, (bytes) => got.push(bytes))
    const queue = new ByteQueue()
    const all = concatBytes(...frames.flatMap((f) => [frameHeader(f.length), f]))
    let inside = false
    for (const piece of pieces(all, cuts)) {
      queue.push(piece)
      inside = intake.read(queue)
    }
    expect(got).toEqual(frames)
    expect([inside, queue.length, intake.frames]).toEqual([false, 0, frames.length])
  }))
})

test('blocks come out whole however the stream was cut, and the rest is missing', async () => {
  const picked = fc.uniqueArray(fc.integer({ min: 0, max: 19 }), { maxLength: 20 })
  await fc.assert(fc.asyncProperty(picked, sizes, fc.array(fc.nat(), { maxLength: 40 }), fc.integer({ min: 1, max: 5 }), async (indexes, lengths, cuts, perFrame) => {
    const refs = Array.from({ length: 20 }, (_, i) => referenceOf(i + 1, new Uint8Array(0)))
    const given = new Map(indexes.map((index, i) => [index, numbered(lengths[i] ?? 7, index)]))
    const client = new BlockClient('peer', HOST_LIMITS)
    const got = new Map<number, Uint8Array>()
    const fetched = client.fetch(DOMAIN, refs, (index, bytes) => { got.set(index, bytes.slice()) })
    const records = [...given].map(([index, bytes]) => concatBytes(recordHead(index, bytes.length), bytes))
    const frames: Uint8Array[] = []
    do {
      const body = concatBytes(...records.splice(0, perFrame))
      frames.push(responseHead(1, records.length === 0, body.length), body)
    } while (records.length > 0)
    const queue = new ByteQueue()
    let inside = true
    for (const piece of pieces(concatBytes(...frames), cuts)) {
      queue.push(piece)
      inside = client.read(queue)
    }
    expect(inside).toBe(false)
    expect(await fetched).toEqual({ missing: refs.filter((_, i) => !given.has(i)) })
    expect(got).toEqual(given)
  }), { numRuns: 50 })
})

test('a block request reads back; a cancel is an id', () => {
  const refs = [DOMAIN, referenceOf(7, new Uint8Array(3))]
  expect(decodeRequest(encodeRequest({ id: 4_000_000_000, domain: DOMAIN, refs }).subarray(4))).toEqual({ id: 4_000_000_000, domain: DOMAIN, refs })
  expect(decodeRequest(encodeCancel(9).subarray(4))).toBe(9)
  const whole = encodeRequest({ id: 1, domain: DOMAIN, refs }).subarray(4)
  for (let cut = 0; cut < whole.length; cut++) {
    if (cut !== 4) expect(() => decodeRequest(whole.subarray(0, cut))).toThrow()
  }
})

test('an outbox gives back every byte in order, whatever is added and taken between', () => {
  const step = fc.oneof(fc.integer({ min: 0, max: 20_000 }).map((add) => ({ add })), fc.integer({ min: 1, max: 50_000 }).map((take) => ({ take })))
  fc.assert(fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
    const box = new Outbox()
    const put: Uint8Array[] = []
    const got: Uint8Array[] = []
    for (const [i, s] of steps.entries()) {
      if ('add' in s) {
        const bytes = numbered(s.add, i)
        put.push(bytes.slice())
        box.add(bytes)
        // Small parts are copied: the caller may use its buffer again.
        if (bytes.length <= 4096) bytes.fill(0)
      } else {
        got.push(box.take(s.take)?.slice() ?? new Uint8Array(0))
      }
    }
    got.push(box.take(Infinity)?.slice() ?? new Uint8Array(0))
    expect(Buffer.compare(concatBytes(...got), concatBytes(...put))).toBe(0)
    expect(box.bytes).toBe(0)
  }))
})

test('a bucket gives its burst, then its rate', () => {
  const bucket = new TokenBucket(10, 20, 0)
  expect([bucket.take(20, 0), bucket.take(1, 0), bucket.take(5, 500), bucket.take(1, 500), bucket.take(21, 1e9), bucket.take(20, 1e9)]).toEqual([true, false, true, false, false, true])
})

test('points halve, a ban ends, budgets outlive a reconnect, and made-up peers can\'t fill the memory', () => {
  let now = 0
  const standing = new Standing({ ...HOST_LIMITS, rememberedPeers: 10, requestFramesPerSecond: 1, requestFramesBurst: 3 }, () => now)
  expect(standing.blame('p', 60)).toBe(false)
  now += HOST_LIMITS.pointsHalfLifeMs
  expect(standing.points('p')).toBeCloseTo(30)
  expect(standing.blame('p', 60)).toBe(false)
  expect(standing.blame('p', 60)).toBe(true)
  expect(standing.banned('p')).toBe(true)
  now += HOST_LIMITS.banMs + 1
  expect(standing.banned('p')).toBe(false)
  const spent = Array.from({ length: 5 }, () => standing.spend('p', 'request', 1, 10))
  expect(spent.map((s) => s === undefined)).toEqual([true, true, true, false, false])
  for (let i = 0; i < 20; i++) standing.blame(`sybil ${i}`, 1)
  expect(standing.points('p')).toBe(0)
  expect(standing.points('sybil 19')).toBe(1)
})
