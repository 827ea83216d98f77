import { ed25519 } from '@noble/curves/ed25519.js'
import { sha512 } from '@noble/hashes/sha2.js'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { DomainKnowledge } from '../../src/authority/knowledge.js'
import { branchOf } from '../../src/authority/lane-knowledge.js'
import { placesOf } from '../../src/federation/body-index.js'
import { type GossipJudgement, judgeGossip } from '../../src/federation/gossip.js'
import { branchOps, controlOps, loadKnowledge, unpersistedOps } from '../../src/federation/ledger.js'
import type { Gossip } from '../../src/federation/messages.js'
import { installNativeCrypto } from '../../src/node/native-crypto.js'
import { type ForkEvidence, forkEvidenceCodec, makeEvidence } from '../../src/publication/evidence.js'
import { laneCodec, snapshotCodec } from '../../src/publication/lane.js'
import { bareLeaf, encodeLeaf, NO_BODY } from '../../src/publication/leaf.js'
import { LeafLog } from '../../src/publication/leaf-log.js'
import { encodeArtifact } from '../../src/substrate/artifact.js'
import { concatBytes, fromHex, toHex } from '../../src/substrate/bytes.js'
import { KEYSPACE } from '../../src/substrate/ports.js'
import type { Reference } from '../../src/substrate/reference.js'
import { signatureCodec, signedMessage } from '../../src/substrate/signature.js'
import { type Item, itemOf, makeDomain, type TestDomain, testKey, type TestKey } from '../helpers/authority-fixtures.js'
import { admitHead, knowledgeOf, type MadeHead, MemoryKv, TestLane } from '../helpers/lanes.js'
import { honest, pullFrom, verdicts } from '../helpers/worlds.js'

beforeAll(() => { installNativeCrypto() })

const owner = testKey('owner')
const second = testKey('second')
const FULL = ['federate', 'produce', 'publish'] as const
let domain: TestDomain
let lane: TestLane
let kv: MemoryKv

beforeEach(() => {
  domain = makeDomain({ seed: 'attacks', principals: [{ key: owner, roles: [...FULL] }, { key: second, roles: ['produce'] }] })
  lane = new TestLane(domain, owner, 'main')
  kv = new MemoryKv()
})

const order = ed25519.Point.Fn.ORDER
const littleEndian = (b: Uint8Array): bigint => BigInt(`0x${toHex(b.slice().reverse())}`)

/** One more valid signature of `key` over `target`: with a nonce of the signer's choice instead of the deterministic one. */
function otherSignature (key: TestKey, target: Reference, choice: number): Item {
  const message = signedMessage('snapshot', target)
  const scalar = sha512(key.secret).slice(0, 32)
  scalar[0] = (scalar[0] as number) & 248
  scalar[31] = ((scalar[31] as number) & 127) | 64
  const r = littleEndian(sha512(Uint8Array.of(choice))) % order
  const point = ed25519.Point.BASE.multiply(r).toBytes()
  const k = littleEndian(sha512(concatBytes(point, fromHex(key.publicKey), message))) % order
  const s = (r + k * (littleEndian(scalar) % order)) % order
  const bytes = concatBytes(point, fromHex(s.toString(16).padStart(64, '0')).slice().reverse())
  return itemOf(signatureCodec.artifact({ target, purpose: 'snapshot', public_key: key.publicKey, signature: toHex(bytes) }))
}

function smallerSignature (key: TestKey, head: MadeHead): Item {
  for (let i = 0; i < 64; i++) {
    const made = otherSignature(key, head.ref, i)
    if (made.ref < head.signature.ref) return made
  }
  throw new Error('no smaller signature')
}

function persist (k: DomainKnowledge, ...lanes: TestLane[]): void {
  for (const { ref } of lanes) {
    const inner = k.lanes.get(ref)
    for (const b of inner?.branches ?? []) if (inner !== undefined) kv.write(branchOps(k, inner, b, 0))
  }
  kv.write(unpersistedOps(k))
}

/** Takes the control object out of the store. */
function lose (...refs: Reference[]): void {
  for (const at of [...kv.held.keys()]) if (at.startsWith(toHex(Uint8Array.of(KEYSPACE.control))) && refs.some((r) => at.endsWith(r))) kv.held.delete(at)
}

const reload = async (): Promise<DomainKnowledge> => await loadKnowledge(kv, domain.domain)

describe('a second signature over one head', () => {
  /** The producer's log goes beyond what is vouched for, so its head is in no inventory. */
  function beyondVouch (): { k: DomainKnowledge, other: TestLane, late: MadeHead } {
    const k = knowledgeOf(domain)
    const other = new TestLane(domain, second, 'other')
    const early = other.publish('x/1')
    const late = other.publish('x/2')
    lane.vouch(other, early)
    lane.give(k, lane.head())
    other.give(k, late)
    admitHead(k, early)
    persist(k, lane, other)
    expect(k.inventory()).not.toContain(late.ref)
    return { k, other, late }
  }

  test('takes the old one\'s place in the store too, in whichever batch', async () => {
    const { k, other, late } = beyondVouch()
    const small = smallerSignature(second, late)
    expect(k.admit(small.artifact).result).toBe('added')
    // The batch of another lane carries the deletion; a crash after it must leave a store that can be read.
    const from = lane.log.size
    lane.give(k, lane.publish('next'))
    const inner = k.lanes.get(lane.ref)
    if (inner?.branches[0] === undefined) throw new Error('no branch')
    kv.write(branchOps(k, inner, inner.branches[0], from))
    const again = await reload()
    expect(again.lanes.get(other.ref)?.branches[0]?.head).toMatchObject({ ref: late.ref, signatureRef: small.ref })
    expect(verdicts(again)).toBe(verdicts(k))
    expect(unpersistedOps(again)).toEqual([])
  })

  test('of two in the store the smaller one counts', async () => {
    const { k, other, late } = beyondVouch()
    const before = new Map(kv.held)
    const small = smallerSignature(second, late)
    k.admit(small.artifact)
    kv.write(unpersistedOps(k))
    for (const [at, value] of before) kv.held.set(at, value)
    expect((await reload()).lanes.get(other.ref)?.branches[0]?.head.signatureRef).toBe(small.ref)
  })
})

describe('a log whose head is gone from the store', () => {
  test.each(['head', 'signature'] as const)('goes back to the greatest head that is there, and on from there: %s', async (what) => {
    const source = knowledgeOf(domain)
    lane.give(source, lane.publish('a'))
    persist(source, lane)
    const tip = lane.publish('b')
    lane.give(source, tip)
    persist(source, lane)
    lose(what === 'head' ? tip.ref : tip.signature.ref)
    const k = await reload()
    expect(k.view().lanes.get(lane.ref)?.limit).toBe(1)
    kv.write(pullFrom(k, honest(source)).ops)
    expect(verdicts(k)).toBe(verdicts(source))
    expect(verdicts(await reload())).toBe(verdicts(source))
  })

  test('of two branches: the other one stays, grows where it lies, and the lost one comes back beside it', async () => {
    lane.publish('a')
    const twin = lane.fork(1)
    const [lost, kept] = [lane.publish('lost'), twin.publish('kept')]
    const [left, right] = [knowledgeOf(domain), knowledgeOf(domain)]
    lane.give(left, lost)
    twin.give(right, kept)
    lane.give(right, lost)
    const k = knowledgeOf(domain)
    lane.give(k, lost)
    twin.give(k, kept)
    persist(k, lane)
    lose(lost.signature.ref)
    const one = await reload()
    const inner = one.lanes.get(lane.ref)
    expect(inner?.branches.map((b) => b.head.ref)).toEqual([kept.ref])
    const from = twin.log.size
    const grown = twin.publish('more')
    twin.give(one, grown)
    if (inner?.branches[0] === undefined) throw new Error('no branch')
    kv.write([...branchOps(one, inner, inner.branches[0], from), ...unpersistedOps(one)])
    lane.give(one, lost)
    kv.write([...branchOps(one, inner, inner.branches[1] as never, 0), ...unpersistedOps(one)])
    const heads = (await reload()).lanes.get(lane.ref)?.branches.map((b) => b.head.ref).sort()
    expect(heads).toEqual([lost.ref, grown.ref].sort())
  })

  test('a log whose head is there and whose leaves aren\'t is damage', async () => {
    const k = knowledgeOf(domain)
    lane.publish('a')
    lane.give(k, lane.publish('b'))
    persist(k, lane)
    const leaf = [...kv.held.keys()].find((at) => at.startsWith(toHex(Uint8Array.of(KEYSPACE.leaf))))
    kv.held.delete(leaf as string)
    await expect(reload()).rejects.toMatchObject({ code: 'store-damaged' })
  })
})

function judge (k: DomainKnowledge, message: Gossip): { result: GossipJudgement, refused: string[], pulls: boolean[] } {
  const refused: string[] = []
  const pulls: boolean[] = []
  const sink = { taken: (ops: Parameters<MemoryKv['write']>[0]) => { kv.write(ops) }, refuse: (code: string) => { refused.push(code) }, pull: (news: boolean) => { pulls.push(news) }, digest: () => undefined }
  return { result: judgeGossip(k, message, sink), refused, pulls }
}

describe('evidence', () => {
  const side = (l: TestLane, h: MadeHead, index: number): ReturnType<typeof branchOf> => branchOf({
    ref: h.ref, snapshot: snapshotCodec.from(h.snapshot.artifact), signature: signatureCodec.from(h.signature.artifact), signatureRef: h.signature.ref
  }, l.log.leafHash(index), l.log.inclusion(index, h.size))

  function forked (l: TestLane): ForkEvidence {
    const twin = l.fork(0)
    return makeEvidence(l.ref, l.key.publicKey, 0, side(l, l.publish('left'), 0), side(twin, twin.publish('right'), 0))
  }

  const message = (proof: ForkEvidence): Gossip => ({ t: 'evidence', domain: domain.domain, artifact: encodeArtifact(forkEvidenceCodec.artifact(proof)) })

  test('about lanes that nothing names is neither passed on nor kept; about the others it is', () => {
    const k = knowledgeOf(domain)
    const stray = new TestLane(domain, testKey('stranger'), 'stray')
    k.admit(stray.item.artifact)
    expect(judge(k, message(forked(stray)))).toEqual({ result: 'ignore', refused: [], pulls: [] })
    expect(kv.held.size).toBe(0)
    expect(k.lanes.get(stray.ref)?.evidence).toBeUndefined()
    const real = forked(lane)
    lane.give(k, lane.head())
    expect(judge(k, message(real)).result).toBe('accept')
    expect(judge(k, message(real)).result).toBe('ignore')
  })

  test('none is lost when a store with many is read', async () => {
    const k = knowledgeOf(domain)
    // More than may wait for their lanes while a node runs, and of lanes that lie behind them in the store.
    const lanes = Array.from({ length: 4000 }, (_, i) => new TestLane(domain, owner, `n${i}`)).sort((a, b) => a.ref < b.ref ? 1 : -1).slice(0, 290)
    for (const l of lanes) {
      k.admit(l.item.artifact)
      kv.write(controlOps(k, [l.ref, k.admit(forkEvidenceCodec.artifact(forked(l))).ref]))
    }
    const again = await reload()
    expect(again.lanes.size).toBe(lanes.length)
    expect([...again.lanes.values()].filter((l) => l.evidence === undefined).length).toBe(0)
  })
})

describe('places of a body', () => {
  const ticks = (n: number): Uint8Array[] => Array.from({ length: n }, (_, i) => encodeLeaf(bareLeaf('tick', i + 1).leaf))

  test('ticks have none, however many there are', () => {
    const log = new LeafLog()
    const all = ticks(50_000)
    for (let i = 0; i < all.length; i += 1000) log.append(concatBytes(...all.slice(i, i + 1000)))
    const start = performance.now()
    expect(placesOf(log, NO_BODY)).toEqual([])
    // It took 15 s when each place of a repeated hash copied those before it.
    expect(performance.now() - start).toBeLessThan(2000)
  })

  test('a repeated body has all of its places, as the log grows', () => {
    lane.publish('a')
    const leaf = encodeLeaf((lane.leaves[0] as TestLane['leaves'][0]).leaf)
    const hash = (lane.leaves[0] as TestLane['leaves'][0]).leaf.body_hash
    const log = new LeafLog()
    const seen = [1, 1, 3, 20_000].map((n) => {
      log.append(concatBytes(...ticks(1), ...Array.from({ length: n }, () => leaf)))
      return placesOf(log, hash).slice(0, 4)
    })
    expect(seen).toEqual([[1], [1, 3], [1, 3, 5, 6], [1, 3, 5, 6]])
    expect(placesOf(log, hash).length).toBe(20_005)
  })
})

test('a body that was dropped and is wanted again is missing, restarted or not', async () => {
  const thief = testKey('thief')
  domain = makeDomain({ seed: 'attacks 4', principals: [{ key: owner, roles: [...FULL] }, { key: thief, roles: [...FULL] }] })
  lane = new TestLane(domain, owner, 'main')
  const bad = new TestLane(domain, thief, 'bad')
  lane.publish('keep')
  lane.publish('precious')
  const k = knowledgeOf(domain)
  lane.give(k, lane.head())
  const before = bad.publish('mine')
  bad.give(k, before)
  bad.give(k, bad.erase(lane, 1))
  k.view()
  persist(k, lane, bad)
  // The erasure is anchored, the body goes; then the theft is found, and the cut ends the erasure.
  for (const { artifact } of domain.manifest({ cuts: [{ lane: bad.ref, snapshot: bad.head().ref, ends: false }] }).items) k.admit(artifact)
  kv.write(unpersistedOps(k))
  expect(k.lanes.get(lane.ref)?.bodies.size).toBe(1)
  for (const { artifact } of domain.manifest({ principals: [{ key: owner, roles: [...FULL] }], closed: [thief], cuts: [{ lane: bad.ref, snapshot: before.ref, ends: true }] }).items) k.admit(artifact)
  admitHead(k, before)
  kv.write(unpersistedOps(k))
  expect(k.view().lanes.get(lane.ref)?.judged[1]?.code).toBe('body-missing')
  expect(k.lacksBodies()).toBe(true)
  expect(verdicts(await reload())).toBe(verdicts(k))
})

describe('heads by gossip', () => {
  const message = (l: TestLane, h: MadeHead, from: number, leaves: Uint8Array = new Uint8Array(0), bodies: Uint8Array[] = []): Gossip => ({
    t: 'head', domain: domain.domain, lane: encodeArtifact(laneCodec.artifact(l.lane)), snapshot: encodeArtifact(h.snapshot.artifact), signature: encodeArtifact(h.signature.artifact), from, leaves, bodies
  })

  test('one that nobody can check is pulled, not passed on; one that a log refutes costs nobody anything', () => {
    const [lagging, current] = [knowledgeOf(domain), knowledgeOf(domain)]
    lane.give(lagging, lane.publish('a'))
    for (let i = 0; i < 20; i++) lane.publish(`n${i}`)
    lane.give(current, lane.head())
    for (let i = 0; i < 8; i++) {
      const twin = message(lane, lane.head({ size: 10, logseq: 1000 + i }), 10)
      expect(judge(lagging, twin)).toEqual({ result: 'ignore', refused: [], pulls: [true] })
      expect(judge(current, twin)).toEqual({ result: 'ignore', refused: [], pulls: [] })
    }
  })

  test('K3: who stole a key can\'t lengthen its lane past the cut that ends it: nobody takes it, keeps asking for it or serves it', () => {
    const thief = testKey('thief')
    domain = makeDomain({ seed: 'lengthened', principals: [{ key: owner, roles: [...FULL] }, { key: thief, roles: [...FULL] }] })
    const stolen = new TestLane(domain, thief, 'stolen')
    const before = stolen.publish('mine')
    for (let i = 0; i < 50; i++) stolen.publish(`more ${i}`)
    const after = stolen.head()
    const [stale, holder] = [knowledgeOf(domain), knowledgeOf(domain)]
    for (const k of [stale, holder]) stolen.give(k, after)
    for (const { artifact } of domain.manifest({ principals: [{ key: owner, roles: [...FULL] }], closed: [thief], cuts: [{ lane: stolen.ref, snapshot: before.ref, ends: true }] }).items) holder.admit(artifact)
    admitHead(holder, before)
    const k = knowledgeOf(domain)
    stolen.give(k, before)
    const size = (): number | undefined => k.lanes.get(stolen.ref)?.branches[0]?.log.size
    expect(judge(k, message(stolen, after, 1, stolen.log.leaves(1, 51), stolen.leaves.slice(1).map((l) => l.body as Uint8Array)))).toEqual({ result: 'ignore', refused: [], pulls: [] })
    expect(pullFrom(k, honest(stale)).refused).toEqual([])
    expect(pullFrom(k, honest(holder)).outcome).toBe('same')
    expect(size()).toBe(1)
    expect(holder.inventoryDigest()).toBe(k.inventoryDigest())
    expect(verdicts(holder)).toBe(verdicts(k))
  })

  test('garbage under an honest head goes no further; its true leaves do, once', () => {
    const k = knowledgeOf(domain)
    lane.give(k, lane.publish('a'))
    const next = lane.publish('b')
    const garbage = message(lane, next, 1, new Uint8Array(42).fill(7), [new Uint8Array(4096)])
    expect(judge(k, garbage)).toEqual({ result: 'ignore', refused: [], pulls: [true] })
    expect(judge(k, garbage)).toEqual({ result: 'ignore', refused: [], pulls: [false] })
    const honestOne = message(lane, next, 1, lane.log.leaves(1, 2), [lane.leaves[1]?.body as Uint8Array])
    expect([judge(k, honestOne).result, judge(k, honestOne).result]).toEqual(['accept', 'ignore'])
    expect([...k.view().current.keys()]).toEqual(['a', 'b'])
  })
})
