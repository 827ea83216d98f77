import { describe, expect, it } from 'vitest'
import { certificateCodec } from '../../src/authority/certificate.js'
import { cutListCodec } from '../../src/authority/cut-list.js'
import { domainMovedCodec } from '../../src/authority/domain-moved.js'
import { manifestCodec, scopeCovers } from '../../src/authority/manifest.js'
import { defaultPolicy, type DomainPolicy, policyCodec, policyFault, policyHash, switchesOff } from '../../src/authority/policy.js'
import { rootCommitment, rootEntryCodec } from '../../src/authority/root-entry.js'
import { rootSetCodec } from '../../src/authority/root-set.js'
import { Checklist, VERDICT_CODES, verdict, verdictText } from '../../src/authority/verdict.js'
import { digestOf, type Hash, NONE, type PublicKey } from '../../src/substrate/reference.js'
import { concatBytes, fromHex, toHex, utf8 } from '../../src/substrate/bytes.js'
import type { ArtifactCodec } from '../../src/substrate/codec.js'
import { sha256Bytes } from '../../src/substrate/hasher.js'
import { digestFrom, refFrom, testKey } from '../helpers/authority-fixtures.js'

const a = testKey('a')
const b = testKey('b')
const [k1, k2] = [a.publicKey, b.publicKey].sort() as [PublicKey, PublicKey]
const [p1, p2] = [a, b].sort((x, y) => x.id < y.id ? -1 : 1) as [typeof a, typeof a]
const zero = '0'.repeat(64) as Hash
// The neutral element: of small order, so that one signature by it fits every message.
const weak = ('01' + '0'.repeat(62)) as PublicKey

const rootSet = { version: 1 as const, root_keys: [k1, k2], threshold: 2, reserved0: 0 as const }
const certificate = {
  subject_type: 'domain_root' as const, subject_id: a.id, subject_pubkey: a.publicKey, domain_id: NONE, roles: [],
  policy_hash: digestFrom('policy'), issued_by: b.publicKey, version: 0
}
const genesis = {
  domain_id: NONE, epoch: 0, previous: NONE, root_set: refFrom('set'), salt: zero as string, next_commitment: digestFrom('next'), certificate: refFrom('certificate'), base: NONE
}
const later = { ...genesis, domain_id: refFrom('domain'), epoch: 1, previous: refFrom('before'), base: refFrom('base') }
const principal = (k: typeof a): { principal_id: Hash, public_key: PublicKey, roles: Array<'execute' | 'publish'> } => ({ principal_id: k.id, public_key: k.publicKey, roles: ['execute', 'publish'] })
const scope = (k: typeof a): { principal_id: Hash, prefixes: string[], programs: Array<typeof NONE> } => ({ principal_id: k.id, prefixes: [''], programs: [NONE] })
const manifest = {
  domain_id: refFrom('domain'), root_entry: refFrom('domain'), version: 1, previous: NONE, root_key: k1, principals: [principal(p1), principal(p2)],
  policy_hash: digestFrom('policy'), scope: [scope(p1), scope(p2)], closed: [] as Hash[], cuts: NONE
}
const [l1, l2] = [refFrom('l'), refFrom('m')].sort() as [typeof NONE, typeof NONE]
const cutList = { cuts: [{ lane: l1, snapshot: refFrom('s'), ends: true }, { lane: l2, snapshot: refFrom('s'), ends: false }], next: NONE }

function row<T> (codec: ArtifactCodec<T>, good: Array<NoInfer<T>>, bad: Record<string, unknown>): [string, ArtifactCodec<unknown>, unknown[], Array<[string, unknown]>] {
  return [codec.name, codec as unknown as ArtifactCodec<unknown>, good, Object.entries(bad)]
}

const moved = { domain_id: refFrom('domain'), root_entry: refFrom('domain'), to: refFrom('other') }

const table = [
  row(domainMovedCodec, [moved], {
    'to itself': { ...moved, to: moved.domain_id },
    'to nowhere': { ...moved, to: NONE },
    'of no domain': { ...moved, domain_id: NONE },
    'under no root entry': { ...moved, root_entry: NONE }
  }),
  row(rootSetCodec, [rootSet, { ...rootSet, root_keys: [k1], threshold: 1 }], {
    'no key': { ...rootSet, root_keys: [], threshold: 1 },
    'threshold 0': { ...rootSet, threshold: 0 },
    'threshold above the count': { ...rootSet, threshold: 3 },
    'a fractional threshold': { ...rootSet, threshold: 1.5 },
    'the same key twice': { ...rootSet, root_keys: [k1, k1] },
    'keys out of order': { ...rootSet, root_keys: [k2, k1] },
    'a weak key': { ...rootSet, root_keys: [weak, k1].sort() },
    'another version': { ...rootSet, version: 2 },
    'reserved0 in use': { ...rootSet, reserved0: 1 }
  }),
  row(certificateCodec, [certificate, { ...certificate, subject_type: 'principal', roles: ['publish'], domain_id: refFrom('domain') }], {
    'roles in a domain_root': { ...certificate, roles: ['publish'] },
    'a subject_id that is not the key\'s hash': { ...certificate, subject_id: b.id },
    'a weak subject': { ...certificate, subject_pubkey: weak, subject_id: toHex(sha256Bytes(fromHex(weak))) },
    'a weak issuer': { ...certificate, issued_by: weak },
    'roles out of order': { ...certificate, subject_type: 'principal', roles: ['publish', 'audit'] }
  }),
  row(rootEntryCodec, [genesis, later], {
    'a genesis with a domain': { ...genesis, domain_id: refFrom('domain') },
    'a genesis with a previous': { ...genesis, previous: refFrom('x') },
    'a genesis with a base': { ...genesis, base: refFrom('x') },
    'a genesis with a salt': { ...genesis, salt: digestFrom('salt') },
    'no commitment': { ...genesis, next_commitment: zero },
    'no domain after the genesis': { ...later, domain_id: NONE },
    'no previous after the genesis': { ...later, previous: NONE },
    'no base after the genesis': { ...later, base: NONE },
    'no root set': { ...later, root_set: NONE }
  }),
  row(policyCodec, [defaultPolicy, { ...defaultPolicy, visibility_policy: { internal_hidden: false, published_read_only: true } }, { ...defaultPolicy, version: 2 }], {
    'version 0': { ...defaultPolicy, version: 0 },
    'roles out of order': { ...defaultPolicy, execution_policy: { ...defaultPolicy.execution_policy, allowed_roles: ['publish', 'execute'] } },
    'an unknown role': { ...defaultPolicy, execution_policy: { ...defaultPolicy.execution_policy, allowed_roles: ['admin'] } },
    'a retention above 2^32-1': { ...defaultPolicy, retention_policy: { gc_unpublished_allowed: true, min_snapshot_retention: 2 ** 32 } },
    'an unknown field': { ...defaultPolicy, note: 'x' }
  }),
  row(manifestCodec, [manifest, { ...manifest, version: 2, previous: refFrom('before'), cuts: refFrom('cuts'), closed: [a.id] }], {
    'version 1 with a previous': { ...manifest, previous: refFrom('before') },
    'version 2 without one': { ...manifest, version: 2 },
    'version 0': { ...manifest, version: 0 },
    'no principal': { ...manifest, principals: [], scope: [] },
    'a principal without a role': { ...manifest, principals: [{ ...principal(p1), roles: [] }, principal(p2)] },
    'a principal_id that is not the key\'s hash': { ...manifest, principals: [principal(p1), { ...principal(p2), public_key: p1.publicKey }] },
    'principals out of order': { ...manifest, principals: [principal(p2), principal(p1)], scope: [scope(p2), scope(p1)] },
    'a scope too few': { ...manifest, scope: [scope(p1)] },
    'scopes in another order': { ...manifest, scope: [scope(p2), scope(p1)] },
    'a prefix with a trailing slash': { ...manifest, scope: [{ ...scope(p1), prefixes: ['docs/'] }, scope(p2)] },
    'the same prefix twice': { ...manifest, scope: [{ ...scope(p1), prefixes: ['docs', 'docs'] }, scope(p2)] },
    'a weak root_key': { ...manifest, root_key: weak },
    'closed out of order': { ...manifest, closed: [p2.id, p1.id] },
    'no root entry': { ...manifest, root_entry: NONE }
  }),
  row(cutListCodec, [cutList, { ...cutList, next: refFrom('more') }], {
    'no cut': { ...cutList, cuts: [] },
    'lanes out of order': { ...cutList, cuts: [...cutList.cuts].reverse() },
    'a lane twice': { ...cutList, cuts: [cutList.cuts[0], cutList.cuts[0]] },
    'a cut without a head': { ...cutList, cuts: [{ lane: l1, snapshot: NONE, ends: true }] }
  })
] as const

describe.each(table)('%s', (_name, codec, good, bad) => {
  it('carries good values there and back', () => {
    for (const value of good) {
      expect(codec.decode(codec.encode(value))).toEqual(value)
      expect(codec.from(codec.artifact(value))).toEqual(value)
    }
  })

  it.each(bad)('refuses %s', (_what, value) => {
    expect(() => codec.encode(value)).toThrow(expect.objectContaining({ code: 'malformed' }))
  })

  it('refuses its payload under every other tag', () => {
    const { payload } = codec.artifact(good[0])
    for (const [, other] of table) {
      if (other.tag !== codec.tag) expect(() => codec.from({ typeTag: other.tag, payload })).toThrow(expect.objectContaining({ code: 'malformed' }))
    }
  })
})

describe('policy', () => {
  it('is identified by the digest of its artifact', () => {
    expect(policyHash(defaultPolicy)).toBe(digestOf(policyCodec.reference(defaultPolicy)))
  })

  it('M9: names every safety switch that is off, and B5: waits for an upgrade under a later version', () => {
    expect(policyFault(defaultPolicy)).toBeUndefined()
    const sections = ['publication_policy', 'execution_policy', 'federation_policy', 'visibility_policy'] as const
    let switches = 0
    for (const section of sections) {
      for (const [field, value] of Object.entries(defaultPolicy[section])) {
        if (typeof value !== 'boolean') continue
        switches++
        const off = { ...defaultPolicy, [section]: { ...defaultPolicy[section], [field]: false } } as DomainPolicy
        expect(switchesOff(off)).toEqual([field])
        expect(policyFault(off)?.code).toBe('policy-unsupported')
      }
    }
    expect(switches).toBe(8)
    expect(policyFault({ ...defaultPolicy, retention_policy: { gc_unpublished_allowed: false, min_snapshot_retention: 0 } })).toBeUndefined()
    expect(policyFault({ ...defaultPolicy, version: 2 })?.code).toBe('needs-upgrade')
  })
})

it('M5: the commitment hashes its label, the salt and the set\'s reference', () => {
  const salt = digestFrom('salt')
  const set = refFrom('set')
  expect(rootCommitment(salt, set)).toBe(toHex(sha256Bytes(concatBytes(utf8('diad/root-commitment/1'), fromHex(salt), fromHex(set)))))
})

it.each([
  [[''], ['a'], true], [['a'], ['a/b', 'a'], true], [['a'], ['ab'], false], [['a/b'], ['a'], false], [[], [], true], [[], ['a'], false], [['a', 'b'], ['b/c'], true], [['a'], [''], false]
])('M3: prefixes %j cover %j: %s', (wide, narrow, covers) => {
  const of = (prefixes: string[]): Parameters<typeof scopeCovers>[0] => ({ principal_id: a.id, prefixes, programs: [] })
  expect(scopeCovers(of(wide), of(narrow))).toBe(covers)
})

it.each([
  [[NONE], [refFrom('p')], true], [[refFrom('p')], [NONE], false], [[refFrom('p')], [refFrom('p')], true], [[refFrom('q')], [refFrom('p')], false], [[], [], true], [[NONE], [NONE], true]
])('M3: programs cover, row %#', (wide, narrow, covers) => {
  const of = (programs: Array<typeof NONE>): Parameters<typeof scopeCovers>[0] => ({ principal_id: a.id, prefixes: [], programs })
  expect(scopeCovers(of(wide), of(narrow))).toBe(covers)
})

describe('verdicts', () => {
  it('every code is kebab-case and has a rule and a meaning', () => {
    for (const [code, row] of VERDICT_CODES) {
      expect(code).toMatch(/^[a-z]+(-[a-z]+)*$/)
      expect(row.rule).toMatch(/^[A-Z]-?\d+$/)
      expect(row.meaning.length).toBeGreaterThan(10)
    }
  })

  it('carry the status of their code and the checks in order', () => {
    const checks = new Checklist()
    checks.pass('M1', 'first')
    const v = checks.fail('orphaned', 'second')
    expect(v).toEqual({ status: 'void', code: 'orphaned', checks: [{ rule: 'M1', ok: true, text: 'first' }, { rule: 'M7', ok: false, text: 'second' }], missing: [] })
    expect(verdictText(v)).toBe('void: orphaned')
    expect(verdictText(verdict('accepted'))).toBe('accepted')
  })
})
