/** A federation in virtual time: nodes, network, domains, and everything that watches them. Built from a scenario; its timeline is carried out by run.ts. */
import type { DomainKnowledge } from '../../src/authority/knowledge.js'
import type { Appended } from '../../src/federation/append.js'
import type { ContentResult } from '../../src/federation/content.js'
import { recordOp } from '../../src/federation/ledger.js'
import type { GossipJudgement, Report } from '../../src/federation/effects.js'
import type { Reference } from '../../src/substrate/reference.js'
import { drawEdges, drawFollows } from '../scenario/draw.js'
import { linkProps } from '../scenario/links.js'
import type { NodeSpec, Scenario } from '../scenario/types.js'
import type { Micros, Violation } from '../trace.js'
import { Clock } from './clock.js'
import { SimDisk } from './disk.js'
import { knowledgeOf, mintingOrder, mintSimDomain, type SimDomain, type Stick } from './domains.js'
import type { GossipMessage } from './gossip.js'
import { Machine } from './machine.js'
import { Meter } from './meter.js'
import { type NetworkListener, SimNetwork } from './network.js'
import { openEngine, SimNode, type Surroundings } from './node.js'
import { Oracle } from './oracle.js'
import { Random } from './random.js'
import { Tracer } from './tracer.js'
import type { Watch } from './watch.js'
import { type BlockAnswer, type BlockRequest, type SendEffect, SimWire, type Wire } from './wire.js'

export interface WorldInit {
  readonly scenario: Scenario
  readonly seed: number
  /** real time and real sockets instead of simulated ones */
  readonly real?: { readonly clock: Clock, readonly wire: (listener: NetworkListener) => Wire }
  /** keep the events, for a report */
  readonly keepTrace?: boolean
  /** taps on every frame that honest nodes send; off where a run is for its scale */
  readonly watchWire?: boolean
}

/** a look-up in the DHT: some hops */
const LOOKUP: Micros = 600_000
/** addresses that one look-up gives */
const FOUND = 3

/** codes with which a node ends because its disk did */
const DISK_FAULTS = new Set(['disk-full', 'disk-error', 'store-damaged', 'block-damaged'])

/** violations after which a run is ended: one cause has many effects */
const MAX_VIOLATIONS = 20

export interface Undone { readonly t: number, readonly node: string, readonly action: string, readonly code: string, readonly why: string }

/** One thing that an honest node refused. */
export interface Refusal { readonly node: string, readonly peer: string, readonly domain: string, readonly code: string, readonly ref: string }

export class World implements Surroundings {
  readonly clock: Clock
  readonly random: Random
  readonly scenario: Scenario
  readonly seed: number
  readonly tracer: Tracer
  readonly meter = new Meter()
  readonly oracle = new Oracle()
  readonly violations: Violation[] = []
  readonly refusals: Refusal[] = []
  /** actions of the timeline that their own node refused: a real node would, too, and whoever wrote them may not have meant that */
  readonly undone: Undone[] = []
  readonly domains = new Map<string, SimDomain>()
  /** by the name that `export` gave them */
  readonly sticks = new Map<string, Stick>()
  readonly network: Wire
  private readonly domainNames = new Map<Reference, string>()
  private readonly nodes = new Map<string, SimNode>()
  private readonly follows: Map<string, readonly string[]>
  /** nodes that own or follow a domain */
  private readonly candidates = new Map<Reference, SimNode[]>()
  private readonly watches: Array<{ name: string, watch: Watch }> = []
  /** progress that was counted: node → lane → leaves */
  private readonly counted = new Map<string, Map<Reference, number>>()
  /** proofs that were told: node and lane → the index at which two histories part */
  private readonly proven = new Map<string, number>()
  private lastViews = new Map<string, string>()

  private constructor (private readonly init: WorldInit) {
    this.scenario = init.scenario
    this.seed = init.seed
    this.random = Random.from(init.seed)
    this.tracer = new Tracer(() => this.clock.now, init.keepTrace ?? false)
    const draw = this.random.fork('follows')
    this.follows = drawFollows(this.scenario.nodes, (n) => draw.below(n))
    const listener: NetworkListener = {
      sent: (from, to, m, arrives) => {
        this.meter.sent(from, to, m.what, m.bytes)
        this.tracer.add({ kind: 'sent', from, to, what: m.what, bytes: m.bytes, arrives })
      },
      lost: (from, to, m, why) => {
        this.meter.lost++
        this.tracer.add({ kind: 'lost', from, to, what: m.what, why })
      },
      link: (from, to, state) => { this.tracer.add({ kind: 'link', from, to, state }) }
    }
    this.clock = init.real?.clock ?? new Clock()
    this.network = init.real?.wire(listener) ??
      new SimWire(new SimNetwork(this.clock, this.random.fork('network'), linkProps(this.scenario.links), listener), this.clock, this.random)
  }

  /** All machines furnished, all nodes down. */
  static async build (init: WorldInit): Promise<World> {
    const world = new World(init)
    await world.populate()
    return world
  }

  /** Has `watch` asked about everything that honest nodes do. */
  watch (name: string, watch: Watch): void {
    this.watches.push({ name, watch })
  }

  /** Starts every node, and every link that the scenario wants. */
  async start (): Promise<void> {
    const draw = this.random.fork('edges')
    for (const node of this.nodes.values()) if (!node.spec.later) await node.start()
    for (const [a, b] of drawEdges(this.scenario, (n) => draw.below(n))) this.network.wire(a, b)
  }

  private async populate (): Promise<void> {
    const { scenario, seed, random } = this
    for (const spec of mintingOrder(scenario.domains)) {
      const domain = await mintSimDomain(spec, seed, random, (name) => this.domain(name).id, (target) => { this.oracle.signed.add(target) })
      this.domains.set(spec.name, domain)
      this.domainNames.set(domain.id, spec.name)
      this.tracer.add({ kind: 'action', action: 'domain', node: '', text: `${spec.name} ${domain.id}` })
    }
    for (const spec of scenario.nodes) {
      const node = new SimNode(this, spec, new Machine(this.clock, random.fork(`machine ${spec.name}`)))
      this.nodes.set(spec.name, node)
      this.network.add(spec.name, node)
      await this.furnish(node)
      for (const name of new Set([...spec.domain === '' ? [] : [spec.domain], ...this.followsOf(node)])) {
        const { id } = this.domain(name)
        this.candidates.set(id, [...this.candidates.get(id) ?? [], node])
      }
    }
  }

  /** The run is over: nothing goes on, nothing stays open. */
  async close (): Promise<void> {
    for (const node of this.nodes.values()) node.abandon()
    await this.network.close()
  }

  /** Puts on a node's disk what `diad init` and `diad follow` would. */
  private async furnish (node: SimNode): Promise<void> {
    const { spec, machine } = node
    // Before the clock runs, so without the delays of the machine's own disk.
    const disk = new SimDisk()
    const engine = await openEngine(disk, machine, node.random)
    const own = spec.domain === '' ? undefined : this.domain(spec.domain)
    if (own !== undefined && spec.keys.length > 0) {
      for (const name of spec.keys) {
        const [key] = own.keys.of(name)
        if (key !== undefined) machine.keys.set(name, key)
      }
      await engine.found(knowledgeOf(own))
    } else if (own !== undefined) await engine.commit([recordOp(own.id, { mode: 'mirror', own: false, dormant: false, peers: [] })])
    const mode = spec.mode === 'mirror' ? 'mirror' : 'follow'
    await engine.commit((this.follows.get(spec.name) ?? []).map((name) => recordOp(this.domain(name).id, { mode, own: false, dormant: false, peers: [] })))
    await engine.ports.blocks.close()
    machine.disk.take(disk)
  }

  /** A node's disk is new: it follows what it followed, and holds nothing. Its keys are kept elsewhere. */
  async empty (node: SimNode): Promise<void> {
    node.machine.disk.take(new SimDisk())
    this.oracle.setBack.add(node.name)
    await this.furnish(node)
  }

  // ── asking ──

  node (name: string): SimNode {
    const node = this.nodes.get(name)
    if (node === undefined) throw new RangeError(`there is no node "${name}"`)
    return node
  }

  allNodes (): SimNode[] {
    return [...this.nodes.values()]
  }

  honest (): SimNode[] {
    return this.allNodes().filter((n) => n.honest)
  }

  domain (name: string): SimDomain {
    const domain = this.domains.get(name)
    if (domain === undefined) throw new RangeError(`there is no domain "${name}"`)
    return domain
  }

  nameOf (id: Reference): string {
    return this.domainNames.get(id) ?? id.slice(0, 12)
  }

  followsOf (node: SimNode): readonly string[] {
    return this.follows.get(node.name) ?? []
  }

  /** Honest nodes that are up and hold the domain in their replica. */
  holders (domain: SimDomain): Array<{ node: SimNode, k: DomainKnowledge }> {
    return this.honest().flatMap((node) => {
      const k = node.engine?.replica.domains.get(domain.id)
      return k === undefined ? [] : [{ node, k }]
    })
  }

  get over (): boolean {
    return this.violations.length >= MAX_VIOLATIONS
  }

  /**
   * Stands for the DHT: tells `node` after a while of some nodes that show the domain, liars among them, and it dials those. Like the real one it is slow,
   * may be wrong, and only ever gives addresses. Partitions hold for it too.
   */
  seek (node: SimNode, domain: Reference): void {
    if (!this.scenario.links.discover) return
    this.clock.after(LOOKUP, () => {
      const known = new Set(this.network.wired(node.name))
      const found = (this.candidates.get(domain) ?? []).filter((n) => n !== node && !known.has(n.name) && n.engine?.shows(domain) === true && this.network.passes(node.name, n.name))
      const draw = this.random.fork(`seek ${node.name} ${domain} ${this.clock.now}`)
      for (const n of draw.shuffle(found).slice(0, FOUND)) this.network.wire(node.name, n.name)
    })
  }

  // ── telling ──

  violate (invariant: string, node: string, text: string, line = 0): void {
    if (this.over) return
    this.violations.push({ invariant, t: this.clock.now, node, text, line })
    this.tracer.add({ kind: 'violation', invariant, node, text })
  }

  note (action: string, node: string, text: string): void {
    this.tracer.add({ kind: 'action', action, node, text })
  }

  private watchAll (node: SimNode, ask: (watch: Watch) => string | undefined): void {
    if (!node.honest) return
    for (const { name, watch } of this.watches) {
      let wrong: string | undefined
      try {
        wrong = ask(watch)
      } catch (err) {
        // Whoever reports to us goes on whatever we throw, so it would never be seen.
        wrong = `the invariant itself threw: ${err instanceof Error ? err.stack ?? err.message : String(err)}`
      }
      if (wrong !== undefined) this.violate(name, node.name, wrong)
    }
  }

  /** Asks every invariant that looks at the whole. */
  checkAtRest (): void {
    for (const { name, watch } of this.watches) {
      const wrong = watch.atRest?.()
      if (wrong !== undefined) this.violate(name, '', wrong)
    }
  }

  nodeState (node: SimNode, state: 'up' | 'down' | 'crashed' | 'failed', text: string): void {
    this.tracer.add({ kind: 'node', node: node.name, state, text })
    if (!node.honest) return
    // A disk may end a node; anything else that does is a bug.
    if (state === 'failed' && !DISK_FAULTS.has(text)) this.violate('no-crash', node.name, `the node ended: ${text}`)
    if (state !== 'up') return
    for (const { name, watch } of this.watches) {
      void watch.started?.(node).then((wrong) => { if (wrong !== undefined) this.violate(name, node.name, wrong) })
    }
  }

  reported (node: SimNode, report: Report): void {
    switch (report.kind) {
      case 'refused': this.refused(node, report.peer, report.domain, report.code, report.ref); break
      case 'noted': this.tracer.add({ kind: 'noted', node: node.name, peer: report.peer, domain: this.nameOf(report.domain), code: report.code, ref: report.ref }); break
      case 'malformed': this.refused(node, report.peer, undefined, 'malformed', undefined); break
      case 'changed': {
        const k = node.engine?.replica.domains.get(report.domain)
        if (k !== undefined) this.changed(node, k, report.by)
        break
      }
      case 'pulled':
      case 'admission-request':
      case 'hello': break
    }
  }

  refused (node: SimNode, peer: string, domain: Reference | undefined, code: string, ref: Reference | undefined): void {
    const refusal = { node: node.name, peer, domain: domain === undefined ? '' : this.nameOf(domain), code, ref: ref ?? '' }
    if (node.honest) this.refusals.push(refusal)
    this.tracer.add({ kind: 'refused', ...refusal })
  }

  private changed (node: SimNode, k: DomainKnowledge, by: string): void {
    const brought = this.countDeliveries(node, k)
    const view = k.view()
    const key = `${node.name} ${k.domain}`
    const domain = this.nameOf(k.domain)
    if (this.lastViews.get(key) !== view.digest || brought.length > 0) {
      this.lastViews.set(key, view.digest)
      this.tracer.add({ kind: 'view', node: node.name, domain, view: view.digest.slice(0, 16), logseq: view.logseq, names: view.current.size, by, brought })
    }
    this.tellEvidence(node, k)
    this.watchAll(node, (w) => w.changed?.(node, k))
  }

  private tellEvidence (node: SimNode, k: DomainKnowledge): void {
    for (const lane of k.lanes.values()) {
      const { evidence } = lane
      if (evidence === undefined) continue
      const key = `${node.name} ${lane.ref}`
      if (this.proven.get(key) === evidence.index) continue
      this.proven.set(key, evidence.index)
      this.tracer.add({ kind: 'evidence', node: node.name, domain: this.nameOf(k.domain), lane: lane.ref.slice(0, 20), index: evidence.index })
    }
  }

  /** Numbers of the publications whose leaves this node holds since now. */
  private countDeliveries (node: SimNode, k: DomainKnowledge): number[] {
    const updates = new Set<number>()
    let lanes = this.counted.get(node.name)
    if (lanes === undefined) this.counted.set(node.name, lanes = new Map<Reference, number>())
    for (const lane of k.lanes.values()) {
      const size = lane.held
      const before = lanes.get(lane.ref) ?? 0
      if (size <= before) continue
      lanes.set(lane.ref, size)
      if (!node.honest) continue
      for (let i = before; i < size; i++) {
        const birth = this.oracle.birth(lane.ref, i)
        if (birth === undefined || birth.node === node.name) continue
        updates.add(birth.update)
        this.meter.delivered(this.clock.now - birth.at)
      }
    }
    return [...updates]
  }

  /** A head of the node's own is durable, and the person at the node was told. */
  acknowledged (node: SimNode, domain: SimDomain, name: string, { lane, snapshot, logseq, records }: Appended): void {
    const k = node.engine?.replica.domains.get(domain.id)
    const size = k?.lanes.get(lane)?.heads.get(snapshot)?.snapshot.log_size ?? 0
    this.oracle.acknowledged.push({ node: node.name, domain: domain.id, lane, head: snapshot, size, at: this.clock.now })
    const signed = k?.lanes.get(lane)?.heads.get(snapshot)
    this.oracle.heads.set(snapshot, [snapshot, ...signed === undefined ? [] : [signed.signatureRef]].flatMap((ref) => k?.artifact(ref) ?? []))
    const update = ++this.meter.updates
    for (let i = size - records; i < size; i++) this.oracle.born(lane, i, { node: node.name, at: this.clock.now, update })
    this.tracer.add({ kind: 'published', node: node.name, domain: domain.name, lane: lane.slice(0, 20), head: snapshot.slice(0, 20), name, logseq, update })
  }

  /** A manifest or root entry of the node's own is durable, and the person at the node was told. */
  decreed (node: SimNode, domain: SimDomain, ref: Reference): void {
    this.oracle.decreed.push({ node: node.name, domain: domain.id, ref })
    const k = node.engine?.replica.domains.get(domain.id)
    if (k !== undefined) this.changed(node, k, 'own')
  }

  fetched (node: SimNode, domain: Reference, result: ContentResult): void {
    this.tracer.add({ kind: 'content', node: node.name, domain: this.nameOf(domain), blocks: result.blocks, bytes: result.bytes, missing: result.missing.length })
  }

  gossiped (node: SimNode, message: GossipMessage, judged: GossipJudgement | 'seen'): void {
    if (node.honest) this.meter.gossiped(message.hops, judged === 'seen')
  }

  // ── taps ──

  tapFrame (node: SimNode, effect: SendEffect): void {
    if (this.init.watchWire === false) return
    this.watchAll(node, (w) => w.frame?.(node, effect.channel, effect.direction, effect.bytes))
  }

  tapGossip (node: SimNode, message: GossipMessage): void {
    if (this.init.watchWire === false) return
    this.watchAll(node, (w) => w.gossip?.(node, message.domain, message.bytes, message.hops))
  }

  tapBlocks (node: SimNode, request: BlockRequest, answer: BlockAnswer): void {
    if (this.init.watchWire === false) return
    this.watchAll(node, (w) => w.blocks?.(node, request.refs, answer))
  }
}

export function kindOf (spec: NodeSpec): 'publisher' | 'mirror' | 'follower' | 'reader' | 'witness' | 'adversary' {
  if (spec.adversary !== '') return 'adversary'
  if (spec.keys.length > 0) return 'publisher'
  return spec.mode === 'follow' ? 'follower' : spec.mode
}
