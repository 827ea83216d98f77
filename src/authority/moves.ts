/**
 * What the roots of a domain say of where it goes on. A move counts while the root set that signed it is the one in force, so that a thief of retired roots
 * can't send followers elsewhere, and a rotation takes back every move before it. Informational: nothing else is judged by it. Source: RULES M8, T1, M6.
 */
import type { Reference } from '../substrate/reference.js'
import type { DomainMoved } from './domain-moved.js'
import type { HeldObjects } from './held-objects.js'
import { ancestry, type JudgedEntry, notHeld, type RootChain, thresholdFault } from './root-chain.js'
import type { OfflineRootSet } from './root-set.js'
import { Checklist, type Verdict } from './verdict.js'

export interface JudgedMove {
  readonly ref: Reference
  readonly move: DomainMoved
  readonly verdict: Verdict
}

/** Moves that are kept, served and shown, each to another domain. Two already say that nobody is to be trusted; whoever has the roots can sign any number. */
export const MAX_MOVES = 4

/** Every held move of the domain, valid or not, by reference. */
export function judgeMoves (objects: HeldObjects, domain: Reference, chain: RootChain): ReadonlyMap<Reference, JudgedMove> {
  const out = new Map<Reference, JudgedMove>()
  if (objects.moves.size === 0) return out
  const disputed = isRotatedInFork(chain)
  for (const [ref, move] of [...objects.moves].sort(([a], [b]) => a < b ? -1 : 1)) out.set(ref, { ref, move, verdict: judgeMove(objects, domain, ref, move, chain, disputed) })
  return out
}

/**
 * Those that count, one for each domain they name and {@link MAX_MOVES} at most, the smallest references first. Whatever part of them two nodes hold, what
 * both keep of all of it is the same.
 */
export function movesInForce (judged: Iterable<JudgedMove>): JudgedMove[] {
  const byTarget = new Map<Reference, JudgedMove>()
  for (const j of judged) {
    const held = byTarget.get(j.move.to)
    if (j.verdict.status === 'accepted' && (held === undefined || j.ref < held.ref)) byTarget.set(j.move.to, j)
  }
  return [...byTarget.values()].sort((a, b) => a.ref < b.ref ? -1 : 1).slice(0, MAX_MOVES)
}

/** The first check that fails decides; what is rejected rests on bytes and what they name alone. */
function judgeMove (objects: HeldObjects, domain: Reference, ref: Reference, move: DomainMoved, chain: RootChain, disputed: boolean): Verdict {
  const checks = new Checklist()
  const entry = chain.judged.get(move.root_entry)
  return entryFault(objects, domain, move, entry, checks) ??
    thresholdFault(objects, ref, 'domain-moved', entry?.rootSet as OfflineRootSet, checks) ??
    retiredFault(chain, entry as JudgedEntry, disputed, checks) ??
    checks.accept()
}

/** All that doesn't depend on who signs it, so that nobody signs what all would refuse; undefined: it counts as soon as enough roots have. */
export function moveFault (objects: HeldObjects, domain: Reference, move: DomainMoved, chain: RootChain): Verdict | undefined {
  const checks = new Checklist()
  const entry = chain.judged.get(move.root_entry)
  return entryFault(objects, domain, move, entry, checks) ?? retiredFault(chain, entry as JudgedEntry, isRotatedInFork(chain), checks)
}

function entryFault (objects: HeldObjects, domain: Reference, move: DomainMoved, entry: JudgedEntry | undefined, checks: Checklist): Verdict | undefined {
  if (move.domain_id !== domain) return checks.fail('wrong-domain', `it belongs to the domain ${move.domain_id}`)
  if (entry === undefined) return notHeld(objects, 'root-entry-missing', 'its root entry', move.root_entry, checks)
  if (entry.verdict.status === 'rejected') return checks.fail('root-entry-rejected', `its root entry is rejected: ${entry.verdict.code}`)
  if (entry.verdict.status !== 'accepted') return checks.fail('root-entry-deferred', `its root entry is deferred: ${entry.verdict.code}`)
  checks.pass('M8', `its roots are those of epoch ${entry.entry.epoch}`)
  return undefined
}

/** M6, M8: whether the set of `entry` is still the one in force, whichever branch of a fork may win. */
function retiredFault (chain: RootChain, entry: JudgedEntry, disputed: boolean, checks: Checklist): Verdict | undefined {
  const { entries, forkChildren, judged } = chain
  const { epoch } = entry.entry
  const onChain = entries[epoch]?.ref === entry.ref
  if (onChain && entries.slice(epoch + 1).some((e) => e.kind === 'rotate')) return checks.fail('roots-retired', 'a rotation on the accepted root chain replaced the roots that signed it')
  const line = onChain ? undefined : ancestry(entry.ref, judged)
  if (line !== undefined && !forkChildren.some((child) => line.has(child))) return checks.fail('root-orphaned', 'its root entry lies on a branch of the root chain that lost')
  if (disputed) return checks.fail('root-forked', `the root chain branches after epoch ${entries.length - 1}, and a rotation on a branch replaces these roots`)
  checks.pass('M8', 'these roots are in force: no rotation has replaced them')
  return undefined
}

/** A fork of renewals alone leaves the root set what it is; a rotation on any of its branches doesn't. */
function isRotatedInFork ({ forkChildren, judged }: RootChain): boolean {
  if (forkChildren.length === 0) return false
  const below = new Set(forkChildren)
  // Epochs ascend, so what an entry follows has been seen before it.
  for (const j of judged.values()) if (j.verdict.status === 'accepted' && below.has(j.entry.previous)) below.add(j.ref)
  return [...below].some((ref) => judged.get(ref)?.kind === 'rotate')
}
