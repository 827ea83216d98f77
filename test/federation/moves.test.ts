/** M8: a move travels with the authority of its domain: over sync, on disk, in bundles; and what a rotation took back leaves the disk. */
import { beforeAll, expect, test } from 'vitest'
import { DomainKnowledge } from '../../src/authority/knowledge.js'
import { MAX_MOVES } from '../../src/authority/moves.js'
import { exportBundle, importBundle } from '../../src/federation/bundle.js'
import { controlKey, loadKnowledge, unpersistedOps } from '../../src/federation/ledger.js'
import { installNativeCrypto } from '../../src/node/native-crypto.js'
import type { Reference } from '../../src/substrate/reference.js'
import { type Item, makeDomain, type TestDomain } from '../helpers/authority-fixtures.js'
import { engineOn, save } from '../helpers/engines.js'
import { knowledgeOf, MemoryKv } from '../helpers/lanes.js'
import { moveOf } from '../helpers/moves.js'
import { honest, pullFrom } from '../helpers/worlds.js'

beforeAll(() => { installNativeCrypto() })

const says = (k: DomainKnowledge): Reference[] => k.authority().moves.map((m) => m.move.to)
const two = (): TestDomain => makeDomain({ seed: 'moves travel', roots: 2, threshold: 2 })

/** A follower with a store. */
function follower (d: TestDomain): { k: DomainKnowledge, kv: MemoryKv, hears: (from: DomainKnowledge) => string } {
  const k = new DomainKnowledge(d.domain)
  const kv = new MemoryKv()
  return {
    k,
    kv,
    hears (from) {
      const { ops, outcome } = pullFrom(k, honest(from))
      kv.write(ops)
      return outcome
    }
  }
}

test('a follower hears of it in the next pull, passes it on, and finds it again in its store', async () => {
  const d = two()
  const owner = knowledgeOf(d)
  const bob = follower(d)
  bob.hears(owner)
  for (const { artifact } of moveOf(d).items) owner.admit(artifact)
  expect(bob.hears(owner)).toBe('updated')
  expect(says(bob.k)).toEqual(says(owner))
  expect(says(owner)).toHaveLength(1)
  expect(bob.k.inventoryDigest()).toBe(owner.inventoryDigest())
  expect(bob.hears(owner)).toBe('same')
  const carol = follower(d)
  carol.hears(bob.k)
  expect(says(carol.k)).toEqual(says(owner))
  expect(says(await loadKnowledge(bob.kv, d.domain))).toEqual(says(owner))
})

test('one without enough signatures goes nowhere', () => {
  const d = two()
  const owner = knowledgeOf(d)
  for (const { artifact } of moveOf(d, { signers: d.roots().keys.slice(1) }).items) owner.admit(artifact)
  const bob = follower(d)
  bob.hears(owner)
  expect([says(owner), bob.k.objects.moves.size]).toEqual([[], 0])
})

test('what a rotation takes back leaves the store, and so does what was overtaken', async () => {
  const d = two()
  const owner = knowledgeOf(d)
  const bob = follower(d)
  const stored = (items: readonly Item[]): boolean[] => items.map(({ ref }) => bob.kv.get(controlKey(d.domain, ref)) !== undefined)
  const made = Array.from({ length: 12 }, (_, i) => moveOf(d, { to: `to ${i}` })).sort((a, b) => a.ref < b.ref ? 1 : -1)
  // Whoever grinds smaller and smaller references fills nobody's disk.
  for (const { items } of made) {
    for (const { artifact } of items) owner.admit(artifact)
    bob.hears(owner)
  }
  const kept = made.slice(-MAX_MOVES)
  expect(bob.k.authority().moves.map((m) => m.ref)).toEqual(kept.map((m) => m.ref).reverse())
  expect(kept.flatMap((m) => stored(m.items))).toEqual(Array.from({ length: 3 * MAX_MOVES }, () => true))
  expect(made.slice(0, -MAX_MOVES).flatMap((m) => stored(m.items)).filter(Boolean)).toEqual([])
  for (const { artifact } of d.rotate().items) owner.admit(artifact)
  bob.hears(owner)
  bob.kv.write(unpersistedOps(bob.k))
  expect(says(bob.k)).toEqual([])
  expect(made.flatMap((m) => stored(m.items)).filter(Boolean)).toEqual([])
  const again = await loadKnowledge(bob.kv, d.domain)
  expect(again.inventory()).toEqual(owner.inventory())
})

test('who was told by a thief of retired roots says so no longer once it hears of the rotation', () => {
  const d = two()
  const before = knowledgeOf(d)
  for (const { artifact } of moveOf(d, { to: 'the thief\'s' }).items) before.admit(artifact)
  const [bob, carol] = [follower(d), follower(d)]
  bob.hears(before)
  expect(says(bob.k)).toHaveLength(1)
  d.rotate()
  const owner = new DomainKnowledge(d.domain)
  for (const { artifact } of d.items) owner.admit(artifact)
  expect(bob.hears(owner)).toBe('updated')
  carol.hears(owner)
  expect([says(bob.k), says(carol.k)]).toEqual([[], []])
  expect(bob.k.inventoryDigest()).toBe(carol.k.inventoryDigest())
  // Whoever still believes it doesn't bring it back.
  bob.hears(before)
  expect(bob.k.inventoryDigest()).toBe(owner.inventoryDigest())
})

test('a bundle carries it, behind the manifests', async () => {
  const d = two()
  moveOf(d)
  const engine = await engineOn('alice', d)
  await save(engine, await engine.knowledge(d.domain))
  const parts: Uint8Array[] = []
  for await (const part of exportBundle(engine, d.domain)) parts.push(part)
  const bob = await engineOn('bob')
  const source = async function * (): AsyncGenerator<Uint8Array> { yield * parts }
  expect(await importBundle(bob, source(), { follow: true })).toMatchObject({ status: 'accepted', refused: [] })
  expect(says(await bob.knowledge(d.domain))).toEqual(says(await engine.knowledge(d.domain)))
  expect(says(await bob.knowledge(d.domain))).toHaveLength(1)
})
