/** M8: what a domain's roots say of where it goes on. Single verdicts are in protocols/vectors/verdicts/moves.json. */
import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { AuthorityObjects } from '../../src/authority/authority-store.js'
import { DomainKnowledge } from '../../src/authority/knowledge.js'
import { resolveAuthority } from '../../src/authority/manifest-chain.js'
import { MAX_MOVES } from '../../src/authority/moves.js'
import type { Reference } from '../../src/substrate/reference.js'
import { type Item, makeDomain, refFrom, summary, type TestDomain } from '../helpers/authority-fixtures.js'
import { moveOf } from '../helpers/moves.js'

interface Step { readonly what: number, readonly on: number, readonly to: number, readonly signers: number }
const step = fc.record({ what: fc.nat(9), on: fc.nat(1000), to: fc.nat(5), signers: fc.nat(3) })

/** Renewals, rotations and moves on any branch, by anybody's hand. */
function world (steps: readonly Step[]): TestDomain {
  const d = makeDomain({ seed: 'moves', roots: 2, threshold: 2 })
  const entries = [d.domain]
  for (const { what, on, to, signers } of steps) {
    const at = entries[on % entries.length] as Reference
    if (what < 2) entries.push(d.renew({ after: what === 0 ? at : entries.at(-1) as Reference }).ref)
    else if (what === 2) entries.push(d.rotate({ after: on % 3 === 0 ? at : entries.at(-1) as Reference }).ref)
    else moveOf(d, { under: at, to: `to ${to}`, ...(signers < 2 ? { signers: d.roots(at).keys.slice(0, signers) } : {}) })
  }
  return d
}

function shuffled<T> (items: readonly T[], seed: number): T[] {
  return items.map((item, i) => ({ item, at: Math.imul(i + 1, seed * 2 + 2654435761) >>> 0 })).sort((a, b) => a.at - b.at).map(({ item }) => item)
}

const shownTo = (objects: AuthorityObjects, domain: Reference): Reference[] => resolveAuthority(objects, domain).moves.map((m) => m.ref)
const held = (items: readonly Item[]): Set<Reference> => new Set(items.map((i) => i.ref))

/** What a node passes on. */
function served (objects: AuthorityObjects, d: TestDomain): Item[] {
  const refs = new Set(objects.relevant(d.domain))
  return d.items.filter((i) => refs.has(i.ref))
}

describe('the order of arrival', () => {
  it('never shows', () => {
    const seen = new Set<string>()
    fc.assert(fc.property(fc.array(step, { minLength: 1, maxLength: 14 }), fc.nat(), (steps, seed) => {
      const d = world(steps)
      const all = d.objects()
      const expected = [summary(resolveAuthority(all, d.domain), held(d.items)), shownTo(all, d.domain), all.relevant(d.domain)]
      const objects = new AuthorityObjects(d.domain)
      shuffled(d.items, seed).forEach(({ ref, artifact }, i) => {
        objects.add(ref, artifact)
        // Asking midway must leave nothing behind.
        if (i % 3 === 0) objects.relevant(d.domain)
      })
      expect([summary(resolveAuthority(objects, d.domain), held(d.items)), shownTo(objects, d.domain), objects.relevant(d.domain)]).toEqual(expected)
      for (const { verdict } of resolveAuthority(objects, d.domain).judgedMoves.values()) seen.add(verdict.code)
    }), { numRuns: 60, seed: 11 })
    // A property over worlds in which nothing happens says nothing.
    expect([...seen].sort()).toEqual(expect.arrayContaining(['accepted', 'root-forked', 'root-orphaned', 'roots-retired', 'signature-missing']))
  })

  it('nor does which part came from whom: two that tell each other what they serve show the same', () => {
    fc.assert(fc.property(fc.array(step, { minLength: 4, maxLength: 16 }), fc.array(fc.boolean(), { minLength: 20 }), (steps, sides) => {
      const d = world(steps)
      const moves = new Map([...d.objects().moves.keys()].map((ref, i) => [ref, sides[i % sides.length] === true]))
      const side = (mine: boolean): AuthorityObjects => d.objects(d.items.filter((i) => (moves.get(i.ref) ?? mine) === mine))
      const [a, b] = [side(true), side(false)]
      const [fromA, fromB] = [served(a, d), served(b, d)]
      for (const { ref, artifact } of fromB) a.add(ref, artifact)
      for (const { ref, artifact } of fromA) b.add(ref, artifact)
      expect(shownTo(a, d.domain)).toEqual(shownTo(d.objects(), d.domain))
      expect(shownTo(b, d.domain)).toEqual(shownTo(d.objects(), d.domain))
    }), { numRuns: 40 })
  })
})

it('a thief of retired roots moves nobody, whatever he signs and whenever it comes', () => {
  fc.assert(fc.property(fc.array(step, { maxLength: 10 }), fc.nat(), (steps, seed) => {
    const d = makeDomain({ seed: 'retired', roots: 2, threshold: 2 })
    const start = d.entry
    const entries = [start]
    for (const { what, on, to } of steps) {
      if (what < 4) entries.push(d.renew({ after: entries[on % entries.length] as Reference }).ref)
      else moveOf(d, { under: entries[on % entries.length] as Reference, to: `thief ${to}` })
    }
    const rotation = d.rotate({ after: start }).ref
    const owner = moveOf(d, { under: rotation, to: 'owner' }).ref
    const objects = d.objects(shuffled(d.items, seed))
    expect(shownTo(objects, d.domain)).toEqual([owner])
    for (const { ref, verdict } of resolveAuthority(objects, d.domain).judgedMoves.values()) if (ref !== owner) expect(verdict.status).toBe('void')
  }), { numRuns: 25 })
})

test('a rotation takes back every move before it, and a renewal none', () => {
  const d = makeDomain({ seed: 'taken back' })
  const { ref } = moveOf(d)
  expect(shownTo(d.objects(), d.domain)).toEqual([ref])
  d.renew()
  expect(shownTo(d.objects(), d.domain)).toEqual([ref])
  d.rotate()
  expect(shownTo(d.objects(), d.domain)).toEqual([])
  expect(d.authority().verdictOf(ref).code).toBe('roots-retired')
})

test('no view, no verdict and nothing that is asked for rests on one', () => {
  const d = makeDomain({ seed: 'nothing rests' })
  const before = [...d.items]
  moveOf(d)
  moveOf(d, { to: 'a third one' })
  moveOf(d, { fields: { root_entry: refFrom('unknown') } })
  const k = (items: readonly Item[]): DomainKnowledge => {
    const out = new DomainKnowledge(d.domain)
    for (const { artifact } of items) expect(out.admit(artifact).result).toBe('added')
    return out
  }
  const [without, having] = [k(before), k(d.items)]
  expect(having.view().digest).toBe(without.view().digest)
  expect(having.missing()).toEqual(without.missing())
  expect(having.authority().unsigned).toEqual([])
  expect(summary(having.authority(), held(before))).toEqual(summary(without.authority(), held(before)))
  expect(having.inventoryDigest()).not.toBe(without.inventoryDigest())
})

test('what is kept and served is bounded: one move for each domain it names, and few of those', () => {
  const d = makeDomain({ seed: 'bounded' })
  const again = [moveOf(d, { to: 'x' }).ref]
  d.renew()
  again.push(moveOf(d, { to: 'x' }).ref)
  const others = Array.from({ length: 9 }, (_, i) => moveOf(d, { to: `y${i}` }).ref)
  const kept = [again.sort()[0] as Reference, ...others].sort().slice(0, MAX_MOVES)
  const objects = d.objects()
  expect(shownTo(objects, d.domain)).toEqual(kept)
  const relevant = new Set(objects.relevant(d.domain))
  expect([...again, ...others].filter((r) => relevant.has(r)).sort()).toEqual(kept)
  // Each with its signature, and no other signature over a move.
  const without = d.objects(d.items.filter((i) => !objects.moves.has(i.ref)))
  expect(relevant.size).toBe(without.relevant(d.domain).length + 2 * MAX_MOVES)
})

test('a flood of moves that nobody signed pushes out nothing that counts', () => {
  const d = makeDomain({ seed: 'flood' })
  const mine = moveOf(d).ref
  const objects = d.objects()
  for (let i = 0; i < 5000; i++) {
    const [item] = moveOf(d, { to: `flood ${i}`, signers: [] }).items
    if (item !== undefined) objects.add(item.ref, item.artifact)
  }
  expect(objects.moves.size).toBeLessThan(3000)
  expect(shownTo(objects, d.domain)).toEqual([mine])
  expect(resolveAuthority(objects, d.domain)).toMatchObject({ state: 'ok', tip: d.tip })
})
