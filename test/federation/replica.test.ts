import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { DomainKnowledge } from '../../src/authority/knowledge.js'
import { gossipWire, helloWire } from '../../src/federation/messages.js'
import { Replica } from '../../src/federation/replica.js'
import { installNativeCrypto } from '../../src/node/native-crypto.js'
import { encodeArtifact as encode } from '../../src/substrate/artifact.js'
import { makeDomain, type TestDomain, testKey } from '../helpers/authority-fixtures.js'
import { admitHead, knowledgeOf, TestLane, Wires } from '../helpers/lanes.js'
import { verdicts } from '../helpers/worlds.js'

beforeAll(() => { installNativeCrypto() })

const owner = testKey('owner')
let domain: TestDomain
let lane: TestLane

beforeEach(() => {
  domain = makeDomain({ seed: 'replica', principals: [{ key: owner, roles: ['federate', 'produce', 'publish'] }] })
  lane = new TestLane(domain, owner, 'main')
})

const tickFor = (wires: Wires, from: number, to: number): void => { for (let t = from; t <= to; t++) wires.tick(t * 1000) }

describe('two sides that can never become equal', () => {
  function forked (): [DomainKnowledge, DomainKnowledge] {
    lane.publish('a')
    const twin = lane.fork(1)
    const [a, b] = [knowledgeOf(domain), knowledgeOf(domain)]
    lane.publish('left')
    lane.give(a, lane.publish('left/more'))
    twin.give(b, twin.publish('right'))
    return [a, b]
  }

  test('agree on the fork, and then are silent until something changes', () => {
    const [a, b] = forked()
    const wires = new Wires()
    wires.add('a', a)
    wires.add('b', b)
    wires.connect('a', 'b')
    tickFor(wires, 1, 25) // longer than two hellos
    expect(a.lanes.get(lane.ref)?.evidence?.index).toBe(1)
    expect(b.lanes.get(lane.ref)?.evidence?.index).toBe(1)
    expect(verdicts(a)).toBe(verdicts(b))
    expect(a.inventoryDigest()).not.toBe(b.inventoryDigest())
    const asked = wires.requests.length
    const reported = wires.reports.length
    tickFor(wires, 26, 60)
    expect(wires.requests.length).toBe(asked)
    expect(wires.reports.length).toBe(reported)
    // Something new on one side is heard of with the next hello, and then there is silence again.
    const fresh = new TestLane(domain, owner, 'fresh')
    fresh.give(a, fresh.publish('news'))
    tickFor(wires, 61, 72)
    expect(b.view().current.has('news')).toBe(true)
    tickFor(wires, 73, 95)
    const after = wires.requests.length
    tickFor(wires, 96, 130)
    expect(wires.requests.length).toBe(after)
  })

  test('what is noted of a peer is said once while nothing changes; whoever asks hears it again', () => {
    const [a, b] = [knowledgeOf(domain), knowledgeOf(domain)]
    const old = lane.publish('a')
    lane.give(a, old)
    lane.give(b, old)
    lane.give(b, lane.publish('b'))
    const wires = new Wires()
    wires.add('a', a)
    const replica = wires.add('b', b)
    // `a` can't follow: it never pulls.
    wires.replicas.set('a', new Replica({ agent: 'a', autoPull: false }))
    wires.step('a', { type: 'follow', knowledge: a })
    wires.connect('a', 'b')
    tickFor(wires, 1, 20)
    const noted = (): number => wires.reports.filter((r) => r.at === 'b' && r.kind === 'noted' && r.code === 'superseded').length
    expect(noted()).toBe(1)
    wires.step('b', { type: 'pull', domain: domain.domain })
    wires.step('b', { type: 'pull', domain: domain.domain })
    expect(noted()).toBe(3)
    expect(replica.connected).toEqual(['a'])
  })

  test('a body that the other side gets later is asked for again, not each second', () => {
    const [a, b] = [knowledgeOf(domain), knowledgeOf(domain)]
    const head = lane.publish('a')
    lane.give(a, head, false)
    lane.give(b, head, false)
    const wires = new Wires()
    wires.add('a', a)
    wires.add('b', b)
    wires.connect('a', 'b')
    tickFor(wires, 1, 25)
    expect(wires.requests.filter(([from, t]) => from === 'b' && t === 'bodies').length).toBe(1)
    const branch = a.lanes.get(lane.ref)?.branches[0]
    if (branch === undefined) throw new Error('no branch')
    a.lanes.get(lane.ref)?.addBody(branch, 0, lane.leaves[0]?.body as Uint8Array)
    a.touch()
    tickFor(wires, 26, 60)
    expect(b.view().current.has('a')).toBe(true)
  })
})

describe('peers and domains that come and go', () => {
  const frame = (k: DomainKnowledge): Uint8Array => helloWire.encode({ t: 'hello', version: 1, agent: 'x', domains: [{ domain: k.domain, digest: 'ab'.repeat(32) as never }] })

  test('a frame of a peer that isn\'t connected does nothing and revives nobody', () => {
    const k = knowledgeOf(domain)
    const replica = new Replica({ agent: 'a' })
    replica.step({ type: 'follow', knowledge: k })
    replica.step({ type: 'peer', peer: 'x', up: true })
    replica.step({ type: 'peer', peer: 'x', up: false })
    expect(replica.step({ type: 'frame', peer: 'x', channel: 'hello', direction: 'request', bytes: frame(k) })).toEqual([])
    expect(replica.step({ type: 'frame', peer: 'never seen', channel: 'sync', direction: 'request', bytes: new Uint8Array(3) })).toEqual([])
    expect(replica.connected).toEqual([])
  })

  test('pulls into knowledge that was replaced or let go are ended, and said to be', () => {
    const k = knowledgeOf(domain)
    const replica = new Replica({ agent: 'a' })
    replica.step({ type: 'follow', knowledge: k })
    replica.step({ type: 'peer', peer: 'x', up: true })
    replica.step({ type: 'frame', peer: 'x', channel: 'hello', direction: 'request', bytes: frame(k) })
    const other = knowledgeOf(domain)
    const followed = replica.step({ type: 'follow', knowledge: other })
    expect(followed).toContainEqual({ type: 'report', report: { kind: 'pulled', peer: 'x', domain: k.domain, outcome: 'gone' } })
    // The pull that starts instead works on the new object.
    expect(followed.filter((e) => e.type === 'send')).toHaveLength(1)
    expect(replica.step({ type: 'unfollow', domain: k.domain })).toContainEqual({ type: 'report', report: { kind: 'pulled', peer: 'x', domain: k.domain, outcome: 'gone' } })
    expect(replica.step({ type: 'peer', peer: 'x', up: false })).toEqual([])
  })
})

describe('gossip', () => {
  test('a head that lies about its last leaf isn\'t kept or passed on, and costs its bearer nothing: a node that lags can\'t tell', () => {
    const k = knowledgeOf(domain)
    lane.publish('a')
    const twin = lane.head({ logseq: 5 })
    lane.give(k, lane.publish('b'))
    const other = knowledgeOf(domain)
    lane.give(other, lane.head({ size: 1 }))
    const replica = new Replica({ agent: 'a' })
    replica.step({ type: 'follow', knowledge: k })
    replica.step({ type: 'peer', peer: 'x', up: true })
    const enc = (i: { artifact: Parameters<typeof encode>[0] }): Uint8Array => encode(i.artifact)
    const bytes = gossipWire.encode({ t: 'head', domain: k.domain, lane: enc(lane.item), snapshot: enc(twin.snapshot), signature: enc(twin.signature), from: 1, leaves: new Uint8Array(0), bodies: [] })
    const effects = replica.step({ type: 'gossip', from: 'x', domain: k.domain, bytes })
    expect(effects).toContainEqual({ type: 'gossip-judgement', result: 'ignore' })
    expect(effects.filter((e) => e.type === 'score')).toEqual([])
    expect(k.lanes.get(lane.ref)?.heads.has(twin.ref)).toBe(false)
  })

  test('a pull refuses such a head by name and goes on with the true one', () => {
    const [a, b] = [knowledgeOf(domain), knowledgeOf(domain)]
    lane.publish('a')
    const head = lane.publish('b')
    lane.give(b, head)
    lane.give(a, head)
    admitHead(a, lane.head({ logseq: 77 }))
    // A server that offers it all the same.
    const twin = lane.head({ logseq: 77 })
    a.inventory()
    const offered = [...a.inventory(), twin.ref, twin.signature.ref].sort()
    Object.assign(a, { inventory: () => offered, offered: () => new Set(offered) })
    Object.assign(a, { inventoryDigest: () => 'cd'.repeat(32) })
    const fresh = knowledgeOf(domain)
    const wires = new Wires()
    wires.add('a', a)
    wires.add('fresh', fresh)
    wires.connect('a', 'fresh')
    tickFor(wires, 1, 3)
    expect(fresh.view().current.size).toBe(2)
    expect(wires.reports).toContainEqual(expect.objectContaining({ at: 'fresh', kind: 'refused', code: 'bad-range', ref: twin.ref }))
    expect(fresh.inventoryDigest()).toBe(b.inventoryDigest())
  })
})
