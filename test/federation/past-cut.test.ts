/** K3, K5: what a file says beyond the cuts of a closed key's lanes. The owner keeps some of it, to adopt; it is in no view, no inventory and no answer. */
import { beforeAll, expect, test } from 'vitest'
import { exportBundle, importBundle } from '../../src/federation/bundle.js'
import { answer } from '../../src/federation/serve-sync.js'
import type { DomainKnowledge } from '../../src/authority/knowledge.js'
import { installNativeCrypto } from '../../src/node/native-crypto.js'
import { bareLeaf, encodeLeaf } from '../../src/publication/leaf.js'
import { concatBytes } from '../../src/substrate/bytes.js'
import { SimDisk } from '../../sim/world/disk.js'
import { makeDomain, type TestDomain, testKey } from '../helpers/authority-fixtures.js'
import { engineOn, save } from '../helpers/engines.js'
import { type MadeHead, TestLane } from '../helpers/lanes.js'

beforeAll(() => { installNativeCrypto() })

const owner = testKey('owner')
const closed = testKey('closed')

async function * chunks (bytes: Uint8Array): AsyncGenerator<Uint8Array> { yield bytes }

/** A file of somebody who hasn't heard of the closing. */
async function fileOf (domain: TestDomain, give: (k: DomainKnowledge) => void): Promise<Uint8Array> {
  const far = await engineOn('far', domain)
  const k = await far.wake(domain.domain)
  give(k)
  await save(far, k)
  const parts: Uint8Array[] = []
  for await (const p of exportBundle(far, domain.domain, {})) parts.push(p)
  return concatBytes(...parts)
}

interface World { readonly domain: TestDomain, readonly lanes: readonly TestLane[], readonly heads: readonly MadeHead[], readonly close: () => ReturnType<TestDomain['manifest']>['items'] }

/** Lanes of one key with a record each, which a manifest ends there. */
function world (seed: string, count: number): World {
  const domain = makeDomain({ seed, principals: [{ key: owner }, { key: closed }] })
  const lanes = Array.from({ length: count }, (_, i) => new TestLane(domain, closed, `${seed} ${i}`))
  const heads = lanes.map((lane, i) => lane.publish(`before/${i}`))
  const cuts = lanes.map(({ ref }, i) => ({ lane: ref, snapshot: heads[i]!.ref, ends: true })).sort((a, b) => a.lane < b.lane ? -1 : 1)
  return { domain, lanes, heads, close: () => domain.manifest({ principals: [{ key: owner }], closed: [closed], cuts }).items }
}

async function ownerOf ({ domain, lanes, heads, close }: World, disk = new SimDisk()): ReturnType<typeof engineOn> {
  const home = await engineOn('home', domain, disk)
  const k = await home.wake(domain.domain)
  lanes.forEach((lane, i) => { lane.give(k, heads[i]!) })
  for (const { artifact } of close()) k.admit(artifact)
  await save(home, k)
  return home
}

const held = (k: DomainKnowledge): number[] => [...k.lanes.values()].map((l) => l.held).sort()

test('a few lanes are kept for the owner alone, over a restart, too', async () => {
  const made = world('few', 20)
  const { domain, lanes } = made
  const file = await fileOf(domain, (k) => { for (const lane of lanes) { lane.publish('x'); lane.give(k, lane.publish('y')) } })
  const disk = new SimDisk()
  const home = await ownerOf(made, disk)
  const k = await home.wake(domain.domain)
  const [digest, view] = [k.inventoryDigest(), k.viewAll().digest]
  for (let i = 0; i < 2; i++) {
    const { status, noted, uncounted } = await importBundle(home, chunks(file))
    expect([status, noted.filter((n) => n.code === 'closed-lanes-bounded').length, uncounted.filter((u) => u.adoptable && u.code === 'cut' && u.records === 2).length]).toEqual(['accepted', 4, 16])
  }
  const again = await (await engineOn('again', undefined, disk)).knowledge(domain.domain)
  for (const known of [k, again]) {
    expect(held(known)).toEqual([...Array<number>(4).fill(1), ...Array<number>(16).fill(3)])
    expect([known.inventoryDigest(), known.viewAll().digest]).toEqual([digest, view])
    for (const lane of lanes) {
      const past = lane.head()
      expect(known.offered().has(past.ref)).toBe(false)
      expect(answer(known, { t: 'leaves', id: 0, domain: domain.domain, lane: lane.ref, head: past.ref, from: 0 })).toMatchObject({ leaves: new Uint8Array(0) })
    }
  }
})

test('one history of a lane: another one than what is kept is left, and can\'t be adopted', async () => {
  const made = world('two', 1)
  const { domain, lanes: [lane] } = made
  const other = lane!.fork(1)
  const first = await fileOf(domain, (k) => { lane!.give(k, lane!.publish('mine')) })
  const his = await fileOf(domain, (k) => { other.give(k, other.publish('his')) })
  const longer = await fileOf(domain, (k) => { other.give(k, other.publish('too')) })
  const home = await ownerOf(made)
  expect(await importBundle(home, chunks(first))).toMatchObject({ uncounted: [{ names: ['mine'], adoptable: true }] })
  expect(await importBundle(home, chunks(his))).toMatchObject({ uncounted: [{ names: ['his'], adoptable: false }] })
  expect(await importBundle(home, chunks(longer))).toMatchObject({ uncounted: [{ names: ['his', 'too'], adoptable: false }] })
  expect(held(await home.knowledge(domain.domain))).toEqual([2])
  expect(await importBundle(home, chunks(first))).toMatchObject({ uncounted: [{ names: ['mine'], adoptable: true }] })
})

test('not more of one lane than a person can have done', async () => {
  const made = world('long', 1)
  const { domain, lanes: [lane] } = made
  const ticks = Array.from({ length: 65_537 }, (_, i) => bareLeaf('tick', lane!.logseq + 1 + i))
  const file = await fileOf(domain, (k) => {
    lane!.leaves.push(...ticks)
    lane!.log.append(concatBytes(...ticks.map((t) => encodeLeaf(t.leaf))))
    lane!.give(k, lane!.head())
  })
  const home = await ownerOf(made)
  const { noted, uncounted } = await importBundle(home, chunks(file))
  expect([noted.map((n) => n.code), uncounted.map((u) => u.adoptable), held(await home.knowledge(domain.domain))]).toEqual([['closed-lanes-bounded'], [false], [1]])
})

test('who only follows takes nothing of it', async () => {
  const made = world('reader', 1)
  const { domain, lanes: [lane] } = made
  const file = await fileOf(domain, (k) => { lane!.give(k, lane!.publish('late')) })
  const home = await ownerOf(made)
  home.records.set(domain.domain, { mode: 'mirror', own: false, dormant: false, peers: [] })
  expect(await importBundle(home, chunks(file))).toMatchObject({ uncounted: [{ names: ['late'], adoptable: false }] })
  expect(held(await home.knowledge(domain.domain))).toEqual([1])
})
