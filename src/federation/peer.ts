/** What the replica remembers of one connected peer: what it says it holds, what it was told, and pulls under way. */
import type { Hash, Reference } from '../substrate/reference.js'
import type { DomainKnowledge } from '../authority/knowledge.js'
import { BLAME_HALF_LIFE } from './blame.js'
import type { PeerId } from './effects.js'
import { GONE, Greeting } from './greeting.js'
import type { History } from './history.js'
import type { Hello, SyncAnswer, SyncRequest } from './messages.js'
import type { PullOutcome, Tried } from './pull.js'
import type { Shown } from './showcase.js'
import { type Pair, Repetition, samePair } from './repetition.js'

export interface Session {
  readonly peer: PeerId
  readonly knowledge: DomainKnowledge
  readonly run: Generator<SyncRequest, PullOutcome, SyncAnswer>
  /** a person waits for it */
  asked: boolean
  /** it asked for as much as one pull may, and there is more to ask for */
  unfinished: boolean
  /** what we held when it started */
  readonly before: string
  /** both sides' states when it started */
  readonly pair: Pair
  id: number
  deadline: number
  /** when it was started or last brought something that counts */
  progress: number
}

/** domains remembered of one peer that we don't hold ourselves; those we hold are always remembered */
const MAX_HEARD = 4096
/** ms after which a peer is asked on that had nothing for us: for bodies that we lack, since a digest doesn't show whether it has them by now, and for what one pull didn't ask */
const RETRY = 30_000
/** ms that gossip gets to bring what a hello shows that we lack; whoever connects just now has no gossip under way */
const GRACE = 2_000

export class Peer {
  readonly sessions = new Map<Reference, Session>()
  readonly said = new Repetition()
  readonly tried: Tried = new WeakMap()
  private readonly greeting = new Greeting()
  private readonly heard = new Map<Reference, { digest: Hash, at: number }>()
  /** pulls that changed nothing: two nodes whose inventories can't become equal (a fork, an old policy) would otherwise pull each second for ever */
  private readonly quiet = new Map<Reference, Pair & { readonly at: number, readonly unfinished: boolean }>()
  /** domains that both sides hold */
  private readonly common = new Set<Reference>()
  private greeted = false
  /** it announced more than we remember: then it may hold what we don't know of */
  overflowed = false
  /** when each domain was last pulled from it */
  private readonly asked = new Map<Reference, number>()
  /** when it was blamed last for what it only bore, by code */
  private readonly answered = new Map<string, number>()

  /** `onCommon` is told when a domain begins or ceases to be held by both sides. */
  constructor (private readonly onCommon: (domain: Reference, on: boolean) => void) {}

  /** Takes a hello. Returns the domains that it says something new about. */
  hear (domains: Hello['domains'], now: number, holds: (domain: Reference) => boolean): Reference[] {
    const at = this.greeted ? now : now - GRACE
    this.greeted = true
    this.greeting.stir()
    for (const { domain, digest } of domains) {
      if (digest === GONE) this.drop(domain)
      else this.learn(domain, digest, at, holds(domain))
    }
    return domains.filter((d) => d.digest !== GONE).map((d) => d.domain)
  }

  /** What it holds of `domain`, as it says itself. */
  learn (domain: Reference, digest: Hash, at: number, held: boolean): void {
    if (held) this.join(domain)
    else if (this.heard.size >= MAX_HEARD && !this.heard.has(domain)) {
      this.overflowed = true
      return
    }
    this.heard.set(domain, { digest, at })
  }

  private drop (domain: Reference): void {
    this.heard.delete(domain)
    this.part(domain)
  }

  private join (domain: Reference): void {
    if (this.common.has(domain)) return
    this.common.add(domain)
    this.onCommon(domain, true)
  }

  private part (domain: Reference): void {
    if (this.common.delete(domain)) this.onCommon(domain, false)
  }

  /** The connection ended. */
  leave (): void {
    for (const domain of this.common) this.part(domain)
  }

  digestOf (domain: Reference): Hash | undefined {
    return this.heard.get(domain)?.digest
  }

  private readonly hears = (domain: Reference): Hash | undefined => this.digestOf(domain)

  offers (domain: Reference): boolean {
    return this.heard.has(domain)
  }

  /** We hold `domain` from now on, or no longer. */
  shared (domain: Reference, on: boolean): void {
    if (on && this.heard.has(domain)) this.join(domain)
    else if (!on) this.part(domain)
  }

  /** Hellos to send now: what changed of domains that concern this peer. */
  greetings (now: number, shown: Shown): Array<Hello['domains']> {
    return this.greeting.next(now, shown, this.common, this.hears)
  }

  /** Its hello showed what we hold ourselves. */
  agrees (now: number, shown: Shown): void {
    this.greeting.agree(now, shown, this.common, this.hears)
  }

  /** It asked for something that gossip hadn't brought it. */
  lags (): void {
    this.greeting.hurry()
  }

  /** Whether asking this peer about `k` may bring anything now. In a state that we held ourselves once it is behind us. */
  worthPulling (k: DomainKnowledge, now: number, past: Pick<History, 'had'>): boolean {
    const heard = this.heard.get(k.domain)
    if (heard === undefined) return false
    const ours = k.inventoryDigest()
    const quiet = this.quiet.get(k.domain)
    const differs = heard.digest !== ours && !past.had(k.domain, heard.digest)
    if (differs && !samePair(quiet, { theirs: heard.digest, ours })) return now - heard.at >= GRACE || k.authority().tip === undefined
    // Bodies show in no digest; and how often we ask on is ours to say, however much somebody named.
    return (k.lacksBodies() || (differs && quiet?.unfinished === true)) && (quiet === undefined || now - quiet.at >= RETRY)
  }

  /** Who wasn't asked for longest comes first, so that no number of busy liars keeps an honest peer waiting. */
  lastAsked (domain: Reference): number {
    return this.asked.get(domain) ?? -1
  }

  begin (domain: Reference, session: Session, now: number): void {
    this.sessions.set(domain, session)
    this.asked.set(domain, now)
  }

  /** Its pull got something that counts. */
  progresses (domain: Reference, now: number): void {
    const session = this.sessions.get(domain)
    if (session !== undefined) session.progress = now
  }

  /** Its pull asked for as much as it may, and there is more. */
  hasMore (domain: Reference): void {
    const session = this.sessions.get(domain)
    if (session !== undefined) session.unfinished = true
  }

  /** A pull ended. `changed` = it brought something, so that the next one may. */
  pulled (k: DomainKnowledge, now: number, changed: boolean): void {
    const unfinished = this.sessions.get(k.domain)?.unfinished ?? false
    this.sessions.delete(k.domain)
    if (changed) {
      this.quiet.delete(k.domain)
      this.greeting.hurry()
    } else this.quiet.set(k.domain, { theirs: this.digestOf(k.domain), ours: k.inventoryDigest(), at: now, unfinished })
  }

  /**
   * Whether it is to blame, now, for what a key of the domain signed. Whoever has such a key can show two honest nodes different branches at any time and make
   * the one offer what the other refuses; so each kind counts once in the time in which half of the blame is forgotten.
   */
  answersFor (code: string, now: number): boolean {
    const last = this.answered.get(code)
    if (last !== undefined && now - last < BLAME_HALF_LIFE) return false
    this.answered.set(code, now)
    return true
  }

  /** What rests on the knowledge of `domain` held so far is void. */
  forget (domain: Reference): void {
    this.asked.delete(domain)
    this.quiet.delete(domain)
    this.said.forget(domain)
  }
}
