import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { GrownSet } from '../../src/substrate/grown-set.js'
import { slotsIn } from '../helpers/slots-in.js'

const EMPTY = GrownSet.empty<string>()

describe('a set that grows along a chain', () => {
  test('property: holds what was given, in order, and what came later changes no earlier one', () => {
    const key = fc.string({ minLength: 1, maxLength: 3, unit: fc.constantFrom('0', '1', '2', 'f') })
    fc.assert(fc.property(fc.array(fc.array(key, { maxLength: 6 }), { maxLength: 30 }), fc.array(key, { maxLength: 20 }), (steps, asked) => {
      const kept: Array<[GrownSet<string>, string[]]> = []
      let grown = EMPTY
      const model = new Set<string>()
      for (const step of steps) {
        const before = grown
        grown = grown.with(step)
        expect(grown === before).toBe(step.every((k) => model.has(k)))
        for (const k of step) model.add(k)
        kept.push([grown, [...model].sort()])
      }
      for (const [set, held] of kept) {
        expect([...set]).toEqual(held)
        expect(set.size).toBe(held.length)
        for (const k of asked) expect(set.has(k)).toBe(held.includes(k))
      }
    }))
  })

  const counted = (n: number): string[] => Array.from({ length: n }, (_, i) => i.toString().padStart(8, '0'))
  test.each([
    ['ascending', counted(4096)],
    ['descending', counted(4096).reverse()],
    ['from both ends', counted(4096).map((k, i) => i % 2 === 0 ? k : `~${k}`)],
    ['with one long beginning', counted(4096).map((k) => 'a'.repeat(56) + k)]
  ])('keys that come %s cost each step no more than the way down to them', (_, keys) => {
    const steps: Array<GrownSet<string>> = []
    for (const key of keys) steps.push((steps.at(-1) ?? EMPTY).with([key]))
    const most = 5 * (2.41 * Math.log2(keys.length) + 4)
    expect(slotsIn(steps)).toBeLessThan(keys.length * most)
    // Branches, too: whoever makes them chooses where, so the dearest place must cost no more.
    const full = steps.at(-1) as GrownSet<string>
    expect(slotsIn([full, ...counted(1000).map((k) => full.with([`0000${k}`]))]) - slotsIn(full)).toBeLessThan(1000 * most)
  })
})
