/** Bundles: what goes out comes in alike, what lies or is cut off changes nothing, and a foreign CAR reader agrees on every block (RULES B3, THREATS 31). */
import { CarReader as ForeignReader } from '@ipld/car'
import { sha256 } from 'multiformats/hashes/sha2'
import fc from 'fast-check'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { AudienceIndex } from '../../src/federation/audience.js'
import { exportBundle, type ExportOptions, headsOf, importBundle, type Imported, type ImportOptions, inspectBundle } from '../../src/federation/bundle.js'
import { Engine } from '../../src/federation/engine.js'
import { branchOps, isWhole, unpersistedOps } from '../../src/federation/ledger.js'
import { sectionOf } from '../../src/federation/bundle-sections.js'
import type { DomainKnowledge } from '../../src/authority/knowledge.js'
import { installNativeCrypto } from '../../src/node/native-crypto.js'
import { decodeArtifact, encodeArtifact, referenceOfArtifactBytes } from '../../src/substrate/artifact.js'
import { concatBytes, utf8 } from '../../src/substrate/bytes.js'
import { type CarBlock, carBlock, carHeader, CarReader } from '../../src/substrate/car.js'
import { PackStore } from '../../src/substrate/pack-store.js'
import { toCid, type Reference } from '../../src/substrate/reference.js'
import { forkEvidenceCodec, makeEvidence } from '../../src/publication/evidence.js'
import { snapshotCodec } from '../../src/publication/lane.js'
import { leafRangeCodec } from '../../src/publication/leaf-range.js'
import { treeCodec } from '../../src/publication/tree.js'
import { SimDisk } from '../../sim/world/disk.js'
import { type Item, itemOf, makeDomain, refFrom, signed, type TestDomain, testKey } from '../helpers/authority-fixtures.js'
import { knowledgeOf, type MadeHead, TestLane } from '../helpers/lanes.js'
import { Dice, pullFrom, honest, verdicts, World } from '../helpers/worlds.js'

beforeAll(() => { installNativeCrypto() })

const owner = testKey('owner')
const helper = testKey('helper')
const stranger = testKey('stranger')
let domain: TestDomain

beforeEach(() => {
  domain = makeDomain({ seed: 'bundle', principals: [{ key: owner, roles: ['federate', 'produce', 'publish'] }, { key: helper, roles: ['produce', 'publish'] }] })
})

async function engineOn (disk = new SimDisk()): Promise<Engine> {
  const { kv, packs } = disk
  const blocks = await PackStore.open(kv, packs, { bufferBytes: 65_536 })
  return await Engine.load({ kv, blocks, audience: new AudienceIndex(kv), markers: { mayContinue: () => true, write: () => undefined }, random: (n) => '11'.repeat(n) }, { agent: 'a' })
}

/** A node that holds what `give` gives it. */
async function holding (about: TestDomain, give: (k: DomainKnowledge) => void, own = true): Promise<Engine> {
  const engine = await engineOn()
  const k = knowledgeOf(about)
  if (own) await engine.found(k)
  else {
    await engine.found(k)
    engine.records.set(k.domain, { mode: 'mirror', own: false, dormant: false, peers: [] })
  }
  give(k)
  const ops = [...k.lanes.values()].flatMap((l) => l.branches.flatMap((b) => branchOps(k, l, b, 0)))
  await engine.commit([...ops, ...unpersistedOps(k)])
  return engine
}

/** Content in the store of `engine`, held for the domain. */
async function content (engine: Engine, about: TestDomain, ...texts: string[]): Promise<Reference> {
  const { blocks, audience } = engine.ports
  const entries = []
  for (const t of [...texts].sort()) entries.push({ kind: 'file' as const, name: t, mode: 0o644, size: utf8(t).length, ref: await blocks.put(undefined, utf8(t)) })
  const tree = itemOf(treeCodec.artifact({ level: 0, entries }))
  await blocks.put(tree.artifact.typeTag, tree.artifact.payload)
  await engine.commit([...entries.map((e) => e.ref), tree.ref].flatMap((r) => audience.mark(about.domain, r, 0) ?? []))
  return tree.ref
}

const publishTree = (lane: TestLane, name: string, ref: Reference): MadeHead => lane.append({ kind: 'publish', salt: lane.salt(), name, ref, mode: 0o755 })

async function bytesOf (engine: Engine, about: Reference, options: ExportOptions = {}): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  for await (const part of exportBundle(engine, about, options)) parts.push(part)
  return concatBytes(...parts)
}

async function * chunks (bytes: Uint8Array, size = 1000): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < bytes.length; i += size) yield bytes.subarray(i, i + size)
}

/** All but the closing one. */
async function blocksOf (bytes: Uint8Array): Promise<CarBlock[]> {
  return (await allBlocks(bytes)).slice(0, -1)
}

async function allBlocks (bytes: Uint8Array): Promise<CarBlock[]> {
  const reader = new CarReader(chunks(bytes))
  await reader.header()
  const out: CarBlock[] = []
  for (let b = await reader.next(); b !== undefined; b = await reader.next()) out.push({ ...b, bytes: b.bytes.slice() })
  return out
}

const rebuilt = (about: Reference, blocks: ReadonlyArray<Pick<CarBlock, 'ref' | 'bytes'>>): Uint8Array => {
  const closing = domain.items.find((i) => i.ref === domain.domain) as Item
  return concatBytes(carHeader(about), ...blocks.map((b) => carBlock(b.ref, b.bytes)), carBlock(closing.ref, encodeArtifact(closing.artifact)))
}
const blockOf = ({ ref, artifact }: Item): Pick<CarBlock, 'ref' | 'bytes'> => ({ ref, bytes: encodeArtifact(artifact) })
const sectionAt = (b: Pick<CarBlock, 'bytes'>): number | undefined => sectionOf(decodeArtifact(b.bytes))

async function imported (engine: Engine, bytes: Uint8Array, options: ImportOptions = {}): Promise<Imported> {
  return await importBundle(engine, chunks(bytes), options)
}

/** All that anybody could see of a node: its views, records, and what it would serve. */
async function visible (engine: Engine, about: Reference, refs: readonly Reference[]): Promise<string> {
  const k = engine.records.has(about) ? await engine.knowledge(about) : undefined
  const served = refs.filter((r) => engine.ports.audience.heldFor(about, r))
  return JSON.stringify({ records: [...engine.records], k: k === undefined ? null : [verdicts(k), k.inventory(), k.viewAll().digest], served })
}

/** A domain with content, a fork, a vouched lane and erased leaves, on the owner's node. */
async function rich (): Promise<{ engine: Engine, lane: TestLane, bytes: Uint8Array }> {
  const lane = new TestLane(domain, owner, 'main')
  const proposed = new TestLane(domain, helper, 'proposed')
  const engine = await holding(domain, () => undefined)
  const refs = [await content(engine, domain, 'one', 'two'), await content(engine, domain, 'one', 'three'), await content(engine, domain, 'from the helper')] as const
  const k = await engine.knowledge(domain.domain)
  publishTree(lane, 'site', refs[0])
  publishTree(lane, 'site', refs[1])
  lane.publish('gone')
  lane.erase(lane, 2)
  const head = publishTree(proposed, 'helped', refs[2])
  proposed.give(k, head)
  lane.give(k, lane.vouch(proposed, head))
  await engine.commit([...[...k.lanes.values()].flatMap((l) => l.branches.flatMap((b) => branchOps(k, l, b, 0))), ...unpersistedOps(k)])
  return { engine, lane, bytes: await bytesOf(engine, domain.domain) }
}

describe('a bundle', () => {
  test('gives another node the same view, content and inventory, and the same file again', async () => {
    const { engine, bytes } = await rich()
    const other = await engineOn()
    const got = await imported(other, bytes, { follow: true })
    expect(got).toMatchObject({ status: 'accepted', refused: [], noted: [], missing: 0, unreachable: 0, leaves: 6, blocks: 5 })
    const [a, b] = [await engine.knowledge(domain.domain), await other.knowledge(domain.domain)]
    expect(verdicts(b)).toBe(verdicts(a))
    expect(b.inventory()).toEqual(a.inventory())
    for (const e of b.view().current.values()) expect(isWhole(other.ports.kv, domain.domain, e.ref)).toBe(true)
    expect(await bytesOf(other, domain.domain)).toEqual(bytes)
    // What lies on disk says the same.
    other.forget(domain.domain)
    expect(verdicts(await other.knowledge(domain.domain))).toBe(verdicts(a))
    // Once more changes nothing.
    const before = await visible(other, domain.domain, [])
    expect(await imported(other, bytes)).toMatchObject({ status: 'accepted', blocks: 0 })
    expect(await visible(other, domain.domain, [])).toBe(before)
  })

  test('is read alike by a foreign CAR reader, block by block', async () => {
    const { bytes } = await rich()
    const foreign = await ForeignReader.fromBytes(bytes)
    expect((await foreign.getRoots()).map(String)).toEqual([toCid(domain.domain)])
    const ours = await allBlocks(bytes)
    const theirs: Array<[string, Uint8Array]> = []
    for await (const { cid, bytes: block } of foreign.blocks()) {
      expect(Buffer.from((await sha256.digest(block)).digest).equals(Buffer.from(cid.multihash.digest))).toBe(true)
      theirs.push([cid.toString(), new Uint8Array(block)])
    }
    expect(theirs).toEqual(ours.map((b) => [toCid(b.ref), b.bytes]))
  })

  test('keeps the order of B3, evidence included', async () => {
    const world = new World('fork', new Dice([5, 1, 2]))
    const k = world.server(new Dice([1]), true)
    for (const head of world.heads) pullFrom(k, honest(((): DomainKnowledge => { const other = knowledgeOf(world.domain); world.give(other, head); return other })()))
    const engine = await holding(world.domain, (mine) => { pullFrom(mine, honest(k)) })
    const sections = (await blocksOf(await bytesOf(engine, world.domain.domain))).map(sectionAt)
    expect(sections).toEqual([...sections].sort())
    expect(sections).not.toContain(undefined)
    const evidence = [...k.view().lanes.values()].filter((v) => v.considered && v.knowledge.evidence !== undefined).length
    expect(evidence).toBeGreaterThan(0)
    expect(sections.filter((s) => s === 3)).toHaveLength(evidence)
  })

  test('holds nothing of internal lanes, of blocks held for others, or of erased bodies', async () => {
    const { engine, lane } = await rich()
    const k = await engine.knowledge(domain.domain)
    const inner = new TestLane(domain, owner, 'inner', { visibility: 0 })
    inner.give(k, inner.publish('secret'))
    const secret = await engine.ports.blocks.put(undefined, utf8('a private file'))
    lane.give(k, publishTree(lane, 'named', secret))
    await engine.commit([])
    const lacking: Reference[] = []
    const blocks = await blocksOf(await bytesOf(engine, domain.domain, { proposals: true, onMissing: (r) => { lacking.push(r) } }))
    const refs = new Set(blocks.map((b) => b.ref))
    expect(refs.has(inner.ref)).toBe(false)
    expect(refs.has(secret)).toBe(false)
    expect(lacking).toContain(secret)
    expect(blocks.filter((b) => sectionAt(b) === 7)).toHaveLength(lane.leaves.length - 1 + 1)
    expect([...refs].some((r) => r.endsWith(lane.leaves[2]?.leaf.body_hash ?? ''))).toBe(false)
  })

  test('since a receiver\'s heads brings the rest only, and says so where that can\'t be', async () => {
    const { engine, lane, bytes } = await rich()
    const other = await engineOn()
    await imported(other, bytes, { follow: true })
    const since = headsOf(other, await other.knowledge(domain.domain))
    expect(since.whole).toBe(true)
    const k = await engine.knowledge(domain.domain)
    lane.give(k, publishTree(lane, 'site', await content(engine, domain, 'one', 'four')))
    const rest = await bytesOf(engine, domain.domain, { since })
    const blocks = await blocksOf(rest)
    // One range, one body, the new tree and its one new file.
    expect([6, 7, 8].map((s) => blocks.filter((b) => sectionAt(b) === s).length)).toEqual([1, 1, 2])
    expect(await imported(other, rest)).toMatchObject({ status: 'accepted', missing: 0, blocks: 2 })
    expect(verdicts(await other.knowledge(domain.domain))).toBe(verdicts(k))
    expect((await bytesOf(engine, domain.domain, { since: headsOf(other, await other.knowledge(domain.domain)) })).length).toBeLessThan(rest.length)
    // Who holds none of it can't judge the rest: there is a lane of which the file has no log.
    const fresh = await engineOn()
    expect(await imported(fresh, rest, { follow: true })).toMatchObject({ status: 'rejected', code: 'range-gap' })
    expect(fresh.records.size).toBe(0)
  })

  test('by prefix leaves out content and no leaf', async () => {
    const { engine, bytes } = await rich()
    const part = await blocksOf(await bytesOf(engine, domain.domain, { prefixes: ['helped'] }))
    const all = await blocksOf(bytes)
    const count = (list: CarBlock[], s: number): number => list.filter((b) => sectionAt(b) === s).length
    expect([6, 7].map((s) => count(part, s))).toEqual([6, 7].map((s) => count(all, s)))
    expect(count(part, 8)).toBe(2)
    const other = await engineOn()
    expect(await imported(other, rebuilt(domain.domain, part))).toMatchObject({ status: 'accepted', missing: 1 })
    expect(other.records.get(domain.domain)?.dormant).toBe(true)
  })

  test('proves a fork against what is held, as a peer would', async () => {
    const lane = new TestLane(domain, owner, 'main')
    lane.publish('a')
    const twin = lane.fork(1)
    const left = lane.publish('left')
    const right = twin.publish('right')
    const [a, b] = [await holding(domain, (k) => { lane.give(k, left) }), await holding(domain, (k) => { twin.give(k, right) })]
    expect(await imported(b, await bytesOf(a, domain.domain))).toMatchObject({ status: 'accepted' })
    expect((await b.knowledge(domain.domain)).lanes.get(lane.ref)?.evidence?.index).toBe(1)
    expect(await imported(a, await bytesOf(b, domain.domain))).toMatchObject({ status: 'accepted' })
    expect(verdicts(await a.knowledge(domain.domain))).toBe(verdicts(await b.knowledge(domain.domain)))
  })

  test('of a whole world gives the same verdicts as a pull from its node', async () => {
    await fc.assert(fc.asyncProperty(fc.array(fc.nat(10_000), { minLength: 4, maxLength: 24 }), fc.nat(1000), async (draw, extra) => {
      const world = new World(`bundle ${draw[0] ?? 0}`, new Dice(draw))
      const dice = new Dice([extra, ...draw])
      const [x, y] = [world.server(dice, false), world.server(dice, true)]
      const source = await holding(world.domain, (k) => { pullFrom(k, honest(x)); pullFrom(k, honest(y)) })
      const bytes = await bytesOf(source, world.domain.domain)
      const mine = await holding(world.domain, (k) => { pullFrom(k, honest(x)) }, false)
      const pulled = knowledgeOf(world.domain)
      pullFrom(pulled, honest(x))
      pullFrom(pulled, honest(await source.knowledge(world.domain.domain)))
      expect(await imported(mine, bytes)).toMatchObject({ status: 'accepted' })
      expect(verdicts(await mine.knowledge(world.domain.domain))).toBe(verdicts(pulled))
    }), { numRuns: 15 })
  })
})

describe('proposals', () => {
  async function rescued (): Promise<{ bytes: Uint8Array, lane: TestLane, head: MadeHead, ref: Reference }> {
    const lane = new TestLane(domain, helper, 'rescue')
    const away = await holding(domain, () => undefined)
    const ref = await content(away, domain, 'saved')
    const head = publishTree(lane, 'saved', ref)
    const k = await away.knowledge(domain.domain)
    lane.give(k, head)
    await away.commit([...k.lanes.values()].flatMap((l) => l.branches.flatMap((b) => branchOps(k, l, b, 0))))
    return { bytes: await bytesOf(away, domain.domain, { proposals: true }), lane, head, ref }
  }

  test('come home to the owner, out of everybody\'s sight until somebody vouches', async () => {
    const { bytes, lane, head, ref } = await rescued()
    const main = new TestLane(domain, owner, 'main')
    const home = await holding(domain, (k) => { main.give(k, main.publish('mine')) })
    expect(await imported(home, bytes)).toMatchObject({ status: 'accepted', refused: [], missing: 0, proposals: [{ lane: lane.ref, principal: helper.id, records: 1, snapshot: head.ref }] })
    home.forget(domain.domain)
    const k = await home.knowledge(domain.domain)
    expect([...k.view().current.keys()]).toEqual(['mine'])
    expect([...k.viewAll().current.keys()]).toEqual(['mine', 'saved'])
    expect(k.offered().has(lane.ref)).toBe(false)
    expect(home.ports.audience.heldFor(domain.domain, ref)).toBe(false)
    expect(isWhole(home.ports.kv, domain.domain, ref)).toBe(true)
    const vouched = main.vouch(lane, head)
    main.give(k, vouched)
    expect([...k.view().current.keys()]).toEqual(['mine', 'saved'])
    await home.wake(domain.domain)
    await home.upkeep.idle()
    expect(home.ports.audience.heldFor(domain.domain, ref)).toBe(true)
  })

  test('are nothing to somebody who follows', async () => {
    const { bytes, lane } = await rescued()
    const other = await engineOn()
    expect(await imported(other, bytes, { follow: true })).toMatchObject({ status: 'accepted', proposals: [], noted: [{ code: 'not-exported', ref: lane.ref }], blocks: 0, unreachable: 2 })
    const k = await other.knowledge(domain.domain)
    expect(k.lanes.has(lane.ref)).toBe(false)
    expect(k.viewAll().current.size).toBe(0)
  })
})

describe('a hostile file', () => {
  type Change = (blocks: Array<Pick<CarBlock, 'ref' | 'bytes'>>, lane: TestLane) => Uint8Array
  const at = (blocks: Array<Pick<CarBlock, 'bytes'>>, section: number): number => blocks.findIndex((b) => sectionAt(b) === section)
  const whole: Change = (b) => rebuilt(domain.domain, b)
  const altered = (b: Pick<CarBlock, 'ref' | 'bytes'>): Pick<CarBlock, 'ref' | 'bytes'> => ({ ref: b.ref, bytes: b.bytes.map((x, i) => i === b.bytes.length - 1 ? x ^ 1 : x) })
  const swapped = (b: Array<Pick<CarBlock, 'ref' | 'bytes'>>, x: number, y: number): Array<Pick<CarBlock, 'ref' | 'bytes'>> => b.map((one, i) => (i === x ? b[y] : i === y ? b[x] : one) as Pick<CarBlock, 'ref' | 'bytes'>)
  const cases: Array<[string, string, Change]> = [
    ['nothing at all', 'cut-off', () => new Uint8Array(0)],
    ['a header that lies about its length', 'header-malformed', (b) => { const x = whole(b, undefined as never); x[0] = 0x39; return x }],
    ['a header with another version', 'header-malformed', (b) => { const x = whole(b, undefined as never); x[58] = 2; return x }],
    ['a header of 2^28 bytes', 'header-malformed', () => Uint8Array.of(0xff, 0xff, 0xff, 0x7f, 0xa2)],
    ['a header of more', 'too-large', () => Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0x7f)],
    ['a block of 2^28 bytes', 'too-large', () => concatBytes(carHeader(domain.domain), Uint8Array.of(0xff, 0xff, 0xff, 0x7f, 1, 0x55))],
    ['a block without bytes', 'block-malformed', () => concatBytes(carHeader(domain.domain), Uint8Array.of(0))],
    ['a length with a byte too many', 'block-malformed', () => concatBytes(carHeader(domain.domain), Uint8Array.of(0xc0, 0x00), new Uint8Array(100))],
    ['another kind of CID', 'block-malformed', (b) => { const x = whole(b, undefined as never); const [first] = b; x[59 + (36 + (first?.bytes.length ?? 0) > 127 ? 2 : 1) + 1] = 0x71; return x }],
    ['trailing zeros', 'trailing-data', (b) => concatBytes(whole(b, undefined as never), new Uint8Array(9))],
    ['trailing text', 'trailing-data', (b) => concatBytes(whole(b, undefined as never), utf8('and more'))],
    ['a second bundle behind it', 'trailing-data', (b) => concatBytes(whole(b, undefined as never), whole(b, undefined as never))],
    ['an end between two blocks', 'cut-off', (b) => { const x = whole(b, undefined as never); return x.subarray(0, x.length - 37 - (b.find((y) => y.ref === domain.domain)?.bytes.length ?? 0) - 1) }],
    ['an object that isn\'t what it is called', 'reference-mismatch', (b) => whole(b.map((x, i) => i === 0 ? altered(x) : x), undefined as never)],
    ['content that isn\'t what it is called', 'reference-mismatch', (b) => whole(b.map((x, i) => i === b.length - 1 ? altered(x) : x), undefined as never)],
    ['the same block again with other bytes', 'reference-mismatch', (b) => whole([...b, altered(b.at(-1) as CarBlock)], undefined as never)],
    ['the same control object again with other bytes', 'reference-mismatch', (b) => whole([b[0] as CarBlock, altered(b[0] as CarBlock), ...b.slice(1)], undefined as never)],
    ['content before bodies', 'out-of-order', (b) => whole(swapped(b, b.length - 1, at(b, 7)), undefined as never)],
    ['bodies before leaves', 'unexpected-object', (b) => whole(swapped(b, at(b, 7), at(b, 6)), undefined as never)],
    ['a lane before its authority', 'out-of-order', (b) => whole([b[at(b, 4)] as CarBlock, ...b], undefined as never)],
    ['no authority', 'unknown-domain', (b) => whole(b.slice(at(b, 4)), undefined as never)],
    ['leaves of no head', 'head-missing', (b) => whole(b.filter((x) => sectionAt(x) !== 5), undefined as never)],
    ['a body that no leaf names', 'unexpected-object', (b, lane) => { const other = lane.fork(0); other.publish('never signed'); const body = itemOf({ typeTag: 0x0d1a0021, payload: other.leaves[0]?.body ?? new Uint8Array(0) }); return whole([...b.slice(0, at(b, 8)), blockOf(body), ...b.slice(at(b, 8))], lane) }],
    ['a forged head', 'bad-signature', (b, lane) => { const { snapshot } = lane.head({ size: 1, logseq: 9 }); return whole([...b.slice(0, at(b, 6)), blockOf(snapshot), blockOf({ ...signed(stranger, 'snapshot', snapshot.ref) }), ...b.slice(at(b, 6))], lane) }],
    ['a manifest for a lane', 'out-of-order', (b) => whole([...b.slice(0, at(b, 4)), b[at(b, 2)] as CarBlock, ...b.slice(at(b, 4), at(b, 5)), b[at(b, 2)] as CarBlock, ...b.slice(at(b, 5))], undefined as never)],
    ['an internal lane', 'internal-lane', (b) => whole([...b.slice(0, at(b, 5)), blockOf(new TestLane(domain, owner, 'inner', { visibility: 0 }).item), ...b.slice(at(b, 5))], undefined as never)],
    ['a range that isn\'t the head\'s', 'bad-range', (b) => { const i = at(b, 6); const range = leafRangeCodec.from(decodeArtifact((b[i] as CarBlock).bytes)); return whole(b.map((x, n) => n === i ? blockOf(itemOf(leafRangeCodec.artifact({ ...range, leaves: range.leaves.map((y, z) => z === 3 ? y ^ 1 : y) }))) : x), undefined as never) }],
    ['a log twice', 'out-of-order', (b) => whole([...b.slice(0, at(b, 7)), b[at(b, 6)] as CarBlock, ...b.slice(at(b, 7))], undefined as never)],
    ['evidence that proves nothing', 'bad-evidence', (b, lane) => { const head = b.map((x) => decodeArtifact(x.bytes)).find((a) => a.typeTag === snapshotCodec.tag); const { log_size: size, log_root: root, logseq } = snapshotCodec.from(head as Item['artifact']); const side = { log_size: size, log_root: root, logseq, signature: '00'.repeat(64), leaf_hash: root, path: [] }; return whole([...b.slice(0, at(b, 4)), blockOf(itemOf(forkEvidenceCodec.artifact(makeEvidence(lane.ref, owner.publicKey, 0, side, { ...side, logseq: logseq + 1, leaf_hash: lane.ref.slice(4) as never })))), ...b.slice(at(b, 4))], lane) }],
    ['heads without their logs', 'range-gap', (b) => whole(b.slice(0, at(b, 6)), undefined as never)],
    ['a signature for something else', 'unexpected-object', (b) => whole([blockOf(signed(owner, 'drill', domain.domain)), ...b], undefined as never)],
    ['another domain\'s name on it', 'wrong-domain', (b) => rebuilt(refFrom('somebody else'), b)]
  ]

  test.each(cases)('%s is refused: %s', async (_what, code, change) => {
    const { lane, bytes } = await rich()
    const blocks = await blocksOf(bytes)
    const refs = blocks.map((b) => b.ref)
    const fresh = await engineOn()
    const empty = await visible(fresh, domain.domain, refs)
    const bad = change(blocks, lane)
    const got = await imported(fresh, bad, { follow: true })
    expect(got).toMatchObject({ status: 'rejected', code, refused: [{ code }] })
    expect(got.refused[0]?.offset).toBeLessThanOrEqual(bad.length)
    expect(await visible(fresh, domain.domain, refs)).toBe(empty)
    // What is internal may be looked at.
    expect(await inspectBundle(chunks(bad))).toMatchObject(code === 'internal-lane' ? { status: 'accepted', counts: { internal: 1 } } : { status: 'rejected', code })
    // The same node takes the true file, and is none the worse for it.
    expect(await imported(fresh, bytes, { follow: true })).toMatchObject({ status: 'accepted', missing: 0 })
  })

  test('cut anywhere or with any bit flipped shows nothing; the second try keeps what is verified', async () => {
    const { bytes } = await rich()
    const refs = (await blocksOf(bytes)).map((b) => b.ref)
    await fc.assert(fc.asyncProperty(fc.nat(bytes.length - 1), fc.option(fc.nat(7)), async (where, bit) => {
      const bad = bit === null ? bytes.slice(0, where) : bytes.map((b, i) => i === where ? b ^ 1 << bit : b)
      const fresh = await engineOn()
      const before = await visible(fresh, domain.domain, refs)
      const got = await imported(fresh, bad)
      expect(got.status).toBe('rejected')
      expect(await visible(fresh, domain.domain, refs)).toBe(before)
      expect(await imported(fresh, bytes)).toMatchObject({ status: 'accepted', missing: 0 })
    }), { numRuns: 60 })
  })

  test('names a private file in vain: what is held for nobody else isn\'t taken to be held', async () => {
    const lane = new TestLane(domain, owner, 'main')
    const victim = await engineOn()
    const secret = await victim.ports.blocks.put(undefined, utf8('private'))
    await victim.commit([])
    const thief = await holding(domain, (k) => { lane.give(k, publishTree(lane, 'stolen', secret)) })
    expect(await imported(victim, await bytesOf(thief, domain.domain), { follow: true })).toMatchObject({ status: 'accepted', missing: 1 })
    expect(victim.ports.audience.heldFor(domain.domain, secret)).toBe(false)
    expect((await victim.blocksFor(domain.domain, [secret]))[0]).toBeUndefined()
  })

  test('whoever looks after a domain hears of it as after a pull, and of what brought nothing nothing', async () => {
    const { bytes } = await rich()
    const fresh = await engineOn()
    const heard: string[] = []
    fresh.onReport((r) => { if (r.kind === 'changed') heard.push(r.by) })
    for (const told of [1, 1]) {
      await imported(fresh, bytes, { follow: true })
      await fresh.settled()
      expect(heard).toEqual(Array.from({ length: told }, () => 'bundle'))
    }
  })

  test('a byte at a time is read like any other', async () => {
    const { bytes } = await rich()
    const fresh = await engineOn()
    expect(await importBundle(fresh, chunks(bytes, 1))).toMatchObject({ status: 'accepted' })
    expect(referenceOfArtifactBytes((await blocksOf(bytes))[0]?.bytes as Uint8Array)).toBe((await blocksOf(bytes))[0]?.ref)
  })
})
