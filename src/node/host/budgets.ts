/**
 * Everything a peer can make this host spend, in one table with its unit and its reason (THREATS 4, 23, 27). Over a budget the peer's stream is
 * cut, the peer is disconnected and the caller told (`HostEvents.onViolation`). The figures are generous: a peer that only does its work stays
 * far below them, a flood meets them within a second.
 */
import { BLAME_HALF_LIFE } from '../../federation/blame.js'

const KiB = 1024
const MiB = 1024 * KiB

export const HOST_LIMITS = {
  // --- frames of hello, sync and admit
  /** bytes of one frame: leaf ranges are asked for in pieces that fit; a peer that declares more is cut at the length, before a byte is kept */
  frameBytes: 4 * MiB,
  /** ms in which a frame that has begun must be whole: 4 MiB at 70 KB/s. A dripping peer holds at most one frame that long */
  frameMs: 60_000,
  /** bytes that may wait to be sent to one peer on one stream; more means that the peer doesn't read what it asked for */
  queueBytes: 16 * MiB,
  /** answers waiting for a peer above which we stop reading its requests: its own slowness holds it back, not our memory */
  pauseBytes: 4 * MiB,
  /** ms without a byte taken by the peer while something waits for it */
  stallMs: 120_000,
  /** bytes handed to a callback that hasn't finished with them; above it we stop reading from that peer */
  holdBytes: 16 * MiB,

  // --- what a peer may start, per second and as a burst
  /** requests: a whole catch-up of a domain takes some hundreds */
  requestFramesPerSecond: 2_000,
  requestFramesBurst: 20_000,
  requestBytesPerSecond: 16 * MiB,
  requestBytesBurst: 64 * MiB,
  /** hellos: one in ten seconds, and at connect one for each 1,024 domains; reading one of those takes 4 ms */
  helloFramesPerSecond: 2,
  helloFramesBurst: 32,
  /** admission: two questions a request, and nobody has many; a request may cost 0.2 s of signature checks, and is a few KiB unless the domain is old */
  admitFramesPerSecond: 1,
  admitFramesBurst: 32,
  admitBytesPerSecond: 256 * KiB,
  admitBytesBurst: 16 * MiB,
  /** answers: we asked for them, so the figures only stop a peer that answers what nobody asked */
  responseFramesPerSecond: 20_000,
  responseFramesBurst: 100_000,
  responseBytesPerSecond: 512 * MiB,
  responseBytesBurst: 1024 * MiB,
  /** gossip: a head is under 1 KiB and a domain publishes a few a minute; each message costs a signature check (0.1 ms) before anyone can judge it */
  gossipMessagesPerSecond: 200,
  gossipMessagesBurst: 2_000,
  gossipBytesPerSecond: 2 * MiB,
  gossipBytesBurst: 16 * MiB,
  /** DHT: a query is some hundred bytes and a look-up sends about 20 */
  routingBytesPerSecond: 256 * KiB,
  routingBytesBurst: 4 * MiB,
  /** streams opened by one peer: kad-dht opens one for each request, everything of ours opens one for ever */
  streamsPerSecond: 50,
  streamsBurst: 500,

  // --- blocks
  /** references in one request: 17 KiB a request */
  blockRefs: 512,
  /** requests of one peer that may wait on one stream; a host keeps half of it in flight */
  blockRequests: 16,
  /** bytes after which the server ends a response frame: small enough to interleave, large enough that headers cost nothing */
  blockFrameBytes: 512 * KiB,
  /** bytes of one artifact: 1 MiB of payload and 13 of header */
  artifactBytes: MiB + 13,
  /** artifacts read from the source at a time: at most 32 MiB held for one peer */
  blockReads: 32,
  /** ms without any block from a peer that owes us some */
  blockIdleMs: 30_000,

  // --- gossip and routing
  /** bytes of one gossip message; heads, evidence (under 4 KiB) and hints */
  gossipBytes: 256 * KiB,
  /** bytes of topic names kept for one peer, 1 KiB each counted on top: about 950 domains */
  topicBytesPerPeer: MiB,
  /** provider records kept for one peer and for all: about 120 bytes each on disk */
  providersPerPeer: 1_000,
  providers: 100_000,
  /** ms between two announcements of what we provide: records live 48 h, nodes come and go within hours */
  reprovideMs: 30 * 60_000,
  /** ms after which a failed or unheard announcement is tried again */
  reprovideSoonMs: 5_000,

  // --- connections
  connections: 300,
  /** connections from one address per second: more is a flood, or many nodes on one machine */
  connectionsPerSecond: 20,
  /** connections that are still shaking hands */
  pendingConnections: 64,
  /** streams one connection may have open at once: four of ours each way, two of gossip, the rest DHT queries */
  streams: 128,
  /** bytes a peer may send on one stream before we have read them: bounds memory per stream and speed at 4 MiB per round trip */
  windowBytes: 4 * MiB,
  /** ms to reach a peer */
  dialMs: 10_000,
  /** ms between attempts to reach a bootstrap address: from, doubling up to */
  redialFromMs: 1_000,
  redialToMs: 5 * 60_000,
  /** connections beyond which neighbours found by mDNS are not dialled */
  neighbours: 64,

  // --- standing
  /** points at which a peer is disconnected and kept out */
  banPoints: 100,
  banMs: 10 * 60_000,
  /** ms in which points halve: an honest peer with a rare bad message never adds up */
  pointsHalfLifeMs: BLAME_HALF_LIFE,
  /** points for a gossip message that was rejected: ten within a few minutes and it's out */
  rejectPoints: 10,
  /** peers whose points are remembered; the oldest is forgotten first */
  rememberedPeers: 4_096
} as const

export type HostLimits = { readonly [K in keyof typeof HOST_LIMITS]: number }

/** A bucket that fills with `rate` tokens a second up to `burst`. Time comes in as ms. */
export class TokenBucket {
  #tokens: number
  #at: number

  constructor (private readonly rate: number, private readonly burst: number, now: number) {
    this.#tokens = burst
    this.#at = now
  }

  /** Takes `n` tokens; false when there aren't enough, and then takes none. */
  take (n: number, now: number): boolean {
    this.#tokens = Math.min(this.burst, this.#tokens + (now - this.#at) * this.rate / 1000)
    this.#at = now
    if (this.#tokens < n) return false
    this.#tokens -= n
    return true
  }
}

/** A peer broke a rule of the wire or went over a budget. `message` is said to the operator. */
export class Violation extends Error {
  override readonly name = 'Violation'
}
