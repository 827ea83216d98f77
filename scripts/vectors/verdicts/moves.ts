/** Where a domain's roots say that it goes on: M8, with T1, M5 and M6. */
import { rootCommitment } from '../../../src/authority/root-entry.js'
import { rootSetCodec } from '../../../src/authority/root-set.js'
import type { VerdictCode } from '../../../src/authority/verdict.js'
import type { Reference } from '../../../src/substrate/reference.js'
import type { Purpose } from '../../../src/substrate/signature.js'
import { digestFrom, type Item, makeDomain, refFrom, rootSetOf, signed, type TestDomain, type TestKey, testKey } from '../../../test/helpers/authority-fixtures.js'
import { moveOf, type MoveOptions } from '../../../test/helpers/moves.js'
import { resigned } from '../../../test/helpers/resigned.js'
import { type Case, heldOf } from './cases.js'
import { garbage } from './roots.js'

const two = (): TestDomain => makeDomain({ seed: 'vectors moves', roots: 3, threshold: 2 })
const stranger = testKey('stranger')
const key = (d: TestDomain, i: number): TestKey => d.roots().keys[i] as TestKey

/** `make` returns the move; everything made is held. */
function moveCase (about: VerdictCode, gives: VerdictCode, name: string, make: (d: TestDomain) => Reference): Case {
  const d = two()
  const reference = make(d)
  return { about, gives, name, rule: 'M8', held: heldOf(d), subject: { reference } }
}

const move = (options: (d: TestDomain) => MoveOptions = () => ({})) => (d: TestDomain): Reference => moveOf(d, options(d)).ref

/** T1: what signs a move of a set that needs two of three. */
function thresholds (): Case[] {
  const rows: Array<[string, VerdictCode, (d: TestDomain, ref: Reference) => Item[]]> = [
    ['nobody signed', 'signature-missing', () => []],
    ['one of two', 'signature-missing', (d, ref) => [signed(key(d, 0), 'domain-moved', ref)]],
    ['two signatures by one key', 'signature-missing', (d, ref) => [signed(key(d, 0), 'domain-moved', ref), resigned(key(d, 0), 'domain-moved', ref, 'another nonce')]],
    ['one and a stranger\'s', 'signature-missing', (d, ref) => [signed(key(d, 0), 'domain-moved', ref), signed(stranger, 'domain-moved', ref)]],
    ['one and garbage in the name of another', 'signature-missing', (d, ref) => [signed(key(d, 0), 'domain-moved', ref), garbage(key(d, 1), 'domain-moved', ref)]],
    ['two that were made for the root entry', 'signature-missing', (d) => [0, 1].map((i) => signed(key(d, i), 'domain-moved', d.entry))],
    ['two', 'accepted', (d, ref) => [0, 2].map((i) => signed(key(d, i), 'domain-moved', ref))],
    ['all three', 'accepted', (d, ref) => [0, 1, 2].map((i) => signed(key(d, i), 'domain-moved', ref))]
  ]
  const purposes: Purpose[] = ['root-entry', 'manifest', 'drill']
  const all = [...rows, ...purposes.map((p): typeof rows[number] => [`two, made for ${p}`, 'signature-missing', (d, ref) => [0, 1].map((i) => signed(key(d, i), p, ref))])]
  return all.map(([name, gives, signatures]) => {
    const d = two()
    const { ref } = moveOf(d, { signers: [] })
    d.items.push(...signatures(d, ref))
    return { about: 'signature-missing', gives, name: `a move, threshold 2 of 3: ${name}`, rule: 'T1', held: heldOf(d), subject: { reference: ref } }
  })
}

function standing (): Case[] {
  const retired = (after: (d: TestDomain) => void) => (d: TestDomain): Reference => {
    const { ref } = moveOf(d)
    after(d)
    return ref
  }
  return [
    moveCase('roots-retired', 'roots-retired', 'a rotation replaced the roots that signed it', retired((d) => { d.rotate() })),
    moveCase('roots-retired', 'roots-retired', 'a rotation and renewals after it', retired((d) => { d.rotate(); d.renew() })),
    moveCase('roots-retired', 'roots-retired', 'signed by retired roots after the rotation', (d) => { const before = d.entry; d.rotate(); return moveOf(d, { under: before }).ref }),
    moveCase('roots-retired', 'signature-missing', 'retired roots name the entry of those that came', (d) => { const old = d.roots().keys; d.rotate(); return moveOf(d, { signers: old }).ref }),
    moveCase('roots-retired', 'roots-retired', 'a later rotation brings the same roots back', retired(backAgain)),
    moveCase('roots-retired', 'accepted', 'signed anew by roots that a later rotation brought back', (d) => { const old = d.roots().keys; backAgain(d); return moveOf(d, { signers: old }).ref }),
    moveCase('roots-retired', 'accepted', 'a renewal keeps the roots', retired((d) => { d.renew() })),
    moveCase('roots-retired', 'accepted', 'signed by the roots that a rotation brought', (d) => { d.rotate(); return moveOf(d).ref }),
    moveCase('root-orphaned', 'root-orphaned', 'its entry is a renewal that lost against a rotation', (d) => { const start = d.entry; d.renew({ after: start }); const { ref } = moveOf(d); d.rotate({ after: start }); return ref }),
    moveCase('root-orphaned', 'accepted', 'its entry is a rotation that won', (d) => { const start = d.entry; d.renew({ after: start }); d.rotate({ after: start }); return moveOf(d).ref }),
    moveCase('root-forked', 'accepted', 'two renewals fork the root chain after its entry', retired((d) => { const start = d.entry; d.renew({ after: start }); d.renew({ after: start }) })),
    moveCase('root-forked', 'accepted', 'its entry is on a branch of two renewals', (d) => { const start = d.entry; d.renew({ after: start }); d.renew({ after: start }); return moveOf(d).ref }),
    moveCase('root-forked', 'root-forked', 'two rotations from one commitment, signed by the roots before them', retired(twice)),
    moveCase('root-forked', 'root-forked', 'two rotations from one commitment, signed by the roots of one', (d) => { twice(d); return moveOf(d).ref })
  ]
}

/** Two rotations: the second one opens a commitment to the set before both. */
function backAgain (d: TestDomain): void {
  const old = d.roots()
  const [set, salt] = [rootSetCodec.reference(rootSetOf(old)), digestFrom('salt of the way back')]
  d.rotate({ entry: { next_commitment: rootCommitment(salt, set) } })
  d.rotate({ entry: { root_set: set, salt }, certificate: { issued_by: (old.keys[0] as TestKey).publicKey }, signers: old.keys })
}

function twice (d: TestDomain): void {
  const start = d.entry
  d.rotate({ after: start })
  d.rotate({ after: d.renew({ after: start }).ref })
}

/** M8: nothing of a view rests on one, and what stands beside it is judged as before. */
function nothingElse (): Case[] {
  const d = two()
  const { ref } = moveOf(d)
  const other = moveOf(d, { to: 'a third domain' })
  return [
    { about: 'accepted', gives: 'accepted', name: 'a domain that moved goes on as it was', rule: 'M8', held: heldOf(d), subject: { domain: true } },
    { about: 'accepted', gives: 'accepted', name: 'the manifest of a domain that moved', rule: 'M8', held: heldOf(d), subject: { reference: d.tip } },
    ...[ref, other.ref].map((reference): Case => ({ about: 'accepted', gives: 'accepted', name: `one of two moves to different domains: ${reference === ref ? 'the first' : 'the second'}`, rule: 'M8', held: heldOf(d), subject: { reference } }))
  ]
}

function offered (): Case[] {
  const d = two()
  const mine = moveOf(d).items[0] as Item
  const foreign = moveOf(makeDomain({ seed: 'vectors other moves' })).items[0] as Item
  const offer = (name: string, gives: VerdictCode, item: Item): Case => {
    const items = [...d.items.filter((i) => i.ref !== item.ref), item]
    return { about: 'other-domain', gives, name, held: { domain: d.domain, items }, subject: { offer: items.length - 1 } }
  }
  return [offer('a move of another domain is offered', 'other-domain', foreign), offer('a move of this domain is offered', 'accepted', mine)]
}

export function moveCases (): Case[] {
  return [
    ...thresholds(),
    ...standing(),
    ...nothingElse(),
    ...offered(),
    moveCase('root-entry-missing', 'root-entry-missing', 'a move whose root entry nobody holds', move(() => ({ fields: { root_entry: refFrom('unknown') } }))),
    moveCase('root-entry-missing', 'accepted', 'a move whose root entry is held', move()),
    moveCase('root-entry-rejected', 'root-entry-rejected', 'its root entry is a renewal that changed the commitment', (d) => { d.renew({ entry: { next_commitment: digestFrom('thief') } }); return moveOf(d).ref }),
    moveCase('root-entry-rejected', 'accepted', 'its root entry is a good renewal', (d) => { d.renew(); return moveOf(d).ref }),
    moveCase('root-entry-deferred', 'root-entry-deferred', 'its root entry is a renewal that nobody signed', (d) => { d.renew({ signers: [] }); return moveOf(d).ref }),
    moveCase('wrong-type', 'wrong-type', 'its root entry is a manifest', move((d) => ({ fields: { root_entry: d.tip } })))
  ]
}
