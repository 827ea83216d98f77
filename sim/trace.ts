/**
 * What one run of the simulator leaves behind: a list of events in virtual time, whose digest is equal for equal scenario and seed on any machine,
 * and what was found. The report is drawn from this and nothing else.
 */

/** Virtual time in whole microseconds since the start of the run. */
export type Micros = number

/** One thing that happened. Every field is text, a whole number, or a flat list of them, so that its JSON is the same everywhere. */
export type TraceEvent =
  /** a line of the timeline was carried out; `text` says all of it in words, without the node */
  | { readonly t: Micros, readonly kind: 'action', readonly action: string, readonly node: string, readonly text: string }
  /** a message was put on the wire; `bytes` with framing; `what` = hello, sync, gossip, block, dial */
  | { readonly t: Micros, readonly kind: 'sent', readonly from: string, readonly to: string, readonly what: string, readonly bytes: number, readonly arrives: Micros }
  /** a message was lost: on the way, by a cut, or because the receiver is down */
  | { readonly t: Micros, readonly kind: 'lost', readonly from: string, readonly to: string, readonly what: string, readonly why: string }
  /** what a node holds of a domain changed; `view` = digest of CURRENT (16 hex digits), `logseq` and `names` of that view, `brought` = updates that came with it */
  | { readonly t: Micros, readonly kind: 'view', readonly node: string, readonly domain: string, readonly view: string, readonly logseq: number, readonly names: number, readonly by: string, readonly brought: readonly number[] }
  /** a head was signed and is durable; update = its number in the run */
  | { readonly t: Micros, readonly kind: 'published', readonly node: string, readonly domain: string, readonly lane: string, readonly head: string, readonly name: string, readonly logseq: number, readonly update: number }
  /** `refused` = something of a peer's, `noted` = true but without effect */
  | { readonly t: Micros, readonly kind: 'refused' | 'noted', readonly node: string, readonly peer: string, readonly domain: string, readonly code: string, readonly ref: string }
  /** a proof of equivocation was taken up */
  | { readonly t: Micros, readonly kind: 'evidence', readonly node: string, readonly domain: string, readonly lane: string, readonly index: number }
  /** content of a mirrored domain was fetched */
  | { readonly t: Micros, readonly kind: 'content', readonly node: string, readonly domain: string, readonly blocks: number, readonly bytes: number, readonly missing: number }
  | { readonly t: Micros, readonly kind: 'node', readonly node: string, readonly state: 'up' | 'down' | 'crashed' | 'failed', readonly text: string }
  | { readonly t: Micros, readonly kind: 'link', readonly from: string, readonly to: string, readonly state: 'up' | 'cut' }
  | { readonly t: Micros, readonly kind: 'expectation', readonly line: number, readonly text: string, readonly met: boolean, readonly found: string }
  | { readonly t: Micros, readonly kind: 'violation', readonly invariant: string, readonly node: string, readonly text: string }

export interface Violation {
  /** name of the invariant or `expectation` */
  readonly invariant: string
  readonly t: Micros
  readonly node: string
  readonly text: string
  /** line in the scenario file, 0 if none */
  readonly line: number
}

/** Whole numbers only: the same run gives the same cost. */
export interface Cost {
  readonly messages: number
  readonly bytes: number
  readonly lost: number
  readonly updates: number
  /** messages / bytes for each update and node that follows its domain, in thousandths */
  readonly messagesPerDeliveryMilli: number
  readonly bytesPerDeliveryMilli: number
  /** copies of one gossip message that a node got, in thousandths, mean */
  readonly redundancyMilli: number
  readonly maxHops: number
  /** from durable at the publisher to held at a follower: microseconds */
  readonly delayMedian: Micros
  readonly delayP95: Micros
  readonly delayMax: Micros
  readonly byKind: ReadonlyArray<{ readonly what: string, readonly messages: number, readonly bytes: number }>
  readonly byNode: ReadonlyArray<{ readonly node: string, readonly sent: number, readonly received: number, readonly bytesSent: number, readonly bytesReceived: number }>
}

export interface RunResult {
  readonly scenario: string
  readonly shows: string
  readonly file: string
  readonly seed: number
  readonly status: 'passed' | 'failed'
  /** SHA-256 over the trace, hex */
  readonly digest: string
  /** events of the scheduler that were carried out */
  readonly steps: number
  readonly end: Micros
  readonly violations: readonly Violation[]
  readonly cost: Cost
  readonly domains: ReadonlyArray<{ readonly name: string, readonly id: string }>
  readonly nodes: ReadonlyArray<{ readonly name: string, readonly kind: 'publisher' | 'mirror' | 'follower' | 'reader' | 'witness' | 'adversary', readonly adversary: string, readonly owns: string, readonly follows: readonly string[] }>
  readonly links: ReadonlyArray<{ readonly from: string, readonly to: string, readonly latency: Micros }>
  /** nodes whose adversary had nothing to do: none of its hooks was ever called, but for the one at the start */
  readonly unused: ReadonlyArray<{ readonly node: string, readonly adversary: string, readonly hooks: readonly string[] }>
  /** for whoever wrote the scenario: what may not be meant, one sentence each */
  readonly notes: readonly string[]
  /** empty where the run was told to keep the digest only */
  readonly trace: readonly TraceEvent[]
}
