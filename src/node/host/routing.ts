/** Provider records in the DHT: who can be asked about a domain. A hint; what they say is judged like everything else. */
import type { KadDHT } from '@libp2p/kad-dht'
import { DiadError } from '../../substrate/errors.js'
import { type Reference, cidOf } from '../../substrate/reference.js'
import type { HostLimits } from './budgets.js'
import type { Node } from './libp2p-node.js'
import type { FoundProvider } from './types.js'

export class Routing {
  readonly #provided = new Set<Reference>()
  readonly #stopped = new AbortController()
  #timer: NodeJS.Timeout | undefined
  #announcing = false

  constructor (private readonly node: Node, private readonly limits: HostLimits, private readonly log: (message: string) => void) {}

  /** Announces `ref` now and from time to time. The first attempt gives up after the dial deadline when no DHT node is known yet. */
  async provide (ref: Reference, signal?: AbortSignal): Promise<number> {
    this.#provided.add(ref)
    const told = await this.#announce(ref, signal)
    this.#again(told === 0 ? this.limits.reprovideSoonMs : this.limits.reprovideMs)
    return told
  }

  async unprovide (ref: Reference): Promise<void> {
    if (!this.#provided.delete(ref)) return
    await this.#dht.cancelReprovide(cidOf(ref))
  }

  async * findProviders (ref: Reference, signal?: AbortSignal): AsyncGenerator<FoundProvider> {
    const seen = new Set([this.node.peerId.toString()])
    const until = this.#until(signal)
    try {
      for await (const found of this.node.contentRouting.findProviders(cidOf(ref), { signal: until })) {
        const peer = found.id.toString()
        if (seen.has(peer)) continue
        seen.add(peer)
        // The same address comes with the PeerId from one source and without from another.
        const addresses = new Set(found.multiaddrs.map((a) => a.toString()).map((a) => a.includes('/p2p/') ? a : `${a}/p2p/${peer}`))
        yield { peer, addresses: [...addresses] }
      }
    } catch (err) {
      // A look-up that ends by deadline or stop has simply found what it found.
      if (!until.aborted) throw new DiadError('routing-failed', `looking for providers failed: ${err instanceof Error ? err.message : String(err)}`, 'try again when more nodes are known', { cause: err })
    }
  }

  /** A DHT node has appeared: what nobody has heard yet can be told now. */
  onPeer (): void {
    if (this.#provided.size > 0 && this.#timer === undefined) this.#again(this.limits.reprovideSoonMs)
  }

  stop (): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#provided.clear()
    this.#stopped.abort()
  }

  get #dht (): KadDHT {
    return this.node.services.dht
  }

  #until (signal: AbortSignal | undefined): AbortSignal {
    const signals = [this.#stopped.signal, AbortSignal.timeout(this.limits.dialMs)]
    return AbortSignal.any(signal === undefined ? signals : [...signals, signal])
  }

  async #announce (ref: Reference, signal?: AbortSignal): Promise<number> {
    const until = this.#until(signal)
    let told = 0
    try {
      for await (const event of this.#dht.provide(cidOf(ref), { signal: until })) {
        if (event.name === 'PEER_RESPONSE' && event.messageName === 'ADD_PROVIDER') told++
      }
    } catch (err) {
      if (!until.aborted) this.log(`announcing ${ref.slice(4, 12)}… in the DHT failed: ${err instanceof Error ? err.message : String(err)}`)
    }
    return told
  }

  #again (ms: number): void {
    if (this.#stopped.signal.aborted || this.#announcing) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      void this.#announceAll()
    }, ms)
    this.#timer.unref()
  }

  async #announceAll (): Promise<void> {
    this.#announcing = true
    let unheard = false
    for (const ref of [...this.#provided]) {
      if (this.#stopped.signal.aborted) break
      if (this.#provided.has(ref) && await this.#announce(ref) === 0) unheard = true
    }
    this.#announcing = false
    if (this.#provided.size > 0) this.#again(unheard ? this.limits.reprovideSoonMs * 12 : this.limits.reprovideMs)
  }
}
