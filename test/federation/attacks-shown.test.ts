/** What a fourth hostile reading proved of what a node shows to others: bundles it couldn't read itself, prefixes nobody else could get, costs that grew with the square. */
import { beforeAll, expect, test } from 'vitest'
import { DomainKnowledge } from '../../src/authority/knowledge.js'
import { exportBundle, importBundle } from '../../src/federation/bundle.js'
import { pullFrom } from '../../src/federation/pull-local.js'
import { installNativeCrypto } from '../../src/node/native-crypto.js'
import { makeDomain, testKey } from '../helpers/authority-fixtures.js'
import { engineOn, save } from '../helpers/engines.js'
import { admitHead, knowledgeOf, TestLane } from '../helpers/lanes.js'
import { bareHeads, proofOfFork, QUIET, settled, wired } from '../helpers/rounds.js'

beforeAll(() => { installNativeCrypto() })

const owner = testKey('shown owner')
const thief = testKey('shown thief')
const writer = testKey('shown writer')

test('B3, K4: a bundle of a lane with three logs is taken as a sync takes it', async () => {
  const domain = makeDomain({ seed: 'three', principals: [{ key: owner }, { key: thief }] })
  const manifest = domain.tip
  const honest = new TestLane(domain, thief, 'w', { manifest })
  for (let i = 0; i < 3; i++) honest.publish(`n${i}`)
  const first = honest.fork(3)
  for (let i = 3; i < 6; i++) first.publish(`first ${i}`)
  const named = first.head()
  const other = first.fork(6)
  for (let i = 6; i < 8; i++) first.publish(`first ${i}`)
  for (let i = 6; i < 10; i++) other.publish(`other ${i}`)
  for (let i = 3; i < 8; i++) honest.publish(`honest ${i}`)
  const own = new TestLane(domain, owner, 'own', { manifest })
  own.publish('o')
  const next = new TestLane(domain, thief, 'next', { manifest, previous: named.ref })
  next.publish('p')
  const [from, to] = [await engineOn('three from', domain), await engineOn('three to')]
  const k = await from.knowledge(domain.domain)
  // The thief's branch came first.
  for (const whole of [own, first, next]) whole.give(k, whole.head())
  admitHead(k, named)
  // The owner anchors the honest branch, whoever stole the manifest key another one; peers show the logs of both.
  for (const branch of [honest, other]) domain.manifest({ cuts: [{ lane: honest.ref, snapshot: branch.head().ref, ends: false }] })
  for (const { artifact } of domain.items) k.admit(artifact)
  for (const branch of [honest, other]) {
    const peer = knowledgeOf(domain)
    own.give(peer, own.head())
    branch.give(peer, branch.head())
    for (const head of [honest.head(), other.head()]) admitHead(peer, head)
    pullFrom(k, peer, QUIET)
  }
  expect(k.lanes.get(honest.ref)?.branches.length).toBe(3)
  await save(from, k)
  const late = new DomainKnowledge(domain.domain)
  pullFrom(late, k, QUIET)
  expect(await importBundle(to, exportBundle(from, domain.domain))).toMatchObject({ status: 'accepted', refused: [] })
  const got = await to.knowledge(domain.domain)
  expect([late, got].map((n) => n.view().digest)).toEqual([k.view().digest, k.view().digest])
})

test.each(['nobody can show', 'lies on a proven branch'])('R5, A2: of a vouched head that %s a node exports what others can get from it', (which) => {
  const domain = makeDomain({ seed: 'unshown', principals: [{ key: owner }, { key: writer, roles: ['publish'] }, { key: thief }] })
  const lane = new TestLane(domain, writer, 'w')
  for (let i = 0; i < 7; i++) lane.publish(`n${i}`)
  const vouchedFor = lane.head({ size: 2 })
  const twin = lane.fork(4)
  for (let i = 0; i < 4; i++) twin.publish(`t${i}`)
  const own = new TestLane(domain, owner, 'own')
  own.vouch(lane, vouchedFor)
  const stolen = new TestLane(domain, thief, 'stolen')
  const other = which === 'nobody can show' ? lane.head({ size: 9, logseq: 9, log_root: 'ab'.repeat(32) }) : twin.head()
  stolen.vouch(lane, other)
  // The owner's node holds the writer's whole lane as a proposal, of which two records are vouched for.
  const k = knowledgeOf(domain)
  own.give(k, own.head())
  lane.give(k, vouchedFor)
  lane.give(k, lane.head())
  const before = new DomainKnowledge(domain.domain)
  pullFrom(before, k, QUIET)
  // Now the thief's words come, to both.
  for (const node of [k, before]) {
    stolen.give(node, stolen.head())
    admitHead(node, other)
    node.admit(proofOfFork(domain, lane, twin))
  }
  const late = new DomainKnowledge(domain.domain)
  settled(wired({ k, before, late }))
  const nodes = [k, before, late]
  expect(nodes.map((n) => n.view().lanes.get(lane.ref)?.exported)).toEqual([2, 2, 2])
  expect(nodes.map((n) => [...n.view().current.keys()].sort())).toEqual(Array(3).fill(['n0', 'n1']))
  expect(new Set(nodes.map((n) => n.view().digest)).size).toBe(1)
})

/** How many items of Sets are walked through meanwhile: what work costs, whatever the machine does besides. */
function walked (work: () => void): number {
  const walk = Set.prototype[Symbol.iterator]
  let items = 0
  Set.prototype[Symbol.iterator] = function <T> (this: Set<T>): SetIterator<T> {
    items += this.size
    return walk.call(this) as SetIterator<T>
  }
  try {
    work()
  } finally {
    Set.prototype[Symbol.iterator] = walk
  }
  return items
}

test('THREATS 23: what a view of lanes with new named heads walks through grows in proportion to them', () => {
  const [few, many] = [4, 12].map((count) => {
    const domain = makeDomain({ seed: `trim ${count}`, principals: [{ key: thief }] })
    const k = knowledgeOf(domain)
    const said = new TestLane(domain, thief, 'said')
    const made = Array.from({ length: count }, (_, i) => {
      const lane = new TestLane(domain, thief, `w${i}`)
      return { lane, heads: bareHeads(lane, 18) }
    })
    for (const { lane, heads } of made) for (const head of heads) said.vouch(lane, head)
    said.give(k, said.head())
    k.view()
    for (const { lane, heads } of made) {
      k.admit(lane.item.artifact)
      for (const head of heads) admitHead(k, head)
    }
    return walked(() => { k.view() })
  }) as [number, number]
  expect(many / few).toBeLessThan(4)
})

test('THREATS 23: nodes that differ for ever fall silent about heads that nobody can show after traffic in proportion to them', () => {
  const [few, many] = [100, 400].map((count) => {
    const domain = makeDomain({ seed: `cost ${count}`, principals: [{ key: owner }, { key: thief }] })
    const lane = new TestLane(domain, thief, 'w')
    lane.publish('a')
    const said = new TestLane(domain, thief, 'said')
    const bare = bareHeads(lane, count)
    for (const head of bare) said.vouch(lane, head)
    // Each node holds another branch, and keeps it.
    const forked = new TestLane(domain, thief, 'forked')
    forked.publish('x')
    const twin = forked.fork(1)
    forked.publish('y')
    twin.publish('z')
    const next = [forked, twin].map((branch, i) => new TestLane(domain, thief, `next${i}`, { previous: branch.head().ref }))
    for (const after of next) after.publish(`after ${after.ref}`)
    const [one, other] = [forked, twin].map((branch) => {
      const k = knowledgeOf(domain)
      for (const whole of [said, lane, branch, ...next]) whole.give(k, whole.head())
      for (const head of bare) admitHead(k, head)
      return k
    }) as [DomainKnowledge, DomainKnowledge]
    const wires = wired({ one, other })
    const asked = settled(wires)
    const bytes = wires.effects.reduce((n, e) => n + (e.type === 'send' && e.channel === 'sync' ? e.bytes.length : 0), 0)
    return { requests: wires.requests.length, bytes, last: asked.at(-1) }
  }) as [{ requests: number, bytes: number, last: number }, { requests: number, bytes: number, last: number }]
  expect([few.last, many.last]).toEqual([0, 0])
  expect(many.requests / few.requests).toBeLessThan(5)
})
