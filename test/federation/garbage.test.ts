/** Collecting garbage: what goes, what stays, and that nothing else changes by it (RULES V5, R7, V1, M2). */
import fc from 'fast-check'
import { beforeAll, beforeEach, expect, test } from 'vitest'
import type { DomainKnowledge } from '../../src/authority/knowledge.js'
import { defaultPolicy, type DomainPolicy } from '../../src/authority/policy.js'
import { FETCHED } from '../../src/federation/audience.js'
import type { Engine } from '../../src/federation/engine.js'
import { collectGarbage, type Garbage, type GarbageOptions } from '../../src/federation/garbage.js'
import { isWhole, putOps } from '../../src/federation/ledger.js'
import { publishContent } from '../../src/federation/publish.js'
import { installNativeCrypto } from '../../src/node/native-crypto.js'
import { referenceOf } from '../../src/substrate/artifact.js'
import { utf8 } from '../../src/substrate/bytes.js'
import { KEYSPACE } from '../../src/substrate/ports.js'
import type { Reference } from '../../src/substrate/reference.js'
import { SimDisk } from '../../sim/world/disk.js'
import { makeDomain, type TestDomain, testKey, testSigner } from '../helpers/authority-fixtures.js'
import { engineOn, save, tended } from '../helpers/engines.js'
import { TestLane } from '../helpers/lanes.js'
import { anchorLane, bringAuthority, erasePublished, type Published, publishTexts } from '../helpers/publishing.js'
import { verdicts } from '../helpers/worlds.js'

beforeAll(() => { installNativeCrypto() })

const owner = testKey('owner')
const producer = testKey('producer')
const second = testKey('second')
const principals = [...[owner, second].map((key) => ({ key, roles: ['federate', 'produce', 'publish'] as const })), { key: producer, roles: ['produce'] as const }]
const options: GarbageOptions = { replaced: false, unpublished: false, unfollowed: false, pretend: false, signal: { throwIfAborted: () => undefined } }
let domain: TestDomain
let disk: SimDisk
let engine: Engine
let k: DomainKnowledge

async function start (retention: Partial<DomainPolicy['retention_policy']> = {}): Promise<void> {
  const policy = { ...defaultPolicy, retention_policy: { ...defaultPolicy.retention_policy, ...retention } }
  domain = makeDomain({ seed: 'garbage', principals, policy })
  disk = new SimDisk()
  engine = await engineOn('garbage', domain, disk)
  k = await engine.wake(domain.domain)
}

beforeEach(async () => { await start() })

const publish = async (name: string, ...texts: string[]): Promise<Published> => await publishTexts(engine, k, owner, name, ...texts)
const collect = async (more: Partial<GarbageOptions> = {}): Promise<Garbage> => await collectGarbage(engine, { ...options, ...more })
const held = (...refs: Reference[]): boolean[] => refs.map((r) => engine.ports.blocks.has(r))
const anchor = async (p: Published): Promise<void> => { await anchorLane(engine, k, domain, p.lane) }

async function put (text: string): Promise<Reference> {
  const { blocks, kv } = engine.ports
  const ref = await blocks.put(undefined, utf8(text))
  for (const op of putOps(kv, ref)) blocks.enqueue(op)
  await blocks.commit()
  return ref
}

async function firstOf<T> (items: AsyncIterable<T>, fits: (item: T) => boolean): Promise<T> {
  for await (const item of items) if (fits(item)) return item
  throw new Error('none of them fits')
}

test('what is published or proposed stays; what no record reaches goes; what was put stays until it is asked for', async () => {
  const mine = await publish('mine', 'one', 'two')
  const proposal = await publishTexts(engine, k, producer, 'proposal', 'three')
  const leftover = await engine.ports.blocks.put(undefined, utf8('left over'))
  const byHand = await put('by hand')
  const before = verdicts(k)
  expect(await collect({ pretend: true })).toMatchObject({ leftover: { blocks: 1 }, kept: { unpublished: { blocks: 1 } } })
  expect(held(leftover)).toEqual([true])
  expect(await collect()).toEqual({
    givenUp: { blocks: 0, bytes: 0 },
    leftover: { blocks: 1, bytes: 9 + 9 },
    unpublished: { blocks: 0, bytes: 0 },
    kept: { unpublished: { blocks: 1, bytes: 7 + 9 }, leftover: { blocks: 0, bytes: 0 } },
    replaced: { roots: 0, waiting: 0 }
  })
  expect(held(mine.root, ...mine.files, proposal.root, ...proposal.files, byHand, leftover)).toEqual([true, true, true, true, true, true, false])
  expect(await collect({ unpublished: true })).toMatchObject({ unpublished: { blocks: 1, bytes: 7 + 9 } })
  expect(held(byHand)).toEqual([false])
  expect([...disk.map.keys()].filter((at) => at.startsWith(KEYSPACE.put.toString(16)) && at.length > 2)).toEqual([])
  expect(verdicts(k)).toBe(before)
})

test.each([['a publication', owner], ['a proposal', producer]])('%s that was interrupted leaves marks that save nothing, and are gone with its blocks', async (_what, key) => {
  const proposed = key === producer ? await publishTexts(engine, k, producer, 'proposal', 'three') : undefined
  let ref: Reference | undefined
  await expect(publishContent(engine, k, testSigner(key), 'x', async (onBlock) => {
    ref = await engine.ports.blocks.put(undefined, utf8('half of it'))
    onBlock(ref)
    throw new Error('called off')
  })).rejects.toThrow('called off')
  const marks = (): number => [...disk.map.keys()].filter((at) => at.startsWith(KEYSPACE.audience.toString(16))).length
  await engine.commit([])
  const others = proposed === undefined ? [] : [proposed.root, ...proposed.files]
  expect(marks()).toBe(1 + others.length)
  expect(await collect({ pretend: true })).toMatchObject({ leftover: { blocks: 1 } })
  expect(await collect()).toMatchObject({ leftover: { blocks: 1 } })
  expect([held(ref as Reference, ...others), marks()]).toEqual([[false, ...others.map(() => true)], others.length])
})

test('M2: where the policy keeps what is unpublished, only what was given up goes', async () => {
  await start({ gc_unpublished_allowed: false })
  const gone = await publish('gone', 'one')
  const leftover = await engine.ports.blocks.put(undefined, utf8('left over'))
  const byHand = await put('by hand')
  await erasePublished(engine, k, owner, gone)
  await anchor(gone)
  expect(await collect({ unpublished: true })).toMatchObject({ givenUp: { blocks: 2 }, leftover: { blocks: 0 }, unpublished: { blocks: 0 }, kept: { leftover: { blocks: 1 }, unpublished: { blocks: 1 } } })
  expect(held(leftover, byHand, gone.root, ...gone.files)).toEqual([true, true, false, false])
})

test('R7: the bytes of what was erased go once an anchor covers the erasure, and what others name stays', async () => {
  const gone = await publish('gone', 'alone', 'shared')
  const stays = await publish('stays', 'shared')
  const [alone, shared] = gone.files as [Reference, Reference]
  await erasePublished(engine, k, owner, gone)
  await collect({ replaced: true })
  // It could be a thief's.
  expect(held(gone.root, alone, shared)).toEqual([true, true, true])
  await anchor(gone)
  const before = verdicts(k)
  expect(await collect()).toMatchObject({ givenUp: { blocks: 2 } })
  expect(held(gone.root, alone, shared, stays.root)).toEqual([false, false, true, true])
  expect(verdicts(k)).toBe(before)
})

test('what our own domain erased goes though it was put by hand; another domain\'s erasure takes nothing of ours', async () => {
  const { blocks } = engine.ports
  const mine = await publish('mine', 'mine')
  await put('mine')
  await erasePublished(engine, k, owner, mine)
  await anchor(mine)
  await collect()
  expect(held(...mine.files)).toEqual([false])
  // As a follower of the same domain: what it put itself stays.
  engine.records.set(domain.domain, { mode: 'mirror', own: false, dormant: false, peers: [] })
  const other = await publish('other', 'other')
  await put('other')
  await erasePublished(engine, k, owner, other)
  await anchor(other)
  await collect()
  expect([held(other.root), held(...other.files)]).toEqual([[false], [true]])
  expect(blocks.damaged.size).toBe(0)
})

test('V5: replaced content goes after so many records, if anchors cover what replaced it and those', async () => {
  await start({ min_snapshot_retention: 2 })
  const versions: Published[] = []
  for (const n of [1, 2, 3]) versions.push(await publish('name', `version ${n}`, 'same'))
  const kept = await publish('other', 'version 1')
  const fifth = await publish('name', 'version 5')
  const roots = versions.map((v) => v.root)
  expect(await collect({ replaced: true })).toMatchObject({ replaced: { roots: 0, waiting: 3 } })
  expect(held(...roots)).toEqual([true, true, true])
  await anchor(fifth)
  // The first was replaced by the second, which three records came after; the second by the third, which two did.
  const before = verdicts(k)
  expect(await collect({ replaced: true, pretend: true })).toMatchObject({ replaced: { roots: 1, waiting: 2 }, givenUp: { blocks: 1 } })
  expect(held(...roots)).toEqual([true, true, true])
  expect(await collect()).toMatchObject({ replaced: { roots: 0, waiting: 0 }, givenUp: { blocks: 0 } })
  expect(await collect({ replaced: true })).toMatchObject({ replaced: { roots: 1, waiting: 2 }, givenUp: { blocks: 1 } })
  expect(held(...roots)).toEqual([false, true, true])
  // Another name still names a part of it.
  expect(held(...kept.files, ...(versions[1] as Published).files)).toEqual([true, true, true])
  expect([roots[0], fifth.root].map((r) => isWhole(engine.ports.kv, domain.domain, r as Reference))).toEqual([false, true])
  expect(verdicts(k)).toBe(before)
  expect(await collect({ replaced: true })).toMatchObject({ replaced: { roots: 0 }, givenUp: { blocks: 0 } })
})

test('a stolen key that writes over everything, ever so often, empties nobody\'s store', async () => {
  await start({ min_snapshot_retention: 0 })
  const mine = await publish('mine', 'precious')
  await anchor(mine)
  for (let n = 0; n < 5; n++) await publish('mine', `rubbish ${n}`)
  expect(await collect({ replaced: true })).toMatchObject({ replaced: { roots: 0, waiting: 5 } })
  expect(held(mine.root, ...mine.files)).toEqual([true, true])
})

test('while a block is damaged nothing is given up that it may reach', async () => {
  await start({ min_snapshot_retention: 0 })
  await publish('name', 'shared', 'one')
  const now = await publish('name', 'shared', 'two')
  const gone = await publish('gone', 'gone')
  await publish('x', 'x')
  await erasePublished(engine, k, owner, gone)
  // The Tree that says that 'shared' is still needed, at its place in the pack.
  const entry = await firstOf(engine.ports.blocks.blocks(), ([ref]) => ref === now.root)
  disk.flip(entry[1].pack, entry[1].offset + 60)
  await anchor(now)
  await collect({ replaced: true })
  expect(engine.ports.blocks.damaged.size).toBe(1)
  expect(held(...now.files, ...gone.files)).toEqual([true, true, true])
})

test('nor one that nobody anchored, however much the owner anchors elsewhere', async () => {
  await start({ min_snapshot_retention: 0 })
  const mine = await publish('mine', 'precious')
  await publishTexts(engine, k, second, 'mine', 'rubbish')
  await publish('x', 'more')
  await anchor(await publish('y', 'still more'))
  expect(await collect({ replaced: true })).toMatchObject({ replaced: { roots: 0, waiting: 1 } })
  expect(held(mine.root, ...mine.files)).toEqual([true, true])
})

test('what a domain that is followed no more left goes when asked for, and is marked anew when it comes again', async () => {
  const { audience, blocks } = engine.ports
  const theirs = await publish('theirs', 'one', 'two')
  const ours = await put('one')
  const record = { mode: 'mirror' as const, own: false, peers: [] }
  engine.records.set(domain.domain, { ...record, dormant: true })
  await engine.commit([audience.charge(domain.domain, 500)])
  expect(await collect({ replaced: true })).toMatchObject({ givenUp: { blocks: 0 } })
  expect(await collect({ unfollowed: true, pretend: true })).toMatchObject({ givenUp: { blocks: 2 } })
  expect(await collect({ unfollowed: true })).toMatchObject({ givenUp: { blocks: 2 } })
  expect(held(theirs.root, ...theirs.files, ours).filter(Boolean)).toHaveLength(2) // 'one', twice
  expect([audience.usedBytes(domain.domain), isWhole(engine.ports.kv, domain.domain, theirs.root)]).toEqual([0, false])
  engine.records.set(domain.domain, { ...record, dormant: false })
  const ref = await blocks.put(undefined, utf8('two'))
  audience.take(domain.domain, ref, 0, 12)
  await engine.commit(audience.settle(domain.domain))
  expect([audience.heldFor(domain.domain, ref), audience.usedBytes(domain.domain)]).toEqual([true, 12])
})

test('an import that comes to nothing doesn\'t cost what was held back: a proposal, or what was erased and may be a thief\'s work', async () => {
  const proposal = await publishTexts(engine, k, producer, 'proposal', 'three', 'four')
  const mine = await publish('mine', 'precious')
  await erasePublished(engine, k, owner, mine)
  const refs = [proposal, mine].flatMap((p) => [...p.files, p.root])
  await expect(publishContent(engine, k, testSigner(owner), 'x', async (onBlock) => {
    for (const r of refs) onBlock(r)
    throw new Error('called off')
  })).rejects.toThrow('called off')
  await engine.commit([])
  expect(await collect()).toMatchObject({ leftover: { blocks: 0 } })
  expect(held(...refs)).toEqual(refs.map(() => true))
  // Published after all, it counts, and belongs to nobody any less.
  const again = await publishTexts(engine, k, owner, 'x', 'three', 'four')
  expect([again.root, engine.ports.audience.heldFor(domain.domain, proposal.root)]).toEqual([proposal.root, true])
})

test('V5: what was put by hand stays when what named it was replaced', async () => {
  await start({ min_snapshot_retention: 0 })
  await publish('name', 'put')
  const byHand = await put('put')
  await publish('name', 'new')
  await anchor(await publish('x', 'x'))
  expect(await collect({ replaced: true })).toMatchObject({ replaced: { roots: 1 } })
  expect(held(byHand)).toEqual([true])
})

test('in a store of an older program everything that no record names counts as put by hand', async () => {
  const leftover = await engine.ports.blocks.put(undefined, utf8('put long ago'))
  disk.map.delete(KEYSPACE.put.toString(16))
  expect(await collect()).toMatchObject({ leftover: { blocks: 0 }, kept: { unpublished: { blocks: 1 } } })
  expect(await collect({ unpublished: true })).toMatchObject({ unpublished: { blocks: 1 } })
  expect(held(leftover)).toEqual([false])
  // From then on all is known.
  await engine.ports.blocks.put(undefined, utf8('left over'))
  expect(await collect()).toMatchObject({ leftover: { blocks: 1 } })
})

test('giving up a large content in several batches: what a crash leaves is found again, and all of it is paid back', async () => {
  await start({ min_snapshot_retention: 0 })
  const big = await publish('big', ...Array.from({ length: 2000 }, (_, i) => `file ${10_000 + i}`))
  const more = await publish('more', ...Array.from({ length: 2000 }, (_, i) => `file ${20_000 + i}`))
  const again = await publish('even more', ...Array.from({ length: 2000 }, (_, i) => `file ${30_000 + i}`))
  for (const name of ['big', 'more', 'even more']) await publish(name, 'small')
  await anchor(await publish('x', 'x'))
  const { audience, blocks } = engine.ports
  engine.records.set(domain.domain, { mode: 'mirror', own: false, dormant: false, peers: [] })
  let charged = 0
  for (const p of [big, more, again]) for (const ref of [p.root, ...p.files]) charged += (await blocks.getBytes(ref))?.length ?? 0
  await engine.commit([audience.charge(domain.domain, charged)])
  const commit = engine.commit.bind(engine)
  let batches = 0
  engine.commit = async (ops) => {
    if (ops.length > 1000 && ++batches > 1) throw new Error('the power is gone')
    await commit(ops)
  }
  await expect(collect({ replaced: true })).rejects.toThrow('the power is gone')
  disk = disk.restart()
  engine = await engineOn('after', undefined, disk)
  k = await engine.wake(domain.domain)
  engine.records.set(domain.domain, { mode: 'mirror', own: false, dormant: false, peers: [] })
  await collect({ replaced: true })
  expect([big, more, again].flatMap((p) => held(p.root, ...p.files)).filter(Boolean)).toEqual([])
  expect(engine.ports.audience.usedBytes(domain.domain)).toBe(0)
})

test('whoever waits to collect can call it off', async () => {
  let go: () => void = () => undefined
  const slow = engine.gate.together(domain.domain, async () => { await new Promise<void>((resolve) => { go = resolve }) })
  let stop: (err: Error) => void = () => undefined
  const calledOff = new Promise<never>((_resolve, reject) => { stop = reject })
  const collecting = collect({ calledOff })
  stop(new Error('called off'))
  await expect(collecting).rejects.toThrow('called off')
  go()
  await slow
  expect(await collect()).toMatchObject({ leftover: { blocks: 0 } })
})

test('it waits for what is being brought in, and what comes waits for it', async () => {
  const order: string[] = []
  let go: () => void = () => undefined
  const publishing = publishContent(engine, k, testSigner(owner), 'slow', async (onBlock) => {
    const ref = await engine.ports.blocks.put(undefined, utf8('slow'))
    order.push('put')
    await new Promise<void>((resolve) => { go = resolve })
    onBlock(ref)
    return { ref, mode: 0o644 }
  })
  while (order.length === 0) await Promise.resolve()
  const collecting = collect().then((g) => { order.push('collected'); return g })
  for (let turn = 0; turn < 50; turn++) await Promise.resolve()
  expect(order).toEqual(['put'])
  go()
  const { content } = await publishing
  expect(await collecting).toMatchObject({ leftover: { blocks: 0 } })
  expect(held(content.ref)).toEqual([true])
})

/** Any life of a domain, collected at any moment, with the power going at any step: no verdict changes, and every current name stays whole. */
test('whatever happened before, collecting changes no verdict and takes nothing that a current name needs', async () => {
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.record({ do: fc.constant('publish' as const), name: fc.nat(3), texts: fc.uniqueArray(fc.nat(5), { minLength: 1, maxLength: 3 }) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('anchor' as const, 'collect' as const, 'restart' as const) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('erase' as const), which: fc.nat(9) }) }
  )
  await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 14 }), fc.nat(1), fc.nat(60), async (steps, kept, cutAt) => {
    await start({ min_snapshot_retention: kept })
    const made: Published[] = []
    const whole = async (): Promise<void> => {
      for (const e of k.view().current.values()) {
        const p = made.find((m) => m.root === e.ref)
        if (p !== undefined) expect([e.name, ...held(p.root, ...p.files)]).toEqual([e.name, true, ...p.files.map(() => true)])
      }
    }
    const reopen = async (): Promise<void> => {
      disk = disk.restart()
      engine = await engineOn(`again ${made.length}`, undefined, disk)
      k = await engine.wake(domain.domain)
      await tended(engine)
    }
    for (const s of [...steps, { do: 'collect' as const }]) {
      if (s.do === 'publish') made.push(await publish(`name ${s.name}`, ...s.texts.map((t) => `text ${t}`)))
      else if (s.do === 'anchor' && made.length > 0) await anchor(made.at(-1) as Published)
      else if (s.do === 'erase' && made.length > 0) await erasePublished(engine, k, owner, made[s.which % made.length] as Published).catch((err: unknown) => { if ((err as { code?: string }).code === undefined) throw err })
      else if (s.do === 'restart') await reopen()
      else if (s.do === 'collect') {
        const before = verdicts(k)
        await collect({ replaced: true, unpublished: true })
        await engine.ports.blocks.compact({ signal: options.signal })
        expect(verdicts(k)).toBe(before)
        await whole()
      }
    }
    // Once more with the power going in the middle.
    const before = verdicts(k)
    disk.cutAt = disk.steps + cutAt
    await collect({ replaced: true }).then(async () => await engine.ports.blocks.compact({ signal: options.signal })).catch(() => undefined)
    await reopen()
    expect(verdicts(k)).toBe(before)
    await whole()
  }), { numRuns: 60 })
})

test.each([false, true])('what a branch names that isn\'t in force stays (it names the same: %s)', async (same) => {
  await start({ min_snapshot_retention: 0 })
  const { audience, blocks } = engine.ports
  const lane = new TestLane(domain, owner, 'forked')
  const record = (on: TestLane, name: string, text: string): ReturnType<TestLane['head']> => on.append({ kind: 'publish', salt: on.salt(), name, ref: referenceOf(undefined, utf8(text)), mode: 0o644 })
  for (const text of ['one', 'two', 'three']) record(lane, 'name', text)
  const head = record(lane, 'x', 'x')
  const twin = lane.fork(1)
  const other = record(twin, 'y', same ? 'one' : 'y')
  lane.give(k, head)
  twin.give(k, other)
  const refs: Reference[] = []
  for (const text of ['one', 'two', 'three', 'x', 'y']) {
    const ref = await blocks.put(undefined, utf8(text))
    audience.take(domain.domain, ref, FETCHED, text.length)
    refs.push(ref)
  }
  await engine.commit(audience.settle(domain.domain))
  await save(engine, k)
  // E5: while the fork is open every name in the key's scope is contested, and nothing of it goes.
  await bringAuthority(engine, k, domain.manifest({ cuts: [{ lane: lane.ref, snapshot: head.ref, ends: false }] }).items)
  await collect({ replaced: true })
  expect(held(...refs)).toEqual([true, true, true, true, true])
  await bringAuthority(engine, k, domain.manifest({ cuts: [{ lane: lane.ref, snapshot: head.ref, ends: true }] }).items)
  expect(k.view().lanes.get(lane.ref)).toMatchObject({ anchored: 4, exported: 4 })
  await collect({ replaced: true })
  expect(held(...refs)).toEqual([same, false, true, true, true])
  expect(audience.noted(domain.domain, refs[0] as Reference)).toBe(same)
})
