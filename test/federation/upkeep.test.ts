/** What is served follows what the view exports: vouches show, erasures hide, cuts bring back, anchors end (RULES R7, A2, V1-V4, K4). */
import { beforeAll, beforeEach, expect, test } from 'vitest'
import { appendRecord } from '../../src/federation/append.js'
import type { Engine } from '../../src/federation/engine.js'
import { isWhole, unpersistedOps } from '../../src/federation/ledger.js'
import { publishContent } from '../../src/federation/publish.js'
import type { DomainKnowledge } from '../../src/authority/knowledge.js'
import { installNativeCrypto } from '../../src/node/native-crypto.js'
import { utf8 } from '../../src/substrate/bytes.js'
import type { Reference } from '../../src/substrate/reference.js'
import { SimDisk } from '../../sim/world/disk.js'
import { makeDomain, type TestDomain, testKey, testSigner } from '../helpers/authority-fixtures.js'
import { engineOn, tended } from '../helpers/engines.js'
import { knowledgeOf, TestLane } from '../helpers/lanes.js'
import { bringAuthority, erasePublished, type Published, publishTexts } from '../helpers/publishing.js'

beforeAll(() => { installNativeCrypto() })

const owner = testKey('owner')
const producer = testKey('producer')
const eraser = testKey('eraser')
const rest = [{ key: owner, roles: ['federate', 'produce', 'publish'] as const }, { key: producer, roles: ['produce'] as const }]
let domain: TestDomain
let disk: SimDisk
let engine: Engine
let k: DomainKnowledge

async function open (): Promise<void> { engine = await engineOn('upkeep', undefined, disk) }

beforeEach(async () => {
  domain = makeDomain({ seed: 'upkeep', principals: [...rest, { key: eraser, roles: ['federate', 'publish'] }] })
  disk = new SimDisk()
  await open()
  await engine.found(knowledgeOf(domain))
  k = await engine.wake(domain.domain)
})

const publish = async (key: typeof owner, name: string, ...texts: string[]): Promise<Published> => await publishTexts(engine, k, key, name, ...texts)

const served = async (...refs: Reference[]): Promise<boolean[]> => (await engine.blocksFor(domain.domain, refs)).map((b) => b !== undefined)

const erase = async (key: typeof owner, p: Published): Promise<void> => { await erasePublished(engine, k, key, p) }

async function vouch (key: typeof owner, lane: Reference): Promise<void> {
  const snapshot = k.lanes.get(lane)?.branches[0]?.head.ref
  if (snapshot === undefined) throw new Error('no such lane')
  await appendRecord(engine, k, testSigner(key), { kind: 'vouch', lane, snapshot })
  await tended(engine)
}

const amended = async (items: ReturnType<TestDomain['manifest']>['items']): Promise<void> => { await bringAuthority(engine, k, items) }

test('a producer\'s content is served from the vouch on that exports it, and what it only names isn\'t', async () => {
  const mine = await publish(producer, 'mine', 'one', 'two')
  expect(await served(mine.root, ...mine.files)).toEqual([false, false, false])
  // Put here by somebody, published by nobody: that a leaf names it changes nothing (V1).
  const secret = await engine.ports.blocks.put(undefined, utf8('secret'))
  const hostile = new TestLane(domain, producer, 'hostile')
  hostile.append({ kind: 'publish', salt: hostile.salt(), name: 'leak', ref: secret, mode: 0o644 })
  hostile.give(k, hostile.head())
  await vouch(owner, mine.lane)
  await vouch(owner, hostile.ref)
  expect([...k.view().current.keys()]).toEqual(['leak', 'mine'])
  expect(await served(mine.root, ...mine.files, secret)).toEqual([true, true, true, false])
})

test('a proposal published again by one who may export needs no vouch', async () => {
  const proposed = await publish(producer, 'mine', 'one')
  await publish(owner, 'ours', 'one')
  expect(await served(proposed.root, ...proposed.files)).toEqual([true, true])
})

test('only what nothing else reaches stops being served, and a restart doesn\'t bring it back', async () => {
  const gone = await publish(owner, 'gone', 'alone', 'shared')
  const stays = await publish(owner, 'stays', 'shared', 'other')
  const [alone, shared] = gone.files as [Reference, Reference]
  expect(await served(gone.root, alone, shared)).toEqual([true, true, true])
  await erase(owner, gone)
  expect(await served(gone.root, alone, shared, stays.root, ...stays.files)).toEqual([false, false, true, true, true, true])
  await open()
  k = await engine.wake(domain.domain)
  await tended(engine)
  expect(await served(gone.root, alone, shared)).toEqual([false, false, true])
  // The bytes are still here: the erasure could be a thief's.
  expect([gone.root, alone].map((r) => engine.ports.blocks.has(r))).toEqual([true, true])
  expect(engine.ports.audience.noted(domain.domain, alone)).toBe(true)
})

test('the same content under another name keeps being served', async () => {
  const first = await publish(owner, 'first', 'same')
  const second = await publish(owner, 'second', 'same')
  expect(second.root).toBe(first.root)
  await erase(owner, first)
  expect(await served(first.root, ...first.files)).toEqual([true, true])
  await erase(owner, second)
  expect(await served(first.root, ...first.files)).toEqual([false, false])
  await publish(owner, 'third', 'same')
  expect(await served(first.root, ...first.files)).toEqual([true, true])
})

test('a cut that ends the erasure brings the content back (a stolen key can\'t destroy it)', async () => {
  const mine = await publish(owner, 'mine', 'text')
  const before = await publish(eraser, 'b', 'honest')
  const snapshot = k.lanes.get(before.lane)?.branches[0]?.head.ref as Reference
  await erase(eraser, mine)
  expect(await served(mine.root, ...mine.files)).toEqual([false, false])
  await amended(domain.manifest({ principals: rest, closed: [eraser], cuts: [{ lane: before.lane, snapshot, ends: true }] }).items)
  expect(k.view().erased.size).toBe(0)
  expect(await served(mine.root, ...mine.files)).toEqual([true, true])
})

test('under an anchor it is given up for good: no trace that it was this domain\'s', async () => {
  const mine = await publish(owner, 'mine', 'text', 'kept')
  const kept = await publish(owner, 'kept', 'kept')
  await erase(owner, mine)
  const snapshot = k.lanes.get(mine.lane)?.branches[0]?.head.ref as Reference
  await amended(domain.manifest({ cuts: [{ lane: mine.lane, snapshot, ends: false }] }).items)
  const [, text] = mine.files as [Reference, Reference]
  const { audience, kv } = engine.ports
  expect([mine.root, text].map((r) => audience.noted(domain.domain, r))).toEqual([false, false])
  expect([mine.root, kept.root].map((r) => isWhole(kv, domain.domain, r))).toEqual([false, true])
  expect(await served(mine.root, text, ...kept.files, kept.root)).toEqual([false, false, true, true])
})

test('what is given up is given back as it was charged: whole artifacts, not their payloads (V2)', async () => {
  const mine = await publish(owner, 'mine', 'text', 'other')
  await erase(owner, mine)
  const { audience, blocks } = engine.ports
  // Somebody else's domain: our own pays nothing.
  engine.records.set(k.domain, { mode: 'mirror', own: false, dormant: false, peers: [] })
  let charged = 0
  for (const ref of [mine.root, ...mine.files]) charged += (await blocks.getBytes(ref))?.length ?? 0
  await engine.commit([audience.charge(k.domain, charged + 1000)])
  const snapshot = k.lanes.get(mine.lane)?.branches[0]?.head.ref as Reference
  await amended(domain.manifest({ cuts: [{ lane: mine.lane, snapshot, ends: false }] }).items)
  expect([mine.root, ...mine.files].map((r) => audience.noted(domain.domain, r))).toEqual([false, false, false])
  expect(audience.usedBytes(k.domain)).toBe(1000)
})

test.each([false, true])('content that nobody vouches for any more isn\'t served (the process ended before it was held back: %s)', async (crashed) => {
  const before = await publish(eraser, 'b', 'honest')
  const snapshot = k.lanes.get(before.lane)?.branches[0]?.head.ref as Reference
  const mine = await publish(producer, 'mine', 'one')
  await vouch(eraser, mine.lane)
  expect(await served(mine.root, ...mine.files)).toEqual([true, true])
  const { items } = domain.manifest({ principals: rest, closed: [eraser], cuts: [{ lane: before.lane, snapshot, ends: true }] })
  if (crashed) {
    for (const { artifact } of items) k.admit(artifact)
    await engine.commit(unpersistedOps(k))
    await open()
    k = await engine.wake(domain.domain)
    await tended(engine)
  } else await amended(items)
  // Every leaf of it still counts, and none is exported.
  expect(k.view().lanes.get(mine.lane)).toMatchObject({ limit: 1, exported: 0 })
  expect(await served(mine.root, ...mine.files, before.root)).toEqual([false, false, true])
  await vouch(owner, mine.lane)
  expect(await served(mine.root, ...mine.files)).toEqual([true, true])
})

test('erasing waits for a publication under way, which may rely on the same blocks', async () => {
  const gone = await publish(owner, 'gone', 'text')
  let release: () => void = () => undefined
  const waiting = new Promise<void>((resolve) => { release = resolve })
  const [text] = gone.files as [Reference]
  const publishing = publishContent(engine, k, testSigner(eraser), 'kept', async (onBlock) => {
    onBlock(text)
    await waiting
    return { ref: text, mode: 0o644 }
  })
  const leafHash = k.lanes.get(gone.lane)?.branches[0]?.log.leafHash(gone.index)
  await appendRecord(engine, k, testSigner(owner), { kind: 'erase', lane: gone.lane, index: gone.index, leaf_hash: leafHash as never })
  await engine.settled()
  expect(await served(text)).toEqual([true])
  release()
  await publishing
  await tended(engine)
  expect(await served(gone.root, text)).toEqual([false, true])
})
