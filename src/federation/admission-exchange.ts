/**
 * /diad/admit/1, both ends: proof of possession by a challenge. The receiver hands out a nonce that counts on this connection, for one request, and nowhere
 * else; a request that holds waits for a person. Owns no socket, clock, disk or key. What was decided is never answered, and what is answered rests only on
 * what the asker brought until it has proved that it owns the domain. Source: RULES D1, L2, V6; THREATS 19, 23.
 */
import type { DomainKnowledge } from '../authority/knowledge.js'
import { type Brought, faultOfRequest, judgeBrought, objectsOf, readBrought } from '../authority/admission-brought.js'
import { type Artifact, decodeArtifact, encodeArtifact } from '../substrate/artifact.js'
import { DiadError, MalformedError } from '../substrate/errors.js'
import type { Reference } from '../substrate/reference.js'
import { type AdmitAnswer, type AdmitQuestion, admitAnswerWire, admitQuestionWire, type AdmitRequest, type AnswerTo, type Asked, MAX_BROUGHT } from './admission-messages.js'
import type { Direction, PeerId, Report } from './effects.js'
import { WIRE } from './messages.js'

/** Where requests wait for a person. Bounded: whoever keeps them says `busy` when there is no room. */
export interface AdmissionRoom {
  /** the domain that decides */
  readonly receiver: Reference
  /** Whether `peer` has as many requests waiting as it may, with none of `applicant` among them. Rests on nothing that others brought (V6). */
  isFull: (peer: PeerId, applicant: Reference) => boolean
  /** what the waiting request of `applicant` brought along, if there is one */
  brought: (applicant: Reference) => readonly Artifact[]
  /** Resolves with `received` when the request waits durably. */
  take: (brought: Brought, peer: PeerId) => Promise<'received' | 'busy'>
}

export interface ExchangePorts {
  /** that many fresh random bytes, as hex */
  readonly random: (bytes: number) => string
  readonly send: (peer: PeerId, direction: Direction, bytes: Uint8Array) => void
  /** what is held of a domain, if anything */
  readonly held: (domain: Reference) => Promise<DomainKnowledge | undefined>
  /** whether the domain may be named to strangers */
  readonly shows: (domain: Reference) => boolean
  readonly blame: (peer: PeerId, code: string) => void
  readonly report: (report: Report) => void
  /** told what the room threw */
  readonly trouble: (err: unknown) => void
}

/**
 * What one request may cost is bounded: 1,024 objects, all of them signatures, took 0.1 s (a domain's own seven took 1 ms), and twice that where the
 * domain is held here, or waits with the same objects; with as many others it is 2,048 that are judged the second time. All peers together start one a
 * second, after a burst: a flood of PeerIds costs no more than one peer. Whoever comes too late stands in a line, and is told to come again where that is full. Who was heard least comes first, in the line and into it, and chance decides among
 * equals: so a few peers that ask as fast as they may keep nobody out, nor do many new ones for ever. Who has no place left in the room costs nothing.
 */
const JUDGED_PER_MS = 1 / 1000
const JUDGED_BURST = 16
/** Requests in the line, one of a peer: 4 MiB each at most, and all of them heard long before the applicants give up. */
const LINE = 8
/** ms in the line, where newcomers go on coming first */
const LINE_MS = 20_000
/** ms after which an answer is no longer waited for */
const ANSWER_MS = 30_000
/** bytes of objects in one request, so that it fits a frame with all the rest */
const MAX_BYTES = WIRE.frameBytes - 64 * 1024
const NO_NONCE = '0'.repeat(64)

interface Waiting {
  readonly peer: PeerId
  readonly t: AdmitAnswer['t']
  /** undefined until the next tick: nobody else tells the time */
  deadline: number | undefined
  readonly resolve: (answer: AdmitAnswer) => void
  readonly reject: (err: DiadError) => void
}

/** A connected peer. */
interface Standing {
  /** the one that it was given last, until it is used */
  nonce: string | undefined
  /** requests of it that were judged */
  heard: number
}

/** A request that waits for its turn. */
interface InLine {
  readonly peer: PeerId
  readonly standing: Standing
  readonly applicant: Reference
  readonly since: number
  /** drawn, for those who were heard as often */
  readonly lot: number
  readonly answer: (code: string) => void
  readonly judge: () => Promise<string>
}

const comesBefore = (a: InLine, b: InLine): boolean => a.standing.heard === b.standing.heard ? a.lot < b.lot : a.standing.heard < b.standing.heard

export class AdmissionExchange {
  /** without one, nothing is taken */
  room: AdmissionRoom | undefined
  private readonly peers = new Map<PeerId, Standing>()
  /** in the order in which they came */
  private readonly line = new Map<PeerId, InLine>()
  private readonly waiting = new Map<number, Waiting>()
  private nextId = 1
  private now: number | undefined
  private tokens = JUDGED_BURST
  private judging: Promise<void> = Promise.resolve()

  constructor (private readonly ports: ExchangePorts) {}

  onPeer (peer: PeerId, up: boolean): void {
    if (up) {
      if (!this.peers.has(peer)) this.peers.set(peer, { nonce: undefined, heard: 0 })
      return
    }
    this.peers.delete(peer)
    this.line.delete(peer)
    this.expectNothing(peer, new DiadError('peer-gone', `${peer} ended the connection before it answered`, 'it may not take requests, or speak an older protocol; ask again, or send the request as a file'))
  }

  /** `now` = milliseconds of any clock that doesn't go back. */
  onTick (now: number): void {
    this.tokens = Math.min(JUDGED_BURST, this.tokens + Math.max(0, now - (this.now ?? now)) * JUDGED_PER_MS)
    this.now = now
    for (const one of this.line.values()) if (now - one.since > LINE_MS) this.sendAway(one)
    this.hear()
    for (const [id, w] of this.waiting) {
      if (w.deadline === undefined) w.deadline = now + ANSWER_MS
      else if (now > w.deadline) this.giveUp(id, w, new DiadError('peer-timeout', `${w.peer} gave no answer in ${ANSWER_MS / 1000} s`, 'ask again later'))
    }
  }

  onFrame (peer: PeerId, direction: Direction, bytes: Uint8Array): void {
    try {
      if (direction === 'response') this.onAnswer(peer, admitAnswerWire.decode(bytes))
      else {
        const standing = this.peers.get(peer)
        if (standing !== undefined) this.onQuestion(peer, standing, admitQuestionWire.decode(bytes))
      }
    } catch (err) {
      if (!(err instanceof MalformedError)) throw err
      this.ports.blame(peer, 'malformed')
      this.ports.report({ kind: 'malformed', peer })
      if (direction === 'response') this.expectNothing(peer, new DiadError('wrong-answer', `${peer} gave an answer that is none`, 'ask another node'))
    }
  }

  /** Resolves when everything that came so far has been judged. */
  async idle (): Promise<void> {
    await this.judging
  }

  // ── asking ──

  /** Asks `peer`. Rejects with DiadError `peer-gone`, `peer-timeout`, `wrong-answer`. */
  async ask<Q extends Asked> (peer: PeerId, question: Q): Promise<AnswerTo<Q>> {
    const id = this.nextId = this.nextId % 0xffffffff + 1
    const bytes = admitQuestionWire.encode({ ...question, id })
    return await new Promise<AdmitAnswer>((resolve, reject) => {
      this.waiting.set(id, { peer, t: `${question.t}-answer`, deadline: undefined, resolve, reject })
      this.ports.send(peer, 'request', bytes)
    }) as AnswerTo<Q>
  }

  private onAnswer (peer: PeerId, answer: AdmitAnswer): void {
    const w = this.waiting.get(answer.id)
    // Late after a timeout, or made up: nobody waits for it.
    if (w?.peer !== peer || w.t !== answer.t) return
    this.waiting.delete(answer.id)
    w.resolve(answer)
  }

  private expectNothing (peer: PeerId, why: DiadError): void {
    for (const [id, w] of this.waiting) if (w.peer === peer) this.giveUp(id, w, why)
  }

  private giveUp (id: number, w: Waiting, err: DiadError): void {
    this.waiting.delete(id)
    w.reject(err)
  }

  // ── answering ──

  private onQuestion (peer: PeerId, standing: Standing, question: AdmitQuestion): void {
    if (question.t === 'challenge') {
      const taken = this.takes(question.receiver)
      const nonce = taken ? this.ports.random(32) : NO_NONCE
      // One at a time: a newer one takes the place of the one before.
      if (taken) standing.nonce = nonce
      this.say(peer, { t: 'challenge-answer', id: question.id, status: taken ? 'nonce' : 'not-taken', nonce })
      return
    }
    const brought = readBrought(decodeArtifact(question.request), decodeArtifact(question.signature), question.objects.map(decodeArtifact))
    const { nonce } = standing
    // Whatever comes of it: a nonce serves once.
    standing.nonce = undefined
    const answer = (code: string): void => { this.say(peer, { t: 'request-answer', id: question.id, code }) }
    const { room } = this
    if (room === undefined || !this.takes(room.receiver)) {
      answer('not-taken')
      return
    }
    const receiving = { receiver: room.receiver, nonces: new Map(nonce === undefined ? [] : [[nonce, undefined]]) }
    const fault = faultOfRequest(brought, receiving)
    if (fault !== undefined) {
      this.ports.blame(peer, fault.code)
      answer(fault.code)
      return
    }
    const { applicant } = brought.request
    this.standInLine({ peer, standing, applicant, since: this.now ?? 0, lot: Number.parseInt(this.ports.random(4).slice(0, 8), 16), answer, judge: async () => await this.judge(brought, receiving, room, peer) })
    this.hear()
  }

  private standInLine (one: InLine): void {
    const last = [...this.line.values()].reduce((a, b) => comesBefore(a, b) ? b : a, one)
    if (this.isFull(one) || this.line.has(one.peer) || (this.line.size >= LINE && last === one)) {
      one.answer('busy')
      return
    }
    if (this.line.size >= LINE) this.sendAway(last)
    this.line.set(one.peer, one)
  }

  private sendAway ({ peer, answer }: InLine): void {
    this.line.delete(peer)
    answer('busy')
  }

  /** As many of the line as may be judged by now. */
  private hear (): void {
    while (this.tokens >= 1 && this.line.size > 0) {
      const next = [...this.line.values()].reduce((a, b) => comesBefore(b, a) ? b : a)
      if (this.isFull(next)) {
        this.sendAway(next)
        continue
      }
      this.line.delete(next.peer)
      this.tokens--
      next.standing.heard++
      this.judging = this.judging.then(async () => { next.answer(await next.judge()) }).catch((err: unknown) => { this.ports.trouble(err) })
    }
  }

  private isFull ({ peer, applicant }: InLine): boolean {
    try {
      return this.room?.isFull(peer, applicant) !== false
    } catch (err) {
      this.ports.trouble(err)
      return true
    }
  }

  /** One after the other, so that no burst takes the thread from everybody else at once. */
  private async judge (brought: Brought, receiving: Parameters<typeof judgeBrought>[2], room: AdmissionRoom, peer: PeerId): Promise<string> {
    try {
      // By itself first: until the asker has proved that the domain is its own, no answer may tell what is held of it here (V6).
      const { verdict: alone, applicant } = judgeBrought(brought, undefined, receiving)
      if (alone.status === 'rejected') this.ports.blame(peer, alone.code)
      if (alone.status !== 'accepted') return alone.code
      // A key of an epoch that is over asks for nothing, and takes nobody's place: what waits may show that it is over.
      const { applicant: domain } = brought.request
      const [held, waiting] = [await this.ports.held(domain), room.brought(domain)]
      const { code, status } = held === undefined && waiting.length === 0 ? alone : judgeBrought({ ...brought, objects: [...brought.objects, ...waiting] }, held, receiving).verdict
      if (status !== 'accepted') return code
      const taken = await room.take({ ...brought, objects: objectsOf(applicant) }, peer)
      if (taken === 'received') this.ports.report({ kind: 'admission-request', peer, domain: brought.request.applicant, request: brought.ref, scope: brought.request.requested_scope })
      return taken
    } catch (err) {
      this.ports.trouble(err)
      return 'busy'
    }
  }

  private takes (receiver: Reference): boolean {
    return this.room?.receiver === receiver && this.ports.shows(receiver)
  }

  private say (peer: PeerId, answer: AdmitAnswer): void {
    if (this.peers.has(peer)) this.ports.send(peer, 'response', admitAnswerWire.encode(answer))
  }
}

/** What goes over the wire for a request. Throws DiadError `request-too-large`. */
export function requestMessage (request: Artifact, signature: Artifact, objects: readonly Artifact[]): Asked<AdmitRequest> {
  const message = { t: 'request' as const, request: encodeArtifact(request), signature: encodeArtifact(signature), objects: objects.map(encodeArtifact) }
  const bytes = message.objects.reduce((sum, b) => sum + b.length, 0)
  if (objects.length > MAX_BROUGHT || bytes > MAX_BYTES) {
    throw new DiadError('request-too-large', `a request brings the domain's whole history of authority along, and this one has ${objects.length} objects and ${bytes} bytes: more than one message holds`, 'make the request as a file: `diad admit request --nonce FILE --out FILE`')
  }
  return message
}
