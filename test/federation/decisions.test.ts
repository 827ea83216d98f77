/** Decisions on other domains, carried between the machines of one domain in a file: they count alike everywhere (D4), and nobody else hears of them (L2, D3). */
import fc from 'fast-check'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Admissions, admissionsOf, admitRefs, nextRecord } from '../../src/authority/admission.js'
import { admissionRecordCodec, type AdmissionRequest, admissionRequestCodec, admits, type Decision, DECISIONS } from '../../src/authority/admission-objects.js'
import type { DomainKnowledge } from '../../src/authority/knowledge.js'
import { appendRecord } from '../../src/federation/append.js'
import { exportBundle, type ExportOptions, headsOf, importBundle, type Imported, inspectBundle } from '../../src/federation/bundle.js'
import { sectionOf } from '../../src/federation/bundle-sections.js'
import type { Engine } from '../../src/federation/engine.js'
import { checkDomain } from '../../src/node/doctor/domains.js'
import { installNativeCrypto } from '../../src/node/native-crypto.js'
import { INTERNAL } from '../../src/publication/lane.js'
import { leafRangeCodec } from '../../src/publication/leaf-range.js'
import { bodyArtifact, KIND } from '../../src/publication/leaf.js'
import { type Artifact, decodeArtifact, encodeArtifact, referenceOfArtifact } from '../../src/substrate/artifact.js'
import { concatBytes, fromHex } from '../../src/substrate/bytes.js'
import { type CarBlock, carBlock, carHeader, CarReader } from '../../src/substrate/car.js'
import { digestOf, type Reference } from '../../src/substrate/reference.js'
import { digestFrom, makeDomain, refFrom, type TestDomain, testKey, type TestKey, testSigner } from '../helpers/authority-fixtures.js'
import { engineOn, save, tended } from '../helpers/engines.js'
import { TestLane } from '../helpers/lanes.js'

beforeAll(() => { installNativeCrypto() })

const [desk, laptop, thief, writer] = ['desk', 'laptop', 'thief', 'writer'].map(testKey) as [TestKey, TestKey, TestKey, TestKey]
const [bob, carol] = [refFrom('bob'), refFrom('carol')]
let domain: TestDomain

beforeEach(() => {
  domain = makeDomain({ seed: 'decisions', principals: [{ key: desk }, { key: laptop }, { key: thief }, { key: writer, roles: ['produce'] }] })
})

const machine = async (name: string): Promise<Engine> => await engineOn(name, domain)
const known = async (engine: Engine): Promise<DomainKnowledge> => await engine.knowledge(domain.domain)

async function decided (engine: Engine): Promise<Admissions> {
  const k = await known(engine)
  const held = new Map<Reference, Artifact>()
  for (const ref of admitRefs(k)) {
    const artifact = await engine.ports.blocks.get(ref)
    if (artifact !== undefined) held.set(ref, artifact)
  }
  return admissionsOf(k, (ref) => held.get(ref))
}

/** What `admit list` says. */
const effective = async (engine: Engine): Promise<unknown> => {
  const { byDomain, missing } = await decided(engine)
  return { byDomain: [...byDomain.values()], missing }
}

interface Made { readonly record: Reference, readonly request: Reference, readonly lane: Reference }

async function decide (engine: Engine, key: TestKey, on: Reference, decision: Decision, scope: string[] = ['']): Promise<Made> {
  const request: AdmissionRequest = { applicant: on, root_entry: on, manifest: refFrom('their manifest'), requested_scope: [''], receiver: domain.domain, nonce: digestFrom(`nonce ${on}`) }
  const record = nextRecord(await decided(engine), {
    domain_id: on, dam_hash: digestFrom('dam'), policy_hash: digestFrom('policy'), request: admissionRequestCodec.reference(request), decision, admitted_scope: admits(decision) ? scope : []
  })
  const artifacts = [admissionRecordCodec.artifact(record), admissionRequestCodec.artifact(request)] as const
  for (const { typeTag, payload } of artifacts) await engine.ports.blocks.put(typeTag, payload)
  const [made, asked] = artifacts.map(referenceOfArtifact) as [Reference, Reference]
  const { lane } = await appendRecord(engine, await engine.wake(domain.domain), testSigner(key), { kind: 'admit', ref: made }, () => [], INTERNAL)
  return { record: made, request: asked, lane }
}

async function fileOf (engine: Engine, options: ExportOptions = { internal: true }): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  for await (const p of exportBundle(engine, domain.domain, options)) parts.push(p.slice())
  return concatBytes(...parts)
}

async function * chunks (bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < bytes.length; i += 1000) yield bytes.subarray(i, i + 1000)
}

const take = async (engine: Engine, bytes: Uint8Array): Promise<Imported> => await importBundle(engine, chunks(bytes))
const carry = async (from: Engine, to: Engine): Promise<Imported> => await take(to, await fileOf(from))

async function blocksIn (bytes: Uint8Array): Promise<CarBlock[]> {
  const reader = new CarReader(chunks(bytes))
  await reader.header()
  const out: CarBlock[] = []
  for (let b = await reader.next(); b !== undefined; b = await reader.next()) out.push({ ...b, bytes: b.bytes.slice() })
  return out
}

const block = (artifact: Artifact): Pick<CarBlock, 'ref' | 'bytes'> => ({ ref: referenceOfArtifact(artifact), bytes: encodeArtifact(artifact) })
const has = (bytes: Uint8Array, ref: Reference): boolean => Buffer.from(bytes).includes(Buffer.from(fromHex(digestOf(ref))))

describe('two machines of one domain', () => {
  test('end with the same decisions, carried both ways; the restrictive one wins until somebody decides who saw both', async () => {
    const [a, b] = [await machine('a'), await machine('b')]
    const accepted = await decide(a, desk, bob, 'ACCEPTED')
    await decide(a, desk, carol, 'ACCEPTED_LIMITED', ['docs', 'news'])
    await decide(b, laptop, bob, 'REJECTED')
    await decide(b, laptop, carol, 'ACCEPTED_LIMITED', ['docs/public', 'music'])
    const before = (await known(a)).inventoryDigest()

    expect(await carry(a, b)).toMatchObject({ status: 'accepted', refused: [], noted: [], missing: 0, unreachable: 0, internal: { lanes: 1, records: 2 } })
    expect(await carry(b, a)).toMatchObject({ status: 'accepted', refused: [], noted: [], unreachable: 0, internal: { lanes: 2, records: 4 } })
    const merged = [{ domain: bob, decision: 'REJECTED', scope: [] }, { domain: carol, decision: 'ACCEPTED_LIMITED', scope: ['docs/public'] }].sort((x, y) => x.domain < y.domain ? -1 : 1)
    expect(await effective(a)).toMatchObject({ byDomain: merged, missing: [] })
    expect(await effective(b)).toEqual(await effective(a))
    // The request is here too, for whoever decides next; nothing of it is anybody's to fetch, and no follower hears of it.
    const k = await known(b)
    for (const ref of [accepted.record, accepted.request]) {
      expect(b.ports.blocks.has(ref)).toBe(true)
      expect([b.ports.audience.noted(domain.domain, ref), (await b.blocksFor(domain.domain, [ref]))[0]]).toEqual([false, undefined])
    }
    expect(k.offered().has(accepted.lane)).toBe(false)
    expect([k.inventoryDigest(), k.view().current.size]).toEqual([before, 0])

    // What lies on disk says the same; once more changes nothing.
    b.forget(domain.domain)
    expect(await effective(b)).toEqual(await effective(a))
    expect(await carry(a, b)).toMatchObject({ status: 'accepted', noted: [], internal: { lanes: 2 } })
    // Who saw both decides, in a lane of its own (L4), and that is in force on both.
    const size = (await known(b)).lanes.get(accepted.lane)?.held
    const again = await decide(b, laptop, bob, 'ACCEPTED', ['docs'])
    expect((await known(b)).lanes.get(accepted.lane)?.held).toBe(size)
    expect((await known(b)).lanes.get(again.lane)?.lane.principal).toBe(laptop.id)
    await carry(b, a)
    expect((await decided(a)).byDomain.get(bob)).toMatchObject({ decision: 'ACCEPTED', scope: ['docs'], heads: [again.record] })
  })

  test('agree whatever they decided, and in whatever order files were carried', async () => {
    const step = fc.record({ by: fc.nat(2), on: fc.constantFrom(bob, carol), decision: fc.constantFrom(...DECISIONS), scope: fc.uniqueArray(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 2 }).map((s) => s.sort()), to: fc.option(fc.nat(2), { nil: undefined }) })
    await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 7 }), fc.shuffledSubarray([0, 1, 2, 3, 4, 5], { minLength: 6 }), async (steps, order) => {
      const keys = [desk, laptop, thief] as const
      const machines = await Promise.all(['x', 'y', 'z'].map(machine)) as [Engine, Engine, Engine]
      const at = (i: number): Engine => machines[i] as Engine
      for (const { by, on, decision, scope, to } of steps) {
        await decide(at(by), keys[by] as TestKey, on, decision, scope)
        if (to !== undefined && to !== by) await carry(at(by), at(to))
      }
      const files = await Promise.all(machines.map(async (m) => await fileOf(m)))
      const ways = [[0, 1], [0, 2], [1, 0], [1, 2], [2, 0], [2, 1]] as const
      for (const i of order) {
        const [from, to] = ways[i] as readonly [number, number]
        expect((await take(at(to), files[from] as Uint8Array)).status).toBe('accepted')
      }
      const said = await effective(at(0))
      expect(said).toMatchObject({ missing: [] })
      for (const m of machines) expect(await effective(m)).toEqual(said)
    }), { numRuns: 25 })
  })

  test('lose nothing when a key is closed that decided elsewhere, once that was carried home', async () => {
    const [a, b] = [await machine('a'), await machine('b')]
    await decide(b, laptop, bob, 'REJECTED')
    await carry(b, a)
    const k = await known(a)
    const [v] = [...k.view().lanes.values()]
    const lane = v?.knowledge.ref as Reference
    for (const { artifact } of domain.manifest({ closed: [laptop], cuts: [{ lane, snapshot: v?.branch?.head.ref as Reference, ends: true }] }).items) k.admit(artifact)
    await save(a, k)
    // Whoever has the old key goes on, and this is told, and does nothing.
    await decide(b, laptop, bob, 'ACCEPTED')
    expect(await carry(b, a)).toMatchObject({ status: 'accepted', noted: [{ code: 'cut', ref: lane }] })
    expect((await decided(a)).byDomain.get(bob)).toMatchObject({ decision: 'REJECTED' })
    expect((await known(a)).lanes.get(lane)?.held).toBe(1)
    // A third one, which hears all of it at once.
    const c = await machine('c')
    await carry(a, c)
    expect(await effective(c)).toEqual(await effective(a))
  })

  test('tell each other when one internal lane has two histories, and nobody else', async () => {
    const [a, b] = [await machine('a'), await machine('b')]
    const lane = new TestLane(domain, desk, 'snapshot of a running machine', { visibility: INTERNAL })
    const record = (name: string): Reference => refFrom(`record ${name}`)
    const admit = (l: TestLane, name: string): ReturnType<TestLane['append']> => l.append({ kind: 'admit', salt: l.salt(), ref: record(name) })
    admit(lane, 'common')
    const twin = lane.fork(1)
    for (const [engine, l, name] of [[a, lane, 'one'], [b, twin, 'other']] as const) {
      const k = await engine.wake(domain.domain)
      const head = admit(l, name)
      l.give(k, head)
      const page = new TestLane(domain, desk, `pages ${name}`)
      page.give(k, page.publish(`page-${name}`))
      await save(engine, k)
      expect(admitRefs(k)).toHaveLength(2)
    }
    await carry(a, b)
    await carry(b, a)
    for (const engine of [a, b]) {
      engine.forget(domain.domain)
      const k = await known(engine)
      expect(k.lanes.get(lane.ref)?.evidence?.index).toBe(1)
      expect(admitRefs(k)).toEqual([record('common')])
      // Nobody else doubts what that key published, so we don't either; but we are told.
      expect([...k.viewAll().current.values()].map((e) => e.code)).toEqual(['accepted', 'accepted'])
      expect(checkDomain(engine as unknown as Parameters<typeof checkDomain>[0], k, 'alice')).toContainEqual(expect.objectContaining({ level: 'bad', what: expect.stringMatching(/two histories of one internal lane .* from leaf 1 on/) }))
      const proof = k.lanes.get(lane.ref)?.evidenceRef as Reference
      expect(k.offered().has(proof)).toBe(false)
      expect(has(await fileOf(engine, { proposals: true }), proof)).toBe(false)
      expect((await inspectBundle(chunks(await fileOf(engine)))).counts).toMatchObject({ evidence: 1, internal: 1 })
    }
    expect((await known(a)).lanes.get(lane.ref)?.branches).toHaveLength(2)
  })
})

describe('nobody else', () => {
  test('takes such a file in, though it may look into it', async () => {
    const a = await machine('a')
    const made = await decide(a, desk, bob, 'ACCEPTED')
    const file = await fileOf(a)
    const stranger = await engineOn('stranger')
    const follower = await engineOn('follower')
    expect(await importBundle(follower, chunks(await fileOf(a, {})), { follow: true })).toMatchObject({ status: 'accepted' })
    for (const engine of [stranger, follower]) {
      const before = [...engine.records]
      expect(await take(engine, file)).toMatchObject({ status: 'rejected', code: 'internal-lane', refused: [{ code: 'internal-lane', ref: made.lane }] })
      expect([...engine.records]).toEqual(before)
      expect([engine.ports.blocks.has(made.record), (await known(engine)).lanes.has(made.lane)]).toEqual([false, false])
    }
    const seen = await inspectBundle(chunks(file))
    expect(seen).toMatchObject({ status: 'accepted', counts: { internal: 1 } })
    expect(admitRefs(seen.knowledge as DomainKnowledge)).toEqual([made.record])
    // A rescue's home acts for the domain.
    const rescue = await engineOn('rescue')
    expect(await importBundle(rescue, chunks(file), { own: true })).toMatchObject({ status: 'accepted', internal: { lanes: 1, records: 1 } })
    expect(await effective(rescue)).toEqual(await effective(a))
  })

  test('finds anything of it in a bundle that wasn\'t made for it', async () => {
    const [a, b] = [await machine('a'), await machine('b')]
    const made = [await decide(a, desk, bob, 'ACCEPTED'), await decide(a, desk, carol, 'REJECTED')]
    await carry(a, b)
    const third = await decide(b, laptop, carol, 'DEFERRED')
    // A seal names internal lanes, too (M1): their existence shows, nothing else.
    const k = await known(b)
    const secret: Reference[] = [...made, third].flatMap((m) => [m.record, m.request])
    for (const { knowledge } of k.view().lanes.values()) {
      secret.push(knowledge.ref, ...knowledge.heads.keys(), ...[...knowledge.heads.values()].map((h) => h.signatureRef))
      for (const hash of knowledge.bodies.keys()) secret.push(`0001${hash}` as Reference)
    }
    expect(secret.length).toBeGreaterThan(12)
    const since = headsOf(b, k)
    expect(since.lanes.size).toBe(0)
    for (const options of [{}, { proposals: true }, { since }, { since, proposals: true }, { internal: false }]) {
      const bytes = await fileOf(b, options)
      const refs = new Set((await blocksIn(bytes)).map((x) => x.ref))
      for (const ref of secret) expect([options, refs.has(ref), has(bytes, ref)]).toEqual([options, false, false])
    }
    const whole = await fileOf(b)
    for (const ref of secret) expect(has(whole, ref)).toBe(true)
    // Of another's domain nothing internal is written, whoever asks.
    b.records.set(domain.domain, { mode: 'mirror', own: false, dormant: false, peers: [] })
    expect(await fileOf(b)).toEqual(await fileOf(b, {}))
  })
})

describe('a file for our own machines', () => {
  /** The same blocks, and some more in front of the content. */
  const rebuilt = async (bytes: Uint8Array, change: (blocks: CarBlock[]) => Array<Pick<CarBlock, 'ref' | 'bytes'>>): Promise<Uint8Array> =>
    concatBytes(carHeader(domain.domain), ...change(await blocksIn(bytes)).map((b) => carBlock(b.ref, b.bytes)))

  test('decides nothing with a key that was closed, or that may not decide', async () => {
    const [a, b] = [await machine('a'), await machine('b')]
    await decide(a, desk, bob, 'REJECTED')
    // The thief knows all of it, and says otherwise; so does somebody who may only propose.
    await carry(a, b)
    const forged = await decide(b, thief, bob, 'ACCEPTED')
    const k = await known(b)
    const lane = new TestLane(domain, writer, 'no role for it', { visibility: INTERNAL })
    lane.give(k, lane.append({ kind: 'admit', salt: lane.salt(), ref: forged.record }))
    await save(b, k)
    // A tool of the thief's own leaves nothing out.
    const stolen = await fileOf(b)
    expect((await blocksIn(stolen)).some((x) => x.ref === lane.ref)).toBe(false)
    const home = await known(a)
    for (const { artifact } of domain.manifest({ closed: [thief] }).items) home.admit(artifact)
    await save(a, home)
    const before = await effective(a)
    expect(await take(a, stolen)).toMatchObject({ status: 'accepted', noted: [{ code: 'closed', ref: forged.lane }], internal: { lanes: 1 } })
    expect([await effective(a), a.ports.blocks.has(forged.record), (await known(a)).lanes.has(forged.lane)]).toEqual([before, false, false])

    const { snapshot, signature, size, ref: head } = lane.head()
    const range = leafRangeCodec.artifact({ head, first: 0, leaves: lane.log.leaves(0, size), path: lane.log.range(0, size, size) })
    const [leaf] = lane.leaves
    const unfit = [lane.item.artifact, snapshot.artifact, signature.artifact, range, bodyArtifact(KIND.admit, leaf?.body ?? new Uint8Array(0))]
    const section = (x: Pick<CarBlock, 'bytes'>): number => sectionOf(decodeArtifact(x.bytes)) ?? 0
    const more = await rebuilt(await fileOf(a), (blocks) => [...[...blocks.slice(0, -1), ...unfit.map(block)].sort((x, y) => section(x) - section(y)), blocks.at(-1) as CarBlock])
    const c = await machine('c')
    expect(await take(c, more)).toMatchObject({ status: 'accepted', noted: [{ code: 'role-missing', ref: lane.ref }], internal: { lanes: 1, records: 1 } })
    expect([await effective(c), (await known(c)).lanes.has(lane.ref)]).toEqual([before, false])
  })

  test('brings only what its leaves name: no other record, no private block, nothing that a published name makes content', async () => {
    const [a, b] = [await machine('a'), await machine('b')]
    const made = await decide(a, desk, bob, 'REJECTED')
    // A stolen key that may decide names a private file as if it were a record, and a record as if it were content.
    const file = await a.ports.blocks.put(undefined, new TextEncoder().encode('a private file'))
    const k = await a.wake(domain.domain)
    await appendRecord(a, k, testSigner(thief), { kind: 'admit', ref: file }, () => [], INTERNAL)
    await appendRecord(a, k, testSigner(thief), { kind: 'publish', name: 'whom-they-refused', ref: made.record, mode: 0o644 })
    await tended(a)
    expect((await a.blocksFor(domain.domain, [made.record]))[0]).toBeUndefined()
    const bytes = await fileOf(a)
    expect((await blocksIn(bytes)).some((x) => x.ref === file)).toBe(false)
    const stray: Artifact = admissionRecordCodec.artifact({ domain_id: carol, dam_hash: digestFrom('x'), policy_hash: digestFrom('x'), admitted_scope: [''], decision: 'ACCEPTED', decision_epoch: 9, request: refFrom('x'), previous: [] })
    const noRequest: Artifact = { typeTag: undefined, payload: new TextEncoder().encode('what a record calls a request') }
    const crooked: Artifact = admissionRecordCodec.artifact({ ...admissionRecordCodec.from(stray), request: referenceOfArtifact(noRequest) })
    await a.ports.blocks.put(crooked.typeTag, crooked.payload)
    await a.ports.blocks.put(noRequest.typeTag, noRequest.payload)
    await appendRecord(a, k, testSigner(thief), { kind: 'admit', ref: referenceOfArtifact(crooked) }, () => [], INTERNAL)
    const whole = await fileOf(a)
    expect((await blocksIn(whole)).some((x) => x.ref === referenceOfArtifact(noRequest))).toBe(false)
    const more = await rebuilt(whole, (blocks) => [...blocks.slice(0, -1), block(stray), block(noRequest), blocks.at(-1) as CarBlock])
    expect(await take(b, more)).toMatchObject({ status: 'accepted', unreachable: 2, internal: { lanes: 2, records: 2 } })
    await tended(b)
    for (const x of [stray, noRequest]) expect(b.ports.blocks.has(referenceOfArtifact(x))).toBe(false)
    expect([b.ports.blocks.has(made.record), b.ports.audience.noted(domain.domain, made.record), (await b.blocksFor(domain.domain, [made.record]))[0]]).toEqual([true, false, undefined])
    expect(has(await fileOf(b, { proposals: true }), made.request)).toBe(false)
  })

  test('that lies or is cut off changes nothing', async () => {
    const [a, b] = [await machine('a'), await machine('b')]
    const made = await decide(a, desk, bob, 'ACCEPTED')
    const bytes = await fileOf(a)
    const empty = await effective(b)
    const wrong = await rebuilt(bytes, (blocks) => blocks.map((x) => x.ref === made.record ? { ref: x.ref, bytes: encodeArtifact(admissionRecordCodec.artifact({ ...admissionRecordCodec.from(decodeArtifact(x.bytes)), decision_epoch: 7 })) } : x))
    for (const [bad, code] of [[bytes.subarray(0, bytes.length - 40), 'cut-off'], [wrong, 'reference-mismatch']] as const) {
      expect(await take(b, bad)).toMatchObject({ status: 'rejected', code })
      expect([await effective(b), (await known(b)).lanes.size]).toEqual([empty, 0])
    }
    expect(await take(b, bytes)).toMatchObject({ status: 'accepted' })
    expect(await effective(b)).toEqual(await effective(a))
  })
})
