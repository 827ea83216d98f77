/**
 * How often a peer is asked for what it may not have. A stolen key can make a domain name any number of heads whose logs nobody can show (THREATS 23): they
 * must cost little, and keep nothing from coming.
 */
import type { Hash, Reference } from '../substrate/reference.js'
import type { Head, LaneKnowledge } from '../authority/lane-knowledge.js'
import type { Offered, PullSink } from './staging.js'

/**
 * Questions about named heads that one pull may ask a peer in vain, of one principal's lanes: so many, or an eighth of what is offered, so that the rest takes
 * a bounded number of pulls. Whoever names thousands of heads that nobody can show makes nobody wait but who shares their key.
 */
const MAX_VAIN = 16

/** Heads that a peer was asked about in vain: how often, and what state of its that was last. */
export type Tried = WeakMap<Head, { readonly times: number, readonly digest: Hash }>

/** What the peer offers, as it was when its inventory was read last. */
export interface Inventory {
  digest: Hash
  readonly offered: Offered
}

/** Heads offered, and questions about them asked in vain: for the first time, and again. */
interface Vain { readonly offered: number, first: number, again: number }

export interface Theirs extends Inventory {
  readonly tried: Tried
  readonly patient: boolean
  readonly principalOf: (lane: Reference) => Hash | undefined
  /** by principal */
  readonly vain: Map<Hash, Vain>
  /** heads whose log wasn't shown, or shows that they lie: judged at the end, for what names them may come behind their lane */
  readonly doubts: Array<{ readonly head: Head, readonly code: 'log-withheld' | 'bad-range' }>
}

/**
 * A head that the domain names is passed on by those who never had its log, too; any other one is its server's to answer for (S1, E2). Of each kind once a
 * pull, and then for a while no more ({@link Peer.answersFor}): its server may count what names them, and not know yet of the fork for which we don't.
 */
export function tellDoubts (named: ReadonlySet<Reference>, { doubts }: Theirs, sink: PullSink): void {
  const told = new Set<string>()
  for (const { head: { ref }, code } of doubts) {
    if (named.has(ref) || told.has(code)) sink.note(code, ref)
    else {
      told.add(code)
      sink.refuse(code, ref, true)
    }
  }
}

/** What was never asked for first, then the greatest. */
export function inTurn (heads: Iterable<Head>, { tried }: Theirs): Head[] {
  const times = (head: Head): number => tried.get(head)?.times ?? 0
  return [...heads].sort((a, b) => times(a) - times(b) || b.snapshot.log_size - a.snapshot.log_size)
}

/** Whether to ask about a named head now. Not twice while the peer's state is the same; and what is asked again takes no room from what never was. */
export function mayAsk (lane: LaneKnowledge, head: Head, theirs: Theirs, sink: PullSink): boolean {
  const before = theirs.tried.get(head)
  if (before?.digest === theirs.digest) return false
  if (theirs.patient) return true
  const { offered, first, again } = countsOf(lane, theirs)
  if (before !== undefined) return again < MAX_VAIN
  if (first < Math.max(MAX_VAIN, Math.ceil(offered / 8))) return true
  sink.more?.()
  return false
}

export function askedInVain (lane: LaneKnowledge, head: Head, theirs: Theirs): void {
  const { tried, digest } = theirs
  const before = tried.get(head)
  tried.set(head, { times: (before?.times ?? 0) + 1, digest })
  const counts = countsOf(lane, theirs)
  if (before === undefined) counts.first++
  else counts.again++
}

/** By principal, so that whoever shares no key with a thief waits for none of theirs. */
function countsOf ({ lane: { principal } }: LaneKnowledge, { offered, vain, principalOf }: Theirs): Vain {
  if (vain.size === 0) {
    for (const [ref, heads] of offered) {
      const whose = principalOf(ref)
      if (whose !== undefined) vain.set(whose, { offered: (vain.get(whose)?.offered ?? 0) + heads.size, first: 0, again: 0 })
    }
  }
  let counts = vain.get(principal)
  if (counts === undefined) vain.set(principal, counts = { offered: 0, first: 0, again: 0 })
  return counts
}
