/** THREATS 3, 14, 23, 31: objects within all limits, and what they may cost. Operations and held parts are counted; no clock decides. */
import { beforeAll, describe, expect, test } from 'vitest'
import { type AdmissionRequest, admissionRequestCodec } from '../../src/authority/admission-objects.js'
import { type Cut, cutListCodec } from '../../src/authority/cut-list.js'
import { judgeLeaf, type LaneRights } from '../../src/authority/leaf-rules.js'
import { type DomainAuthorityManifest, type Scope, scopeCovers } from '../../src/authority/manifest.js'
import { defaultPolicy } from '../../src/authority/policy.js'
import { installNativeCrypto } from '../../src/node/native-crypto.js'
import { leafOf } from '../../src/publication/leaf.js'
import { NONE } from '../../src/substrate/reference.js'
import { digestFrom, itemOf, makeDomain, refFrom, type TestDomain, testKey } from '../helpers/authority-fixtures.js'
import { knowledgeOf, TestLane } from '../helpers/lanes.js'
import { readsOf } from '../helpers/reads-of.js'
import { slotsIn } from '../helpers/slots-in.js'

beforeAll(() => { installNativeCrypto() })

const owner = testKey('costs/owner')
const words = (n: number): string[] => Array.from({ length: n }, (_, i) => `w${i.toString(36).padStart(4, '0')}`)

/** How often `work` compares the beginning of a text with another: what `pathWithin` does. */
function comparisons (work: () => void): number {
  const real = Object.getOwnPropertyDescriptor(String.prototype, 'startsWith') as { value: (this: string, search: string, at?: number) => boolean }
  let count = 0
  Object.defineProperty(String.prototype, 'startsWith', {
    ...real,
    value (this: string, search: string, at?: number) {
      count++
      return real.value.call(this, search, at)
    }
  })
  try {
    work()
  } finally {
    Object.defineProperty(String.prototype, 'startsWith', real)
  }
  return count
}

describe('many prefixes in one scope', () => {
  test('a request of a stranger is read without comparing each with each', () => {
    const n = 2000
    const request: AdmissionRequest = { applicant: refFrom('a'), root_entry: refFrom('r'), manifest: refFrom('m'), receiver: refFrom('me'), nonce: digestFrom('n'), requested_scope: words(n) }
    const artifact = admissionRequestCodec.artifact(request)
    const count = comparisons(() => { admissionRequestCodec.from(artifact) })
    // At least one: else this counts something that the check no longer does.
    expect([count > 0, count < 5 * n]).toEqual([true, true])
  })

  test('M3 looks once at each prefix and program of both scopes', () => {
    const n = 2000
    const programs = Array.from({ length: n }, (_, i) => refFrom(`p${i}`)).sort()
    const wide = { prefixes: readsOf(words(n)), programs: readsOf(programs) }
    const narrow = { prefixes: readsOf(words(n).map((w) => `${w}/x`)), programs: readsOf(programs) }
    const scope = (of: typeof wide): Scope => ({ principal_id: owner.id, prefixes: of.prefixes.watched, programs: of.programs.watched })
    expect(scopeCovers(scope(wide), scope(narrow))).toBe(true)
    for (const of of [wide, narrow]) expect([of.prefixes.reads() < 2 * n, of.programs.reads() < 2 * n]).toEqual([true, true])
  })

  test('T2 looks once at the scope of a key, however many leaves it signed', () => {
    const { watched, reads } = readsOf(words(2000))
    const rights: LaneRights = { principal: { principal_id: owner.id, public_key: owner.publicKey, roles: ['publish'] }, scope: { principal_id: owner.id, prefixes: watched, programs: [NONE] }, policy: defaultPolicy }
    for (const [i, name] of [...words(300).map((w) => `${w}/x`), 'outside'].entries()) {
      const { leaf, body } = leafOf(i + 1, { kind: 'publish', salt: digestFrom(name).slice(0, 32), name, ref: refFrom(name), mode: 0o644 })
      expect(judgeLeaf(leaf, body, rights).code).toBe(name === 'outside' ? 'out-of-scope' : 'accepted')
    }
    expect(reads()).toBeLessThan(2 * 2000)
  })

  test('CURRENT looks once at the scope of a key that forked its lanes, however many lanes and names', () => {
    const rival = testKey('costs/rival')
    const scope = words(1000)
    const domain = makeDomain({ seed: 'costs current', principals: [{ key: owner }, { key: rival, prefixes: scope }] })
    const k = knowledgeOf(domain)
    const { manifest } = k.authority().onChain[0] as { manifest: DomainAuthorityManifest }
    const { watched, reads } = readsOf(scope)
    const ofRival = manifest.scope.find((s) => s.principal_id === rival.id) as Scope
    ofRival.prefixes = watched
    for (let i = 0; i < 8; i++) {
      const lane = new TestLane(domain, rival, `costs ${i}`)
      lane.publish('outside')
      const twin = lane.fork(0)
      twin.publish('outside', 'other')
      lane.give(k, lane.head())
      twin.give(k, twin.head())
    }
    const names = new TestLane(domain, owner, 'costs names')
    for (let i = 0; i < 100; i++) names.publish(i % 2 === 0 ? `free/${i}` : `${scope[i] as string}/x`)
    names.give(k, names.head())
    const codes = [...k.view().current.values()].map((e) => e.code)
    expect([codes.filter((c) => c === 'contested').length, codes.filter((c) => c === 'accepted').length]).toEqual([50, 50])
    expect(reads()).toBeLessThan(3 * scope.length)
  })
})

test('K1: lanes of a domain are looked up in what its manifests list, however many lanes and how long the lists', () => {
  const keys = Array.from({ length: 41 }, (_, i) => testKey(`costs/closed ${i}`)).sort((a, b) => a.id < b.id ? -1 : 1)
  const key = keys.at(-1) as ReturnType<typeof testKey>
  const domain = makeDomain({ seed: 'costs closed', principals: keys.map((k) => ({ key: k })) })
  const lanes = Array.from({ length: 40 }, (_, i) => new TestLane(domain, key, `costs closed ${i}`))
  domain.manifest({ principals: [{ key }], closed: keys.slice(0, -1) })
  const k = knowledgeOf(domain)
  const [first, last] = k.authority().onChain.map((m) => m.manifest) as [DomainAuthorityManifest, DomainAuthorityManifest]
  const [principals, closed] = [readsOf(first.principals), readsOf(last.closed)]
  first.principals = principals.watched
  last.closed = closed.watched
  for (const lane of lanes) {
    lane.publish('name')
    lane.give(k, lane.head())
  }
  for (const lane of lanes) expect(k.view().lanes.get(lane.ref)?.code).toBe('accepted')
  // Two questions a lane, about seven steps each.
  expect([principals.reads() < 40 * 25, closed.reads() < 40 * 25]).toEqual([true, true])
})

describe('what a domain\'s authority holds grows with its objects', () => {
  const cuts: Cut[] = Array.from({ length: 500 }, (_, i) => ({ lane: refFrom(`lane ${i}`), snapshot: refFrom('head'), ends: false })).sort((a, b) => a.lane < b.lane ? -1 : 1)
  const held = (d: TestDomain): number => {
    const authority = d.authority()
    expect(authority.state).toBe('ok')
    // Tables are made when they are asked.
    for (const m of authority.onChain) m.cuts.get(cuts.at(-1)?.lane ?? NONE)
    return slotsIn(authority)
  }

  test.each<[string, boolean]>([['name one list of cuts', false], ['name lists of their own that lead to one', true]])('where all manifests %s', (_, own) => {
    const tail = itemOf(cutListCodec.artifact({ cuts: cuts.slice(1), next: NONE }))
    const of = (n: number): number => {
      const d = makeDomain({ seed: 'costs cuts', principals: [{ key: owner }] })
      d.items.push(tail)
      for (let i = 0; i < n; i++) {
        const head = itemOf(cutListCodec.artifact({ cuts: [{ ...cuts[0] as Cut, snapshot: refFrom(`head ${i}`) }], next: tail.ref }))
        if (own) d.items.push(head)
        d.manifest({ fields: { cuts: own ? head.ref : tail.ref } })
      }
      const { onChain } = d.authority()
      expect(onChain.at(-1)?.cuts.size).toBe(own ? 500 : 499)
      return held(d)
    }
    const [few, many] = [of(10), of(40)]
    expect(many - few).toBeLessThan(30 * 200)
  })

  test('where each manifest adds a principal', () => {
    const of = (n: number): number => {
      const d = makeDomain({ seed: 'costs seen', principals: [{ key: testKey('costs/p0') }] })
      for (let i = 1; i < n; i++) d.manifest({ principals: [{ key: testKey(`costs/p${i}`) }], closed: [testKey(`costs/p${i - 1}`)] })
      const seen = [...d.authority().judged.values()].map((j) => j.seen)
      expect(seen.at(-1)?.size).toBe(n)
      return slotsIn(seen)
    }
    expect(of(128) / of(32)).toBeLessThan(8)
  })

  test('where each root entry brings new root keys and a commitment', () => {
    const of = (n: number): number => {
      const d = makeDomain({ seed: 'costs roots', roots: 2, threshold: 1 })
      for (let i = 1; i < n; i++) d.rotate({ signers: [d.nextRoots().keys[0] as ReturnType<typeof testKey>] })
      d.manifest()
      const entries = [...d.authority().rootChain.judged.values()]
      expect([entries.at(-1)?.rootKeys.size, entries.at(-1)?.commitments.size]).toEqual([2 * n, n])
      return slotsIn(entries.map((j) => [j.rootKeys, j.commitments]))
    }
    expect(of(96) / of(24)).toBeLessThan(8)
  })
})
