/**
 * The overlay that gossip runs on: per domain a mesh of neighbours that follow it, as gossipsub keeps one. A node passes on what it accepted itself,
 * once; what it ignores or rejects ends there. The lazy part of gossipsub (IHAVE, IWANT) isn't here: pulls do its work.
 */
import { toHex } from '../../src/substrate/bytes.js'
import { sha256Bytes } from '../../src/substrate/hasher.js'
import type { Reference } from '../../src/substrate/reference.js'
import type { GossipJudgement } from '../../src/federation/effects.js'
import type { Random } from './random.js'

/** Neighbours a message is passed on to: gossipsub's D. */
const MESH = 6
/** messages remembered so that none is judged twice */
const SEEN = 4096

export interface GossipMessage {
  readonly domain: Reference
  readonly bytes: Uint8Array
  /** links passed so far */
  readonly hops: number
}

/** As the host has it: the same words are the same message, whoever says them. Remembered, for one message is judged by many nodes. */
function idOf (bytes: Uint8Array): string {
  let id = ids.get(bytes)
  if (id === undefined) ids.set(bytes, id = toHex(sha256Bytes(bytes)).slice(0, 32))
  return id
}
const ids = new WeakMap<Uint8Array, string>()

export interface GossipInit {
  /** connected peers that follow the domain */
  readonly followers: (domain: Reference) => readonly string[]
  readonly send: (to: string, message: GossipMessage) => void
  readonly random: Random
}

export class SimGossip {
  private readonly topics = new Set<Reference>()
  private seen = new Set<string>()
  private older = new Set<string>()
  /** this node's own order of preference among its neighbours */
  private readonly rank = new Map<string, number>()

  constructor (private readonly init: GossipInit) {}

  subscribe (domain: Reference, on: boolean): void {
    if (on) this.topics.add(domain)
    else this.topics.delete(domain)
  }

  follows (domain: Reference): boolean {
    return this.topics.has(domain)
  }

  publish (domain: Reference, bytes: Uint8Array): void {
    this.remember(idOf(bytes))
    this.spread({ domain, bytes, hops: 1 }, '')
  }

  /** `judge` is asked about what is new only. */
  receive (from: string, message: GossipMessage, judge: () => GossipJudgement): GossipJudgement | 'seen' {
    const id = idOf(message.bytes)
    if (this.seen.has(id) || this.older.has(id)) return 'seen'
    this.remember(id)
    if (!this.topics.has(message.domain)) return 'ignore'
    const judgement = judge()
    if (judgement === 'accept') this.spread({ ...message, hops: message.hops + 1 }, from)
    return judgement
  }

  private spread (message: GossipMessage, except: string): void {
    const peers = this.init.followers(message.domain).filter((p) => p !== except)
    for (const peer of this.chosen(peers)) this.init.send(peer, message)
  }

  private chosen (peers: string[]): string[] {
    if (peers.length <= MESH) return peers
    return peers.map((p) => [this.rankOf(p), p] as const).sort((a, b) => a[0] - b[0]).slice(0, MESH).map(([, p]) => p)
  }

  private rankOf (peer: string): number {
    let rank = this.rank.get(peer)
    if (rank === undefined) this.rank.set(peer, rank = this.init.random.u32())
    return rank
  }

  private remember (id: string): void {
    this.seen.add(id)
    if (this.seen.size < SEEN) return
    this.older = this.seen
    this.seen = new Set()
  }
}
