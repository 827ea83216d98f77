/**
 * Worlds with everything that judging knows: grants, closes, cuts lower and higher, anchors, bases, renews, rotates, thieves of every key, forks of lanes,
 * manifests and roots, restricted roles and scopes, producers, vouches, erasures, odd leaves. Whatever came of it, every node has to see the same.
 */
import { forkEvidenceCodec } from '../../src/publication/evidence.js'
import { INTERNAL, type Lane, laneCodec, PUBLISHED } from '../../src/publication/lane.js'
import { bareLeaf, bodyHash, encodeLeaf, KIND, leafOf, type NewLeaf, NO_BODY } from '../../src/publication/leaf.js'
import { LeafLog } from '../../src/publication/leaf-log.js'
import type { Role } from '../../src/authority/manifest.js'
import { DomainKnowledge } from '../../src/authority/knowledge.js'
import type { LaneView } from '../../src/authority/lane-view.js'
import { judgeRecord } from '../../src/authority/judge-record.js'
import { pathWithin } from '../../src/publication/names.js'
import { NONE, type Reference } from '../../src/substrate/reference.js'
import type { Artifact } from '../../src/substrate/artifact.js'
import { concatBytes } from '../../src/substrate/bytes.js'
import { digestFrom, type ManifestOptions, type PrincipalSpec, refFrom, type TestKey, testKey } from './authority-fixtures.js'
import { resigned } from './resigned.js'
import { type Dice, honest, pullFrom, type Server, verdicts, World, type WorldHead, type WorldLane } from './worlds.js'

const LATE: ReadonlyArray<{ name: string, roles: Role[], prefixes: string[] }> = [
  { name: 'late publisher', roles: ['federate', 'publish'], prefixes: ['a', 'd'] },
  { name: 'late producer', roles: ['produce'], prefixes: [''] },
  { name: 'late auditor', roles: ['audit', 'execute'], prefixes: [''] },
  { name: 'late federator', roles: ['federate'], prefixes: [] }
]

export class FullWorld extends World {
  private readonly manifests: Reference[]
  private readonly entries: Reference[]
  /** what the owner means: thieves never move these */
  private mine: { entry: Reference, tip: Reference }
  private opened = 0

  constructor (seed: string, dice: Dice) {
    super(seed, dice)
    this.manifests = this.onChain()
    this.entries = [this.domain.domain]
    this.mine = { entry: this.domain.domain, tip: this.domain.tip }
    const steps = [
      (): void => { this.grant() }, (): void => { this.take() }, (): void => { this.cutAround() }, (): void => { this.cutAround() }, (): void => { this.newEpoch() },
      (): void => { this.stolenRootKey() }, (): void => { this.stolenRoots() }, (): void => { this.lateLane() }, (): void => { this.lateLane() }, (): void => { this.oddLeaves() }, (): void => { this.oddLeaves() },
      (): void => { this.grow() }, (): void => { this.fork() }, (): void => { this.vouchAround() }, (): void => { this.badManifest() }
    ]
    for (let i = 4 + dice.next(10); i > 0; i--) dice.pick(steps)()
    // Mostly the owner has the last word; otherwise forks stay open.
    if (dice.next(4) > 0) this.settleAll()
    if (dice.next(2) === 0) this.cutAround()
    // Who holds a key can sign the same thing in many ways; all nodes keep the same one of them.
    for (const nonce of ['one', 'two']) {
      const entry = dice.pick(this.entries)
      this.domain.items.push(resigned(this.domain.rootKey(this.domain.domain), 'manifest', this.manifests[0] as Reference, nonce), resigned(this.domain.roots(entry).keys[0] as TestKey, 'root-entry', entry, nonce))
    }
    this.stages.push(this.domain.items.length)
    this.eraseHidden()
  }

  /** L2: published lanes that name leaves of internal ones; the first lane's key has the whole domain as scope. */
  private eraseHidden (): void {
    const [shown] = this.lanes as [WorldLane, ...WorldLane[]]
    for (const { lane, ref, branches } of this.lanes.filter((l) => l.lane.visibility === INTERNAL)) {
      const leaves = branches[0] as NewLeaf[]
      const log = new LeafLog()
      log.append(concatBytes(...leaves.map((l) => encodeLeaf(l.leaf))))
      const by = this.lanes.findLast((l) => l.lane.visibility === PUBLISHED && l.lane.principal === lane.principal) ?? shown
      this.append(by, 0, [leafOf(this.last(by, 0) + 1, { kind: 'erase', salt: this.nextSalt(), lane: ref, index: 0, leaf_hash: log.leafHash(0) })])
    }
  }

  private onChain (): Reference[] {
    return this.domain.authority().onChain.map((m) => m.ref)
  }

  /** The owner's next manifest. */
  private write (options: ManifestOptions): void {
    const { ref } = this.domain.manifest({ after: this.mine.tip, under: this.mine.entry, ...options })
    // It is the owner's as long as it is valid; a mistake isn't built upon.
    if (this.domain.authority().judged.get(ref)?.verdict.status !== 'accepted') return
    this.mine = { ...this.mine, tip: ref }
    this.manifests.push(ref)
    this.stages.push(this.domain.items.length)
  }

  private grant (): void {
    const { name, roles, prefixes } = this.dice.pick(LATE)
    const key = testKey(name)
    const now = this.domain.principals(this.mine.tip)
    const held = now.find((p) => p.key === key)
    const wider: PrincipalSpec = { key, roles: [...new Set([...held?.roles ?? [], ...roles])], prefixes: held === undefined ? prefixes : [...new Set([...held.prefixes ?? [''], 'b'])] }
    this.write({ principals: [...now.filter((p) => p.key !== key), wider] })
  }

  /** Takes a role, a scope or everything from a principal, which has to be closed; some of its lanes stay up to a head. */
  private take (): void {
    const now = this.domain.principals(this.mine.tip)
    const victim = this.dice.pick(now)
    const how = this.dice.next(4)
    const others = now.filter((p) => p !== victim)
    const principals = how === 0 && others.length > 0 ? others : how === 1 ? [...others, { ...victim, prefixes: ['a/x'] }] : how === 2 ? [...others, { ...victim, roles: ['audit' as const] }] : now
    this.write({ principals, closed: [victim.key], cuts: this.cutsOf((l) => l.key === victim.key && this.dice.next(3) > 0, () => true) })
  }

  private cutsOf (which: (l: WorldLane) => boolean, ends: () => boolean): NonNullable<ManifestOptions['cuts']> {
    return this.lanes.filter(which).flatMap((l) => {
      const head = this.dice.pick(this.heads.filter((h) => h.lane === l))
      return head === undefined ? [] : [{ lane: l.ref, snapshot: head.ref, ends: ends() }]
    })
  }

  /** Cuts and anchors at any heads, whatever earlier ones said; over several lists. */
  private cutAround (): void {
    const cuts = this.cutsOf(() => this.dice.next(2) === 0, () => this.dice.next(2) === 0)
    if (cuts.length > 0) this.write({ cuts, chunk: 1 + this.dice.next(3), closed: this.dice.next(4) === 0 ? [this.dice.pick(this.lanes).key] : [] })
  }

  /** Renew or rotate, going on from any manifest of the owner's. */
  private newEpoch (): void {
    const base = this.dice.next(3) > 0 ? this.mine.tip : this.dice.pick(this.onChain().length > 0 ? this.onChain() : [this.mine.tip])
    const options = { after: this.mine.entry, base }
    const { ref } = this.dice.next(2) === 0 ? this.domain.renew(options) : this.domain.rotate(options)
    this.entries.push(ref)
    this.mine = { entry: ref, tip: base }
    this.stages.push(this.domain.items.length)
  }

  /** Who holds the root_key of some epoch writes manifests wherever it likes: closes, cuts, grants itself everything. */
  private stolenRootKey (): void {
    const under = this.dice.pick(this.entries)
    const after = this.dice.pick(this.manifests)
    const { ref } = this.domain.manifest({
      after, under, principals: [...this.domain.principals(after).filter((p) => p.key !== testKey('thief')), { key: testKey('thief') }],
      closed: this.dice.next(2) === 0 ? [this.dice.pick(this.lanes).key] : [], cuts: this.cutsOf(() => this.dice.next(3) === 0, () => true)
    })
    this.manifests.push(ref)
  }

  /** Live or retired roots in wrong hands: renews, each with a base of the thief's choice and a manifest on it. */
  private stolenRoots (): void {
    const after = this.dice.pick(this.entries)
    const base = this.dice.pick(this.manifests)
    const { ref } = this.domain.renew({ after, base })
    this.entries.push(ref)
    if (this.dice.next(2) === 0) this.manifests.push(this.domain.manifest({ after: base, under: ref }).ref)
  }

  /** What breaks a rule of its own: reductions without closing, skipped versions, nobody's signature, a key back that was dropped. */
  private badManifest (): void {
    const principals = this.domain.principals(this.mine.tip)
    const options: ManifestOptions = [
      { principals: principals.slice(1) }, { fields: { version: 99 } }, { signer: false as const }, { signer: testKey('thief') },
      { principals: [...principals, { key: this.domain.roots(this.domain.domain).keys[0] as TestKey }] }, { fields: { cuts: this.domain.domain } }
    ][this.dice.next(6)] as ManifestOptions
    if (options.principals?.length !== 0) this.domain.manifest({ after: this.mine.tip, under: this.mine.entry, ...options })
  }

  /** The owner's rotate, going on from its own last manifest, beats whatever thieves built on roots. */
  private settleAll (): void {
    const base = this.domain.authority().judged.get(this.mine.tip)
    const epoch = base === undefined ? this.mine.entry : base.manifest.root_entry
    const after = epoch === this.mine.entry ? this.mine.entry : epoch
    const { ref } = this.domain.rotate({ after, base: this.mine.tip })
    this.entries.push(ref)
    this.mine = { entry: ref, tip: this.mine.tip }
    this.write({})
  }

  /** A lane under any manifest that there is, on the chain or not, of any key, internal too, with or without a previous. */
  private lateLane (): void {
    const key = this.dice.pick([...this.lanes.map((l) => l.key), ...LATE.map((l) => testKey(l.name)), testKey('thief')])
    const visibility = this.dice.next(5) === 0 ? INTERNAL : PUBLISHED
    const own = this.heads.filter((h) => h.lane.key === key && h.lane.lane.visibility === visibility)
    const previous = own.length > 0 && this.dice.next(2) === 0 ? this.dice.pick(own).ref : NONE
    const lane: Lane = {
      domain_id: this.domain.domain, principal: key.id, manifest: this.dice.next(2) === 0 ? this.mine.tip : this.dice.pick(this.manifests), visibility,
      nonce: digestFrom(`${this.domain.seed} late ${this.opened++}`), previous
    }
    const made: WorldLane = { key, lane, ref: laneCodec.reference(lane), branches: [[]] }
    this.lanes.push(made)
    this.append(made, 0, [this.randomLeaf(1 + this.dice.next(30))])
    if (this.dice.next(2) === 0) this.append(made, 0, [this.randomLeaf(this.last(made, 0) + 1 + this.dice.next(30))])
  }

  /** Leaves out of scope, of unknown kinds, behind a close, with broken bodies, with jumps; some of them stop their lane. */
  private oddLeaves (): void {
    const lane = this.dice.pick(this.lanes)
    const branch = this.dice.next(lane.branches.length)
    const at = this.last(lane, branch) + 1
    const salt = this.nextSalt()
    const body = Uint8Array.of(0xa0)
    const odd: NewLeaf = [
      bareLeaf('close', at), leafOf(at, { kind: 'statement', salt, type: 'audited', ref: refFrom('x') }), leafOf(at, { kind: 'receipt', salt, ref: refFrom('x') }),
      leafOf(at, { kind: 'publish', salt, name: 'elsewhere/x', ref: refFrom('x'), mode: 0o644 }), bareLeaf('tick', at + 2 ** 24 + 1), bareLeaf('tick', Math.max(0, at - 1)),
      { leaf: { kind: 0x9000, logseq: at, body_hash: NO_BODY }, body: undefined }, { leaf: { kind: 99, logseq: at, body_hash: NO_BODY }, body: undefined },
      { leaf: { kind: KIND.publish, logseq: at, body_hash: bodyHash(KIND.publish, body) }, body }
    ][this.dice.next(9)] as NewLeaf
    this.append(lane, branch, [odd])
  }

  /** Everything, in an order of `dice`' choice, some of it twice; logs in one step or several, tried again until what they need is here. */
  deliver (dice: Dice): DomainKnowledge {
    const k = new DomainKnowledge(this.domain.domain)
    const artifacts: Artifact[] = [...this.domain.items.map((i) => i.artifact)]
    for (const l of this.lanes) artifacts.push(laneCodec.artifact(l.lane))
    for (const h of this.heads) artifacts.push(h.snapshot.artifact, h.signature.artifact)
    const logs = this.lanes.flatMap((l) => l.branches.flatMap((_, b) => this.heads.filter((h) => h.lane === l && h.branch === b && (dice.next(2) === 0 || h.size === l.branches[b]?.length))))
    let parcels: Array<() => boolean> = [
      ...[...artifacts, ...artifacts.slice(0, dice.next(artifacts.length))].map((a) => (): boolean => { k.admit(a); return true }),
      ...logs.map((head) => (): boolean => this.tryLog(k, head))
    ]
    while (parcels.length > 0) {
      const left: typeof parcels = []
      while (parcels.length > 0) {
        const [parcel] = parcels.splice(dice.next(parcels.length), 1)
        if (parcel?.() === false) left.push(parcel)
        // Asking midway must not leave anything behind.
        if (dice.next(20) === 0) verdicts(k)
      }
      parcels = left
    }
    return k
  }

  private tryLog (k: DomainKnowledge, head: WorldHead): boolean {
    const lane = k.lanes.get(head.lane.ref)
    const made = lane?.heads.get(head.ref)
    if (lane === undefined || made === undefined) return false
    const leaves = (head.lane.branches[head.branch] as NewLeaf[]).slice(0, head.size)
    const extended = lane.extend(made, 0, concatBytes(...leaves.map((l) => encodeLeaf(l.leaf))))
    if (extended.result === 'extended') leaves.forEach((l, i) => { if (l.body !== undefined) lane.addBody(extended.branch, i, l.body) })
    k.touch()
    return true
  }

  /** Servers that together hold everything, one a branch and some that lag behind, and that have heard each other. */
  servers (dice: Dice): Server[] {
    const held = [this.server(dice, true), this.server(dice, false)]
    const most = Math.max(...this.lanes.map((l) => l.branches.length))
    for (let b = 0; b < most; b++) {
      const k = new DomainKnowledge(this.domain.domain)
      for (const { artifact } of this.domain.items) k.admit(artifact)
      for (const lane of this.lanes) {
        const head = this.heads.filter((h) => h.lane === lane && h.branch === b % lane.branches.length).at(-1)
        if (head !== undefined) this.give(k, head)
      }
      held.push(k)
    }
    // E7: a fork shows where its branches meet, so they have to meet somewhere. Behind what is exported they meet at nobody's but their holder's (A3).
    for (const { exported, knowledge: { evidence } } of this.deliver(dice).view().lanes.values()) {
      if (evidence !== undefined && evidence.index >= exported) held[0]?.admit(forkEvidenceCodec.artifact(evidence))
    }
    for (let round = 0; round < 2; round++) for (const k of held) for (const other of held) if (other !== k) pullFrom(k, honest(other))
    return held.map(honest)
  }
}

/** Pulls from all servers, starting anywhere, until nothing changes. */
export function settle (domain: Reference, servers: readonly Server[], dice: Dice): DomainKnowledge {
  const k = new DomainKnowledge(domain)
  for (let n = 0, quiet = 0; quiet < 2; n++) {
    if (n > 100) throw new Error('pulling never comes to rest')
    const before = verdicts(k)
    const left = [...servers]
    while (left.length > 0) pullFrom(k, left.splice(dice.next(left.length), 1)[0] as Server)
    quiet = verdicts(k) === before ? quiet + 1 : 0
  }
  return k
}

/** What two nodes that heard the same must agree on: the view, every authority verdict, every record that counts. */
export function everything (k: DomainKnowledge): string {
  return JSON.stringify({ view: verdicts(k), shown: shown(k) })
}

/** What a follower and one who holds more than is served must agree on: all that the domain exports. */
export function shown (k: DomainKnowledge): string {
  const { authority, lanes, digest } = k.view()
  // Who follows the domain doesn't hold lanes that nothing considers, so of what is done to their leaves it knows less.
  const elsewhere = (v: LaneView, i: number): boolean => {
    const body = v.judged[i]?.body
    return body?.kind === 'erase' && !((lanes.get(body.lane)?.exported ?? 0) > body.index)
  }
  return JSON.stringify({
    digest,
    authority: authority.stateText,
    objects: [...k.objects.relevant(k.domain)].sort().map((ref) => [ref, authority.verdictOf(ref).code]),
    lanes: [...lanes.values()].filter((v) => v.considered && v.exported > 0)
      .map((v) => [v.knowledge.ref, v.contested, Array.from({ length: v.exported }, (_, i) => elsewhere(v, i) ? 'elsewhere' : judgeRecord(k, v.knowledge.ref, i).code)])
  })
}

/** L1, L2, R2, R7, K1, K3, E4 once more, written straight from the page: what is wrong with what the view shows. */
export function faults (k: DomainKnowledge): string[] {
  const view = k.view()
  const { onChain, position } = view.authority
  const out: string[] = []
  for (const place of view.erased) if (view.lanes.get(place.split('/')[0] as Reference)?.knowledge.lane.visibility !== PUBLISHED) out.push(`L2: ${place} erased`)
  for (const entry of view.current.values()) {
    const say = (rule: string): void => { out.push(`${rule}: ${entry.name} at ${entry.lane}/${entry.index}`) }
    const v = view.lanes.get(entry.lane) as LaneView
    const { lane, evidence, heads, branches } = v.knowledge
    const opened = position.get(lane.manifest)
    if (lane.visibility !== PUBLISHED) say('L2')
    if (opened === undefined) { say('L1'); continue }
    const m = onChain[opened]?.manifest
    const at = m?.principals.findIndex((p) => p.principal_id === lane.principal) ?? -1
    if (m?.principals[at]?.roles.some((r) => r === 'publish' || r === 'produce') !== true) say('R2 role')
    if (m?.scope[at]?.prefixes.some((p) => pathWithin(p, entry.name)) !== true) say('R2 scope')
    let anchored = 0
    onChain.forEach((later, p) => {
      const closes = p > opened && later.manifest.closed.includes(lane.principal)
      const cut = later.cuts.get(entry.lane)
      if (cut === undefined) {
        if (closes) say('K1')
        return
      }
      const head = heads.get(cut.snapshot)
      const holder = head === undefined ? undefined : branches.find((b) => b.log.size >= head.snapshot.log_size && b.log.root(head.snapshot.log_size) === head.snapshot.log_root)
      if (head !== undefined && v.log?.root(Math.min(v.log.size, head.snapshot.log_size)) === head.snapshot.log_root) anchored = Math.max(anchored, head.snapshot.log_size)
      if (!cut.ends && !closes) return
      if (head === undefined || holder === undefined) say('K4')
      else if (entry.index >= head.snapshot.log_size || holder.log.leafHash(entry.index) !== entry.leafHash) say('K3a')
    })
    if (evidence !== undefined && entry.index >= Math.max(anchored, evidence.index)) say('E4')
    if (evidence !== undefined && entry.code !== 'contested' && !onChain.some((x, p) => x.cuts.get(entry.lane)?.ends === true || (p > opened && x.manifest.closed.includes(lane.principal)))) say('E5')
  }
  return out
}
