import { describe, expect, it } from 'vitest'
import { AuthorityObjects } from '../../src/authority/authority-store.js'
import type { HeldObjects } from '../../src/authority/held-objects.js'
import { resolveRootChain, type RootChain, verdictOfEntry } from '../../src/authority/root-chain.js'
import { type Hash, type Reference } from '../../src/substrate/reference.js'
import { TAG } from '../../src/substrate/type-tags.js'
import { digestFrom, type DomainOptions, type EntryOptions, type Item, itemOf, makeDomain, refFrom, signed, type TestDomain, testKey } from '../helpers/authority-fixtures.js'

const chainOf = (d: TestDomain, items?: readonly Item[], pin?: Reference): RootChain => resolveRootChain(d.objects(items), d.domain, pin)
const codeOf = (d: TestDomain, ref: Reference): string => verdictOfEntry(chainOf(d), ref).code
const without = (d: TestDomain, drop: (i: Item) => boolean): Item[] => d.items.filter((i) => !drop(i))
const two = (options: DomainOptions = {}): TestDomain => makeDomain({ roots: 3, threshold: 2, ...options })

describe('T1: thresholds count distinct keys of the set', () => {
  const genesisWith = (signatures: (d: TestDomain) => Item[]): { state: string, code: string } => {
    const d = two({ signers: 0, manifest: false })
    const chain = chainOf(d, [...d.items, ...signatures(d)])
    return { state: chain.state, code: verdictOfEntry(chain, d.domain).code }
  }
  const root = (d: TestDomain, i: number): Item => signed(d.roots().keys[i] as never, 'root-entry', d.domain)

  it.each<[string, (d: TestDomain) => Item[], boolean]>([
    ['none', () => [], false],
    ['one', (d) => [root(d, 0)], false],
    ['the same one twice', (d) => [root(d, 0), root(d, 0)], false],
    ['one and a stranger\'s', (d) => [root(d, 0), signed(testKey('stranger'), 'root-entry', d.domain)], false],
    ['two, one of them for another purpose', (d) => [root(d, 0), signed(d.roots().keys[1] as never, 'manifest', d.domain)], false],
    ['two, one of them over another target', (d) => [root(d, 0), signed(d.roots().keys[1] as never, 'root-entry', refFrom('other'))], false],
    ['two', (d) => [root(d, 0), root(d, 2)], true],
    ['all three', (d) => [root(d, 0), root(d, 1), root(d, 2)], true]
  ])('%s', (_what, signatures, enough) => {
    expect(genesisWith(signatures)).toEqual(enough ? { state: 'ok', code: 'accepted' } : { state: 'deferred', code: 'signature-missing' })
  })

  it('a garbage signature is refused alone and says nothing about its target', () => {
    const d = makeDomain()
    const objects = d.objects()
    const good = signed(d.roots().keys[0] as never, 'root-entry', refFrom('x'))
    const payload = good.artifact.payload.slice()
    // The signature field is the only byte string of 64 bytes (head 58 40).
    const at = payload.findIndex((byte, i) => byte === 0x58 && payload[i + 1] === 64) + 10
    payload[at] = (payload[at] as number) ^ 1
    const bad = { typeTag: TAG.signature, payload }
    expect(objects.add(refFrom('wrong'), bad)).toMatchObject({ status: 'rejected', code: 'reference-mismatch' })
    const held = objects.revision
    expect(objects.add(itemOf(bad).ref, bad)).toMatchObject({ status: 'rejected', code: 'bad-signature' })
    expect(objects.revision).toBe(held)
    expect(resolveRootChain(objects, d.domain).state).toBe('ok')
  })
})

describe('M5: genesis', () => {
  it.each<[string, DomainOptions, string]>([
    ['good', {}, 'accepted'],
    ['a certificate with a domain', { certificate: { domain_id: refFrom('d') } }, 'certificate-mismatch'],
    ['a certificate of another epoch', { certificate: { version: 1 } }, 'certificate-mismatch'],
    ['a certificate issued by a stranger', { certificate: { issued_by: testKey('stranger').publicKey } }, 'certificate-mismatch'],
    ['a principal\'s certificate', { certificate: { subject_type: 'principal' } }, 'certificate-mismatch']
  ])('%s', (_what, options, code) => {
    const d = makeDomain({ ...options, manifest: false })
    // Certificates that name a domain are turned away by a set that is bound to another, so this set is bound to none.
    const objects = unbound(d.items)
    const chain = resolveRootChain(objects, d.domain)
    expect(verdictOfEntry(chain, d.domain).code).toBe(code)
    expect(chain.entries.length).toBe(code === 'accepted' ? 1 : 0)
  })

  it('nothing held: the domain itself is missing', () => {
    expect(chainOf(makeDomain(), [])).toMatchObject({ state: 'deferred', missing: [makeDomain().domain] })
  })
})

describe('M5: renew and rotate', () => {
  type Make = (d: TestDomain) => Reference
  const stranger = testKey('stranger')
  const renew = (options: (d: TestDomain) => EntryOptions): Make => (d) => d.renew(options(d)).ref
  const rotate = (options: (d: TestDomain) => EntryOptions): Make => (d) => d.rotate(options(d)).ref

  it.each<[string, string, Make]>([
    ['renew', 'accepted', renew(() => ({}))],
    ['renew by two of three', 'accepted', renew((d) => ({ signers: d.roots().keys.slice(1) }))],
    ['renew by one of three', 'signature-missing', renew((d) => ({ signers: d.roots().keys.slice(1, 2) }))],
    ['renew by strangers', 'signature-missing', renew(() => ({ signers: [stranger] }))],
    ['renew that changes the commitment', 'renew-changed', renew(() => ({ entry: { next_commitment: digestFrom('thief') } }))],
    ['renew with a salt', 'renew-changed', renew(() => ({ entry: { salt: digestFrom('salt') } }))],
    ['renew that skips an epoch', 'epoch-gap', renew(() => ({ entry: { epoch: 2 } }))],
    ['renew whose certificate is of another epoch', 'certificate-mismatch', renew(() => ({ certificate: { version: 0 } }))],
    ['renew after something unknown', 'root-entry-missing', renew(() => ({ entry: { previous: refFrom('unknown') } }))],
    ['renew after something that is no entry', 'wrong-type', renew((d) => ({ entry: { previous: d.tip } }))],
    ['rotate by the new set alone', 'accepted', rotate(() => ({}))],
    ['rotate by two of the new three', 'accepted', rotate((d) => ({ signers: d.nextRoots().keys.slice(0, 2) }))],
    ['rotate signed by the old set', 'signature-missing', rotate((d) => ({ signers: d.roots().keys }))],
    ['rotate with another salt', 'commitment-mismatch', rotate(() => ({ entry: { salt: digestFrom('salt') } }))],
    ['rotate that commits to what was opened', 'commitment-reused', (d) => d.rotate({ entry: { next_commitment: commitmentOf(d) } }).ref]
  ])('%s: %s', (_what, code, make) => {
    const d = two()
    expect(codeOf(d, make(d))).toBe(code)
  })

  it('lost live roots are survivable: the committed set goes on, by itself and again', () => {
    const d = two()
    d.rotate()
    d.renew()
    d.rotate()
    const chain = chainOf(d)
    expect(chain.entries.map((e) => e.kind)).toEqual(['genesis', 'rotate', 'renew', 'rotate'])
    expect(chain.entries.map((e) => e.entry.epoch)).toEqual([0, 1, 2, 3])
  })

  it('a commitment of long ago can\'t come back', () => {
    const d = two()
    const first = commitmentOf(d)
    d.rotate()
    const { ref } = d.rotate({ entry: { next_commitment: first } })
    expect(codeOf(d, ref)).toBe('commitment-reused')
  })

  it('asks for the set of a rotate only when it opens the commitment, and for a certificate only under enough signatures', () => {
    const d = two()
    const { ref } = d.rotate()
    const { entry } = chainOf(d).entries[1] as { entry: { root_set: Reference, certificate: Reference } }
    expect(chainOf(d, without(d, (i) => i.ref === entry.root_set)).missing).toEqual([entry.root_set])
    expect(chainOf(d, without(d, (i) => i.ref === entry.certificate)).missing).toEqual([entry.certificate])
    const unsigned = chainOf(d, without(d, (i) => i.ref === entry.certificate || signsEntry(i, d, ref)))
    expect([unsigned.missing, unsigned.unsigned]).toEqual([[], [ref]])
    const junk = two()
    junk.rotate({ entry: { root_set: refFrom('never seen') } })
    expect(chainOf(junk).missing).toEqual([])
  })
})

describe('M6: branches', () => {
  it('a thief of live roots renews, the owner rotates: the rotate wins wherever the thief stands, and whatever comes first', () => {
    const d = two()
    const start = d.entry
    d.renew({ after: start })
    for (let i = 0; i < 3; i++) d.renew()
    const thief = d.entry
    const owner = d.rotate({ after: start }).ref
    for (const items of [d.items, [...d.items].reverse()]) {
      const chain = chainOf(d, items)
      expect(chain.state).toBe('ok')
      expect(chain.entries.at(-1)?.ref).toBe(owner)
      expect(verdictOfEntry(chain, thief).code).toBe('root-orphaned')
    }
  })

  it('a rotate further down its branch settles too', () => {
    const d = two()
    const start = d.entry
    const honest = d.renew({ after: start }).ref
    const thief = d.renew({ after: start }).ref
    expect(chainOf(d)).toMatchObject({ state: 'root-forked', forkChildren: [honest, thief].sort() })
    const settled = d.rotate({ after: honest }).ref
    expect(chainOf(d)).toMatchObject({ state: 'ok' })
    expect(chainOf(d).entries.map((e) => e.ref)).toEqual([start, honest, settled])
    expect(codeOf(d, thief)).toBe('root-orphaned')
  })

  it('retired roots can only renew, and that loses', () => {
    const d = two()
    const start = d.entry
    d.rotate()
    d.rotate()
    const tip = d.entry
    d.renew({ after: start })
    d.renew()
    expect(chainOf(d).entries.at(-1)?.ref).toBe(tip)
  })

  it('two rotates from one commitment never settle, also where one lies deeper; a later rotate of one of them doesn\'t help', () => {
    const d = two()
    const start = d.entry
    const one = d.rotate({ after: start }).ref
    const other = d.rotate({ after: d.renew({ after: start }).ref }).ref
    d.rotate({ after: other })
    const chain = chainOf(d)
    expect(chain.state).toBe('root-forked')
    expect(chain.entries.map((e) => e.ref)).toEqual([start])
    expect(verdictOfEntry(chain, one).code).toBe('root-forked')
    expect(verdictOfEntry(chain, other).code).toBe('root-forked')
  })

  it('a pin chooses where the rule can\'t and only there', () => {
    const d = two()
    const start = d.entry
    const one = d.renew({ after: start }).ref
    const other = d.renew({ after: start }).ref
    const below = d.renew({ after: other }).ref
    const pinned = chainOf(d, d.items, below)
    expect(pinned).toMatchObject({ state: 'ok', pinned: true })
    expect(pinned.entries.map((e) => e.ref)).toEqual([start, other, below])
    expect(chainOf(d, d.items, refFrom('unknown')).state).toBe('root-forked')
    d.rotate({ after: one })
    const settled = chainOf(d, d.items, below)
    expect(settled.pinned).toBe(false)
    expect(settled.entries[1]?.ref).toBe(one)
  })

  it('an entry without enough signatures makes no branch', () => {
    const d = two()
    const start = d.entry
    const one = d.renew({ after: start }).ref
    d.renew({ after: start, signers: [] })
    expect(chainOf(d).entries.at(-1)?.ref).toBe(one)
  })
})

function commitmentOf (d: TestDomain): Hash {
  return (chainOf(d).entries.at(-1) as { entry: { next_commitment: Hash } }).entry.next_commitment
}

function signsEntry (item: Item, d: TestDomain, entry: Reference): boolean {
  return d.nextRoots(d.domain).keys.some((k) => signed(k, 'root-entry', entry).ref === item.ref)
}

function unbound (items: readonly Item[]): HeldObjects {
  const objects = new AuthorityObjects()
  for (const i of items) objects.add(i.ref, i.artifact)
  return objects
}
