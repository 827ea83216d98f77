/**
 * Random federations of one domain: several principals and lanes, forks, vouches, late and reducing manifests, cuts, evidence, liars. Each server
 * holds a part of the world; a replica pulls from servers with the production code and no network at all.
 */
import { DomainKnowledge } from '../../src/authority/knowledge.js'
import type { LaneView } from '../../src/authority/lane-view.js'
import type { Role } from '../../src/authority/manifest.js'
import type { KvOp } from '../../src/substrate/ports.js'
import type { SyncAnswer, SyncRequest } from '../../src/federation/messages.js'
import { pull, type PullOutcome } from '../../src/federation/pull.js'
import { answer } from '../../src/federation/serve-sync.js'
import { laneCodec, type Lane, snapshotCodec } from '../../src/publication/lane.js'
import { bareLeaf, type Body, encodeLeaf, leafOf, type NewLeaf } from '../../src/publication/leaf.js'
import { LeafLog } from '../../src/publication/leaf-log.js'
import { concatBytes } from '../../src/substrate/bytes.js'
import { NONE, type Reference } from '../../src/substrate/reference.js'
import { digestFrom, makeDomain, refFrom, signed, type Item, type TestDomain, type TestKey, testKey } from './authority-fixtures.js'

export interface WorldLane {
  readonly key: TestKey
  readonly lane: Lane
  readonly ref: Reference
  /** logs of the lane; more than one = the key equivocated */
  readonly branches: NewLeaf[][]
}

export interface WorldHead {
  readonly lane: WorldLane
  readonly branch: number
  readonly size: number
  readonly ref: Reference
  readonly snapshot: Item
  readonly signature: Item
}

/** Deterministic choices drawn from one list of numbers, so that fast-check can shrink a world. */
export class Dice {
  private at = 0
  constructor (private readonly numbers: readonly number[]) {}
  next (below: number): number {
    const n = this.numbers[this.at++ % this.numbers.length] ?? 0
    return (Math.imul(n + this.at, 0x9e3779b1) >>> 8) % below
  }

  pick<T> (from: readonly T[]): T {
    return from[this.next(from.length)] as T
  }
}

const PRINCIPALS: Array<{ name: string, roles: Role[], prefixes: string[] }> = [
  { name: 'all', roles: ['federate', 'produce', 'publish'], prefixes: [''] },
  { name: 'two', roles: ['federate', 'publish'], prefixes: ['a', 'b'] },
  { name: 'pub', roles: ['publish'], prefixes: ['a', 'c'] },
  { name: 'prod', roles: ['produce'], prefixes: ['b'] }
]

const logOf = (leaves: readonly NewLeaf[]): LeafLog => {
  const log = new LeafLog()
  log.append(concatBytes(...leaves.map((l) => encodeLeaf(l.leaf))))
  return log
}

export class World {
  readonly domain: TestDomain
  readonly lanes: WorldLane[] = []
  readonly heads: WorldHead[] = []
  /** how many authority items each stage of the chain has */
  readonly stages: number[] = []
  protected salt = 0

  constructor (seed: string, protected readonly dice: Dice) {
    const principals = PRINCIPALS.map((p) => ({ key: testKey(p.name), roles: p.roles, prefixes: p.prefixes }))
    this.domain = makeDomain({ seed, principals })
    this.stages.push(this.domain.items.length)
    const count = 2 + dice.next(4)
    for (let i = 0; i < count; i++) this.openLane(i)
    for (let i = 0; i < 3 + dice.next(6); i++) this.grow()
    for (let i = dice.next(4); i > 0; i--) this.fork()
    if (dice.next(2) === 0) this.vouchAround()
    if (dice.next(2) === 0) this.reduce()
    for (let i = 0; i < dice.next(3); i++) this.grow()
  }

  protected openLane (i: number): void {
    const { name } = PRINCIPALS[i % PRINCIPALS.length] as typeof PRINCIPALS[number]
    const key = testKey(name)
    const lane: Lane = { domain_id: this.domain.domain, principal: key.id, manifest: this.domain.tip, visibility: 1, nonce: digestFrom(`${this.domain.seed} nonce ${i}`), previous: NONE }
    const made: WorldLane = { key, lane, ref: laneCodec.reference(lane), branches: [[]] }
    this.lanes.push(made)
    this.append(made, 0, [this.randomLeaf(1 + this.dice.next(5))])
  }

  protected nextSalt (): string {
    return digestFrom(`${this.domain.seed} salt ${this.salt++}`).slice(0, 32)
  }

  protected randomLeaf (logseq: number): NewLeaf {
    const name = `${this.dice.pick(['a', 'b', 'c', 'ab'])}/${this.dice.pick(['x', 'y', 'é'])}`
    const salt = this.nextSalt()
    const kind = this.dice.next(8)
    if (kind === 0) return bareLeaf('tick', logseq)
    if (kind === 1) return leafOf(logseq, { kind: 'tombstone', salt, name })
    if (kind === 2) return leafOf(logseq, { kind: 'lift', salt, name, ref: refFrom(`content ${this.dice.next(3)}`), mode: 0o755 })
    if (kind === 3) {
      const lane = this.dice.pick(this.lanes.length > 0 ? this.lanes : [undefined])
      const leaves = lane?.branches[0] ?? []
      if (lane !== undefined && leaves.length > 0) {
        const index = this.dice.next(leaves.length)
        return leafOf(logseq, { kind: 'erase', salt, lane: lane.ref, index, leaf_hash: logOf(leaves).leafHash(index) })
      }
    }
    return leafOf(logseq, { kind: 'publish', salt, name, ref: refFrom(`content ${this.dice.next(4)}`), mode: 0o644 })
  }

  protected last (lane: WorldLane, branch: number): number {
    return lane.branches[branch]?.at(-1)?.leaf.logseq ?? 0
  }

  append (lane: WorldLane, branch: number, leaves: readonly NewLeaf[]): WorldHead {
    const log = lane.branches[branch] as NewLeaf[]
    log.push(...leaves)
    return this.sign(lane, branch)
  }

  protected sign (lane: WorldLane, branch: number): WorldHead {
    const log = logOf(lane.branches[branch] as NewLeaf[])
    const artifact = snapshotCodec.artifact({ lane: lane.ref, log_size: log.size, log_root: log.root(), logseq: this.last(lane, branch) })
    const ref = snapshotCodec.reference(snapshotCodec.from(artifact))
    const head: WorldHead = { lane, branch, size: log.size, ref, snapshot: { ref, artifact }, signature: signed(lane.key, 'snapshot', ref) }
    this.heads.push(head)
    return head
  }

  protected grow (): void {
    const lane = this.dice.pick(this.lanes)
    const branch = this.dice.next(lane.branches.length)
    const leaves: NewLeaf[] = []
    let logseq = this.last(lane, branch)
    for (let i = 0; i <= this.dice.next(3); i++) leaves.push(this.randomLeaf(logseq += 1 + this.dice.next(3)))
    this.append(lane, branch, leaves)
  }

  protected fork (): void {
    // Mostly one of the first two: a producer's lane that nobody vouches for shows nothing.
    const lane = this.dice.pick(this.lanes.slice(0, 2 + this.dice.next(2)))
    const base = lane.branches[0] as NewLeaf[]
    const at = this.dice.next(base.length)
    const common = base.slice(0, at)
    lane.branches.push([...common])
    const branch = lane.branches.length - 1
    // A leaf that no other branch can have: its salt is fresh.
    const leaf = leafOf((common.at(-1)?.leaf.logseq ?? 0) + 1, { kind: 'publish', salt: this.nextSalt(), name: 'a/x', ref: refFrom('fork'), mode: 0o644 })
    this.append(lane, branch, [leaf])
    if (this.dice.next(2) === 0) this.append(lane, branch, [this.randomLeaf(this.last(lane, branch) + 1)])
  }

  protected vouchAround (): void {
    for (const voucher of this.lanes) {
      if (this.dice.next(2) === 0) continue
      const target = this.dice.pick(this.lanes)
      const head = this.dice.pick(this.heads.filter((h) => h.lane === target))
      if (target === voucher || head === undefined) continue
      const body: Body = { kind: 'vouch', salt: this.nextSalt(), lane: target.ref, snapshot: head.ref }
      this.append(voucher, 0, [leafOf(this.last(voucher, 0) + 1, body)])
    }
  }

  /** A later manifest that closes a principal, sometimes keeping a prefix of one of its lanes. */
  protected reduce (): void {
    const victim = this.dice.pick(this.lanes).key
    const cuts = this.lanes.filter((l) => l.key === victim && this.dice.next(2) === 0).flatMap((l) => {
      const head = this.dice.pick(this.heads.filter((h) => h.lane === l))
      return head === undefined ? [] : [{ lane: l.ref, snapshot: head.ref, ends: true }]
    })
    const anchor = this.lanes.filter((l) => l.key !== victim && this.dice.next(3) === 0).flatMap((l) => {
      const head = this.dice.pick(this.heads.filter((h) => h.lane === l))
      return head === undefined ? [] : [{ lane: l.ref, snapshot: head.ref, ends: false }]
    })
    const all = [...cuts, ...anchor].sort((a, b) => a.lane < b.lane ? -1 : 1)
    this.domain.manifest({ closed: [victim], ...(all.length > 0 ? { cuts: all } : {}) })
    this.stages.push(this.domain.items.length)
  }

  /** A server holding the first `stage` manifests and, of each lane, one branch up to one of its heads. */
  server (dice: Dice, complete: boolean): DomainKnowledge {
    const k = new DomainKnowledge(this.domain.domain)
    const stage = complete ? this.stages.length - 1 : dice.next(this.stages.length)
    for (const { artifact } of this.domain.items.slice(0, this.stages[stage])) k.admit(artifact)
    for (const lane of this.lanes) {
      const branch = dice.next(lane.branches.length)
      const heads = this.heads.filter((h) => h.lane === lane && h.branch === branch)
      const head = complete ? heads.at(-1) : dice.next(4) === 0 ? undefined : dice.pick(heads)
      if (head !== undefined) this.give(k, head)
    }
    return k
  }

  /** All that makes `head` held: lane, heads of its branch so far, leaves, bodies. */
  give (k: DomainKnowledge, head: WorldHead): void {
    k.admit(laneCodec.artifact(head.lane.lane))
    for (const h of this.heads) {
      if (h.lane !== head.lane || h.branch !== head.branch || h.size > head.size) continue
      k.admit(h.snapshot.artifact)
      k.admit(h.signature.artifact)
    }
    const lane = k.lanes.get(head.lane.ref)
    const made = lane?.heads.get(head.ref)
    const leaves = (head.lane.branches[head.branch] as NewLeaf[]).slice(0, head.size)
    if (lane === undefined || made === undefined) throw new Error('the head was not taken')
    const extended = lane.extend(made, 0, concatBytes(...leaves.map((l) => encodeLeaf(l.leaf))))
    if (extended.result !== 'extended') throw new Error('the log was not taken')
    const { branch } = extended
    leaves.forEach((l, i) => { if (l.body !== undefined) lane.addBody(branch, i, l.body) })
    k.touch()
  }

  /** A head for one of the lanes, signed by a key that isn't its principal's. */
  forgery (): Item[] {
    const [lane] = this.lanes as [WorldLane]
    const artifact = snapshotCodec.artifact({ lane: lane.ref, log_size: 99, log_root: digestFrom('forged'), logseq: 99 })
    const ref = snapshotCodec.reference(snapshotCodec.from(artifact))
    return [{ ref, artifact }, signed(testKey('mallory'), 'snapshot', ref)]
  }
}

export type Server = (request: SyncRequest) => SyncAnswer

export const honest = (k: DomainKnowledge): Server => (request) => answer(k, request)

export interface Pulled { readonly outcome: PullOutcome, readonly refused: string[], readonly noted: string[], readonly ops: KvOp[] }

/** Runs one pull of `k` from `server` to its end. */
export function pullFrom (k: DomainKnowledge, server: Server): Pulled {
  const refused: string[] = []
  const noted: string[] = []
  const ops: KvOp[] = []
  const run = pull(k, { commit: (o) => { ops.push(...o) }, refuse: (code) => { refused.push(code) }, note: (code) => { noted.push(code) }, evidence: () => undefined, digest: () => undefined })
  let step = run.next()
  for (let n = 0; step.done !== true; n++) {
    if (n > 10_000) throw new Error('a pull does not end')
    step = run.next(server(step.value))
  }
  return { outcome: step.value, refused, noted, ops }
}

/**
 * Everything of a view that two nodes must agree on, as text. `exported`: who pulled at different times may hold different parts of what isn't exported by
 * now (A3), so that isn't compared.
 */
export function verdicts (k: DomainKnowledge, exported = false): string {
  const view = k.view()
  // Of a lane that a cut ends nothing rests on a fork any more, and who has heard of the cut first looks for none.
  const fork = (v: LaneView): number => v.reach < Infinity ? -2 : v.knowledge.evidence?.index ?? -1
  const lanes = [...view.lanes.values()].filter((v) => v.considered).map((v) => [v.knowledge.ref, v.status, v.code, exported ? v.exported : v.limit, v.exported, v.contested, fork(v), v.judged.slice(0, exported ? v.exported : v.limit).map((j) => j.code)])
  return JSON.stringify({ digest: view.digest, authority: view.authority.stateText, logseq: view.logseq, withheld: view.withheld, lanes })
}
