/** What one domain makes of another: requests, decisions, and what enters the view. D1-D5, R4; THREATS 19. */
import * as dagCbor from '@ipld/dag-cbor'
import { type AdmissionRecord, admissionRecordCodec, type AdmissionRequest, admissionRequestCodec, type Decision } from '../../../src/authority/admission-objects.js'
import { defaultPolicy, policyHash } from '../../../src/authority/policy.js'
import type { VerdictCode } from '../../../src/authority/verdict.js'
import { forkEvidenceCodec } from '../../../src/publication/evidence.js'
import { INTERNAL, PUBLISHED } from '../../../src/publication/lane.js'
import { type Artifact, encodeArtifact } from '../../../src/substrate/artifact.js'
import { toHex } from '../../../src/substrate/bytes.js'
import { digestOf, referenceBytes } from '../../../src/substrate/reference.js'
import type { Purpose } from '../../../src/substrate/signature.js'
import { digestFrom, type Item, itemOf, makeDomain, refFrom, signed, type TestDomain, type TestKey, testKey } from '../../../test/helpers/authority-fixtures.js'
import { TestLane } from '../../../test/helpers/lanes.js'
import { bytesOf, type Case, type Held, heldOf, withItems, withLane } from './cases.js'
import { garbage } from './roots.js'
import { proofOf } from './views.js'

const [alice, anna, audit] = [testKey('vectors admits'), testKey('vectors admits too'), testKey('vectors admits not')]
/** The domain that decides: two nodes of it, and a key that may not. */
const receiver = makeDomain({ seed: 'vectors receiver', principals: [{ key: alice }, { key: anna }, { key: audit, roles: ['audit', 'publish'] }] })
const writer = testKey('vectors applicant writes')
const applicant = (): TestDomain => makeDomain({ seed: 'vectors applicant', principals: [{ key: writer }] })
const NONCE = digestFrom('vectors nonce')
const open = { [NONCE]: null }

const ask = (d: TestDomain, fields: Partial<AdmissionRequest> = {}): AdmissionRequest =>
  ({ applicant: d.domain, root_entry: d.entry, manifest: d.tip, requested_scope: ['docs'], receiver: receiver.domain, nonce: NONCE, ...fields })

// ── D1 ──

interface Asked {
  readonly nonces?: Case['nonces']
  readonly key?: TestKey
  readonly purpose?: Purpose
  /** instead of the right one; null: none */
  readonly signature?: Item | null
  readonly other?: Held
}

function request (about: VerdictCode, gives: VerdictCode, name: string, d: TestDomain, asked: AdmissionRequest, { nonces = open, key = d.rootKey(), purpose = 'admission-request', signature, other = heldOf(d) }: Asked = {}): Case {
  const by = signature === undefined ? signed(key, purpose, admissionRequestCodec.reference(asked)) : signature
  return { about, gives, name, rule: 'D1', held: heldOf(receiver), other, nonces, subject: { request: bytesOf(admissionRequestCodec.artifact(asked)), ...(by === null ? {} : { signature: bytesOf(by.artifact) }) } }
}

function requests (): Case[] {
  const d = applicant()
  const good = ask(d)
  const itself = admissionRequestCodec.reference(good)
  const elsewhere = refFrom('another receiver')
  const later = applicant()
  const old = ask(later)
  const key = later.rootKey()
  const next = later.manifest()
  const renewed = applicant()
  const before = ask(renewed)
  const oldKey = renewed.rootKey()
  renewed.renew()
  renewed.manifest()
  const stranger = makeDomain({ seed: 'vectors stranger', principals: [{ key: writer }] })
  const forked = applicant()
  const from = forked.tip
  forked.manifest()
  forked.manifest({ after: from, closed: [writer] })
  // M6: a thief of the live roots renews; the owner's rotate, from the same entry, wins.
  const stolen = applicant()
  const base = stolen.tip
  stolen.renew({ rootKey: 'thief' })
  stolen.manifest()
  const thief = { asked: ask(stolen), key: stolen.rootKey() }
  stolen.rotate({ after: stolen.domain, base })
  stolen.manifest({ after: base })
  // M7: a manifest that the base of the next epoch left behind.
  const branch = applicant()
  const kept = branch.tip
  branch.manifest()
  const left = { asked: ask(branch), key: branch.rootKey() }
  branch.renew({ base: kept })
  branch.manifest({ after: kept })
  const broken = applicant()
  const bad = broken.manifest({ fields: { version: 9 } }).ref
  return [
    request('request-invalid', 'accepted', 'a request as it should be', d, good),
    request('request-invalid', 'accepted', 'the same shown twice: its nonce was used for itself', d, good, { nonces: { [NONCE]: itself } }),
    request('request-invalid', 'accepted', 'one that names a manifest that was followed by another since', later, old, { key }),
    request('request-invalid', 'accepted', 'one that names the newest of two manifests', later, ask(later, { manifest: next.ref }), { key }),
    request('request-invalid', 'request-invalid', 'one for another receiver, shown here', d, ask(d, { receiver: elsewhere })),
    request('request-invalid', 'request-invalid', 'one of the receiver itself', receiver, ask(receiver)),
    request('request-invalid', 'request-invalid', 'a nonce that was never handed out', d, good, { nonces: { [digestFrom('vectors another nonce')]: null } }),
    request('request-invalid', 'request-invalid', 'no nonce was ever handed out', d, good, { nonces: {} }),
    request('request-invalid', 'request-invalid', 'a nonce that another request used', d, ask(d, { requested_scope: [''] }), { nonces: { [NONCE]: itself } }),
    request('request-invalid', 'request-invalid', 'signed by a principal of the domain', d, good, { key: writer }),
    request('request-invalid', 'request-invalid', 'signed by an offline root of the domain', d, good, { key: d.roots().keys[0] as TestKey }),
    request('request-invalid', 'request-invalid', 'signed by the root_key of another domain', d, good, { key: stranger.rootKey() }),
    request('request-invalid', 'request-invalid', 'the newest root entry for a manifest of an epoch that is over, signed with that one\'s key', renewed, ask(renewed, { manifest: before.manifest }), { key: oldKey }),
    request('signature-missing', 'signature-missing', 'a request that nobody signed', d, good, { signature: null }),
    request('signature-missing', 'accepted', 'a request that its root_key signed', d, ask(d, { requested_scope: ['docs/a', 'wiki'] })),
    request('bad-signature', 'bad-signature', 'a request with a signature over another one', d, good, { signature: signed(d.rootKey(), 'admission-request', admissionRequestCodec.reference(ask(d, { receiver: elsewhere }))) }),
    request('bad-signature', 'bad-signature', 'a request signed as a manifest', d, good, { purpose: 'manifest' }),
    request('bad-signature', 'bad-signature', 'a request with a bit of its signature flipped', d, good, { signature: garbage(d.rootKey(), 'admission-request', itself) }),
    request('unknown-domain', 'unknown-domain', 'a request of a domain of which nothing came along', d, good, { other: { domain: d.domain, items: [] } }),
    request('unknown-domain', 'unknown-domain', 'a request that came along with the objects of another domain', d, good, { other: heldOf(stranger) }),
    request('manifest-missing', 'manifest-missing', 'a request whose manifest isn\'t held', d, ask(d, { manifest: refFrom('a manifest') })),
    request('unknown-domain', 'unknown-domain', 'a request whose domain came along without its genesis', d, good, { other: heldOf(d, (i) => i.ref === d.domain) }),
    request('root-orphaned', 'root-orphaned', 'a request signed with the key of an epoch that is over', renewed, before, { key: oldKey }),
    request('root-orphaned', 'accepted', 'a request signed with the key of the newest epoch', renewed, ask(renewed)),
    request('root-orphaned', 'root-orphaned', 'a request of a thief of live roots, under a root entry on the branch that lost', stolen, thief.asked, { key: thief.key }),
    request('root-orphaned', 'accepted', 'a request of the owner whose rotate won', stolen, ask(stolen)),
    request('root-orphaned', 'root-orphaned', 'a request that names a manifest that the base of the next epoch left behind', branch, left.asked, { key: left.key }),
    request('request-invalid', 'request-invalid', 'such a manifest, with the newest root entry in its place', branch, { ...left.asked, root_entry: branch.entry }),
    request('authority-forked', 'authority-forked', 'a request of a domain whose authority is forked', forked, ask(forked)),
    request('version-gap', 'version-gap', 'a request that names a manifest that is none', broken, ask(broken, { manifest: bad })),
    { ...request('malformed', 'malformed', 'a request cut off', d, good), subject: { request: bytesOf(admissionRequestCodec.artifact(good)).slice(0, -2), signature: bytesOf(signed(d.rootKey(), 'admission-request', itself).artifact) } },
    { ...request('malformed', 'malformed', 'a record in place of a request', d, good), subject: { request: bytesOf(recordOf('REJECTED').artifact) } }
  ]
}

// ── D4, D5 ──

const OTHER_POLICY = { ...defaultPolicy, retention_policy: { ...defaultPolicy.retention_policy, min_snapshot_retention: 7 } }
const EARLIER = 'a policy under which nothing of the domain stands'

/** The other domain: four names, one of them gone again; `docs/new` and then `docs/a` anew under another policy. */
function published (): { d: TestDomain, other: Held, lanes: readonly TestLane[] } {
  const d = applicant()
  const first = new TestLane(d, writer, 'vectors published')
  for (const name of ['docs/a', 'docs/b', 'docs2', 'gone', 'wiki/x']) first.publish(name)
  const heads = [first.append({ kind: 'tombstone', salt: first.salt(), name: 'gone' })]
  return { d, other: withLane(heldOf(d), first, heads), lanes: [first] }
}

let epoch = 0
interface Decided extends Item { readonly record: AdmissionRecord }

/** A record on the other domain; what it says of the request is the decider's own business. */
function recordOf (decision: Decision, scope: readonly string[] = [], fields: Partial<AdmissionRecord> = {}): Decided {
  const d = applicant()
  const record: AdmissionRecord = {
    domain_id: d.domain, dam_hash: digestOf(d.tip), policy_hash: policyHash(defaultPolicy), admitted_scope: [...scope], decision, decision_epoch: ++epoch, request: admissionRequestCodec.reference(ask(d)), previous: [], ...fields
  }
  return { ...itemOf(admissionRecordCodec.artifact(record)), record }
}

const after = (...previous: readonly Decided[]): Partial<AdmissionRecord> => ({ previous: previous.map((p) => p.ref).sort() })

interface Node { readonly key?: TestKey, readonly fields?: object, readonly records: readonly Decided[] }

/** What the receiver holds: the lane of each node with one admit leaf a record. `held`: whether a record itself is here. */
function deciding (nodes: readonly Node[], held: (record: Decided) => boolean = () => true, from: TestDomain = receiver): Held {
  let out = heldOf(from)
  nodes.forEach(({ key = alice, fields, records }, i) => {
    const lane = new TestLane(from, key, `vectors admission ${i}`, { visibility: INTERNAL, ...fields })
    const head = records.reduce<ReturnType<TestLane['head']> | undefined>((_, r) => lane.append({ kind: 'admit', salt: lane.salt(), ref: r.ref }), undefined)
    if (head !== undefined) out = withLane(out, lane, [head])
  })
  return withItems(out, ...nodes.flatMap((n) => n.records).filter(held))
}

const ALL = ['docs/a', 'docs/b', 'docs2', 'wiki/x']
const refusedAll = (code: VerdictCode, but: readonly string[] = []): Record<string, VerdictCode> => Object.fromEntries(ALL.filter((n) => !but.includes(n)).map((n) => [n, code]))

function view (about: VerdictCode, gives: VerdictCode, name: string, held: Held, names: readonly string[], refused: Readonly<Record<string, VerdictCode>>, other: Held = published().other, rule = 'D5'): Case {
  return { about, gives, name, rule, held, other, subject: { admission: true }, names, refused }
}

function decisions (): Case[] {
  const whole = recordOf('ACCEPTED', [''])
  const docs = recordOf('ACCEPTED', ['docs'])
  const limited = recordOf('ACCEPTED_LIMITED', ['docs/a', 'wiki'])
  const both = recordOf('ACCEPTED_LIMITED', ['docs2', 'wiki/x'])
  const deferred = recordOf('DEFERRED')
  const rejected = recordOf('REJECTED')
  const withdrawn = recordOf('REJECTED', [], after(whole))
  const merged = recordOf('ACCEPTED', ['docs'], after(docs, rejected))
  const narrowed = recordOf('ACCEPTED_LIMITED', ['docs/b'], after(docs))
  const differently = recordOf('ACCEPTED', [''], { policy_hash: policyHash(OTHER_POLICY) })
  const foreign = recordOf('REJECTED', [], { ...after(whole), domain_id: refFrom('a third domain') })
  const third = recordOf('ACCEPTED', [''], { domain_id: refFrom('a third domain') })
  const one = (...records: readonly Decided[]): Held => deciding([{ records }])
  const apart = (a: Decided, b: Decided): Held => deciding([{ records: [a] }, { key: anna, records: [b] }])
  const ended = makeDomain({ seed: 'vectors receiver', principals: [{ key: alice }, { key: anna }, { key: audit, roles: ['audit', 'publish'] }] })
  const theft = new TestLane(ended, alice, 'vectors theft', { visibility: INTERNAL })
  const known = theft.append({ kind: 'admit', salt: theft.salt(), ref: docs.ref })
  const tried = theft.append({ kind: 'admit', salt: theft.salt(), ref: whole.ref })
  ended.manifest({ principals: [{ key: anna }], closed: [alice, audit], cuts: [{ lane: theft.ref, snapshot: known.ref, ends: true }] })
  const cut = withItems(withLane(heldOf(ended), theft, [known, tried]), docs, whole)
  return [
    // Nothing decided, or not for good.
    view('admission-missing', 'admission-missing', 'nothing was decided', heldOf(receiver), [], refusedAll('admission-missing'), undefined, 'D4'),
    view('admission-missing', 'admission-missing', 'only another domain was decided on', one(third), [], refusedAll('admission-missing'), undefined, 'D4'),
    view('admission-missing', 'admission-missing', 'it was deferred', one(deferred), [], refusedAll('admission-missing'), undefined, 'D4'),
    view('admission-missing', 'accepted', 'it was deferred and then accepted', one(deferred, recordOf('ACCEPTED', [''], after(deferred))), ALL, {}, undefined, 'D4'),
    view('admission-missing', 'admission-missing', 'a record that is named and not held may be a withdrawal', deciding([{ records: [whole, withdrawn] }], (r) => r !== withdrawn), [], refusedAll('admission-missing'), undefined, 'D4'),
    view('admission-missing', 'admission-missing', 'even one on another domain, for nobody can see which it is', deciding([{ records: [whole, third] }], (r) => r !== third), [], refusedAll('admission-missing'), undefined, 'D4'),
    view('admission-missing', 'admission-missing', 'a record that no leaf names', withItems(heldOf(receiver), whole), [], refusedAll('admission-missing'), undefined, 'D3'),
    view('admission-missing', 'admission-missing', 'a record named in a published lane', deciding([{ records: [whole], fields: { visibility: PUBLISHED } }]), [], refusedAll('admission-missing'), undefined, 'D3'),
    view('admission-missing', 'admission-missing', 'a record named by a key without federate', deciding([{ records: [whole], key: audit }]), [], refusedAll('admission-missing'), undefined, 'D3'),
    view('admission-missing', 'accepted', 'a leaf that names a request and no record decides nothing', withItems(one(whole, { ...itemOf(admissionRequestCodec.artifact(ask(applicant()))), record: whole.record })), ALL, {}, undefined, 'D3'),
    // K3: what a stolen key admitted behind the cut admits nothing.
    view('not-admitted', 'accepted', 'beyond the cut of a stolen key nothing is decided', cut, ['docs/a', 'docs/b'], refusedAll('not-admitted', ['docs/a', 'docs/b']), undefined, 'D3'),
    // Scopes.
    view('not-admitted', 'accepted', 'the whole domain', one(whole), ALL, {}),
    view('not-admitted', 'accepted', 'one prefix, by whole segments', one(docs), ['docs/a', 'docs/b'], refusedAll('not-admitted', ['docs/a', 'docs/b'])),
    view('not-admitted', 'accepted', 'a limited scope of a name and a prefix', one(limited), ['docs/a', 'wiki/x'], refusedAll('not-admitted', ['docs/a', 'wiki/x'])),
    view('not-admitted', 'accepted', 'a scope that holds none of its names', one(recordOf('ACCEPTED', ['doc'])), [], refusedAll('not-admitted')),
    view('not-admitted', 'accepted', 'decided anew, and narrower', one(docs, narrowed), ['docs/b'], refusedAll('not-admitted', ['docs/b'])),
    // Withdrawal.
    view('not-admitted', 'not-admitted', 'rejected', one(rejected), [], refusedAll('not-admitted'), undefined, 'D4'),
    view('not-admitted', 'not-admitted', 'accepted, then withdrawn', one(whole, withdrawn), [], refusedAll('not-admitted'), undefined, 'D4'),
    view('not-admitted', 'accepted', 'withdrawn, then accepted on a new request', one(whole, withdrawn, recordOf('ACCEPTED', ['wiki'], after(withdrawn))), ['wiki/x'], refusedAll('not-admitted', ['wiki/x']), undefined, 'D4'),
    view('not-admitted', 'accepted', 'a rejection of a third domain that lists the accept replaces nothing', one(whole, foreign), ALL, {}, undefined, 'D4'),
    // Decided apart.
    view('not-admitted', 'not-admitted', 'accepted and rejected apart', apart(whole, rejected), [], refusedAll('not-admitted'), undefined, 'D4'),
    view('not-admitted', 'not-admitted', 'deferred and rejected apart', apart(deferred, rejected), [], refusedAll('not-admitted'), undefined, 'D4'),
    view('admission-missing', 'admission-missing', 'accepted and deferred apart', apart(whole, deferred), [], refusedAll('admission-missing'), undefined, 'D4'),
    view('not-admitted', 'accepted', 'accepted and limited apart: what both hold', apart(docs, limited), ['docs/a'], refusedAll('not-admitted', ['docs/a']), undefined, 'D4'),
    view('not-admitted', 'accepted', 'limited twice apart: what both hold', apart(limited, both), ['wiki/x'], refusedAll('not-admitted', ['wiki/x']), undefined, 'D4'),
    view('not-admitted', 'accepted', 'limited apart to scopes that have nothing in common', apart(recordOf('ACCEPTED_LIMITED', ['docs']), both), [], refusedAll('not-admitted'), undefined, 'D4'),
    view('not-admitted', 'accepted', 'apart, until one who saw both decides', deciding([{ records: [docs] }, { key: anna, records: [rejected, merged] }]), ['docs/a', 'docs/b'], refusedAll('not-admitted', ['docs/a', 'docs/b']), undefined, 'D4'),
    view('not-admitted', 'not-admitted', 'one who saw only one of two replaces only that one', deciding([{ records: [docs] }, { key: anna, records: [rejected, narrowed] }]), [], refusedAll('not-admitted'), undefined, 'D4'),
    // Policies.
    view('admission-stale', 'accepted', 'accepted apart under different policies: no lane stands under both', apart(whole, differently), [], refusedAll('admission-stale'), undefined, 'D4'),
    view('admission-stale', 'accepted', EARLIER, one(differently), [], refusedAll('admission-stale'))
  ]
}

/** D5: lanes under a policy that came after the admission. */
function stale (): Case[] {
  const { d, lanes } = published()
  const [first] = lanes as [TestLane]
  d.renew({ policy: OTHER_POLICY })
  d.manifest()
  const second = new TestLane(d, writer, 'vectors published anew')
  for (const name of ['x', 'y', 'z', 'zz']) second.append({ kind: 'tombstone', salt: second.salt(), name })
  second.publish('docs/a', 'anew')
  const head = second.publish('wiki/y')
  const other = withLane(withLane(heldOf(d), first, [first.head()]), second, [head])
  const old = deciding([{ records: [recordOf('ACCEPTED', [''])] }])
  const anew = deciding([{ records: [recordOf('ACCEPTED', [''], { policy_hash: policyHash(OTHER_POLICY), dam_hash: digestOf(d.tip) })] }])
  const docs = deciding([{ records: [recordOf('ACCEPTED', ['docs'])] }])
  const wait: VerdictCode = 'admission-stale'
  const name = (about: VerdictCode, gives: VerdictCode, title: string, held: Held, admitted: string): Case => ({ about, gives, name: title, rule: 'D5', held, other, subject: { admitted } })
  return [
    view(wait, 'accepted', 'names that stand under a newer policy wait, and nothing older takes their place', old, ['docs/b', 'docs2', 'wiki/x'], { 'docs/a': wait, 'wiki/y': wait }, other),
    view(wait, 'accepted', 'admitted under the newer policy: what stands under the older waits', anew, ['docs/a', 'wiki/y'], { 'docs/b': wait, docs2: wait, 'wiki/x': wait }, other),
    view(wait, 'accepted', 'what is out of scope doesn\'t wait', docs, ['docs/b'], { 'docs/a': wait, docs2: 'not-admitted', 'wiki/x': 'not-admitted', 'wiki/y': 'not-admitted' }, other),
    name(wait, wait, 'a name that was published anew under a newer policy', old, 'docs/a'),
    name(wait, 'accepted', 'the same where the newer policy was admitted', anew, 'docs/a'),
    name(wait, 'accepted', 'a name whose lane stands under the admitted policy', old, 'docs/b'),
    name('not-admitted', 'not-admitted', 'a name beside the admitted prefix that begins like it', docs, 'docs2'),
    name('not-admitted', 'accepted', 'a name below the admitted prefix', docs, 'docs/b'),
    name('admission-missing', 'admission-missing', 'a name of a domain that nobody decided on', heldOf(receiver), 'docs/b'),
    name('not-held', 'not-held', 'a name that the other domain never published', old, 'nowhere')
  ]
}

/** E5: what is contested there is contested here. */
function contested (): Case[] {
  const d = makeDomain({ seed: 'vectors applicant', principals: [{ key: writer }] })
  const left = new TestLane(d, writer, 'vectors forks')
  left.publish('docs/a')
  const right = left.fork(1)
  const heads = [left.publish('docs/b', 'left'), right.publish('docs/b', 'right')] as const
  const other = withItems(withLane(heldOf(d), left, [heads[0]]), heads[1].snapshot, heads[1].signature, itemOf(forkEvidenceCodec.artifact(proofOf(left, heads[0], right, heads[1], 1))))
  const held = deciding([{ records: [recordOf('ACCEPTED', ['docs'])] }])
  return [
    { about: 'contested', gives: 'contested', name: 'a name that enters the view stays contested', rule: 'E5', held, other, subject: { admitted: 'docs/a' } },
    { about: 'contested', gives: 'admission-missing', name: 'what doesn\'t enter is not contested here', rule: 'E5', held: heldOf(receiver), other, subject: { admitted: 'docs/a' } }
  ]
}

/** S-4: what is canonical CBOR and no request or record. */
function shapes (): Case[] {
  const d = applicant()
  const shown = (name: string, gives: VerdictCode, { typeTag, payload }: Artifact, fields: object = {}): Case =>
    ({ about: 'malformed', gives, name, held: { items: [{ hex: toHex(encodeArtifact({ typeTag, payload: dagCbor.encode({ ...dagCbor.decode<object>(payload), ...fields }) })) }] }, subject: { shape: 0 } })
  const asked = admissionRequestCodec.artifact(ask(d))
  const yes = recordOf('ACCEPTED', ['docs']).artifact
  const no = recordOf('REJECTED').artifact
  return [
    shown('AdmissionRequest: as it should be', 'accepted', asked),
    shown('AdmissionRequest: for nothing', 'malformed', asked, { requested_scope: [] }),
    shown('AdmissionRequest: a prefix that another covers', 'malformed', asked, { requested_scope: ['docs', 'docs/a'] }),
    shown('AdmissionRequest: prefixes out of order', 'malformed', asked, { requested_scope: ['wiki', 'docs'] }),
    shown('AdmissionRequest: a prefix that is no path', 'malformed', asked, { requested_scope: ['docs/'] }),
    shown('AdmissionRequest: a nonce of 31 bytes', 'malformed', asked, { nonce: new Uint8Array(31) }),
    shown('AdmissionRequest: a field more', 'malformed', asked, { note: '' }),
    shown('AdmissionRecord: accepted', 'accepted', yes),
    shown('AdmissionRecord: rejected', 'accepted', no),
    shown('AdmissionRecord: accepted for nothing', 'malformed', yes, { admitted_scope: [] }),
    shown('AdmissionRecord: rejected, with a scope', 'malformed', no, { admitted_scope: [''] }),
    shown('AdmissionRecord: a decision that is none', 'malformed', no, { decision: 'MAYBE' }),
    shown('AdmissionRecord: the same record twice in previous', 'malformed', no, { previous: [referenceBytes(d.tip), referenceBytes(d.tip)] }),
    shown('AdmissionRecord: a scope that another prefix covers', 'malformed', yes, { admitted_scope: ['', 'docs'] })
  ]
}

export function admissionCases (): Case[] {
  epoch = 0
  return [...shapes(), ...requests(), ...decisions(), ...stale(), ...contested()]
}
