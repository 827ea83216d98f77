import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LeafLog } from '../../src/publication/leaf-log.js'
import {
  consistencyRoots, consistencySpans, emptyRoot, inclusionSpans, leafHash, rangeSpans, rootFromInclusion, rootFromRange, splitOf, verifyConsistency,
  verifyInclusion, verifyRange
} from '../../src/publication/merkle.js'
import type { Hash } from '../../src/substrate/reference.js'

// RFC 9162 §2.1 word for word, slow and with another SHA-256: what the code under test is compared with.

function H (...parts: (string | Uint8Array)[]): Hash {
  const h = createHash('sha256')
  for (const p of parts) h.update(typeof p === 'string' ? Buffer.from(p, 'hex') : p)
  return h.digest('hex') as Hash
}

function k (n: number): number {
  let p = 1
  while (p * 2 < n) p *= 2
  return p
}

function MTH (D: Uint8Array[]): Hash {
  if (D.length === 0) return H()
  if (D.length === 1) return H('00', D[0]!)
  return H('01', MTH(D.slice(0, k(D.length))), MTH(D.slice(k(D.length))))
}

function PATH (m: number, D: Uint8Array[]): Hash[] {
  if (D.length === 1) return []
  const s = k(D.length)
  if (m < s) return [...PATH(m, D.slice(0, s)), MTH(D.slice(s))]
  return [...PATH(m - s, D.slice(s)), MTH(D.slice(0, s))]
}

function SUBPROOF (m: number, D: Uint8Array[], b: boolean): Hash[] {
  if (m === D.length) return b ? [] : [MTH(D)]
  const s = k(D.length)
  if (m <= s) return [...SUBPROOF(m, D.slice(0, s), b), MTH(D.slice(s))]
  return [...SUBPROOF(m - s, D.slice(s), false), MTH(D.slice(0, s))]
}

/** RFC 9162 §2.1.4.2 steps 3 to 6, with the first node given. */
function foldConsistency (first: bigint, second: bigint, path: readonly Hash[]): [Hash, Hash] | undefined {
  let fn = first - 1n
  let sn = second - 1n
  while (fn & 1n) {
    fn >>= 1n
    sn >>= 1n
  }
  let fr = path[0]!
  let sr = fr
  for (const c of path.slice(1)) {
    if (sn === 0n) return undefined
    if ((fn & 1n) === 1n || fn === sn) {
      fr = H('01', c, fr)
      sr = H('01', c, sr)
      while ((fn & 1n) === 0n && fn !== 0n) {
        fn >>= 1n
        sn >>= 1n
      }
    } else {
      sr = H('01', sr, c)
    }
    fn >>= 1n
    sn >>= 1n
  }
  return sn === 0n ? [fr, sr] : undefined
}

/** RFC 9162 §2.1.3.2. */
function foldInclusion (leaf: Hash, index: bigint, size: bigint, path: readonly Hash[]): Hash | undefined {
  let fn = index
  let sn = size - 1n
  let r = leaf
  for (const p of path) {
    if (sn === 0n) return undefined
    if ((fn & 1n) === 1n || fn === sn) {
      r = H('01', p, r)
      while ((fn & 1n) === 0n && fn !== 0n) {
        fn >>= 1n
        sn >>= 1n
      }
    } else {
      r = H('01', r, p)
    }
    fn >>= 1n
    sn >>= 1n
  }
  return sn === 0n ? r : undefined
}

function makeLeaf (i: number, salt = 0): Uint8Array {
  return new Uint8Array(createHash('sha512').update(`${salt}/${i}`).digest().subarray(0, 42))
}

function packed (D: Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(D))
}

const MAX = 70
const D = Array.from({ length: MAX }, (_, i) => makeLeaf(i))
const roots = Array.from({ length: MAX + 1 }, (_, n) => MTH(D.slice(0, n)))
const log = new LeafLog()
log.append(packed(D))

/** Every path one small fault away: a flipped bit in each item, one item dropped, doubled or added, two swapped. */
function faults (path: Hash[]): Hash[][] {
  const out: Hash[][] = [[...path, H()], [H(), ...path]]
  for (let i = 0; i < path.length; i++) {
    const item = path[i]!
    out.push(path.with(i, ((parseInt(item[0]!, 16) ^ 1).toString(16) + item.slice(1)) as Hash))
    out.push(path.with(i, item.toUpperCase().replace(/^./, 'A') as Hash), path.with(i, item.slice(2) as Hash))
    out.push(path.toSpliced(i, 1), path.toSpliced(i, 0, item))
    if (i > 0) out.push(path.with(i, path[i - 1]!).with(i - 1, item))
  }
  return out
}

describe('known vectors', () => {
  const inputs = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f']
    .map(hex => new Uint8Array(Buffer.from(hex, 'hex')))
  const known = [
    '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
    'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
    'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
    'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
    '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
    'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
    '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328'
  ]

  it.each(known.map((root, i) => [i + 1, root] as const))('certificate transparency, %i leaves', (size, root) => {
    const data = inputs.slice(0, size)
    expect(MTH(data)).toBe(root)
    for (let index = 0; index < size; index++) {
      expect(rootFromInclusion({ leafHash: leafHash(inputs[index]!), index, size, path: PATH(index, data) })).toBe(root)
    }
    for (let first = 1; first <= size; first++) {
      const path = SUBPROOF(first, data, false)
      expect(consistencyRoots({ first, second: size, path })).toEqual({ firstRoot: known[first - 1], secondRoot: root })
    }
  })

  it('the empty tree', () => {
    expect(emptyRoot()).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
    expect(new LeafLog().root()).toBe(emptyRoot())
  })
})

describe('against the RFC, sizes 1 to 70', () => {
  it('roots and leaf hashes', () => {
    for (let n = 0; n <= MAX; n++) expect(log.root(n)).toBe(roots[n])
    for (const [i, leaf] of D.entries()) {
      expect(log.leafHash(i)).toBe(H('00', leaf))
      expect(leafHash(log.leaf(i))).toBe(log.leafHash(i))
    }
  })

  it('every inclusion path', () => {
    for (let size = 1; size <= MAX; size++) {
      for (let index = 0; index < size; index++) {
        const path = log.inclusion(index, size)
        if (size % 9 === 0 || size < 20) expect(path).toEqual(PATH(index, D.slice(0, size)))
        if (!verifyInclusion({ leafHash: log.leafHash(index), index, size, path, root: roots[size]! })) expect.unreachable(`${index} of ${size}`)
      }
    }
  })

  it('every consistency path, and the two departures from the RFC', () => {
    for (let second = 1; second <= MAX; second++) {
      for (let first = 1; first <= second; first++) {
        const path = log.consistency(first, second)
        const ok = verifyConsistency({ first, firstRoot: roots[first]!, second, secondRoot: roots[second]!, path })
        if (!ok) expect.unreachable(`${first} of ${second}`)
        if (second % 9 !== 0 && second >= 20) continue
        const rfc = SUBPROOF(first, D.slice(0, second), true)
        const given = first === second || Number.isInteger(Math.log2(first))
        expect(path).toEqual(given ? [roots[first], ...rfc] : rfc)
        if (first < second) expect(foldConsistency(BigInt(first), BigInt(second), path)).toEqual([roots[first], roots[second]])
      }
    }
  })

  it('every range', () => {
    for (const size of [1, 2, 3, 7, 8, 13, 31, 33, 47, 70]) {
      for (let first = 0; first < size; first++) {
        for (let count = 1; count <= size - first; count += 1 + (count >> 3)) {
          const range = { leaves: log.leaves(first, first + count), first, size, path: log.range(first, count, size) }
          if (rootFromRange(range) !== roots[size]) expect.unreachable(`${count} leaves from ${first} of ${size}`)
          if (verifyRange({ ...range, root: roots[size]! }) !== (first === 0)) expect.unreachable(`alignment ${first}`)
        }
      }
    }
  })

  it('a path of one leaf as range names the inclusion siblings by position', () => {
    const siblings = inclusionSpans(21, 70).sort((a, b) => a.start - b.start)
    expect(rangeSpans(21, 1, 70)).toEqual(siblings)
  })
})

describe('faults are refused', () => {
  it('inclusion', () => {
    for (const [index, size] of [[0, 1], [0, 2], [2, 3], [4, 7], [5, 8], [12, 13], [31, 33], [32, 33], [40, 70], [69, 70]] as const) {
      const proof = { leafHash: log.leafHash(index), index, size, path: log.inclusion(index, size), root: roots[size]! }
      expect(verifyInclusion(proof)).toBe(true)
      for (const path of faults(proof.path)) expect(verifyInclusion({ ...proof, path })).toBe(false)
      for (let other = 0; other < size; other++) if (other !== index) expect(verifyInclusion({ ...proof, index: other })).toBe(false)
      expect(verifyInclusion({ ...proof, root: roots[size - 1]! })).toBe(false)
      expect(verifyInclusion({ ...proof, leafHash: H() })).toBe(false)
      for (const bad of [-1, size, size + 1, 0.5, NaN, 2 ** 53]) expect(verifyInclusion({ ...proof, index: bad })).toBe(false)
      for (const bad of [0, -1, size + 0.5, NaN, Infinity, 2 ** 53]) expect(verifyInclusion({ ...proof, size: bad })).toBe(false)
    }
  })

  it('consistency', () => {
    for (const [first, second] of [[1, 1], [1, 2], [2, 3], [4, 7], [6, 6], [8, 8], [6, 8], [7, 13], [32, 33], [33, 64], [64, 70], [69, 70]] as const) {
      const proof = { first, firstRoot: roots[first]!, second, secondRoot: roots[second]!, path: log.consistency(first, second) }
      expect(verifyConsistency(proof)).toBe(true)
      for (const path of faults(proof.path)) expect(verifyConsistency({ ...proof, path })).toBe(false)
      for (let other = 1; other <= second; other++) {
        if (other !== first) expect(verifyConsistency({ ...proof, first: other, firstRoot: roots[other]! })).toBe(false)
      }
      expect(verifyConsistency({ ...proof, path: [] })).toBe(false)
      expect(verifyConsistency({ ...proof, firstRoot: H() })).toBe(false)
      expect(verifyConsistency({ ...proof, secondRoot: H() })).toBe(false)
      for (const bad of [0, -1, second + 1, 0.5, NaN, 2 ** 53]) expect(consistencyRoots({ ...proof, first: bad })).toBeUndefined()
      for (const bad of [0, first - 1, NaN, Infinity, 2 ** 53]) expect(consistencyRoots({ ...proof, second: bad })).toBeUndefined()
    }
  })

  it('range', () => {
    for (const [count, size] of [[1, 1], [1, 2], [3, 7], [8, 13], [33, 70], [70, 70]] as const) {
      const proof = { leaves: log.leaves(0, count), first: 0, size, path: log.range(0, count, size), root: roots[size]! }
      expect(verifyRange(proof)).toBe(true)
      for (const path of faults(proof.path)) expect(verifyRange({ ...proof, path })).toBe(false)
      const flipped = Uint8Array.from(proof.leaves)
      flipped[flipped.length - 1]! ^= 0x80
      const broken = [flipped, new Uint8Array(0), proof.leaves.subarray(1), proof.leaves.subarray(42), packed([proof.leaves, D[0]!])]
      for (const leaves of broken) expect(verifyRange({ ...proof, leaves })).toBe(false)
      for (const first of [-4096, 1, 4096, NaN, 2 ** 53]) expect(verifyRange({ ...proof, first })).toBe(false)
      for (const bad of [0, -1, count - 1, NaN, 2 ** 53]) expect(verifyRange({ ...proof, size: bad })).toBe(false)
    }
  })

  it('a fork shows as the larger root with another old root (E2), also where the old size is a power of two', () => {
    for (const [held, second] of [[1, 2], [4, 9], [8, 8], [13, 40], [64, 70]] as const) {
      const other = new LeafLog()
      other.append(packed(D.with(held - 1, makeLeaf(held - 1, 1))))
      const shown = consistencyRoots({ first: held, second, path: other.consistency(held, second) })
      expect(shown).toEqual({ firstRoot: other.root(held), secondRoot: other.root(second) })
      expect(shown?.firstRoot).not.toBe(log.root(held))
    }
  })
})

describe('sizes up to 2^53-1', () => {
  const TOP = Number.MAX_SAFE_INTEGER
  const sizes = fc.oneof(
    fc.integer({ min: 1, max: 300 }),
    fc.integer({ min: 1, max: TOP }),
    fc.tuple(fc.integer({ min: 1, max: 52 }), fc.integer({ min: -2, max: 2 })).map(([e, d]) => Math.max(1, 2 ** e + d)),
    fc.constantFrom(TOP, TOP - 1, 2 ** 32, 2 ** 32 + 1, 2 ** 31, 2 ** 31 + 1)
  )
  const pair = fc.tuple(sizes, sizes).map(([a, b]) => a < b ? [a, b] as const : [b, a] as const)
  const hashes = (n: number): Hash[] => Array.from({ length: n }, (_, i) => H(Uint8Array.of(i)))

  it('the split is the largest power of two below n', () => {
    fc.assert(fc.property(sizes.filter(n => n > 1), n => {
      const s = splitOf(n)
      expect(Number.isInteger(Math.log2(s)) && s < n && s >= n - s).toBe(true)
    }))
  })

  it('both folds agree with the bit-shifting ones of the RFC', () => {
    fc.assert(fc.property(pair, ([a, b]) => {
      const path = hashes(inclusionSpans(a - 1, b).length)
      const proof = { leafHash: H(), index: a - 1, size: b, path }
      expect(path.length).toBeLessThanOrEqual(53)
      expect(rootFromInclusion(proof)).toBe(foldInclusion(H(), BigInt(a - 1), BigInt(b), path))
      if (a === b) return
      const both = hashes(consistencySpans(a, b).length)
      const roots = consistencyRoots({ first: a, second: b, path: both })
      expect([roots?.firstRoot, roots?.secondRoot]).toEqual(foldConsistency(BigInt(a), BigInt(b), both))
    }))
  })

  it('range spans cover all but the range, in order, with at most 106 of them', () => {
    fc.assert(fc.property(pair, ([first, size]) => {
      if (first === size) return
      const count = Math.min(4096, size - first)
      const spans = rangeSpans(first, count, size)
      expect(spans.length).toBeLessThanOrEqual(106)
      let at = 0
      for (const span of spans) {
        if (at === first) at += count
        expect(span.start).toBe(at)
        at += span.count
      }
      expect(at === first ? at + count : at).toBe(size)
    }))
  })
})

describe('LeafLog', () => {
  const BIG = 8192 + 4096 + 37
  const bigLeaves = new Uint8Array(BIG * 42)
  for (let i = 0; i < BIG; i++) bigLeaves.set([i >> 8, i & 255], i * 42 + 40)
  const big = new LeafLog()
  big.append(bigLeaves)

  it('serves each aligned range of a log of several chunks', () => {
    const naive = MTH(Array.from({ length: BIG }, (_, i) => bigLeaves.subarray(i * 42, i * 42 + 42)))
    expect(big.root()).toBe(naive)
    for (const size of [BIG, 8192, 4097]) {
      for (let first = 0; first < size; first += 4096) {
        const count = Math.min(4096, size - first)
        const proof = { leaves: big.leaves(first, first + count), first, size, path: big.range(first, count, size), root: big.root(size) }
        expect(verifyRange(proof)).toBe(true)
      }
    }
    const long = { leaves: big.leaves(0, 4097), first: 0, size: BIG, path: big.range(0, 4097, BIG), root: naive }
    expect(rootFromRange(long)).toBe(naive)
    expect(verifyRange(long)).toBe(false)
  })

  it('gives leaves back, as a view inside one chunk and as a copy across two', () => {
    expect(Buffer.compare(big.leaves(4096, 8192), bigLeaves.subarray(4096 * 42, 8192 * 42))).toBe(0)
    expect(Buffer.compare(big.leaves(4000, 8300), bigLeaves.subarray(4000 * 42, 8300 * 42))).toBe(0)
    expect(big.leaves(4096, 8192).buffer).toBe(big.leaf(4096).buffer)
    expect(big.leaves(7, 7)).toEqual(new Uint8Array(0))
  })

  it('append in any pieces, truncate and clone never show in the result or in another log', () => {
    const step = fc.oneof(
      fc.record({ op: fc.constant('append' as const), n: fc.oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 5000 })) }),
      fc.record({ op: fc.constant('truncate' as const), n: fc.integer({ min: 0, max: 9000 }) }),
      fc.record({ op: fc.constant('clone' as const), n: fc.constant(0) })
    )
    fc.assert(fc.property(fc.array(step, { maxLength: 12 }), steps => {
      const logs = [new LeafLog()]
      const models: Uint8Array[] = [new Uint8Array(0)]
      const views: [Uint8Array, Uint8Array][] = []
      for (const [i, { op, n }] of steps.entries()) {
        const at = i * 7 % logs.length
        const one = logs[at]!
        const model = models[at]!
        if (op === 'append') {
          const more = new Uint8Array(n * 42).fill(i + 1)
          one.append(more)
          models[at] = packed([model, more])
        } else if (op === 'truncate') {
          const size = Math.min(n, one.size)
          if (one.size > 0) views.push([one.leaf(one.size - 1), Uint8Array.from(one.leaf(one.size - 1))])
          one.truncate(size)
          models[at] = model.subarray(0, size * 42)
        } else {
          logs.push(one.clone())
          models.push(model)
        }
      }
      for (const [at, one] of logs.entries()) {
        const fresh = new LeafLog()
        fresh.append(models[at]!)
        expect(one.size).toBe(fresh.size)
        expect(Buffer.compare(one.leaves(0, one.size), models[at]!)).toBe(0)
        expect(one.root()).toBe(fresh.root())
        const half = one.size >> 1
        if (half > 0) expect(one.consistency(half, one.size)).toEqual(fresh.consistency(half, one.size))
      }
      for (const [view, before] of views) expect(view).toEqual(before)
    }), { numRuns: 25 })
  })

  it('a leaf once shown never changes, though it be cut off and written over, here or in a clone', () => {
    const filled = (count: number, byte: number): Uint8Array => new Uint8Array(count * 42).fill(byte)
    const one = new LeafLog()
    one.append(filled(40, 1))
    one.append(filled(1, 1)) // the chunk has grown to 80 leaves: what follows fits in without a new one
    const view = one.leaf(39)
    const copy = one.clone()
    one.append(filled(3, 2))
    copy.append(filled(5, 3))
    expect([one.leaf(41)[0], copy.leaf(41)[0]]).toEqual([2, 3])
    one.truncate(20)
    one.append(filled(30, 4))
    expect([one.leaf(39)[0], copy.leaf(39)[0], copy.leaf(41)[0]]).toEqual([4, 1, 3])
    expect(view).toEqual(filled(1, 1))
  })

  it('copies what it is given', () => {
    const mine = makeLeaf(0)
    const one = new LeafLog()
    one.append(mine)
    mine.fill(0)
    expect(one.root()).toBe(roots[1])
  })

  it.each([
    ['leaves', () => { log.append(new Uint8Array(41)) }],
    ['index', () => log.leaf(MAX)],
    ['index', () => log.leafHash(-1)],
    ['index', () => new LeafLog().leaf(0)],
    ['to', () => log.leaves(0, MAX + 1)],
    ['from', () => log.leaves(3, 2)],
    ['size', () => log.root(MAX + 1)],
    ['size', () => log.root(1.5)],
    ['size', () => log.inclusion(0, 0)],
    ['index', () => log.inclusion(5, 5)],
    ['second', () => log.consistency(1, MAX + 1)],
    ['first', () => log.consistency(0, 5)],
    ['first', () => log.consistency(6, 5)],
    ['size', () => log.range(0, 1, MAX + 1)],
    ['first', () => log.range(5, 1, 5)],
    ['count', () => log.range(0, 0, 5)],
    ['count', () => log.range(3, 3, 5)],
    ['size', () => { log.truncate(MAX + 1) }],
    ['size', () => { log.truncate(NaN) }]
  ])('names the argument out of bounds: %s (%#)', (name, act) => {
    expect(act).toThrow(RangeError)
    expect(act).toThrow(new RegExp(`^${name} must be`))
    expect(log.size).toBe(MAX)
  })
})
