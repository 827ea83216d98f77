/** What carries frames, gossip and blocks between nodes: simulated here, real sockets in sim/real. Peers go by the names of the scenario. */
import type { GossipJudgement } from '../../src/federation/effects.js'
import type { Outside } from '../../src/federation/engine.js'
import { HOST_LIMITS } from '../../src/node/host/budgets.js'
import { DiadError } from '../../src/substrate/errors.js'
import type { Reference } from '../../src/substrate/reference.js'
import type { Micros } from '../trace.js'
import type { Clock } from './clock.js'
import { type GossipMessage, SimGossip } from './gossip.js'
import type { SimNetwork } from './network.js'
import type { Random } from './random.js'

export type SendEffect = Parameters<Outside['send']>[0]
export interface BlockRequest { readonly domain: Reference, readonly refs: readonly Reference[] }
export type BlockAnswer = ReadonlyArray<Uint8Array | undefined>

/** What a request and an answer for one block cost beside the block. */
export const REF_BYTES = 34

/** What a wire asks of a node. */
export interface Port {
  readonly up: boolean
  onPeer: (peer: string, up: boolean) => void
  /** false: this peer is banned and no connection is made */
  admits: (peer: string) => boolean
  /** a frame that came in; `peer` is its sender */
  takeFrame: (effect: SendEffect) => void
  /** gossip came in; false: it isn't to be judged */
  hearGossip: (from: string, message: GossipMessage) => boolean
  judgeGossip: (from: string, message: GossipMessage) => GossipJudgement
  gossiped: (from: string, message: GossipMessage, judged: GossipJudgement | 'seen') => void
  /** a copy of gossip leaves the node, its own or another's */
  passesOn: (message: GossipMessage) => void
  /** undefined: never answers */
  answerBlocks: (from: string, request: BlockRequest) => Promise<BlockAnswer | undefined>
}

export interface Wire {
  add: (name: string, port: Port) => void
  /** from now on both want to be connected */
  wire: (a: string, b: string) => void
  wired: (node: string) => string[]
  edges: () => Array<{ a: string, b: string }>
  latency: (from: string, to: string) => Micros
  neighbours: (node: string) => string[]

  passes: (from: string, to: string) => boolean
  partition: (groups: ReadonlyArray<readonly string[]>) => void
  cut: (from: string, to: string) => void
  heal: (from?: string, to?: string) => void

  /** the node came up, and dials whom it wants */
  rise: (node: string) => void
  /** the node went down; `noticed` = its peers are told at once */
  fall: (node: string, noticed: boolean) => void
  disconnect: (a: string, b: string) => void

  frame: (from: string, effect: SendEffect) => void
  subscribe: (node: string, domain: Reference, on: boolean) => void
  follows: (node: string, domain: Reference) => boolean
  gossip: (from: string, domain: Reference, bytes: Uint8Array) => void
  /** to one peer only, as no honest node does */
  whisper: (from: string, to: string, message: GossipMessage) => void
  /** Rejects with DiadError `peer-gone` when the peer isn't there or doesn't answer in time. */
  blocks: (from: string, peer: string, request: BlockRequest) => Promise<BlockAnswer>
  /** ends what it started */
  close: () => Promise<void>
}

/** a request for blocks that isn't answered in time is given up (HOST_LIMITS.blockIdleMs) */
const BLOCK_TIMEOUT: Micros = HOST_LIMITS.blockIdleMs * 1000

export class SimWire implements Wire {
  private readonly ports = new Map<string, Port>()
  private readonly overlays = new Map<string, SimGossip>()
  /** who follows a domain */
  private readonly topics = new Map<Reference, Set<string>>()

  constructor (private readonly network: SimNetwork, private readonly clock: Clock, private readonly random: Random) {}

  add (name: string, port: Port): void {
    this.ports.set(name, port)
    this.network.add(name, port)
    this.overlays.set(name, new SimGossip({
      followers: (domain) => [...this.topics.get(domain) ?? []].filter((peer) => this.network.connected(name, peer)),
      send: (to, message) => { this.whisper(name, to, message) },
      random: this.random.fork(`mesh ${name}`)
    }))
  }

  private port (name: string): Port {
    return this.ports.get(name) as Port
  }

  private overlay (name: string): SimGossip {
    return this.overlays.get(name) as SimGossip
  }

  wire (a: string, b: string): void { this.network.wire(a, b) }
  wired (node: string): string[] { return this.network.wired(node) }
  edges (): Array<{ a: string, b: string }> { return this.network.edges() }
  latency (from: string, to: string): Micros { return this.network.latency(from, to) }
  neighbours (node: string): string[] { return this.network.neighbours(node) }
  passes (from: string, to: string): boolean { return this.network.passes(from, to) }
  partition (groups: ReadonlyArray<readonly string[]>): void { this.network.partition(groups) }
  cut (from: string, to: string): void { this.network.cut(from, to) }
  heal (from?: string, to?: string): void { this.network.heal(from, to) }
  rise (node: string): void { this.network.rise(node) }
  fall (node: string, noticed: boolean): void { this.network.fall(node, noticed) }
  disconnect (a: string, b: string): void { this.network.disconnect(a, b) }

  frame (from: string, effect: SendEffect): void {
    this.network.send(from, effect.peer, {
      what: effect.channel,
      bytes: effect.bytes.length,
      deliver: () => { this.port(effect.peer).takeFrame({ ...effect, peer: from }) }
    })
  }

  subscribe (node: string, domain: Reference, on: boolean): void {
    this.overlay(node).subscribe(domain, on)
    const followers = this.topics.get(domain) ?? new Set<string>()
    if (on) this.topics.set(domain, followers.add(node))
    else followers.delete(node)
  }

  follows (node: string, domain: Reference): boolean { return this.overlay(node).follows(domain) }
  gossip (from: string, domain: Reference, bytes: Uint8Array): void { this.overlay(from).publish(domain, bytes) }

  whisper (from: string, to: string, message: GossipMessage): void {
    this.port(from).passesOn(message)
    this.network.send(from, to, {
      what: 'gossip',
      bytes: message.bytes.length,
      deliver: () => {
        const port = this.port(to)
        if (!port.hearGossip(from, message)) return
        port.gossiped(from, message, this.overlay(to).receive(from, message, () => port.judgeGossip(from, message)))
      }
    })
  }

  async blocks (from: string, peer: string, request: BlockRequest): Promise<BlockAnswer> {
    return await new Promise<BlockAnswer>((resolve, reject) => {
      const gone = (): void => { reject(new DiadError('peer-gone', `${peer} is gone`)) }
      if (!this.network.connected(from, peer)) {
        gone()
        return
      }
      this.clock.after(BLOCK_TIMEOUT, gone)
      this.network.send(from, peer, {
        what: 'block',
        bytes: request.refs.length * REF_BYTES,
        deliver: () => {
          void this.port(peer).answerBlocks(from, request).then((answer) => {
            if (answer === undefined) return
            const bytes = answer.reduce((n, b) => n + (b?.length ?? 0) + REF_BYTES, 0)
            this.network.send(peer, from, { what: 'block', bytes, deliver: () => { resolve(answer) } })
          })
        }
      })
    })
  }

  async close (): Promise<void> { /* nothing of it lives outside the run */ }
}
