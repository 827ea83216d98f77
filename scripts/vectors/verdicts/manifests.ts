/** Manifests: M1, M3, M4's order, M7, M9, B5; THREATS 7, 10, 12. */
import { certificateCodec } from '../../../src/authority/certificate.js'
import { type Cut, cutListCodec } from '../../../src/authority/cut-list.js'
import { defaultPolicy, type DomainPolicy, policyCodec, policyHash, switchesOff } from '../../../src/authority/policy.js'
import { rootEntryCodec } from '../../../src/authority/root-entry.js'
import type { VerdictCode } from '../../../src/authority/verdict.js'
import { NONE, type Reference, referenceOfHash } from '../../../src/substrate/reference.js'
import { digestFrom, type Item, itemOf, makeDomain, type ManifestOptions, type PrincipalSpec, refFrom, type TestDomain, type TestKey, testKey } from '../../../test/helpers/authority-fixtures.js'
import { type Case, heldOf, withItems } from './cases.js'

const [ann, bob, eve] = [testKey('vectors ann'), testKey('vectors bob'), testKey('vectors eve')]
const a: PrincipalSpec = { key: ann }
const b: PrincipalSpec = { key: bob, roles: ['publish', 'produce'], prefixes: ['docs', 'src'], programs: [refFrom('p')] }
const both = [a, b]
const one = (): TestDomain => makeDomain({ seed: 'vectors manifests', principals: both })
const root = (d: TestDomain): TestKey => d.roots().keys[0] as TestKey
export const cutOf = (lane: string, ends = true): Cut => ({ lane: refFrom(`lane ${lane}`), snapshot: refFrom(`head ${lane}`), ends })

type Make = (d: TestDomain) => Reference

function manifestCase (about: VerdictCode, gives: VerdictCode, name: string, make: Make, drop?: (i: Item) => boolean, comment?: string): Case {
  const d = one()
  const reference = make(d)
  return { about, gives, name, ...(comment === undefined ? {} : { comment }), held: heldOf(d, drop), subject: { reference } }
}

const next = (options: (d: TestDomain) => ManifestOptions = () => ({})): Make => (d) => d.manifest(options(d)).ref

/** Two chained lists with one lane each; which of two ordered lanes stands first and second. */
function lists (d: TestDomain, ...order: [number, number]): Reference {
  const lanes = [refFrom('x'), refFrom('y')].sort()
  const of = (i: number, after: Reference): Reference => {
    const item = itemOf(cutListCodec.artifact({ cuts: [{ lane: lanes[i] as Reference, snapshot: refFrom('head'), ends: true }], next: after }))
    d.items.push(item)
    return item.ref
  }
  return of(order[0], of(order[1], NONE))
}

/** M1. */
function signers (): Case[] {
  return [
    manifestCase('signature-missing', 'signature-missing', 'a manifest that nobody signed', next(() => ({ signer: false }))),
    manifestCase('signature-missing', 'signature-missing', 'a manifest signed by a principal', next(() => ({ signer: ann }))),
    manifestCase('signature-missing', 'signature-missing', 'a manifest signed by an offline root', next((d) => ({ signer: root(d) })), undefined, 'THREATS 7: roots sign root entries and nothing else'),
    manifestCase('signature-missing', 'accepted', 'a manifest signed by its root_key', next()),
    manifestCase('root-key-mismatch', 'root-key-mismatch', 'a manifest whose root_key is another', next(() => ({ fields: { root_key: eve.publicKey }, signer: eve }))),
    manifestCase('root-key-mismatch', 'root-key-mismatch', 'a manifest whose root_key is an offline root', next((d) => ({ fields: { root_key: root(d).publicKey }, signer: root(d) }))),
    manifestCase('root-key-mismatch', 'accepted', 'the certified key of a new epoch', (d) => { d.renew(); return d.manifest().ref }),
    manifestCase('root-key-mismatch', 'root-key-mismatch', 'the certified key of the epoch before', (d) => {
      const old = d.rootKey()
      d.renew()
      return d.manifest({ fields: { root_key: old.publicKey }, signer: old }).ref
    }),
    manifestCase('policy-mismatch', 'policy-mismatch', 'another policy than the certificate\'s', next(() => ({ fields: { policy_hash: digestFrom('policy') } }))),
    manifestCase('policy-mismatch', 'accepted', 'the certificate\'s policy', next()),
    manifestCase('root-key-reused', 'root-key-reused', 'an offline root as principal', next((d) => ({ principals: [...both, { key: root(d) }] }))),
    manifestCase('root-key-reused', 'root-key-reused', 'an offline root of a set before as principal', (d) => { const old = root(d); d.rotate(); return d.manifest({ principals: [...both, { key: old }] }).ref }),
    manifestCase('root-key-reused', 'accepted', 'a new key as principal', next(() => ({ principals: [...both, { key: eve }] }))),
    certifiedRoot()
  ]
}

function certifiedRoot (): Case {
  const key = testKey('vectors doubled/root/0/0')
  const d = makeDomain({ seed: 'vectors doubled', manifest: false, certificate: { subject_pubkey: key.publicKey, subject_id: key.id } })
  const { ref } = d.manifest({ principals: [a], fields: { root_key: key.publicKey }, signer: key })
  return { about: 'root-key-reused', gives: 'root-key-reused', name: 'an offline root certified as root_key', held: heldOf(d), subject: { reference: ref } }
}

/** M1, M7. */
function places (): Case[] {
  const out: Case[] = [
    manifestCase('version-gap', 'version-gap', 'a version too far', next(() => ({ fields: { version: 3 } }))),
    manifestCase('version-gap', 'version-gap', 'the version of the one before', (d) => { d.manifest(); return d.manifest({ fields: { version: 2 } }).ref }),
    manifestCase('version-gap', 'accepted', 'the next version', next()),
    manifestCase('manifest-missing', 'manifest-missing', 'an unknown previous', next(() => ({ fields: { previous: refFrom('unknown') } }))),
    manifestCase('manifest-missing', 'accepted', 'a held previous', next()),
    manifestCase('wrong-type', 'wrong-type', 'a previous that is no manifest', next((d) => ({ fields: { previous: d.domain } }))),
    manifestCase('wrong-type', 'wrong-type', 'a root entry that is none', next((d) => ({ fields: { root_entry: d.tip } }))),
    manifestCase('wrong-type', 'wrong-type', 'a cut list that is none', next((d) => ({ fields: { cuts: d.domain } }))),
    manifestCase('wrong-type', 'accepted', 'a cut list', next(() => ({ cuts: [cutOf('1')] }))),
    manifestCase('root-entry-missing', 'root-entry-missing', 'an unknown root entry', next(() => ({ fields: { root_entry: refFrom('unknown') } }))),
    manifestCase('root-entry-missing', 'accepted', 'a held root entry', next()),
    manifestCase('root-entry-deferred', 'root-entry-deferred', 'under a renew that nobody signed', (d) => { d.renew({ signers: [] }); return d.manifest().ref }),
    manifestCase('root-entry-deferred', 'accepted', 'under a renew that is signed', (d) => { d.renew(); return d.manifest().ref }),
    manifestCase('root-entry-rejected', 'root-entry-rejected', 'under a renew that changed the commitment', (d) => { d.renew({ entry: { salt: digestFrom('salt') } }); return d.manifest().ref }),
    manifestCase('root-entry-rejected', 'accepted', 'under a good renew', (d) => { d.renew(); return d.manifest().ref }),
    manifestCase('previous-rejected', 'previous-rejected', 'it follows a rejected manifest', (d) => { d.manifest({ principals: [a] }); return d.manifest().ref }),
    manifestCase('previous-rejected', 'accepted', 'it follows a valid manifest', (d) => { d.manifest({ principals: [a], closed: [bob] }); return d.manifest().ref }),
    manifestCase('previous-deferred', 'previous-deferred', 'it follows an unsigned manifest', (d) => { d.manifest({ signer: false }); return d.manifest().ref }),
    manifestCase('previous-deferred', 'accepted', 'it follows a signed manifest', (d) => { d.manifest(); return d.manifest().ref }),
    manifestCase('previous-out-of-place', 'previous-out-of-place', 'a new epoch goes on from what isn\'t its base', (d) => { const base = d.tip; const second = d.manifest().ref; d.renew({ base }); return d.manifest({ after: second }).ref }),
    manifestCase('previous-out-of-place', 'accepted', 'a new epoch goes on from its base', (d) => { const base = d.tip; d.manifest(); d.renew({ base }); return d.manifest({ after: base }).ref }),
    manifestCase('previous-out-of-place', 'previous-out-of-place', 'a first manifest in a later epoch', (d) => { d.renew(); return d.manifest({ after: NONE, principals: both }).ref }),
    manifestCase('previous-out-of-place', 'previous-out-of-place', 'from a new epoch back into the old one', (d) => { const base = d.tip; d.renew(); const there = d.manifest({ after: base }).ref; return d.manifest({ after: there, under: d.domain }).ref }),
    manifestCase('previous-out-of-place', 'previous-out-of-place', 'a base on a branch of the root chain that lost', (d) => {
      const start = d.entry
      const first = d.tip
      d.renew({ after: start })
      const astray = d.manifest({ after: first }).ref
      d.rotate({ after: start, base: astray })
      return d.manifest({ after: astray }).ref
    }),
    manifestCase('orphaned', 'orphaned', 'what followed the base in the epoch before', (d) => { const base = d.tip; const lost = d.manifest().ref; d.renew({ base }); return lost }),
    manifestCase('orphaned', 'orphaned', 'a thief of the old root_key signs on after the base', (d) => { const base = d.tip; d.renew(); d.manifest({ after: base }); return d.manifest({ after: base, under: d.domain }).ref }),
    manifestCase('orphaned', 'accepted', 'the base itself', (d) => { const base = d.tip; d.manifest(); d.renew({ base }); return base }),
    manifestCase('base-missing', 'base-missing', 'an old manifest while the base of the epoch isn\'t held', (d) => { const first = d.tip; d.renew({ base: refFrom('base') }); return first }),
    manifestCase('base-missing', 'accepted', 'an old manifest before the base of the epoch', (d) => { const first = d.tip; d.renew({ base: d.manifest().ref }); return first }),
    manifestCase('base-invalid', 'base-invalid', 'an old manifest while the base of the epoch is a rejected one', (d) => { const first = d.tip; d.renew({ base: d.manifest({ principals: [a] }).ref }); return first }),
    manifestCase('base-invalid', 'accepted', 'a further renew with a good base mends it', (d) => { const first = d.tip; d.renew({ base: d.manifest({ principals: [a] }).ref }); d.renew({ base: first }); return first }),
    manifestCase('authority-forked', 'authority-forked', 'two manifests on one', (d) => { const common = d.tip; const first = d.manifest({ closed: [bob] }).ref; d.manifest({ after: common, cuts: [cutOf('x', false)] }); return first }),
    manifestCase('authority-forked', 'authority-forked', 'what follows one of two on one', (d) => { const common = d.tip; d.manifest({ closed: [bob] }); d.manifest({ after: common, cuts: [cutOf('x', false)] }); return d.manifest().ref }),
    manifestCase('authority-forked', 'accepted', 'the one below two', (d) => { const common = d.tip; d.manifest({ closed: [bob] }); d.manifest({ after: common }); return common }),
    manifestCase('authority-forked', 'accepted', 'a sibling that nobody signed is no fork', (d) => { const common = d.tip; const { ref } = d.manifest({ closed: [bob] }); d.manifest({ after: common, signer: false }); return ref }),
    manifestCase('authority-forked', 'accepted', 'a rejected sibling is no fork', (d) => { const common = d.tip; const { ref } = d.manifest({ closed: [bob] }); d.manifest({ after: common, principals: [a] }); return ref }),
    manifestCase('authority-forked', 'accepted', 'a root entry with a base settles it', (d) => { const common = d.tip; const { ref } = d.manifest({ closed: [bob] }); d.manifest({ after: common }); d.renew({ base: ref }); return ref }),
    manifestCase('orphaned', 'orphaned', 'the branch that the base left out', (d) => { const common = d.tip; const { ref } = d.manifest({ closed: [bob] }); const out = d.manifest({ after: common }).ref; d.renew({ base: ref }); return out })
  ]
  const d = one()
  d.manifest()
  const empty = makeDomain({ seed: 'vectors empty', manifest: false })
  out.push(
    { about: 'manifest-missing', gives: 'manifest-missing', name: 'a domain whose first manifest isn\'t held', held: heldOf(empty), subject: { domain: true } },
    { about: 'manifest-missing', gives: 'accepted', name: 'a domain whose first manifest is held', held: heldOf(one()), subject: { domain: true } })
  return out
}

/** M1, M3. */
function rights (): Case[] {
  const change = (name: string, gives: VerdictCode, options: ManifestOptions): Case => manifestCase('reduction-without-cut', gives, name, next(() => options))
  return [
    change('a principal is dropped', 'reduction-without-cut', { principals: [a] }),
    change('a principal is dropped and closed', 'accepted', { principals: [a], closed: [bob] }),
    change('one is dropped and another closed', 'reduction-without-cut', { principals: [a], closed: [ann] }),
    change('a role is taken', 'reduction-without-cut', { principals: [a, { ...b, roles: ['publish'] }] }),
    change('a role is taken and the principal closed', 'accepted', { principals: [a, { ...b, roles: ['publish'] }], closed: [bob] }),
    change('a role is given', 'accepted', { principals: [a, { ...b, roles: ['publish', 'produce', 'audit'] }] }),
    change('a role is given for another', 'reduction-without-cut', { principals: [a, { ...b, roles: ['publish', 'audit'] }] }),
    change('a prefix is narrowed', 'reduction-without-cut', { principals: [a, { ...b, prefixes: ['docs', 'src/lib'] }] }),
    change('a prefix becomes a sibling that begins alike', 'reduction-without-cut', { principals: [a, { ...b, prefixes: ['docs2', 'src'] }] }),
    change('prefixes widen to the whole domain', 'accepted', { principals: [a, { ...b, prefixes: [''] }] }),
    change('a program is taken', 'reduction-without-cut', { principals: [a, { ...b, programs: [] }] }),
    change('any program instead of one', 'accepted', { principals: [a, { ...b, programs: [NONE] }] }),
    change('one program instead of any', 'reduction-without-cut', { principals: [{ ...a, programs: [refFrom('p')] }, b] }),
    change('one is closed without losing anything', 'accepted', { closed: [bob] }),
    manifestCase('principal-returns', 'principal-returns', 'a dropped principal comes back', (d) => { d.manifest({ principals: [a], closed: [bob] }); d.manifest(); return d.manifest({ principals: both }).ref }),
    manifestCase('principal-returns', 'principal-returns', 'a dropped principal comes back in a new epoch', (d) => { d.manifest({ principals: [a], closed: [bob] }); d.renew(); return d.manifest({ principals: both }).ref }),
    manifestCase('principal-returns', 'accepted', 'a closed principal that was never dropped stays', (d) => { d.manifest({ closed: [bob] }); d.manifest(); return d.manifest().ref }),
    manifestCase('principal-returns', 'accepted', 'a base behind the drop: in this history nobody was dropped', (d) => { const base = d.tip; d.manifest({ principals: [a], closed: [bob] }); d.renew({ base }); return d.manifest({ after: base, principals: both }).ref })
  ]
}

/** M1, M4, M9, B5. */
function lacking (): Case[] {
  const out: Case[] = [
    manifestCase('cuts-unsorted', 'accepted', 'cuts over three lists', next(() => ({ cuts: ['1', '2', '3', '4', '5'].map((n) => cutOf(n)), chunk: 2 }))),
    manifestCase('cuts-unsorted', 'cuts-unsorted', 'the second list goes back', next((d) => ({ fields: { cuts: lists(d, 1, 0) } }))),
    manifestCase('cuts-unsorted', 'cuts-unsorted', 'the same lane in two lists', next((d) => ({ fields: { cuts: lists(d, 0, 0) } }))),
    manifestCase('cut-list-missing', 'cut-list-missing', 'an unknown cut list', next(() => ({ fields: { cuts: refFrom('cuts') } }))),
    manifestCase('cut-list-missing', 'accepted', 'a cut list that is held', next(() => ({ cuts: [cutOf('1')] }))),
    manifestCase('policy-missing', 'policy-missing', 'the policy isn\'t held', (d) => d.tip, (i) => i.ref === referenceOfHash(policyHash(defaultPolicy))),
    manifestCase('policy-missing', 'accepted', 'the policy is held', (d) => d.tip)
  ]
  const second = one()
  const { ref, items } = second.manifest({ cuts: ['1', '2', '3'].map((n) => cutOf(n)), chunk: 1 })
  const tail = items.filter((i) => i.artifact.typeTag === cutListCodec.tag).at(-1)
  out.push({ about: 'cut-list-missing', gives: 'cut-list-missing', name: 'the last of three cut lists isn\'t held', held: heldOf(second, (i) => i.ref === tail?.ref), subject: { reference: ref } })
  const everyOff = { publication_policy: ['require_signature', 'snapshot_required'], execution_policy: ['per_signature_required', 'deterministic_only'], federation_policy: ['export_published_only', 'require_snapshot'], visibility_policy: ['internal_hidden', 'published_read_only'] } as const
  for (const [section, switches] of Object.entries(everyOff)) {
    for (const off of switches) {
      const policy = { ...defaultPolicy, [section]: { ...defaultPolicy[section as keyof DomainPolicy] as object, [off]: false } }
      if (switchesOff(policy)[0] !== off) throw new Error(`${off} is no safety switch`)
      const d = makeDomain({ seed: `vectors ${off}`, policy, principals: both })
      out.push({ about: 'policy-unsupported', gives: 'policy-unsupported', name: `a policy with ${off} off`, held: heldOf(d), subject: { reference: d.tip } })
    }
  }
  const policies: Array<[VerdictCode, VerdictCode, string, DomainPolicy]> = [
    ['policy-unsupported', 'accepted', 'a policy with every safety switch on and fewer roles', { ...defaultPolicy, publication_policy: { ...defaultPolicy.publication_policy, allowed_roles: ['publish'] }, retention_policy: { gc_unpublished_allowed: false, min_snapshot_retention: 0 } }],
    ['needs-upgrade', 'needs-upgrade', 'a policy of version 2', { ...defaultPolicy, version: 2 }],
    ['needs-upgrade', 'accepted', 'a policy of version 1', defaultPolicy],
    ['needs-upgrade', 'needs-upgrade', 'a policy of version 2 with a switch off: what it means nobody knows', { ...defaultPolicy, version: 2, visibility_policy: { internal_hidden: false, published_read_only: true } }]
  ]
  for (const [about, gives, name, policy] of policies) {
    const d = makeDomain({ seed: `vectors ${name}`, policy, principals: both })
    out.push({ about, gives, name, ...(about === 'needs-upgrade' ? { rule: 'B5' } : {}), held: heldOf(d), subject: { reference: d.tip } })
    out.push({ about, gives, name: `${name}: the policy itself`, ...(about === 'needs-upgrade' ? { rule: 'B5' } : {}), held: heldOf(d), subject: { reference: policyCodec.reference(policy) } })
  }
  return out
}

/** What objects count for that others only name. */
function named (): Case[] {
  const d = one()
  const stray = itemOf(cutListCodec.artifact({ cuts: [cutOf('stray')], next: NONE }))
  const used = d.manifest({ cuts: [cutOf('used')] }).items[0] as Item
  const entry = rootEntryCodec.from((d.items.find((i) => i.ref === d.domain) as Item).artifact)
  const certificate = certificateCodec.from((d.items.find((i) => i.ref === entry.certificate) as Item).artifact)
  const principal = itemOf(certificateCodec.artifact({ ...certificate, subject_type: 'principal', subject_id: ann.id, subject_pubkey: ann.publicKey, domain_id: d.domain, roles: ['publish'] }))
  return [
    { about: 'unreferenced', gives: 'unreferenced', name: 'a cut list that no manifest names', held: withItems(heldOf(d), stray), subject: { reference: stray.ref } },
    { about: 'unreferenced', gives: 'accepted', name: 'a cut list that a manifest names', held: heldOf(d), subject: { reference: used.ref } },
    { about: 'principal-certificate', gives: 'principal-certificate', name: 'a principal\'s certificate', held: withItems(heldOf(d), principal), subject: { reference: principal.ref } },
    { about: 'principal-certificate', gives: 'accepted', name: 'the certificate of the genesis', held: heldOf(d), subject: { reference: entry.certificate } }
  ]
}

export function manifestCases (): Case[] {
  return [...signers(), ...places(), ...rights(), ...lacking(), ...named()]
}
