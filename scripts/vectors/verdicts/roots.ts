/** The root chain: T1, M5, M6; THREATS 8 and 13. */
import { rootEntryCodec } from '../../../src/authority/root-entry.js'
import { laneCodec, PUBLISHED } from '../../../src/publication/lane.js'
import { NONE, type Reference } from '../../../src/substrate/reference.js'
import { type Purpose, signatureCodec } from '../../../src/substrate/signature.js'
import { digestFrom, type DomainOptions, type EntryOptions, type Item, itemOf, makeDomain, refFrom, signed, type TestDomain, type TestKey, testKey } from '../../../test/helpers/authority-fixtures.js'
import { resigned } from '../../../test/helpers/resigned.js'
import { type Case, type Held, heldOf, withItems } from './cases.js'
import type { VerdictCode } from '../../../src/authority/verdict.js'

const two = (options: DomainOptions = {}): TestDomain => makeDomain({ seed: 'vectors roots', roots: 3, threshold: 2, ...options })
const stranger = testKey('stranger')

/** A case whose subject is what `make` returns, with everything held but for what `drop` says. */
function entryCase (about: VerdictCode, gives: VerdictCode, name: string, make: (d: TestDomain) => Reference, drop?: (i: Item, d: TestDomain) => boolean): Case {
  const d = two()
  const reference = make(d)
  return { about, gives, name, held: heldOf(d, (i) => drop?.(i, d) ?? false), subject: { reference } }
}

const renew = (options: (d: TestDomain) => EntryOptions = () => ({})) => (d: TestDomain): Reference => d.renew(options(d)).ref
const rotate = (options: (d: TestDomain) => EntryOptions = () => ({})) => (d: TestDomain): Reference => d.rotate(options(d)).ref
const field = (d: TestDomain, name: 'root_set' | 'certificate' | 'next_commitment', ref = d.entry): string => {
  const item = d.items.find((i) => i.ref === ref) as Item
  return rootEntryCodec.from(item.artifact)[name]
}

/** A signature that says it is `key`'s and isn't. */
export function garbage (key: TestKey, purpose: Purpose, target: Reference): Item {
  const good = signatureCodec.from(signed(key, purpose, target).artifact)
  const flipped = (parseInt(good.signature.slice(0, 2), 16) ^ 1).toString(16).padStart(2, '0')
  return itemOf(signatureCodec.artifact({ ...good, signature: flipped + good.signature.slice(2) }))
}

/** THREATS 8: what signs a genesis whose set needs two of three. */
function thresholds (): Case[] {
  const d = two({ signers: 0, manifest: false })
  const key = (i: number): TestKey => d.roots().keys[i] as TestKey
  const root = (i: number): Item => signed(key(i), 'root-entry', d.domain)
  const rows: Array<[string, Item[], VerdictCode]> = [
    ['nobody signed', [], 'signature-missing'],
    ['one of two', [root(0)], 'signature-missing'],
    ['one signature listed twice', [root(0), root(0)], 'signature-missing'],
    ['two signatures by one key', [root(0), resigned(key(0), 'root-entry', d.domain, 'another nonce')], 'signature-missing'],
    ['one and a stranger\'s', [root(0), signed(stranger, 'root-entry', d.domain)], 'signature-missing'],
    ['one and garbage in the name of another', [root(0), garbage(key(1), 'root-entry', d.domain)], 'signature-missing'],
    ['two, one of them made for another purpose', [root(0), signed(key(1), 'manifest', d.domain)], 'signature-missing'],
    ['two, one of them over another target', [root(0), signed(key(1), 'root-entry', refFrom('other'))], 'signature-missing'],
    ['two', [root(0), root(2)], 'accepted'],
    ['two beside garbage', [garbage(key(1), 'root-entry', d.domain), root(0), root(2)], 'accepted'],
    ['all three', [root(0), root(1), root(2)], 'accepted']
  ]
  return rows.map(([name, signatures, gives]) => ({ about: 'signature-missing', gives, name: `threshold 2 of 3: ${name}`, rule: 'T1', held: withItems(heldOf(d), ...signatures), subject: { reference: d.domain } }))
}

function genesis (): Case[] {
  const rows: Array<[string, DomainOptions]> = [
    ['its certificate is of another epoch', { certificate: { version: 1 } }],
    ['its certificate is issued by a stranger', { certificate: { issued_by: stranger.publicKey } }],
    ['its certificate is issued by the second root key', { certificate: { issued_by: testKey('vectors roots/root/0/0').publicKey < testKey('vectors roots/root/0/1').publicKey ? testKey('vectors roots/root/0/1').publicKey : testKey('vectors roots/root/0/0').publicKey } }],
    ['its certificate is a principal\'s', { certificate: { subject_type: 'principal' } }]
  ]
  const bad = rows.map(([name, options]): Case => {
    const d = two({ ...options, roots: 2, manifest: false })
    return { about: 'certificate-mismatch', gives: 'certificate-mismatch', name: `genesis: ${name}`, held: heldOf(d), subject: { reference: d.domain } }
  })
  const d = two({ manifest: false })
  const nothing: Held = { domain: d.domain, items: [] }
  const other = makeDomain({ seed: 'vectors other', manifest: false })
  return [
    ...bad,
    { about: 'certificate-mismatch', gives: 'accepted', name: 'genesis: a good certificate', held: heldOf(d), subject: { reference: d.domain } },
    { about: 'unknown-domain', gives: 'unknown-domain', name: 'nothing is held', held: nothing, subject: { reference: d.domain } },
    { about: 'unknown-domain', gives: 'accepted', name: 'the genesis and what it needs are held', held: heldOf(d), subject: { reference: d.domain } },
    { about: 'unknown-domain', gives: 'unknown-domain', name: 'the whole domain, while nothing is held', held: nothing, subject: { domain: true } },
    { about: 'wrong-domain', gives: 'wrong-domain', name: 'a Lane of another domain is offered', held: { domain: d.domain, items: [...d.items, strangersLane(other)] }, subject: { offer: d.items.length } },
    { about: 'wrong-domain', gives: 'accepted', name: 'a Lane of this domain is offered', held: { domain: d.domain, items: [...d.items, strangersLane(d)] }, subject: { offer: d.items.length } },
    { about: 'other-domain', gives: 'other-domain', name: 'the genesis of another domain is offered', held: { domain: d.domain, items: [...d.items, other.items.find((i) => i.ref === other.domain) as Item] }, subject: { offer: d.items.length } },
    { about: 'other-domain', gives: 'accepted', name: 'a root entry of this domain is offered', held: ((): Held => { const { ref } = d.renew({ base: refFrom('base') }); return { domain: d.domain, items: [...d.items.filter((i) => i.ref !== ref), d.items.find((i) => i.ref === ref) as Item] } })(), subject: { offer: d.items.length - 1 } }
  ]
}

export function strangersLane (other: TestDomain): Item {
  return itemOf(laneCodec.artifact({ domain_id: other.domain, principal: stranger.id, manifest: refFrom('manifest'), visibility: PUBLISHED, nonce: digestFrom('nonce'), previous: NONE }))
}

/** M6. */
function branches (): Case[] {
  const d = two()
  const start = d.entry
  const one = d.renew({ after: start }).ref
  const other = d.renew({ after: start }).ref
  const forked = heldOf(d)
  const out: Case[] = [
    { about: 'root-forked', gives: 'root-forked', name: 'two renews follow one entry', held: forked, subject: { reference: one } },
    { about: 'root-forked', gives: 'accepted', name: 'the entry before two renews', held: forked, subject: { reference: start } },
    { about: 'root-forked', gives: 'root-forked', name: 'the whole domain under a root fork', held: forked, subject: { domain: true } }
  ]
  const settled = d.rotate({ after: one }).ref
  out.push(
    { about: 'root-forked', gives: 'accepted', name: 'a rotate settles it for its branch', held: heldOf(d), subject: { reference: one } },
    { about: 'root-orphaned', gives: 'root-orphaned', name: 'a rotate settles it against the other branch', held: heldOf(d), subject: { reference: other } },
    { about: 'root-orphaned', gives: 'accepted', name: 'the rotate that settles it', held: heldOf(d), subject: { reference: settled } })
  const thief = two()
  const from = thief.entry
  for (let i = 0; i < 4; i++) thief.renew({ after: i === 0 ? from : thief.entry })
  const deep = thief.entry
  thief.rotate({ after: from })
  out.push({ about: 'root-orphaned', gives: 'root-orphaned', name: 'four renews of a thief lose against one rotate of the owner', held: heldOf(thief), subject: { reference: deep } })
  const twice = two()
  const before = twice.entry
  const first = twice.rotate({ after: before }).ref
  const second = twice.rotate({ after: twice.renew({ after: before }).ref }).ref
  twice.rotate({ after: second })
  out.push({ about: 'root-forked', gives: 'root-forked', name: 'two rotates from one commitment never settle', held: heldOf(twice), subject: { reference: first } })
  return out
}

export function rootCases (): Case[] {
  const open = (d: TestDomain): string => field(d, 'next_commitment', d.domain)
  return [
    ...thresholds(),
    ...genesis(),
    entryCase('signature-missing', 'signature-missing', 'renew by strangers', renew(() => ({ signers: [stranger] }))),
    entryCase('signature-missing', 'signature-missing', 'rotate signed by the old set', rotate((d) => ({ signers: d.roots().keys }))),
    entryCase('signature-missing', 'accepted', 'rotate by two of the new three alone', rotate((d) => ({ signers: d.nextRoots().keys.slice(1) }))),
    entryCase('renew-changed', 'renew-changed', 'renew that changes the commitment', renew(() => ({ entry: { next_commitment: digestFrom('thief') } }))),
    entryCase('renew-changed', 'renew-changed', 'renew with a salt', renew(() => ({ entry: { salt: digestFrom('salt') } }))),
    entryCase('renew-changed', 'accepted', 'renew', renew()),
    entryCase('epoch-gap', 'epoch-gap', 'renew that skips an epoch', renew(() => ({ entry: { epoch: 2 } }))),
    entryCase('epoch-gap', 'accepted', 'renew of a renew: epoch 2', (d) => { d.renew(); return d.renew().ref }),
    entryCase('certificate-mismatch', 'certificate-mismatch', 'renew whose certificate is of the epoch before', renew(() => ({ certificate: { version: 0 } }))),
    entryCase('certificate-mismatch', 'certificate-mismatch', 'rotate whose certificate the old set\'s first key issued', rotate((d) => ({ certificate: { issued_by: (d.roots().keys[0] as TestKey).publicKey } }))),
    entryCase('certificate-mismatch', 'accepted', 'rotate with a certificate of its own', rotate()),
    entryCase('commitment-mismatch', 'commitment-mismatch', 'rotate with another salt', rotate(() => ({ entry: { salt: digestFrom('salt') } }))),
    entryCase('commitment-mismatch', 'commitment-mismatch', 'rotate to a set that nobody committed to', rotate(() => ({ entry: { root_set: refFrom('a set of the thief') } }))),
    entryCase('commitment-mismatch', 'accepted', 'rotate after a renew opens the same commitment', (d) => { d.renew(); return d.rotate().ref }),
    entryCase('commitment-reused', 'commitment-reused', 'rotate that commits to what it opens', (d) => d.rotate({ entry: { next_commitment: open(d) as ReturnType<typeof digestFrom> } }).ref),
    entryCase('commitment-reused', 'commitment-reused', 'rotate that commits to what was committed to long ago', (d) => { const first = open(d); d.rotate(); return d.rotate({ entry: { next_commitment: first as ReturnType<typeof digestFrom> } }).ref }),
    entryCase('commitment-reused', 'accepted', 'two rotates, each with a fresh commitment', (d) => { d.rotate(); return d.rotate().ref }),
    entryCase('root-entry-missing', 'root-entry-missing', 'renew after something unknown', renew(() => ({ entry: { previous: refFrom('unknown') } }))),
    entryCase('root-entry-missing', 'accepted', 'renew after something held', renew()),
    entryCase('wrong-type', 'wrong-type', 'renew after something that is no root entry', renew((d) => ({ entry: { previous: d.tip } }))),
    entryCase('wrong-type', 'accepted', 'renew after a root entry', renew()),
    entryCase('root-set-missing', 'root-set-missing', 'a rotate without its root set', rotate(), (i, d) => i.ref === field(d, 'root_set')),
    entryCase('root-set-missing', 'accepted', 'a rotate with its root set', rotate()),
    entryCase('certificate-missing', 'certificate-missing', 'a renew without its certificate', renew(), (i, d) => i.ref === field(d, 'certificate')),
    entryCase('certificate-missing', 'accepted', 'a renew with its certificate', renew()),
    entryCase('previous-deferred', 'previous-deferred', 'it follows a renew without signatures', (d) => { d.renew({ signers: [] }); return d.renew().ref }),
    entryCase('previous-deferred', 'accepted', 'it follows a renew with signatures', (d) => { d.renew(); return d.renew().ref }),
    entryCase('previous-rejected', 'previous-rejected', 'it follows a renew that changed the commitment', (d) => { const salted = d.renew({ entry: { salt: digestFrom('salt') } }).ref; return d.renew({ after: salted }).ref }),
    entryCase('previous-rejected', 'accepted', 'it follows a good renew', (d) => { d.renew(); return d.renew().ref }),
    ...branches()
  ]
}
