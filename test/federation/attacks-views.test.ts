/** What a third hostile reading proved: views that hung on what a node happened to hold, and lanes that grew where nothing of them counts. */
import { beforeAll, expect, test } from 'vitest'
import { DomainKnowledge } from '../../src/authority/knowledge.js'
import { exportBundle, importBundle } from '../../src/federation/bundle.js'
import { judgeGossip } from '../../src/federation/gossip.js'
import type { Gossip } from '../../src/federation/messages.js'
import { installNativeCrypto } from '../../src/node/native-crypto.js'
import { encodeArtifact } from '../../src/substrate/artifact.js'
import type { Reference } from '../../src/substrate/reference.js'
import { makeDomain, type TestDomain, testKey } from '../helpers/authority-fixtures.js'
import { engineOn, save } from '../helpers/engines.js'
import { admitHead, knowledgeOf, type MadeHead, TestLane } from '../helpers/lanes.js'
import { bareHeads, joined, proofOfFork, rounds, sum } from '../helpers/rounds.js'

beforeAll(() => { installNativeCrypto() })

const owner = testKey('views owner')
const thief = testKey('views thief')
const writer = testKey('views writer')

const judged = (k: DomainKnowledge, message: Gossip): string => judgeGossip(k, message, { taken: () => undefined, refuse: () => undefined, pull: () => undefined, digest: () => undefined })

/** All leaves behind the first, with their bodies. */
function grown (domain: TestDomain, lane: TestLane, head: MadeHead): Gossip {
  return {
    t: 'head', domain: domain.domain, lane: encodeArtifact(lane.item.artifact), snapshot: encodeArtifact(head.snapshot.artifact), signature: encodeArtifact(head.signature.artifact),
    from: 1, leaves: lane.log.leaves(1, head.size), bodies: lane.leaves.slice(1).map((l) => l.body ?? new Uint8Array(0))
  }
}

test('R5: a head whose log nobody shows makes no lane count; a proof does, for whoever joins later too', () => {
  const domain = makeDomain({ seed: 'bare', principals: [{ key: owner }, { key: thief }] })
  const good = new TestLane(domain, owner, 'good')
  const other = new TestLane(domain, thief, 'other')
  const bad = new TestLane(domain, thief, 'bad', { previous: other.publish('o').ref })
  const k = knowledgeOf(domain)
  good.give(k, good.publish('name'))
  bad.publish('x')
  bad.publish('y')
  k.admit(bad.item.artifact)
  admitHead(k, bad.head())
  const late = new DomainKnowledge(domain.domain)
  joined(k, late)
  expect([k, late].map((n) => [n.view().digest === k.view().digest, n.view().withheld, n.view().current.get('name')?.code])).toEqual([[true, [], 'accepted'], [true, [], 'accepted']])
  const twin = bad.fork(1)
  twin.publish('z')
  expect(judged(k, { t: 'evidence', domain: domain.domain, artifact: encodeArtifact(proofOfFork(domain, bad, twin)) })).toBe('accept')
  joined(k, late)
  expect([k, late].map((n) => n.view().current.get('name')?.code)).toEqual(['contested', 'contested'])
})

test('A2, E4: beyond an anchor a vouch exports the same, whichever branch came first', () => {
  const domain = makeDomain({ seed: 'anchor', principals: [{ key: owner }, { key: writer, roles: ['publish'] }] })
  const manifest = domain.tip
  const lane = new TestLane(domain, writer, 'w', { manifest })
  for (let i = 0; i < 8; i++) lane.publish(`n${i}`)
  const anchor = lane.head()
  const [low, long] = [lane.fork(3), lane.fork(8)]
  for (const name of ['z', 'z2']) low.publish(name)
  for (let i = 0; i < 5; i++) long.publish(`x${i}`)
  lane.publish('y')
  const vouchedFor = lane.publish('y2')
  const own = new TestLane(domain, owner, 'own', { manifest })
  const vouch = own.vouch(lane, vouchedFor)
  domain.manifest({ cuts: [{ lane: lane.ref, snapshot: anchor.ref, ends: false }] })
  const proof = proofOfFork(domain, lane, low)
  const [one, other] = [[lane, long], [long, lane]].map((order) => {
    const k = knowledgeOf(domain)
    own.give(k, vouch)
    k.admit(lane.item.artifact)
    k.admit(proof)
    admitHead(k, anchor)
    for (const branch of order) branch.give(k, branch.head())
    return k
  }) as [DomainKnowledge, DomainKnowledge]
  joined(one, other)
  expect([one, other].map((k) => k.view().lanes.get(lane.ref)?.exported)).toEqual([8, 8])
  expect(other.view().digest).toBe(one.view().digest)
})

/**
 * A lane anchored at 8, with a fork proven at 3, and `count` branches that lie off the anchor at 6, each of them vouched for. `honest` = the one that goes
 * on behind the anchor is vouched for, too.
 */
function crowd (count: number, honest: boolean): { domain: TestDomain, lane: Reference, fill: (k: DomainKnowledge, which: 'many' | 'few') => DomainKnowledge } {
  const domain = makeDomain({ seed: `crowd ${count}`, principals: [{ key: owner }, { key: writer, roles: ['publish'] }] })
  const manifest = domain.tip
  const lane = new TestLane(domain, writer, 'w', { manifest })
  for (let i = 0; i < 8; i++) lane.publish(`n${i}`)
  const anchor = lane.head()
  const branch = (from: number, name: string): TestLane => {
    const twin = lane.fork(from)
    for (let i = from; i < 12; i++) twin.publish(`${name} ${i}`)
    return twin
  }
  const low = branch(3, 'low')
  const long = branch(8, 'long')
  const off = Array.from({ length: count }, (_, i) => branch(6, `off${i}`))
  lane.publish('y')
  const own = new TestLane(domain, owner, 'own', { manifest })
  for (const twin of off) own.vouch(lane, twin.head())
  if (honest) own.vouch(lane, lane.head())
  domain.manifest({ cuts: [{ lane: lane.ref, snapshot: anchor.ref, ends: false }] })
  const proof = proofOfFork(domain, lane, low)
  const fill = (k: DomainKnowledge, which: 'many' | 'few'): DomainKnowledge => {
    own.give(k, own.head())
    k.admit(lane.item.artifact)
    k.admit(proof)
    admitHead(k, anchor)
    for (const twin of off) admitHead(k, twin.head())
    for (const twin of which === 'many' ? [long, ...off] : [lane, ...off.slice(-1)]) twin.give(k, twin.head())
    return k
  }
  return { domain, lane: lane.ref, fill }
}

test.each([1, 40])('R5, A2: %i vouched branches off the anchor hide none that has it, and their logs aren\'t taken', (count) => {
  const { domain, lane, fill } = crowd(count, true)
  const [one, other, late] = [fill(knowledgeOf(domain), 'many'), fill(knowledgeOf(domain), 'few'), new DomainKnowledge(domain.domain)]
  joined(one, other)
  joined(late, one)
  expect([one, other, late].map((k) => k.view().lanes.get(lane)?.exported)).toEqual([8, 8, 8])
  expect(new Set([one, other, late].map((k) => k.view().digest)).size).toBe(1)
  expect(late.lanes.get(lane)?.branches.length).toBeLessThanOrEqual(2)
})

test('R5, A2: what a vouched branch shares with the anchored one counts up to the proven difference, whoever holds its log', async () => {
  const { domain, lane, fill } = crowd(2, false)
  const [from, to] = [await engineOn('share from', domain), await engineOn('share to')]
  const [one, other, late] = [fill(await from.knowledge(domain.domain), 'many'), fill(knowledgeOf(domain), 'few'), new DomainKnowledge(domain.domain)]
  await save(from, one)
  expect(await importBundle(to, exportBundle(from, domain.domain))).toMatchObject({ status: 'accepted', refused: [] })
  joined(one, other)
  joined(late, one)
  const nodes = [one, other, late, await to.knowledge(domain.domain)]
  expect(nodes.map((k) => k.view().lanes.get(lane)?.exported)).toEqual([3, 3, 3, 3])
  expect(new Set(nodes.map((k) => k.view().digest)).size).toBe(1)
})

test('THREATS 23: of a hundred vouched branches each is asked once whether it has what is anchored, and some at a time', () => {
  const { domain, lane, fill } = crowd(100, true)
  const [many, few, late] = [fill(knowledgeOf(domain), 'many'), fill(knowledgeOf(domain), 'few'), new DomainKnowledge(domain.domain)]
  // Nobody who knows the honest branch has the others' logs: then they can't be told to lie off the anchor, and still don't hide it.
  const asked = rounds(late, few)
  expect([few, late].map((k) => k.view().lanes.get(lane)?.exported)).toEqual([8, 8])
  expect(Math.max(...asked)).toBeLessThan(200)
  expect(sum(asked)).toBeLessThan(1000)
  expect(joined(late, few)).toBeLessThan(40)
  const other = new DomainKnowledge(domain.domain)
  expect(Math.max(...rounds(other, many))).toBeLessThan(400)
  joined(other, late)
  expect(other.view().lanes.get(lane)?.exported).toBe(8)
  for (const k of [late, other]) expect(k.lanes.get(lane)?.branches.length).toBeLessThanOrEqual(2)
})

test.each(['vouch', 'previous'])('K1: an unlisted lane of a closed key grows no more, though a %s names it', (how) => {
  const domain = makeDomain({ seed: `closed ${how}`, principals: [{ key: owner }, { key: thief }] })
  const manifest = domain.tip
  const stolen = new TestLane(domain, thief, 'stolen', { manifest })
  const before = stolen.publish('s')
  const own = new TestLane(domain, owner, 'own', { manifest })
  const listed = new TestLane(domain, thief, 'listed', { manifest, previous: before.ref })
  const last = listed.publish('l')
  const said = how === 'vouch' ? own.vouch(stolen, before) : own.publish('own')
  domain.manifest({ principals: [{ key: owner }], closed: [thief], cuts: how === 'previous' ? [{ lane: listed.ref, snapshot: last.ref, ends: true }] : [] })
  const k = knowledgeOf(domain)
  own.give(k, said)
  stolen.give(k, before)
  if (how === 'previous') listed.give(k, last)
  for (let i = 0; i < 100; i++) stolen.publish(`junk ${i}`)
  expect(judged(k, grown(domain, stolen, stolen.head()))).toBe('ignore')
  stolen.give(k, stolen.head())
  const late = new DomainKnowledge(domain.domain)
  joined(k, late)
  expect(late.lanes.get(stolen.ref)?.held ?? 0).toBeLessThanOrEqual(1)
})

test('A3: of a lane that can\'t export itself nobody takes or passes on what nobody vouched for', () => {
  const domain = makeDomain({ seed: 'unvouched', principals: [{ key: owner }, { key: writer, roles: ['publish'] }] })
  const lane = new TestLane(domain, writer, 'w')
  const first = lane.publish('a')
  const own = new TestLane(domain, owner, 'own')
  const k = knowledgeOf(domain)
  own.give(k, own.vouch(lane, first))
  lane.give(k, first)
  for (let i = 0; i < 100; i++) lane.publish(`n${i}`)
  expect(judged(k, grown(domain, lane, lane.head()))).toBe('ignore')
  expect(k.lanes.get(lane.ref)?.held).toBe(1)
  // Vouched for, it comes.
  const holder = knowledgeOf(domain)
  own.give(holder, own.vouch(lane, lane.head()))
  lane.give(holder, lane.head())
  joined(k, holder)
  expect(k.lanes.get(lane.ref)?.held).toBe(101)
})

test('R5, E7: a bundle tells what a sync tells of a vouched lane whose log nobody has', async () => {
  const domain = makeDomain({ seed: 'bare in a bundle', principals: [{ key: owner }, { key: writer, roles: ['publish'] }] })
  const own = new TestLane(domain, owner, 'own')
  own.publish('name')
  const before = new TestLane(domain, writer, 'before')
  before.publish('x')
  const last = before.publish('y')
  const twin = before.fork(1)
  twin.publish('z')
  const lane = new TestLane(domain, writer, 'lane', { previous: last.ref })
  const vouchedFor = lane.publish('l')
  const vouch = own.vouch(lane, vouchedFor)
  const [from, to] = [await engineOn('bundle from', domain), await engineOn('bundle to')]
  const k = await from.knowledge(domain.domain)
  own.give(k, vouch)
  before.give(k, last)
  twin.give(k, twin.head())
  k.admit(lane.item.artifact)
  admitHead(k, vouchedFor)
  await save(from, k)
  expect(await importBundle(to, exportBundle(from, domain.domain))).toMatchObject({ status: 'accepted', refused: [] })
  const got = await to.knowledge(domain.domain)
  expect([got.view().digest, got.view().withheld]).toEqual([k.view().digest, []])
  expect(got.view().current.get('name')?.code).toBe('contested')
})

test('THREATS 23: named heads without a log cost a bounded number of requests, and logs of one lane are bounded', () => {
  const domain = makeDomain({ seed: 'flood', principals: [{ key: owner }, { key: writer, roles: ['publish'] }] })
  const lane = new TestLane(domain, writer, 'w')
  for (let i = 0; i < 30; i++) lane.publish(`n${i}`)
  const own = new TestLane(domain, owner, 'own')
  const bare = bareHeads(lane, 200)
  const twins = Array.from({ length: 40 }, (_, i) => {
    const twin = lane.fork(29)
    twin.publish(`twin ${i}`)
    return twin
  })
  for (const head of [...bare, ...twins.map((t) => t.head())]) own.vouch(lane, head)
  const [one, other] = [knowledgeOf(domain), knowledgeOf(domain)]
  for (const k of [one, other]) {
    own.give(k, own.head())
    lane.give(k, lane.head())
    for (const head of bare) admitHead(k, head)
  }
  for (const twin of twins) twin.give(one, twin.head())
  const asked = rounds(one, other)
  expect(Math.max(...asked)).toBeLessThan(200)
  expect(sum(asked)).toBeLessThan(5 * (bare.length + twins.length))
  expect(other.lanes.get(lane.ref)?.branches.length).toBeLessThanOrEqual(2)
  expect(other.view().digest).toBe(one.view().digest)
})
