/** Single lanes made by hand, replicas joined by wires of function calls, and a key-value map in memory. */
import { DomainKnowledge } from '../../src/authority/knowledge.js'
import type { Effect, ReplicaEvent, Report } from '../../src/federation/effects.js'
import { Replica } from '../../src/federation/replica.js'
import { answerWire, requestWire } from '../../src/federation/messages.js'
import { type Lane, laneCodec, PUBLISHED, snapshotCodec } from '../../src/publication/lane.js'
import { type Body, encodeLeaf, leafOf, type NewLeaf } from '../../src/publication/leaf.js'
import { LeafLog } from '../../src/publication/leaf-log.js'
import { compareBytes, concatBytes, fromHex, toHex } from '../../src/substrate/bytes.js'
import type { Kv, KvOp } from '../../src/substrate/ports.js'
import { NONE, type Reference } from '../../src/substrate/reference.js'
import { digestFrom, type Item, itemOf, refFrom, signed, type TestDomain, type TestKey } from './authority-fixtures.js'

export interface MadeHead { readonly ref: Reference, readonly size: number, readonly snapshot: Item, readonly signature: Item }

export class TestLane {
  readonly leaves: NewLeaf[] = []
  readonly log = new LeafLog()
  readonly lane: Lane
  readonly ref: Reference
  private salts = 0

  constructor (readonly domain: TestDomain, readonly key: TestKey, private readonly seed: string, fields: Partial<Lane> = {}) {
    this.lane = { domain_id: domain.domain, principal: key.id, manifest: domain.tip, visibility: PUBLISHED, nonce: digestFrom(`nonce ${seed}`), previous: NONE, ...fields }
    this.ref = laneCodec.reference(this.lane)
  }

  get item (): Item {
    return itemOf(laneCodec.artifact(this.lane))
  }

  salt (): string {
    return digestFrom(`salt ${this.seed} ${this.salts++}`).slice(0, 32)
  }

  get logseq (): number {
    return this.leaves.at(-1)?.leaf.logseq ?? 0
  }

  append (...bodies: Body[]): MadeHead {
    for (const body of bodies) {
      const leaf = leafOf(this.logseq + 1, body)
      this.leaves.push(leaf)
      this.log.append(encodeLeaf(leaf.leaf))
    }
    return this.head()
  }

  publish (name: string, content = name): MadeHead {
    return this.append({ kind: 'publish', salt: this.salt(), name, ref: refFrom(`content ${content}`), mode: 0o644 })
  }

  erase (target: TestLane, index: number): MadeHead {
    return this.append({ kind: 'erase', salt: this.salt(), lane: target.ref, index, leaf_hash: target.log.leafHash(index) })
  }

  vouch (target: TestLane, head: MadeHead): MadeHead {
    return this.append({ kind: 'vouch', salt: this.salt(), lane: target.ref, snapshot: head.ref })
  }

  /** Signs a head; with `logseq` one that lies about its last leaf, with `log_root` or a size beyond the log one that nobody can show. */
  head (fields: { size?: number, logseq?: number, log_root?: string } = {}): MadeHead {
    const size = fields.size ?? this.log.size
    const logRoot = fields.log_root ?? this.log.root(size)
    const logseq = fields.logseq ?? this.leaves[size - 1]?.leaf.logseq ?? size
    const snapshot = itemOf(snapshotCodec.artifact({ lane: this.ref, log_size: size, log_root: logRoot as ReturnType<LeafLog['root']>, logseq }))
    return { ref: snapshot.ref, size, snapshot, signature: signed(this.key, 'snapshot', snapshot.ref) }
  }

  /** The same lane with the first `size` leaves, to grow another way. */
  fork (size: number): TestLane {
    const twin = new TestLane(this.domain, this.key, this.seed, this.lane)
    for (const leaf of this.leaves.slice(0, size)) {
      twin.leaves.push(leaf)
      twin.log.append(encodeLeaf(leaf.leaf))
    }
    twin.salts = this.salts + 1000 + size
    return twin
  }

  /** Makes `head` and all leaves below it held. */
  give (k: DomainKnowledge, head: MadeHead, bodies = true): void {
    k.admit(this.item.artifact)
    admitHead(k, head)
    const lane = k.lanes.get(this.ref)
    const held = lane?.heads.get(head.ref)
    if (lane === undefined || held === undefined) throw new Error('the head was not taken')
    const branch = lane.branches.find((b) => b.log.size <= head.size && b.log.root() === this.log.root(b.log.size))
    const from = branch?.log.size ?? 0
    const leaves = this.leaves.slice(from, head.size)
    const extended = lane.extend(held, from, concatBytes(...leaves.map((l) => encodeLeaf(l.leaf))), branch)
    if (extended.result !== 'extended') throw new Error(`the log was not taken: ${extended.result}`)
    if (bodies) leaves.forEach((l, i) => { if (l.body !== undefined) lane.addBody(extended.branch, from + i, l.body) })
    k.touch()
  }
}

export function admitHead (k: DomainKnowledge, head: MadeHead): void {
  k.admit(head.snapshot.artifact)
  k.admit(head.signature.artifact)
}

export function knowledgeOf (domain: TestDomain): DomainKnowledge {
  const k = new DomainKnowledge(domain.domain)
  for (const { artifact } of domain.items) k.admit(artifact)
  return k
}

/** Replicas that hear each other at once. */
export class Wires {
  readonly replicas = new Map<string, Replica>()
  readonly reports: Array<Report & { at: string }> = []
  readonly effects: Array<Effect & { at: string }> = []
  /** sync requests sent so far, as [from, type] */
  readonly requests: Array<[string, string]> = []
  private readonly queue: Array<[string, ReplicaEvent]> = []

  add (name: string, ...held: DomainKnowledge[]): Replica {
    const replica = new Replica({ agent: name })
    this.replicas.set(name, replica)
    for (const knowledge of held) this.step(name, { type: 'follow', knowledge })
    return replica
  }

  connect (a: string, b: string): void {
    this.queue.push([a, { type: 'peer', peer: b, up: true }], [b, { type: 'peer', peer: a, up: true }])
    this.run()
  }

  tick (now: number): void {
    for (const name of this.replicas.keys()) this.queue.push([name, { type: 'tick', now }])
    this.run()
  }

  step (name: string, event: ReplicaEvent): void {
    this.queue.push([name, event])
    this.run()
  }

  private run (): void {
    for (let n = 0; this.queue.length > 0; n++) {
      if (n > 20_000) throw new Error('the replicas never fall silent')
      const [at, event] = this.queue.shift() as [string, ReplicaEvent]
      for (const e of this.replicas.get(at)?.step(event) ?? []) {
        this.effects.push({ ...e, at })
        if (e.type === 'report') this.reports.push({ ...e.report, at })
        if (e.type !== 'send') continue
        if (e.channel === 'sync' && e.direction === 'request') this.requests.push([at, requestWire.decode(e.bytes).t])
        if (e.channel === 'sync' && e.direction === 'response') answerWire.decode(e.bytes)
        this.queue.push([e.peer, { type: 'frame', peer: at, channel: e.channel, direction: e.direction, bytes: e.bytes }])
      }
    }
  }
}

export class MemoryKv implements Kv {
  readonly held = new Map<string, Uint8Array>()

  get = (key: Uint8Array): Uint8Array | undefined => this.held.get(toHex(key))

  write (ops: readonly KvOp[]): void {
    for (const op of ops) {
      if (op.type === 'put') this.held.set(toHex(op.key), op.value.slice())
      else this.held.delete(toHex(op.key))
    }
  }

  batch = async (ops: readonly KvOp[]): Promise<void> => { this.write(ops) }

  close = async (): Promise<void> => undefined

  /** How many keys start with this byte. */
  count (space: number): number {
    return [...this.held.keys()].filter((k) => k.startsWith(toHex(Uint8Array.of(space)))).length
  }

  async * entries (gte: Uint8Array, lt: Uint8Array): AsyncGenerator<[Uint8Array, Uint8Array]> {
    for (const [key, value] of [...this.held].map(([k, v]) => [fromHex(k), v] as [Uint8Array, Uint8Array]).sort(([a], [b]) => compareBytes(a, b))) {
      if (compareBytes(key, gte) >= 0 && compareBytes(key, lt) < 0) yield [key, value.slice()]
    }
  }
}
