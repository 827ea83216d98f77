/** What somebody proved against pulls, the mirror and the engine: each of these went wrong once. */
import { beforeAll, describe, expect, test } from 'vitest'
import { DomainKnowledge } from '../../src/authority/knowledge.js'
import { AudienceIndex } from '../../src/federation/audience.js'
import { Engine } from '../../src/federation/engine.js'
import { branchOps, controlOps, recordOp, unpersistedOps } from '../../src/federation/ledger.js'
import { helloWire, type SyncRequest } from '../../src/federation/messages.js'
import { Mirror } from '../../src/federation/mirror.js'
import { Staged } from '../../src/federation/staging.js'
import { installNativeCrypto } from '../../src/node/native-crypto.js'
import { bareLeaf, encodeLeaf } from '../../src/publication/leaf.js'
import { concatBytes, toHex } from '../../src/substrate/bytes.js'
import { PackStore } from '../../src/substrate/pack-store.js'
import type { Reference } from '../../src/substrate/reference.js'
import { digestFrom, makeDomain, refFrom, type TestDomain, testKey } from '../helpers/authority-fixtures.js'
import { knowledgeOf, MemoryKv, TestLane } from '../helpers/lanes.js'
import { honest, pullFrom, type Server } from '../helpers/worlds.js'
import { SimDisk } from '../../sim/world/disk.js'

const owner = testKey('owner')
let domain: TestDomain

beforeAll(() => {
  installNativeCrypto()
  domain = makeDomain({ seed: 'pull attacks', principals: [{ key: owner, roles: ['federate', 'produce', 'publish'] }] })
})

function published (leaves: number): { lane: TestLane, k: DomainKnowledge } {
  const lane = new TestLane(domain, owner, 'main')
  const ticks = Array.from({ length: leaves }, (_, i) => bareLeaf('tick', i + 1))
  lane.leaves.push(...ticks)
  lane.log.append(concatBytes(...ticks.map((t) => encodeLeaf(t.leaf))))
  const k = knowledgeOf(domain)
  lane.give(k, lane.head())
  return { lane, k }
}

describe('a log that grows while it is read', () => {
  // 9,000 leaves take three answers. Sixteen old heads are kept, so forty take the one away that the reader began with.
  test.each([1, 40])('is read to its end, and its publisher not blamed: %i publications an answer', (each) => {
    const { lane, k } = published(9_000)
    const b = knowledgeOf(domain)
    const requests: SyncRequest[] = []
    const pulled = pullFrom(b, (request) => {
      requests.push(request)
      if (request.t === 'leaves' && requests.length < 20) for (let i = 0; i < each; i++) lane.give(k, lane.publish(`n${requests.length}/${i}`))
      return honest(k)(request)
    })
    expect(pulled).toMatchObject({ outcome: 'updated', refused: [] })
    expect(b.lanes.get(lane.ref)?.held).toBeGreaterThan(9_000)
    // What was proven before the head went is not asked for again.
    const asked = requests.flatMap((r) => r.t === 'leaves' ? [`${r.head} ${r.from}`] : [])
    expect(new Set(asked).size).toBe(asked.length)
    expect(pullFrom(b, honest(k)).refused).toEqual([])
    expect(b.inventoryDigest()).toBe(k.inventoryDigest())
  })

  test('and doesn\'t lie below the head that came instead is read afresh', () => {
    const { lane, k } = published(9_000)
    const twin = lane.fork(5_000)
    const other = knowledgeOf(domain)
    for (let i = 0; i < 5_000; i++) twin.leaves.push(bareLeaf('tick', twin.logseq + 2))
    twin.log.append(concatBytes(...twin.leaves.slice(5_000).map((l) => encodeLeaf(l.leaf))))
    twin.give(other, twin.head())
    const b = knowledgeOf(domain)
    let served = 0
    const pulled = pullFrom(b, (request) => {
      if (request.t === 'leaves') served++
      return honest(served < 3 ? k : other)(request)
    })
    expect(pulled.refused).toEqual([])
    expect(pulled.noted).toContain('log-withheld')
    expect(pullFrom(b, honest(other))).toMatchObject({ refused: [] })
    expect(b.lanes.get(lane.ref)?.held).toBe(twin.log.size)
  })

  test('never moves: whoever offers a head and doesn\'t show its log is blamed, whatever its digest does', () => {
    const { k } = published(10)
    const withholds: Server = (request) => honest(request.t === 'leaves' ? new DomainKnowledge(domain.domain) : k)(request)
    expect(pullFrom(knowledgeOf(domain), withholds).refused).toContain('log-withheld')
    let digests = 0
    const restless: Server = (request) => {
      const got = withholds(request)
      return got.t === 'inventory-answer' && got.status === 'held' ? { ...got, digest: digestFrom(`${digests++}`) } : got
    }
    expect(pullFrom(knowledgeOf(domain), restless).refused).toContain('log-withheld')
    expect(digests).toBeLessThan(10)
  })
})

describe('inventories', () => {
  test('that never end are forgotten page by page', () => {
    let pages = 0
    let last = new Set<Reference>()
    const made = (page: number): Reference[] => Array.from({ length: 500 }, (_, i) => `${refFrom('x').slice(0, 4)}${(page * 500 + i + 1).toString(16).padStart(64, '0')}` as Reference)
    const strange: string[] = []
    pullFrom(knowledgeOf(domain), (request) => {
      if (request.t === 'inventory') {
        const refs = made(pages++)
        last = new Set(refs)
        return { t: 'inventory-answer', id: 0, status: 'held', digest: digestFrom('x'), refs, more: true }
      }
      if (request.t === 'objects') for (const r of request.refs) if (!last.has(r)) strange.push(r)
      return honest(new DomainKnowledge(domain.domain))(request)
    })
    expect(pages).toBe(64)
    expect(strange).toEqual([])
  })

  test('with any number of heads leave the greatest and the named ones, and none of lanes that aren\'t kept', () => {
    const main = new TestLane(domain, owner, 'flooded')
    for (let i = 0; i < 3; i++) main.publish(`name ${i}`)
    const named = main.head({ size: 1 })
    const voucher = new TestLane(domain, owner, 'voucher')
    const k = knowledgeOf(domain)
    voucher.give(k, voucher.vouch(main, named))
    const staged = new Staged(k, { commit: () => undefined, refuse: () => undefined, note: () => undefined, evidence: () => undefined, digest: () => undefined })
    const heads = [named, ...Array.from({ length: 400 }, (_, i) => main.head({ size: i + 2, log_root: digestFrom(`root ${i}`), logseq: i + 2 }))]
    const strays = Array.from({ length: 600 }, (_, i) => new TestLane(domain, owner, `stray ${i}`, { manifest: refFrom('another') }))
    for (const item of [main.item, ...heads.flatMap((h) => [h.snapshot, h.signature])]) staged.take(item.ref, item.artifact)
    for (const lane of strays) {
      const head = lane.publish('x')
      for (const item of [lane.item, head.snapshot, head.signature]) staged.take(item.ref, item.artifact)
    }
    staged.flush()
    const ofMain = [...staged.offered.get(main.ref)?.values() ?? []].map((h) => h.snapshot.log_size)
    expect([ofMain.length <= 129, ofMain.includes(1), ofMain.includes(401), ofMain.includes(300)]).toEqual([true, true, true, false])
    expect([...staged.offered.keys()].filter((lane) => !k.lanes.has(lane))).toEqual([])
    expect(k.lanes.size).toBeLessThan(600)
  })

  test('whose pages part heads from their lanes and signatures bring them all the same', () => {
    const { k } = published(5)
    for (const seed of ['b', 'c', 'd']) {
      const lane = new TestLane(domain, owner, seed)
      lane.give(k, lane.publish(seed))
    }
    const b = new DomainKnowledge(domain.domain)
    const pulled = pullFrom(b, (request) => {
      if (request.t !== 'inventory') return honest(k)(request)
      const rest = k.inventory().filter((r) => r > toHex(request.after))
      const same = request.known === k.inventoryDigest()
      return { t: 'inventory-answer', id: 0, status: same ? 'same' : 'held', digest: k.inventoryDigest(), refs: same ? [] : rest.slice(0, 1), more: !same && rest.length > 1 }
    })
    expect(pulled.refused).toEqual([])
    expect(b.inventoryDigest()).toBe(k.inventoryDigest())
  })
})

test('hellos and pulls don\'t make a mirror ask again for what was missing; a new provider and a retry do', async () => {
  const { lane, k: held } = published(1)
  for (let i = 0; i < 20; i++) lane.publish(`n${i}`)
  lane.give(held, lane.head())
  const disk = new SimDisk()
  const blocks = await PackStore.open(disk.kv, disk.packs)
  const l = held.lanes.get(lane.ref)
  const branch = l?.branches[0]
  if (l === undefined || branch === undefined) throw new Error('no lane')
  await blocks.commit([recordOp(domain.domain, { mode: 'mirror', own: false, dormant: false, peers: [] }), ...controlOps(held, held.inventory()), ...branchOps(held, l, branch, 0), ...unpersistedOps(held)])
  const engine = await engineOn(disk.kv, blocks)
  await engine.wakeAll()
  const asked: Record<string, number> = {}
  const mirror = new Mirror({
    engine,
    fetchBlocks: () => async (peer, refs) => {
      asked[peer] = (asked[peer] ?? 0) + refs.length
      return { missing: [...refs] }
    },
    stop: { aborted: false, throwIfAborted: () => undefined },
    onContent: () => undefined,
    onFailure: (_domain, err) => { throw err as Error }
  })
  engine.onReport(mirror.onReport)
  const k = await engine.knowledge(domain.domain)
  const hello = async (peer: string): Promise<void> => {
    engine.step({ type: 'peer', peer, up: true })
    engine.step({ type: 'frame', peer, channel: 'hello', direction: 'request', bytes: helloWire.encode({ t: 'hello', version: 1, agent: 's', domains: [{ domain: domain.domain, digest: k.inventoryDigest() }] }) })
    await engine.settled()
    await mirror.idle()
  }
  await hello('a')
  await hello('b')
  expect(asked).toEqual({ a: 20, b: 20 })
  for (let i = 0; i < 5; i++) await hello('b')
  mirror.onReport({ kind: 'pulled', peer: 'b', domain: domain.domain, outcome: 'same' })
  await mirror.idle()
  expect(asked).toEqual({ a: 20, b: 20 })
  // Something new is asked of all, and nothing else with it.
  lane.give(k, lane.publish('fresh'))
  mirror.onReport({ kind: 'changed', domain: domain.domain, by: 'gossip' })
  await mirror.idle()
  expect(asked).toEqual({ a: 21, b: 21 })
  await hello('c')
  expect(asked).toEqual({ a: 21, b: 21, c: 21 })
  // Both at once.
  lane.give(k, lane.publish('fresher'))
  await hello('d')
  expect(asked).toEqual({ a: 22, b: 22, c: 22, d: 22 })
  await mirror.retry()
  await mirror.idle()
  expect(asked).toEqual({ a: 44, b: 44, c: 44, d: 44 })
})

async function engineOn (kv: MemoryKv | SimDisk['kv'], blocks: unknown): Promise<Engine> {
  return await Engine.load({ kv, blocks: blocks as PackStore, audience: new AudienceIndex(kv), markers: { mayContinue: () => true, write: () => undefined }, random: (n) => '11'.repeat(n) }, { agent: 'a' })
}

describe('the engine', () => {
  async function engineOf (): Promise<Engine> {
    const kv = new MemoryKv()
    const k = knowledgeOf(domain)
    kv.write(controlOps(k, k.inventory()))
    return await engineOn(kv, { commit: async (ops: never[]) => { kv.write(ops) } })
  }

  test('shows no domain that was unfollowed while the store was still read for it, whatever comes in between', async () => {
    for (let hops = 0; hops < 40; hops++) {
      const e = await engineOf()
      const following = e.follow(domain.domain, 'mirror', [])
      while (!e.records.has(domain.domain)) await Promise.resolve()
      for (let i = 0; i < hops; i++) await Promise.resolve()
      const more: Array<Promise<unknown>> = [e.unfollow(domain.domain), e.remember(domain.domain, ['/ip4/1.2.3.4'])]
      await Promise.all([following, ...more])
      await e.settled()
      expect(e.records.get(domain.domain)).toMatchObject({ dormant: true, peers: ['/ip4/1.2.3.4'] })
      expect([e.replica.domains.has(domain.domain), e.shows(domain.domain)]).toEqual([false, false])
      await Promise.all([e.follow(domain.domain, 'mirror', []), e.unfollow(domain.domain), e.follow(domain.domain, 'mirror', [])])
      expect([e.records.get(domain.domain)?.dormant, e.shows(domain.domain)]).toEqual([false, true])
    }
  })

  test('outlives a listener and an outside that throw', async () => {
    const e = await engineOf()
    const trouble: string[] = []
    const heard: string[] = []
    const fails = (what: string) => (): never => { throw new Error(what) }
    e.onTrouble = (err) => { trouble.push((err as Error).message) }
    e.onFailure((err) => { throw err as Error })
    e.onReport(fails('a listener'))
    e.onReport((report) => { heard.push(report.kind) })
    e.outside = { send: fails('send'), gossip: fails('gossip'), subscribe: fails('subscribe'), blame: fails('blame'), seek: fails('seek') }
    await e.follow(domain.domain, 'mirror', [])
    const k = await e.knowledge(domain.domain)
    const lane = new TestLane(domain, owner, 'x')
    lane.give(k, lane.publish('a'))
    e.step({ type: 'published', domain: domain.domain, lane: lane.ref, from: 0 })
    await e.settled()
    expect(heard).toEqual(['changed'])
    expect(trouble).toEqual(['subscribe', 'a listener', 'gossip'])
  })
})
