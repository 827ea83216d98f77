import * as ed from '@noble/ed25519'
import { sha512 } from '@noble/hashes/sha2.js'
import { describe, expect, it } from 'vitest'
import { AuthorityObjects } from '../../src/authority/authority-store.js'
import { cutListCodec } from '../../src/authority/cut-list.js'
import { defaultPolicy, policyHash } from '../../src/authority/policy.js'
import { concatBytes, fromHex, toHex, utf8 } from '../../src/substrate/bytes.js'
import { NONE, type Reference, referenceOfHash } from '../../src/substrate/reference.js'
import { signatureCodec, signedMessage } from '../../src/substrate/signature.js'
import { digestFrom, holding, type Item, itemOf, makeDomain, refFrom, signed, type TestDomain, testKey } from '../helpers/authority-fixtures.js'

const [ann, bob, eve] = [testKey('ann'), testKey('bob'), testKey('eve')]
const codeOf = (d: TestDomain, ref: Reference): string => d.authority().verdictOf(ref).code
const cut = (lane: string, ends = true): { lane: Reference, snapshot: Reference, ends: boolean } => ({ lane: refFrom(`lane ${lane}`), snapshot: refFrom(`head ${lane}`), ends })

describe('M1, M3, M4, M7, M9: one manifest', () => {
  type Make = (d: TestDomain) => Reference
  const both = [{ key: ann }, { key: bob, roles: ['publish', 'produce'], prefixes: ['docs', 'src'], programs: [refFrom('p')] }] as const
  const [a, b] = both

  it.each<[string, string, Make]>([
    ['a successor', 'accepted', (d) => d.manifest().ref],
    ['nobody signed', 'signature-missing', (d) => d.manifest({ signer: false }).ref],
    ['a principal signed', 'signature-missing', (d) => d.manifest({ signer: ann }).ref],
    ['an offline root signed', 'signature-missing', (d) => d.manifest({ signer: d.roots().keys[0] as typeof ann }).ref],
    ['another root_key', 'root-key-mismatch', (d) => d.manifest({ fields: { root_key: eve.publicKey }, signer: eve }).ref],
    ['another policy', 'policy-mismatch', (d) => d.manifest({ fields: { policy_hash: digestFrom('policy') } }).ref],
    ['a version too far', 'version-gap', (d) => d.manifest({ fields: { version: 3 } }).ref],
    ['a version too low', 'version-gap', (d) => { d.manifest(); return d.manifest({ fields: { version: 2 } }).ref }],
    ['an unknown previous', 'manifest-missing', (d) => d.manifest({ fields: { previous: refFrom('unknown') } }).ref],
    ['a previous that is no manifest', 'wrong-type', (d) => d.manifest({ fields: { previous: d.domain } }).ref],
    ['an unknown root entry', 'root-entry-missing', (d) => d.manifest({ fields: { root_entry: refFrom('unknown') } }).ref],
    ['a root entry that is none', 'wrong-type', (d) => d.manifest({ fields: { root_entry: d.tip } }).ref],
    ['an offline root as principal', 'root-key-reused', (d) => d.manifest({ principals: [...both, { key: d.roots().keys[0] as typeof ann }] }).ref],
    ['it follows a rejected one', 'previous-rejected', (d) => { d.manifest({ principals: [a] }); return d.manifest().ref }],
    ['it follows an unsigned one', 'previous-deferred', (d) => { d.manifest({ signer: false }); return d.manifest().ref }],
    ['a new principal', 'accepted', (d) => d.manifest({ principals: [...both, { key: eve }] }).ref],
    ['one is dropped', 'reduction-without-cut', (d) => d.manifest({ principals: [a] }).ref],
    ['one is dropped and closed', 'accepted', (d) => d.manifest({ principals: [a], closed: [bob] }).ref],
    ['one is dropped and another closed', 'reduction-without-cut', (d) => d.manifest({ principals: [a], closed: [ann] }).ref],
    ['one loses a role', 'reduction-without-cut', (d) => d.manifest({ principals: [a, { ...b, roles: ['publish'] }] }).ref],
    ['one loses a role and is closed', 'accepted', (d) => d.manifest({ principals: [a, { ...b, roles: ['publish'] }], closed: [bob] }).ref],
    ['one gets a role', 'accepted', (d) => d.manifest({ principals: [a, { ...b, roles: ['publish', 'produce', 'audit'] }] }).ref],
    ['a prefix is narrowed', 'reduction-without-cut', (d) => d.manifest({ principals: [a, { ...b, prefixes: ['docs', 'src/lib'] }] }).ref],
    ['a prefix is replaced by a sibling with the same start', 'reduction-without-cut', (d) => d.manifest({ principals: [a, { ...b, prefixes: ['docs2', 'src'] }] }).ref],
    ['prefixes are widened to all', 'accepted', (d) => d.manifest({ principals: [a, { ...b, prefixes: [''] }] }).ref],
    ['a program is taken', 'reduction-without-cut', (d) => d.manifest({ principals: [a, { ...b, programs: [] }] }).ref],
    ['any program instead of one', 'accepted', (d) => d.manifest({ principals: [a, { ...b, programs: [NONE] }] }).ref],
    ['one program instead of any', 'reduction-without-cut', (d) => d.manifest({ principals: [{ ...a, programs: [refFrom('p')] }, b] }).ref],
    ['one closed without losing anything', 'accepted', (d) => d.manifest({ closed: [bob] }).ref],
    ['one comes back', 'principal-returns', (d) => {
      d.manifest({ principals: [a], closed: [bob] })
      d.manifest()
      return d.manifest({ principals: both }).ref
    }],
    ['cuts over three lists', 'accepted', (d) => d.manifest({ cuts: ['1', '2', '3', '4', '5'].map((n) => cut(n)), chunk: 2 }).ref],
    ['a cut list that is none', 'wrong-type', (d) => d.manifest({ fields: { cuts: d.domain } }).ref],
    ['an unknown cut list', 'cut-list-missing', (d) => d.manifest({ fields: { cuts: refFrom('cuts') } }).ref],
    ['lists that don\'t ascend', 'cuts-unsorted', (d) => d.manifest({ fields: { cuts: lists(d, 1, 0) } }).ref],
    ['the same lane in two lists', 'cuts-unsorted', (d) => d.manifest({ fields: { cuts: lists(d, 0, 0) } }).ref]
  ])('%s: %s', (_what, code, make) => {
    const d = makeDomain({ seed: 'one', principals: both })
    const first = d.tip
    const ref = make(d)
    const authority = d.authority()
    expect(authority.verdictOf(ref).code).toBe(code)
    expect(authority.position.has(ref)).toBe(code === 'accepted')
    expect(authority.verdictOf(first).code).toBe('accepted')
    if (authority.verdictOf(ref).status !== 'accepted') expect(authority.verdictOf(ref).checks.at(-1)?.ok).toBe(false)
  })

  /** Two chained lists with one lane each; which of two ordered lanes stands first and second. */
  function lists (d: TestDomain, ...order: [number, number]): Reference {
    const lanes = [refFrom('x'), refFrom('y')].sort()
    const of = (i: number, next: Reference): Reference => {
      const item = itemOf(cutListCodec.artifact({ cuts: [{ lane: lanes[i] as Reference, snapshot: refFrom('head'), ends: true }], next }))
      d.items.push(item)
      return item.ref
    }
    return of(order[0], of(order[1], NONE))
  }

  it('M9: a policy that switches a rule off rejects its manifests; B5: one of a later version only defers them', () => {
    for (const [policy, code, status] of [
      [{ ...defaultPolicy, visibility_policy: { internal_hidden: false, published_read_only: true } }, 'policy-unsupported', 'rejected'],
      [{ ...defaultPolicy, version: 2 }, 'needs-upgrade', 'deferred']
    ] as const) {
      const d = makeDomain({ policy })
      const authority = d.authority()
      expect(authority.verdictOf(d.tip)).toMatchObject({ code, status })
      expect(authority.verdictOf(referenceOfHash(policyHash(policy)))).toMatchObject({ code })
      expect(authority.policyOf(d.tip)).toBeUndefined()
      expect(authority).toMatchObject({ state: 'deferred', reason: 'manifest-missing' })
    }
  })

  it('flattens the cuts of all lists, ascending by lane', () => {
    const d = makeDomain()
    const cuts = ['1', '2', '3', '4', '5'].map((n, i) => cut(n, i % 2 === 0))
    d.manifest({ cuts, chunk: 2 })
    const held = d.authority().onChain[1]?.cuts
    expect([...(held?.values() ?? [])]).toEqual([...cuts].sort((a, b) => a.lane < b.lane ? -1 : 1))
  })

  it('lists all that a signed manifest lacks at once, and nothing of an unsigned one', () => {
    const d = makeDomain()
    const { ref } = d.manifest({ fields: { previous: refFrom('previous'), cuts: refFrom('cuts') } })
    expect(d.authority().missing).toEqual([refFrom('previous'), refFrom('cuts')])
    const unsigned = makeDomain()
    const waiting = unsigned.manifest({ signer: false, fields: { previous: refFrom('previous') } }).ref
    expect(unsigned.authority()).toMatchObject({ missing: [], unsigned: [waiting] })
    expect(codeOf(d, ref)).toBe('manifest-missing')
  })
})

describe('the state', () => {
  it('nothing held: unknown-domain, and the DomainID is missing', () => {
    const d = makeDomain()
    const authority = d.authority([])
    expect(authority).toMatchObject({ state: 'deferred', reason: 'unknown-domain', epoch: -1, tip: undefined, missing: [d.domain] })
    expect(authority.verdictOf(d.domain)).toMatchObject({ code: 'unknown-domain', missing: [d.domain] })
    expect(authority.verdictOf(d.tip)).toMatchObject({ code: 'manifest-missing', missing: [d.tip] })
  })

  it('a skipped version waits for the gap; an old manifest served again changes nothing', () => {
    const d = makeDomain()
    const second = d.manifest()
    const third = d.manifest()
    const gap = d.items.filter((i) => !second.items.includes(i))
    expect(d.authority(gap).tip).not.toBe(third.ref)
    expect(d.authority(gap).verdictOf(third.ref)).toMatchObject({ status: 'deferred', missing: [second.ref] })
    const objects = d.objects([...gap, ...second.items])
    expect(d.authority([...gap, ...second.items]).tip).toBe(third.ref)
    const { revision } = objects
    for (const i of d.items) expect(objects.add(i.ref, i.artifact)).toBe('known')
    expect(objects.revision).toBe(revision)
  })

  it('prints epoch and manifest', () => {
    const d = makeDomain()
    d.renew()
    const { ref } = d.manifest()
    expect(d.authority().stateText).toBe(`epoch 1, manifest 2 (${ref})`)
  })

  it('gives every held object a verdict', () => {
    const d = makeDomain()
    d.manifest({ cuts: [cut('1')] })
    const objects = d.objects()
    for (const map of [objects.rootSets, objects.certificates, objects.rootEntries, objects.policies, objects.manifests, objects.cutLists]) {
      expect([...map.keys()].map((ref) => d.authority().verdictOf(ref).code)).toEqual([...map.keys()].map(() => 'accepted'))
    }
    const stray = itemOf(cutListCodec.artifact({ cuts: [cut('stray')], next: NONE }))
    expect(d.authority([...d.items, stray]).verdictOf(stray.ref).code).toBe('unreferenced')
  })

  it('an object takes the best standing among those that name it', () => {
    const d = makeDomain()
    const first = d.tip
    const orphan = d.manifest({ cuts: [cut('1')] }).ref
    d.renew({ base: first })
    d.manifest({ after: first })
    const list = cutListCodec.reference({ cuts: [cut('1')], next: NONE })
    expect([orphan, list].map((ref) => codeOf(d, ref))).toEqual(['orphaned', 'orphaned'])
    d.manifest({ cuts: [cut('1')] })
    expect([orphan, list].map((ref) => codeOf(d, ref))).toEqual(['orphaned', 'accepted'])
  })

  it('of several signatures by one key over one target every node keeps the same', () => {
    const d = makeDomain()
    const target = d.tip
    const many = ['1', '2', '3', '4'].map((nonce) => resigned(d, target, nonce))
    expect(new Set(many.map((i) => i.ref)).size).toBe(4)
    const best = [...many.map((i) => i.ref), signed(d.rootKey(), 'manifest', target).ref].sort()[0]
    for (const more of [many, [...many].reverse()]) {
      const objects = d.objects([...d.items, ...more])
      expect(objects.signature(target, 'manifest', d.rootKey().publicKey)).toBe(best)
      expect(objects.relevant(d.domain)).toContain(best)
      expect(many.filter((i) => i.ref !== best && objects.has(i.ref))).toEqual([])
    }
  })

  it('turns objects of another domain away, and holds them apart when bound to none', () => {
    const [mine, other] = [makeDomain({ seed: 'mine' }), makeDomain({ seed: 'other' })]
    const objects = mine.objects()
    const { artifact } = other.items.find((i) => i.ref === other.tip) as { artifact: Parameters<typeof objects.add>[1] }
    expect(objects.add(other.tip, artifact)).toMatchObject({ status: 'informational', code: 'other-domain' })
    const all = new AuthorityObjects()
    for (const i of [...mine.items, ...other.items]) all.add(i.ref, i.artifact)
    expect(all.relevant(mine.domain)).toEqual(mine.objects().relevant(mine.domain))
  })

  it('an authority signature for another purpose or type is not kept', () => {
    const d = makeDomain()
    const objects = d.objects()
    const head = signed(ann, 'snapshot', refFrom('head'))
    expect(objects.add(head.ref, head.artifact)).toMatchObject({ status: 'informational', code: 'not-authority' })
    const manifest = d.objects().artifact(d.tip) as { payload: Uint8Array }
    const broken = itemOf({ typeTag: 0x0d1a0005, payload: manifest.payload.slice(1) })
    expect(objects.add(broken.ref, broken.artifact)).toMatchObject({ status: 'rejected', code: 'malformed' })
  })
})

describe('M7: bases', () => {
  it('a new epoch goes on from its base; what follows the base in the old epoch is orphaned', () => {
    const d = makeDomain()
    const base = d.manifest().ref
    const lost = d.manifest().ref
    const further = d.manifest().ref
    d.renew({ base })
    expect(d.authority().onChain.map((m) => m.ref).at(-1)).toBe(base)
    const next = d.manifest({ after: base }).ref
    const authority = d.authority()
    expect(authority).toMatchObject({ state: 'ok', epoch: 1, tip: next })
    expect([lost, further].map((r) => authority.verdictOf(r).code)).toEqual(['orphaned', 'orphaned'])
    // The stolen key of the old epoch may sign on; it counts for nothing.
    const thief = d.manifest({ after: base, under: d.domain }).ref
    expect(codeOf(d, thief)).toBe('orphaned')
    expect(d.authority().tip).toBe(next)
  })

  it('a base may go back behind earlier bases', () => {
    const d = makeDomain()
    const first = d.tip
    const second = d.manifest().ref
    d.renew({ base: second })
    const third = d.manifest({ after: second }).ref
    d.renew({ base: first })
    const instead = d.manifest({ after: first }).ref
    const authority = d.authority()
    expect(authority.onChain.map((m) => m.ref)).toEqual([first, instead])
    expect([second, third].map((r) => authority.verdictOf(r).code)).toEqual(['orphaned', 'orphaned'])
  })

  it('a manifest stands in its own epoch or follows the base, nothing else', () => {
    const d = makeDomain()
    const first = d.tip
    const second = d.manifest().ref
    d.renew({ base: first })
    expect(codeOf(d, d.manifest({ after: second }).ref)).toBe('previous-out-of-place')
    expect(codeOf(d, d.manifest({ after: NONE, principals: [{ key: ann }] }).ref)).toBe('previous-out-of-place')
    // Back into the old epoch from a manifest of the new one.
    const inNew = d.manifest({ after: first }).ref
    expect(codeOf(d, d.manifest({ after: inNew, under: d.domain }).ref)).toBe('previous-out-of-place')
  })

  it('until the base is known authority waits; an invalid base waits for the next root entry', () => {
    const d = makeDomain()
    const base = d.manifest()
    d.renew()
    const without = d.items.filter((i) => !base.items.includes(i))
    expect(d.authority(without)).toMatchObject({ state: 'deferred', reason: 'base-missing', missing: [base.ref], onChain: [] })
    const bad = makeDomain({ seed: 'bad', principals: [{ key: ann }, { key: bob }] })
    const good = bad.tip
    bad.manifest({ principals: [{ key: ann }] })
    bad.renew()
    expect(bad.authority()).toMatchObject({ state: 'deferred', reason: 'base-invalid' })
    expect(codeOf(bad, good)).toBe('base-invalid')
    bad.renew({ base: good })
    expect(bad.authority()).toMatchObject({ state: 'ok', tip: good, epoch: 2 })
  })

  it('a base lies on the way to its own root entry, not on a branch that lost', () => {
    const d = makeDomain()
    const start = d.entry
    const first = d.tip
    d.renew({ after: start })
    const astray = d.manifest({ after: first }).ref
    d.rotate({ after: start, base: astray })
    expect(codeOf(d, d.manifest({ after: astray }).ref)).toBe('previous-out-of-place')
    expect(d.authority()).toMatchObject({ state: 'deferred', reason: 'base-invalid', epoch: 1 })
  })

  it('an offline key may not be certified as root_key', () => {
    const root = testKey('doubled/root/0/0')
    const d = makeDomain({ seed: 'doubled', manifest: false, certificate: { subject_pubkey: root.publicKey, subject_id: root.id } })
    const { ref } = d.manifest({ principals: [{ key: ann }], fields: { root_key: root.publicKey }, signer: root })
    expect(codeOf(d, ref)).toBe('root-key-reused')
  })

  it('offline keys of every root set on the way may not be principals', () => {
    const d = makeDomain()
    const old = d.roots().keys[0] as typeof ann
    d.rotate()
    const { ref } = d.manifest({ principals: [...d.principals(), { key: old }] })
    expect(codeOf(d, ref)).toBe('root-key-reused')
  })

  it('loss of all hot keys: the roots certify a new key, followers go on', () => {
    const d = makeDomain({ principals: [{ key: ann }] })
    d.renew()
    const { ref } = d.manifest({ principals: [{ key: bob }], closed: [ann] })
    expect(d.authority()).toMatchObject({ state: 'ok', tip: ref, epoch: 1 })
  })
})

describe('M7: an authority fork', () => {
  const forked = (): { d: TestDomain, common: Reference, one: Reference, other: Reference, below: Reference } => {
    const d = makeDomain({ principals: [{ key: ann }, { key: bob }] })
    const common = d.tip
    const one = d.manifest({ after: common, closed: [bob], cuts: [cut('bob')] }).ref
    const other = d.manifest({ after: common, cuts: [cut('x', false), cut('y')] }).ref
    const below = d.manifest({ after: other, closed: [ann] }).ref
    return { d, common, one, other, below }
  }

  it('stops before the children; what either branch ends or closes is named, not what it seals', () => {
    const { d, common, one, other, below } = forked()
    const authority = d.authority()
    expect(authority).toMatchObject({ state: 'authority-forked', tip: common, forkChildren: [one, other].sort() })
    const branches = [one, other].sort().map((r) => `manifest ${authority.judged.get(r)?.manifest.version ?? '?'} (${r.slice(0, 16)}…)`)
    expect(authority.stateText).toContain(`, authority-forked between ${branches.join(' and ')}, until the roots say from which manifest to go on: diad root renew --base`)
    expect([one, other, below].map((r) => authority.verdictOf(r).code)).toEqual(['authority-forked', 'authority-forked', 'authority-forked'])
    expect(authority.forked.cutLanes).toEqual(new Set([cut('bob').lane, cut('y').lane]))
    expect(authority.forked.closedPrincipals).toEqual(new Set([ann.id, bob.id]))
    expect(authority.verdictOf(common).code).toBe('accepted')
  })

  it('a root entry with a base settles it, and a thief who forks again changes nothing', () => {
    const { d, common, one, other, below } = forked()
    d.renew({ base: one })
    for (let i = 0; i < 3; i++) d.manifest({ after: common, under: d.domain, cuts: [cut(`thief ${i}`)] })
    d.manifest({ after: one, under: d.domain })
    const authority = d.authority()
    expect(authority).toMatchObject({ state: 'ok', epoch: 1, tip: one })
    expect([other, below].map((r) => authority.verdictOf(r).code)).toEqual(['orphaned', 'orphaned'])
    expect(authority.forked.cutLanes.size + authority.forked.closedPrincipals.size).toBe(0)
  })

  it('two first manifests fork before anything', () => {
    const d = makeDomain({ principals: [{ key: ann }] })
    d.manifest({ after: NONE, principals: [{ key: bob }] })
    expect(d.authority()).toMatchObject({ state: 'authority-forked', tip: undefined, onChain: [] })
  })

  it('an unsigned or rejected sibling is no fork', () => {
    const d = makeDomain({ principals: [{ key: ann }, { key: bob }] })
    const common = d.tip
    const good = d.manifest({ after: common }).ref
    d.manifest({ after: common, cuts: [cut('x')], signer: false })
    d.manifest({ after: common, principals: [{ key: ann }] })
    expect(d.authority()).toMatchObject({ state: 'ok', tip: good })
  })
})

describe('M6 and M7 together', () => {
  it('a root fork keeps the common epoch\'s chain, defers what either branch takes away, and a rotate settles it', () => {
    const d = makeDomain({ principals: [{ key: ann }, { key: bob }] })
    const base = d.tip
    const start = d.entry
    const honest = d.renew({ after: start, base }).ref
    const closing = d.manifest({ after: base, closed: [bob] }).ref
    d.renew({ after: start, base })
    const thief = d.manifest({ after: base, cuts: [cut('ann')] }).ref
    const forked = d.authority()
    expect(forked).toMatchObject({ state: 'root-forked', epoch: 0, tip: base })
    expect(forked.stateText).toMatch(/, root-forked between renew to epoch 1 \(0001[0-9a-f]{12}…\) and renew to epoch 1 \(0001[0-9a-f]{12}…\), .*: diad root rotate/)
    expect([closing, thief].map((r) => forked.verdictOf(r).code)).toEqual(['root-forked', 'root-forked'])
    expect([...forked.forked.cutLanes, ...forked.forked.closedPrincipals]).toEqual([cut('ann').lane, bob.id])
    const pinned = d.authority(d.items, { pin: honest })
    expect(pinned).toMatchObject({ state: 'ok', tip: closing })
    expect(pinned.stateText).toContain(`pinned to root branch ${honest}`)
    d.rotate({ after: honest, base: closing })
    const settled = d.authority()
    expect(settled).toMatchObject({ state: 'ok', epoch: 2, tip: closing })
    expect(settled.verdictOf(thief).code).toBe('orphaned')
  })
})

describe('what is kept and served', () => {
  it('is enough to come to the same authority, in the order of B3, without junk', () => {
    const d = makeDomain({ roots: 3, threshold: 2, principals: [{ key: ann }, { key: bob }] })
    const common = d.tip
    d.manifest({ cuts: ['1', '2', '3'].map((n) => cut(n)), chunk: 1 })
    d.renew({ base: common })
    d.manifest({ after: common })
    const junk = [d.manifest({ after: common, principals: [{ key: ann }] }), d.renew({ signers: [] }), d.manifest({ signer: false })]
    const objects = d.objects()
    const relevant = objects.relevant(d.domain)
    for (const { ref } of junk) expect(relevant).not.toContain(ref)
    expect(relevant.indexOf(d.domain)).toBeLessThan(relevant.indexOf(common))
    const copy = holding(d.domain, relevant.map((ref) => ({ ref, artifact: objects.artifact(ref) as NonNullable<ReturnType<typeof objects.artifact>> })))
    expect(copy.relevant(d.domain)).toEqual(relevant)
    expect(copy.missing(d.domain)).toEqual([])
  })
})

/** Another valid signature by the same key over the same bytes: whoever holds a key may choose the nonce as he likes. */
function resigned (d: TestDomain, target: Reference, nonce: string): Item {
  const { secret, publicKey } = d.rootKey()
  const { scalar } = ed.utils.getExtendedPublicKey(secret)
  const L = ed.Point.CURVE().n
  const message = signedMessage('manifest', target)
  const number = (bytes: Uint8Array): bigint => BigInt(`0x${toHex(bytes.slice().reverse())}`)
  const r = number(sha512(utf8(nonce))) % L
  const R = ed.Point.BASE.multiply(r).toBytes()
  const s = (r + number(sha512(concatBytes(R, fromHex(publicKey), message))) * scalar) % L
  const signature = toHex(R) + toHex(fromHex(s.toString(16).padStart(64, '0')).reverse())
  return itemOf(signatureCodec.artifact({ target, purpose: 'manifest', public_key: publicKey, signature }))
}
