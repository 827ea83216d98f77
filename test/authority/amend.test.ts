import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Amended, amendManifest, type Change, cutLists, CUTS_A_LIST, type Keep, principalsOf } from '../../src/authority/amend.js'
import { cutListCodec } from '../../src/authority/cut-list.js'
import { judgeRecord } from '../../src/authority/judge-record.js'
import type { DomainKnowledge } from '../../src/authority/knowledge.js'
import { lossesOf } from '../../src/authority/losses.js'
import type { Role } from '../../src/authority/manifest.js'
import type { NewPrincipal } from '../../src/authority/mint.js'
import { ROLES } from '../../src/authority/role-names.js'
import { encodeArtifact, referenceOfArtifact } from '../../src/substrate/artifact.js'
import { LIMITS } from '../../src/substrate/limits.js'
import { type Hash, NONE, type Reference } from '../../src/substrate/reference.js'
import { digestFrom, makeDomain, type PrincipalSpec, refFrom, signed, type TestDomain, type TestKey, testKey } from '../helpers/authority-fixtures.js'
import { admitHead, knowledgeOf, type MadeHead, TestLane } from '../helpers/lanes.js'
import { Dice } from '../helpers/worlds.js'

const [alice, bob, carol] = ['alice', 'bob', 'carol'].map((name) => testKey(name)) as [TestKey, TestKey, TestKey]

/** Amends, signs and admits; what comes out must be in force. */
function apply (d: TestDomain, k: DomainKnowledge, change: Change): Amended {
  const amended = amendManifest(k, change)
  for (const artifact of amended.artifacts) expect(k.admit(artifact).result).not.toBe('rejected')
  k.admit(signed(d.rootKey(), 'manifest', amended.ref).artifact)
  expect(k.authority().verdictOf(amended.ref)).toMatchObject({ status: 'accepted', code: 'accepted' })
  expect(k.authority().tip).toBe(amended.ref)
  return amended
}

const newPrincipal = (key: TestKey, roles: readonly Role[] = ROLES, prefixes: readonly string[] = ['']): NewPrincipal => ({ publicKey: key.publicKey, roles, prefixes })

function started (...principals: PrincipalSpec[]): { d: TestDomain, k: DomainKnowledge } {
  const d = makeDomain({ principals: principals.length > 0 ? principals : [{ key: alice }, { key: bob }] })
  return { d, k: knowledgeOf(d) }
}

function laneOf (d: TestDomain, k: DomainKnowledge, key: TestKey, seed: string, records = 2, manifest = k.authority().tip as Reference): { lane: TestLane, heads: MadeHead[] } {
  const lane = new TestLane(d, key, seed, { manifest })
  const heads: MadeHead[] = []
  for (let i = 0; i < records; i++) heads.push(lane.publish(`${seed}/${i}`))
  for (const head of heads) lane.give(k, head)
  return { lane, heads }
}

const seen = (k: DomainKnowledge, lane: TestLane): [string, number] => {
  const v = k.view().lanes.get(lane.ref)
  return [v?.code ?? 'none', v?.limit ?? 0]
}

describe('amendManifest', () => {
  test('M3, K1: who loses a role is closed, and what is held of its lanes stays; what comes later is void', () => {
    const { d, k } = started()
    const { lane } = laneOf(d, k, bob, 'b', 2)
    const { closed } = apply(d, k, { principals: [newPrincipal(alice), newPrincipal(bob, ['produce'])] })
    expect(closed).toEqual([bob.id])
    lane.give(k, lane.publish('late'))
    expect(seen(k, lane)).toEqual(['accepted', 2])
    expect(k.view().current.has('late')).toBe(false)
    expect(k.view().current.has('b/1')).toBe(true)
    expect([0, 1, 2].map((i) => judgeRecord(k, lane.ref, i).code)).toEqual(['accepted', 'accepted', 'cut'])
  })

  test('what a manifest would make void is known before it is signed', () => {
    const { d, k } = started()
    const { lane, heads } = laneOf(d, k, bob, 'b', 3)
    laneOf(d, k, alice, 'a', 2)
    const losses = (close: Keep): unknown => lossesOf(k, amendManifest(k, { close: new Map([[bob.id, close]]) }))
    expect(losses('held')).toEqual([])
    expect(losses('nothing')).toEqual([{ lane: lane.ref, from: 0, to: 3, names: ['b/0', 'b/1', 'b/2'], admits: [] }])
    expect(losses(new Map([[lane.ref, (heads[0] as MadeHead).ref]]))).toEqual([{ lane: lane.ref, from: 1, to: 3, names: ['b/1', 'b/2'], admits: [] }])
  })

  test('adding rights closes nobody; a narrower scope and fewer programs do', () => {
    const { d, k } = started({ key: alice }, { key: bob, roles: ['publish'], prefixes: ['a'], programs: [refFrom('p')] })
    const program = refFrom('p')
    expect(apply(d, k, { principals: [newPrincipal(alice), newPrincipal(bob, ['publish', 'audit'], ['a', 'b'])] }).closed).toEqual([])
    // Programs that aren't given stay as they were.
    expect(k.authority().onChain.at(-1)?.manifest.scope.find((s) => s.principal_id === bob.id)?.programs).toEqual([program])
    expect(apply(d, k, { principals: [newPrincipal(alice), newPrincipal(bob, ['publish', 'audit'], ['a/x', 'b'])] }).closed).toEqual([bob.id])
    expect(apply(d, k, { principals: [newPrincipal(alice), { ...newPrincipal(bob, ['publish', 'audit'], ['a/x', 'b']), programs: [] }] }).closed).toEqual([bob.id])
  })

  test.each<[Keep, string, number]>([['held', 'accepted', 3], ['nothing', 'closed', 0]])('close, keeping %s', (keep, code, limit) => {
    const { d, k } = started()
    const { lane } = laneOf(d, k, bob, 'b', 3)
    apply(d, k, { close: new Map([[bob.id, keep]]) })
    expect(seen(k, lane)).toEqual([code, limit])
  })

  test('close at a named head; a later close can lower it and never raise it', () => {
    const { d, k } = started()
    const { lane, heads } = laneOf(d, k, bob, 'b', 4)
    const at = (i: number): Keep => new Map([[lane.ref, (heads[i] as MadeHead).ref]])
    apply(d, k, { close: new Map([[bob.id, at(2)]]) })
    expect(seen(k, lane)).toEqual(['accepted', 3])
    apply(d, k, { close: new Map([[bob.id, at(0)]]) })
    expect(seen(k, lane)).toEqual(['accepted', 1])
    apply(d, k, { close: new Map([[bob.id, at(3)]]) })
    expect(seen(k, lane)).toEqual(['accepted', 1])
  })

  test('K1: closed a second time, a lane that was cut before is listed again at what is left of it', () => {
    const { d, k } = started()
    const { lane, heads } = laneOf(d, k, bob, 'b', 3)
    apply(d, k, { close: new Map([[bob.id, new Map([[lane.ref, (heads[1] as MadeHead).ref]])]]) })
    const second = apply(d, k, { principals: [newPrincipal(alice)] })
    expect(second.closed).toEqual([bob.id])
    expect(seen(k, lane)).toEqual(['accepted', 2])
    // Dropped, and still it can be closed further.
    apply(d, k, { close: new Map([[bob.id, 'nothing']]) })
    expect(seen(k, lane)).toEqual(['closed', 0])
  })

  test('K1: an end that this node can\'t see yet stays what it is when its principal is closed again', () => {
    const { d, k } = started()
    const lane = new TestLane(d, bob, 'b')
    const heads = [lane.publish('b/0'), lane.publish('b/1'), lane.publish('b/2')] as [MadeHead, MadeHead, MadeHead]
    // Made elsewhere: the manifest that cuts the lane is here, the lane isn't.
    d.manifest({ closed: [bob], cuts: [{ lane: lane.ref, snapshot: heads[1].ref, ends: true }] })
    for (const { artifact } of d.items) k.admit(artifact)
    apply(d, k, { principals: [newPrincipal(alice)] })
    lane.give(k, heads[2])
    expect(seen(k, lane)).toEqual(['cut-unlinked', 0])
    admitHead(k, heads[1])
    expect(seen(k, lane)).toEqual(['accepted', 2])
    apply(d, k, { close: new Map([[bob.id, 'held']]) })
    expect(seen(k, lane)).toEqual(['accepted', 2])
  })

  describe('K1: lanes that were cut before and aren\'t held, when others are closed in other ways', () => {
    const dave = testKey('dave')
    /** `owners` were closed where the lane of `owners[0]` was cut; all of it that is here is the cut. */
    const unheld = (owners: TestKey[]): { d: TestDomain, k: DomainKnowledge, lane: TestLane, give: () => void } => {
      const d = makeDomain({ principals: [{ key: alice }, { key: bob }, { key: carol }, { key: dave }] })
      const lane = new TestLane(d, owners[0] as TestKey, 'l')
      const heads = [lane.publish('l/0'), lane.publish('l/1'), lane.publish('l/2')] as [MadeHead, MadeHead, MadeHead]
      d.manifest({ closed: owners, cuts: [{ lane: lane.ref, snapshot: heads[1].ref, ends: true }] })
      const k = knowledgeOf(d)
      return { d, k, lane, give: () => { for (const head of [heads[1], heads[2]]) lane.give(k, head) } }
    }

    test.each<[string, Array<[TestKey, Keep]>, number]>([
      ['bob is held, carol nothing', [[bob, 'held'], [carol, 'nothing']], 2],
      ['bob by named heads, of which none is his', [[bob, new Map()]], 2],
      ['bob is held, carol by named heads', [[bob, 'held'], [carol, new Map()]], 2],
      ['bob nothing', [[bob, 'nothing']], 0],
      ['bob nothing, carol is held', [[bob, 'nothing'], [carol, 'held']], 0]
    ])('%s', (_what, closes, limit) => {
      const { d, k, lane, give } = unheld([bob])
      apply(d, k, { close: new Map(closes.map(([key, keep]) => [key.id, keep])) })
      give()
      expect(seen(k, lane)[1]).toBe(limit)
    })

    test('whose it is can\'t be told: refused, and two manifests say it', () => {
      const { d, k, lane, give } = unheld([bob, carol])
      expect(() => amendManifest(k, { close: new Map<Hash, Keep>([[bob.id, 'held'], [carol.id, 'nothing']]) })).toThrow(expect.objectContaining({ code: 'cut-unknown' }))
      for (const [key, keep] of [[carol, 'nothing'], [bob, 'held']] as const) apply(d, k, { close: new Map([[key.id, keep]]) })
      give()
      expect(seen(k, lane)).toEqual(['accepted', 2])
    })

    test('a held lane that a Map doesn\'t name ends at 0', () => {
      const { d, k, lane, give } = unheld([bob])
      give()
      apply(d, k, { close: new Map([[bob.id, new Map()]]) })
      expect(seen(k, lane)).toEqual(['closed', 0])
    })
  })

  test('K4: an anchor ends nothing, and no fork that shows later reaches below it', () => {
    const { d, k } = started()
    const { lane } = laneOf(d, k, bob, 'b', 3)
    const twin = lane.fork(1)
    const { manifest } = apply(d, k, { anchor: true })
    expect([...k.authority().onChain.at(-1)?.cuts.values() ?? []]).toEqual([{ lane: lane.ref, snapshot: lane.head().ref, ends: false }])
    expect(manifest.closed).toEqual([])
    twin.give(k, twin.publish('other'))
    expect(seen(k, lane)).toEqual(['lane-forked', 3])
    expect(k.view().current.get('b/2')?.code).toBe('contested')
    // Closing it is the way out.
    apply(d, k, { close: new Map([[bob.id, 'held']]) })
    expect(k.view().current.get('b/2')?.code).toBe('accepted')
  })

  test('of two branches that nothing anchors, a close keeps what both share', () => {
    const { d, k } = started()
    const lane = new TestLane(d, bob, 'b')
    const shared = lane.publish('b/0')
    const twin = lane.fork(1)
    lane.give(k, shared)
    lane.give(k, lane.publish('b/1'))
    twin.give(k, twin.publish('other'))
    apply(d, k, { close: new Map([[bob.id, 'held']]) })
    expect(seen(k, lane)).toEqual(['accepted', 1])
  })

  test('M7: under a new root entry it follows the base, and lanes that come behind the base play no part', () => {
    const { d, k } = started()
    const base = d.tip
    const { lane } = laneOf(d, k, bob, 'b', 2)
    apply(d, k, { principals: [newPrincipal(alice), newPrincipal(bob, ['publish'])] })
    const made = d.renew({ base })
    const rootEntry = made.ref
    const under = { rootEntry, rootKey: d.rootKey().publicKey, policyHash: k.authority().onChain[0]?.manifest.policy_hash as Hash, previous: base }
    const amended = amendManifest(k, { under, principals: [newPrincipal(alice)] })
    for (const { artifact } of made.items) k.admit(artifact)
    for (const artifact of amended.artifacts) k.admit(artifact)
    k.admit(signed(d.rootKey(), 'manifest', amended.ref).artifact)
    expect(k.authority().tip).toBe(amended.ref)
    expect(amended.manifest.version).toBe(2)
    expect(seen(k, lane)).toEqual(['accepted', 2])
  })

  test.each<[string, (d: TestDomain) => Change]>([
    ['nothing-to-change', () => ({})],
    ['nothing-to-change', () => ({ anchor: true })],
    ['last-principal', () => ({ principals: [] })],
    ['duplicate-principal', () => ({ principals: [newPrincipal(alice), newPrincipal(alice, ['audit'])] })],
    ['root-key-reused', (d) => ({ principals: [newPrincipal(alice), newPrincipal(d.roots().keys[0] as TestKey)] })],
    ['not-a-principal', () => ({ close: new Map([[digestFrom('nobody'), 'held' as const]]) })],
    ['cut-unknown', () => ({ close: new Map([[bob.id, new Map([[refFrom('lane'), refFrom('head')]])]]) })]
  ])('%s', (code, change) => {
    const { d, k } = started()
    expect(() => amendManifest(k, change(d))).toThrow(expect.objectContaining({ code }))
  })

  test('a dropped key never returns, and a forked chain takes no more', () => {
    const { d, k } = started()
    apply(d, k, { principals: [newPrincipal(alice)] })
    expect(() => amendManifest(k, { principals: [newPrincipal(alice), newPrincipal(bob)] })).toThrow(expect.objectContaining({ code: 'principal-returns' }))
    const other = d.manifest({ principals: [{ key: alice }, { key: carol }, { key: bob }] })
    for (const { artifact } of other.items) k.admit(artifact)
    expect(() => amendManifest(k, { anchor: true })).toThrow(expect.objectContaining({ code: 'authority-forked' }))
  })

  test('M4: lists ascend over the whole chain, and a full one fits a payload', () => {
    const cuts = Array.from({ length: 10 }, (_, i) => ({ lane: refFrom(`lane ${i}`), snapshot: refFrom('s'), ends: true })).sort((a, b) => a.lane < b.lane ? -1 : 1)
    const lists = cutLists(cuts, 4)
    expect(lists.map((l) => cutListCodec.from(l).cuts.length)).toEqual([4, 4, 2])
    expect(lists.flatMap((l) => cutListCodec.from(l).cuts)).toEqual(cuts)
    expect(lists.map((l) => cutListCodec.from(l).next)).toEqual([...lists.slice(1).map((l) => referenceOfArtifact(l)), NONE])
    expect(cutLists([])).toEqual([])
    const one = encodeArtifact(lists[2]!).length - encodeArtifact(cutLists(cuts.slice(0, 1))[0]!).length
    expect(one * CUTS_A_LIST).toBeLessThan(LIMITS.payloadBytes - 1024)
  })
})

/** What a lane's limit has to be, told by hand. */
interface Told { readonly lane: TestLane, readonly key: TestKey, readonly opened: number, ends: number }

const SCOPES = [[''], ['a'], ['a', 'b'], ['a/x'], []]

test('any history of grants, revokes, scope changes, closes and anchors is accepted, and cuts hold for ever', () => {
  fc.assert(fc.property(fc.array(fc.nat(0xffffff), { minLength: 24, maxLength: 60 }), (numbers) => {
    const dice = new Dice(numbers)
    const { d, k } = started({ key: alice })
    const lanes: Told[] = []
    let fresh = 0
    let version = 1
    const living = (): NewPrincipal[] => principalsOf(k.authority().onChain.at(-1)!.manifest)
    const keyed = new Map<string, TestKey>([[alice.publicKey, alice]])
    for (let step = 0; step < 14; step++) {
      const now = living()
      const one = dice.pick(now)
      const key = keyed.get(one.publicKey) as TestKey
      const others = now.filter((p) => p !== one)
      let change: Change | undefined
      switch (dice.next(8)) {
        case 0: {
          const born = testKey(`born ${fresh++}`)
          keyed.set(born.publicKey, born)
          change = { principals: [...now, newPrincipal(born, dice.pick([ROLES, ['publish'], ['federate', 'produce']]), dice.pick(SCOPES))] }
          break
        }
        case 1: change = { principals: [...others, { ...one, roles: dice.pick([ROLES, ['publish', 'federate'], ['produce']]) }] }; break
        case 2: change = { principals: [...others, { ...one, prefixes: dice.pick(SCOPES), programs: dice.pick([[NONE], [], [refFrom('p')]]) }] }; break
        case 3: change = others.length === 0 ? undefined : { principals: others, keep: dice.pick(['held', 'nothing']) }; break
        case 4: {
          const own = lanes.filter((l) => l.key === key && l.lane.log.size > 0)
          const at = own.length === 0 ? undefined : dice.pick(own)
          const named = at === undefined ? undefined : [...k.lanes.get(at.lane.ref)!.heads.values()]
          change = { close: new Map([[key.id, named === undefined ? dice.pick(['held', 'nothing']) : new Map([[at!.lane.ref, dice.pick(named).ref]])]]) }
          break
        }
        case 5: change = { anchor: true }; break
        default: {
          const open = lanes.filter((l) => l.key === key)
          let told = open.length === 0 || dice.next(3) === 0 ? undefined : dice.pick(open)
          if (told === undefined) lanes.push(told = { lane: new TestLane(d, key, `lane ${step}`, { manifest: k.authority().tip!, visibility: dice.next(2) as 0 | 1 }), key, opened: version, ends: Infinity })
          told.lane.give(k, told.lane.publish(`a/x/${step}`))
        }
      }
      if (change === undefined) continue
      try {
        const { closed, manifest } = apply(d, k, change)
        version = manifest.version
        for (const l of lanes) {
          if (l.opened >= version || !closed.includes(l.key.id)) continue
          const keep = change.close?.get(l.key.id) ?? change.keep ?? 'held'
          const at = typeof keep === 'string' ? undefined : keep.get(l.lane.ref)
          const size = at === undefined ? keep === 'held' ? l.lane.log.size : 0 : k.lanes.get(l.lane.ref)!.heads.get(at)!.snapshot.log_size
          l.ends = Math.min(l.ends, size)
        }
      } catch (err) {
        expect(err).toMatchObject({ code: 'nothing-to-change' })
      }
      for (const l of lanes) {
        const v = k.viewAll().lanes.get(l.lane.ref)
        expect([l.lane.ref, v?.limit]).toEqual([l.lane.ref, Math.min(l.ends, l.lane.log.size)])
      }
    }
    // Whoever holds the same in another order judges alike.
    const again = knowledgeOf(d)
    for (const ref of [...k.inventory()].reverse()) again.admit(k.artifact(ref)!)
    expect(again.authority().tip).toBe(k.authority().tip)
  }), { numRuns: 30 })
}, 20_000)
