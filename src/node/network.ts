/**
 * A runtime on the network: the libp2p host underneath, the replica's frames above, content fetched for mirrored domains, providers looked up in the
 * DHT. What a peer sends goes to the replica or the store, which judge it; nothing here believes anybody.
 */
import { privateKeyToProtobuf } from '@libp2p/crypto/keys'
import { blamePoints } from '../federation/blame.js'
import type { ContentResult } from '../federation/content.js'
import { type FetchOptions, Mirror, MIRROR_RETRY_MS } from '../federation/mirror.js'
import type { Report } from '../federation/effects.js'
import { DiadError } from '../substrate/errors.js'
import type { Reference } from '../substrate/reference.js'
import { openNodeKey } from './home/node-key.js'
import type { Home } from './home/home.js'
import { createHost, type Host } from './host/index.js'
import type { Runtime } from './runtime.js'

export interface NetworkInit {
  readonly home: Home
  readonly runtime: Runtime
  readonly listen: readonly string[]
  readonly bootstrap: readonly string[]
  readonly mdns: boolean
  readonly dht: boolean
  /** look for peers of domains that nobody connected holds (a daemon); off where a command looks by itself */
  readonly seeks?: boolean
  /** fetch content of mirrored domains whenever something changed (a daemon); off where a command fetches by itself */
  readonly autoMirror: boolean
  readonly onContent?: (domain: Reference, result: ContentResult) => void
  readonly log?: (line: string) => void
}

const TICK_MS = 1000
const TOPIC = '/diad/domain/1/'

export class Network {
  readonly host: Host
  private readonly runtime: Runtime
  private ticker: NodeJS.Timeout | undefined
  private retrier: NodeJS.Timeout | undefined
  private readonly mirror: Mirror
  private unsubscribe: () => void = () => undefined
  private readonly stopping = new AbortController()

  private constructor (private readonly init: NetworkInit, privateKey: Uint8Array) {
    this.runtime = init.runtime
    const { runtime } = init
    this.mirror = new Mirror({
      engine: runtime,
      fetchBlocks: (domain, stop) => async (peer, refs, onBlock) => await this.host.fetchBlocks(peer, domain, refs, onBlock, stop instanceof AbortSignal ? stop : this.stopping.signal),
      stop: this.stopping.signal,
      onContent: (domain, result) => { init.onContent?.(domain, result) },
      onFailure: (_domain, err) => { init.log?.(`mirror: ${err instanceof Error ? err.message : String(err)}`) }
    })
    this.host = createHost({
      privateKey,
      listen: init.listen,
      bootstrap: init.bootstrap,
      mdns: init.mdns,
      // Violations are told by their event; what is for debugging is nobody's concern here.
      log: (level, message) => { if (level === 'info') init.log?.(message) },
      events: {
        onPeer: (peer, event) => { runtime.step({ type: 'peer', peer, up: event === 'connected' }) },
        // The view belongs to the host's buffers; the replica may keep parts.
        onFrame: (peer, channel, direction, bytes) => { runtime.step({ type: 'frame', peer, channel, direction, bytes: bytes.slice() }) },
        onGossip: (topic, from, bytes) => {
          const effects = runtime.step({ type: 'gossip', from, domain: topic.slice(TOPIC.length) as Reference, bytes: bytes.slice() })
          for (const e of effects) if (e.type === 'gossip-judgement') return e.result
          return 'ignore'
        },
        onViolation: (peer, message) => { init.log?.(`${peer}: ${message}`) }
      }
    })
  }

  static async start (init: NetworkInit): Promise<Network> {
    const network = new Network(init, privateKeyToProtobuf(await openNodeKey(init.home)))
    await network.open()
    return network
  }

  private async open (): Promise<void> {
    const { runtime, host, init } = this
    runtime.outside = {
      send: ({ peer, channel, direction, bytes }) => { host.send(peer, channel, direction, bytes) },
      gossip: (domain, bytes) => { host.publish(TOPIC + domain, bytes).catch((err: unknown) => { this.init.log?.(`gossip: ${String(err)}`) }) },
      subscribe: (domain, on) => {
        if (on) host.subscribe(TOPIC + domain)
        else host.unsubscribe(TOPIC + domain)
      },
      seek: (domain) => { if (init.seeks) void this.findAndDial(domain, this.stopping.signal).catch(() => 0) },
      blame: (peer, code) => { host.blame(peer, blamePoints(code), code) }
    }
    host.serveBlocks(async (_peer, domain, refs) => await runtime.blocksFor(domain, refs))
    runtime.onTrouble = (err) => { this.init.log?.(err instanceof Error ? err.stack ?? err.message : String(err)) }
    this.unsubscribe = runtime.onReport(this.onReport)
    try {
      await host.start()
      await runtime.wakeAll()
    } catch (err) {
      await this.stop()
      throw err
    }
    this.ticker = setInterval(() => { runtime.step({ type: 'tick', now: performance.now() }) }, TICK_MS)
    if (init.autoMirror) this.retrier = setInterval(() => { void this.mirror.retry().catch(() => undefined) }, MIRROR_RETRY_MS)
    if (this.init.listen.length > 0) for (const domain of runtime.active()) this.provide(domain)
  }

  async stop (): Promise<void> {
    clearInterval(this.ticker)
    clearInterval(this.retrier)
    this.stopping.abort(new DiadError('interrupted', 'the node is stopping'))
    this.unsubscribe()
    await this.mirror.idle()
    this.runtime.outside = undefined
    await this.host.stop()
  }

  private readonly onReport = (report: Report): void => {
    if (!this.init.autoMirror) return
    this.mirror.onReport(report)
    if (report.kind === 'changed') this.provide(report.domain)
  }

  private readonly provided = new Set<Reference>()

  /** Tells the DHT that this node can be asked about the domain, once there is anything to tell. */
  private provide (domain: Reference): void {
    if (!this.init.dht || this.init.listen.length === 0 || this.provided.has(domain)) return
    if (!this.runtime.shows(domain)) return
    this.provided.add(domain)
    this.host.provide(domain, this.stopping.signal).catch((err: unknown) => { this.init.log?.(`announce: ${String(err)}`) })
  }

  /** Brings all content of the domain's CURRENT names; undefined when nothing was to do. */
  async fetch (domain: Reference, options: FetchOptions): Promise<ContentResult | undefined> {
    return await this.mirror.fetch(domain, options)
  }

  /** Looks providers up in the DHT and dials them. Returns how many could be reached. */
  async findAndDial (domain: Reference, signal: AbortSignal): Promise<number> {
    let reached = 0
    try {
      for await (const { peer, addresses } of this.host.findProviders(domain, signal)) {
        if (peer === this.host.peerId || this.host.peers().includes(peer)) continue
        for (const address of addresses) {
          const ok = await this.host.dial(address, signal).then(() => true, () => false)
          if (ok) {
            reached++
            break
          }
        }
      }
    } catch (err) {
      if (signal.aborted) return reached
      this.init.log?.(`lookup: ${String(err)}`)
    }
    return reached
  }
}
