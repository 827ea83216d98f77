/** One node in virtual time: the production engine on a simulated machine, wired to the simulated network. */
import { blamePoints } from '../../src/federation/blame.js'
import type { ContentResult, FetchBlocks } from '../../src/federation/content.js'
import { Engine } from '../../src/federation/engine.js'
import { Mirror, MIRROR_RETRY_MS } from '../../src/federation/mirror.js'
import type { GossipJudgement, Report } from '../../src/federation/effects.js'
import { AudienceIndex } from '../../src/federation/audience.js'
import { HOST_LIMITS } from '../../src/node/host/budgets.js'
import { spendingOf, Standing } from '../../src/node/host/standing.js'
import { DiadError } from '../../src/substrate/errors.js'
import { PackStore } from '../../src/substrate/pack-store.js'
import type { Reference } from '../../src/substrate/reference.js'
import type { NodeSpec } from '../scenario/types.js'
import type { Micros } from '../trace.js'
import type { SimDisk } from './disk.js'
import type { GossipMessage } from './gossip.js'
import { Guard } from './guard.js'
import type { Machine } from './machine.js'
import type { Clock } from './clock.js'
import type { Random } from './random.js'
import { type BlockAnswer, type BlockRequest, type Port, REF_BYTES, type SendEffect, type Wire } from './wire.js'


/** Where an adversary may put its hand in. What a hook leaves alone is done honestly. */
export interface Hooks {
  /** what shall be sent instead of what the honest core wants to send */
  send?: (effect: SendEffect) => readonly SendEffect[]
  /** a frame came in; false keeps it from the honest core */
  frame?: (effect: SendEffect) => boolean
  /** gossip came in; false: don't pass it to the honest core */
  gossip?: (from: string, message: GossipMessage) => boolean
  /** what to answer to `from`'s request for blocks; undefined = never answer */
  blocks?: (request: BlockRequest, honest: BlockAnswer, from: string) => BlockAnswer | undefined
  tick?: () => void
  /** the node has started; `engine` is the honest core */
  start?: (engine: Engine) => void
}

/** Every hook, and nothing done. */
const HONEST: Required<Hooks> = {
  send: (effect) => [effect],
  frame: () => true,
  gossip: () => true,
  blocks: (_request, honest) => honest,
  tick: () => undefined,
  start: () => undefined
}

/** What answers a node with no network in between. */
export interface Plugged {
  /** what the core says to it */
  frame: (effect: SendEffect) => void
  blocks: (request: BlockRequest) => Promise<BlockAnswer>
}

/** What a node needs of the world around it. */
export interface Surroundings {
  readonly random: Random
  readonly clock: Clock
  readonly network: Wire
  readonly scenario: { readonly tick: Micros }
  node: (name: string) => SimNode
  seek: (node: SimNode, domain: Reference) => void
  nodeState: (node: SimNode, state: 'up' | 'down' | 'crashed' | 'failed', text: string) => void
  reported: (node: SimNode, report: Report) => void
  refused: (node: SimNode, peer: string, domain: Reference | undefined, code: string, ref: Reference | undefined) => void
  fetched: (node: SimNode, domain: Reference, result: ContentResult) => void
  violate: (invariant: string, node: string, text: string) => void
  gossiped: (node: SimNode, message: GossipMessage, judged: GossipJudgement | 'seen') => void
  tapFrame: (node: SimNode, effect: SendEffect) => void
  tapGossip: (node: SimNode, message: GossipMessage) => void
  tapBlocks: (node: SimNode, request: BlockRequest, answer: BlockAnswer) => void
}

export class SimNode implements Port {
  engine: Engine | undefined
  mirror: Mirror | undefined
  /** counts starts and stops; what an earlier life had under way is ignored */
  private life = 0
  private starting: Promise<void> | undefined
  private turn: Promise<void> = Promise.resolve()
  readonly standing: Standing
  /** what is plugged in, by the name under which the core knows it as a peer */
  readonly plugged = new Map<string, Plugged>()
  /** an adversary's code is called through it */
  readonly guard: Guard
  private wrapped: Hooks = {}
  readonly random: Random

  constructor (readonly world: Surroundings, readonly spec: NodeSpec, readonly machine: Machine) {
    this.random = world.random.fork(`node ${spec.name}`)
    this.guard = new Guard(spec.adversary, (text) => { world.violate('adversary', spec.name, text) })
    this.standing = new Standing(HOST_LIMITS, () => Math.floor(world.clock.now / 1000))
  }

  get name (): string {
    return this.spec.name
  }

  get hooks (): Hooks {
    return this.wrapped
  }

  set hooks (hooks: Hooks) {
    this.wrapped = this.guard.wrap(hooks, HONEST)
  }

  get honest (): boolean {
    return this.spec.adversary === ''
  }

  get up (): boolean {
    return this.engine !== undefined
  }

  // ── life ──

  async start (): Promise<void> {
    if (this.up || this.starting !== undefined) return
    this.starting = this.open()
    try {
      await this.starting
    } finally {
      this.starting = undefined
    }
  }

  private async open (): Promise<void> {
    const life = ++this.life
    const { machine, world } = this
    machine.disk.onCut = () => { this.crash('the power went while it wrote') }
    let engine: Engine
    try {
      engine = await openEngine(machine.disk, machine, this.random)
    } catch (err) {
      if (life === this.life) this.failed(err)
      return
    }
    if (life !== this.life) return
    const alive = (): boolean => life === this.life
    engine.outside = {
      send: (effect) => { if (alive()) this.send(effect) },
      gossip: (domain, bytes) => { if (alive()) world.network.gossip(this.name, domain, bytes) },
      seek: (domain) => { if (alive()) world.seek(this, domain) },
      subscribe: (domain, on) => { if (alive()) world.network.subscribe(this.name, domain, on) },
      blame: (peer, code) => { if (alive()) this.blame(peer, blamePoints(code)) }
    }
    engine.onReport((report) => { if (alive()) this.report(report) })
    engine.onFailure((err) => { if (alive()) this.failed(err) })
    const stop = { get aborted () { return !alive() }, throwIfAborted: () => { if (!alive()) throw new Stopped() } }
    const mirror = new Mirror({
      engine,
      fetchBlocks: (domain) => this.fetcher(domain, life),
      stop,
      onContent: (domain, result) => { if (alive()) this.content(domain, result) },
      onRefused: (domain, peer, code, ref) => { if (alive()) world.refused(this, peer, domain, code, ref) },
      onFailure: (_domain, err) => { if (alive() && !(err instanceof Stopped)) this.failed(err) }
    })
    engine.onReport((report) => { if (alive()) mirror.onReport(report) })
    this.mirror = mirror
    this.engine = engine
    this.hooks.start?.(engine)
    await engine.wakeAll()
    if (!alive()) return
    world.nodeState(this, 'up', '')
    world.network.rise(this.name)
    // Nobody's second begins with everybody else's.
    this.scheduleTick(life, this.random.below(world.scenario.tick) + 1)
    this.scheduleRetry(life)
  }

  private scheduleTick (life: number, after: Micros): void {
    const { clock, scenario } = this.world
    clock.after(after, () => {
      if (life !== this.life) return
      this.engine?.step({ type: 'tick', now: Math.floor(clock.now / 1000) })
      this.hooks.tick?.()
      this.scheduleTick(life, scenario.tick)
    })
  }

  private scheduleRetry (life: number): void {
    this.world.clock.after(MIRROR_RETRY_MS * 1000, () => {
      if (life !== this.life) return
      void this.mirror?.retry().catch((err: unknown) => { if (life === this.life) this.failed(err) })
      this.scheduleRetry(life)
    })
  }

  /** Forgets the running process without a word to anybody. */
  abandon (): void {
    this.end()
  }

  private end (): void {
    this.life++
    this.engine = undefined
    this.mirror = undefined
  }

  /** An orderly end: what was decided is written, peers are told. */
  async stop (): Promise<void> {
    const { engine } = this
    await engine?.settled().catch(() => undefined)
    if (engine === undefined || this.engine !== engine) return
    this.end()
    await engine.ports.blocks.close().catch(() => undefined)
    this.world.network.fall(this.name, true)
    this.world.nodeState(this, 'down', '')
  }

  /** Stops, does `work` on the machine, and starts again. Two that are asked for at the same moment do it one after the other. */
  async whileDown (work: () => Promise<void> | void, again = true): Promise<void> {
    const mine = this.turn.then(async () => {
      await this.starting
      await this.stop()
      await work()
      if (again) await this.start()
    })
    this.turn = mine.catch(() => undefined)
    await mine
  }

  /** The power goes, now. */
  crash (text: string): void {
    if (!this.up && this.starting === undefined) return
    this.end()
    this.machine.disk.crashed = true
    this.world.network.fall(this.name, false)
    this.world.nodeState(this, 'crashed', text)
    this.machine.reboot()
  }

  /** The process ends because its store did. */
  private failed (err: unknown): void {
    this.end()
    this.world.network.fall(this.name, true)
    this.world.nodeState(this, 'failed', err instanceof DiadError ? err.code : err instanceof Error ? err.message : String(err))
  }

  // ── network ──

  onPeer (peer: string, up: boolean): void {
    this.engine?.step({ type: 'peer', peer, up })
  }

  admits (peer: string): boolean {
    return !this.standing.banned(peer)
  }

  private blame (peer: string, points: number): void {
    if (this.standing.blame(peer, points)) this.world.network.disconnect(this.name, peer)
  }

  private send (effect: SendEffect): void {
    const plugged = this.plugged.get(effect.peer)
    if (plugged !== undefined) {
      plugged.frame(effect)
      return
    }
    for (const e of this.hooks.send?.(effect) ?? [effect]) this.rawSend(e)
  }

  /** Puts a frame on the wire, whatever the core thinks of it. */
  rawSend (effect: SendEffect): void {
    this.world.tapFrame(this, effect)
    this.world.network.frame(this.name, effect)
  }

  takeFrame (effect: SendEffect): void {
    const over = this.standing.spend(effect.peer, spendingOf(effect.channel, effect.direction), 1, effect.bytes.length)
    if (over !== undefined) {
      this.overBudget(effect.peer)
      return
    }
    if (this.hooks.frame?.(effect) === false) return
    const { peer, channel, direction, bytes } = effect
    this.engine?.step({ type: 'frame', peer, channel, direction, bytes })
  }

  private overBudget (peer: string): void {
    this.world.refused(this, peer, undefined, 'over-budget', undefined)
    this.blame(peer, HOST_LIMITS.banPoints)
  }

  /** Puts gossip on the wire to one peer, whatever the core thinks of it. */
  sendGossip (to: string, message: GossipMessage): void {
    this.world.network.whisper(this.name, to, message)
  }

  passesOn (message: GossipMessage): void {
    this.world.tapGossip(this, message)
  }

  hearGossip (from: string, message: GossipMessage): boolean {
    if (!this.up) return false
    if (this.standing.spend(from, 'gossip', 1, message.bytes.length) !== undefined) {
      this.overBudget(from)
      return false
    }
    return this.hooks.gossip?.(from, message) !== false
  }

  judgeGossip (from: string, { domain, bytes }: GossipMessage): GossipJudgement {
    for (const e of this.engine?.step({ type: 'gossip', from, domain, bytes }) ?? []) if (e.type === 'gossip-judgement') return e.result
    return 'ignore'
  }

  gossiped (from: string, message: GossipMessage, judged: GossipJudgement | 'seen'): void {
    this.world.gossiped(this, message, judged)
    if (judged === 'reject') this.blame(from, HOST_LIMITS.rejectPoints)
  }

  // ── blocks ──

  private fetcher (domain: Reference, life: number): FetchBlocks {
    return async (peer, refs, onBlock) => {
      const answer = await (this.plugged.get(peer)?.blocks({ domain, refs }) ?? this.world.network.blocks(this.name, peer, { domain, refs }))
      if (life !== this.life) throw new Stopped()
      const missing: Reference[] = []
      for (const [i, ref] of refs.entries()) {
        const bytes = answer[i]
        if (bytes === undefined) missing.push(ref)
        else await onBlock(i, bytes)
      }
      return { missing }
    }
  }

  async answerBlocks (from: string, request: BlockRequest): Promise<BlockAnswer | undefined> {
    const { engine } = this
    if (engine === undefined) return undefined
    if (this.standing.spend(from, 'request', 1, request.refs.length * REF_BYTES) !== undefined) {
      this.overBudget(from)
      return undefined
    }
    const honest = await engine.blocksFor(request.domain, request.refs).catch(() => request.refs.map(() => undefined))
    if (this.engine !== engine) return undefined
    const answer = this.hooks.blocks === undefined ? honest : this.hooks.blocks(request, honest, from)
    if (answer !== undefined) this.world.tapBlocks(this, request, answer)
    return answer
  }

  // ── what happened ──

  private report (report: Report): void {
    this.world.reported(this, report)
  }

  private content (domain: Reference, result: ContentResult): void {
    this.world.fetched(this, domain, result)
  }
}

/** What a node gathers before it appends to a pack: two megabytes each, as a real node has, would be all the memory of a thousand nodes. */
const BUFFER_BYTES = 65_536

/** The production engine on a simulated disk. */
export async function openEngine (disk: SimDisk, machine: Machine, random: Random): Promise<Engine> {
  const { kv, packs } = disk
  const blocks = await PackStore.open(kv, packs, { bufferBytes: BUFFER_BYTES })
  return await Engine.load({ kv, blocks, audience: new AudienceIndex(kv), markers: machine.markers, random: (n) => random.hex(n) }, { agent: 'diad-sim' })
}

/** The process that asked for it is gone. */
class Stopped extends Error {}
