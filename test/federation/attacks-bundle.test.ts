/** Attacks by and on bundles: what they give away, what old ones bring back, and what a file can make its reader hold or work (B3, K4, R7, V1, L5, THREATS 14, 31). */
import { createPrivateKey, sign as nativeSign } from 'node:crypto'
import { beforeAll, describe, expect, test } from 'vitest'
import { appendRecord } from '../../src/federation/append.js'
import { exportBundle, type ExportOptions, headsOf, importBundle, inspectBundle } from '../../src/federation/bundle.js'
import { BundleIntake } from '../../src/federation/bundle-intake.js'
import { sectionOf } from '../../src/federation/bundle-sections.js'
import type { Engine } from '../../src/federation/engine.js'
import { publishContent } from '../../src/federation/publish.js'
import { answer } from '../../src/federation/serve-sync.js'
import type { DomainKnowledge } from '../../src/authority/knowledge.js'
import { WaitPool } from '../../src/authority/wait-pool.js'
import { installNativeCrypto } from '../../src/node/native-crypto.js'
import { snapshotCodec } from '../../src/publication/lane.js'
import { type Artifact, encodeArtifact, referenceOfArtifact } from '../../src/substrate/artifact.js'
import { concatBytes, toHex, utf8 } from '../../src/substrate/bytes.js'
import type { Reference } from '../../src/substrate/reference.js'
import { signatureCodec, signedMessage } from '../../src/substrate/signature.js'
import { SimDisk } from '../../sim/world/disk.js'
import { digestFrom, makeDomain, refFrom, type TestDomain, testKey, type TestKey, testSigner } from '../helpers/authority-fixtures.js'
import { engineOn, save, tended } from '../helpers/engines.js'
import { admitHead, TestLane } from '../helpers/lanes.js'

beforeAll(() => { installNativeCrypto() })

const owner = testKey('owner')
const writer = testKey('writer')
const thief = testKey('thief')

async function bundleOf (engine: Engine, { domain }: TestDomain, options: ExportOptions = {}): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  for await (const p of exportBundle(engine, domain, options)) parts.push(p)
  return concatBytes(...parts)
}

async function * chunks (bytes: Uint8Array): AsyncGenerator<Uint8Array> { yield bytes }

/** As a pull would bring it. */
async function amended (engine: Engine, k: DomainKnowledge, items: ReturnType<TestDomain['manifest']>['items']): Promise<void> {
  for (const { artifact } of items) k.admit(artifact)
  await save(engine, k)
  engine.upkeep.start(k)
  await tended(engine)
}

interface Published { readonly ref: Reference, readonly lane: Reference, readonly index: number }

async function publish (engine: Engine, k: DomainKnowledge, key: TestKey, name: string, text: string): Promise<Published> {
  const { content, head } = await publishContent(engine, k, testSigner(key), name, async (onBlock) => {
    const ref = await engine.ports.blocks.put(undefined, utf8(text))
    onBlock(ref)
    return { ref, mode: 0o644 }
  })
  return { ref: content.ref, lane: head.lane, index: (k.lanes.get(head.lane)?.held ?? 0) - 1 }
}

const isServed = async (engine: Engine, { domain }: TestDomain, ref: Reference): Promise<boolean> => (await engine.blocksFor(domain, [ref]))[0] !== undefined
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1')

describe('a bundle for anybody', () => {
  const domain = makeDomain({ seed: 'bodies', principals: [{ key: owner }, { key: writer, roles: ['produce', 'publish'] }] })
  const f = new TestLane(domain, owner, 'f')
  const p = new TestLane(domain, writer, 'p')
  for (let i = 0; i < 3; i++) p.publish(`public-${i}`)
  const h3 = p.head()
  f.vouch(p, h3)
  for (let i = 0; i < 3; i++) p.publish(`layoffs-${i}`)
  const h6 = p.head()
  // `diad domain seal` anchors every lane at its head (K4), exported or not.
  domain.manifest({ cuts: [{ lane: p.ref, snapshot: h6.ref, ends: false }] })

  async function sealed (): Promise<{ home: Engine, k: DomainKnowledge }> {
    const home = await engineOn('home', domain)
    const k = await home.wake(domain.domain)
    f.give(k, f.head({ size: 1 }))
    p.give(k, h3)
    p.give(k, h6)
    await save(home, k)
    expect(k.view().lanes.get(p.ref)?.exported).toBe(3)
    return { home, k }
  }

  test('holds no body that a peer wouldn\'t get; the owner\'s own does', async () => {
    const { home, k } = await sealed()
    const got = answer(k, { t: 'leaves', id: 1, domain: domain.domain, lane: p.ref, head: h6.ref, from: 0 })
    expect(got.t === 'leaves-answer' && got.bodies.map((b) => b.length > 0)).toEqual([true, true, true, false, false, false])
    const bytes = await bundleOf(home, domain)
    expect(text(bytes)).not.toContain('layoffs')
    expect(text(await bundleOf(home, domain, { proposals: true }))).toContain('layoffs-2')
    const stranger = await engineOn('stranger')
    expect(await importBundle(stranger, chunks(bytes))).toMatchObject({ status: 'accepted' })
    const theirs = await stranger.knowledge(domain.domain)
    expect([theirs.view().digest, theirs.lanes.get(p.ref)?.held]).toEqual([k.view().digest, 6])
    // A file from before all that proposes nothing, whatever is held.
    const before = await bundleOf(await engineOn('before', domain), domain)
    expect(await importBundle(home, chunks(before))).toMatchObject({ status: 'accepted', proposals: [] })
  })

  test('brings the bodies when a vouch comes, though the receiver has the leaves', async () => {
    const { home, k } = await sealed()
    const stranger = await engineOn('stranger')
    await importBundle(stranger, chunks(await bundleOf(home, domain)))
    const since = headsOf(stranger, await stranger.knowledge(domain.domain))
    const later = f.fork(1)
    later.give(k, later.vouch(p, h6))
    await save(home, k)
    expect(await importBundle(stranger, chunks(await bundleOf(home, domain, { since })))).toMatchObject({ status: 'accepted', refused: [] })
    const theirs = await stranger.knowledge(domain.domain)
    expect([theirs.lacksBodies(), theirs.view().digest, theirs.view().current.size]).toEqual([false, k.view().digest, 6])
  })

  test('leaves out of unexported lanes what they erase themselves, with the rest too', async () => {
    const home = await engineOn('home', domain)
    const k = await home.wake(domain.domain)
    const lane = new TestLane(domain, writer, 'mistaken')
    lane.publish('my-password')
    lane.publish('fine')
    lane.give(k, lane.erase(lane, 0))
    f.give(k, f.head({ size: 1 }))
    p.give(k, h3)
    // Erased by somebody whom nobody vouches for: exported records stay as they are.
    const hostile = new TestLane(domain, writer, 'hostile')
    hostile.give(k, hostile.erase(p, 1))
    await save(home, k)
    expect(k.viewAll().erased.size).toBe(2)
    const all = text(await bundleOf(home, domain, { proposals: true }))
    expect(['my-password', 'fine', 'public-1'].map((name) => all.includes(name))).toEqual([false, true, true])
  })
})

describe('contradicting anchors', () => {
  const domain = makeDomain({ seed: 'anchors', principals: [{ key: owner }, { key: writer, roles: ['publish'] }] })
  const f = new TestLane(domain, owner, 'f')
  const p = new TestLane(domain, writer, 'p')
  for (let i = 0; i < 4; i++) p.publish(`n-${i}`)
  const twin = p.fork(2)
  for (let i = 0; i < 6; i++) twin.publish(`t-${i}`)
  const [h4, t8] = [p.head(), twin.head()]
  f.vouch(p, p.head({ size: 2 }))
  domain.manifest({ cuts: [{ lane: p.ref, snapshot: h4.ref, ends: false }] })
  domain.manifest({ cuts: [{ lane: p.ref, snapshot: t8.ref, ends: false }] })
  // On the branch that has no force, and an end all the same (K3a): who hasn't its log can't tell what it leaves.
  const ending = domain.manifest({ principals: [{ key: owner }], closed: [writer], cuts: [{ lane: p.ref, snapshot: t8.ref, ends: true }] })

  test('both logs are in the bundle, and what begins behind one of them is read too', async () => {
    const home = await engineOn('home', domain)
    const k = await home.wake(domain.domain)
    f.give(k, f.head())
    p.give(k, h4)
    twin.give(k, t8)
    admitHead(k, p.head({ size: 2 }))
    await save(home, k)
    expect([...k.view().current.keys()]).toEqual(['n-0', 'n-1'])
    const stranger = await engineOn('stranger')
    expect(await importBundle(stranger, chunks(await bundleOf(home, domain)))).toMatchObject({ status: 'accepted', refused: [] })
    const theirs = await stranger.knowledge(domain.domain)
    const judged = [k.view().digest, k.inventoryDigest()]
    expect([theirs.view().digest, theirs.inventoryDigest()]).toEqual(judged)
    expect(ending.items.length).toBeGreaterThan(0)
    // Somebody who had but one of them.
    for (const known of [h4, t8]) {
      const other = await engineOn(`other ${known.ref}`, domain)
      other.records.set(domain.domain, { mode: 'mirror', own: false, dormant: false, peers: [] })
      const o = await other.knowledge(domain.domain)
      f.give(o, f.head())
      o.admit(p.item.artifact)
      admitHead(o, p.head({ size: 2 }))
      if (known === h4) p.give(o, h4)
      else twin.give(o, t8)
      await save(other, o)
      const rest = await bundleOf(home, domain, { since: headsOf(other, o) })
      const said = (await inspectBundle(chunks(rest), { base: o })).knowledge?.view()
      expect([said?.digest, said?.lanes.get(p.ref)?.limit]).toEqual([k.view().digest, 2])
      expect(await importBundle(other, chunks(rest))).toMatchObject({ status: 'accepted', refused: [] })
      expect([o.view().digest, o.inventoryDigest()]).toEqual(judged)
    }
  })
})

describe('an old bundle', () => {
  test.each([false, true])('R7: doesn\'t bring back what was erased; for good: %s', async (anchored) => {
    const domain = makeDomain({ seed: `old ${anchored}`, principals: [{ key: owner }] })
    const disk = new SimDisk()
    const home = await engineOn('home', domain, disk)
    const k = await home.wake(domain.domain)
    const fine = await publish(home, k, owner, 'fine', 'fine')
    const secret = await publish(home, k, owner, 'passport', 'my passport')
    const old = await bundleOf(home, domain)
    const leafHash = k.lanes.get(secret.lane)?.branches[0]?.log.leafHash(secret.index)
    const { snapshot } = await appendRecord(home, k, testSigner(owner), { kind: 'erase', lane: secret.lane, index: secret.index, leaf_hash: leafHash ?? '' as never })
    await amended(home, k, anchored ? domain.manifest({ cuts: [{ lane: secret.lane, snapshot, ends: false }] }).items : [])
    expect([k.view().erased.size, k.view().droppable.size, await isServed(home, domain, secret.ref)]).toEqual([1, anchored ? 1 : 0, false])
    const imported = await importBundle(home, chunks(old))
    expect(imported).toMatchObject({ status: 'accepted', missing: 0, unreachable: anchored ? 1 : 0 })
    await tended(home)
    expect([await isServed(home, domain, secret.ref), await isServed(home, domain, fine.ref)]).toEqual([false, true])
    const again = await engineOn('again', undefined, disk)
    await again.wake(domain.domain)
    await tended(again)
    expect([await isServed(again, domain, secret.ref), await isServed(again, domain, fine.ref)]).toEqual([false, true])
  })

  test('V1: of a thief\'s records brings nothing that is served or charged; the owner keeps it out of sight, for what is honest of it (K5)', async () => {
    const domain = makeDomain({ seed: 'old thief', principals: [{ key: owner }, { key: thief }] })
    const far = await engineOn('far', domain)
    const evil = await publish(far, await far.wake(domain.domain), thief, 'evil', 'evil payload')
    const old = await bundleOf(far, domain)
    const base = domain.tip
    const { items } = domain.manifest({ principals: [{ key: owner }], closed: [thief] })
    for (const own of [false, true]) {
      const home = await engineOn(`home ${own}`, domain)
      home.records.set(domain.domain, { mode: 'mirror', own, dormant: false, peers: [] })
      const k = await home.wake(domain.domain)
      await amended(home, k, items)
      expect(await importBundle(home, chunks(old))).toMatchObject({ status: 'accepted', blocks: own ? 1 : 0, unreachable: own ? 0 : 1 })
      await tended(home)
      const { audience } = home.ports
      expect([k.view().current.size, await isServed(home, domain, evil.ref), audience.noted(domain.domain, evil.ref), audience.usedBytes(domain.domain)]).toEqual([0, false, own, 0])
      if (!own) continue
      // M7: it was the closing that was a thief's.
      await amended(home, k, domain.renew({ base }).items)
      expect([k.view().current.size, await isServed(home, domain, evil.ref)]).toEqual([1, true])
    }
  })

  test('of what was exported meanwhile brings what is served', async () => {
    const domain = makeDomain({ seed: 'old proposal', principals: [{ key: owner }, { key: writer, roles: ['produce'] }] })
    const far = await engineOn('far', domain)
    const mine = await publish(far, await far.wake(domain.domain), writer, 'mine', 'mine')
    const old = await bundleOf(far, domain, { proposals: true })
    const home = await engineOn('home', domain)
    const k = await home.wake(domain.domain)
    const f = new TestLane(domain, owner, 'f')
    const lane = (await far.knowledge(domain.domain)).lanes.get(mine.lane)
    const snapshot = lane?.branches[0]?.head.ref ?? '' as Reference
    f.give(k, f.append({ kind: 'vouch', salt: f.salt(), lane: mine.lane, snapshot }))
    await save(home, k)
    expect(await importBundle(home, chunks(old))).toMatchObject({ status: 'accepted', missing: 0, proposals: [] })
    await tended(home)
    expect([[...k.view().current.keys()], await isServed(home, domain, mine.ref)]).toEqual([['mine'], true])
  })
})

describe('V1: what is exported no more', () => {
  const both = [{ key: owner }, { key: thief }]

  test('since a cut ended it is served no more, after a restart neither, and comes back with a base before the cut', async () => {
    const domain = makeDomain({ seed: 'cut', principals: both })
    const disk = new SimDisk()
    const home = await engineOn('home', domain, disk)
    const k = await home.wake(domain.domain)
    const evil = await publish(home, k, thief, 'evil', 'evil payload')
    const shared = await publish(home, k, thief, 'shared', 'shared')
    expect((await publish(home, k, owner, 'ours', 'shared')).ref).toBe(shared.ref)
    await tended(home)
    const { base } = { base: domain.tip }
    await amended(home, k, domain.manifest({ principals: [{ key: owner }], closed: [thief] }).items)
    expect([await isServed(home, domain, evil.ref), await isServed(home, domain, shared.ref)]).toEqual([false, true])
    const again = await engineOn('again', undefined, disk)
    const k2 = await again.wake(domain.domain)
    await tended(again)
    expect([await isServed(again, domain, evil.ref), await isServed(again, domain, shared.ref)]).toEqual([false, true])
    // M7: the closing manifest was a thief's of the root key.
    await amended(again, k2, domain.renew({ base }).items)
    expect([k2.view().current.size, await isServed(again, domain, evil.ref)]).toEqual([3, true])
  })

  test('since a process that died in between, too', async () => {
    const domain = makeDomain({ seed: 'died', principals: both })
    const disk = new SimDisk()
    const home = await engineOn('home', domain, disk)
    const k = await home.wake(domain.domain)
    const evil = await publish(home, k, thief, 'evil', 'evil payload')
    for (const { artifact } of domain.manifest({ principals: [{ key: owner }], closed: [thief] }).items) k.admit(artifact)
    await save(home, k)
    const again = await engineOn('again', undefined, disk)
    await again.wake(domain.domain)
    await tended(again)
    expect(await isServed(again, domain, evil.ref)).toBe(false)
  })

  test('since whoever vouched for it was closed', async () => {
    const domain = makeDomain({ seed: 'voucher', principals: [...both, { key: writer, roles: ['produce', 'publish'] }] })
    const home = await engineOn('home', domain)
    const k = await home.wake(domain.domain)
    const mine = await publish(home, k, writer, 'mine', 'mine')
    const v = new TestLane(domain, thief, 'v')
    v.give(k, v.append({ kind: 'vouch', salt: v.salt(), lane: mine.lane, snapshot: k.lanes.get(mine.lane)?.branches[0]?.head.ref ?? '' as Reference }))
    await amended(home, k, [])
    expect(await isServed(home, domain, mine.ref)).toBe(true)
    await amended(home, k, domain.manifest({ principals: [{ key: owner }, { key: writer, roles: ['produce', 'publish'] }], closed: [thief] }).items)
    expect([k.view().current.size, await isServed(home, domain, mine.ref)]).toEqual([0, false])
    const f = new TestLane(domain, owner, 'f')
    f.give(k, f.append({ kind: 'vouch', salt: f.salt(), lane: mine.lane, snapshot: k.lanes.get(mine.lane)?.branches[0]?.head.ref ?? '' as Reference }))
    await amended(home, k, [])
    expect([k.view().current.size, await isServed(home, domain, mine.ref)]).toEqual([1, true])
  })
})

test('what waits for a cut\'s head stays served, and what it vouches for', async () => {
  const domain = makeDomain({ seed: 'waits', principals: [{ key: owner }, { key: thief }, { key: writer, roles: ['produce', 'publish'] }] })
  const home = await engineOn('home', domain)
  const k = await home.wake(domain.domain)
  const mine = await publish(home, k, writer, 'mine', 'mine')
  const v = new TestLane(domain, thief, 'v')
  v.give(k, v.append({ kind: 'vouch', salt: v.salt(), lane: mine.lane, snapshot: k.lanes.get(mine.lane)?.branches[0]?.head.ref ?? '' as Reference }))
  const own = await home.ports.blocks.put(undefined, utf8('the voucher\'s'))
  await home.commit([home.ports.audience.mark(domain.domain, own, 0) ?? []].flat())
  v.give(k, v.append({ kind: 'publish', salt: v.salt(), name: 'own', ref: own, mode: 0o644 }))
  await amended(home, k, [])
  const longer = v.publish('late')
  await amended(home, k, domain.manifest({ principals: [{ key: owner }, { key: writer, roles: ['produce', 'publish'] }], closed: [thief], cuts: [{ lane: v.ref, snapshot: longer.ref, ends: true }] }).items)
  expect([k.view().lanes.get(v.ref)?.code, k.view().current.size, await isServed(home, domain, mine.ref), await isServed(home, domain, own)]).toEqual(['cut-unlinked', 0, true, true])
  v.give(k, longer)
  await amended(home, k, [])
  expect([[...k.view().current.keys()], await isServed(home, domain, mine.ref)]).toEqual([['late', 'mine', 'own'], true])
})

test('L5: of a closed key\'s lanes no file leaves more than a few, and says so', async () => {
  const domain = makeDomain({ seed: 'pile', principals: [{ key: owner }, { key: thief }] })
  const far = await engineOn('far', domain)
  const there = await far.wake(domain.domain)
  for (let i = 0; i < 40; i++) {
    const lane = new TestLane(domain, thief, `pile ${i}`)
    lane.publish(`x/${i}`)
    lane.give(there, lane.head())
  }
  await save(far, there)
  const file = await bundleOf(far, domain)
  const home = await engineOn('home', domain)
  const k = await home.wake(domain.domain)
  await amended(home, k, domain.manifest({ principals: [{ key: owner }], closed: [thief] }).items)
  for (let i = 0; i < 2; i++) {
    const { status, noted } = await importBundle(home, chunks(file))
    expect([status, noted.length, new Set(noted.map((n) => n.code))]).toEqual(['accepted', 24, new Set(['closed-lanes-bounded'])])
    expect([...k.lanes.values()].filter((l) => l.branches.length > 0).length).toBe(16)
  }
})

describe('THREATS 31: signatures that wait for nothing', () => {
  const mallory = testKey('mallory')
  const key = createPrivateKey({ key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), mallory.secret]), format: 'der', type: 'pkcs8' })
  const over = (target: Reference): Artifact => signatureCodec.artifact({ target, purpose: 'snapshot', public_key: mallory.publicKey, signature: toHex(nativeSign(null, signedMessage('snapshot', target), key)) })

  test('are passed over by their target: as many more of them cost as much as they themselves', () => {
    const pool = new WaitPool<string, number>(() => false)
    for (let i = 0; i < 100_000; i++) pool.add(`key ${i}`, `target ${i % 50_000}`, i)
    // Looking each of these up by a walk would take 5,000,000,000 steps.
    let found = 0
    for (let i = 0; i < 50_000; i++) found += pool.waitingFor(`target ${i}`).length
    expect(found).toBe(100_000)
    for (let i = 0; i < 100_000; i++) pool.delete(`key ${i}`)
    expect([pool.size, pool.waitingFor('target 7')]).toEqual([0, []])
  })

  test('oldest first, and the oldest out first where it is bounded', () => {
    const pool = new WaitPool<string, number>()
    for (let i = 0; i < 300; i++) pool.add(`key ${i}`, `target ${i % 2}`, i)
    expect([pool.size, pool.waitingFor('target 0').length, pool.waitingFor('target 0')[0]]).toEqual([256, 128, ['key 44', 44]])
  })

  test('don\'t keep a file\'s heads from their signatures', () => {
    const domain = makeDomain({ seed: 'stray', principals: [{ key: owner }] })
    const lane = new TestLane(domain, mallory, 'mine')
    const heads = Array.from({ length: 100 }, (_, i) => snapshotCodec.artifact({ lane: lane.ref, log_size: i + 1, log_root: digestFrom(`r${i}`), logseq: i + 1 }))
    const parts = [...domain.items.map((i) => i.artifact), lane.item.artifact].sort((a, b) => (sectionOf(a) ?? 0) - (sectionOf(b) ?? 0))
    parts.push(...Array.from({ length: 100 }, (_, i) => over(refFrom(`stray ${i}`))), ...heads.flatMap((s) => [over(referenceOfArtifact(s)), s]))
    const intake = new BundleIntake(domain.domain, undefined, false)
    for (const a of parts) intake.take({ offset: 0, ref: referenceOfArtifact(a), bytes: encodeArtifact(a) })
    intake.finish(0)
    expect(intake.knowledge.lanes.get(lane.ref)?.heads.size).toBe(100)
  })
})
