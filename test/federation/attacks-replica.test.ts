/** What a hostile reading of the replica proved once, each mended since: who is asked, what is said, and what a peer can make us do. */
import { expect, test } from 'vitest'
import { DomainKnowledge } from '../../src/authority/knowledge.js'
import { defaultPolicy } from '../../src/authority/policy.js'
import type { Effect, ReplicaEvent } from '../../src/federation/effects.js'
import { GONE } from '../../src/federation/greeting.js'
import { answerWire, helloWire, requestWire } from '../../src/federation/messages.js'
import { Replica } from '../../src/federation/replica.js'
import { encodeArtifact, referenceOf } from '../../src/substrate/artifact.js'
import { utf8 } from '../../src/substrate/bytes.js'
import type { Hash, Reference } from '../../src/substrate/reference.js'
import { digestFrom, makeDomain, refFrom, type TestDomain, testKey } from '../helpers/authority-fixtures.js'
import { knowledgeOf, TestLane } from '../helpers/lanes.js'

const ROLES = ['federate', 'produce', 'publish'] as const
const owner = testKey('owner')
const thief = testKey('thief')
const principals = [{ key: owner, roles: [...ROLES] }, { key: thief, roles: [...ROLES] }]

function revoke (domain: TestDomain, k: DomainKnowledge): void {
  for (const { artifact } of domain.manifest({ principals: [principals[0] as typeof principals[0]], closed: [thief] }).items) k.admit(artifact)
}

/** Replicas with nothing between them; `delay` = ms that a frame takes, asked for each. */
class Net {
  readonly replicas = new Map<string, Replica>()
  readonly seen: Array<Effect & { readonly at: string }> = []
  now = 0
  private due: Array<{ readonly t: number, readonly to: string, readonly event: ReplicaEvent }> = []
  constructor (private readonly delay: (from: string, bytes: number, now: number) => number = () => 0) {}

  add (name: string): Replica {
    const r = new Replica({ agent: name })
    this.replicas.set(name, r)
    return r
  }

  step (at: string, event: ReplicaEvent): void {
    for (const e of this.replicas.get(at)?.step(event) ?? []) {
      this.seen.push({ ...e, at })
      if (e.type === 'send') this.due.push({ t: this.now + this.delay(at, e.bytes.length, this.now), to: e.peer, event: { type: 'frame', peer: at, channel: e.channel, direction: e.direction, bytes: e.bytes } })
    }
  }

  connect (a: string, b: string): void {
    this.step(a, { type: 'peer', peer: b, up: true })
    this.step(b, { type: 'peer', peer: a, up: true })
    this.deliver()
  }

  deliver (): void {
    for (;;) {
      const i = this.due.findIndex((d) => d.t <= this.now)
      if (i < 0) return
      const [{ to, event }] = this.due.splice(i, 1) as [typeof this.due[0]]
      this.step(to, event)
    }
  }

  /** Until `done`, or `seconds` have passed; ticks each second, frames each 10 ms. Returns the seconds it took. */
  run (seconds: number, done: () => boolean = () => false, stepMs = 1000): number {
    const start = this.now
    while (this.now < start + seconds * 1000 && !done()) {
      this.now += stepMs
      this.deliver()
      if (this.now % 1000 !== 0) continue
      for (const name of this.replicas.keys()) this.step(name, { type: 'tick', now: this.now })
      this.deliver()
    }
    return (this.now - start) / 1000
  }
}

test('what is published between a follower\'s pull and its hello is heard of', () => {
  const domain = makeDomain({ seed: 'between', principals })
  const [a, b] = [knowledgeOf(domain), new DomainKnowledge(domain.domain)]
  const net = new Net()
  net.add('a').step({ type: 'follow', knowledge: a })
  net.add('b')
  net.connect('a', 'b')
  net.run(20)
  net.step('b', { type: 'follow', knowledge: b })
  net.deliver()
  expect(b.inventoryDigest()).toBe(a.inventoryDigest())
  revoke(domain, a)
  // a's tick comes before b says that it holds the domain
  net.step('a', { type: 'tick', now: net.now + 1000 })
  net.deliver()
  net.run(120)
  expect(b.authority().onChain).toHaveLength(2)
})

test('peers that drip useless objects don\'t keep a node from asking the honest one', () => {
  const domain = makeDomain({ seed: 'drip', principals })
  const [victim, honest] = [knowledgeOf(domain), knowledgeOf(domain)]
  revoke(domain, honest)
  const junk = new Map<Reference, Uint8Array>()
  for (let i = 0; i < 1024; i++) junk.set(referenceOf(undefined, utf8(`junk ${i}`)), encodeArtifact({ typeTag: undefined, payload: utf8(`junk ${i}`) }))
  const refs = [...junk.keys()].sort()
  const sybils = ['s1', 's2', 's3', 's4']
  const net = new Net()
  const v = net.add('victim')
  v.step({ type: 'follow', knowledge: victim })
  net.add('honest').step({ type: 'follow', knowledge: honest })
  const hello = (): Uint8Array => helloWire.encode({ t: 'hello', version: 1, agent: 's', domains: [{ domain: domain.domain, digest: digestFrom(`${net.now}`) }] })
  for (const s of sybils) {
    net.step('victim', { type: 'peer', peer: s, up: true })
    net.step('victim', { type: 'frame', peer: s, channel: 'hello', direction: 'request', bytes: hello() })
  }
  net.connect('victim', 'honest')
  let answered = 0
  for (let t = 0; t < 300 && victim.authority().onChain.length < 2; t++) {
    // Each sybil answers what it was asked, one object at a time, a second or two late.
    for (const e of net.seen.slice(answered)) {
      if (e.at !== 'victim' || e.type !== 'send' || !sybils.includes(e.peer) || e.channel !== 'sync' || e.direction !== 'request') continue
      const q = requestWire.decode(e.bytes)
      const answer = q.t === 'inventory'
        ? { t: 'inventory-answer' as const, id: q.id, status: 'held' as const, digest: digestFrom(`${e.peer} ${t}`), refs, more: false }
        : { t: 'objects-answer' as const, id: q.id, artifacts: q.t === 'objects' ? [junk.get(q.refs[0] as Reference) as Uint8Array] : [] }
      net.step('victim', { type: 'frame', peer: e.peer, channel: 'sync', direction: 'response', bytes: answerWire.encode(answer) })
    }
    answered = net.seen.length
    if (t % 10 === 0) for (const s of sybils) net.step('victim', { type: 'frame', peer: s, channel: 'hello', direction: 'request', bytes: hello() })
    net.run(1)
  }
  expect(victim.authority().onChain).toHaveLength(2)
})

test('an honest peer behind a slow link isn\'t blamed for the queue that we made ourselves', () => {
  let free = 0
  const net = new Net((from, bytes, now) => {
    if (from !== 'a') return 20
    free = Math.max(free, now) + bytes / 50
    return free - now
  })
  const [a, b] = [net.add('a'), net.add('b')]
  const held = Array.from({ length: 12 }, (_, i) => {
    const domain = makeDomain({ seed: `slow ${i}`, principals })
    const k = knowledgeOf(domain)
    const lane = new TestLane(domain, owner, `lane ${i}`)
    let head = lane.publish('n0')
    for (let n = 1; n < 500; n++) head = lane.publish(`n${n}`)
    lane.give(k, head)
    a.step({ type: 'follow', knowledge: k })
    const mine = new DomainKnowledge(domain.domain)
    b.step({ type: 'follow', knowledge: mine })
    return { mine, ref: lane.ref }
  })
  net.connect('a', 'b')
  const whole = (): boolean => held.every(({ mine, ref }) => mine.lanes.get(ref)?.held === 500)
  net.run(120, whole, 10)
  expect(whole()).toBe(true)
  expect(net.seen.filter((e) => e.at === 'b' && e.type === 'score')).toEqual([])
})

const says = (domains: Array<{ domain: Reference, digest: Hash }>): Uint8Array => helloWire.encode({ t: 'hello', version: 1, agent: 's', domains: domains.sort((x, y) => (x.domain < y.domain ? -1 : 1)) })
const seeks = (effects: Effect[]): number => effects.filter((e) => e.type === 'seek').length

test('peers that come and go can\'t make a node ask the DHT without end, and peers that only claim can\'t stop it', () => {
  const domains = Array.from({ length: 32 }, (_, i) => refFrom(`d${i}`))
  const flapping = new Replica({ agent: 'v' })
  for (const d of domains) flapping.step({ type: 'follow', knowledge: new DomainKnowledge(d) })
  flapping.step({ type: 'peer', peer: 'x', up: true })
  let n = 0
  for (let t = 1; t <= 600; t++) {
    flapping.step({ type: 'frame', peer: 'x', channel: 'hello', direction: 'request', bytes: says(domains.map((domain) => ({ domain, digest: t % 2 === 0 ? digestFrom('x') : GONE }))) })
    n += seeks(flapping.step({ type: 'tick', now: t * 1000 }))
  }
  expect(n).toBeLessThan(700)

  const [domain] = domains as [Reference]
  const claimed = new Replica({ agent: 'v' })
  claimed.step({ type: 'follow', knowledge: new DomainKnowledge(domain) })
  for (const peer of ['s1', 's2', 's3']) {
    claimed.step({ type: 'peer', peer, up: true })
    claimed.step({ type: 'frame', peer, channel: 'hello', direction: 'request', bytes: says([{ domain, digest: digestFrom(peer) }]) })
  }
  let m = 0
  for (let t = 1; t <= 3600; t++) m += seeks(claimed.step({ type: 'tick', now: t * 1000 }))
  expect(m).toBeGreaterThan(5)
})

test('a peer that announces more than is remembered is asked once when a domain is followed', () => {
  const domain = makeDomain({ seed: 'many', principals })
  const v = new Replica({ agent: 'v' })
  v.step({ type: 'peer', peer: 'big', up: true })
  const all = Array.from({ length: 8192 }, (_, i) => ({ domain: refFrom(`o${i}`), digest: digestFrom(`o${i}`) }))
  for (let i = 0; i < all.length; i += 1024) v.step({ type: 'frame', peer: 'big', channel: 'hello', direction: 'request', bytes: says(all.slice(i, i + 1024)) })
  const effects = v.step({ type: 'follow', knowledge: new DomainKnowledge(domain.domain) })
  expect(effects.some((e) => e.type === 'send' && e.channel === 'sync')).toBe(true)
})

test('a restricted domain is named to nobody: no topic, no look-up, no answer before its manifest is known', () => {
  const domain = makeDomain({ seed: 'restricted', principals, policy: { ...defaultPolicy, federation_policy: { ...defaultPolicy.federation_policy, trusted_domains: [refFrom('friend')] } } })
  const v = new Replica({ agent: 'v' })
  const effects = [...v.step({ type: 'follow', knowledge: knowledgeOf(domain) }), ...v.step({ type: 'tick', now: 1000 })]
  expect(effects.map((e) => e.type)).not.toContain('subscribe')
  expect(effects.map((e) => e.type)).not.toContain('seek')
})
