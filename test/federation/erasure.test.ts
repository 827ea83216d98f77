import { beforeAll, beforeEach, expect, test } from 'vitest'
import type { DomainKnowledge } from '../../src/authority/knowledge.js'
import { headGossip } from '../../src/federation/gossip.js'
import { branchOps, loadKnowledge, unpersistedOps } from '../../src/federation/ledger.js'
import { answer } from '../../src/federation/serve-sync.js'
import { installNativeCrypto } from '../../src/node/native-crypto.js'
import { KEYSPACE } from '../../src/substrate/ports.js'
import { makeDomain, type TestDomain, testKey } from '../helpers/authority-fixtures.js'
import { knowledgeOf, MemoryKv, TestLane } from '../helpers/lanes.js'
import { pullFrom, verdicts } from '../helpers/worlds.js'

beforeAll(() => { installNativeCrypto() })

const owner = testKey('owner')
const scoped = testKey('scoped')
let domain: TestDomain
let lane: TestLane

beforeEach(() => {
  domain = makeDomain({ seed: 'erasure', principals: [{ key: owner, roles: ['federate', 'produce', 'publish'] }, { key: scoped, roles: ['federate', 'publish'], prefixes: ['a'] }] })
  lane = new TestLane(domain, owner, 'main')
})

/** A lane with three names, the second one erased. */
function erasedOne (): DomainKnowledge {
  const k = knowledgeOf(domain)
  lane.publish('a')
  lane.publish('gone')
  lane.publish('c')
  lane.give(k, lane.erase(lane, 1))
  return k
}

const emptyAt = (k: DomainKnowledge, index: number): boolean => {
  const head = k.view().lanes.get(lane.ref)?.branch?.head.ref
  if (head === undefined) throw new Error('no head')
  const got = answer(k, { t: 'leaves', id: 1, domain: k.domain, lane: lane.ref, head, from: 0 })
  if (got.t !== 'leaves-answer' || got.bodies.length !== lane.leaves.length) throw new Error('no leaves')
  return got.bodies[index]?.length === 0
}

test('an erased leaf has no effect and its body is served in no way', () => {
  const k = erasedOne()
  expect([...k.view().current.keys()]).toEqual(['a', 'c'])
  expect([...k.view().erased]).toEqual([`${lane.ref}/1`])
  expect(lane.leaves.map((_, i) => emptyAt(k, i))).toEqual([false, true, false, false])
  const hashes = lane.leaves.map((l) => l.leaf.body_hash).sort()
  const got = answer(k, { t: 'bodies', id: 1, domain: k.domain, lane: lane.ref, hashes })
  expect(got.t === 'bodies-answer' ? got.bodies.map((b) => b.index).sort() : []).toEqual([0, 2, 3])
  const inner = k.lanes.get(lane.ref)
  expect(inner === undefined ? undefined : headGossip(k, inner, 0)?.bodies.map((b) => b.length === 0)).toEqual([false, true, false, false])
})

test('whoever never had the body comes to the same view, asks nobody for it, and lacks nothing', () => {
  const k = erasedOne()
  const fresh = knowledgeOf(domain)
  const asked: string[] = []
  pullFrom(fresh, (request) => {
    if (request.t === 'bodies') asked.push(...request.hashes)
    return answer(k, request)
  })
  expect(fresh.lanes.get(lane.ref)?.bodies.has(lane.leaves[1]?.leaf.body_hash as never)).toBe(false)
  expect(asked).toEqual([])
  expect(fresh.lacksBodies()).toBe(false)
  expect(verdicts(fresh)).toBe(verdicts(k))
  expect(fresh.view().lanes.get(lane.ref)?.judged[1]).toMatchObject({ status: 'informational', code: 'erased' })
})

test('what may be erased is told by the leaf: a vouch stays whether or not its body is held', () => {
  const other = new TestLane(domain, scoped, 'other')
  const head = other.publish('a/x')
  lane.vouch(other, head)
  lane.erase(lane, 0)
  const judged = [true, false].map((bodies) => {
    const k = knowledgeOf(domain)
    other.give(k, head)
    lane.give(k, lane.head(), bodies)
    const inner = k.lanes.get(lane.ref)
    const branch = inner?.branches[0]
    if (!bodies && branch !== undefined) inner?.addBody(branch, 1, lane.leaves[1]?.body as Uint8Array)
    k.touch()
    return k.view().erased.size
  })
  expect(judged).toEqual([0, 0])
})

test('a key with a narrower scope erases in its own lanes only', () => {
  const k = knowledgeOf(domain)
  lane.give(k, lane.publish('a/x'))
  const other = new TestLane(domain, scoped, 'other')
  other.publish('a/y')
  other.erase(lane, 0)
  other.give(k, other.erase(other, 0))
  expect([...k.view().erased]).toEqual([`${other.ref}/0`])
})

test('a greater logseq of an erased leaf counts nowhere, held or not', () => {
  const other = new TestLane(domain, scoped, 'other')
  for (let i = 0; i < 5; i++) other.publish('a/x')
  lane.erase(other, 4)
  const seen = [true, false].map((bodies) => {
    const k = knowledgeOf(domain)
    other.give(k, other.head(), bodies)
    lane.give(k, lane.head())
    const inner = k.lanes.get(other.ref)
    // Without `bodies`: all but the erased one.
    for (let i = 0; i < 4; i++) if (inner?.branches[0] !== undefined) inner.addBody(inner.branches[0], i, other.leaves[i]?.body as Uint8Array)
    k.touch()
    return k.view().logseq
  })
  expect(seen).toEqual([4, 4])
})

test('the bytes are dropped, from memory and disk, once an anchor covers the erasure and not before', async () => {
  const kv = new MemoryKv()
  const holder = erasedOne()
  const inner = holder.lanes.get(lane.ref)
  if (inner?.branches[0] === undefined) throw new Error('no branch')
  kv.write([...branchOps(holder, inner, inner.branches[0], 0), ...unpersistedOps(holder)])
  const hash = lane.leaves[1]?.leaf.body_hash as never
  expect(inner.bodies.has(hash)).toBe(true)
  expect(kv.count(KEYSPACE.body)).toBe(4)
  const { items } = domain.manifest({ cuts: [{ lane: lane.ref, snapshot: lane.head().ref, ends: false }] })
  for (const { artifact } of items) holder.admit(artifact)
  const before = verdicts(holder)
  kv.write(unpersistedOps(holder))
  expect(inner.bodies.has(hash)).toBe(false)
  expect(kv.count(KEYSPACE.body)).toBe(3)
  expect(verdicts(holder)).toBe(before)
  const again = await loadKnowledge(kv, domain.domain)
  expect(verdicts(again)).toBe(before)
  expect(again.lacksBodies()).toBe(false)
})
