/**
 * The network host of floor 6: libp2p with our limits, behind the plain interface of `types.ts`. It knows frames, blocks, topics and references,
 * and nothing of what they mean.
 *
 * @example
 * const host = createHost({ privateKey: await newHostKey(), listen: ['/ip4/0.0.0.0/tcp/4001'], events: { onFrame } })
 * await host.start()
 * const peer = await host.dial('/ip4/192.0.2.7/tcp/4001')
 * host.send(peer, 'hello', 'request', bytes)
 */
import '../../polyfill.js'
import { generateKeyPair, privateKeyFromProtobuf, privateKeyToProtobuf } from '@libp2p/crypto/keys'
import type { Connection, PrivateKey, Stream } from '@libp2p/interface'
import { peerIdFromPrivateKey, peerIdFromString } from '@libp2p/peer-id'
import { LevelDatastore } from 'datastore-level'
import { DiadError } from '../../substrate/errors.js'
import { listenError, parseAddress, parseListenAddress } from './addresses.js'
import { HOST_LIMITS, type HostLimits, Violation } from './budgets.js'
import { Dialler } from './dialler.js'
import { Gossip } from './gossip.js'
import { createNode, type Node } from './libp2p-node.js'
import { Links, PROTOCOLS, type Protocol } from './links.js'
import { Routing } from './routing.js'
import { type Spending, Standing } from './standing.js'
import type { BlockSource } from './block-server.js'
import type { Host, HostInit, Peer } from './types.js'

const SERVICE_TAG = '_diad._udp.local'

/** A new key for `HostInit.privateKey`. */
export async function newHostKey (): Promise<Uint8Array> {
  return privateKeyToProtobuf(await generateKeyPair('Ed25519'))
}

/** Checks what it is given and opens nothing. Throws DiadError `malformed-key` or `malformed-address`. */
export function createHost (init: HostInit): Host {
  return new NetworkHost(init)
}

/** What exists between start and stop. */
interface Running {
  readonly node: Node
  readonly gossip: Gossip
  readonly routing: Routing
  readonly dialler: Dialler
  readonly datastore: LevelDatastore | undefined
  readonly sweeper: NodeJS.Timeout
}

class NetworkHost implements Host {
  readonly peerId: Peer
  readonly #key: PrivateKey
  readonly #limits: HostLimits
  readonly #standing: Standing
  readonly #links: Links
  readonly #connected = new Set<Peer>()
  #running: Running | undefined
  #busy = false

  constructor (private readonly init: HostInit) {
    this.#key = hostKey(init.privateKey)
    this.peerId = peerIdFromPrivateKey(this.#key).toString()
    this.#limits = { ...HOST_LIMITS, ...init.limits }
    for (const address of [...init.listen, ...init.announce ?? []]) parseListenAddress(address)
    for (const address of init.bootstrap ?? []) parseAddress(address)
    const now = (): number => performance.now()
    this.#standing = new Standing(this.#limits, now)
    this.#links = new Links({
      limits: this.#limits,
      now,
      log: (message) => this.#log('warn', message),
      events: init.events ?? {},
      open: (peer, protocol) => this.#open(peer, protocol),
      connected: (peer) => this.#connections(peer).length > 0,
      spend: (peer, kind, frames, bytes) => this.#spend(peer, kind, frames, bytes),
      violation: (peer, error) => this.#violation(peer, error),
      broken: (peer) => { void this.disconnect(peer) }
    })
  }

  async start (): Promise<void> {
    if (this.#running !== undefined || this.#busy) throw new DiadError('already-started', 'the host is running or starting', 'stop it first')
    this.#busy = true
    const { listen, announce = [], bootstrap = [], mdns = true, events = {} } = this.init
    const limits = this.#limits
    const datastore = await this.#openDatastore()
    let running: Running | undefined
    try {
      const node = await createNode({
        key: this.#key,
        listen,
        announce,
        limits,
        datastore,
        serviceTag: mdns === false ? undefined : mdns === true ? SERVICE_TAG : mdns.serviceTag,
        meters: { gossip: this.#meter('gossip'), routing: this.#meter('routing') },
        banned: (peer) => this.#standing.banned(peer),
        score: (peer) => -this.#standing.points(peer),
        onNeighbour: (neighbour) => running?.dialler.onNeighbour(neighbour)
      })
      node.addEventListener('peer:disconnect', ({ detail }) => this.#onGone(detail.toString()))
      for (const protocol of Object.keys(PROTOCOLS) as Protocol[]) {
        // Two, so that a stream on a fresh connection finds room beside one that is half gone.
        await node.handle(PROTOCOLS[protocol], (stream, connection) => this.#onStream(protocol, stream, connection), { maxInboundStreams: 2, maxOutboundStreams: 2 })
      }
      await node.register(PROTOCOLS.hello, { onConnect: (peer) => this.#onPeer(peer.toString()) })
      const log = (message: string): void => this.#log('warn', message)
      running = {
        node,
        datastore,
        gossip: new Gossip({
          pubsub: node.services.pubsub,
          limits,
          events,
          log,
          spend: (peer, bytes) => this.#spend(peer, 'gossip', 1, bytes),
          violation: (peer, error) => this.#violation(peer, error),
          blame: (peer, points, why) => this.blame(peer, points, why)
        }),
        routing: new Routing(node, limits, log),
        dialler: new Dialler({ node, bootstrap: bootstrap.map(parseAddress), limits, log: (level, message) => this.#log(level, message), banned: (peer) => this.#standing.banned(peer) }),
        sweeper: setInterval(() => this.#links.sweep(), Math.min(limits.frameMs, limits.blockIdleMs, limits.stallMs) / 4).unref()
      }
      this.#running = running
      try {
        await node.start()
      } catch (err) {
        throw listenError(listen, err)
      }
      running.dialler.start()
    } catch (err) {
      clearInterval(running?.sweeper)
      this.#running = undefined
      await datastore?.close()
      throw err
    } finally {
      this.#busy = false
    }
  }

  async stop (): Promise<void> {
    const running = this.#running
    if (running === undefined || this.#busy) return
    this.#busy = true
    // libp2p waits for closing connections by AbortSignal.timeout, which doesn't keep a process alive: with every socket gone already, a command
    // would end here, in the middle, with Node's exit code 13.
    const awake = setInterval(() => undefined, 60_000)
    try {
      clearInterval(running.sweeper)
      running.dialler.stop()
      running.routing.stop()
      this.#links.clear()
      await running.node.stop()
      await running.datastore?.close()
    } finally {
      clearInterval(awake)
      this.#running = undefined
      for (const peer of [...this.#connected]) this.#onGone(peer)
      this.#busy = false
    }
  }

  addresses (): string[] {
    return this.#running?.node.getMultiaddrs().map((a) => a.toString()) ?? []
  }

  peers (): Peer[] {
    return [...this.#connected]
  }

  async dial (address: string, signal?: AbortSignal): Promise<Peer> {
    const parsed = parseAddress(address)
    signal?.throwIfAborted()
    return this.#started().dialler.dial(parsed, signal)
  }

  async disconnect (peer: Peer): Promise<void> {
    // Not closed politely: what was queued for a peer that is being cut has no reader any more. Our streams go first, so that their end
    // doesn't call for another disconnect.
    this.#links.forget(peer)
    for (const connection of this.#connections(peer)) {
      try {
        connection.abort(new Error('disconnected'))
      } catch (err) {
        // yamux says goodbye even on a socket that is closed already
        this.#log('debug', `disconnecting ${peer}: ${err instanceof Error ? err.message : String(err)}`)
      }
    }
  }

  blame (peer: Peer, points: number, why: string): void {
    const before = this.#standing.banned(peer)
    if (this.#standing.blame(peer, points) && !before) this.#report(peer, why)
    else this.#log('debug', `${peer} ${why}`)
  }

  send (...args: Parameters<Host['send']>): boolean {
    return this.#running !== undefined && this.#links.send(...args)
  }

  async fetchBlocks (...[peer, domain, refs, onBlock, signal]: Parameters<Host['fetchBlocks']>): ReturnType<Host['fetchBlocks']> {
    this.#started()
    return this.#links.blocks(peer).fetch(domain, refs, onBlock, signal)
  }

  serveBlocks (source: BlockSource): void {
    this.#links.source = source
  }

  async provide (...args: Parameters<Host['provide']>): Promise<number> {
    return this.#started().routing.provide(...args)
  }

  async unprovide (...args: Parameters<Host['unprovide']>): Promise<void> {
    await this.#started().routing.unprovide(...args)
  }

  findProviders (...args: Parameters<Host['findProviders']>): ReturnType<Host['findProviders']> {
    return this.#started().routing.findProviders(...args)
  }

  subscribe (topic: string): void {
    this.#started().gossip.subscribe(topic)
  }

  unsubscribe (topic: string): void {
    this.#started().gossip.unsubscribe(topic)
  }

  async publish (topic: string, bytes: Uint8Array): Promise<number> {
    return this.#started().gossip.publish(topic, bytes)
  }

  // --- connections and streams

  #connections (peer: Peer): Connection[] {
    return this.#running?.node.getConnections(peerIdFromString(peer)) ?? []
  }

  async #open (peer: Peer, protocol: string): Promise<Stream> {
    const connection = this.#connections(peer).find((c) => c.status === 'open')
    if (connection === undefined) throw new DiadError('peer-gone', `${peer} is not connected`, 'dial it first')
    return connection.newStream(protocol, { signal: AbortSignal.timeout(this.#limits.dialMs) })
  }

  #onStream (protocol: Protocol, stream: Stream, connection: Connection): void {
    const peer = connection.remotePeer.toString()
    try {
      this.#spend(peer, 'stream', 1, 0)
    } catch (err) {
      stream.abort(err as Error)
      this.#violation(peer, err as Error)
      return
    }
    // The peer may be faster with its first frame than with telling us its protocols.
    this.#onPeer(peer)
    this.#links.accept(peer, protocol, stream)
  }

  #onPeer (peer: Peer): void {
    if (this.#connected.has(peer) || this.#connections(peer).length === 0) return
    this.#connected.add(peer)
    this.#tell(peer, 'connected')
    this.#running?.routing.onPeer()
  }

  #onGone (peer: Peer): void {
    this.#links.forget(peer)
    if (this.#connected.delete(peer)) this.#tell(peer, 'disconnected')
    this.#running?.dialler.onGone(peer)
  }

  /** A callback that throws inside an event of libp2p would end the process. */
  #tell (peer: Peer, event: 'connected' | 'disconnected'): void {
    try {
      this.init.events?.onPeer?.(peer, event)
    } catch (err) {
      this.#log('warn', `onPeer failed: ${err instanceof Error ? err.message : String(err)}`)
    }
  }

  // --- behaviour

  #meter (kind: 'gossip' | 'routing'): { stream: (peer: Peer) => void, bytes: (peer: Peer, bytes: number) => void } {
    const count = (peer: Peer, spending: Spending, frames: number, bytes: number): void => {
      const over = this.#standing.spend(peer, spending, frames, bytes)
      if (over !== undefined) this.#violation(peer, new Violation(over))
    }
    return { stream: (peer) => count(peer, 'stream', 1, 0), bytes: (peer, bytes) => count(peer, kind, 0, bytes) }
  }

  #spend (peer: Peer, kind: Spending, frames: number, bytes: number): void {
    const over = this.#standing.spend(peer, kind, frames, bytes)
    if (over !== undefined) throw new Violation(over)
  }

  #violation (peer: Peer, error: Error): void {
    if (this.#standing.banned(peer)) return
    this.#standing.blame(peer, this.#limits.banPoints)
    this.#report(peer, error.message)
  }

  #report (peer: Peer, why: string): void {
    this.#log('warn', `disconnected ${peer}: it ${why}`)
    this.init.events?.onViolation?.(peer, why)
    void this.disconnect(peer)
  }

  #started (): Running {
    if (this.#running === undefined) throw new DiadError('not-started', 'the host is not running', 'start it first')
    return this.#running
  }

  async #openDatastore (): Promise<LevelDatastore | undefined> {
    const path = this.init.datastorePath
    if (path === undefined) return undefined
    const datastore = new LevelDatastore(path)
    try {
      await datastore.open()
      return datastore
    } catch (err) {
      this.#busy = false
      throw new DiadError('datastore-unavailable', `can't open the directory of known peers ${path}`, 'another process may be using it', { cause: err })
    }
  }

  #log (level: 'debug' | 'info' | 'warn', message: string): void {
    this.init.log?.(level, message)
  }
}

function hostKey (bytes: Uint8Array): PrivateKey {
  let key: PrivateKey | undefined
  let cause: unknown
  try {
    key = privateKeyFromProtobuf(bytes)
  } catch (err) {
    cause = err
  }
  if (key?.type !== 'Ed25519') throw new DiadError('malformed-key', 'the key of the host is not an Ed25519 key in libp2p\'s encoding', 'delete the file to get a new key and a new PeerId', { cause })
  return key
}
