/** Root entries as they are written (renew.ts, mint.ts), judged by the code that strangers use. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { amendManifest } from '../../src/authority/amend.js'
import { DomainKnowledge } from '../../src/authority/knowledge.js'
import { mintGenesis } from '../../src/authority/mint.js'
import { defaultPolicy, policyHash } from '../../src/authority/policy.js'
import { entryFault, type NewEntry, renewEntry, rootSetFrom, rotateEntry } from '../../src/authority/renew.js'
import { rootCommitment } from '../../src/authority/root-entry.js'
import { rootSetCodec } from '../../src/authority/root-set.js'
import type { Artifact } from '../../src/substrate/artifact.js'
import { NONE, type PublicKey } from '../../src/substrate/reference.js'
import { signatureCodec } from '../../src/substrate/signature.js'
import { digestFrom, makeDomain, refFrom, rootSetOf, signed, type TestDomain, type TestKey, testKey, testSigner } from '../helpers/authority-fixtures.js'

const knowing = (d: TestDomain): DomainKnowledge => {
  const k = new DomainKnowledge(d.domain)
  for (const { artifact } of d.items) k.admit(artifact)
  return k
}
const take = (k: DomainKnowledge, artifacts: readonly Artifact[]): void => { for (const a of artifacts) k.admit(a) }
const sign = (made: NewEntry, keys: readonly TestKey[]): Artifact[] => keys.map((key) => signed(key, 'root-entry', made.ref).artifact)
const inForce = (k: DomainKnowledge, made: NewEntry): boolean => k.authority().rootChain.entries.at(-1)?.ref === made.ref
const codeOf = (act: () => unknown): string => {
  try {
    act()
  } catch (err) {
    return (err as { code: string }).code
  }
  return 'none'
}
const spare = (seed: string, n = 1): TestKey[] => Array.from({ length: n }, (_, i) => testKey(`spare/${seed}/${i}`))
const commitTo = (seed: string): ReturnType<typeof rootCommitment> => rootCommitment(digestFrom(seed), rootSetCodec.reference(rootSetFrom(spare(seed).map((x) => x.publicKey), 1)))
/** what opens the genesis' commitment of a fixture */
const opening = (d: TestDomain): { newSet: ReturnType<typeof rootSetOf>, salt: string, nextCommitment: ReturnType<typeof commitTo> } =>
  ({ newSet: rootSetOf(d.nextRoots(d.domain)), salt: digestFrom(`${d.seed}/salt/0`), nextCommitment: commitTo('after') })

describe('a root set of keys in any order', () => {
  const three = spare('set', 3).map((k) => k.publicKey)
  it.each<[string, readonly PublicKey[], number, boolean]>([
    ['1 of 1', three.slice(0, 1), 1, true],
    ['2 of 3', three, 2, true],
    ['9 of 9', spare('nine', 9).map((k) => k.publicKey), 9, true],
    ['threshold 0', three, 0, false],
    ['threshold above the keys', three, 4, false],
    ['half a threshold', three, 1.5, false],
    ['no threshold', three, NaN, false],
    ['the same key twice', [three[0], three[1], three[0]] as PublicKey[], 2, false],
    ['no key', [], 1, false],
    ['ten keys', spare('ten', 10).map((k) => k.publicKey), 1, false]
  ])('%s', (_what, keys, threshold, good) => {
    expect(codeOf(() => rootSetCodec.encode(rootSetFrom(keys, threshold)))).toBe(good ? 'none' : 'root-set')
  })
})

describe('T1: an entry comes into force with the threshold of distinct keys, whatever lies beside', () => {
  it('any size, any signers, garbage and strangers', () => {
    fc.assert(fc.property(
      fc.integer({ min: 1, max: 9 }).chain((n) => fc.record({
        n: fc.constant(n),
        threshold: fc.integer({ min: 1, max: n }),
        signers: fc.array(fc.integer({ min: 0, max: n - 1 }), { maxLength: n + 2 }),
        rotate: fc.boolean(),
        noise: fc.boolean()
      })),
      ({ n, threshold, signers, rotate, noise }) => {
        const d = makeDomain({ roots: n, threshold, seed: `t1/${n}/${threshold}` })
        const k = knowing(d)
        const made = rotate ? rotateEntry(k, opening(d)) : renewEntry(k, {})
        const keys = rotate ? d.nextRoots(d.domain).keys : d.roots().keys
        take(k, made.artifacts)
        if (noise) {
          take(k, sign(made, [testKey('stranger')]))
          take(k, [signed(keys[0] as TestKey, 'drill', made.ref).artifact, signed(keys[0] as TestKey, 'manifest', made.ref).artifact])
          const good = signatureCodec.from(signed(keys[n - 1] as TestKey, 'root-entry', made.ref).artifact)
          take(k, [signatureCodec.artifact({ ...good, signature: good.signature.replace(/^../, (x) => x === '00' ? '01' : '00') })])
        }
        take(k, sign(made, signers.map((i) => keys[i] as TestKey)))
        expect(inForce(k, made)).toBe(new Set(signers).size >= threshold)
      }), { numRuns: 40 })
  })

  it.each([[1, 1], [3, 2], [9, 5]])('a domain minted with %i roots, %i of which must sign', async (n, threshold) => {
    const keys = (seed: string): TestKey[] => spare(`mint/${seed}`, n)
    const init = { root: keys('a').map(testSigner), nextRoot: keys('b').map((x) => x.publicKey), nextSalt: digestFrom('s'), threshold, rootKey: testSigner(testKey('rk')), principals: [{ publicKey: testKey('p').publicKey, roles: ['publish'] as const, prefixes: [''] }] }
    const { knowledge: k } = await mintGenesis(init)
    const made = rotateEntry(k, { newSet: rootSetFrom(init.nextRoot, threshold), salt: init.nextSalt, nextCommitment: commitTo('x') })
    take(k, [...made.artifacts, ...sign(made, keys('b').slice(0, threshold - 1))])
    expect(inForce(k, made)).toBe(false)
    take(k, sign(made, keys('b').slice(0, threshold)))
    expect(inForce(k, made)).toBe(true)
  })
})

describe('M5: renew', () => {
  it('keeps roots and commitment, and certifies key, policy and base that were asked for', () => {
    const d = makeDomain()
    const first = d.tip
    d.manifest()
    const k = knowing(d)
    const policy = { ...defaultPolicy, retention_policy: { ...defaultPolicy.retention_policy, min_snapshot_retention: 3 } }
    const made = renewEntry(k, { rootKey: testKey('new').publicKey, policy, base: first })
    take(k, [...made.artifacts, ...sign(made, d.roots().keys)])
    const { entry, certificate } = made
    const genesis = k.objects.rootEntries.get(d.domain)
    expect([entry.epoch, entry.root_set, entry.next_commitment, entry.salt, entry.base]).toEqual([1, genesis?.root_set, genesis?.next_commitment, '0'.repeat(64), first])
    expect([certificate.subject_pubkey, certificate.policy_hash, certificate.version]).toEqual([testKey('new').publicKey, policyHash(policy), 1])
    // M7: the manifest after the base no longer counts.
    expect(k.authority().tip).toBe(first)
  })

  it('by default nothing changes but the epoch', () => {
    const d = makeDomain()
    const { entry, certificate } = renewEntry(knowing(d), {})
    expect([certificate.subject_pubkey, entry.base]).toEqual([d.rootKey().publicKey, d.tip])
  })

  it('settles an authority fork before the fork, and the epoch\'s first manifest follows', () => {
    const d = makeDomain()
    const common = d.tip
    d.manifest({ after: common, principals: [...d.principals(common), { key: testKey('mallory') }] })
    d.manifest({ after: common, principals: [...d.principals(common), { key: testKey('trent') }] })
    const k = knowing(d)
    expect(k.authority().state).toBe('authority-forked')
    const made = renewEntry(k, { rootKey: testKey('fresh').publicKey })
    expect(made.entry.base).toBe(common)
    // amended before the entry is known, as a node does it that makes both durable at once
    const next = amendManifest(k, { under: { rootEntry: made.ref, rootKey: testKey('fresh').publicKey, policyHash: made.certificate.policy_hash, previous: common } })
    take(k, [...made.artifacts, ...sign(made, d.roots().keys), ...next.artifacts, signed(testKey('fresh'), 'manifest', next.ref).artifact])
    expect([k.authority().state, k.authority().tip]).toEqual(['ok', next.ref])
  })

  it.each<[string, (d: TestDomain, k: DomainKnowledge) => unknown, string]>([
    ['an offline root key as root_key', (d, k) => renewEntry(k, { rootKey: (d.roots().keys[0] as TestKey).publicKey }), 'root-key-reused'],
    ['a base that nobody has', (_d, k) => renewEntry(k, { base: refFrom('nowhere') }), 'base-missing'],
    ['a base that is no manifest', (d, k) => renewEntry(k, { base: d.domain }), 'base-missing'],
    ['a policy that isn\'t held', (_d, k) => renewEntry(k, { policy: digestFrom('no policy') }), 'policy-missing'],
    ['a policy that switches a safety rule off', (_d, k) => renewEntry(k, { policy: { ...defaultPolicy, visibility_policy: { internal_hidden: false, published_read_only: true } } }), 'policy-unsupported'],
    ['a domain of which nothing is held', () => renewEntry(new DomainKnowledge(makeDomain({ seed: 'nobody' }).domain), {}), 'unknown-domain']
  ])('refuses %s', (_what, act, code) => {
    const d = makeDomain()
    expect(codeOf(() => act(d, knowing(d)))).toBe(code)
  })
})

describe('M5, M6: rotate', () => {
  it('opens the commitment, and then the old roots are worth nothing', () => {
    const d = makeDomain({ roots: 3, threshold: 2 })
    const k = knowing(d)
    const made = rotateEntry(k, opening(d))
    take(k, [...made.artifacts, ...sign(made, d.nextRoots(d.domain).keys.slice(1))])
    expect(inForce(k, made)).toBe(true)
    const later = renewEntry(k, {})
    take(k, [...later.artifacts, ...sign(later, d.roots(d.domain).keys)])
    expect(inForce(k, later)).toBe(false)
  })

  it.each<[string, (o: ReturnType<typeof opening>, d: TestDomain) => Parameters<typeof rotateEntry>[1], string]>([
    ['another salt', (o) => ({ ...o, salt: digestFrom('other') }), 'commitment-mismatch'],
    ['another set', (o) => ({ ...o, newSet: rootSetFrom(spare('thief').map((k) => k.publicKey), 1) }), 'commitment-mismatch'],
    ['another threshold', (o) => ({ ...o, newSet: { ...o.newSet, threshold: 1 } }), 'commitment-mismatch'],
    ['the commitment that it opens, again', (o, d) => ({ ...o, nextCommitment: rootCommitment(o.salt, rootSetCodec.reference(rootSetOf(d.nextRoots(d.domain)))) }), 'commitment-reused'],
    ['one of the new root keys as root_key', (o) => ({ ...o, rootKey: o.newSet.root_keys[0] as PublicKey }), 'root-key-reused']
  ])('refuses %s', (_what, change, code) => {
    const d = makeDomain({ roots: 3, threshold: 2 })
    expect(codeOf(() => rotateEntry(knowing(d), change(opening(d), d)))).toBe(code)
  })

  it('refuses a principal of the base among the new roots', () => {
    const d = makeDomain()
    d.manifest({ principals: [...d.principals(), { key: d.nextRoots(d.domain).keys[0] as TestKey }] })
    expect(codeOf(() => rotateEntry(knowing(d), opening(d)))).toBe('root-key-reused')
  })

  it('the owner\'s rotation beats every renewal of a thief of the live roots, known to the owner or not, in any order (THREATS 13)', () => {
    fc.assert(fc.property(fc.array(fc.boolean(), { minLength: 1, maxLength: 4 }), fc.boolean(), fc.boolean(), fc.infiniteStream(fc.nat()), (branches, known, late, shuffle) => {
      const d = makeDomain({ roots: 2, threshold: 2 })
      const good = d.tip
      const owner = knowing(d)
      branches.forEach((deeper, i) => { d.renew({ after: deeper ? d.entry : d.domain, base: good, rootKey: `thief/${i}` }) })
      const thief = d.items.map((i) => i.artifact)
      if (known) take(owner, thief)
      const forked = owner.authority().rootChain.state === 'root-forked'
      if (forked) expect(codeOf(() => renewEntry(owner, {}))).toBe('root-forked')
      const made = rotateEntry(owner, { ...opening(d), base: good, rootKey: testKey('owner').publicKey })
      const last = late ? d.renew({ after: d.domain, base: good, rootKey: 'thief/late' }).items.map((i) => i.artifact) : []
      const all = [...thief, ...last, ...made.artifacts, ...sign(made, d.nextRoots(d.domain).keys)]
      const order = all.map((a) => [shuffle.next().value as number, a] as const).sort((a, b) => a[0] - b[0]).map(([, a]) => a)
      const follower = new DomainKnowledge(d.domain)
      take(follower, order)
      expect([inForce(follower, made), follower.authority().tip, follower.authority().state]).toEqual([true, good, 'ok'])
    }), { numRuns: 25 })
  })
})

describe('what is judged before anybody signs', () => {
  it('an entry that follows an older one than is in force', () => {
    const d = makeDomain()
    const k = knowing(d)
    const old = renewEntry(k, {})
    const newer = renewEntry(k, { rootKey: testKey('x').publicKey })
    take(k, [...newer.artifacts, ...sign(newer, d.roots().keys)])
    expect(entryFault(k, old)?.code).toBe('root-orphaned')
  })

  it('a certificate for another epoch, though only its threshold of signatures would show it', () => {
    const d = makeDomain()
    const k = knowing(d)
    const made = renewEntry(k, {})
    expect(entryFault(k, { ...made, certificate: { ...made.certificate, version: 7 } })?.code).toBe('certificate-mismatch')
    expect(entryFault(k, { ...made, entry: { ...made.entry, base: NONE } })?.status).toBe('deferred')
    expect(entryFault(k, made)).toBeUndefined()
  })
})
