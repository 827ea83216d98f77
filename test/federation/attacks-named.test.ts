/** What a fourth hostile reading proved of heads that a stolen key makes a domain name: they starved others' lanes, set honest nodes against each other, never ended. */
import { beforeAll, expect, test } from 'vitest'
import { DomainKnowledge } from '../../src/authority/knowledge.js'
import { exportBundle, importBundle } from '../../src/federation/bundle.js'
import { pullFrom } from '../../src/federation/pull-local.js'
import { installNativeCrypto } from '../../src/node/native-crypto.js'
import { makeDomain, type TestDomain, testKey } from '../helpers/authority-fixtures.js'
import { engineOn, save } from '../helpers/engines.js'
import { admitHead, knowledgeOf, TestLane } from '../helpers/lanes.js'
import { bareHeads, blamed, joined, proofOfFork, QUIET, rounds, settled, wired } from '../helpers/rounds.js'

beforeAll(() => { installNativeCrypto() })

const owner = testKey('named owner')
const thief = testKey('named thief')
const writer = testKey('named writer')
const names = (k: DomainKnowledge): string[] => [...k.view().current.keys()].sort()

/** A lane of the thief's that pulls and views go through before `lane`, or after it. */
function inOrder (where: 'before' | 'behind', lane: TestLane, domain: TestDomain): TestLane {
  let said = new TestLane(domain, thief, 'said')
  for (let n = 0; (said.ref < lane.ref) !== (where === 'before'); n++) said = new TestLane(domain, thief, `said${n}`)
  return said
}

/**
 * A stolen federate key vouches for `count` heads of a lane of its own that nobody can show. Nonces are ground so that this lane is gone through before
 * `ahead`, and what vouches `where` it says from that lane.
 */
function hostile (domain: TestDomain, count: number, ahead: TestLane, where: 'before' | 'behind' = 'before'): (k: DomainKnowledge) => void {
  let lane = new TestLane(domain, thief, 'w')
  for (let n = 0; lane.ref > ahead.ref; n++) lane = new TestLane(domain, thief, `w${n}`)
  lane.publish('a')
  const said = inOrder(where, lane, domain)
  const bare = bareHeads(lane, count)
  for (const head of bare) said.vouch(lane, head)
  return (k) => {
    said.give(k, said.head())
    lane.give(k, lane.head())
    for (const head of bare) admitHead(k, head)
  }
}

/** The domain's own lane is anchored; `fill` gives it and the thief's. */
function sealed (): { domain: TestDomain, fill: (k: DomainKnowledge) => DomainKnowledge } {
  const domain = makeDomain({ seed: 'starve seal', principals: [{ key: owner }, { key: thief }] })
  const own = new TestLane(domain, owner, 'own')
  own.publish('report')
  const spoil = hostile(domain, 16, own)
  domain.manifest({ cuts: [{ lane: own.ref, snapshot: own.head().ref, ends: false }] })
  return { domain, fill: (k) => {
    own.give(k, own.head())
    spoil(k)
    return k
  } }
}

/** A pull that stops itself: an import that never ends would keep the test runner for ever. */
function pulled (k: DomainKnowledge, from: DomainKnowledge): void {
  let notes = 0
  pullFrom(k, from, { ...QUIET, note: () => { if (++notes > 1000) throw new Error('the pull never ends') } })
}

test('R5, S1: a vouched head that lies about its logseq exports the same, whether the log that shows the lie is held or not', () => {
  const domain = makeDomain({ seed: 'lie', principals: [{ key: owner }, { key: writer, roles: ['publish'] }] })
  const lane = new TestLane(domain, writer, 'w')
  for (let i = 0; i < 3; i++) lane.publish(`n${i}`)
  const twin = lane.fork(3)
  for (let i = 0; i < 4; i++) lane.publish(`l${i}`)
  for (let i = 0; i < 4; i++) twin.publish(`x${i}`)
  const lie = twin.head({ logseq: 1000 })
  const own = new TestLane(domain, owner, 'own')
  own.vouch(lane, lie)
  const next = [twin, lane].map((branch, i) => new TestLane(domain, writer, `next${i}`, { previous: branch.head().ref }))
  for (const after of next) own.vouch(after, after.publish(`after ${after.ref}`))
  const proof = proofOfFork(domain, lane, twin)
  const [one, other] = [twin, lane].map((branch) => {
    const k = knowledgeOf(domain)
    for (const whole of [own, ...next]) whole.give(k, whole.head())
    k.admit(lane.item.artifact)
    k.admit(proof)
    for (const head of [lane.head(), twin.head(), lie]) admitHead(k, head)
    branch.give(k, branch.head())
    return k
  }) as [DomainKnowledge, DomainKnowledge]
  joined(one, other)
  expect([one, other].map((k) => k.view().withheld)).toEqual([[], []])
  expect(one.view().lanes.get(lane.ref)?.exported).toBe(other.view().lanes.get(lane.ref)?.exported)
  expect(one.view().digest).toBe(other.view().digest)
})

test('A2, E4: a log asked for in vain is asked for again once the peer has it, behind a proven fork too', () => {
  const domain = makeDomain({ seed: 'tried', principals: [{ key: owner }, { key: writer, roles: ['publish'] }] })
  const lane = new TestLane(domain, writer, 'w')
  for (let i = 0; i < 5; i++) lane.publish(`n${i}`)
  const twin = lane.fork(3)
  twin.publish('z')
  const own = new TestLane(domain, owner, 'own')
  own.vouch(lane, lane.head())
  const proof = proofOfFork(domain, lane, twin)
  const [a, b, c] = Array.from({ length: 3 }, () => {
    const k = knowledgeOf(domain)
    own.give(k, own.head())
    k.admit(lane.item.artifact)
    k.admit(proof)
    admitHead(k, lane.head())
    return k
  }) as [DomainKnowledge, DomainKnowledge, DomainKnowledge]
  lane.give(a, lane.head())
  // One thing more that c alone knows, so that b asks it.
  own.publish('more')
  own.give(c, own.head())
  const exported = (): Array<number | undefined> => [a, b, c].map((k) => k.view().lanes.get(lane.ref)?.exported)
  const wires = wired({ b, c })
  settled(wires, 5)
  expect([exported(), names(b)]).toEqual([[3, 0, 0], ['more']])
  wires.add('a', a)
  wires.connect('c', 'a')
  settled(wires, 30, 6)
  expect(exported()).toEqual([3, 3, 3])
})

test('THREATS 23: heads that nobody can show keep no vouched lane from who joins, and aren\'t asked for again', () => {
  const domain = makeDomain({ seed: 'starve', principals: [{ key: owner }, { key: writer, roles: ['publish'] }, { key: thief }] })
  const honest = new TestLane(domain, writer, 'honest')
  honest.publish('report')
  const own = new TestLane(domain, owner, 'own')
  own.vouch(honest, honest.head())
  const spoil = hostile(domain, 16, honest)
  const k = knowledgeOf(domain)
  own.give(k, own.head())
  honest.give(k, honest.head())
  spoil(k)
  const late = new DomainKnowledge(domain.domain)
  const asked = rounds(k, late)
  expect(names(late)).toEqual(['a', 'report'])
  expect(asked.slice(5).filter((n) => n > 0)).toEqual([])
})

test('E7, THREATS 23: heads that nobody can show hide no fork of another lane', () => {
  const domain = makeDomain({ seed: 'starve fork', principals: [{ key: owner }, { key: writer }, { key: thief }] })
  const forked = new TestLane(domain, writer, 'forked')
  forked.publish('x')
  const twin = forked.fork(1)
  forked.publish('y')
  twin.publish('z')
  const own = new TestLane(domain, owner, 'own')
  for (const branch of [forked, twin]) own.vouch(forked, branch.head())
  const spoil = hostile(domain, 16, forked)
  const [one, other] = [forked, twin].map((branch) => {
    const k = knowledgeOf(domain)
    own.give(k, own.head())
    branch.give(k, branch.head())
    spoil(k)
    return k
  }) as [DomainKnowledge, DomainKnowledge]
  const asked = rounds(one, other)
  expect([one, other].map((k) => k.lanes.get(forked.ref)?.evidence?.index)).toEqual([1, 1])
  expect([one, other].map((k) => k.view().current.get('x')?.code)).toEqual(['contested', 'contested'])
  expect(one.view().digest).toBe(other.view().digest)
  expect(asked.slice(5).filter((n) => n > 0)).toEqual([])
})

test('K4, THREATS 23: nor do they keep the domain\'s own lanes from who joins once these are anchored', () => {
  const { domain, fill } = sealed()
  const late = new DomainKnowledge(domain.domain)
  joined(fill(knowledgeOf(domain)), late)
  expect(names(late)).toEqual(['a', 'report'])
})

test('K4, THREATS 23: a pull of heads that nobody can show ends, and so does the import of a bundle that holds them', async () => {
  const { domain, fill } = sealed()
  const [from, to] = [await engineOn('hang from', domain), await engineOn('hang to')]
  const k = fill(await from.knowledge(domain.domain))
  for (const { artifact } of domain.items) k.admit(artifact)
  pulled(new DomainKnowledge(domain.domain), k)
  await save(from, k)
  expect(await importBundle(to, exportBundle(from, domain.domain))).toMatchObject({ status: 'accepted', refused: [] })
  const got = await to.knowledge(domain.domain)
  expect([names(got), got.view().digest]).toEqual([['a', 'report'], k.view().digest])
})

test('K4, THREATS 23: the import of an older, clean bundle ends at a node that heard of them since', async () => {
  const { domain, fill } = sealed()
  const [from, to] = [await engineOn('old from', domain), await engineOn('old to', domain)]
  await save(from, await from.knowledge(domain.domain))
  const held = fill(await to.knowledge(domain.domain))
  const before = held.view().digest
  // What a file holds learns from what is held here.
  pulled(knowledgeOf(domain), held)
  await save(to, held)
  expect(await importBundle(to, exportBundle(from, domain.domain))).toMatchObject({ status: 'accepted', refused: [] })
  const got = await to.knowledge(domain.domain)
  expect([names(got), got.view().digest]).toEqual([['a', 'report'], before])
})

test('A3, THREATS 23: who passes on heads that the domain named isn\'t blamed for what nobody can show', () => {
  const domain = makeDomain({ seed: 'ban', principals: [{ key: owner }, { key: thief }] })
  const own = new TestLane(domain, owner, 'own')
  own.publish('report')
  const spoil = hostile(domain, 40, own, 'behind')
  const k = knowledgeOf(domain)
  own.give(k, own.head())
  spoil(k)
  const late = new DomainKnowledge(domain.domain)
  const wires = wired({ k, late })
  settled(wires)
  expect(names(late)).toEqual(['a', 'report'])
  expect(blamed(wires)).toEqual({ k: 0, late: 0 })
})

test.each(['before', 'behind'] as const)('S1, THREATS 23: who passes on heads that the domain named isn\'t blamed for lies that it can\'t tell; what names them comes %s their lane', (where) => {
  const domain = makeDomain({ seed: 'lies', principals: [{ key: owner }, { key: thief }] })
  const lane = new TestLane(domain, thief, 'w')
  for (let i = 0; i < 10; i++) lane.publish(`n${i}`)
  const lies = Array.from({ length: 8 }, (_, i) => lane.head({ size: i + 1, logseq: 5000 + i }))
  const own = new TestLane(domain, owner, 'own')
  own.publish('report')
  const said = inOrder(where, lane, domain)
  for (const lie of lies) said.vouch(lane, lie)
  const [one, other] = [knowledgeOf(domain), knowledgeOf(domain)]
  lane.give(one, lane.head())
  own.give(other, own.head())
  said.give(other, said.head())
  other.admit(lane.item.artifact)
  for (const lie of lies) admitHead(other, lie)
  const wires = wired({ one, other })
  settled(wires)
  expect(names(one)).toContain('report')
  expect(one.view().digest).toBe(other.view().digest)
  expect(blamed(wires)).toEqual({ one: 0, other: 0 })
})

test('R5, L5: a lane counts the same whoever holds the branch on which the head that its `previous` names is shown to lie', () => {
  const domain = makeDomain({ seed: 'lies previous', principals: [{ key: owner }, { key: writer, roles: ['publish'] }, { key: thief }] })
  const manifest = domain.tip
  const lane = new TestLane(domain, writer, 'w', { manifest })
  lane.publish('n0')
  const twin = lane.fork(1)
  lane.publish('l1')
  twin.publish('x1')
  const lie = twin.head({ logseq: 1000 })
  const next = new TestLane(domain, writer, 'next', { manifest, previous: lie.ref })
  next.publish('p')
  const own = new TestLane(domain, owner, 'own', { manifest })
  own.publish('report')
  // A stolen federate key exports the writer's other branch ...
  const stolen = new TestLane(domain, thief, 'stolen', { manifest })
  stolen.vouch(lane, twin.head())
  const [first, source] = [knowledgeOf(domain), knowledgeOf(domain)]
  for (const whole of [stolen, twin, own]) whole.give(source, whole.head())
  joined(first, source)
  expect(first.lanes.get(lane.ref)?.held).toBe(2)
  // ... and is closed: nothing of the branch counts any more, and who has it keeps it.
  domain.manifest({ principals: [{ key: owner }, { key: writer, roles: ['publish'] }], closed: [thief] })
  own.vouch(next, next.head())
  const second = knowledgeOf(domain)
  for (const whole of [own, next]) whole.give(second, whole.head())
  second.admit(lane.item.artifact)
  admitHead(second, lie)
  second.admit(proofOfFork(domain, lane, twin))
  joined(first, second)
  const late = new DomainKnowledge(domain.domain)
  joined(late, first)
  expect([first, second, late].map(names)).toEqual(Array(3).fill(['p', 'report']))
  expect(new Set([first, second, late].map((k) => k.view().digest)).size).toBe(1)
})

test.each(['bare', 'lies'] as const)('THREATS 24: who hasn\'t heard of the fork of the lane that names heads is hardly blamed for them: %s', (kind) => {
  const domain = makeDomain({ seed: 'a5 blame', principals: [{ key: owner }, { key: thief }] })
  const own = new TestLane(domain, owner, 'own')
  own.publish('report')
  const w = new TestLane(domain, thief, 'w')
  for (let i = 0; i < 50; i++) w.publish(`n${i}`)
  const heads = kind === 'bare' ? bareHeads(w, 40) : Array.from({ length: 40 }, (_, i) => w.head({ size: i + 1, logseq: 5000 + i }))
  const said = new TestLane(domain, thief, 'said')
  said.publish('x')
  const twin = said.fork(1)
  for (const h of heads) said.vouch(w, h)
  twin.publish('other')
  const server = knowledgeOf(domain)
  own.give(server, own.head())
  said.give(server, said.head())
  server.admit(w.item.artifact)
  for (const h of heads) admitHead(server, h)
  const asker = knowledgeOf(domain)
  own.give(asker, own.head())
  twin.give(asker, twin.head())
  if (kind === 'lies') w.give(asker, w.head())
  const wires = wired({ server, asker })
  settled(wires, 3)
  // A ban is at 100.
  expect(Math.max(...Object.values(blamed(wires)))).toBeLessThanOrEqual(15)
})
