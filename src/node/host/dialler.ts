/** Reaches peers: on request, the bootstrap addresses again and again, and neighbours that mDNS shows. */
import type { PeerInfo } from '@libp2p/interface'
import { DiadError } from '../../substrate/errors.js'
import { type ParsedAddress, dialError } from './addresses.js'
import type { HostLimits } from './budgets.js'
import type { Node } from './libp2p-node.js'
import type { HostLog, Peer } from './types.js'

export interface DiallerInit {
  readonly node: Node
  readonly bootstrap: readonly ParsedAddress[]
  readonly limits: HostLimits
  readonly log: HostLog
  readonly banned: (peer: Peer) => boolean
}

/** One bootstrap address; whom it belongs to is known after the first connection. */
interface Target {
  readonly address: ParsedAddress
  peer: Peer | undefined
  failures: number
  timer: NodeJS.Timeout | undefined
  dialling: boolean
}

export class Dialler {
  readonly #targets: Target[]
  readonly #stopped = new AbortController()
  /** neighbours being dialled or not answering, with the time until which they are left alone */
  readonly #neighbours = new Map<Peer, number>()

  constructor (private readonly init: DiallerInit) {
    this.#targets = init.bootstrap.map((address) => ({ address, peer: address.peer, failures: 0, timer: undefined, dialling: false }))
  }

  start (): void {
    for (const target of this.#targets) void this.#reach(target)
  }

  stop (): void {
    this.#stopped.abort()
    for (const target of this.#targets) clearTimeout(target.timer)
  }

  async dial (address: ParsedAddress, signal?: AbortSignal): Promise<Peer> {
    const { node, limits, banned } = this.init
    if (address.peer !== undefined && banned(address.peer)) throw new DiadError('peer-banned', `${address.peer} broke a rule and is kept out for some minutes`, 'see the log for what it did')
    const signals = [this.#stopped.signal, AbortSignal.timeout(limits.dialMs)]
    try {
      const connection = await node.dial(address.multiaddr, { signal: AbortSignal.any(signal === undefined ? signals : [...signals, signal]) })
      return connection.remotePeer.toString()
    } catch (err) {
      signal?.throwIfAborted()
      throw dialError(address.text, err, node.getMultiaddrs().map((a) => a.toString()))
    }
  }

  /** The last connection to a peer has gone; a bootstrap peer is dialled again. */
  onGone (peer: Peer): void {
    for (const target of this.#targets) {
      if (target.peer === peer) this.#later(target)
    }
  }

  onNeighbour ({ id, multiaddrs }: PeerInfo): void {
    const { node, limits, log, banned } = this.init
    const peer = id.toString()
    const now = Date.now()
    for (const [known, until] of this.#neighbours) {
      if (until < now) this.#neighbours.delete(known)
    }
    if (this.#stopped.signal.aborted || banned(peer) || this.#neighbours.has(peer) || this.#neighbours.size >= limits.neighbours) return
    if (peer === node.peerId.toString() || node.getConnections(id).length > 0 || node.getConnections().length >= limits.neighbours) return
    this.#neighbours.set(peer, now + 30_000)
    const addresses = multiaddrs.slice(0, 8).map((a) => a.encapsulate(`/p2p/${peer}`))
    node.dial(addresses, { signal: AbortSignal.any([this.#stopped.signal, AbortSignal.timeout(limits.dialMs)]) }).then(
      () => {
        this.#neighbours.delete(peer)
        log('debug', `connected to neighbour ${peer}`)
      },
      (err: unknown) => log('debug', dialError(multiaddrs[0]?.toString() ?? peer, err).message)
    )
  }

  async #reach (target: Target): Promise<void> {
    if (this.#stopped.signal.aborted || target.dialling) return
    target.dialling = true
    try {
      target.peer = await this.dial(target.address)
      target.failures = 0
    } catch (err) {
      if (this.#stopped.signal.aborted) return
      if (target.failures === 0) this.init.log('info', `bootstrap: ${err instanceof Error ? err.message : String(err)}; ${err instanceof DiadError && err.code === 'peer-self' ? err.hint : 'trying again'}`)
      target.failures++
      this.#later(target)
    } finally {
      target.dialling = false
    }
  }

  #later (target: Target): void {
    if (this.#stopped.signal.aborted) return
    const { redialFromMs, redialToMs } = this.init.limits
    const wait = Math.min(redialToMs, redialFromMs * 2 ** Math.min(target.failures, 20))
    clearTimeout(target.timer)
    // A part of chance, so that a thousand nodes don't come back to a restarted bootstrap node in one instant.
    target.timer = setTimeout(() => { void this.#reach(target) }, wait * (0.75 + Math.random() / 2))
    target.timer.unref()
  }
}
