import { beforeAll, beforeEach, expect, test } from 'vitest'
import { DomainKnowledge } from '../../src/authority/knowledge.js'
import { branchOps, loadKnowledge, unpersistedOps } from '../../src/federation/ledger.js'
import { installNativeCrypto } from '../../src/node/native-crypto.js'
import { toHex } from '../../src/substrate/bytes.js'
import { KEYSPACE } from '../../src/substrate/ports.js'
import { makeDomain, refFrom, type TestDomain, testKey } from '../helpers/authority-fixtures.js'
import { admitHead, knowledgeOf, MemoryKv, TestLane } from '../helpers/lanes.js'
import { honest, pullFrom, verdicts } from '../helpers/worlds.js'

beforeAll(() => { installNativeCrypto() })

const owner = testKey('owner')
const producer = testKey('producer')
let domain: TestDomain
let lane: TestLane

beforeEach(() => {
  domain = makeDomain({ seed: 'restart', principals: [{ key: owner, roles: ['federate', 'produce', 'publish'] }, { key: producer, roles: ['produce'] }] })
  lane = new TestLane(domain, owner, 'main')
})

const state = (k: DomainKnowledge): unknown => ({ verdicts: verdicts(k), inventory: k.inventory(), digest: k.inventoryDigest(), missing: k.missing() })

/** Pulls from all of `sources` into a fresh store and reads it back. */
async function reopened (sources: readonly DomainKnowledge[], kv = new MemoryKv()): Promise<{ k: DomainKnowledge, again: DomainKnowledge, kv: MemoryKv }> {
  const k = new DomainKnowledge(domain.domain)
  for (const source of [...sources, ...sources]) kv.write(pullFrom(k, honest(source)).ops)
  return { k, again: await loadKnowledge(kv, domain.domain), kv }
}

test('a fork with its proof, an anchored branch, a cut head and what a withheld vouch names come back as they were', async () => {
  const other = new TestLane(domain, producer, 'other')
  const early = other.publish('x/1')
  const late = other.publish('x/2')
  lane.publish('a')
  const twin = lane.fork(1)
  const lost = lane.publish('lost')
  twin.publish('kept')
  // A vouch for a head that is here, and one for a head that nobody has.
  twin.vouch(other, early)
  const nobody = new TestLane(domain, producer, 'nobody').publish('x/3')
  const head = twin.append({ kind: 'vouch', salt: twin.salt(), lane: refFrom('no lane'), snapshot: nobody.ref })
  domain.manifest({ closed: [producer], principals: [{ key: owner, roles: ['federate', 'produce', 'publish'] }], cuts: [{ lane: lane.ref, snapshot: head.ref, ends: false }, { lane: other.ref, snapshot: early.ref, ends: true }] })
  const sources = [knowledgeOf(domain), knowledgeOf(domain)] as const
  lane.give(sources[0], lost)
  other.give(sources[0], late)
  admitHead(sources[0], early)
  twin.give(sources[1], head)
  other.give(sources[1], early)
  const { k, again } = await reopened(sources)
  const v = k.view().lanes.get(lane.ref)
  expect(v?.knowledge.evidence?.index).toBe(1)
  expect(v?.branch?.head.ref).toBe(head.ref)
  expect(k.view().withheld).toEqual([nobody.ref])
  expect(k.view().lanes.get(other.ref)).toMatchObject({ limit: 1 })
  expect(state(again)).toEqual(state(k))
})

test('heads that were overtaken leave the store too, and nothing else does', async () => {
  const kv = new MemoryKv()
  const k = knowledgeOf(domain)
  const size: number[] = []
  for (let i = 0; i < 60; i++) {
    const from = lane.log.size
    lane.give(k, lane.publish(`n${i % 5}`))
    k.view()
    const inner = k.lanes.get(lane.ref)
    if (inner?.branches[0] === undefined) throw new Error('no branch')
    kv.write([...branchOps(k, inner, inner.branches[0], from), ...unpersistedOps(k)])
    size.push(kv.count(KEYSPACE.control))
  }
  expect(size.at(-1)).toBe(size[30])
  const again = await loadKnowledge(kv, domain.domain)
  expect(state(again)).toEqual(state(k))
  expect(again.lanes.get(lane.ref)?.heads.size).toBe(k.lanes.get(lane.ref)?.heads.size)
})

test('a body edited on disk counts as missing and is fetched again', async () => {
  const source = knowledgeOf(domain)
  lane.publish('a')
  lane.give(source, lane.publish('b'))
  const { kv } = await reopened([source])
  const body = [...kv.held.keys()].find((at) => at.startsWith(toHex(Uint8Array.of(KEYSPACE.body))))
  if (body === undefined) throw new Error('no body')
  const bytes = kv.held.get(body) as Uint8Array
  bytes[bytes.length - 1] = (bytes.at(-1) as number) ^ 1
  const again = await loadKnowledge(kv, domain.domain)
  expect(again.view().current.size).toBe(1)
  expect(again.lacksBodies()).toBe(true)
  kv.write(pullFrom(again, honest(source)).ops)
  expect(state(await loadKnowledge(kv, domain.domain))).toEqual(state(source))
})

test('a head dropped as superseded comes back with the cut that names it', () => {
  const source = knowledgeOf(domain)
  const named = lane.publish('a')
  lane.give(source, named)
  for (let i = 0; i < 40; i++) lane.give(source, lane.publish(`n${i}`))
  const k = knowledgeOf(domain)
  pullFrom(k, honest(source))
  expect(k.lanes.get(lane.ref)?.heads.has(named.ref)).toBe(false)
  const { items } = domain.manifest({ cuts: [{ lane: lane.ref, snapshot: named.ref, ends: true }] })
  for (const { artifact } of items) source.admit(artifact)
  for (const { artifact } of items) k.admit(artifact)
  expect(k.view().lanes.get(lane.ref)?.code).toBe('cut-unlinked')
  admitHead(source, named)
  pullFrom(k, honest(source))
  expect(k.view().lanes.get(lane.ref)).toMatchObject({ status: 'accepted', limit: 1 })
  expect(verdicts(k)).toBe(verdicts(source))
})
