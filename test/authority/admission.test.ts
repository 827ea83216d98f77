/** Admission: what a request is worth (D1), which decision is in force whatever the order (D4), and what of a domain enters our view (D5). */
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Admitted, admitRefs, effectiveAdmissions, federationView, judgeRequest, limitView } from '../../src/authority/admission.js'
import {
  type AdmissionRecord, admissionRecordCodec, type AdmissionRequest, admissionRequestCodec, commonScope, type Decision, DECISIONS, normalScope, scopeHolds, scopeWithin
} from '../../src/authority/admission-objects.js'
import { DomainKnowledge } from '../../src/authority/knowledge.js'
import { defaultPolicy, policyHash } from '../../src/authority/policy.js'
import { INTERNAL } from '../../src/publication/lane.js'
import { MalformedError } from '../../src/substrate/errors.js'
import { NONE, type Reference } from '../../src/substrate/reference.js'
import { signatureCodec } from '../../src/substrate/signature.js'
import { digestFrom, makeDomain, refFrom, signed, type TestDomain, testKey } from '../helpers/authority-fixtures.js'
import { knowledgeOf, TestLane } from '../helpers/lanes.js'

const BOB = refFrom('bob')
const NONCE = digestFrom('nonce')
const handedOut = new Map<string, Reference | undefined>([[NONCE, undefined]])
const main = (d: TestDomain) => d.principals()[0]!.key

function ask (d: TestDomain, fields: Partial<AdmissionRequest> = {}): AdmissionRequest {
  return { applicant: d.domain, root_entry: d.entry, manifest: d.tip, requested_scope: ['docs'], receiver: BOB, nonce: NONCE, ...fields }
}

describe('D1: a request', () => {
  const judge = (d: TestDomain, request: AdmissionRequest, more: { key?: ReturnType<typeof testKey>, purpose?: 'admission-request' | 'manifest', target?: Reference, nonces?: typeof handedOut, held?: DomainKnowledge, unsigned?: boolean } = {}) => {
    const signature = signatureCodec.from(signed(more.key ?? d.rootKey(), more.purpose ?? 'admission-request', more.target ?? admissionRequestCodec.reference(request)).artifact)
    return judgeRequest(request, more.unsigned === true ? undefined : signature, more.held ?? knowledgeOf(d), { receiver: BOB, nonces: more.nonces ?? handedOut })
  }
  const fresh = (): TestDomain => makeDomain({ seed: 'applicant' })

  test('made as it should be is accepted, for the newest manifest and for one before it', () => {
    const d = fresh()
    const old = ask(d)
    expect(judge(d, old).code).toBe('accepted')
    expect(judge(d, old, { nonces: new Map([[NONCE, admissionRequestCodec.reference(old)]]) }).code).toBe('accepted')
    d.manifest()
    expect(judge(d, old).code).toBe('accepted')
    expect(judge(d, ask(d)).checks.at(-1)?.text).toContain('and the newest')
  })

  const other = refFrom('other')
  test.each<[string, string, (d: TestDomain) => ReturnType<typeof judge>]>([
    ['request-invalid', 'for another receiver (relayed)', (d) => judge(d, ask(d, { receiver: other }))],
    ['request-invalid', 'of the receiver itself', (d) => judge(d, ask(d, { applicant: BOB }))],
    ['request-invalid', 'with a nonce of somebody else', (d) => judge(d, ask(d, { nonce: digestFrom('mine') }))],
    ['request-invalid', 'with a nonce that another request used', (d) => judge(d, ask(d), { nonces: new Map([[NONCE, other]]) })],
    ['signature-missing', 'that nobody signed', (d) => judge(d, ask(d), { unsigned: true })],
    ['bad-signature', 'with a signature over something else', (d) => judge(d, ask(d), { target: other })],
    ['bad-signature', 'with a signature for another purpose', (d) => judge(d, ask(d), { purpose: 'manifest' })],
    ['request-invalid', 'signed by a principal', (d) => judge(d, ask(d), { key: main(d) })],
    ['request-invalid', 'signed by a stranger', (d) => judge(d, ask(d), { key: testKey('mallory') })],
    ['unknown-domain', 'of a domain that isn\'t held', (d) => judge(d, ask(d), { held: new DomainKnowledge(d.domain) })],
    ['manifest-missing', 'naming a manifest that isn\'t held', (d) => judge(d, ask(d, { manifest: other }))],
    ['request-invalid', 'naming a manifest under another root entry', (d) => judge(d, ask(d, { root_entry: other }))],
    ['root-orphaned', 'signed with the key of an epoch that is over', (d) => { const r = ask(d); const key = d.rootKey(); d.renew(); d.manifest(); return judge(d, r, { key }) }],
    ['version-gap', 'naming a manifest that is none', (d) => judge(d, ask(d, { manifest: d.manifest({ fields: { version: 9 } }).ref }))],
    ['authority-forked', 'of a domain whose authority is forked', (d) => { const after = d.tip; d.manifest(); d.manifest({ after, closed: [main(d)] }); return judge(d, ask(d)) }]
  ])('%s: one %s', (code, _, run) => {
    expect(run(fresh()).code).toBe(code)
  })
})

describe('scopes are sets of names', () => {
  const name = fc.array(fc.constantFrom('a', 'b', 'ab'), { minLength: 1, maxLength: 3 }).map((s) => s.join('/'))
  const scope = fc.array(fc.oneof(name, fc.constant('')), { maxLength: 4 }).map(normalScope)

  test('what is common to two holds just the names that both hold, however they are written', () => {
    fc.assert(fc.property(scope, scope, name, (a, b, n) => {
      const both = commonScope(a, b)
      expect(scopeHolds(both, n)).toBe(scopeHolds(a, n) && scopeHolds(b, n))
      expect(both).toEqual(commonScope(b, a))
      expect(normalScope(both)).toEqual(both)
      expect(scopeWithin(both, a) && scopeWithin(both, b)).toBe(true)
    }))
  })

  test('a record is written in one way only', () => {
    const good: AdmissionRecord = { domain_id: BOB, dam_hash: digestFrom('m'), policy_hash: digestFrom('p'), admitted_scope: ['a', 'ab'], decision: 'ACCEPTED', decision_epoch: 1, request: refFrom('r'), previous: [] }
    expect(admissionRecordCodec.from(admissionRecordCodec.artifact(good))).toEqual(good)
    const bad: Array<Partial<AdmissionRecord>> = [
      { admitted_scope: ['a', 'a/b'] }, { admitted_scope: ['', 'a'] }, { admitted_scope: ['b', 'a'] }, { admitted_scope: [] }, { decision: 'REJECTED' }, { decision: 'DEFERRED' }, { decision: 'MAYBE' as Decision },
      { previous: [refFrom('x'), refFrom('x')] }, { request: NONE }
    ]
    for (const fields of bad) expect(() => admissionRecordCodec.encode({ ...good, ...fields }), JSON.stringify(fields)).toThrow(MalformedError)
    const request = ask(makeDomain({ seed: 'x' }))
    expect(admissionRequestCodec.from(admissionRequestCodec.artifact(request))).toEqual(request)
    for (const requested_scope of [[], ['a', 'a/b'], ['/'], ['..']]) expect(() => admissionRequestCodec.encode({ ...request, requested_scope })).toThrow(MalformedError)
  })
})

describe('D4: the decision in force', () => {
  let counter = 0
  const record = (decision: Decision, previous: Reference[] = [], fields: Partial<AdmissionRecord> = {}): [Reference, AdmissionRecord] => {
    const r: AdmissionRecord = {
      domain_id: BOB, dam_hash: digestFrom('m'), policy_hash: digestFrom('p'), decision, decision_epoch: ++counter, request: refFrom('r'), previous: [...previous].sort(),
      admitted_scope: decision === 'ACCEPTED' ? ['a', 'b'] : decision === 'ACCEPTED_LIMITED' ? ['b'] : [], ...fields
    }
    return [admissionRecordCodec.reference(r), r]
  }
  const inForce = (...records: Array<[Reference, AdmissionRecord]>): Admitted | undefined => effectiveAdmissions(new Map(records)).get(BOB)

  test.each<[Decision, Decision, Decision, string[]]>([
    ['ACCEPTED', 'ACCEPTED', 'ACCEPTED', ['a', 'b']],
    ['ACCEPTED', 'ACCEPTED_LIMITED', 'ACCEPTED_LIMITED', ['b']],
    ['ACCEPTED', 'DEFERRED', 'DEFERRED', []],
    ['ACCEPTED', 'REJECTED', 'REJECTED', []],
    ['ACCEPTED_LIMITED', 'DEFERRED', 'DEFERRED', []],
    ['DEFERRED', 'REJECTED', 'REJECTED', []]
  ])('%s and %s, decided apart, are %s', (a, b, decision, scope) => {
    const [x, y] = [record(a), record(b)]
    expect(inForce(x, y)).toMatchObject({ decision, scope, heads: [x[0], y[0]].sort() })
    expect(inForce(y, x)).toEqual(inForce(x, y))
  })

  test('who saw both decides both; a withdrawal lists what it withdraws', () => {
    const [yes, no] = [record('ACCEPTED'), record('REJECTED')]
    const merged = record('ACCEPTED', [yes[0], no[0]])
    expect(inForce(yes, no, merged)).toMatchObject({ decision: 'ACCEPTED', heads: [merged[0]] })
    const withdrawn = record('REJECTED', [merged[0]])
    expect(inForce(yes, no, merged, withdrawn)).toMatchObject({ decision: 'REJECTED', scope: [], policies: [] })
  })

  test('a record of another domain replaces nothing; policies decided apart let nothing in', () => {
    const yes = record('ACCEPTED')
    const foreign = record('REJECTED', [yes[0]], { domain_id: refFrom('carol') })
    expect(inForce(yes, foreign)).toMatchObject({ decision: 'ACCEPTED' })
    expect(inForce(yes, record('ACCEPTED', [], { policy_hash: digestFrom('q') }))).toMatchObject({ decision: 'ACCEPTED', policies: [] })
  })

  test('the order in which records come can\'t matter, and adding a more restrictive one never lets more in', () => {
    const plan = fc.array(fc.record({
      decision: fc.constantFrom(...DECISIONS), previous: fc.array(fc.nat(9), { maxLength: 3 }), scope: fc.subarray(['a', 'a/x', 'b', 'c'], { minLength: 1 }), domain: fc.constantFrom(BOB, refFrom('carol')), policy: fc.constantFrom('p', 'p', 'p', 'q')
    }), { minLength: 1, maxLength: 8 })
    fc.assert(fc.property(plan, fc.array(fc.nat(), { minLength: 8, maxLength: 8 }), (steps, order) => {
      const made: Array<[Reference, AdmissionRecord]> = []
      steps.forEach((s, i) => {
        const previous = [...new Set(s.previous.filter((n) => n < i).map((n) => (made[n] as [Reference, AdmissionRecord])[0]))].sort()
        made.push(record(s.decision, previous, {
          decision_epoch: i, domain_id: s.domain, policy_hash: digestFrom(s.policy), admitted_scope: s.decision.startsWith('ACCEPTED') ? normalScope(s.scope) : []
        }))
      })
      const shuffled = made.map((m, i) => [order[i % order.length] ?? 0, m] as const).sort(([a], [b]) => a - b).map(([, m]) => m)
      const [one, two] = [effectiveAdmissions(new Map(made)), effectiveAdmissions(new Map(shuffled))]
      expect([...two]).toEqual([...one])
      const more = effectiveAdmissions(new Map([...made, record('ACCEPTED_LIMITED', [], { admitted_scope: ['a/x'] })])).get(BOB)
      const before = one.get(BOB)
      if (before !== undefined) expect(scopeWithin(more?.scope ?? [], before.scope)).toBe(true)
    }))
  })
})

describe('D3: which records count', () => {
  test('those that valid admit leaves of internal lanes name', () => {
    const [alice, carol] = [testKey('alice'), testKey('carol')]
    const own = makeDomain({ seed: 'own', principals: [{ key: alice }, { key: carol, roles: ['publish'] }] })
    const k = knowledgeOf(own)
    const leaf = (lane: TestLane, what: string) => lane.append({ kind: 'admit', salt: lane.salt(), ref: refFrom(what) })
    const internal = new TestLane(own, alice, 'in', { visibility: INTERNAL })
    internal.give(k, leaf(internal, 'one'))
    const shown = new TestLane(own, alice, 'out')
    shown.give(k, leaf(shown, 'two'))
    const mayNot = new TestLane(own, carol, 'carol', { visibility: INTERNAL })
    mayNot.give(k, leaf(mayNot, 'three'))
    expect(admitRefs(k)).toEqual([refFrom('one')])
    // The lane is nobody's to see, and what it says stands in no view of others.
    expect(k.inventory()).not.toContain(internal.ref)
    expect([...k.view().current.keys()]).toEqual([])
    // K3: what a stolen key admitted beyond the cut admits nothing.
    own.manifest({ principals: [{ key: carol, roles: ['publish'] }], closed: [alice] })
    for (const { artifact } of own.items) k.admit(artifact)
    expect(admitRefs(k)).toEqual([])
  })
})

describe('D5: what of a domain enters our view', () => {
  const p1 = policyHash(defaultPolicy)
  const newPolicy = { ...defaultPolicy, retention_policy: { ...defaultPolicy.retention_policy, min_snapshot_retention: 7 } }
  const admitted = (fields: Partial<Admitted> = {}): Admitted => ({ domain: BOB, decision: 'ACCEPTED', scope: [''], policies: [p1], heads: [], ...fields })

  function world (): { d: TestDomain, k: DomainKnowledge } {
    const d = makeDomain({ seed: 'foreign' })
    const k = knowledgeOf(d)
    const lane = new TestLane(d, main(d), 'one')
    lane.publish('docs/a')
    lane.publish('docs/b')
    lane.give(k, lane.publish('private'))
    return { d, k }
  }
  const names = (k: DomainKnowledge, a: Admitted | undefined) => limitView(k.view(), a).entries.map((e) => e.name)
  const codes = (k: DomainKnowledge, a: Admitted | undefined) => [...new Set(limitView(k.view(), a).refused.map((r) => r.code))]

  test('nothing without a decision, and nothing of whom we rejected', () => {
    const { k } = world()
    expect([names(k, undefined), codes(k, undefined)]).toEqual([[], ['admission-missing']])
    expect([names(k, admitted({ decision: 'DEFERRED', scope: [] })), codes(k, admitted({ decision: 'DEFERRED' }))]).toEqual([[], ['admission-missing']])
    expect([names(k, admitted({ decision: 'REJECTED', scope: [] })), codes(k, admitted({ decision: 'REJECTED' }))]).toEqual([[], ['not-admitted']])
  })

  test('all of it, or the names under admitted prefixes by whole segments', () => {
    const { k } = world()
    expect(names(k, admitted())).toEqual(['docs/a', 'docs/b', 'private'])
    expect(names(k, admitted({ scope: ['docs'] }))).toEqual(['docs/a', 'docs/b'])
    expect(names(k, admitted({ scope: ['doc', 'docs/a'] }))).toEqual(['docs/a'])
    expect(codes(k, admitted({ scope: ['docs'] }))).toEqual(['not-admitted'])
  })

  test('a name whose winner stands under another policy waits, and nothing older takes its place', () => {
    const { d, k } = world()
    d.renew({ policy: newPolicy })
    d.manifest()
    const lane = new TestLane(d, main(d), 'two')
    lane.append({ kind: 'tombstone', salt: lane.salt(), name: 'nothing' }, { kind: 'tombstone', salt: lane.salt(), name: 'none' }, { kind: 'tombstone', salt: lane.salt(), name: 'no' })
    const head = lane.publish('docs/a', 'newer')
    for (const { artifact } of d.items) k.admit(artifact)
    lane.give(k, head)
    expect(k.view().current.get('docs/a')?.lane).toBe(lane.ref)
    expect(names(k, admitted())).toEqual(['docs/b', 'private'])
    expect(codes(k, admitted())).toEqual(['admission-stale'])
    expect(names(k, admitted({ policies: [policyHash(newPolicy)] }))).toEqual(['docs/a'])
    expect(names(k, admitted({ policies: [] }))).toEqual([])
  })

  test('R4: names of several domains stand side by side, by DomainID, logseq, identity', () => {
    const { k } = world()
    const other = makeDomain({ seed: 'other' })
    const o = knowledgeOf(other)
    const lane = new TestLane(other, main(other), 'o')
    lane.give(o, lane.publish('docs/a', 'another'))
    const parts = [{ domain: k.domain, entries: limitView(k.view(), admitted()).entries }, { domain: o.domain, entries: [...o.view().current.values()] }]
    const rows = federationView(parts)
    expect(rows).toHaveLength(4)
    expect(federationView([...parts].reverse())).toEqual(rows)
    expect(rows.map((r) => r.domain)).toEqual([...rows.map((r) => r.domain)].sort())
    expect(rows.filter((r) => r.entry.name === 'docs/a').map((r) => r.domain).sort()).toEqual([k.domain, o.domain].sort())
    expect(rows.filter((r) => r.domain === k.domain).map((r) => r.entry.logseq)).toEqual([1, 2, 3])
  })
})
