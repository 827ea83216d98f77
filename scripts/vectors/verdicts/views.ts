/** What the domain's view makes of good records: exports, vouches, names, equivocation. R4, A2, A3, L2, L5, E1, E3-E5, K4, V4; THREATS 6, 14. */
import type { Role } from '../../../src/authority/role-names.js'
import type { VerdictCode } from '../../../src/authority/verdict.js'
import { type ForkEvidence, forkEvidenceCodec, makeEvidence } from '../../../src/publication/evidence.js'
import { fileCodec } from '../../../src/publication/file.js'
import { INTERNAL } from '../../../src/publication/lane.js'
import { type Body, encodeLeaf, leafOf } from '../../../src/publication/leaf.js'
import { leafHash } from '../../../src/publication/merkle.js'
import { treeCodec } from '../../../src/publication/tree.js'
import { utf8 } from '../../../src/substrate/bytes.js'
import { signatureCodec } from '../../../src/substrate/signature.js'
import { digestFrom, type Item, itemOf, makeDomain, refFrom, type TestDomain, type TestKey, testKey } from '../../../test/helpers/authority-fixtures.js'
import { type MadeHead, TestLane } from '../../../test/helpers/lanes.js'
import { type Case, type Held, heldOf, type Subject, withItems, withLane } from './cases.js'
import { raw } from './lanes.js'

const KEYS = { fed: testKey('vectors fed'), pub: testKey('vectors pub'), prod: testKey('vectors prod'), audit: testKey('vectors auditor') }
const ROLES_OF: ReadonlyArray<[TestKey, Role[], string[]]> = [[KEYS.fed, ['federate', 'publish'], ['']], [KEYS.pub, ['publish'], ['pub', 'both']], [KEYS.prod, ['produce'], ['prod', 'both']], [KEYS.audit, ['federate'], ['']]]
const make = (): TestDomain => makeDomain({ seed: 'vectors views', principals: ROLES_OF.map(([key, roles, prefixes]) => ({ key, roles, prefixes })) })
const lane = (d: TestDomain, key: TestKey, name: string, fields = {}): TestLane => new TestLane(d, key, `vectors views ${name}`, fields)
const of = (l: TestLane, index: number): Subject => ({ lane: l.ref, index })

/** A2, A3, L2. */
function exports (): Case[] {
  const out: Case[] = []
  const add = (about: VerdictCode, gives: VerdictCode, name: string, held: Held, subject: Subject): void => { out.push({ about, gives, name, held, subject }) }
  const d = make()
  const [fed, pub, prod] = [lane(d, KEYS.fed, 'fed'), lane(d, KEYS.pub, 'pub'), lane(d, KEYS.prod, 'prod')]
  const published = [pub.publish('pub/a'), pub.publish('pub/b')] as const
  const produced = [prod.publish('prod/a'), prod.publish('prod/b'), prod.publish('prod/c')] as const
  const alone = withLane(withLane(heldOf(d), pub, published), prod, produced)
  add('not-exported', 'not-exported', 'a publisher\'s record that no federate key vouched for', alone, of(pub, 0))
  add('not-exported', 'not-exported', 'the lane of a publisher that nobody vouched for', alone, { reference: pub.ref })
  add('not-visible', 'not-visible', 'a producer\'s record that nobody vouched for', alone, of(prod, 0))
  add('not-visible', 'not-visible', 'the lane of a producer that nobody vouched for', alone, { reference: prod.ref })
  add('not-held', 'not-held', 'a name that nothing says anything of', alone, { name: 'nowhere' })
  add('not-exported', 'not-exported', 'a name of a record that isn\'t exported', alone, { name: 'pub/a' })
  // A publisher who federates vouches for the first leaf of one and the first two of the other.
  fed.vouch(pub, published[0])
  const vouched = withLane(alone, fed, [fed.vouch(prod, produced[1])])
  add('not-exported', 'accepted', 'a publisher\'s record below the vouched head', vouched, of(pub, 0))
  add('not-exported', 'not-exported', 'a publisher\'s record behind the vouched head', vouched, of(pub, 1))
  add('not-visible', 'accepted', 'a producer\'s record below the vouched head', vouched, of(prod, 1))
  add('not-visible', 'not-visible', 'a producer\'s record behind the vouched head', vouched, of(prod, 2))
  add('not-exported', 'accepted', 'the name of an exported record', vouched, { name: 'prod/b' })
  // Who federates and doesn't publish exports what publishers made visible, and makes nothing visible.
  const auditor = lane(d, KEYS.audit, 'auditor')
  auditor.vouch(pub, published[1])
  const by = withLane(alone, auditor, [auditor.vouch(prod, produced[1])])
  add('not-exported', 'accepted', 'a publisher\'s record vouched for by one who only federates', by, of(pub, 1))
  add('not-visible', 'not-visible', 'a producer\'s record vouched for by one who only federates', by, of(prod, 0))
  // What a publisher vouches for counts as far as the publisher's own leaf is exported.
  const chain = lane(d, KEYS.pub, 'chain')
  chain.publish('pub/z')
  const heads = [chain.head(), chain.vouch(prod, produced[0])]
  const open = lane(d, KEYS.audit, 'open')
  open.vouch(chain, heads[1] as MadeHead)
  const both = withLane(withLane(withLane(heldOf(d), prod, produced), chain, heads), open, [open.vouch(prod, produced[2])])
  add('not-visible', 'accepted', 'a producer\'s record that a publisher made visible and another exported', both, of(prod, 0))
  add('not-visible', 'not-visible', 'a producer\'s record that was exported and not made visible', both, of(prod, 1))
  // A2: vouches only lengthen. A later one for an earlier head, and one by another federate key, take nothing away.
  const back = lane(d, KEYS.fed, 'back')
  back.vouch(pub, published[1])
  const less = lane(d, KEYS.audit, 'less')
  const shorter = withLane(withLane(alone, back, [back.vouch(pub, published[0])]), less, [less.vouch(pub, published[0])])
  add('not-exported', 'accepted', 'a record that later vouches don\'t cover', shorter, of(pub, 1))
  // A publisher's own vouch counts only as far as its lane is exported.
  const hidden = lane(d, KEYS.pub, 'hidden')
  const hiddenHeads = [hidden.publish('pub/y'), hidden.vouch(prod, produced[1])] as const
  const partly = lane(d, KEYS.audit, 'partly')
  partly.vouch(hidden, hiddenHeads[0])
  const dark = withLane(withLane(alone, hidden, hiddenHeads), partly, [partly.vouch(prod, produced[1])])
  add('not-visible', 'not-visible', 'a producer\'s record that an unexported vouch makes visible', dark, of(prod, 0))
  // A publisher's vouch exports nothing: only a federate key's does (L5).
  const vouching = lane(d, KEYS.pub, 'vouching')
  add('not-exported', 'not-exported', 'a publisher\'s record that another publisher vouched for', withLane(alone, vouching, [vouching.vouch(pub, published[1])]), of(pub, 0))
  // L2.
  const inside = lane(d, KEYS.pub, 'inside', { visibility: INTERNAL })
  const secret = inside.publish('pub/secret')
  const shown = lane(d, KEYS.fed, 'shown')
  add('internal', 'internal', 'an internal lane stays so whoever vouches for it', withLane(withLane(heldOf(d), inside, [secret]), shown, [shown.vouch(inside, secret)]), of(inside, 0))
  // A head of an internal lane is nobody's to ask for, so nobody can miss it.
  const named = lane(d, KEYS.fed, 'named')
  out.push({ about: 'withheld', gives: 'accepted', name: 'a vouch for the head of an internal lane that isn\'t held', rule: 'L2', held: withLane(withItems(heldOf(d), inside.item), named, [named.vouch(inside, secret)]), subject: { domain: true } })
  return out
}

/** R4: which of two concurrent records of a name is in force. */
function order (): Case[] {
  const out: Case[] = []
  const small = refFrom('content 1') < refFrom('content 2') ? 'content 1' : 'content 2'
  const great = small === 'content 1' ? 'content 2' : 'content 1'
  const write = (name: string, content: string, salt: string): Body => ({ kind: 'publish', salt: digestFrom(salt).slice(0, 32), name, ref: refFrom(content), mode: 0o644 })
  const erase = (name: string, salt: string): Body => ({ kind: 'tombstone', salt: digestFrom(salt).slice(0, 32), name })
  /** The first salt under which `x` has the greater leaf hash though `y` has to win. */
  const against = (x: (salt: string) => Body, y: Body): Body => {
    const hash = (b: Body): string => leafHash(encodeLeaf(leafOf(3, b).leaf))
    for (let i = 0; ; i++) if (hash(x(`against ${i}`)) > hash(y)) return x(`against ${i}`)
  }
  const rows: Array<[string, [number, Body], [number, Body], 0 | 1 | 'hash']> = [
    ['the greater logseq wins', [1, write('n', great, 'a')], [2, write('n', small, 'b')], 1],
    ['at equal logseq the greater reference wins', [3, against((s) => write('n', small, s), write('n', great, 'b'))], [3, write('n', great, 'b')], 1],
    ['at equal logseq a publish wins over a tombstone', [3, against((s) => erase('n', s), write('n', small, 'b'))], [3, write('n', small, 'b')], 1],
    ['a tombstone with a greater logseq wins', [4, erase('n', 'a')], [3, write('n', great, 'b')], 0],
    ['at equal logseq and reference the greater leaf hash wins', [3, write('n', great, 'a')], [3, write('n', great, 'b')], 'hash'],
    ['a lift merges as a publish does', [3, { ...write('n', great, 'a'), kind: 'lift' } as Body], [3, write('n', small, 'b')], 0]
  ]
  for (const [name, x, y, wins] of rows) {
    const d = makeDomain({ seed: 'vectors order', principals: [{ key: KEYS.fed }, { key: KEYS.pub }] })
    const lanes = [lane(d, KEYS.fed, 'left'), lane(d, KEYS.pub, 'right')] as const
    let held: Held = heldOf(d)
    ;[x, y].forEach(([logseq, body], i) => {
      const l = lanes[i] as TestLane
      held = withLane(held, l, [raw(l, leafOf(logseq, body))])
    })
    const winner = wins === 'hash' ? (lanes[0].log.leafHash(0) > lanes[1].log.leafHash(0) ? 0 : 1) : wins
    out.push(
      { about: 'superseded', gives: 'accepted', name: `${name}: the winner`, held, subject: of(lanes[winner], 0) },
      { about: 'superseded', gives: 'superseded', name: `${name}: the other`, held, subject: of(lanes[1 - winner] as TestLane, 0) },
      { about: 'superseded', gives: 'accepted', name: `${name}: the name`, held, subject: { name: 'n' } })
  }
  return out
}

/** The proof that two logs of one lane differ at `index`. */
export function proofOf (x: TestLane, xHead: MadeHead, y: TestLane, yHead: MadeHead, index: number): ForkEvidence {
  const side = (l: TestLane, h: MadeHead): ForkEvidence['a'] => ({
    log_size: h.size, log_root: l.log.root(h.size), logseq: l.leaves[h.size - 1]?.leaf.logseq ?? 0,
    signature: signatureCodec.from(h.signature.artifact).signature, leaf_hash: l.log.leafHash(index), path: l.log.inclusion(index, h.size)
  })
  return makeEvidence(x.ref, x.key.publicKey, index, side(x, xHead), side(y, yHead))
}

const proofItem = (e: ForkEvidence): Item => itemOf(forkEvidenceCodec.artifact(e))

/** E1, E3-E5, K4. A publisher with scope both and pub forks behind leaf 1; what others wrote stands beside it. */
function forks (): Case[] {
  const out: Case[] = []
  const add = (about: VerdictCode, gives: VerdictCode, name: string, held: Held, subject: Subject): void => { out.push({ about, gives, name, held, subject }) }
  const d = makeDomain({ seed: 'vectors forks', principals: [{ key: KEYS.fed, prefixes: ['fed', 'both'] }, { key: KEYS.pub, prefixes: ['pub', 'both'] }] })
  const other = lane(d, KEYS.fed, 'beside')
  const beside = [other.publish('fed/x'), other.publish('both/x')]
  const main = lane(d, KEYS.pub, 'forked')
  const heads = [main.publish('pub/a'), main.publish('pub/b'), main.publish('pub/c'), main.publish('pub/d')] as const
  const twin = main.fork(2)
  const twins = [twin.publish('pub/c', 'other'), twin.publish('pub/e')] as const
  const world = withLane(withLane(heldOf(d), other, beside), main, heads)
  const proof = proofOf(main, heads[3], twin, twins[1], 2)
  const later = proofOf(main, heads[3], twin, twins[1], 3)
  const forked = withItems(world, proofItem(proof))
  add('lane-forked', 'lane-forked', 'the lane of a key that equivocated', forked, { reference: main.ref })
  add('lane-forked', 'accepted', 'the same lane before it is known', world, { reference: main.ref })
  add('lane-forked', 'lane-forked', 'a record from the first difference on', forked, of(main, 2))
  add('lane-forked', 'contested', 'a record below the first difference', forked, of(main, 1))
  add('lane-forked', 'contested', 'with a proof of a later difference alone: the record at the first one', withItems(world, proofItem(later)), of(main, 2))
  add('lane-forked', 'lane-forked', 'with both proofs the smaller index counts', withItems(world, proofItem(later), proofItem(proof)), of(main, 2))
  add('lane-forked', 'lane-forked', 'the other branch is held beside it', withLane(forked, twin, [twins[1]]), of(main, 2))
  add('contested', 'contested', 'a name of the forked lane', forked, { name: 'pub/a' })
  add('contested', 'contested', 'another\'s name in the scope of the forked key', forked, { name: 'both/x' })
  add('contested', 'accepted', 'another\'s name outside of that scope', forked, { name: 'fed/x' })
  add('contested', 'accepted', 'the same name before the fork is known', world, { name: 'both/x' })
  add('contested', 'lane-forked', 'the whole domain', forked, { domain: true })
  const cutDown = (ends: boolean, head: MadeHead, extra: { closed?: TestKey[] } = {}): Held => {
    const c = makeDomain({ seed: 'vectors forks', principals: [{ key: KEYS.fed, prefixes: ['fed', 'both'] }, { key: KEYS.pub, prefixes: ['pub', 'both'] }] })
    c.manifest({ ...extra, cuts: [{ lane: main.ref, snapshot: head.ref, ends }] })
    return { ...forked, items: [...c.items, ...forked.items] }
  }
  add('contested', 'accepted', 'a cut that ends the lane settles it: a name below the cut', cutDown(true, heads[1]), { name: 'pub/a' })
  add('contested', 'accepted', 'a cut behind the difference settles it, too: what it names is an anchor', cutDown(true, heads[2]), of(main, 2))
  add('cut', 'cut', 'a record behind the cut that settles it', cutDown(true, heads[1]), of(main, 2))
  add('contested', 'contested', 'an anchor alone doesn\'t end the dispute', cutDown(false, heads[2]), of(main, 2))
  add('lane-forked', 'lane-forked', 'a record behind the anchor', cutDown(false, heads[2]), of(main, 3))
  // K3a, K4: cuts and anchors on both branches.
  const onBoth = (...cuts: Array<[MadeHead, boolean]>): Held => {
    const c = makeDomain({ seed: 'vectors forks', principals: [{ key: KEYS.fed, prefixes: ['fed', 'both'] }, { key: KEYS.pub, prefixes: ['pub', 'both'] }] })
    for (const [head, ends] of cuts) c.manifest({ cuts: [{ lane: main.ref, snapshot: head.ref, ends }] })
    const held = withLane(withLane(forked, twin, twins), main, [])
    return { ...held, items: [...c.items, ...held.items] }
  }
  const split = onBoth([heads[3], true], [twins[1], true])
  add('cut', 'accepted', 'cuts on two branches: a record that both share', split, of(main, 1))
  add('cut', 'cut', 'cuts on two branches: a record that only one of them has', split, of(main, 2))
  const chosen = onBoth([twins[0], false])
  add('lane-forked', 'contested', 'an anchor chooses its branch: the record under it', chosen, of(main, 2))
  add('lane-forked', 'contested', 'an anchor chooses its branch: the name that only this branch has', onBoth([twins[1], false]), { name: 'pub/e' })
  add('not-held', 'not-held', 'an anchor chooses its branch: a name that only the other has', onBoth([twins[1], false]), { name: 'pub/d' })
  const firstCounts = onBoth([twins[1], false], [heads[3], false])
  add('lane-forked', 'contested', 'an anchor that contradicts an earlier one has no force', firstCounts, { name: 'pub/e' })
  // L5: a lane that only `previous` of a considered lane names is considered, too, and so is what its key did there.
  const p = makeDomain({ seed: 'vectors previous', principals: [{ key: KEYS.fed, prefixes: ['fed', 'both'] }, { key: KEYS.pub, roles: ['publish'], prefixes: ['pub', 'both'] }] })
  const old = lane(p, KEYS.pub, 'old')
  const olds = [old.publish('pub/a'), old.publish('pub/b')] as const
  const oldTwin = old.fork(1)
  const bad = oldTwin.publish('pub/b', 'other')
  const fresh = lane(p, KEYS.pub, 'fresh', { previous: olds[1].ref })
  const freshHead = fresh.publish('pub/c')
  const fed = lane(p, KEYS.fed, 'federates')
  fed.publish('both/x')
  const without = withLane(withItems(withLane(heldOf(p), old, olds), proofItem(proofOf(old, olds[1], oldTwin, bad, 1))), fed, [fed.head()])
  add('contested', 'accepted', 'a fork of a lane that nothing names', without, { name: 'both/x' })
  add('contested', 'contested', 'a fork of a lane that `previous` of a considered lane names', withLane(withLane(without, fresh, [freshHead]), fed, [fed.vouch(fresh, freshHead)]), { name: 'both/x' })
  // What nobody could have meant: evidence that proves nothing.
  const offered = (e: ForkEvidence): [Held, Subject] => [withItems(world, proofItem(e)), { offer: world.items.length }]
  add('bad-evidence', 'accepted', 'evidence of a difference', ...offered(proof))
  add('bad-evidence', 'bad-evidence', 'both sides show the same leaf', ...offered({ ...proof, b: { ...proof.b, leaf_hash: proof.a.leaf_hash } }))
  add('bad-evidence', 'bad-evidence', 'an index beyond one of the logs', ...offered({ ...proof, index: 9 }))
  add('bad-evidence', 'bad-evidence', 'paths of another index', ...offered({ ...proof, index: 1 }))
  add('bad-evidence', 'bad-evidence', 'a signature of the other side', ...offered({ ...proof, a: { ...proof.a, signature: proof.b.signature } }))
  add('bad-evidence', 'bad-evidence', 'in the name of another key', ...offered({ ...proof, public_key: KEYS.fed.publicKey }))
  add('bad-evidence', 'bad-evidence', 'two heads of one log: a prefix is no fork', ...offered(proofOf(main, heads[3], main, heads[2], 1)))
  const forger = lane(d, testKey('vectors mallory'), 'forged')
  const lie = forger.publish('pub/a')
  const lied = forger.fork(0)
  const forged = proofOf(forger, lie, lied, lied.publish('pub/b'), 0)
  add('bad-evidence', 'bad-evidence', 'heads of another lane by another key', ...offered(makeEvidence(main.ref, forged.public_key, 0, forged.a, forged.b)))
  add('lane-missing', 'lane-missing', 'evidence against a lane that isn\'t held', withItems(heldOf(d), proofItem(proof)), { offer: d.items.length })
  return out
}

/** V4, P1: content. */
function contents (): Case[] {
  const out: Case[] = []
  const add = (about: VerdictCode, gives: VerdictCode, name: string, held: Held, subject: Subject): void => { out.push({ about, gives, name, held, subject }) }
  const chunk = itemOf({ typeTag: undefined, payload: utf8('Some content.\n') })
  const other = itemOf({ typeTag: undefined, payload: utf8('Nobody published this.\n') })
  const file = itemOf(fileCodec.artifact({ level: 0, size: 2 * chunk.artifact.payload.length, parts: [chunk, chunk].map(({ ref, artifact }) => ({ size: artifact.payload.length, ref })) }))
  const tree = itemOf(treeCodec.artifact({ level: 0, entries: [{ kind: 'file', name: 'twice', mode: 0o644, size: 2 * chunk.artifact.payload.length, ref: file.ref }] }))
  const d = makeDomain({ seed: 'vectors contents', principals: [{ key: KEYS.fed }] })
  const l = lane(d, KEYS.fed, 'contents')
  const head = l.append({ kind: 'publish', salt: l.salt(), name: 'site', ref: tree.ref, mode: 0o755 })
  const world = withLane(heldOf(d), l, [head])
  const whole = withItems(world, tree, file, chunk, other)
  add('unclaimed', 'unclaimed', 'content that no exported record contains', whole, { reference: other.ref })
  add('unclaimed', 'accepted', 'content that an exported record contains', whole, { reference: chunk.ref })
  add('content-missing', 'content-missing', 'a directory whose file isn\'t held', withItems(world, tree, chunk), { reference: tree.ref })
  add('content-missing', 'accepted', 'a directory that is held whole', whole, { reference: tree.ref })
  add('not-held', 'not-held', 'something that nothing held leads to', world, { reference: other.ref })
  add('not-held', 'unclaimed', 'the same when it is held', whole, { reference: other.ref })
  add('not-authority', 'not-authority', 'a File offered as a control object', withItems(world, file), { offer: world.items.length })
  add('not-authority', 'not-authority', 'an untagged artifact offered as a control object', withItems(world, chunk), { offer: world.items.length })
  add('not-authority', 'accepted', 'a Lane offered as a control object', withItems(heldOf(d), l.item), { offer: d.items.length })
  return out
}

export function viewCases (): Case[] {
  return [...exports(), ...order(), ...contents()]
}

export function forkCases (): Case[] {
  return forks()
}
