/**
 * The sans-IO replica: `step(event) → effects`. It decides what to ask, what to answer, what to spread; it owns no socket, clock, disk or key.
 * Floor 6 runs it over libp2p, the simulator in virtual time. Source: DESIGN §2 and §7; RULES E3, V6.
 */
import { type Artifact, encodeArtifact } from '../substrate/artifact.js'
import { MalformedError } from '../substrate/errors.js'
import type { Reference } from '../substrate/reference.js'
import type { DomainKnowledge } from '../authority/knowledge.js'
import type { Channel, Direction, Effect, PeerId, ReplicaEvent, Report } from './effects.js'
import { type GossipJudgement, headGossip, judgeGossip } from './gossip.js'
import { History } from './history.js'
import { answerWire, gossipWire, type Hello, helloWire, requestWire, type SyncAnswer, type SyncRequest } from './messages.js'
import { Peer, type Session } from './peer.js'
import { pull, type PullOutcome, type PullSink } from './pull.js'
import { Seeker } from './seek.js'
import { answer } from './serve-sync.js'
import { Showcase } from './showcase.js'
import { isPublic, mayBeNamed } from './visibility.js'

export interface ReplicaOptions {
  readonly agent: string
  /** whether hellos and ticks start pulls; off, only gossip and explicit pulls bring anything */
  readonly autoPull?: boolean
}

/** ms without an answer after which a pull is given up and its peer's score falls */
const PULL_TIMEOUT = 15_000

/** pulls of one domain that run at once because digests differ: all peers have much the same, so the others mostly find nothing left */
const MOVING_PULLS = 2
/** pulls from one peer at once: what it sends has to fit its link in the time of one answer */
const PULLS_PER_PEER = 4
/** ms without anything that counts after which a pull no longer keeps others from starting, however busy it looks */
const MOVING_MS = 10_000

/** Why a pull starts: a person asks (and hears everything again), a message shows that the peer must have something, or digests differ. */
type Reason = 'asked' | 'news' | 'digest'

/** Whether a pull brought anything that the domain's state consists of: what merely waits or is loose can't bring the next one further. */
function stateOf (k: DomainKnowledge): string {
  let bodies = 0
  for (const lane of k.lanes.values()) bodies += lane.bodies.size
  return `${k.inventoryDigest()} ${bodies}`
}

export class Replica {
  readonly domains = new Map<Reference, DomainKnowledge>()
  private readonly peers = new Map<PeerId, Peer>()
  /** who else holds a domain of ours, so that news of one costs as many steps as it has holders, however many peers there are */
  private readonly sharers = new Map<Reference, Map<PeerId, Peer>>()
  /** pulls under way, by domain */
  private readonly pulls = new Map<Reference, Set<Session>>()
  private effects: Effect[] = []
  private nextId = 1
  private now = 0
  private readonly showcase = new Showcase()
  private readonly seeker = new Seeker()
  private readonly history = new History()
  private readonly topics = new Set<Reference>()

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
      case 'imported': this.onImported(event.domain); break
      case 'pull': for (const p of event.peer === undefined ? this.peers.keys() : [event.peer]) this.startPull(p, event.domain, 'asked'); break
      case 'tick': this.onTick(event.now); break
    }
    return this.effects
  }

  /** Peers whose last hello named `domain`. */
  providers (domain: Reference): PeerId[] {
    return [...this.peers].filter(([, p]) => p.offers(domain)).map(([id]) => id)
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

  private changed (k: DomainKnowledge, by: Extract<Report, { kind: 'changed' }>['by']): void {
    this.history.note(k.domain, k.inventoryDigest())
    this.report({ kind: 'changed', domain: k.domain, by })
  }

  private refuse (peer: PeerId, k: DomainKnowledge, code: string, ref: Reference, signed = false): void {
    if (this.isNews(peer, k, 'refused', code, ref)) this.report({ kind: 'refused', peer, domain: k.domain, code, ref })
    if (!signed || this.peers.get(peer)?.answersFor(code, this.now) !== false) this.effects.push({ type: 'score', peer, code })
  }

  private note (peer: PeerId, k: DomainKnowledge, code: string, ref: Reference): void {
    if (this.isNews(peer, k, 'noted', code, ref)) this.report({ kind: 'noted', peer, domain: k.domain, code, ref })
  }

  /** Whether this is reported for the first time since either side changed. Whoever asked for a pull hears everything. */
  private isNews (id: PeerId, k: DomainKnowledge, kind: string, code: string, ref: Reference): boolean {
    const peer = this.peers.get(id)
    const session = peer?.sessions.get(k.domain)
    if (peer === undefined || session?.asked === true) return true
    return peer.said.isNew(k.domain, session?.pair ?? { theirs: peer.digestOf(k.domain), ours: k.inventoryDigest() }, `${kind} ${code} ${ref}`)
  }

  // ── peers ──

  private onPeer (id: PeerId, up: boolean): void {
    const peer = this.peers.get(id)
    if (!up) {
      for (const s of [...peer?.sessions.values() ?? []]) this.abort(s)
      peer?.leave()
      this.peers.delete(id)
      return
    }
    if (peer !== undefined) return
    const made: Peer = new Peer((domain, on) => { this.share(domain, id, on ? made : undefined) })
    this.peers.set(id, made)
    this.lookAround()
    this.sayHello(id)
  }

  private share (domain: Reference, id: PeerId, peer: Peer | undefined): void {
    const sharers = this.sharers.get(domain) ?? new Map<PeerId, Peer>()
    if (peer === undefined) sharers.delete(id)
    else this.sharers.set(domain, sharers.set(id, peer))
    if (sharers.size === 0) this.sharers.delete(domain)
  }

  private lookAround (): void {
    this.showcase.look(this.domains, (k) => { this.listen(k) }, (domain, digest) => { this.history.note(domain, digest) })
  }

  private sayHello (id: PeerId): void {
    const peer = this.peers.get(id)
    for (const domains of peer?.greetings(this.now, this.showcase.shown) ?? []) {
      this.send(id, 'hello', 'request', helloWire.encode({ t: 'hello', version: 1, agent: this.options.agent, domains }))
    }
  }

  // ── frames ──

  private onFrame (id: PeerId, channel: Channel, direction: Direction, bytes: Uint8Array): void {
    // The host says 'connected' before the first frame and nothing comes after 'disconnected' but what was still under way: nobody waits for that.
    const peer = this.peers.get(id)
    if (peer === undefined || channel === 'admit') return
    try {
      if (channel === 'hello') this.onHello(id, peer, helloWire.decode(bytes))
      else if (direction === 'request') this.send(id, 'sync', 'response', answerWire.encode(this.answer(peer, requestWire.decode(bytes))))
      else this.onAnswer(peer, answerWire.decode(bytes))
    } catch (err) {
      if (!(err instanceof MalformedError)) throw err
      this.effects.push({ type: 'score', peer: id, code: 'malformed' })
      this.report({ kind: 'malformed', peer: id })
      for (const s of [...peer.sessions.values()]) {
        this.refuse(id, s.knowledge, 'malformed', s.knowledge.domain)
        this.finish(s, 'refused')
      }
    }
  }

  private answer (peer: Peer, request: SyncRequest): SyncAnswer {
    if (request.t !== 'inventory') peer.lags()
    const k = this.domains.get(request.domain)
    return answer(k !== undefined && isPublic(k) ? k : undefined, request)
  }

  private onHello (id: PeerId, peer: Peer, hello: Hello): void {
    const domains = peer.hear(hello.domains, this.now, (d) => this.domains.has(d))
    this.report({ kind: 'hello', peer: id, domains })
    if (domains.length > 0 && domains.every((d) => this.domains.get(d)?.inventoryDigest() === peer.digestOf(d))) peer.agrees(this.now, this.showcase.shown)
    // Nothing changed about the others; the next tick asks them all.
    for (const domain of domains) {
      const k = this.domains.get(domain)
      if (k !== undefined && this.isWorth(peer, k)) this.pullFairly(domain)
    }
    // It may have begun to hold what we hold: then it is told how far we are.
    this.sayHello(id)
  }

  // ── pulling ──

  private startPull (id: PeerId, domain: Reference, reason: Reason): void {
    const peer = this.peers.get(id)
    const k = this.domains.get(domain)
    if (peer === undefined || k === undefined) return
    const running = peer.sessions.get(domain)
    if (running !== undefined) {
      if (reason === 'asked') running.asked = true
      return
    }
    if (reason === 'digest' && peer.sessions.size >= PULLS_PER_PEER) return
    const pair = { theirs: peer.digestOf(domain), ours: k.inventoryDigest() }
    const session: Session = { peer: id, knowledge: k, run: pull(k, this.sink(id, k), peer.tried), unfinished: false, asked: reason === 'asked', before: stateOf(k), pair, id: 0, deadline: 0, progress: this.now }
    peer.begin(domain, session, this.now)
    this.pulls.set(domain, (this.pulls.get(domain) ?? new Set<Session>()).add(session))
    this.advance(session, undefined)
  }

  private isWorth (peer: Peer, k: DomainKnowledge): boolean {
    return !peer.sessions.has(k.domain) && peer.worthPulling(k, this.now, this.history)
  }

  /** Starts pulls of `domain` from those who have something else than we, whoever wasn't asked for longest first. */
  private pullFairly (domain: Reference): void {
    if (this.options.autoPull === false || this.movingPulls(domain) >= MOVING_PULLS) return
    const k = this.domains.get(domain)
    if (k === undefined) return
    // Asked each second of every domain, and mostly nobody is.
    const worth: Array<[PeerId, Peer]> = []
    this.sharers.get(domain)?.forEach((peer, id) => { if (this.isWorth(peer, k)) worth.push([id, peer]) })
    worth.sort(([, a], [, b]) => a.lastAsked(domain) - b.lastAsked(domain))
    for (const [id] of worth) if (this.movingPulls(domain) < MOVING_PULLS) this.startPull(id, domain, 'digest')
  }

  /** Pulls of `domain` that make progress. One that stalls holds nobody back. */
  private movingPulls (domain: Reference): number {
    let moving = 0
    for (const session of this.pulls.get(domain) ?? []) if (this.now - session.progress <= MOVING_MS) moving++
    return moving
  }

  private sink (peer: PeerId, k: DomainKnowledge): PullSink {
    return {
      commit: (ops) => { this.effects.push({ type: 'commit', domain: k.domain, ops }) },
      refuse: (code, ref, signed) => { this.refuse(peer, k, code, ref, signed) },
      note: (code, ref) => { this.note(peer, k, code, ref) },
      digest: (digest) => { this.peers.get(peer)?.learn(k.domain, digest, this.now, true) },
      evidence: (proof) => { if (isPublic(k)) this.spreadEvidence(k.domain, proof) },
      arrived: () => { this.peers.get(peer)?.progresses(k.domain, this.now) },
      more: () => { this.peers.get(peer)?.hasMore(k.domain) }
    }
  }

  private spreadEvidence (domain: Reference, proof: Artifact): void {
    this.effects.push({ type: 'gossip', domain, bytes: gossipWire.encode({ t: 'evidence', domain, artifact: encodeArtifact(proof) }) })
  }

  private advance (session: Session, got: SyncAnswer | undefined): void {
    const { knowledge: k } = session
    const before = k.revision
    const step = got === undefined ? session.run.next() : session.run.next(got)
    if (k.revision !== before) this.changed(k, 'pull')
    if (step.done === true) {
      this.finish(session, step.value)
      return
    }
    session.id = this.nextId = this.nextId % 0xffffffff + 1
    session.deadline = this.now + PULL_TIMEOUT
    this.send(session.peer, 'sync', 'request', requestWire.encode({ ...step.value, id: session.id }))
  }

  private finish (session: Session, outcome: PullOutcome | 'timeout'): void {
    const { knowledge: k } = session
    const peer = this.peers.get(session.peer)
    this.pulls.get(k.domain)?.delete(session)
    peer?.pulled(k, this.now, outcome === 'timeout' || stateOf(k) !== session.before)
    this.report({ kind: 'pulled', peer: session.peer, domain: k.domain, outcome })
    // Others waited for their turn; mostly there is nothing left to ask them.
    this.pullFairly(k.domain)
  }

  /** Ends a pull whose answers nobody wants any more. */
  private abort (session: Session): void {
    const { knowledge: { domain }, peer } = session
    session.run.return('same')
    this.peers.get(peer)?.sessions.delete(domain)
    this.pulls.get(domain)?.delete(session)
    this.report({ kind: 'pulled', peer, domain, outcome: 'gone' })
  }

  private onAnswer (peer: Peer, got: SyncAnswer): void {
    // An answer nobody waits for is late after a timeout, or made up: not worth more than forgetting it.
    for (const session of peer.sessions.values()) {
      if (session.id !== got.id) continue
      // A peer that delivers isn't late: what it owes us for other domains waits behind this on its link.
      for (const other of peer.sessions.values()) other.deadline = this.now + PULL_TIMEOUT
      const before = session.knowledge.inventoryDigest()
      this.advance(session, got)
      if (session.knowledge.inventoryDigest() !== before) session.progress = this.now
      return
    }
  }

  private onTick (now: number): void {
    this.now = now
    this.lookAround()
    for (const [id, peer] of this.peers) {
      for (const s of peer.sessions.size === 0 ? [] : [...peer.sessions.values()]) {
        if (s.deadline === 0) s.deadline = now + PULL_TIMEOUT
        else if (now > s.deadline) {
          this.effects.push({ type: 'score', peer: id, code: 'timeout' })
          this.finish(s, 'timeout')
        }
      }
      this.sayHello(id)
    }
    for (const domain of [...this.sharers.keys()]) this.pullFairly(domain)
    const named = [...this.domains.values()].filter(mayBeNamed).map((k) => k.domain)
    for (const domain of this.seeker.due(now, named, (d) => this.sharers.get(d)?.size ?? 0)) this.effects.push({ type: 'seek', domain })
  }

  // ── domains ──

  /** As after a pull: whoever looks after the domain here goes on at once, peers hear of it with the next tick. */
  private onImported (domain: Reference): void {
    const k = this.domains.get(domain)
    if (k !== undefined) this.changed(k, 'bundle')
  }

  private onFollow (k: DomainKnowledge): void {
    const before = this.domains.get(k.domain)
    // Pulls under way fill an object that nobody looks at any more.
    if (before !== undefined && before !== k) this.forget(k.domain)
    this.domains.set(k.domain, k)
    this.showcase.stir()
    this.listen(k)
    for (const [id, peer] of this.peers) {
      peer.shared(k.domain, true)
      if (peer.overflowed && !peer.offers(k.domain)) this.startPull(id, k.domain, 'news')
    }
    this.pullFairly(k.domain)
  }

  /** A topic names its domain to all neighbours, so a restricted one has none (V6). */
  private listen (k: DomainKnowledge): void {
    const wanted = mayBeNamed(k)
    if (wanted === this.topics.has(k.domain)) return
    if (wanted) this.topics.add(k.domain)
    else this.topics.delete(k.domain)
    this.effects.push({ type: wanted ? 'subscribe' : 'unsubscribe', domain: k.domain })
  }

  private onUnfollow (domain: Reference): void {
    if (!this.domains.delete(domain)) return
    this.showcase.stir()
    this.forget(domain)
    this.seeker.forget(domain)
    if (this.topics.delete(domain)) this.effects.push({ type: 'unsubscribe', domain })
  }

  /** Ends all that rests on the knowledge of `domain` held so far. */
  private forget (domain: Reference): void {
    for (const peer of this.peers.values()) {
      const session = peer.sessions.get(domain)
      if (session !== undefined) this.abort(session)
      peer.forget(domain)
      peer.shared(domain, this.domains.has(domain))
    }
    this.history.forget(domain)
  }

  private onPublished (domain: Reference, lane: Reference, from: number): void {
    const k = this.domains.get(domain)
    const l = k?.lanes.get(lane)
    if (k === undefined || l === undefined) return
    this.changed(k, 'own')
    const message = isPublic(k) ? headGossip(k, l, from) : undefined
    if (message !== undefined) this.effects.push({ type: 'gossip', domain, bytes: gossipWire.encode(message) })
  }

  // ── gossip ──

  private onGossip (from: PeerId, domain: Reference, bytes: Uint8Array): GossipJudgement {
    const k = this.domains.get(domain)
    if (k === undefined) return 'ignore'
    try {
      const message = gossipWire.decode(bytes)
      if (message.domain !== domain) throw new MalformedError('gossip about another domain')
      return judgeGossip(k, message, {
        taken: (ops) => {
          this.effects.push({ type: 'commit', domain, ops })
          this.changed(k, 'gossip')
        },
        refuse: (code, ref) => { this.refuse(from, k, code, ref) },
        pull: (news) => { this.startPull(from, domain, news ? 'news' : 'digest') },
        digest: (digest) => { this.peers.get(from)?.learn(domain, digest, this.now, true) }
      })
    } catch (err) {
      if (!(err instanceof MalformedError)) throw err
      this.refuse(from, k, 'malformed', domain)
      return 'reject'
    }
  }
}
