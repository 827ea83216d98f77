/** What goes into the replica and what comes out of it. */
import type { KvOp } from '../substrate/ports.js'
import type { Reference } from '../substrate/reference.js'
import type { DomainKnowledge } from '../authority/knowledge.js'
import type { GossipJudgement } from './gossip.js'
import type { PullOutcome } from './pull.js'

export type { GossipJudgement }

export type PeerId = string
/** `admit` is the admission exchange's; the others are the replica's. */
export type Channel = 'hello' | 'sync' | 'admit'
export type Direction = 'request' | 'response'

export type ReplicaEvent =
  | { readonly type: 'peer', readonly peer: PeerId, readonly up: boolean }
  | { readonly type: 'frame', readonly peer: PeerId, readonly channel: Channel, readonly direction: Direction, readonly bytes: Uint8Array }
  | { readonly type: 'gossip', readonly from: PeerId, readonly domain: Reference, readonly bytes: Uint8Array }
  /** start following; knowledge as read from the store or fresh */
  | { readonly type: 'follow', readonly knowledge: DomainKnowledge }
  | { readonly type: 'unfollow', readonly domain: Reference }
  /** our own lane grew from `from` leaves and is durable */
  | { readonly type: 'published', readonly domain: Reference, readonly lane: Reference, readonly from: number }
  /** a file gave what is held of a domain something new, and it is durable */
  | { readonly type: 'imported', readonly domain: Reference }
  /** a person asks to pull now, from this peer or from all */
  | { readonly type: 'pull', readonly domain: Reference, readonly peer?: PeerId }
  /** milliseconds of any clock that doesn't go back */
  | { readonly type: 'tick', readonly now: number }

export type Effect =
  | { readonly type: 'send', readonly peer: PeerId, readonly channel: Channel, readonly direction: Direction, readonly bytes: Uint8Array }
  | { readonly type: 'commit', readonly domain: Reference, readonly ops: KvOp[] }
  | { readonly type: 'gossip', readonly domain: Reference, readonly bytes: Uint8Array }
  | { readonly type: 'subscribe' | 'unsubscribe', readonly domain: Reference }
  /** look for peers that hold the domain */
  | { readonly type: 'seek', readonly domain: Reference }
  | { readonly type: 'gossip-judgement', readonly result: GossipJudgement }
  | { readonly type: 'score', readonly peer: PeerId, readonly code: string }
  | { readonly type: 'report', readonly report: Report }

export type Report =
  | { readonly kind: 'refused' | 'noted', readonly peer: PeerId, readonly domain: Reference, readonly code: string, readonly ref: Reference }
  | { readonly kind: 'pulled', readonly peer: PeerId, readonly domain: Reference, readonly outcome: PullOutcome | 'timeout' | 'gone' }
  | { readonly kind: 'changed', readonly domain: Reference, readonly by: 'pull' | 'gossip' | 'own' | 'bundle' }
  /** bytes that break their shape, about no domain in particular */
  | { readonly kind: 'malformed', readonly peer: PeerId }
  | { readonly kind: 'hello', readonly peer: PeerId, readonly domains: Reference[] }
  /** a request for admission that holds now waits for a person; `domain` asks, for the names under `scope` */
  | { readonly kind: 'admission-request', readonly peer: PeerId, readonly domain: Reference, readonly request: Reference, readonly scope: readonly string[] }
