/** Lanes, heads, logs and cuts: L1-L3, S1, R3, R6, K1-K4; THREATS 6, 11. */
import type { Lane } from '../../../src/publication/lane.js'
import { INTERNAL, snapshotCodec } from '../../../src/publication/lane.js'
import { bareLeaf, encodeLeaf, type NewLeaf, NO_BODY } from '../../../src/publication/leaf.js'
import type { VerdictCode } from '../../../src/authority/verdict.js'
import { concatBytes } from '../../../src/substrate/bytes.js'
import type { Reference } from '../../../src/substrate/reference.js'
import { makeDomain, type ManifestOptions, refFrom, signed, type TestDomain, testKey } from '../../../test/helpers/authority-fixtures.js'
import { type MadeHead, TestLane } from '../../../test/helpers/lanes.js'
import { type Case, type Held, heldOf, type Subject, withItems, withLane } from './cases.js'

export const owner = testKey('vectors owner')
export const second = testKey('vectors second')
export const domainOf = (): TestDomain => makeDomain({ seed: 'vectors lanes', principals: [{ key: owner }, { key: second, prefixes: ['docs'] }] })
export const laneOf = (d: TestDomain, key = second, seed = 'main', fields: Partial<Lane> = {}): TestLane => new TestLane(d, key, `vectors ${seed}`, fields)

/** Leaves as they are, whatever they say. */
export function raw (lane: TestLane, ...leaves: readonly NewLeaf[]): MadeHead {
  for (const leaf of leaves) {
    lane.leaves.push(leaf)
    lane.log.append(encodeLeaf(leaf.leaf))
  }
  return lane.head()
}
export const kind = (n: number, logseq: number): NewLeaf => ({ leaf: { kind: n, logseq, body_hash: NO_BODY }, body: undefined })

/** A lane with three publishes, each with a head. */
function three (d: TestDomain, fields: Partial<Lane> = {}, key = second): { lane: TestLane, heads: MadeHead[] } {
  const lane = laneOf(d, key, 'three', fields)
  return { lane, heads: ['docs/a', 'docs/b', 'docs/c'].map((name) => lane.publish(name)) }
}

const STEP = 2 ** 24

/** R3, R6: what stops a lane. Subject: the leaf that stops it, and the one before. */
function stops (): Case[] {
  const out: Case[] = []
  const stopped = (about: VerdictCode, name: string, leaves: readonly NewLeaf[], at: number | undefined): void => {
    const d = domainOf()
    const lane = laneOf(d)
    const head = raw(lane, ...leaves)
    const held = withLane(heldOf(d), lane, [head])
    if (at === undefined) out.push({ about, gives: 'no-effect', name, held, subject: { lane: lane.ref, index: leaves.length - 1 } })
    else {
      out.push({ about, gives: about, name, held, subject: { lane: lane.ref, index: at } })
      if (at > 0) out.push({ about, gives: 'no-effect', name: `${name}: the leaf before`, held, subject: { lane: lane.ref, index: at - 1 } })
      if (at < leaves.length - 1) out.push({ about, gives: about, name: `${name}: the last leaf`, held, subject: { lane: lane.ref, index: leaves.length - 1 } })
    }
  }
  const ticks = (...logseqs: number[]): NewLeaf[] => logseqs.map((n) => bareLeaf('tick', n))
  stopped('lane-malformed', 'steps of 2^24', ticks(STEP, 2 * STEP), undefined)
  stopped('lane-malformed', 'a step of 2^24 and 1', ticks(1, STEP + 2), 1)
  stopped('lane-malformed', 'it starts at 2^24 and 1', ticks(STEP + 1, STEP + 2), 0)
  stopped('lane-malformed', 'a logseq of 2^53 - 1', ticks(1, 2 ** 53 - 1), 1)
  stopped('lane-malformed', 'the same logseq twice', ticks(1, 1, 2), 1)
  stopped('lane-malformed', 'logseq falls', ticks(1, 5, 4), 2)
  stopped('lane-malformed', 'a leaf behind close', [bareLeaf('close', 1), bareLeaf('tick', 2)], 1)
  stopped('lane-malformed', 'close is the last leaf', [bareLeaf('tick', 1), bareLeaf('close', 2)], undefined)
  stopped('needs-upgrade', 'an unknown kind below 0x8000', [bareLeaf('tick', 1), kind(11, 2), bareLeaf('tick', 3)], 1)
  stopped('needs-upgrade', 'kind 0x7fff', [kind(0x7fff, 1)], 0)
  stopped('needs-upgrade', 'kind 0x8000 is passed over', [kind(0x8000, 1), bareLeaf('tick', 2)], undefined)
  const d = domainOf()
  const lane = laneOf(d)
  const head = raw(lane, kind(0x8000, 1), bareLeaf('tick', 2))
  const held = withLane(heldOf(d), lane, [head])
  out.push(
    { about: 'kind-unknown', gives: 'kind-unknown', name: 'a leaf of kind 0x8000', held, subject: { lane: lane.ref, index: 0 } },
    { about: 'kind-unknown', gives: 'no-effect', name: 'the leaf behind one of kind 0x8000', held, subject: { lane: lane.ref, index: 1 } },
    { about: 'no-effect', gives: 'no-effect', name: 'a tick', held, subject: { lane: lane.ref, index: 1 } })
  return out
}

/** L1, L3, S1. */
function standing (): Case[] {
  const out: Case[] = []
  const add = (about: VerdictCode, gives: VerdictCode, name: string, held: Held, subject: Subject): void => { out.push({ about, gives, name, held, subject }) }
  const d = domainOf()
  const { lane, heads } = three(d)
  const [, middle, last] = heads as [MadeHead, MadeHead, MadeHead]
  const whole = withLane(heldOf(d), lane, heads)
  const record = (index: number): Subject => ({ lane: lane.ref, index })
  add('no-effect', 'accepted', 'a publish', whole, record(2))
  add('lane-missing', 'lane-missing', 'a record of a lane that isn\'t held', heldOf(d), record(0))
  add('lane-missing', 'accepted', 'a record of a held lane', whole, record(0))
  add('head-missing', 'head-missing', 'no head covers the leaf', withLane(heldOf(d), lane, [heads[0] as MadeHead]), record(1))
  add('head-missing', 'accepted', 'a head covers the leaf', whole, record(1))
  add('head-missing', 'head-missing', 'a lane without any head', withItems(heldOf(d), lane.item), record(0))
  add('log-missing', 'log-missing', 'a head is held and its leaves aren\'t', withItems(heldOf(d), lane.item, last.snapshot, last.signature), record(1))
  add('log-missing', 'log-missing', 'the head whose leaves aren\'t held', withItems(heldOf(d), lane.item, last.snapshot, last.signature), { reference: last.ref })
  add('log-missing', 'accepted', 'the head whose leaves are held', whole, { reference: last.ref })
  add('superseded', 'superseded', 'an older head', whole, { reference: middle.ref })
  add('superseded', 'accepted', 'the newest head', whole, { reference: last.ref })
  add('manifest-missing', 'manifest-missing', 'a lane under an unknown manifest', ((): Held => { const l = laneOf(d, second, 'unknown', { manifest: refFrom('unknown') }); return withItems(withLane(heldOf(d), l, [l.publish('docs/a')])) })(), { reference: laneOf(d, second, 'unknown', { manifest: refFrom('unknown') }).ref })
  const stranger = laneOf(d, testKey('vectors stranger'), 'stranger')
  add('not-a-principal', 'not-a-principal', 'a lane of a key that the manifest doesn\'t list', withLane(heldOf(d), stranger, [stranger.publish('docs/a')]), { reference: stranger.ref })
  add('not-a-principal', 'not-a-principal', 'a record in it', withLane(heldOf(d), stranger, [stranger.head()]), { lane: stranger.ref, index: 0 })
  add('not-a-principal', 'accepted', 'a lane of a key that the manifest lists', whole, { reference: lane.ref })
  const internal = laneOf(d, second, 'internal', { visibility: INTERNAL })
  const inside = withLane(heldOf(d), internal, [internal.publish('docs/a')])
  add('internal', 'internal', 'a record of an internal lane', inside, { lane: internal.ref, index: 0 })
  add('internal', 'internal', 'an internal lane', inside, { reference: internal.ref })
  add('internal', 'accepted', 'a record of a published lane', whole, record(0))
  // S1: a head that says another logseq than its last leaf has.
  const liar = lane.head({ logseq: 9 })
  add('bad-range', 'bad-range', 'a head whose logseq is not that of its last leaf', withItems(whole, liar.snapshot, liar.signature), { reference: liar.ref })
  add('bad-range', 'accepted', 'the true head beside it', withItems(whole, liar.snapshot, liar.signature), { reference: last.ref })
  const headHeld = withItems(heldOf(d), lane.item, last.snapshot, last.signature)
  const other = concatBytes(...lane.leaves.slice(0, 2).map((l) => encodeLeaf(l.leaf)), encodeLeaf(bareLeaf('tick', 3).leaf))
  add('bad-range', 'bad-range', 'a log with another last leaf', { ...headHeld, logs: [{ lane, head: last, leaves: other }] }, { log: 0 })
  add('bad-range', 'bad-range', 'a log that lacks a leaf', { ...headHeld, logs: [{ lane, head: last, leaves: concatBytes(...lane.leaves.slice(0, 2).map((l) => encodeLeaf(l.leaf))) }] }, { log: 0 })
  add('bad-range', 'bad-range', 'a log cut off inside a leaf', { ...headHeld, logs: [{ lane, head: last, leaves: concatBytes(...lane.leaves.map((l) => encodeLeaf(l.leaf))).slice(0, -1) }] }, { log: 0 })
  add('bad-range', 'bad-range', 'a log with two leaves swapped', { ...headHeld, logs: [{ lane, head: last, leaves: concatBytes(...[1, 0, 2].map((i) => encodeLeaf((lane.leaves[i] as NewLeaf).leaf))) }] }, { log: 0 })
  add('bad-range', 'accepted', 'the true log', { ...headHeld, logs: [{ lane, head: last }] }, { log: 0 })
  const forged = itemsOf(snapshotCodec.reference({ lane: lane.ref, log_size: 3, log_root: lane.log.root(), logseq: 3 }), testKey('vectors mallory'))
  add('bad-signature', 'bad-signature', 'a head signed by another key than the lane\'s', withItems(heldOf(d), lane.item, last.snapshot, forged), { offer: d.items.length + 2 })
  add('bad-signature', 'accepted', 'a head signed by the lane\'s key', withItems(heldOf(d), lane.item, last.snapshot, last.signature), { offer: d.items.length + 2 })
  add('signature-missing', 'signature-missing', 'a Snapshot that nobody signed', withItems(heldOf(d), lane.item, last.snapshot), { offer: d.items.length + 1 })
  add('target-missing', 'target-missing', 'a snapshot signature whose Snapshot isn\'t held', withItems(heldOf(d), lane.item, last.signature), { offer: d.items.length + 1 })
  add('target-missing', 'accepted', 'a snapshot signature whose Snapshot is held', withItems(heldOf(d), lane.item, last.snapshot, last.signature), { offer: d.items.length + 2 })
  return out
}

const itemsOf = (target: Reference, key: ReturnType<typeof testKey>): ReturnType<typeof signed> => signed(key, 'snapshot', target)

/** L1: which manifest a lane stands under. */
function offChain (): Case[] {
  const d = domainOf()
  const base = d.tip
  const lost = d.manifest().ref
  d.renew({ base })
  const under = (manifest: Reference, name: string, gives: VerdictCode): Case => {
    const lane = laneOf(d, second, name, { manifest })
    return { about: 'manifest-off-chain', gives, name, held: withLane(heldOf(d), lane, [lane.publish('docs/a')]), subject: { lane: lane.ref, index: 0 } }
  }
  return [
    under(lost, 'a record of a lane under an orphaned manifest', 'manifest-off-chain'),
    under(d.domain, 'a record of a lane under something that is no manifest', 'manifest-off-chain'),
    under(base, 'a record of a lane under the base', 'accepted')
  ]
}

interface Cutting { readonly closed?: boolean, readonly cut?: number, readonly ends?: boolean, readonly lane?: Partial<Lane> }

/** K1-K4. Each row: what later manifests say of a lane with three leaves, and what becomes of each leaf. */
function cuts (): Case[] {
  const out: Case[] = []
  const rows = (about: VerdictCode, name: string, manifests: readonly Cutting[], gives: readonly VerdictCode[], heads: readonly number[] = [0, 1, 2]): void => {
    const d = domainOf()
    const { lane, heads: made } = three(d)
    for (const m of manifests) {
      const options: ManifestOptions = {
        ...(m.closed === true ? { closed: [second] } : {}),
        ...(m.cut === undefined ? {} : { cuts: [{ lane: lane.ref, snapshot: (made[m.cut - 1] as MadeHead).ref, ends: m.ends ?? true }] })
      }
      d.manifest(options)
    }
    const held = withLane(heldOf(d), lane, heads.map((i) => made[i] as MadeHead))
    gives.forEach((code, index) => { out.push({ about, gives: code, name: `${name}: leaf ${index}`, held, subject: { lane: lane.ref, index } }) })
  }
  rows('cut', 'cut behind leaf 1', [{ closed: true, cut: 2 }], ['accepted', 'accepted', 'cut'])
  rows('cut', 'cut behind leaf 1 without closing', [{ cut: 2 }], ['accepted', 'accepted', 'cut'])
  rows('cut', 'an anchor behind leaf 1 ends nothing', [{ cut: 2, ends: false }], ['accepted', 'accepted', 'accepted'])
  rows('cut', 'a closed principal\'s cut ends its lane, whatever it says', [{ closed: true, cut: 2, ends: false }], ['accepted', 'accepted', 'cut'])
  rows('cut', 'a later cut that is lower counts', [{ closed: true, cut: 2 }, { cut: 1 }], ['accepted', 'cut', 'cut'])
  rows('cut', 'a later cut that is higher doesn\'t', [{ closed: true, cut: 1 }, { cut: 3 }], ['accepted', 'cut', 'cut'])
  rows('closed', 'closed and not listed', [{ closed: true }], ['closed', 'closed', 'closed'])
  rows('closed', 'closed again and not listed the second time', [{ closed: true, cut: 2 }, { closed: true }], ['closed', 'closed', 'closed'])
  rows('closed', 'closed and listed', [{ closed: true, cut: 3 }], ['accepted', 'accepted', 'accepted'])
  rows('closed', 'closed and not listed, and listed later: a conjunction', [{ closed: true }, { cut: 3 }], ['closed', 'closed', 'closed'])
  // The head that the cut names isn't held; the log is, by a greater one.
  rows('cut-unlinked', 'the head of the cut isn\'t held', [{ closed: true, cut: 2 }], ['cut-unlinked', 'cut-unlinked', 'cut-unlinked'], [2])
  rows('cut-unlinked', 'the head of an anchor isn\'t held', [{ cut: 2, ends: false }], ['accepted', 'accepted', 'accepted'], [2])
  const d = domainOf()
  const before = d.tip
  d.manifest({ closed: [second] })
  for (const [name, manifest, gives] of [['opened under the manifest that closes it', d.tip, 'accepted'], ['opened before, shown after', before, 'closed']] as const) {
    const lane = laneOf(d, second, `closed ${name}`, { manifest })
    out.push({ about: 'closed', gives, name: `a lane of a closed principal, ${name}`, held: withLane(heldOf(d), lane, [lane.publish('docs/a')]), subject: { lane: lane.ref, index: 0 } })
  }
  // A reader who knows the key was dropped: it may not open lanes under the manifest that dropped it.
  const gone = domainOf()
  const old = gone.tip
  gone.manifest({ principals: [{ key: owner }], closed: [second] })
  for (const [name, manifest, gives, about] of [['an old manifest', old, 'closed', 'closed'], ['the manifest that dropped it', gone.tip, 'not-a-principal', 'not-a-principal']] as const) {
    const lane = laneOf(gone, second, `dropped ${name}`, { manifest })
    out.push({ about, gives, name: `a dropped key opens a lane under ${name}`, held: withLane(heldOf(gone), lane, [lane.publish('docs/a')]), subject: { lane: lane.ref, index: 0 } })
  }
  return out
}

/** M7: content goes on under an authority fork, but for what either branch takes away. */
function forkedAuthority (): Case[] {
  const d = domainOf()
  const common = d.tip
  const { lane, heads } = three(d)
  const mine = laneOf(d, owner, 'owner')
  d.manifest({ after: common, closed: [second], cuts: [{ lane: lane.ref, snapshot: (heads[1] as MadeHead).ref, ends: true }] })
  d.manifest({ after: common })
  const held = withLane(withLane(heldOf(d), lane, heads), mine, [mine.publish('x')])
  return [
    { about: 'authority-forked', gives: 'authority-forked', name: 'a record of a lane that one branch cuts', rule: 'M7', held, subject: { lane: lane.ref, index: 0 } },
    { about: 'authority-forked', gives: 'accepted', name: 'a record of a lane that neither branch touches', rule: 'M7', held, subject: { lane: mine.ref, index: 0 } },
    { about: 'authority-forked', gives: 'authority-forked', name: 'the whole domain', rule: 'M7', held, subject: { domain: true } }
  ]
}

/** A3. */
function withheld (): Case[] {
  const d = domainOf()
  const { lane, heads } = three(d)
  const mine = laneOf(d, owner, 'voucher')
  const vouch = mine.vouch(lane, heads[2] as MadeHead)
  const held = withLane(heldOf(d), mine, [vouch])
  const later = laneOf(d, second, 'later', { previous: (heads[2] as MadeHead).ref })
  const follows = withLane(heldOf(d), later, [later.publish('docs/z')])
  return [
    { about: 'withheld', gives: 'withheld', name: 'a head that was vouched for can\'t be had', held, subject: { domain: true } },
    { about: 'withheld', gives: 'accepted', name: 'the head that was vouched for is here', held: withLane(held, lane, heads), subject: { domain: true } },
    { about: 'withheld', gives: 'withheld', name: 'the head that a lane names as previous can\'t be had', held: follows, subject: { domain: true } },
    { about: 'withheld', gives: 'accepted', name: 'the head that a lane names as previous is here', held: withLane(follows, lane, heads), subject: { domain: true } },
    { about: 'withheld', gives: 'accepted', name: 'a head that was vouched for can\'t be had, and its lane is closed', held: ((): Held => {
      const c = domainOf()
      c.manifest({ closed: [second] })
      return { ...held, items: [...c.items, ...held.items, lane.item] }
    })(), subject: { domain: true } },
    { about: 'withheld', gives: 'withheld', name: 'a previous that is the head of another principal\'s lane', held: ((): Held => {
      const wrong = laneOf(d, owner, 'wrong previous', { previous: (heads[2] as MadeHead).ref })
      return withLane(withLane(heldOf(d), wrong, [wrong.publish('z')]), lane, heads)
    })(), subject: { domain: true } }
  ]
}

export function laneCases (): Case[] {
  return [...standing(), ...stops(), ...offChain(), ...cuts(), ...forkedAuthority(), ...withheld()]
}
