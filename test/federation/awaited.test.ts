/** What a bundle has named and not brought, against a plain map. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Awaited } from '../../src/federation/awaited.js'
import { openedKey, type Want } from '../../src/federation/want.js'
import type { Expected } from '../../src/publication/walk.js'
import type { Reference } from '../../src/substrate/reference.js'
import { refFrom } from '../helpers/authority-fixtures.js'
import { Dice } from '../helpers/worlds.js'

const SECRET = '0123456789abcdef'
const refOf = (i: number): Reference => `0001${(i * 0x9e3779b1 >>> 0).toString(16).padStart(8, '0').repeat(8)}` as Reference

const sorted = (wants: readonly Want[]): Want[] => [...wants].sort((a, b) => openedKey(a) < openedKey(b) ? -1 : 1)

function randomExpected (dice: Dice): Expected | undefined {
  const size = dice.pick([0, 1, 262_144, 2 ** 40, Number.MAX_SAFE_INTEGER])
  switch (dice.next(7)) {
    case 0: return undefined
    case 1: return { type: 'tree' }
    case 2: return { type: 'file', level: dice.next(4), size }
    case 3: return { type: 'content', size }
    case 4: return { type: 'subtree', level: dice.next(3), first: dice.pick(['a', 'ä', 'bb']), before: dice.pick([undefined, 'c', 'dd']) }
    default: return { type: 'chunk', size }
  }
}

it('tells of each block all that was said of it, and nothing else', () => {
  fc.assert(fc.property(fc.array(fc.nat(), { minLength: 50, maxLength: 200 }), fc.boolean(), (numbers, many) => {
    const dice = new Dice(numbers)
    const awaited = new Awaited(() => SECRET)
    const plain = new Map<Reference, { wants: Map<string, Want>, exported: boolean }>()
    const refs = Array.from({ length: many ? 10_000 : 30 }, (_, i) => refOf(i))
    for (let step = 0; step < (many ? 12_000 : 500); step++) {
      const ref = many && step < refs.length ? refs[step] as Reference : dice.pick(refs)
      if (dice.next(4) > 0) {
        const want = { ref, expected: randomExpected(dice), depth: dice.next(1025) }
        const exported = dice.next(2) === 0
        awaited.add(want, exported)
        const known = plain.get(ref) ?? { wants: new Map<string, Want>(), exported: false }
        if (!known.wants.has(openedKey(want))) known.wants.set(openedKey(want), want)
        plain.set(ref, { wants: known.wants, exported: known.exported || exported })
      } else {
        const known = plain.get(ref)
        expect(awaited.has(ref)).toBe(known !== undefined)
        const came = awaited.take(ref)
        expect(came === undefined ? undefined : { ...came, wants: sorted(came.wants) }).toEqual(known === undefined ? undefined : { wants: sorted([...known.wants.values()]), exported: known.exported, unsaid: 0 })
        plain.delete(ref)
      }
    }
    expect([awaited.size, awaited.lost]).toEqual([plain.size, 0])
    for (const ref of refs) expect(awaited.has(ref)).toBe(plain.has(ref))
  }), { numRuns: 20 })
}, 30_000)

describe('with more than it holds', () => {
  const chunk = (i: number): Want => ({ ref: refOf(i), expected: { type: 'chunk', size: 1 } })
  const root = (i: number): Want => ({ ref: refFrom(`root ${i}`), expected: undefined })

  it('keeps the roots, and forgets what was named long before the ones that come', () => {
    const awaited = new Awaited(() => SECRET, 5_000)
    for (let i = 0; i < 2_000; i++) awaited.add(root(i), true)
    let named = 0
    const name = (count: number): void => { for (; count > 0; count--) awaited.add(chunk(named++), true) }
    // One root names too much: what it names behind that is lost, and what those name that come with it.
    expect(awaited.take(root(0).ref)?.wants).toHaveLength(1)
    name(6_000)
    expect([awaited.size, awaited.lost]).toEqual([1_999 + 5_000, 1_000])
    for (let i = 1; i < 2_000; i++) {
      expect(awaited.take(root(i).ref)?.wants).toHaveLength(1)
      name(10)
      // Each names ten more that nobody has: what is over goes, and what is new is heard.
      if (i > 200) expect([awaited.has(refOf(named - 1)), awaited.has(refOf(0))]).toEqual([true, false])
    }
    expect(awaited.size).toBeLessThanOrEqual(5_000)
    expect(awaited.size + awaited.lost).toBe(named)
  })

  it('counts a block once, though half of what was said of it is forgotten', () => {
    const awaited = new Awaited(() => SECRET, 2)
    const said = (size: number): Want => ({ ref: refOf(1), expected: { type: 'chunk', size } })
    awaited.add(said(1), true)
    for (let i = 0; i < 200; i++) awaited.add(root(i), true)
    for (let i = 0; i < 200; i++) awaited.take(root(i).ref)
    awaited.add(said(2), true)
    awaited.add(chunk(2), true)
    expect([awaited.has(refOf(2)), awaited.take(refOf(1))?.wants, awaited.size, awaited.lost]).toEqual([true, [{ ...said(2), depth: 0 }], 1, 1])
  })

  it('hears a few hundred things about one block', () => {
    const awaited = new Awaited(() => SECRET)
    for (let size = 0; size < 1_000; size++) awaited.add({ ref: refOf(1), expected: { type: 'chunk', size } }, true)
    expect([awaited.size, awaited.lost, awaited.take(refOf(1))?.wants.length, awaited.size]).toEqual([1, 744, 256, 0])
  })
})

it('digests that somebody chose cost no more than others', () => {
  // As unkeyed hashing would have them: all but the last words are the same, or all but the first.
  for (const place of [0, 7]) {
    const awaited = new Awaited(() => SECRET)
    const begun = performance.now()
    for (let i = 0; i < 100_000; i++) awaited.add({ ref: `0001${'00000000'.repeat(place)}${i.toString(16).padStart(8, '0')}${'00000000'.repeat(7 - place)}` as Reference, expected: { type: 'tree' } }, true)
    expect(awaited.size).toBe(100_000)
    // In one bucket it would take minutes.
    expect(performance.now() - begun).toBeLessThan(10_000)
  }
})
