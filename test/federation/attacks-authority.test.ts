/** What a sixth hostile reading proved: keys whose time is over cost every node memory, traffic and readable bundles (M7, THREATS 12, B3). */
import { beforeAll, expect, test } from 'vitest'
import { AuthorityObjects } from '../../src/authority/authority-store.js'
import { DomainKnowledge } from '../../src/authority/knowledge.js'
import { resolveAuthority } from '../../src/authority/manifest-chain.js'
import { renewEntry } from '../../src/authority/renew.js'
import { exportBundle, importBundle } from '../../src/federation/bundle.js'
import { loadKnowledge } from '../../src/federation/ledger.js'
import { installNativeCrypto } from '../../src/node/native-crypto.js'
import { newRequest } from '../../src/node/roots/signing-request.js'
import type { Reference } from '../../src/substrate/reference.js'
import { makeDomain, type TestDomain, testKey } from '../helpers/authority-fixtures.js'
import { engineOn, save } from '../helpers/engines.js'
import { knowledgeOf, TestLane } from '../helpers/lanes.js'
import { joined } from '../helpers/rounds.js'

beforeAll(() => { installNativeCrypto() })

const owner = testKey('authority owner')
const MIB = 2 ** 20
const bytesOf = (k: DomainKnowledge, refs: Iterable<Reference>): number => [...refs].reduce((n, r) => n + (k.artifact(r)?.payload.length ?? 0), 0)

/** Manifests of about 0.8 MiB each, one beside the other, under a root entry. */
function flood (domain: TestDomain, after: Reference, under: Reference, count: number): ReturnType<TestDomain['manifest']>['items'] {
  return Array.from({ length: count }, (_, i) => {
    const prefixes = Array.from({ length: 33_000 }, (_p, n) => `p${i}/${n.toString().padStart(20, '0')}`)
    return domain.manifest({ after, under, principals: [{ key: owner }, { key: testKey(`flood ${i}`), roles: ['produce'], prefixes }] }).items
  }).flat()
}

test('a root_key whose epoch is over costs nobody more than a bounded memory, and breaks no bundle', async () => {
  const domain = makeDomain({ seed: 'over', principals: [{ key: owner }] })
  const [good, before] = [domain.tip, domain.entry]
  const own = new TestLane(domain, owner, 'own')
  own.publish('report')
  // What the owner once left behind, and may want to go back to.
  const left = domain.manifest({ after: good })
  domain.renew({ base: good })
  const tip = domain.manifest({ after: good }).ref
  const engine = await engineOn('over', domain)
  const k = await engine.knowledge(domain.domain)
  for (const { artifact } of [...domain.items, ...left.items]) k.admit(artifact)
  own.give(k, own.head())
  for (const { artifact } of flood(domain, good, before, 20)) k.admit(artifact)
  expect(k.authority()).toMatchObject({ tip, state: 'ok' })
  expect(bytesOf(k, k.objects.relevant(domain.domain))).toBeLessThan(5 * MIB)
  expect(k.objects.relevant(domain.domain)).toContain(left.ref)
  expect(bytesOf(k, k.authority().judged.keys())).toBeLessThan(14 * MIB)
  await save(engine, k)
  const late = new DomainKnowledge(domain.domain)
  joined(k, late)
  expect(bytesOf(late, late.inventory())).toBeLessThan(5 * MIB)
  expect(late.inventoryDigest()).toBe(k.inventoryDigest())
  expect(late.view().digest).toBe(k.view().digest)
  const to = await engineOn('over to')
  expect(await importBundle(to, exportBundle(engine, domain.domain), { follow: true })).toMatchObject({ status: 'accepted', leaves: 1 })
  // And what was on the disk while nobody knew better goes with it.
  expect(bytesOf(await loadKnowledge(engine.ports.kv, domain.domain), k.persisted)).toBeLessThan(14 * MIB)
})

test('what was taken in while the key was still in force goes when the roots end it', async () => {
  const domain = makeDomain({ seed: 'until', principals: [{ key: owner }] })
  const [good, before] = [domain.tip, domain.entry]
  const engine = await engineOn('until', domain)
  const k = await engine.knowledge(domain.domain)
  for (const { artifact } of flood(domain, good, before, 11)) k.admit(artifact)
  expect(k.authority().state).toBe('authority-forked')
  expect(bytesOf(k, k.objects.relevant(domain.domain))).toBeGreaterThan(8 * MIB)
  await save(engine, k)
  domain.renew({ base: good })
  const { ref: tip } = domain.manifest({ after: good })
  for (const { artifact } of domain.items) k.admit(artifact)
  expect(k.authority()).toMatchObject({ tip, state: 'ok' })
  expect(bytesOf(k, k.objects.relevant(domain.domain))).toBeLessThan(5 * MIB)
  await save(engine, k)
  // A key that goes on signing makes room needed, and what isn't wanted any more goes.
  for (const { artifact } of flood(domain, good, before, 22).slice(22)) k.admit(artifact)
  await save(engine, k)
  expect(bytesOf(k, k.authority().judged.keys())).toBeLessThan(14 * MIB)
})

test('R5, M7: who never saw what was left behind judges as who did, and goes back to it when a base says so', () => {
  const domain = makeDomain({ seed: 'back', principals: [{ key: owner }] })
  const good = domain.tip
  const one = new TestLane(domain, owner, 'one')
  const head = one.publish('one')
  // A manifest under which a lane was opened, and which a base then leaves behind.
  const left = domain.manifest({ after: good })
  const two = new TestLane(domain, owner, 'two', { manifest: left.ref, previous: head.ref })
  two.publish('two')
  domain.renew({ base: good })
  domain.manifest({ after: good })
  const old = knowledgeOf(domain)
  for (const { artifact } of left.items) old.admit(artifact)
  one.give(old, head)
  two.give(old, two.head())
  const late = new DomainKnowledge(domain.domain)
  joined(old, late)
  expect([...late.view().current.keys()]).toEqual(['one'])
  expect([late.view().digest, late.inventoryDigest()]).toEqual([old.view().digest, old.inventoryDigest()])
  domain.renew({ base: left.ref })
  domain.manifest({ after: left.ref })
  for (const { artifact } of domain.items) old.admit(artifact)
  joined(old, late)
  expect([...late.view().current.keys()]).toEqual([...old.view().current.keys()])
  expect([late.view().digest, late.inventoryDigest()]).toEqual([old.view().digest, old.inventoryDigest()])
})

test('M7: the roots can go back to what a base left behind, also where it is no longer shown to others', () => {
  const domain = makeDomain({ seed: 'return', principals: [{ key: owner }] })
  const [good, before] = [domain.tip, domain.entry]
  const large = domain.manifest({ after: good, principals: [{ key: owner }, { key: testKey('large'), roles: ['produce'], prefixes: Array.from({ length: 33_000 }, (_, n) => `z/${n.toString().padStart(20, '0')}`) }] })
  const left = domain.manifest({ after: large.ref })
  domain.renew({ base: good })
  domain.manifest({ after: good })
  const k = knowledgeOf(domain)
  for (const { artifact } of flood(domain, good, before, 8)) k.admit(artifact)
  expect(k.authority()).toMatchObject({ state: 'ok', epoch: 1 })
  for (const { ref } of [large, left]) if (k.objects.has(ref)) expect(newRequest(k, renewEntry(k, { base: ref })).entry.base).toBe(ref)
  expect([large, left].some(({ ref }) => !k.objects.relevant(domain.domain).includes(ref))).toBe(true)
})

test('R5: what was judged with an object that is let go is judged again without it', () => {
  const domain = makeDomain({ seed: 'stale', principals: [{ key: owner }] })
  const [good, before] = [domain.tip, domain.entry]
  const [first] = [domain.manifest({ after: good }), domain.renew({ base: good })]
  const second = domain.manifest({ after: first.ref, under: before })
  domain.manifest({ after: good })
  const objects = new Droppable(domain.domain)
  for (const { ref, artifact } of [...domain.items, ...second.items]) objects.add(ref, artifact)
  expect(resolveAuthority(objects, domain.domain).verdictOf(second.ref).code).toBe('orphaned')
  objects.letGo(first.ref)
  expect(resolveAuthority(objects, domain.domain).verdictOf(second.ref)).toMatchObject({ status: 'deferred', missing: [first.ref] })
})

class Droppable extends AuthorityObjects {
  letGo (ref: Reference): void {
    this.drop(ref)
  }
}

test.each(['invalid', 'missing'] as const)('M7, S5: whoever has an entry whose base is %s shows it, or others go on trusting the key that it ended', (kind) => {
  const domain = makeDomain({ seed: 'tipless', principals: [{ key: owner }] })
  const behind = knowledgeOf(domain)
  const bad = domain.manifest({ after: domain.tip, fields: { version: 7 } })
  domain.renew({ base: bad.ref })
  const lacking = new Set(kind === 'missing' ? bad.items.map((i) => i.ref) : [])
  const ahead = new DomainKnowledge(domain.domain)
  for (const { ref, artifact } of domain.items) if (!lacking.has(ref)) ahead.admit(artifact)
  joined(ahead, behind)
  expect(behind.authority()).toMatchObject({ epoch: 1, state: 'deferred' })
  expect(behind.inventoryDigest()).toBe(ahead.inventoryDigest())
})
