/**
 * One node at work: the store, what is known of each domain, and the replica that decides. Carries out the replica's effects in order, so that nothing
 * is said before it is durable. Clock, disk, sockets and entropy are ports: the node and the simulator run this very code. Source: DESIGN §2, RULES L4.
 */
import type { DomainKnowledge } from '../authority/knowledge.js'
import { DiadError } from '../substrate/errors.js'
import type { PackStore } from '../substrate/pack-store.js'
import type { Kv, KvOp } from '../substrate/ports.js'
import type { Hash, Reference } from '../substrate/reference.js'
import { AdmissionExchange } from './admission-exchange.js'
import type { AudienceIndex } from './audience.js'
import { controlOps, type DomainRecord, loadKnowledge, loadRecords, recordOp } from './ledger.js'
import type { Effect, ReplicaEvent, Report } from './effects.js'
import { Replica, type ReplicaOptions } from './replica.js'
import { Gate } from './gate.js'
import { Upkeep } from './upkeep.js'
import { isPublic } from './visibility.js'

/** L4: what says outside the store how far a lane has come, and is void after a reboot or a restore. */
export interface Markers {
  mayContinue: (lane: Reference, head: { size: number, root: Hash }) => boolean
  /** Before the head leaves the process. Throws when an older marker can be neither replaced nor removed. */
  write: (lane: Reference, head: { size: number, root: Hash }) => void
}

export interface EnginePorts {
  readonly kv: Kv
  readonly blocks: PackStore
  readonly audience: AudienceIndex
  readonly markers: Markers
  /** that many fresh random bytes, as hex */
  readonly random: (bytes: number) => string
}

/** What carries effects to the outside; absent while offline. */
export interface Outside {
  send: (effect: Extract<Effect, { type: 'send' }>) => void
  gossip: (domain: Reference, bytes: Uint8Array) => void
  subscribe: (domain: Reference, on: boolean) => void
  blame: (peer: string, code: string) => void
  /** look for peers that hold the domain, and connect to some */
  seek: (domain: Reference) => void
}

/** addresses of one domain that are remembered */
const MAX_ADDRESSES = 64

export class Engine {
  readonly replica: Replica
  readonly gate = new Gate()
  readonly upkeep: Upkeep
  /** takes no requests until it is given a room for them */
  readonly admission: AdmissionExchange
  outside: Outside | undefined
  private queue: Promise<void> = Promise.resolve()
  private waiting = 0
  private failure: unknown
  private readonly loading = new Map<Reference, Promise<DomainKnowledge>>()
  private readonly listeners = new Set<(report: Report) => void>()
  private onFailed: (err: unknown) => void = () => undefined
  /** changes of records, one after the other: each is made from what the one before left */
  private changes: Promise<unknown> = Promise.resolve()
  /** told what a listener or `outside` threw; by default nobody is */
  onTrouble: (err: unknown) => void = () => undefined

  protected constructor (readonly ports: EnginePorts, readonly records: Map<Reference, DomainRecord>, options: ReplicaOptions) {
    this.replica = new Replica(options)
    this.upkeep = new Upkeep(this, (err) => { this.fail(err) })
    this.admission = new AdmissionExchange({
      random: (bytes) => ports.random(bytes),
      send: (peer, direction, bytes) => { if (this.failure === undefined) this.outside?.send({ type: 'send', peer, channel: 'admit', direction, bytes }) },
      held: async (domain) => this.records.has(domain) ? await this.knowledge(domain) : undefined,
      shows: (domain) => this.shows(domain),
      blame: (peer, code) => { this.outside?.blame(peer, code) },
      report: (report) => { this.tell(report) },
      trouble: (err) => { this.onTrouble(err) }
    })
  }

  static async load (ports: EnginePorts, options: ReplicaOptions): Promise<Engine> {
    return new Engine(ports, await loadRecords(ports.kv), options)
  }

  /** Calls `listener` with what the replica reports, after the effects before it were carried out. Returns how to stop that. */
  onReport (listener: (report: Report) => void): () => void {
    this.listeners.add(listener)
    return () => { this.listeners.delete(listener) }
  }

  /** Told once when the store failed: from then on nothing is said or written, so the process should end. */
  onFailure (listener: (err: unknown) => void): void {
    this.onFailed = listener
    if (this.failure !== undefined) listener(this.failure)
  }

  private fail (err: unknown): void {
    if (this.failure !== undefined) return
    this.failure = err
    this.onFailed(err)
  }

  /** Hands an event to the replica and carries out what it answers. Returns the effects, for callers that need one at once (a gossip judgement). */
  step (event: ReplicaEvent): Effect[] {
    this.guarded(() => { this.stepAdmission(event) })
    if (event.type === 'frame' && event.channel === 'admit') return []
    const effects = this.replica.step(event)
    if (effects.length > 0) {
      this.waiting++
      this.queue = this.queue.then(async () => { await this.carryOut(effects) }).catch((err: unknown) => { this.fail(err) }).then(() => { this.waiting-- })
    }
    return effects
  }

  private stepAdmission (event: ReplicaEvent): void {
    if (event.type === 'peer') this.admission.onPeer(event.peer, event.up)
    else if (event.type === 'tick') this.admission.onTick(event.now)
    else if (event.type === 'frame' && event.channel === 'admit') this.admission.onFrame(event.peer, event.direction, event.bytes)
  }

  /** Events whose effects aren't carried out yet: while there are more than the one that is being told, memory may be ahead of the disk. */
  get unsettled (): number {
    return this.waiting
  }

  /**
   * Runs `work` after all that was decided before it and before anything that is decided after it: what memory shows from now on isn't said to anybody
   * until `work` is done, and never if it fails (L4: a head that left the process is durable, and its marker stands).
   */
  async durable (work: () => Promise<void>): Promise<void> {
    const mine = this.queue.then(async () => {
      if (this.failure !== undefined) throw this.failure as Error
      await work()
    })
    this.queue = mine.catch((err: unknown) => { this.fail(err) })
    await mine
  }

  /** Resolves when everything decided so far is carried out; rejects with the store's failure, if there was one. */
  async settled (): Promise<void> {
    await this.queue
    if (this.failure !== undefined) throw this.failure as Error
  }

  private async carryOut (effects: Effect[]): Promise<void> {
    for (const e of effects) {
      if (this.failure !== undefined) return
      switch (e.type) {
        // Durable before visible: whatever follows in the list waits for the disk.
        case 'commit': await this.commit(e.ops); break
        case 'report':
          this.lookAfter(e.report)
          this.tell(e.report)
          break
        case 'gossip-judgement': break
        default: this.guarded(() => { this.tellOutside(e) })
      }
    }
  }

  private lookAfter (report: Report): void {
    const k = report.kind === 'changed' ? this.replica.domains.get(report.domain) : undefined
    if (k !== undefined) this.upkeep.start(k)
  }

  private tell (report: Report): void {
    for (const listener of [...this.listeners]) this.guarded(() => { listener(report) })
  }

  private tellOutside (e: Effect): void {
    switch (e.type) {
      case 'send': this.outside?.send(e); break
      case 'gossip': this.outside?.gossip(e.domain, e.bytes); break
      case 'subscribe': this.outside?.subscribe(e.domain, true); break
      case 'unsubscribe': this.outside?.subscribe(e.domain, false); break
      case 'seek': this.outside?.seek(e.domain); break
      case 'score': this.outside?.blame(e.peer, e.code); break
      default:
    }
  }

  /** What is durable stays true whoever fails to hear of it: only the store's own failure ends the engine. */
  private guarded (tell: () => void): void {
    try {
      tell()
    } catch (err) {
      this.onTrouble(err)
    }
  }

  async commit (ops: readonly KvOp[]): Promise<void> {
    await this.ports.blocks.commit(ops)
  }

  /** What is held of a domain, read once. */
  async knowledge (domain: Reference): Promise<DomainKnowledge> {
    let k = this.loading.get(domain)
    if (k === undefined) {
      k = loadKnowledge(this.ports.kv, domain)
      this.loading.set(domain, k)
      k.catch(() => { this.loading.delete(domain) })
    }
    return await k
  }

  /** A domain of our own, freshly minted: `k` and the record of it become durable together. */
  async found (k: DomainKnowledge): Promise<void> {
    const record: DomainRecord = { mode: 'mirror', own: true, dormant: false, peers: [] }
    await this.commit([...controlOps(k, k.objects.relevant(k.domain)), recordOp(k.domain, record)])
    this.records.set(k.domain, record)
    this.loading.set(k.domain, Promise.resolve(k))
  }

  /** Forgets memory that a failed write may have left ahead of the disk. */
  forget (domain: Reference): void {
    this.loading.delete(domain)
  }

  /** Makes a new record of the one held when its turn comes, or leaves it when `to` gives none. */
  private async change<T extends DomainRecord | undefined> (domain: Reference, to: (before: DomainRecord | undefined) => T): Promise<T> {
    const mine = this.changes.then(async () => {
      const record = to(this.records.get(domain))
      if (record === undefined) return record
      await this.commit([recordOp(domain, record)])
      this.records.set(domain, record)
      return record
    })
    this.changes = mine.catch(() => undefined)
    return await mine
  }

  /** Domains that take part: own and followed ones. */
  active (): Reference[] {
    return [...this.records].filter(([, r]) => !r.dormant).map(([d]) => d).sort()
  }

  own (): Reference | undefined {
    return [...this.records].find(([, r]) => r.own)?.[0]
  }

  /** Loads every active domain into the replica. */
  async wakeAll (): Promise<void> {
    for (const domain of this.active()) {
      try {
        await this.wake(domain)
      } catch (err) {
        // One damaged domain must not keep the others from working; commands on it say what is wrong.
        if (!(err instanceof DiadError) || this.records.get(domain)?.own === true) throw err
      }
    }
  }

  async wake (domain: Reference): Promise<DomainKnowledge> {
    const k = await this.knowledge(domain)
    // It may have been unfollowed while the store was read: what is dormant isn't shown.
    if (this.records.get(domain)?.dormant !== true && this.replica.domains.get(domain) !== k) {
      this.step({ type: 'follow', knowledge: k })
      this.upkeep.start(k)
    }
    return k
  }

  /** Follows a domain; what was held of it before is taken up again, its quota too unless `quota` says another (`none`: any number of bytes). */
  async follow (domain: Reference, mode: DomainRecord['mode'], peers: readonly string[], quota?: number | 'none'): Promise<DomainRecord> {
    const record = await this.change(domain, (before): DomainRecord => {
      if (before?.own === true) throw new DiadError('own-domain', 'this is the home\'s own domain, which it holds anyway', 'follow other domains')
      const lent = quota ?? before?.quota
      return { mode, own: false, dormant: false, peers: [...new Set([...peers, ...before?.peers ?? []])].slice(0, MAX_ADDRESSES), ...(typeof lent === 'number' ? { quota: lent } : {}) }
    })
    await this.wake(domain)
    return record
  }

  /** Addresses where the domain was found are tried again next time, newest first. */
  async remember (domain: Reference, found: readonly string[]): Promise<void> {
    await this.change(domain, (record) => {
      if (record === undefined || record.own || found.every((a) => record.peers.includes(a))) return undefined
      return { ...record, peers: [...new Set([...found, ...record.peers])].slice(0, MAX_ADDRESSES) }
    })
  }

  async unfollow (domain: Reference): Promise<void> {
    await this.change(domain, (record): DomainRecord => {
      if (record === undefined || record.dormant) throw new DiadError('not-found', 'this home doesn\'t follow that domain', 'see `diad status`')
      if (record.own) throw new DiadError('own-domain', 'a home can\'t unfollow its own domain', '')
      return { ...record, dormant: true }
    })
    // It may be followed again already.
    if (this.records.get(domain)?.dormant === true) this.step({ type: 'unfollow', domain })
  }

  /** Whether anything of the domain is shown to peers at all. */
  shows (domain: Reference): boolean {
    const k = this.replica.domains.get(domain)
    return k !== undefined && k.authority().tip !== undefined && isPublic(k)
  }

  /**
   * The ArtifactBytes to answer a peer with, in the order asked; undefined for what isn't held for this domain. V1, V3: the audience index is asked
   * before the store; what isn't held for this domain was never here.
   */
  async blocksFor (domain: Reference, refs: readonly Reference[]): Promise<Array<Uint8Array | undefined>> {
    const held = this.ports.audience.heldBy(domain)
    const shown = this.shows(domain) ? refs.filter((r) => held(r) && !this.upkeep.isHidden(domain, r)) : []
    const found = await this.ports.blocks.getManyBytes(shown)
    const bytes = new Map(shown.map((r, i) => [r, found[i]]))
    return refs.map((r) => bytes.get(r))
  }
}
