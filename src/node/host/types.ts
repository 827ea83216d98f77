/** The contract of the network host: what floor 6 gives the replica, and what it asks of it. */
import type { Reference } from '../../substrate/reference.js'
import type { OnBlock } from './block-client.js'
import type { BlockSource } from './block-server.js'
import type { HostLimits } from './budgets.js'

/** A PeerId as text. An address, never a reason to trust (THREATS 25). */
export type Peer = string
export type FrameProtocol = 'hello' | 'sync' | 'admit'
export type Direction = 'request' | 'response'
export type GossipVerdict = 'accept' | 'ignore' | 'reject'
export type HostLog = (level: 'debug' | 'info' | 'warn', message: string) => void

export interface HostEvents {
  /** The first connection to a peer that speaks our protocols stands, or the last has gone. Frames come between the two only. */
  readonly onPeer?: (peer: Peer, event: 'connected' | 'disconnected') => void
  /**
   * One frame. A promise holds back the peer while 16 MiB are being worked on. `bytes` is a view that may pin 64 KiB: copy what is kept.
   * A `MalformedError` that comes out of it counts as the peer's violation; any other error is logged.
   */
  readonly onFrame?: (peer: Peer, protocol: FrameProtocol, direction: Direction, bytes: Uint8Array) => void | Promise<void>
  /** Judges a message before it is forwarded; `from` is the neighbour it came from. `reject` is for bytes that no honest node would pass on, and costs points. */
  readonly onGossip?: (topic: string, from: Peer, bytes: Uint8Array) => GossipVerdict | Promise<GossipVerdict>
  /** A peer broke a rule or a budget and has been disconnected and banned for ten minutes. */
  readonly onViolation?: (peer: Peer, message: string) => void
}

export interface HostInit {
  /** The Ed25519 key of the PeerId in libp2p's encoding (`newHostKey`). It identifies an address, no principal: never a key of the domain. */
  readonly privateKey: Uint8Array
  /** Multiaddrs to listen on (TCP, port 0 = any free one); none = dial only. */
  readonly listen: readonly string[]
  /** Multiaddrs under which others reach us beside those we listen on (behind a port forward). */
  readonly announce?: readonly string[]
  /** Multiaddrs to keep a connection to, with or without /p2p/ID. */
  readonly bootstrap?: readonly string[]
  /** Finds and dials neighbours by multicast; default true. A service tag of one's own keeps networks (and tests) apart. */
  readonly mdns?: boolean | { readonly serviceTag: string }
  /** Directory for known peers and DHT records; without it they live in memory. */
  readonly datastorePath?: string
  readonly limits?: Partial<HostLimits>
  readonly log?: HostLog
  readonly events?: HostEvents
}

export interface FoundProvider {
  readonly peer: Peer
  /** multiaddrs, each ending in /p2p/ID */
  readonly addresses: readonly string[]
}

export interface Host {
  readonly peerId: Peer
  /** Throws DiadError `port-in-use`, `address-unavailable`, `datastore-unavailable`. */
  start: () => Promise<void>
  /** Ends every stream, timer and socket of the host. May be started again. */
  stop: () => Promise<void>
  /** Where others can dial us, each ending in /p2p/ID. Empty before start and when dial-only. */
  addresses: () => string[]
  /** Connected peers that speak our protocols. */
  peers: () => Peer[]
  /** Throws DiadError `malformed-address`, `peer-unreachable`, `peer-mismatch`, `peer-banned`; or the signal's reason. */
  dial: (address: string, signal?: AbortSignal) => Promise<Peer>
  /** Ends all connections to a peer. */
  disconnect: (peer: Peer) => Promise<void>
  /** Adds points against a peer; at 100 it is disconnected and banned for ten minutes. Points halve every ten minutes. */
  blame: (peer: Peer, points: number, why: string) => void
  /**
   * Queues one frame: a request on our own stream (opened at the first), a response on the stream the peer opened. False when it can't be taken:
   * no connection, no stream to answer on, or 16 MiB are waiting already. A stream that breaks takes the connection with it, so that lost frames
   * always show as `disconnected`. Throws DiadError `frame-too-large`.
   */
  send: (peer: Peer, protocol: FrameProtocol, direction: Direction, bytes: Uint8Array) => boolean
  /** Asks one peer for blocks of a domain. Resolves with what it didn't give. Throws DiadError `peer-gone`, or the signal's reason. */
  fetchBlocks: (peer: Peer, domain: Reference, refs: readonly Reference[], onBlock: OnBlock, signal?: AbortSignal) => Promise<{ missing: Reference[] }>
  /** Who answers block requests; without one every block is absent. */
  serveBlocks: (source: BlockSource) => void
  /** Announces in the DHT that we can be asked about `ref`, and goes on announcing until `unprovide` or stop. Resolves after the first attempt with the number of nodes told. */
  provide: (ref: Reference, signal?: AbortSignal) => Promise<number>
  unprovide: (ref: Reference) => Promise<void>
  /** Others that announced `ref`, each once, as they are found. Ends when the DHT has been asked or the signal fires. */
  findProviders: (ref: Reference, signal?: AbortSignal) => AsyncIterable<FoundProvider>
  subscribe: (topic: string) => void
  unsubscribe: (topic: string) => void
  /** Resolves with the number of neighbours it was sent to. Throws DiadError `gossip-too-large`. */
  publish: (topic: string, bytes: Uint8Array) => Promise<number>
}
