/**
 * The sans-IO replica: `step(event) → effects`. It decides what to ask, what to answer, what to spread; it owns no socket, clock, disk or key.
 * Floor 6 runs it over libp2p, the simulator in virtual time. Source: DESIGN §2 and §7; RULES E3, V6.
 */
import { type Artifact, decodeArtifact, encodeArtifact } from '../substrate/artifact.js'
import { MalformedError } from '../substrate/errors.js'
import type { KvOp } from '../substrate/ports.js'
import type { Hash, Reference } from '../substrate/reference.js'
import { signatureCodec } from '../substrate/signature.js'
import { forkEvidenceCodec } from '../publication/evidence.js'
import { laneCodec, PUBLISHED, snapshotCodec } from '../publication/lane.js'
import { LEAF_BYTES } from '../publication/leaf.js'
import type { DomainKnowledge } from '../authority/knowledge.js'
import { type Head, LaneKnowledge } from '../authority/lane-knowledge.js'
import { branchOps, controlOps, unpersistedOps } from './ledger.js'
import { answerWire, type Gossip, gossipWire, type Hello, helloWire, requestWire, type SyncAnswer, type SyncRequest, WIRE } from './messages.js'
import { pull, type PullOutcome, type PullSink } from './pull.js'
import { answer, leafAnswer } from './serve-sync.js'

export type PeerId = string
export type Channel = 'hello' | 'sync'
export type Direction = 'request' | 'response'
export type GossipJudgement = 'accept' | 'ignore' | 'reject'

export type ReplicaEvent =
  | { readonly type: 'peer', readonly peer: PeerId, readonly up: boolean }
  | { readonly type: 'frame', readonly peer: PeerId, readonly channel: Channel, readonly direction: Direction, readonly bytes: Uint8Array }
  | { readonly type: 'gossip', readonly from: PeerId, readonly domain: Reference, readonly bytes: Uint8Array }
  /** start following; knowledge as read from the store or fresh */
  | { readonly type: 'follow', readonly knowledge: DomainKnowledge }
  | { readonly type: 'unfollow', readonly domain: Reference }
  /** our own lane grew from `from` leaves and is durable */
  | { readonly type: 'published', readonly domain: Reference, readonly lane: Reference, readonly from: number }
  /** a person asks to pull now, from this peer or from all */
  | { readonly type: 'pull', readonly domain: Reference, readonly peer?: PeerId }
  /** milliseconds of any clock that doesn't go back */
  | { readonly type: 'tick', readonly now: number }

export type Effect =
  | { readonly type: 'send', readonly peer: PeerId, readonly channel: Channel, readonly direction: Direction, readonly bytes: Uint8Array }
  | { readonly type: 'commit', readonly domain: Reference, readonly ops: KvOp[] }
  | { readonly type: 'gossip', readonly domain: Reference, readonly bytes: Uint8Array }
  | { readonly type: 'subscribe' | 'unsubscribe', readonly domain: Reference }
  | { readonly type: 'gossip-judgement', readonly result: GossipJudgement }
  | { readonly type: 'score', readonly peer: PeerId, readonly code: string }
  | { readonly type: 'report', readonly report: Report }

export type Report =
  | { readonly kind: 'refused' | 'noted', readonly peer: PeerId, readonly domain: Reference, readonly code: string, readonly ref: Reference }
  | { readonly kind: 'pulled', readonly peer: PeerId, readonly domain: Reference, readonly outcome: PullOutcome | 'timeout' | 'gone' }
  | { readonly kind: 'changed', readonly domain: Reference, readonly by: 'pull' | 'gossip' | 'own' }
  | { readonly kind: 'hello', readonly peer: PeerId, readonly domains: Reference[] }

export interface ReplicaOptions {
  readonly agent: string
  /** whether hellos and ticks start pulls; off, only gossip and explicit pulls bring anything */
  readonly autoPull?: boolean
}

/** ms without an answer after which a pull is given up and its peer's score falls */
const PULL_TIMEOUT = 15_000

interface Session {
  readonly peer: PeerId
  readonly domain: Reference
  readonly run: Generator<SyncRequest, PullOutcome, SyncAnswer>
  id: number
  deadline: number
}

interface Peer {
  readonly domains: Map<Reference, Hash>
  readonly sessions: Map<Reference, Session>
  /** digest of the hello this peer was last sent */
  told: string
}

export class Replica {
  readonly domains = new Map<Reference, DomainKnowledge>()
  private readonly peers = new Map<PeerId, Peer>()
  private effects: Effect[] = []
  private nextId = 1
  private now = 0

  constructor (private readonly options: ReplicaOptions) {}

  step (event: ReplicaEvent): Effect[] {
    this.effects = []
    switch (event.type) {
      case 'peer': this.onPeer(event.peer, event.up); break
      case 'frame': this.onFrame(event.peer, event.channel, event.direction, event.bytes); break
      case 'gossip': this.effects.push({ type: 'gossip-judgement', result: this.onGossip(event.from, event.domain, event.bytes) }); break
      case 'follow': this.onFollow(event.knowledge); break
      case 'unfollow': this.onUnfollow(event.domain); break
      case 'published': this.onPublished(event.domain, event.lane, event.from); break
      case 'pull': for (const p of event.peer === undefined ? this.peers.keys() : [event.peer]) this.startPull(p, event.domain, true); break
      case 'tick': this.onTick(event.now); break
    }
    return this.effects
  }

  /** Peers whose last hello named `domain`. */
  providers (domain: Reference): PeerId[] {
    return [...this.peers].filter(([, p]) => p.domains.has(domain)).map(([id]) => id)
  }

  get connected (): PeerId[] {
    return [...this.peers.keys()]
  }

  private send (peer: PeerId, channel: Channel, direction: Direction, bytes: Uint8Array): void {
    this.effects.push({ type: 'send', peer, channel, direction, bytes })
  }

  private report (report: Report): void {
    this.effects.push({ type: 'report', report })
  }

  private refuse (peer: PeerId, domain: Reference, code: string, ref: Reference): void {
    this.report({ kind: 'refused', peer, domain, code, ref })
    this.effects.push({ type: 'score', peer, code })
  }

  // ── peers ──

  private onPeer (id: PeerId, up: boolean): void {
    if (!up) {
      for (const s of this.peers.get(id)?.sessions.values() ?? []) this.report({ kind: 'pulled', peer: id, domain: s.domain, outcome: 'gone' })
      this.peers.delete(id)
      return
    }
    if (this.peers.has(id)) return
    this.peers.set(id, { domains: new Map(), sessions: new Map(), told: '' })
    this.sayHello(id, true)
  }

  private hello (): Hello {
    const domains: Hello['domains'] = []
    for (const domain of [...this.domains.keys()].sort().slice(0, WIRE.helloDomains)) {
      const k = this.domains.get(domain) as DomainKnowledge
      if (k.authority().tip !== undefined && isPublic(k)) domains.push({ domain, digest: k.inventoryDigest() })
    }
    return { t: 'hello', version: 1, agent: this.options.agent, domains }
  }

  private sayHello (id: PeerId, force: boolean): void {
    const peer = this.peers.get(id)
    if (peer === undefined) return
    const hello = this.hello()
    const told = hello.domains.map((d) => d.domain + d.digest).join()
    if (!force && told === peer.told) return
    peer.told = told
    this.send(id, 'hello', 'request', helloWire.encode(hello))
  }

  // ── frames ──

  private onFrame (peer: PeerId, channel: Channel, direction: Direction, bytes: Uint8Array): void {
    if (!this.peers.has(peer)) this.onPeer(peer, true)
    try {
      if (channel === 'hello') this.onHello(peer, helloWire.decode(bytes))
      else if (direction === 'request') this.send(peer, 'sync', 'response', answerWire.encode(this.answer(requestWire.decode(bytes))))
      else this.onAnswer(peer, answerWire.decode(bytes))
    } catch (err) {
      if (!(err instanceof MalformedError)) throw err
      this.effects.push({ type: 'score', peer, code: 'malformed' })
      for (const s of [...this.peers.get(peer)?.sessions.values() ?? []]) {
        this.refuse(peer, s.domain, 'malformed', s.domain)
        this.finish(s, 'refused')
      }
    }
  }

  private answer (request: SyncRequest): SyncAnswer {
    const k = this.domains.get(request.domain)
    return answer(k !== undefined && isPublic(k) ? k : undefined, request)
  }

  private onHello (id: PeerId, hello: Hello): void {
    const peer = this.peers.get(id) as Peer
    peer.domains.clear()
    for (const { domain, digest } of hello.domains) peer.domains.set(domain, digest)
    this.report({ kind: 'hello', peer: id, domains: [...peer.domains.keys()] })
    if (this.options.autoPull !== false) for (const domain of this.domains.keys()) this.startPull(id, domain, false)
  }

  // ── pulling ──

  private startPull (id: PeerId, domain: Reference, force: boolean): void {
    const peer = this.peers.get(id)
    const k = this.domains.get(domain)
    if (peer === undefined || k === undefined || peer.sessions.has(domain)) return
    const theirs = peer.domains.get(domain)
    if (!force && (theirs === undefined || theirs === k.inventoryDigest())) return
    const session: Session = { peer: id, domain, run: pull(k, this.sink(id, k)), id: 0, deadline: 0 }
    peer.sessions.set(domain, session)
    this.advance(session, k, undefined)
  }

  private sink (peer: PeerId, k: DomainKnowledge): PullSink {
    return {
      commit: (ops) => { this.effects.push({ type: 'commit', domain: k.domain, ops }) },
      refuse: (code, ref) => { this.refuse(peer, k.domain, code, ref) },
      note: (code, ref) => { this.report({ kind: 'noted', peer, domain: k.domain, code, ref }) },
      evidence: (proof) => { this.spreadEvidence(k.domain, proof) }
    }
  }

  private spreadEvidence (domain: Reference, proof: Artifact): void {
    this.effects.push({ type: 'gossip', domain, bytes: gossipWire.encode({ t: 'evidence', domain, artifact: encodeArtifact(proof) }) })
  }

  private advance (session: Session, k: DomainKnowledge, got: SyncAnswer | undefined): void {
    const before = k.revision
    const step = got === undefined ? session.run.next() : session.run.next(got)
    if (k.revision !== before) this.report({ kind: 'changed', domain: k.domain, by: 'pull' })
    if (step.done === true) {
      this.finish(session, step.value)
      return
    }
    session.id = this.nextId = this.nextId % 0xffffffff + 1
    session.deadline = this.now + PULL_TIMEOUT
    this.send(session.peer, 'sync', 'request', requestWire.encode({ ...step.value, id: session.id }))
  }

  private finish (session: Session, outcome: PullOutcome | 'timeout'): void {
    this.peers.get(session.peer)?.sessions.delete(session.domain)
    this.report({ kind: 'pulled', peer: session.peer, domain: session.domain, outcome })
  }

  private onAnswer (id: PeerId, got: SyncAnswer): void {
    for (const session of this.peers.get(id)?.sessions.values() ?? []) {
      if (session.id !== got.id) continue
      const k = this.domains.get(session.domain)
      if (k === undefined) this.finish(session, 'unknown')
      else this.advance(session, k, got)
      return
    }
    // An answer nobody waits for: late after a timeout, or made up. Not worth more than forgetting it.
  }

  private onTick (now: number): void {
    this.now = now
    for (const [id, peer] of this.peers) {
      for (const s of [...peer.sessions.values()]) {
        if (s.deadline === 0) s.deadline = now + PULL_TIMEOUT
        else if (now > s.deadline) {
          this.effects.push({ type: 'score', peer: id, code: 'timeout' })
          this.finish(s, 'timeout')
        }
      }
      this.sayHello(id, false)
      if (this.options.autoPull !== false) for (const domain of this.domains.keys()) this.startPull(id, domain, false)
    }
  }

  // ── domains ──

  private onFollow (k: DomainKnowledge): void {
    if (!this.domains.has(k.domain)) this.effects.push({ type: 'subscribe', domain: k.domain })
    this.domains.set(k.domain, k)
    for (const id of this.peers.keys()) this.startPull(id, k.domain, false)
  }

  private onUnfollow (domain: Reference): void {
    if (!this.domains.delete(domain)) return
    this.effects.push({ type: 'unsubscribe', domain })
    for (const peer of this.peers.values()) peer.sessions.delete(domain)
  }

  private onPublished (domain: Reference, lane: Reference, from: number): void {
    const k = this.domains.get(domain)
    const l = k?.lanes.get(lane)
    if (k === undefined || l === undefined || l.lane.visibility !== PUBLISHED) return
    this.report({ kind: 'changed', domain, by: 'own' })
    const message = headGossip(k, l, from)
    if (message !== undefined) this.effects.push({ type: 'gossip', domain, bytes: gossipWire.encode(message) })
  }

  // ── gossip ──

  /** Judged before it is forwarded: what we wouldn't believe ourselves we don't pass on. */
  private onGossip (from: PeerId, domain: Reference, bytes: Uint8Array): GossipJudgement {
    const k = this.domains.get(domain)
    if (k === undefined) return 'ignore'
    let message: Gossip
    try {
      message = gossipWire.decode(bytes)
      if (message.domain !== domain) throw new MalformedError('gossip about another domain')
      if (message.t === 'evidence') return this.onEvidence(from, k, decodeArtifact(message.artifact))
      if (message.t === 'head') return this.onHead(from, k, message)
    } catch (err) {
      if (!(err instanceof MalformedError)) throw err
      this.effects.push({ type: 'score', peer: from, code: 'malformed' })
      return 'reject'
    }
    // A bare hint proves nothing, so it isn't forwarded; whoever is connected to us hears from us.
    if (message.digest !== k.inventoryDigest()) this.startPull(from, domain, true)
    return 'ignore'
  }

  private onEvidence (from: PeerId, k: DomainKnowledge, artifact: Artifact): GossipJudgement {
    const proof = forkEvidenceCodec.from(artifact)
    const lane = k.lanes.get(proof.lane)
    if (lane === undefined) return 'ignore'
    const { ref, result, code } = k.admit(artifact)
    if (result === 'rejected') {
      this.refuse(from, k.domain, code, ref)
      return 'reject'
    }
    if (result !== 'added') return 'ignore'
    this.effects.push({ type: 'commit', domain: k.domain, ops: controlOps(k, [lane.ref, ref]) })
    this.report({ kind: 'changed', domain: k.domain, by: 'gossip' })
    return 'accept'
  }

  private onHead (from: PeerId, k: DomainKnowledge, message: Extract<Gossip, { t: 'head' }>): GossipJudgement {
    const lane = laneCodec.from(decodeArtifact(message.lane))
    const laneRef = laneCodec.reference(lane)
    const known = k.lanes.get(laneRef)
    if (lane.domain_id !== k.domain || lane.visibility !== PUBLISHED) return 'reject'
    const entry = k.authority().onChain[k.authority().position.get(lane.manifest) ?? -1]
    const principal = entry?.manifest.principals.find((p) => p.principal_id === lane.principal)
    const vouchedFor = k.view().lanes.get(laneRef)?.considered ?? false
    if (!vouchedFor && principal?.roles.includes('federate') !== true) {
      // Perhaps under a manifest we haven't seen: a hint to pull, nothing to spread (L5 bounds the lanes we follow).
      if (principal === undefined) this.startPull(from, k.domain, true)
      return 'ignore'
    }
    const snapshot = snapshotCodec.from(decodeArtifact(message.snapshot))
    const signature = signatureCodec.from(decodeArtifact(message.signature))
    // Judged before anything is kept: a Lane alone proves nothing.
    const head = (known ?? new LaneKnowledge(laneRef, lane)).head(snapshot, signature)
    if (head === 'bad-signature') {
      this.refuse(from, k.domain, 'bad-signature', snapshotCodec.reference(snapshot))
      return 'reject'
    }
    if (known === undefined) k.admit(decodeArtifact(message.lane))
    return this.takeHead(from, k, k.lanes.get(laneRef) as LaneKnowledge, head, message)
  }

  private takeHead (from: PeerId, k: DomainKnowledge, l: LaneKnowledge, head: Head, message: Extract<Gossip, { t: 'head' }>): GossipJudgement {
    const branch = k.view().lanes.get(l.ref)?.branch ?? l.branches[0]
    const held = branch?.log.size ?? 0
    const size = head.snapshot.log_size
    if (branch !== undefined && size <= held && branch.log.root(size) === head.snapshot.log_root) return 'ignore'
    // Past a proven fork nothing counts (E4), so nothing is stored.
    const ended = l.evidence !== undefined && held > l.evidence.index
    if (!ended && size > held && message.leaves.length === (size - message.from) * LEAF_BYTES && message.from <= held) {
      const extended = l.extend(head, message.from, message.leaves, branch)
      if (extended.result === 'extended') {
        const grown = extended.branch
        message.bodies.forEach((body, i) => { if (body.length > 0 && message.from + i < grown.log.size) l.addBody(grown, message.from + i, body) })
        k.touch()
        this.effects.push({ type: 'commit', domain: k.domain, ops: [...branchOps(k, l, grown, held), ...unpersistedOps(k)] })
        this.report({ kind: 'changed', domain: k.domain, by: 'gossip' })
        return 'accept'
      }
    }
    // Signed by the lane's own key and not linked to what we hold: ask for its log, or for the fork it shows (E2).
    if (l.addHead(head)) k.touch()
    this.startPull(from, k.domain, true)
    return size > held ? 'accept' : 'ignore'
  }
}

/**
 * T2: an empty list of trusted domains means public. A restricted domain is shown to nobody until peers can prove whose node they are (V6): to refuse
 * the right ones is better than to serve the wrong ones.
 */
export function isPublic (k: DomainKnowledge): boolean {
  const { tip, policyOf } = k.authority()
  return tip === undefined || policyOf(tip)?.federation_policy.trusted_domains.length === 0
}

/** The head of `lane` with the leaves after `from` where they fit. */
export function headGossip (k: DomainKnowledge, lane: LaneKnowledge, from: number): Gossip | undefined {
  const branch = lane.branches[0]
  if (branch === undefined) return undefined
  const size = branch.head.snapshot.log_size
  const all = leafAnswer({ lane, log: branch.log, size }, from, WIRE.gossipBytes)
  const fits = all.to === size
  return {
    t: 'head',
    domain: k.domain,
    lane: encodeArtifact(laneCodec.artifact(lane.lane)),
    snapshot: encodeArtifact(snapshotCodec.artifact(branch.head.snapshot)),
    signature: encodeArtifact(signatureCodec.artifact(branch.head.signature)),
    from: fits ? from : size,
    leaves: fits ? all.leaves : new Uint8Array(0),
    bodies: fits ? all.bodies : []
  }
}
