/** What this host remembers of a peer's behaviour: budgets that survive a reconnect, points that fade, and a ban. Local politeness, never trust. */
import { type HostLimits, TokenBucket } from './budgets.js'
import type { Direction, FrameProtocol } from './types.js'

/** What a peer makes us spend. */
export type Spending = 'hello' | 'request' | 'response' | 'admit' | 'gossip' | 'routing' | 'stream'

/** What a frame counts as. Hellos and questions of admission come rarely, so their budgets are their own; answers are what we asked for. */
export function spendingOf (protocol: FrameProtocol, direction: Direction): Spending {
  if (protocol === 'hello') return 'hello'
  return protocol === 'admit' && direction === 'request' ? 'admit' : direction
}

interface Entry {
  points: number
  at: number
  bannedUntil: number
  /** made when first spent from */
  readonly frames: Buckets
  readonly bytes: Buckets
}

type Buckets = { [K in Spending]?: TokenBucket }

type Rates = { readonly [K in Spending]: { readonly frames?: readonly [number, number], readonly bytes?: readonly [number, number] } }

export class Standing {
  readonly #peers = new Map<string, Entry>()
  readonly #rates: Rates

  constructor (private readonly limits: HostLimits, private readonly now: () => number) {
    this.#rates = {
      hello: { frames: [limits.helloFramesPerSecond, limits.helloFramesBurst], bytes: [limits.requestBytesPerSecond, limits.requestBytesBurst] },
      request: { frames: [limits.requestFramesPerSecond, limits.requestFramesBurst], bytes: [limits.requestBytesPerSecond, limits.requestBytesBurst] },
      response: { frames: [limits.responseFramesPerSecond, limits.responseFramesBurst], bytes: [limits.responseBytesPerSecond, limits.responseBytesBurst] },
      admit: { frames: [limits.admitFramesPerSecond, limits.admitFramesBurst], bytes: [limits.admitBytesPerSecond, limits.admitBytesBurst] },
      gossip: { frames: [limits.gossipMessagesPerSecond, limits.gossipMessagesBurst], bytes: [limits.gossipBytesPerSecond, limits.gossipBytesBurst] },
      routing: { bytes: [limits.routingBytesPerSecond, limits.routingBytesBurst] },
      stream: { frames: [limits.streamsPerSecond, limits.streamsBurst] }
    }
  }

  /** Counts; returns what to tell the operator when the peer is over its budget. */
  spend (peer: string, kind: Spending, frames: number, bytes: number): string | undefined {
    const entry = this.#entry(peer)
    const rates = this.#rates[kind]
    const now = this.now()
    if (frames > 0 && rates.frames !== undefined && !bucket(entry.frames, kind, rates.frames, now).take(frames, now)) return `sent more than ${rates.frames[0]} ${UNITS[kind]} a second`
    if (bytes > 0 && rates.bytes !== undefined && !bucket(entry.bytes, kind, rates.bytes, now).take(bytes, now)) return `sent more than ${rates.bytes[0]} bytes of ${UNITS[kind]} a second`
    return undefined
  }

  /** Adds points; true when the peer has now reached the ban. */
  blame (peer: string, points: number): boolean {
    const entry = this.#entry(peer)
    entry.points += points
    if (entry.points < this.limits.banPoints) return false
    entry.bannedUntil = this.now() + this.limits.banMs
    return true
  }

  /** Present points after fading. */
  points (peer: string): number {
    return this.#peers.has(peer) ? this.#entry(peer).points : 0
  }

  banned (peer: string): boolean {
    const entry = this.#peers.get(peer)
    return entry !== undefined && entry.bannedUntil > this.now()
  }

  #entry (peer: string): Entry {
    const now = this.now()
    let entry = this.#peers.get(peer)
    if (entry === undefined) {
      entry = { points: 0, at: now, bannedUntil: 0, frames: {}, bytes: {} }
      this.#peers.set(peer, entry)
      if (this.#peers.size > this.limits.rememberedPeers) this.#forgetOne()
    }
    if (entry.points > 0) entry.points *= 2 ** (-(now - entry.at) / this.limits.pointsHalfLifeMs)
    entry.at = now
    return entry
  }

  /** The oldest entry goes, so that made-up identities can't fill the memory. */
  #forgetOne (): void {
    const oldest = this.#peers.keys().next()
    if (oldest.done !== true) this.#peers.delete(oldest.value)
  }
}

const UNITS: { readonly [K in Spending]: string } = { hello: 'hellos', request: 'requests', response: 'answers', admit: 'questions about admission', gossip: 'gossip messages', routing: 'DHT messages', stream: 'new streams' }

function bucket (buckets: Buckets, kind: Spending, [rate, burst]: readonly [number, number], now: number): TokenBucket {
  return (buckets[kind] ??= new TokenBucket(rate, burst, now))
}
