/** `diad explain`: every kind of thing and every class of verdict has a tree that ends at the DomainID, and what is stuck shows its way out. */
import { beforeAll, describe, expect, test } from 'vitest'
import { sceneOf } from '../../src/authority/explain/authority.js'
import { explainName, explainRecord } from '../../src/authority/explain/lane.js'
import { explainKey, explainPrincipal, principalsOf } from '../../src/authority/explain/principal.js'
import { explainReference, referencesOf } from '../../src/authority/explain/reference.js'
import type { Explained } from '../../src/authority/explain/tree.js'
import type { DomainKnowledge } from '../../src/authority/knowledge.js'
import { VERDICT_CODES } from '../../src/authority/verdict.js'
import { renderExplain } from '../../src/cli/groups/explain-render.js'
import { styleFor } from '../../src/cli/style.js'
import { history } from '../../src/node/commands/records/log.js'
import { installNativeCrypto } from '../../src/node/native-crypto.js'
import { INTERNAL } from '../../src/publication/lane.js'
import { NONE, type Reference } from '../../src/substrate/reference.js'
import { makeDomain, type TestDomain, testKey } from '../helpers/authority-fixtures.js'
import { admitHead, knowledgeOf, TestLane } from '../helpers/lanes.js'

beforeAll(() => { installNativeCrypto() })

const owner = testKey('owner')
const scoped = testKey('scoped')
const producer = testKey('producer')
const calling = (id: string): string | undefined => id === owner.id ? 'alice' : undefined
const principals = [
  { key: owner, roles: ['federate', 'produce', 'publish'] as const },
  { key: scoped, roles: ['federate', 'publish'] as const, prefixes: ['a'] },
  { key: producer, roles: ['produce'] as const, prefixes: ['p'] }
]

interface Scenery { readonly domain: TestDomain, readonly k: DomainKnowledge, readonly main: TestLane }

/** A domain with one lane of the owner that publishes `x` twice and `y`. */
function scenery (seed: string): Scenery {
  const domain = makeDomain({ seed, principals })
  const main = new TestLane(domain, owner, 'main')
  main.publish('x', 'old')
  main.publish('x', 'new')
  main.publish('y')
  const k = knowledgeOf(domain)
  main.give(k, main.head())
  return { domain, k, main }
}

const ref = (s: Scenery, r: Reference): Explained => explainReference(sceneOf(s.k, calling), r) as Explained
const record = (s: Scenery, lane: TestLane, index: number): Explained => {
  const v = s.k.viewAll().lanes.get(lane.ref)
  if (v === undefined) throw new Error('no such lane')
  return explainRecord(sceneOf(s.k, calling), v, index)
}
const called = (s: Scenery, name: string): Explained => explainName(sceneOf(s.k, calling), name)

function admit (k: DomainKnowledge, items: ReturnType<TestDomain['manifest']>['items']): void {
  for (const { artifact } of items) k.admit(artifact)
}

/** The owner's lane forked after its first record; evidence is found by holding both branches. */
function forked (): Scenery {
  const s = scenery('forked')
  const twin = s.main.fork(1)
  twin.publish('x', 'other')
  admitHead(s.k, twin.head())
  twin.give(s.k, twin.head())
  return s
}

/** The scoped key closed, its lane kept up to its first record. */
function cut (): Scenery & { ended: TestLane, beyond: TestLane } {
  const s = scenery('cut')
  const ended = new TestLane(s.domain, scoped, 'ended')
  const first = ended.publish('a/kept')
  ended.publish('a/late')
  ended.give(s.k, ended.head())
  const beyond = new TestLane(s.domain, scoped, 'beyond')
  beyond.publish('a/offline')
  beyond.give(s.k, beyond.head())
  admitHead(s.k, first)
  admit(s.k, s.domain.manifest({ principals: principals.filter((p) => p.key !== scoped), closed: [scoped], cuts: [{ lane: ended.ref, snapshot: first.ref, ends: true }] }).items)
  return { ...s, ended, beyond }
}

function authorityFork (): Scenery & { children: Reference[] } {
  const s = scenery('authority fork')
  const after = s.domain.tip
  const one = s.domain.manifest({ after, principals: [...principals, { key: testKey('one') }] })
  const two = s.domain.manifest({ after, principals: [...principals, { key: testKey('two') }] })
  admit(s.k, [...one.items, ...two.items])
  return { ...s, children: [one.ref, two.ref] }
}

function rootFork (): Scenery {
  const s = scenery('root fork')
  const after = s.domain.entry
  const base = s.domain.tip
  admit(s.k, [...s.domain.renew({ after, base, rootKey: 'r1' }).items, ...s.domain.renew({ after, base, rootKey: 'r2' }).items])
  return s
}

function proposal (): Scenery & { lane: TestLane } {
  const s = scenery('proposal')
  const lane = new TestLane(s.domain, producer, 'proposal')
  lane.publish('p/x')
  lane.publish('other')
  lane.give(s.k, lane.head())
  return { ...s, lane }
}

const only = (tree: Explained): { status: string, code: string, command: string | undefined } => ({ ...tree.verdict, command: tree.wayOut?.command })

const TABLE: Array<[string, () => Explained, string, string | undefined]> = [
  ['the domain', () => { const s = scenery('a'); return ref(s, s.k.domain) }, 'accepted', undefined],
  ['a manifest', () => { const s = scenery('a'); return ref(s, s.domain.tip) }, 'accepted', undefined],
  ['a lane', () => { const s = scenery('a'); return ref(s, s.main.ref) }, 'accepted', undefined],
  ['a snapshot', () => { const s = scenery('a'); return ref(s, s.main.head().ref) }, 'accepted', undefined],
  ['a policy', () => { const s = scenery('a'); return ref(s, [...s.k.objects.policies.keys()][0] as Reference) }, 'accepted', undefined],
  ['a name', () => called(scenery('a'), 'x'), 'accepted', undefined],
  ['a record', () => { const s = scenery('a'); return record(s, s.main, 1) }, 'accepted', undefined],
  ['a record that another overtook', () => { const s = scenery('a'); return record(s, s.main, 0) }, 'superseded', undefined],
  ['a principal', () => explainPrincipal(sceneOf(scenery('a').k, calling), owner.id), 'accepted', undefined],
  ['a root_key', () => { const s = scenery('a'); return explainKey(sceneOf(s.k), s.domain.rootKey().publicKey) as Explained }, 'accepted', undefined],
  ['an offline root key', () => { const s = scenery('a'); return explainKey(sceneOf(s.k), s.domain.roots().keys[0]?.id ?? '') as Explained }, 'accepted', undefined],
  ['a name nobody published', () => called(scenery('a'), 'nothing'), 'not-held', undefined],
  ['a producer\'s proposal', () => { const s = proposal(); return ref(s, s.lane.ref) }, 'not-visible', 'diad vouch'],
  ['a record out of its key\'s scope', () => { const s = proposal(); return record(s, s.lane, 1) }, 'out-of-scope', undefined],
  ['an erased record', () => { const s = scenery('e'); s.main.give(s.k, s.main.erase(s.main, 2)); return record(s, s.main, 2) }, 'erased', undefined],
  ['a name that was erased', () => { const s = scenery('en'); s.main.give(s.k, s.main.erase(s.main, 2)); return called(s, 'y') }, 'erased', undefined],
  ['what stood below it', () => { const s = scenery('en'); s.main.give(s.k, s.main.erase(s.main, 2)); return called(s, 'y/below') }, 'erased', undefined],
  ['an internal lane', () => { const s = scenery('i'); const l = new TestLane(s.domain, owner, 'inner', { visibility: INTERNAL }); l.publish('z'); l.give(s.k, l.head()); return ref(s, l.ref) }, 'internal', undefined],
  ['a forked lane', () => { const s = forked(); return ref(s, s.main.ref) }, 'lane-forked', 'diad key close'],
  ['a contested name', () => called(forked(), 'x'), 'contested', 'diad key close'],
  ['a domain with a forked lane', () => { const s = forked(); return ref(s, s.k.domain) }, 'lane-forked', 'diad key close'],
  ['the proof of the fork', () => { const s = forked(); return ref(s, s.k.lanes.get(s.main.ref)?.evidenceRef as Reference) }, 'accepted', 'diad key close'],
  ['a lane of a closed key that is not listed', () => { const s = cut(); return ref(s, s.beyond.ref) }, 'closed', 'diad adopt'],
  ['a record beyond a cut', () => { const s = cut(); return record(s, s.ended, 1) }, 'cut', 'diad adopt'],
  ['a record before the cut', () => { const s = cut(); return record(s, s.ended, 0) }, 'accepted', undefined],
  ['a principal that was closed', () => explainPrincipal(sceneOf(cut().k), scoped.id), 'closed', undefined],
  ['a domain whose manifests fork', () => { const s = authorityFork(); return ref(s, s.k.domain) }, 'authority-forked', 'diad root renew --base'],
  ['one of two manifests', () => { const s = authorityFork(); return ref(s, s.children[0] as Reference) }, 'authority-forked', 'diad root renew --base'],
  ['a domain whose roots fork', () => { const s = rootFork(); return ref(s, s.k.domain) }, 'root-forked', 'diad root rotate'],
  ['an orphaned manifest', () => { const s = scenery('o'); const base = s.domain.tip; const off = s.domain.manifest(); admit(s.k, [...off.items, ...s.domain.renew({ base }).items]); return ref(s, off.ref) }, 'orphaned', undefined],
  ['a lane under it', () => { const s = scenery('o'); const base = s.domain.tip; const off = s.domain.manifest(); const l = new TestLane(s.domain, owner, 'late'); l.publish('q'); admit(s.k, [...off.items, ...s.domain.renew({ base }).items]); l.give(s.k, l.head()); return ref(s, l.ref) }, 'manifest-off-chain', undefined],
  ['a manifest without its signature', () => { const s = scenery('u'); const made = s.domain.manifest({ signer: false }); admit(s.k, made.items); return ref(s, made.ref) }, 'signature-missing', undefined],
  ['a lane whose log is elsewhere', () => { const s = scenery('l'); const l = new TestLane(s.domain, owner, 'far'); const head = l.publish('f'); s.k.admit(l.item.artifact); admitHead(s.k, head); return ref(s, l.ref) }, 'log-missing', 'diad sync']
]

/** All nodes of a tree. */
const nodes = (tree: Explained): Explained[] => [tree, ...tree.because.flatMap(nodes)]

describe.each(TABLE)('%s', (_what, make, code, command) => {
  test(`is ${code}${command === undefined ? '' : `, and the way out is ${command}`}`, () => {
    const tree = make()
    expect(only(tree)).toMatchObject({ code, status: VERDICT_CODES.get(code as never)?.status })
    if (command === undefined) expect(tree.wayOut === undefined || tree.verdict.status !== 'accepted').toBe(true)
    else expect(tree.wayOut?.command.startsWith(command)).toBe(true)
    expect(JSON.parse(JSON.stringify(tree))).toEqual(tree)
    const lines = renderExplain(tree as never, styleFor(false, {}), {})
    expect(lines.length).toBeGreaterThanOrEqual(nodes(tree).length)
    if (tree.wayOut !== undefined) expect(lines.at(-1)).toContain(`$ ${tree.wayOut.command}`)
  })

  test('shows each thing in full once', () => {
    const full = nodes(make()).filter((n) => n.brief !== true && n.ref !== undefined && n.ref !== NONE && /^(0001)/.test(n.ref))
    const keys = full.map((n) => `${n.ref ?? ''} ${n.what}`)
    expect(new Set(keys).size).toBe(keys.length)
  })
})

test('what is in force rests on the genesis, whose reference is the DomainID', () => {
  const s = cut()
  for (const tree of [called(s, 'x'), called(s, 'a/kept'), ref(s, s.main.ref), explainPrincipal(sceneOf(s.k), owner.id)]) {
    expect(nodes(tree).some((n) => n.ref === s.k.domain && n.what.includes('genesis')), tree.what).toBe(true)
  }
})

test('a principal is found by id, by public key and by their first digits; anything by the digits of its reference', () => {
  const { k, main } = scenery('find')
  for (const digits of [owner.id, owner.id.slice(0, 8), owner.publicKey, owner.publicKey.slice(0, 10)]) expect(principalsOf(k, digits), digits).toEqual([owner.id])
  expect(referencesOf(sceneOf(k), main.ref.slice(0, 20))).toEqual([main.ref])
})

describe('the log', () => {
  const lines = (k: DomainKnowledge, all: boolean): string[] => history(k, all, calling).map((e) => [e.event, e.version ?? e.epoch, e.kind, e.name, e.code, ...e.words].filter((x) => x !== undefined).join(' '))

  test('tells grants, closings and cuts in words, and puts records under the manifests of their lanes', () => {
    const { k, ended } = cut()
    expect(lines(k, false).map((l) => l.replace(/ [0-9a-f]{12,16}…/g, ' #').replace(/\([0-9a-f]{12}…\)/g, '(#)'))).toEqual([
      'epoch 0 genesis the domain begins, signed by 1 of 1 root key',
      expect.stringContaining('manifest 1 '),
      'record publish x superseded',
      'record publish a/kept',
      'record publish x',
      'head 2 records in the lane #',
      'record publish y',
      'head 3 records in the lane #',
      'manifest 2 drops # closes #: of its earlier lanes only what is listed stays ends the lane # after 1 record'
    ])
    expect(lines(k, false)[1]).toContain('alice')
    expect(lines(k, true).filter((l) => l.includes(' cut') || l.includes(' closed'))).toEqual(['record publish a/offline closed', 'record publish a/late cut'])
    expect(history(k, true, calling).find((e) => e.name === 'a/late')).toMatchObject({ lane: ended.ref, index: 1, principal: scoped.id })
  })

  test('an epoch of which nothing is in force stands where it was, and says so', () => {
    const domain = makeDomain({ seed: 'twice', principals })
    const first = domain.tip
    domain.renew()
    domain.manifest({ principals })
    domain.renew({ base: first })
    domain.manifest({ principals, after: first })
    expect(lines(knowledgeOf(domain), false).map((l) => l.replace(/, signed by 1 of 1 root key/, '').replace(/^(manifest \d+).*/, '$1'))).toEqual([
      'epoch 0 genesis the domain begins',
      'manifest 1',
      'epoch 1 renew the roots name a root_key anew nothing that was signed in it is in force any more',
      'epoch 2 renew the roots name a root_key anew',
      'manifest 2'
    ])
  })

  test('shows vouches, erasures and forks', () => {
    const s = forked()
    const other = new TestLane(s.domain, scoped, 'other')
    other.vouch(s.main, s.main.head())
    other.give(s.k, other.head())
    const shown = lines(s.k, false)
    expect(shown.some((l) => l.startsWith('fork ') && l.includes('differ from record 1 on'))).toBe(true)
    expect(shown.some((l) => l.startsWith('record vouch') && l.includes('up to 3 records'))).toBe(true)
  })
})
