import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { cutListCodec } from '../../src/authority/cut-list.js'
import { installNativeCrypto } from '../../src/node/native-crypto.js'
import { encodeArtifact, referenceOf } from '../../src/substrate/artifact.js'
import { hasher, useHasher } from '../../src/substrate/hasher.js'
import { NONE } from '../../src/substrate/reference.js'
import { TAG } from '../../src/substrate/type-tags.js'
import { DomainKnowledge } from '../../src/authority/knowledge.js'
import { answer } from '../../src/federation/serve-sync.js'
import { headGossip } from '../../src/federation/gossip.js'
import { forkEvidenceCodec } from '../../src/publication/evidence.js'
import { makeDomain, refFrom, signed, type TestDomain, testKey } from '../helpers/authority-fixtures.js'
import { admitHead, knowledgeOf, TestLane } from '../helpers/lanes.js'
import { laneCodec } from '../../src/publication/lane.js'

beforeAll(() => { installNativeCrypto() })

const owner = testKey('owner')
const producer = testKey('producer')
let domain: TestDomain
let k: DomainKnowledge
let lane: TestLane

beforeEach(() => {
  domain = makeDomain({ seed: 'knowledge', principals: [{ key: owner, roles: ['federate', 'produce', 'publish'] }, { key: producer, roles: ['produce'] }] })
  k = knowledgeOf(domain)
  lane = new TestLane(domain, owner, 'main')
})

/** How often `work` hashes. */
function hashes (work: () => void): number {
  const before = hasher()
  let count = 0
  useHasher({ sha256: (...parts) => { count++; return before.sha256(...parts) } })
  try {
    work()
  } finally {
    useHasher(before)
  }
  return count
}

describe('what a revision costs', () => {
  test('what only waits changes no revision, so no view is computed for it', () => {
    const stranger = new TestLane(domain, owner, 'not held')
    const head = stranger.publish('a')
    const before = k.revision
    expect(k.admit(head.snapshot.artifact)).toMatchObject({ result: 'waiting', code: 'signature-missing' })
    expect(k.admit(head.signature.artifact)).toMatchObject({ result: 'waiting', code: 'target-missing' })
    expect(k.admit(head.signature.artifact)).toMatchObject({ result: 'waiting' })
    expect(k.revision).toBe(before)
    expect(k.admit(stranger.item.artifact).result).toBe('added')
    expect(k.lanes.get(stranger.ref)?.heads.has(head.ref)).toBe(true)
  })

  test('a stranger\'s signature that waits for the same head doesn\'t push the true one out', () => {
    const stranger = new TestLane(domain, owner, 'not held')
    const head = stranger.publish('a')
    admitHead(k, head)
    for (let i = 0; i < 5; i++) k.admit(signed(testKey(`mallory ${i}`), 'snapshot', head.ref).artifact)
    k.admit(stranger.item.artifact)
    expect(k.lanes.get(stranger.ref)?.heads.has(head.ref)).toBe(true)
  })

  test('looking for an object that isn\'t held hashes nothing, and asking twice for the same computes once', () => {
    for (let i = 0; i < 12; i++) lane.give(k, lane.publish(`n${i}`))
    k.inventoryDigest()
    const miss = refFrom('nowhere')
    expect(hashes(() => { expect(k.artifact(miss)).toBeUndefined(); expect(k.has(miss)).toBe(false) })).toBe(0)
    expect(hashes(() => { k.view(); k.inventory(); k.inventoryDigest(); k.missing(); answer(k, { t: 'inventory', id: 1, domain: k.domain, known: k.inventoryDigest(), after: new Uint8Array(34) }) })).toBe(0)
  })

  test('one more leaf costs the same few hashes after 200 leaves as after 10', () => {
    const cost = (leaves: number): number => {
      const fresh = knowledgeOf(domain)
      const long = new TestLane(domain, owner, `long ${leaves}`)
      while (long.leaves.length < leaves) {
        const head = long.publish(`n${long.leaves.length % 7}`)
        if (long.leaves.length % 10 === 0) long.give(fresh, head)
      }
      fresh.inventoryDigest()
      expect(fresh.view().digest).not.toBe('')
      long.give(fresh, long.publish('one more'))
      return hashes(() => { expect([fresh.view().digest, fresh.inventoryDigest()]).toHaveLength(2) })
    }
    expect(cost(200)).toBeLessThanOrEqual(cost(10) + 8)
    expect(cost(200)).toBeLessThan(30)
  })
})

describe('room', () => {
  test('objects that nothing leads to are held in bounded number, and the chain stays', () => {
    const tip = k.authority().tip
    const digest = k.inventoryDigest()
    for (let i = 0; i < 6000; i++) {
      const artifact = cutListCodec.artifact({ cuts: [{ lane: refFrom(`junk ${i}`), snapshot: domain.tip, ends: false }], next: NONE })
      expect(k.admit(artifact).result).toBe('added')
    }
    expect(k.objects.cutLists.size).toBeLessThanOrEqual(2048)
    const signatures = Array.from({ length: 150 }, (_, i) => signed(testKey(`nobody ${i}`), 'manifest', domain.tip))
    for (const { artifact } of signatures) k.admit(artifact)
    expect(signatures.filter((s) => k.has(s.ref)).length).toBeLessThanOrEqual(128)
    expect(k.authority().tip).toBe(tip)
    expect(k.inventoryDigest()).toBe(digest)
    // One that was dropped is taken again.
    const first = cutListCodec.artifact({ cuts: [{ lane: refFrom('junk 0'), snapshot: domain.tip, ends: false }], next: NONE })
    expect(k.has(referenceOf(first.typeTag, first.payload))).toBe(false)
    expect(k.admit(first).result).toBe('added')
  })

  test('what the domain needs is found among junk, whatever comes first', () => {
    for (let i = 0; i < 3; i++) domain.manifest()
    const fresh = new DomainKnowledge(domain.domain)
    let n = 0
    const junk = (): void => { for (let i = 0; i < 2200; i++) fresh.admit(cutListCodec.artifact({ cuts: [{ lane: refFrom(`junk ${n++}`), snapshot: domain.tip, ends: false }], next: NONE })) }
    // Signatures last: what waits for them is pushed out, and stays when it is offered once more.
    const offered = [...domain.items].sort((a, b) => Number(a.artifact.typeTag === TAG.signature) - Number(b.artifact.typeTag === TAG.signature))
    for (let round = 0; round < 2; round++) {
      offered.filter((i) => !fresh.has(i.ref)).forEach(({ artifact }, at) => {
        if (at % 4 === 0) junk()
        fresh.admit(artifact)
      })
    }
    expect(fresh.authority().tip).toBe(domain.tip)
    expect(fresh.objects.cutLists.size).toBeLessThanOrEqual(2048)
  })

  test('lanes that anybody made up are held in bounded number, those that count stay', () => {
    const head = lane.publish('a')
    lane.give(k, head)
    const digest = k.inventoryDigest()
    // By anybody with a key, heads and all, and by the owner's key without any.
    const mallory = testKey('mallory')
    for (let i = 0; i < 700; i++) {
      const made = new TestLane(domain, mallory, `made up ${i}`)
      k.admit(made.item.artifact)
      if (i < 600) admitHead(k, made.head({ size: 5, log_root: refFrom('root').slice(4) }))
    }
    for (let i = 0; i < 700; i++) k.admit(laneCodec.artifact({ ...lane.lane, nonce: refFrom(`lane ${i}`).slice(4), previous: NONE }))
    expect(k.lanes.size).toBeLessThanOrEqual(600)
    expect(k.lanes.has(lane.ref)).toBe(true)
    expect(k.inventoryDigest()).toBe(digest)
  })

  test('superseded heads go, but the newest few; giant ones that no log shows don\'t push out what is named', () => {
    const other = new TestLane(domain, producer, 'other')
    other.publish('x/1')
    const named = other.head()
    other.give(k, named)
    const vouching = new TestLane(domain, owner, 'vouching')
    vouching.give(k, vouching.vouch(other, named))
    for (let i = 0; i < 40; i++) lane.give(k, lane.publish(`n${i}`))
    k.view()
    expect(k.lanes.get(lane.ref)?.heads.size).toBeLessThanOrEqual(17)
    const digest = k.inventoryDigest()
    for (let i = 0; i < 120; i++) admitHead(k, other.head({ size: 2 ** 40 + i, log_root: refFrom(`giant ${i}`).slice(4) }))
    k.view()
    const heads = k.lanes.get(other.ref)?.heads
    expect(heads?.size).toBeLessThanOrEqual(18)
    expect(heads?.has(named.ref)).toBe(true)
    expect(k.inventoryDigest()).toBe(digest)
  })

  test('a flood that comes with a cut doesn\'t push out the head that the cut names', () => {
    const old = lane.publish('a')
    lane.give(k, old)
    const target = lane.publish('b')
    for (let i = 0; i < 10; i++) lane.publish(`c${i}`)
    const cut = domain.manifest({ cuts: [{ lane: lane.ref, snapshot: target.ref, ends: false }] })
    for (const { artifact } of cut.items) k.admit(artifact)
    admitHead(k, target)
    for (let i = 0; i < 200; i++) admitHead(k, lane.head({ size: 2 ** 40 + i, log_root: refFrom(`giant ${i}`).slice(4) }))
    k.view()
    expect(k.lanes.get(lane.ref)?.heads.has(target.ref)).toBe(true)
  })
})

describe('a head that lies about the logseq of its last leaf (S1)', () => {
  test('is passed on where something names it, and covers nothing', () => {
    const other = new TestLane(domain, producer, 'other')
    other.publish('x/1')
    const twin = other.head({ logseq: 7 })
    const honest = other.publish('x/2')
    other.give(k, honest)
    const vouching = new TestLane(domain, owner, 'vouching')
    vouching.give(k, vouching.vouch(other, twin))
    const { digest } = k.view()
    expect(k.view().withheld).toContain(twin.ref)
    admitHead(k, twin)
    expect(k.view().lanes.get(other.ref)?.exported).toBe(0)
    expect(k.view().digest).toBe(digest)
    // Whoever holds no log can't know that it lies: all judge it alike, by what it shows.
    expect(k.view().withheld).toEqual([])
    expect(k.inventory()).toContain(twin.ref)
  })

  test('is no anchor: the cut stays unlinked', () => {
    lane.publish('a')
    const twin = lane.head({ logseq: 9 })
    lane.give(k, lane.publish('b'))
    admitHead(k, twin)
    const { items } = domain.manifest({ closed: [owner], principals: [{ key: testKey('next') }, { key: producer, roles: ['produce'] }], cuts: [{ lane: lane.ref, snapshot: twin.ref, ends: true }] })
    for (const { artifact } of items) k.admit(artifact)
    expect(k.view().lanes.get(lane.ref)).toMatchObject({ status: 'deferred', code: 'cut-unlinked', unlinked: [twin.ref] })
  })
})

test('all nodes keep the same one of many signatures over a head', () => {
  const head = lane.publish('a')
  lane.give(k, head)
  const held = k.lanes.get(lane.ref)?.heads.get(head.ref)
  if (held === undefined) throw new Error('not held')
  const other = { ...held.signature, signature: 'ab'.repeat(64) }
  // Not valid: changes nothing, whichever reference is smaller.
  expect(k.lanes.get(lane.ref)?.resign(held, other, NONE)).toBe('bad-signature')
  expect(k.artifact(head.signature.ref)).toBeDefined()
  // As if the same key had made one with a smaller reference.
  const smaller = refFrom('smaller') < held.signatureRef ? refFrom('smaller') : NONE
  expect(k.lanes.get(lane.ref)?.resign(held, held.signature, smaller)).toBe(true)
  k.touch()
  expect(k.inventory()).toContain(smaller)
  expect(k.inventory()).not.toContain(head.signature.ref)
  expect(k.lanes.get(lane.ref)?.branches[0]?.head.signatureRef).toBe(smaller)
})

describe('what others may see', () => {
  test('an internal lane that `previous` names is never served, and its head counts as withheld', () => {
    const internal = new TestLane(domain, owner, 'internal', { visibility: 0 })
    const secret = internal.publish('secret')
    internal.give(k, secret)
    const shown = new TestLane(domain, owner, 'shown', { previous: secret.ref })
    shown.give(k, shown.publish('a'))
    expect(k.view().withheld).toContain(secret.ref)
    for (const ref of [internal.ref, secret.ref, secret.signature.ref]) expect(k.offered().has(ref)).toBe(false)
    expect(k.served(internal.ref)).toEqual([])
    expect(answer(k, { t: 'leaves', id: 1, domain: k.domain, lane: internal.ref, head: secret.ref, from: 0 })).toMatchObject({ bodies: [] })
    expect(answer(k, { t: 'bodies', id: 1, domain: k.domain, lane: internal.ref, hashes: [internal.leaves[0]?.leaf.body_hash ?? ''] as never })).toMatchObject({ bodies: [] })
  })

  test('what is gossiped is the head of the branch in force, and nothing of a lane that isn\'t exported (A3)', () => {
    lane.publish('a')
    const twin = lane.fork(1)
    const lost = lane.publish('lost')
    const kept = twin.publish('kept')
    lane.give(k, lost)
    admitHead(k, kept)
    twin.give(k, kept)
    const inner = k.lanes.get(lane.ref)
    expect(inner?.branches).toHaveLength(2)
    const { items } = domain.manifest({ cuts: [{ lane: lane.ref, snapshot: kept.ref, ends: false }] })
    for (const { artifact } of items) k.admit(artifact)
    expect(k.view().lanes.get(lane.ref)?.branch?.head.ref).toBe(kept.ref)
    if (inner === undefined) throw new Error('no lane')
    expect(headGossip(k, inner, 1)?.snapshot).toEqual(encodeArtifact(kept.snapshot.artifact))
    expect(inner.evidence === undefined ? undefined : forkEvidenceCodec.reference(inner.evidence)).toBe(inner.evidenceRef)
    const proposal = new TestLane(domain, producer, 'proposal')
    proposal.give(k, proposal.publish('p'))
    expect(headGossip(k, k.lanes.get(proposal.ref) as typeof inner, 0)).toBeUndefined()
  })
})
