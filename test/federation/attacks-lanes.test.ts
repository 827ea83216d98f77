/** What whoever may open lanes, or stole the key of one who may, proved against pulls and blame: each of these went wrong once. */
import { beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import type * as DomainViews from '../../src/authority/domain-view.js'
import { viewDomain } from '../../src/authority/domain-view.js'
import { DomainKnowledge } from '../../src/authority/knowledge.js'
import { BLAME_HALF_LIFE } from '../../src/federation/blame.js'
import { headGossip } from '../../src/federation/gossip.js'
import { answerWire, gossipWire, helloWire, requestWire, type SyncRequest } from '../../src/federation/messages.js'
import { Replica } from '../../src/federation/replica.js'
import { answer } from '../../src/federation/serve-sync.js'
import { installNativeCrypto } from '../../src/node/native-crypto.js'
import type { Body } from '../../src/publication/leaf.js'
import { digestFrom, makeDomain, refFrom, type TestDomain, testKey } from '../helpers/authority-fixtures.js'
import { admitHead, knowledgeOf, type MadeHead, TestLane, type Wires } from '../helpers/lanes.js'
import { blamed, wired } from '../helpers/rounds.js'
import { honest, pullFrom, type Server } from '../helpers/worlds.js'

vi.mock('../../src/authority/domain-view.js', async (original) => {
  const actual = await original<typeof DomainViews>()
  return { ...actual, viewDomain: vi.fn(actual.viewDomain) }
})

beforeAll(() => { installNativeCrypto() })
beforeEach(() => { vi.mocked(viewDomain).mockClear() })

/** Views that `work` took of any domain. */
function viewsOf (work: () => void): number {
  const before = vi.mocked(viewDomain).mock.calls.length
  work()
  return vi.mocked(viewDomain).mock.calls.length - before
}

/** Whoever holds these heads. */
function holding (domain: TestDomain, given: ReadonlyArray<readonly [TestLane, MadeHead]>, bodies = true): DomainKnowledge {
  const k = knowledgeOf(domain)
  k.reading = true
  for (const [lane, head] of given) lane.give(k, head, bodies)
  k.reading = false
  k.touch()
  k.inventoryDigest()
  return k
}

/** A domain that opened a lane for each of its jobs. */
function farm (count: number): { domain: TestDomain, given: Array<[TestLane, MadeHead]> } {
  const key = testKey('farm')
  const domain = makeDomain({ seed: `farm ${count}`, principals: [{ key }] })
  const given = Array.from({ length: count }, (_, i): [TestLane, MadeHead] => {
    const lane = new TestLane(domain, key, `job ${i}`)
    return [lane, lane.publish(`n${i}`)]
  })
  return { domain, given }
}

describe('THREATS 23: a domain of many lanes', () => {
  test('is joined with a few views of it, and nothing is asked for twice', () => {
    const { domain, given } = farm(1_000)
    const k = holding(domain, given)
    const late = new DomainKnowledge(domain.domain)
    const requests: SyncRequest[] = []
    const server: Server = (request) => {
      requests.push(request)
      return honest(k)(request)
    }
    const views = viewsOf(() => { expect(pullFrom(late, server)).toMatchObject({ outcome: 'updated', refused: [] }) })
    expect(late.inventoryDigest()).toBe(k.inventoryDigest())
    // It took one for each lane, and dropped and read again the lanes whose logs were still to come.
    expect(views).toBeLessThan(40)
    const refs = requests.flatMap((r) => r.t === 'objects' ? r.refs.map((ref) => `object ${ref}`) : r.t === 'leaves' ? [`log of ${r.head}`] : [])
    expect([new Set(refs).size, refs.length]).toEqual([4 * 1_000 + domain.items.length, 4 * 1_000 + domain.items.length])
  })

  test('of which each is forked, or lacks its bodies, is joined with a few views, too', () => {
    const { domain, given } = farm(150)
    const twins = given.map(([lane]): [TestLane, MadeHead] => {
      const twin = lane.fork(0)
      return [twin, twin.publish('twin')]
    })
    const [k, other] = [holding(domain, given), holding(domain, twins)]
    expect(viewsOf(() => { pullFrom(other, honest(k)) })).toBeLessThan(40)
    expect([...other.lanes.values()].filter((l) => l.evidence === undefined)).toEqual([])
    // The proofs alone: each is spread if the lane concerns anybody.
    const third = holding(domain, given)
    expect(viewsOf(() => { pullFrom(third, honest(other)) })).toBeLessThan(40)
    expect([...third.lanes.values()].filter((l) => l.evidence === undefined)).toEqual([])
    const bare = holding(domain, given, false)
    const states = new Set<number>()
    pullFrom(bare, (request) => {
      states.add(bare.revision)
      return honest(k)(request)
    })
    expect(states.size).toBeLessThan(20)
    expect(bare.lacksBodies()).toBe(false)
  })

  test('takes one view for a new lane that gossip brings whole, and its replica changes a few times where logs come by the hundred', () => {
    const { domain, given } = farm(300)
    const k = holding(domain, given)
    const late = new DomainKnowledge(domain.domain)
    const wires = wired({ server: k, asker: late })
    for (let i = 1; i < 5; i++) wires.tick(i * 31_000)
    expect(late.inventoryDigest()).toBe(k.inventoryDigest())
    expect(wires.reports.filter((r) => r.kind === 'changed' && r.at === 'asker').length).toBeLessThan(25)
    const lane = new TestLane(domain, testKey('farm'), 'another')
    lane.give(k, lane.publish('another'))
    const held = k.lanes.get(lane.ref)
    const message = held === undefined ? undefined : headGossip(k, held, 0)
    if (message === undefined) throw new Error('nothing to say')
    expect(viewsOf(() => { wires.step('asker', { type: 'gossip', from: 'server', domain: domain.domain, bytes: gossipWire.encode(message) }) })).toBe(1)
    expect(late.inventoryDigest()).toBe(k.inventoryDigest())
  })

  test('shows something of itself soon, while the rest is still asked for', () => {
    const { domain, given } = farm(100)
    const k = holding(domain, given)
    const late = new DomainKnowledge(domain.domain)
    const shown: number[] = []
    pullFrom(late, (request) => {
      if (request.t === 'leaves') shown.push([...late.lanes.values()].filter((l) => l.held > 0).length)
      return honest(k)(request)
    })
    expect([shown[20], shown[60]].map((n) => n !== undefined && n > 0)).toEqual([true, true])
  })
})

test('a pull whose logs wait to be taken in keeps others from asking for the same, however slow its link', () => {
  const { domain, given } = farm(400)
  const k = holding(domain, given)
  const late = knowledgeOf(domain)
  const replica = new Replica({ agent: 'asker' })
  const asked: Record<string, number> = {}
  let now = 31_000
  const effects = replica.step({ type: 'follow', knowledge: late })
  effects.push(...replica.step({ type: 'tick', now }))
  const hello = helloWire.encode({ t: 'hello', version: 1, agent: 's', domains: [{ domain: domain.domain, digest: k.inventoryDigest() }] })
  for (const peer of ['one', 'two', 'three']) {
    effects.push(...replica.step({ type: 'peer', peer, up: true }))
    effects.push(...replica.step({ type: 'frame', peer, channel: 'hello', direction: 'request', bytes: hello }))
  }
  for (let e = effects.shift(); e !== undefined; e = effects.shift()) {
    if (e.type !== 'send' || e.channel !== 'sync' || e.direction !== 'request') continue
    asked[e.peer] = (asked[e.peer] ?? 0) + 1
    effects.push(...replica.step({ type: 'tick', now: now += 200 }))
    effects.push(...replica.step({ type: 'frame', peer: e.peer, channel: 'sync', direction: 'response', bytes: answerWire.encode(answer(k, requestWire.decode(e.bytes))) }))
  }
  expect(late.inventoryDigest()).toBe(k.inventoryDigest())
  expect(Object.keys(asked)).toEqual(['one', 'two'])
})

describe('lanes of which no log is held', () => {
  test('are looked through for strays less often the more of them concern somebody', () => {
    const [key, writer] = [testKey('farm'), testKey('writer')]
    const domain = makeDomain({ seed: 'named', principals: [{ key }, { key: writer, roles: ['publish'] }] })
    const lanes = Array.from({ length: 8_000 }, (_, i) => new TestLane(domain, writer, `${i}`))
    const voucher = new TestLane(domain, key, 'voucher')
    const k = holding(domain, [[voucher, voucher.append(...lanes.map((l): Body => ({ kind: 'vouch', salt: voucher.salt(), lane: l.ref, snapshot: refFrom(l.ref) })))]])
    expect(viewsOf(() => { for (const lane of lanes) k.admit(lane.item.artifact) })).toBeLessThan(16)
    expect(k.lanes.size).toBe(8_001)
  })

  test('are kept in a bounded number, whatever a stolen key signs', () => {
    const key = testKey('farm')
    const domain = makeDomain({ seed: 'bare', principals: [{ key }] })
    const k = knowledgeOf(domain)
    for (let i = 0; i < 5_400; i++) {
      const lane = new TestLane(domain, key, `${i}`)
      k.admit(lane.item.artifact)
      admitHead(k, lane.head({ size: 1, log_root: digestFrom(`root ${i}`) }))
    }
    expect(k.lanes.size).toBeLessThan(5_200)
  })
})

describe('blame for what a key of the domain signed', () => {
  /** The thief of a federate key makes one node name a head that lies, round after round, and shows the other another branch of what names it. */
  function provoke (wires: Wires, domain: TestDomain, thief: TestLane, nodes: readonly [DomainKnowledge, DomainKnowledge], rounds: number, from: number): number {
    let now = from
    for (let i = 0; i < rounds; i++) {
      const lie = thief.head({ size: 1 + i, logseq: 5_000 + now })
      const said = new TestLane(domain, thief.key, `said ${now}`)
      said.publish('x')
      const twin = said.fork(1)
      said.vouch(thief, lie)
      twin.publish('other')
      admitHead(nodes[0], lie)
      said.give(nodes[0], said.head())
      twin.give(nodes[1], twin.head())
      for (let j = 0; j < 3; j++) wires.tick(now += 3_000)
    }
    return now
  }

  test('lets no stolen key make honest nodes ban each other: each kind counts once in a half-life', () => {
    const [owner, key] = [testKey('blame owner'), testKey('blame thief')]
    const domain = makeDomain({ seed: 'blame', principals: [{ key: owner }, { key }] })
    const own = new TestLane(domain, owner, 'own')
    own.publish('report')
    const thief = new TestLane(domain, key, 'thief')
    for (let i = 0; i < 20; i++) thief.publish(`n${i}`)
    const given = [[own, own.head()], [thief, thief.head()]] as const
    const [server, asker] = [holding(domain, given), holding(domain, given)]
    const wires = wired({ server, asker })
    const now = provoke(wires, domain, thief, [server, asker], 8, 31_000)
    const once = blamed(wires)
    // It does get through, or this test shows nothing.
    expect(once['asker']).toBe(15)
    provoke(wires, domain, thief, [server, asker], 3, now + BLAME_HALF_LIFE)
    expect(blamed(wires)).toEqual({ server: 0, asker: 30 })
  })

  test('and of what nobody signed each is counted', () => {
    const key = testKey('farm')
    const domain = makeDomain({ seed: 'liar', principals: [{ key }] })
    const lanes = Array.from({ length: 3 }, (_, i) => new TestLane(domain, key, `l${i}`))
    const k = holding(domain, lanes.map((lane) => [lane, lane.publish('x')] as const))
    const replica = new Replica({ agent: 'asker' })
    replica.step({ type: 'follow', knowledge: knowledgeOf(domain) })
    replica.step({ type: 'peer', peer: 'liar', up: true })
    const hello = helloWire.encode({ t: 'hello', version: 1, agent: 'liar', domains: [{ domain: domain.domain, digest: digestFrom('whatever') }] })
    const effects = replica.step({ type: 'frame', peer: 'liar', channel: 'hello', direction: 'request', bytes: hello })
    const codes: string[] = []
    for (let e = effects.shift(); e !== undefined; e = effects.shift()) {
      if (e.type === 'score') codes.push(e.code)
      if (e.type !== 'send' || e.channel !== 'sync') continue
      const got = answer(k, requestWire.decode(e.bytes))
      const bytes = answerWire.encode(got.t === 'leaves-answer' ? { ...got, leaves: got.leaves.map((b) => b ^ 1) } : got)
      effects.push(...replica.step({ type: 'frame', peer: 'liar', channel: 'sync', direction: 'response', bytes }))
    }
    expect(codes.filter((c) => c === 'bad-range').length).toBeGreaterThanOrEqual(lanes.length)
  })
})
