/**
 * Links between nodes in virtual time. A connection carries frames both ways in order, as TCP does: a lost packet delays what is behind it, and too many
 * lost ones break the connection. Gossip gives no such promise: it is lost. Duplicates and reordering hit everything, which is harsher than TCP.
 */
import type { LinkProps } from '../scenario/types.js'
import type { Micros } from '../trace.js'
import { Barriers } from './barriers.js'
import type { Clock } from './clock.js'
import type { Random } from './random.js'

/** What goes over the wire. `bytes` is what it costs, without headers. */
export interface Message {
  readonly what: 'hello' | 'sync' | 'admit' | 'gossip' | 'block'
  readonly bytes: number
  /** hands it to the receiver */
  readonly deliver: () => void
}

export interface NetworkListener {
  sent: (from: string, to: string, message: Message, arrives: Micros) => void
  lost: (from: string, to: string, message: Message, why: string) => void
  link: (from: string, to: string, state: 'up' | 'cut') => void
}

/** What the network asks of a node. */
interface Port {
  readonly up: boolean
  onPeer: (peer: string, up: boolean) => void
  admits: (peer: string) => boolean
}

/** Headers of IP, TCP, noise and yamux on one frame. */
const HEADER_BYTES = 96
/** a lost segment is sent again after a round trip and this, twice as late each time; after so many losses the connection is given up */
const RETRANSMIT: Micros = 200_000
const MAX_LOSSES = 5
/** how long until one side notices that nothing comes any more */
const IDLE: Micros = 30_000_000
/** attempts to reach a peer: from, doubling up to (as HOST_LIMITS.redialFromMs, and at most a minute so that scenarios needn't wait for luck) */
const REDIAL_FROM: Micros = 1_000_000
const REDIAL_TO: Micros = 60_000_000
/** a message that is reordered comes this much later, at most, in one-way latencies */
const REORDER_LATENCIES = 4

interface Side { freeAt: Micros, lastArrival: Micros, readonly props: LinkProps }

interface Connection {
  readonly a: string
  readonly b: string
  up: boolean
  /** counts lives: what was sent on an older one is lost */
  life: number
  redial: Micros
  dialling: boolean
  brokenAt: Micros | undefined
  readonly ab: Side
  readonly ba: Side
}

const newSide = (props: LinkProps): Side => ({ freeAt: 0, lastArrival: 0, props })
/** A new life of the same connection. */
function refresh (side: Side): void {
  side.freeAt = side.lastArrival = 0
}

export class SimNetwork {
  private readonly ports = new Map<string, Port>()
  private readonly connections = new Map<string, Connection>()
  private readonly byNode = new Map<string, Map<string, Connection>>()
  private readonly barriers = new Barriers()

  private readonly known = new Map<string, LinkProps>()

  constructor (private readonly clock: Clock, private readonly random: Random, private readonly lookUp: (from: string, to: string) => LinkProps, private readonly listener: NetworkListener) {}

  private propsOf (from: string, to: string): LinkProps {
    const key = `${from} ${to}`
    let props = this.known.get(key)
    if (props === undefined) this.known.set(key, props = this.lookUp(from, to))
    return props
  }

  add (name: string, port: Port): void {
    this.ports.set(name, port)
  }

  /** From now on `a` and `b` want to be connected; whoever is up dials. */
  wire (a: string, b: string): void {
    const key = pairKey(a, b)
    if (a === b || this.connections.has(key)) return
    const made: Connection = { a, b, up: false, life: 0, redial: REDIAL_FROM, dialling: false, brokenAt: undefined, ab: newSide(this.propsOf(a, b)), ba: newSide(this.propsOf(b, a)) }
    this.connections.set(key, made)
    for (const [x, y] of [[a, b], [b, a]] as const) {
      const mine = this.byNode.get(x) ?? new Map<string, Connection>()
      mine.set(y, made)
      this.byNode.set(x, mine)
      if (!this.propsOf(x, y).cut) continue
      this.barriers.cut(x, y)
      this.listener.link(x, y, 'cut')
    }
    this.dial(made)
  }

  wired (node: string): string[] {
    return [...this.byNode.get(node)?.keys() ?? []]
  }

  edges (): Array<{ a: string, b: string }> {
    return [...this.connections.values()].map(({ a, b }) => ({ a, b }))
  }

  latency (from: string, to: string): Micros {
    return this.propsOf(from, to).latency
  }

  neighbours (node: string): string[] {
    return [...this.byNode.get(node) ?? []].filter(([, c]) => c.up).map(([peer]) => peer)
  }

  connected (a: string, b: string): boolean {
    return this.byNode.get(a)?.get(b)?.up ?? false
  }

  // ── what the scenario does to the links ──

  passes (from: string, to: string): boolean {
    return this.barriers.passes(from, to)
  }

  partition (groups: ReadonlyArray<readonly string[]>): void {
    this.barriers.partition(groups)
    this.check()
  }

  cut (from: string, to: string): void {
    this.barriers.cut(from, to)
    this.listener.link(from, to, 'cut')
    this.check()
  }

  heal (from?: string, to?: string): void {
    this.barriers.heal(from, to)
    for (const c of this.connections.values()) {
      if (!this.open(c)) continue
      c.brokenAt = undefined
      // The next attempt is under way; a cable that is plugged in again is noticed soon.
      c.redial = REDIAL_FROM
      this.dial(c)
    }
  }

  private open (c: Connection): boolean {
    return this.barriers.open(c.a, c.b)
  }

  /** Connections that nothing passes over any more end when somebody notices. */
  private check (): void {
    for (const c of this.connections.values()) {
      if (!c.up || this.open(c) || c.brokenAt !== undefined) continue
      c.brokenAt = this.clock.now
      const { life } = c
      this.clock.after(IDLE, () => {
        if (c.life === life && c.up && c.brokenAt !== undefined) this.break(c)
        c.brokenAt = undefined
      })
    }
  }

  // ── connections ──

  private dial (c: Connection): void {
    if (c.up || c.dialling) return
    c.dialling = true
    const props = this.propsOf(c.a, c.b)
    this.clock.after(2 * props.latency + this.random.below(props.jitter + 1), () => {
      c.dialling = false
      const [pa, pb] = [this.ports.get(c.a), this.ports.get(c.b)]
      if (c.up) return
      if (pa?.up === true && pb?.up === true && this.open(c) && pa.admits(c.b) && pb.admits(c.a)) {
        c.up = true
        c.life++
        c.redial = REDIAL_FROM
        refresh(c.ab)
        refresh(c.ba)
        this.listener.link(c.a, c.b, 'up')
        pa.onPeer(c.b, true)
        pb.onPeer(c.a, true)
        return
      }
      // A node that is down dials when it comes up; the other side goes on trying, less and less often.
      if (pa?.up !== true && pb?.up !== true) return
      const wait = c.redial
      c.redial = Math.min(2 * c.redial, REDIAL_TO)
      c.dialling = true
      this.clock.after(wait, () => {
        c.dialling = false
        this.dial(c)
      })
    })
  }

  private break (c: Connection): void {
    if (!c.up) return
    c.up = false
    c.life++
    for (const [x, y] of [[c.a, c.b], [c.b, c.a]] as const) {
      const port = this.ports.get(x)
      if (port?.up === true) port.onPeer(y, false)
    }
    this.clock.after(REDIAL_FROM, () => { this.dial(c) })
  }

  /** One side hangs up, and the other is told. */
  disconnect (a: string, b: string): void {
    const c = this.byNode.get(a)?.get(b)
    if (c !== undefined) this.break(c)
  }

  /** `node` came up: it dials everybody it wants. */
  rise (node: string): void {
    for (const c of this.byNode.get(node)?.values() ?? []) {
      c.redial = REDIAL_FROM
      this.dial(c)
    }
  }

  /** `node` went down; its peers notice at once where a reset reaches them (a stopped process), else after a while (a power cut). */
  fall (node: string, noticed: boolean): void {
    for (const [peer, c] of this.byNode.get(node) ?? []) {
      if (!c.up) continue
      c.up = false
      c.life++
      const { life } = c
      this.clock.after(noticed ? this.propsOf(node, peer).latency : IDLE, () => {
        const port = this.ports.get(peer)
        if (c.life !== life || port?.up !== true) return
        port.onPeer(node, false)
        this.dial(c)
      })
    }
  }

  // ── messages ──

  send (from: string, to: string, message: Message): void {
    const c = this.byNode.get(from)?.get(to)
    if (c?.up !== true) {
      this.listener.lost(from, to, message, 'not connected')
      return
    }
    const side = c.a === from ? c.ab : c.ba
    this.carry(c, side, from, to, message, false)
    if (this.random.chance(side.props.duplicate)) this.carry(c, side, from, to, message, true)
  }

  private carry (c: Connection, side: Side, from: string, to: string, message: Message, again: boolean): void {
    const { props } = side
    const size = message.bytes + HEADER_BYTES
    const { now } = this.clock
    side.freeAt = Math.max(side.freeAt, now) + Math.floor(size * 1_000_000 / props.bandwidth)
    let arrives = side.freeAt + props.latency + this.random.below(props.jitter + 1)
    if (this.random.chance(props.loss)) {
      if (message.what === 'gossip') {
        this.listener.sent(from, to, message, arrives)
        this.listener.lost(from, to, message, 'loss')
        return
      }
      let losses = 1
      while (losses < MAX_LOSSES && this.random.chance(props.loss)) losses++
      for (let i = 0; i < losses; i++) arrives += 2 * props.latency + RETRANSMIT * 2 ** i
      if (losses >= MAX_LOSSES) {
        this.listener.lost(from, to, message, 'loss')
        this.break(c)
        return
      }
    }
    // What comes behind waits for what is before it, unless the link is said to reorder.
    if (this.random.chance(props.reorder)) arrives += this.random.below(REORDER_LATENCIES * props.latency + 1)
    else if (!again) side.lastArrival = arrives = Math.max(arrives, side.lastArrival)
    this.listener.sent(from, to, message, arrives)
    const { life } = c
    this.clock.at(arrives, () => {
      const port = this.ports.get(to)
      if (c.life !== life || port?.up !== true) this.listener.lost(from, to, message, 'connection ended')
      else if (!this.passes(from, to)) this.listener.lost(from, to, message, 'cut')
      else message.deliver()
    })
  }
}

const pairKey = (a: string, b: string): string => (a < b ? `${a} ${b}` : `${b} ${a}`)
