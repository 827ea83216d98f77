/**
 * Real libp2p hosts on loopback TCP behind the simulator's wire: the same scenarios, actions and expectations, so that the simulator is checked against
 * reality. Partitions and cuts hang up and keep out; latency, loss and bandwidth are what loopback gives.
 */
import { createHost, type Host, newHostKey } from '../../src/node/host/index.js'
import { DiadError } from '../../src/substrate/errors.js'
import type { Reference } from '../../src/substrate/reference.js'
import type { Micros } from '../trace.js'
import { Barriers } from '../world/barriers.js'
import type { GossipMessage } from '../world/gossip.js'
import type { NetworkListener } from '../world/network.js'
import { type BlockAnswer, type BlockRequest, type Port, REF_BYTES, type SendEffect, type Wire } from '../world/wire.js'

const TOPIC = '/diad/domain/1/'
const LISTEN = ['/ip4/127.0.0.1/tcp/0']
/** ms between two attempts to reach somebody */
const REDIAL_MS = 500
/** as a message costs in the simulator's books; what really goes over the wire is more */
const noDelivery = (): void => undefined

interface Member {
  readonly name: string
  readonly port: Port
  readonly topics: Set<Reference>
  readonly wanted: Set<string>
  readonly connected: Set<string>
  host: Host | undefined
  /** starts and stops, one after the other */
  turn: Promise<void>
}

export class HostWire implements Wire {
  private readonly members = new Map<string, Member>()
  private readonly names = new Map<string, string>()
  private readonly barriers = new Barriers()
  private readonly redialler: NodeJS.Timeout
  private readonly dialling = new Set<string>()
  private readonly keys = new Map<string, Promise<Uint8Array>>()

  constructor (private readonly listener: NetworkListener, private readonly now: () => Micros) {
    this.redialler = setInterval(() => { this.redial() }, REDIAL_MS)
  }

  add (name: string, port: Port): void {
    this.members.set(name, { name, port, topics: new Set(), wanted: new Set(), connected: new Set(), host: undefined, turn: Promise.resolve() })
    this.keys.set(name, newHostKey())
  }

  private member (name: string): Member {
    const member = this.members.get(name)
    if (member === undefined) throw new RangeError(`there is no node "${name}"`)
    return member
  }

  // ── who knows whom ──

  wire (a: string, b: string): void {
    if (a === b) return
    this.member(a).wanted.add(b)
    this.member(b).wanted.add(a)
    this.redial()
  }

  wired (node: string): string[] {
    return [...this.member(node).wanted]
  }

  edges (): Array<{ a: string, b: string }> {
    return [...this.members.values()].flatMap((m) => [...m.wanted].filter((b) => m.name < b).map((b) => ({ a: m.name, b })))
  }

  latency (): Micros {
    return 0
  }

  neighbours (node: string): string[] {
    return [...this.member(node).connected]
  }

  // ── what the scenario does to links ──

  passes (from: string, to: string): boolean {
    return this.barriers.passes(from, to)
  }

  partition (groups: ReadonlyArray<readonly string[]>): void {
    this.barriers.partition(groups)
    this.hangUp()
  }

  cut (from: string, to: string): void {
    this.barriers.cut(from, to)
    this.listener.link(from, to, 'cut')
    this.hangUp()
  }

  heal (from?: string, to?: string): void {
    this.barriers.heal(from, to)
    this.redial()
  }

  /** A connection needs both ways, so one that lost either is ended. */
  private hangUp (): void {
    for (const m of this.members.values()) for (const peer of [...m.connected]) if (!this.barriers.open(m.name, peer)) this.disconnect(m.name, peer)
  }

  disconnect (a: string, b: string): void {
    const { host } = this.member(a)
    const peer = this.member(b).host?.peerId
    if (host !== undefined && peer !== undefined) void host.disconnect(peer).catch(noDelivery)
  }

  // ── life ──

  rise (node: string): void {
    const m = this.member(node)
    m.turn = m.turn.then(async () => {
      if (!m.port.up || m.host !== undefined) return
      const host = await this.open(m)
      m.host = host
      for (const domain of m.topics) host.subscribe(TOPIC + domain)
      this.redial()
    })
  }

  private async open (m: Member): Promise<Host> {
    const host = createHost({
      privateKey: await (this.keys.get(m.name) as Promise<Uint8Array>),
      listen: LISTEN,
      mdns: false,
      events: {
        onPeer: (peer, event) => { this.onPeer(m, this.names.get(peer), event === 'connected') },
        onFrame: (peer, channel, direction, bytes) => {
          const from = this.names.get(peer)
          if (from !== undefined && this.passes(from, m.name)) m.port.takeFrame({ type: 'send', peer: from, channel, direction, bytes: bytes.slice() })
        },
        onGossip: (topic, peer, bytes) => {
          const from = this.names.get(peer)
          if (from === undefined || !this.passes(from, m.name)) return 'ignore'
          const message: GossipMessage = { domain: topic.slice(TOPIC.length) as Reference, bytes: bytes.slice(), hops: 1 }
          if (!m.port.hearGossip(from, message)) return 'ignore'
          const judged = m.port.judgeGossip(from, message)
          m.port.gossiped(from, message, judged)
          return judged
        }
      }
    })
    this.names.set(host.peerId, m.name)
    host.serveBlocks(async (peer, domain, refs) => {
      const from = this.names.get(peer)
      const answer = from === undefined ? undefined : await m.port.answerBlocks(from, { domain, refs })
      return [...answer ?? refs.map(() => undefined)]
    })
    await host.start()
    return host
  }

  private onPeer (m: Member, peer: string | undefined, up: boolean): void {
    if (peer === undefined) return
    if (up && !this.barriers.open(m.name, peer)) {
      this.disconnect(m.name, peer)
      return
    }
    if (up === m.connected.has(peer)) return
    if (up) m.connected.add(peer)
    else m.connected.delete(peer)
    if (up && m.name < peer) this.listener.link(m.name, peer, 'up')
    if (m.port.up) m.port.onPeer(peer, up)
  }

  fall (node: string): void {
    const m = this.member(node)
    m.connected.clear()
    m.turn = m.turn.then(async () => {
      const { host } = m
      m.host = undefined
      await host?.stop()
    })
  }

  private redial (): void {
    for (const m of this.members.values()) {
      for (const peer of m.wanted) if (m.name < peer) void this.dial(m, this.member(peer))
    }
  }

  private async dial (m: Member, to: Member): Promise<void> {
    const key = `${m.name} ${to.name}`
    const address = to.host?.addresses()[0]
    if (m.host === undefined || address === undefined || m.connected.has(to.name) || this.dialling.has(key) || !this.barriers.open(m.name, to.name)) return
    if (!m.port.admits(to.name) || !to.port.admits(m.name)) return
    this.dialling.add(key)
    try {
      await m.host.dial(address)
    } catch { /* tried again soon */ } finally {
      this.dialling.delete(key)
    }
  }

  // ── messages ──

  private tell (from: string, to: string, what: 'hello' | 'sync' | 'admit' | 'gossip' | 'block', bytes: number): void {
    this.listener.sent(from, to, { what, bytes, deliver: noDelivery }, this.now())
  }

  frame (from: string, effect: SendEffect): void {
    const m = this.member(from)
    const peer = this.member(effect.peer).host?.peerId
    const message = { what: effect.channel, bytes: effect.bytes.length, deliver: noDelivery }
    const sent = peer !== undefined && this.passes(from, effect.peer) && m.host?.send(peer, effect.channel, effect.direction, effect.bytes) === true
    if (sent) this.tell(from, effect.peer, effect.channel, effect.bytes.length)
    else this.listener.lost(from, effect.peer, message, 'not connected')
  }

  subscribe (node: string, domain: Reference, on: boolean): void {
    const m = this.member(node)
    if (on) {
      m.topics.add(domain)
      m.host?.subscribe(TOPIC + domain)
    } else {
      m.topics.delete(domain)
      m.host?.unsubscribe(TOPIC + domain)
    }
  }

  follows (node: string, domain: Reference): boolean {
    return this.member(node).topics.has(domain)
  }

  gossip (from: string, domain: Reference, bytes: Uint8Array): void {
    const m = this.member(from)
    m.port.passesOn({ domain, bytes, hops: 1 })
    void m.host?.publish(TOPIC + domain, bytes).then((recipients) => {
      for (let i = 0; i < recipients; i++) this.tell(from, '', 'gossip', bytes.length)
    }, noDelivery)
  }

  /** Gossipsub chooses whom it tells: to one peer only can't be had, so it is said to all once. */
  whisper (from: string, _to: string, { domain, bytes }: GossipMessage): void {
    this.gossip(from, domain, bytes)
  }

  async blocks (from: string, peer: string, request: BlockRequest): Promise<BlockAnswer> {
    const { host } = this.member(from)
    const id = this.member(peer).host?.peerId
    if (host === undefined || id === undefined || !this.passes(from, peer)) throw new DiadError('peer-gone', `${peer} is gone`)
    const answer: Array<Uint8Array | undefined> = request.refs.map(() => undefined)
    this.tell(from, peer, 'block', request.refs.length * REF_BYTES)
    await host.fetchBlocks(id, request.domain, request.refs, async (index, bytes) => { answer[index] = bytes.slice() })
    this.tell(peer, from, 'block', answer.reduce((n, b) => n + (b?.length ?? 0), 0))
    return answer
  }

  async close (): Promise<void> {
    clearInterval(this.redialler)
    for (const m of this.members.values()) {
      m.turn = m.turn.then(async () => { await m.host?.stop() }).catch(noDelivery)
    }
    await Promise.all([...this.members.values()].map(async (m) => { await m.turn }))
  }
}
