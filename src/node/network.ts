/**
 * A runtime on the network: the libp2p host underneath, the replica's frames above, content fetched for mirrored domains, providers looked up in the
 * DHT. What a peer sends goes to the replica or the store, which judge it; nothing here believes anybody.
 */
import { privateKeyToProtobuf } from '@libp2p/crypto/keys'
import type { DomainKnowledge } from '../authority/knowledge.js'
import { type ContentResult, fetchContent } from '../federation/content.js'
import { isWhole } from '../federation/ledger.js'
import { isPublic, type Report } from '../federation/replica.js'
import { DiadError } from '../substrate/errors.js'
import { NONE, type Reference } from '../substrate/reference.js'
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
  /** fetch content of mirrored domains whenever something changed (a daemon); off where a command fetches by itself */
  readonly autoMirror: boolean
  readonly onContent?: (domain: Reference, result: ContentResult) => void
  readonly log?: (line: string) => void
}

const TICK_MS = 1000
const TOPIC = '/diad/domain/1/'
/** Points against a peer by what was refused; at 100 it is banned for a while. One wrong block may be a broken disk, a forged signature isn't. */
const BLAME: Record<string, number> = { 'bad-signature': 25, 'reference-mismatch': 15, 'bad-evidence': 25, malformed: 25, 'bad-range': 15, 'wrong-answer': 25, timeout: 10, 'log-withheld': 5 }

export class Network {
  readonly host: Host
  private readonly runtime: Runtime
  private ticker: NodeJS.Timeout | undefined
  private readonly jobs = new Map<Reference, { again: boolean, done: Promise<void> }>()
  private readonly stopping = new AbortController()

  private constructor (private readonly init: NetworkInit, privateKey: Uint8Array) {
    this.runtime = init.runtime
    const { runtime } = init
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
    const { runtime, host } = this
    runtime.outside = {
      send: ({ peer, channel, direction, bytes }) => { host.send(peer, channel, direction, bytes) },
      gossip: (domain, bytes) => { host.publish(TOPIC + domain, bytes).catch((err: unknown) => { this.init.log?.(`gossip: ${String(err)}`) }) },
      subscribe: (domain, on) => {
        if (on) host.subscribe(TOPIC + domain)
        else host.unsubscribe(TOPIC + domain)
      },
      blame: (peer, code) => { host.blame(peer, BLAME[code] ?? 5, code) }
    }
    const shows = (domain: Reference): boolean => {
      const k = runtime.replica.domains.get(domain)
      return k !== undefined && isPublic(k)
    }
    host.serveBlocks(async (_peer, domain, refs) => {
      // V1, V3: the audience index is asked before the store; what isn't held for this domain was never here.
      const shown = shows(domain) ? refs.filter((r) => runtime.store.audience.heldFor(domain, r)) : []
      const found = await runtime.store.blocks.getManyBytes(shown)
      const bytes = new Map(shown.map((r, i) => [r, found[i]]))
      return refs.map((r) => bytes.get(r))
    })
    runtime.on('report', this.onReport)
    try {
      await host.start()
      await runtime.wakeAll()
    } catch (err) {
      await this.stop()
      throw err
    }
    this.ticker = setInterval(() => { runtime.step({ type: 'tick', now: performance.now() }) }, TICK_MS)
    if (this.init.listen.length > 0) for (const domain of runtime.active()) this.provide(domain)
  }

  async stop (): Promise<void> {
    clearInterval(this.ticker)
    this.stopping.abort(new DiadError('interrupted', 'the node is stopping'))
    this.runtime.off('report', this.onReport)
    await Promise.allSettled([...this.jobs.values()].map(async (j) => { await j.done }))
    this.runtime.outside = undefined
    await this.host.stop()
  }

  private readonly onReport = (report: Report): void => {
    if (!this.init.autoMirror) return
    if (report.kind === 'pulled' || report.kind === 'changed') this.mirror(report.domain)
    if (report.kind === 'hello') for (const d of report.domains) this.mirror(d)
    if (report.kind === 'changed') this.provide(report.domain)
  }

  private readonly provided = new Set<Reference>()

  /** Tells the DHT that this node can be asked about the domain, once there is anything to tell. */
  private provide (domain: Reference): void {
    if (!this.init.dht || this.init.listen.length === 0 || this.provided.has(domain)) return
    if (this.runtime.replica.domains.get(domain)?.authority().tip === undefined) return
    this.provided.add(domain)
    this.host.provide(domain, this.stopping.signal).catch((err: unknown) => { this.init.log?.(`announce: ${String(err)}`) })
  }

  /** Fetches content in the background; one job a domain, run again when something changed meanwhile. */
  private mirror (domain: Reference): void {
    const record = this.runtime.records.get(domain)
    if (record?.mode !== 'mirror' || record.own || record.dormant || this.stopping.signal.aborted) return
    const job = this.jobs.get(domain)
    if (job !== undefined) {
      job.again = true
      return
    }
    const fresh = { again: false, done: Promise.resolve() }
    this.jobs.set(domain, fresh)
    fresh.done = (async () => {
      try {
        do {
          fresh.again = false
          const result = await this.fetch(domain, { signal: this.stopping.signal })
          if (result !== undefined) this.init.onContent?.(domain, result)
        } while (fresh.again && !this.stopping.signal.aborted)
      } catch (err) {
        this.init.log?.(`mirror: ${err instanceof Error ? err.message : String(err)}`)
      } finally {
        this.jobs.delete(domain)
      }
    })()
  }

  /** Brings all content of the domain's CURRENT names; undefined when nothing was to do. */
  async fetch (domain: Reference, options: { signal: AbortSignal, onProgress?: (blocks: number, bytes: number) => void, onRefused?: (peer: string, code: string, ref: Reference) => void, peers?: readonly string[] }): Promise<ContentResult | undefined> {
    await this.runtime.settled()
    const k = await this.runtime.knowledge(domain)
    const roots = missingRoots(this.runtime, k)
    if (roots.length === 0) return undefined
    const { blocks, audience } = this.runtime.store
    const refused = (peer: string, code: string, ref: Reference): void => {
      options.onRefused?.(peer, code, ref)
      // The bytes were what was published: their bearer is not at fault.
      if (code !== 'content-malformed') this.runtime.outside?.blame(peer, code)
    }
    return await fetchContent({
      domain,
      store: blocks,
      audience,
      peers: options.peers ?? this.runtime.replica.providers(domain),
      fetch: async (peer, refs, onBlock) => await this.host.fetchBlocks(peer, domain, refs, onBlock, options.signal),
      signal: options.signal,
      ...(options.onProgress === undefined ? {} : { onProgress: options.onProgress }),
      onRefused: refused
    }, roots.map((ref) => ({ ref, expected: undefined })))
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

/** References of CURRENT names whose content isn't held in full. */
export function missingRoots (runtime: Runtime, k: DomainKnowledge): Reference[] {
  const out = new Set<Reference>()
  for (const e of k.view().current.values()) if (e.ref !== NONE && !isWhole(runtime.store.kv, k.domain, e.ref)) out.add(e.ref)
  return [...out]
}
