/** Single leaves: R1, R2, R6, R7, T2; THREATS 7: the whole role × action matrix. */
import { defaultPolicy, type DomainPolicy } from '../../../src/authority/policy.js'
import { type Role, ROLES } from '../../../src/authority/role-names.js'
import type { VerdictCode } from '../../../src/authority/verdict.js'
import { INTERNAL } from '../../../src/publication/lane.js'
import { type Body, bareLeaf, bodyHash, encodeBody, KIND, type KindName, leafOf, type NewLeaf } from '../../../src/publication/leaf.js'
import { concatBytes } from '../../../src/substrate/bytes.js'
import type { Reference } from '../../../src/substrate/reference.js'
import { digestFrom, makeDomain, type PrincipalSpec, refFrom, type TestDomain, testKey } from '../../../test/helpers/authority-fixtures.js'
import { TestLane } from '../../../test/helpers/lanes.js'
import { type Case, type Held, heldOf, withLane } from './cases.js'
import { raw } from './lanes.js'

/** R2, written from the page and not from the code. `audited` = a statement of that type (P7). */
const MAY: ReadonlyArray<[KindName | 'audited', readonly Role[]]> = [
  ['publish', ['produce', 'publish']],
  ['tombstone', ['produce', 'publish']],
  ['lift', ['produce', 'publish']],
  ['erase', ['publish']],
  ['receipt', ['execute']],
  ['statement', ['audit', 'execute', 'federate', 'produce', 'publish']],
  ['audited', ['audit']],
  ['admit', ['federate']],
  ['vouch', ['federate', 'publish']],
  ['tick', ['audit', 'execute', 'federate', 'produce', 'publish']],
  ['close', ['audit', 'execute', 'federate', 'produce', 'publish']]
]
/** T2: the section of the policy that has to allow the role too. */
const PUBLICATION: ReadonlySet<string> = new Set(['publish', 'tombstone', 'lift', 'erase'])

const keeper = testKey('vectors keeper')
const salt = (what: string): string => digestFrom(`vectors salt ${what}`).slice(0, 32)

/** One leaf of each kind; what erase and vouch name is the keeper's first leaf and head. */
function bodyOf (what: KindName | 'audited', who: string, first: { lane: Reference, head: Reference, leaf: ReturnType<TestLane['log']['leafHash']> }): Body | undefined {
  const s = salt(`${who} ${what}`)
  switch (what) {
    case 'publish': case 'lift': return { kind: what, salt: s, name: `${who}/${what}`, ref: refFrom('content'), mode: 0o644 }
    case 'tombstone': return { kind: what, salt: s, name: `${who}/${what}` }
    case 'erase': return { kind: what, salt: s, lane: first.lane, index: 0, leaf_hash: first.leaf }
    case 'receipt': case 'admit': return { kind: what, salt: s, ref: refFrom('edge') }
    case 'statement': return { kind: what, salt: s, type: 'note', ref: refFrom('subject') }
    case 'audited': return { kind: 'statement', salt: s, type: 'audited', ref: refFrom('subject') }
    case 'vouch': return { kind: what, salt: s, lane: first.lane, snapshot: first.head }
    case 'tick': case 'close': return undefined
  }
}

/** A domain with one principal a role set, each with a lane of all kinds; the keeper vouches for every lane, so whatever is accepted is exported. */
function matrixOf (title: string, sets: ReadonlyArray<readonly Role[]>, policy: DomainPolicy, about: VerdictCode, codeOf: (what: KindName | 'audited', roles: readonly Role[]) => VerdictCode): Case[] {
  const name = (roles: readonly Role[]): string => roles.join('+')
  const principals = [{ key: keeper, roles: ['federate', 'publish'] as const }, ...sets.map((roles) => ({ key: testKey(`vectors ${name(roles)}`), roles }))]
  const d = makeDomain({ seed: `vectors matrix ${title}`, principals, policy })
  const keeps = new TestLane(d, keeper, `vectors matrix ${title}`)
  const start = keeps.publish('kept')
  const first = { lane: keeps.ref, head: start.ref, leaf: keeps.log.leafHash(0) }
  let held: Held = heldOf(d)
  const out: Array<Omit<Case, 'held'>> = []
  let last = start
  for (const roles of sets) {
    const lane = new TestLane(d, testKey(`vectors ${name(roles)}`), `vectors ${title} ${name(roles)}`)
    const leaves = MAY.map(([what], i): NewLeaf => {
      const body = bodyOf(what, name(roles), first)
      return body === undefined ? bareLeaf(what as 'tick' | 'close', i + 1) : leafOf(i + 1, body)
    })
    const head = raw(lane, ...leaves)
    held = withLane(held, lane, [head])
    last = keeps.vouch(lane, head)
    MAY.forEach(([what], index) => {
      const gives = codeOf(what, roles)
      out.push({ about, gives, name: `${title}: ${name(roles)} may ${gives.startsWith('role') ? 'not ' : ''}${what}`, subject: { lane: lane.ref, index } })
    })
  }
  held = withLane(held, keeps, [start, last])
  return out.map((c) => ({ ...c, held }))
}

const allowedBy = (what: KindName | 'audited', roles: readonly Role[]): Role[] => roles.filter((r) => MAY.find(([kind]) => kind === what)?.[1].includes(r))

function matrix (): Case[] {
  const plain = (what: KindName | 'audited', roles: readonly Role[]): VerdictCode =>
    allowedBy(what, roles).length === 0 ? 'role-missing' : what === 'tick' || what === 'close' ? 'no-effect' : 'accepted'
  const everything: DomainPolicy = { ...defaultPolicy, publication_policy: { ...defaultPolicy.publication_policy, allowed_roles: [...ROLES] }, execution_policy: { ...defaultPolicy.execution_policy, allowed_roles: [...ROLES] } }
  // T2: a policy in which only publishers publish and nobody executes.
  const strict: DomainPolicy = { ...defaultPolicy, publication_policy: { ...defaultPolicy.publication_policy, allowed_roles: ['publish'] }, execution_policy: { ...defaultPolicy.execution_policy, allowed_roles: [] } }
  const narrowed = (what: KindName | 'audited', roles: readonly Role[]): VerdictCode => {
    const may = allowedBy(what, roles)
    if (may.length === 0) return 'role-missing'
    if (PUBLICATION.has(what) && !may.includes('publish')) return 'role-not-allowed'
    return what === 'receipt' ? 'role-not-allowed' : plain(what, roles)
  }
  return [
    ...matrixOf('one role', ROLES.map((r) => [r]), everything, 'role-missing', plain),
    ...matrixOf('two roles', [['audit', 'produce'], ['execute', 'federate']], everything, 'role-missing', plain),
    ...matrixOf('strict policy', [['produce'], ['publish'], ['produce', 'publish'], ['execute']], strict, 'role-not-allowed', narrowed)
  ]
}

/** R1, R6, T2: bodies and scopes of one publisher. */
function bodies (): Case[] {
  const key = testKey('vectors writer')
  const spec: PrincipalSpec = { key, roles: ['federate', 'publish'], prefixes: ['docs', 'wiki/draft'] }
  const make = (): { d: TestDomain, lane: TestLane } => {
    const d = makeDomain({ seed: 'vectors bodies', principals: [spec] })
    return { d, lane: new TestLane(d, key, 'vectors bodies') }
  }
  const out: Case[] = []
  const names: Array<[string, VerdictCode]> = [['docs', 'accepted'], ['docs/a', 'accepted'], ['docs2', 'out-of-scope'], ['docs2/a', 'out-of-scope'], ['doc', 'out-of-scope'], ['wiki', 'out-of-scope'], ['wiki/draft/x', 'accepted'], ['wiki/drafts', 'out-of-scope'], ['Docs', 'out-of-scope']]
  const { d, lane } = make()
  const head = lane.append(...names.map(([name]): Body => ({ kind: 'publish', salt: lane.salt(), name, ref: refFrom('x'), mode: 0o644 })), { kind: 'tombstone', salt: lane.salt(), name: 'elsewhere' }, { kind: 'lift', salt: lane.salt(), name: 'elsewhere', ref: refFrom('x'), mode: 0o644 })
  const held = withLane(heldOf(d), lane, [head])
  names.forEach(([name, gives], index) => { out.push({ about: 'out-of-scope', gives, name: `scope docs and wiki/draft: publish ${name}`, held, subject: { lane: lane.ref, index } }) })
  out.push(
    { about: 'out-of-scope', gives: 'out-of-scope', name: 'a tombstone out of scope', held, subject: { lane: lane.ref, index: names.length } },
    { about: 'out-of-scope', gives: 'out-of-scope', name: 'a lift out of scope', held, subject: { lane: lane.ref, index: names.length + 1 } })
  const nothing = makeDomain({ seed: 'vectors no scope', principals: [{ ...spec, prefixes: [] }] })
  const idle = new TestLane(nothing, key, 'vectors no scope')
  out.push({ about: 'out-of-scope', gives: 'out-of-scope', name: 'a scope without prefixes holds nothing', held: withLane(heldOf(nothing), idle, [idle.publish('docs')]), subject: { lane: idle.ref, index: 0 } })

  const whole = make()
  const both = [whole.lane.publish('docs/a'), whole.lane.publish('docs/b')]
  const lacking = withLane(heldOf(whole.d), whole.lane, both, (i) => i !== 0)
  out.push(
    { about: 'body-missing', gives: 'body-missing', name: 'the body of the leaf isn\'t held', held: lacking, subject: { lane: whole.lane.ref, index: 0 } },
    { about: 'body-missing', gives: 'accepted', name: 'the leaf behind one whose body isn\'t held', held: lacking, subject: { lane: whole.lane.ref, index: 1 } },
    { about: 'body-missing', gives: 'body-missing', name: 'the whole domain', held: lacking, subject: { domain: true } },
    { about: 'body-missing', gives: 'accepted', name: 'the whole domain with every body', held: withLane(heldOf(whole.d), whole.lane, both), subject: { domain: true } })

  const broken = make()
  const good: Body = { kind: 'publish', salt: salt('good'), name: 'docs/a', ref: refFrom('x'), mode: 0o644 }
  const payload = encodeBody(good)
  const leafFor = (kind: number, body: Uint8Array | undefined, logseq: number): NewLeaf => ({ leaf: { kind, logseq, body_hash: body === undefined ? digestFrom('no body') : bodyHash(kind, body) }, body })
  const rows: Array<[string, VerdictCode, (logseq: number) => NewLeaf]> = [
    ['a body in canonical form', 'accepted', (n) => leafFor(KIND.publish, payload, n)],
    ['a body with a byte behind its end', 'body-malformed', (n) => leafFor(KIND.publish, concatBytes(payload, Uint8Array.of(0)), n)],
    ['a body that is no map', 'body-malformed', (n) => leafFor(KIND.publish, Uint8Array.of(0x80), n)],
    ['a publish body under kind tombstone', 'body-malformed', (n) => leafFor(KIND.tombstone, payload, n)],
    ['a tombstone body under kind publish', 'body-malformed', (n) => leafFor(KIND.publish, encodeBody({ kind: 'tombstone', salt: salt('t'), name: 'docs/a' }), n)],
    ['a tick with a body hash', 'body-malformed', (n) => leafFor(KIND.tick, undefined, n)],
    ['a leaf behind malformed ones', 'accepted', (n) => leafOf(n, { ...good, name: 'docs/b' })]
  ]
  const end = raw(broken.lane, ...rows.map(([, , make], i) => make(i + 1)))
  const world = withLane(heldOf(broken.d), broken.lane, [end])
  rows.forEach(([name, gives], index) => { out.push({ about: 'body-malformed', gives, name, held: world, subject: { lane: broken.lane.ref, index } }) })
  return out
}

/** R7. */
function erasures (): Case[] {
  const [writer, wide, narrow] = [testKey('vectors writer'), testKey('vectors wide'), testKey('vectors narrow')]
  const d = makeDomain({ seed: 'vectors erase', principals: [{ key: writer, prefixes: ['docs'] }, { key: wide }, { key: narrow, prefixes: ['docs', 'wiki'] }] })
  const lane = new TestLane(d, writer, 'vectors erased')
  const heads = [lane.publish('docs/a'), lane.publish('docs/b'), lane.publish('docs/c')]
  const whole = new TestLane(d, wide, 'vectors eraser')
  whole.erase(lane, 0)
  whole.append({ kind: 'vouch', salt: whole.salt(), lane: lane.ref, snapshot: (heads[2] as { ref: Reference }).ref })
  whole.append({ kind: 'erase', salt: whole.salt(), lane: lane.ref, index: 2, leaf_hash: digestFrom('another leaf') })
  whole.erase(whole, 1)
  const other = new TestLane(d, narrow, 'vectors other')
  other.erase(lane, 1)
  other.erase(other, 0)
  const held = withLane(withLane(withLane(heldOf(d), lane, heads), whole, [whole.head()]), other, [other.head()])
  const noBody = withLane(withLane(heldOf(d), lane, heads, (i) => i !== 0), whole, [whole.head()])
  const own = new TestLane(d, narrow, 'vectors own')
  own.publish('wiki/x')
  own.erase(own, 0)
  const hidden = new TestLane(d, wide, 'vectors hidden', { visibility: INTERNAL })
  hidden.publish('docs/h')
  const shown = new TestLane(d, wide, 'vectors shown')
  shown.erase(hidden, 0)
  const inside = withLane(withLane(heldOf(d), hidden, [hidden.head()]), shown, [shown.head()])
  const of = (l: TestLane, index: number): { lane: Reference, index: number } => ({ lane: l.ref, index })
  return [
    { about: 'erased', gives: 'erased', name: 'a leaf erased by one with the whole domain as scope', held, subject: of(lane, 0) },
    { about: 'erased', gives: 'erased', name: 'the same where its body isn\'t held', held: noBody, subject: of(lane, 0) },
    { about: 'erased', gives: 'erased', name: 'a leaf erased by its own principal', held: withLane(heldOf(d), own, [own.head()]), subject: of(own, 0) },
    { about: 'erased', gives: 'accepted', name: 'another principal without the whole scope erases nothing', held, subject: of(lane, 1) },
    { about: 'erased', gives: 'accepted', name: 'an erase with the hash of another leaf erases nothing', held, subject: of(lane, 2) },
    { about: 'erased', gives: 'accepted', name: 'a vouch can\'t be erased', held, subject: of(whole, 1) },
    { about: 'erase-refused', gives: 'erase-refused', name: 'the erase of a vouch', held, subject: of(whole, 3) },
    { about: 'erase-refused', gives: 'erase-refused', name: 'the erase of an erase', held, subject: of(other, 1) },
    { about: 'erase-refused', gives: 'erase-refused', name: 'the erase of another\'s leaf without the whole scope', held, subject: of(other, 0) },
    { about: 'erase-refused', gives: 'erase-refused', name: 'the erase of its own internal lane\'s leaf, in a published lane', held: inside, subject: of(shown, 0) },
    { about: 'erase-refused', gives: 'internal', name: 'a leaf of an internal lane that a published lane erases', held: inside, subject: of(hidden, 0) },
    { about: 'erase-refused', gives: 'no-effect', name: 'the erase of a leaf with another hash', held, subject: of(whole, 2) },
    { about: 'lane-missing', gives: 'lane-missing', name: 'the erase of a leaf of a lane that isn\'t held', held: withLane(heldOf(d), whole, [whole.head()]), subject: of(whole, 0) },
    { about: 'log-missing', gives: 'log-missing', name: 'the erase of a leaf that isn\'t held', held: withLane(withLane(heldOf(d), lane, []), whole, [whole.head()]), subject: of(whole, 0) },
    { about: 'erase-refused', gives: 'accepted', name: 'the erase of another\'s leaf with the whole scope', held, subject: of(whole, 0) }
  ]
}

export function leafCases (): Case[] {
  return [...bodies(), ...erasures()]
}

export function matrixCases (): Case[] {
  return matrix()
}
