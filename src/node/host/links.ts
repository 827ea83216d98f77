/** The streams to every peer: our own, opened at the first request, and those the peers opened. */
import type { Stream } from '@libp2p/interface'
import { DiadError, MalformedError } from '../../substrate/errors.js'
import { BlockClient } from './block-client.js'
import { BlockServer, type BlockSource } from './block-server.js'
import { type HostLimits, Violation } from './budgets.js'
import { Channel, type Intake } from './channel.js'
import { FrameIntake, frameHeader } from './frame-intake.js'
import { type Spending, spendingOf } from './standing.js'
import type { Direction, FrameProtocol, HostEvents, Peer } from './types.js'

export const PROTOCOLS = {
  hello: '/diad/hello/1',
  sync: '/diad/sync/1',
  admit: '/diad/admit/1',
  block: '/diad/block/1'
} as const
export type Protocol = keyof typeof PROTOCOLS

export interface LinksInit {
  readonly limits: HostLimits
  readonly now: () => number
  readonly log: (message: string) => void
  readonly events: HostEvents
  /** Opens a stream on a connection to the peer that stands already; rejects when there is none. */
  readonly open: (peer: Peer, protocol: string) => Promise<Stream>
  readonly connected: (peer: Peer) => boolean
  /** Counts against the peer's budgets; throws `Violation`. */
  readonly spend: (peer: Peer, kind: Spending, frames: number, bytes: number) => void
  /** A rule was broken: disconnect, ban, report. */
  readonly violation: (peer: Peer, error: Error) => void
  /** A stream of ours broke: the connection must go, so that nobody waits for answers that were lost. */
  readonly broken: (peer: Peer) => void
}

interface Link {
  readonly ours: Map<Protocol, Channel>
  readonly theirs: Map<Protocol, Channel>
  blocks: BlockClient | undefined
}

export class Links {
  source: BlockSource | undefined
  readonly #links = new Map<Peer, Link>()

  constructor (private readonly init: LinksInit) {}

  send (peer: Peer, protocol: FrameProtocol, direction: Direction, bytes: Uint8Array): boolean {
    const { limits } = this.init
    if (bytes.length > limits.frameBytes) throw new DiadError('frame-too-large', `a ${protocol} frame of ${bytes.length} bytes; ${limits.frameBytes} are allowed`, 'send it in pieces')
    const channel = direction === 'request' ? this.#own(peer, protocol) : this.#links.get(peer)?.theirs.get(protocol)
    return channel?.send([frameHeader(bytes.length), bytes]) ?? false
  }

  /** The asking end of the block protocol; throws `peer-gone` when the peer isn't connected. */
  blocks (peer: Peer): BlockClient {
    const channel = this.#own(peer, 'block')
    const client = this.#links.get(peer)?.blocks
    if (channel === undefined || client === undefined) throw new DiadError('peer-gone', `${peer} is not connected`, 'dial it first')
    return client
  }

  /** A stream that the peer opened. The newest replaces an older one, which may be left over from a connection that is half gone. */
  accept (peer: Peer, protocol: Protocol, stream: Stream): void {
    const link = this.#link(peer)
    const { limits, now } = this.init
    link.theirs.get(protocol)?.drop()
    const server = protocol === 'block' ? this.#server(peer) : undefined
    const intake = server?.intake ?? this.#frames(peer, protocol as FrameProtocol, 'request', () => channel)
    const channel: Channel = new Channel({
      limits,
      now,
      intake,
      answers: true,
      onEnd: (error) => {
        if (link.theirs.get(protocol) === channel) link.theirs.delete(protocol)
        this.#judge(peer, error)
      }
    })
    server?.start(channel)
    link.theirs.set(protocol, channel)
    channel.attach(stream)
  }

  /** The last connection to a peer has gone. */
  forget (peer: Peer): void {
    const link = this.#links.get(peer)
    this.#links.delete(peer)
    if (link === undefined) return
    for (const channel of [...link.ours.values(), ...link.theirs.values()]) channel.drop()
  }

  sweep (): void {
    const now = this.init.now()
    for (const { ours, theirs } of [...this.#links.values()]) {
      for (const channel of [...ours.values(), ...theirs.values()]) channel.sweep(now)
    }
  }

  clear (): void {
    for (const peer of [...this.#links.keys()]) this.forget(peer)
  }

  #link (peer: Peer): Link {
    let link = this.#links.get(peer)
    if (link === undefined) {
      link = { ours: new Map(), theirs: new Map(), blocks: undefined }
      this.#links.set(peer, link)
    }
    return link
  }

  /** Our own stream of a protocol, opened now if there is none. */
  #own (peer: Peer, protocol: Protocol): Channel | undefined {
    const old = this.#links.get(peer)?.ours.get(protocol)
    if (old !== undefined) return old
    if (!this.init.connected(peer)) return undefined
    const link = this.#link(peer)
    const { limits, now } = this.init
    const client = protocol === 'block' ? new BlockClient(peer, limits) : undefined
    const intake = client ?? this.#frames(peer, protocol as FrameProtocol, 'response', () => channel)
    const channel: Channel = new Channel({
      limits,
      now,
      intake,
      answers: false,
      onEnd: (error) => {
        if (link.ours.get(protocol) === channel) link.ours.delete(protocol)
        client?.end(error)
        if (this.#judge(peer, error)) return
        if (this.#links.get(peer) === link) this.init.broken(peer)
      }
    })
    client?.start(channel)
    if (client !== undefined) link.blocks = client
    link.ours.set(protocol, channel)
    this.init.open(peer, PROTOCOLS[protocol]).then((stream) => channel.attach(stream), (err: unknown) => channel.cut(err instanceof Error ? err : new Error(String(err))))
    return channel
  }

  #frames (peer: Peer, protocol: FrameProtocol, direction: Direction, channel: () => Channel): Intake {
    const { limits, events, spend, log } = this.init
    return new FrameIntake(limits.frameBytes, (bytes) => {
      spend(peer, spendingOf(protocol, direction), 1, bytes.length)
      const failed = (err: unknown): void => {
        // Malformed bytes are always the sender's fault; anything else is ours and mustn't cost the peer its connection.
        if (err instanceof MalformedError) channel().cut(err)
        else log(`onFrame failed: ${err instanceof Error ? err.message : String(err)}`)
      }
      try {
        const result = events.onFrame?.(peer, protocol, direction, bytes)
        if (result !== undefined) channel().hold(bytes.length, result.catch(failed))
      } catch (err) {
        failed(err)
      }
    })
  }

  #server (peer: Peer): BlockServer {
    return new BlockServer({
      peer,
      limits: this.init.limits,
      source: () => this.source,
      spend: (bytes) => this.init.spend(peer, 'request', 1, bytes),
      log: this.init.log
    })
  }

  /** Whether the end of a channel was the peer's fault, and then what follows from it. */
  #judge (peer: Peer, error: Error | undefined): boolean {
    if (!(error instanceof Violation || error instanceof MalformedError)) return false
    this.init.violation(peer, error)
    return true
  }
}
