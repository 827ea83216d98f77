/**
 * The authority of a domain: which manifests are on the accepted chain, where it forks, and what each held object counts for. A pure function of the
 * held set. Source: RULES M1-M9, R5; THREATS 10-13.
 */
import { NONE, type Reference, referenceOfHash } from '../substrate/reference.js'
import type { Hash } from '../substrate/reference.js'
import type { HeldObjects } from './held-objects.js'
import { type Cuts, cutsOnce } from './cut-chain.js'
import { type JudgedManifest, judgeManifests } from './judge-manifest.js'
import type { DomainAuthorityManifest } from './manifest.js'
import { type JudgedMove, judgeMoves, movesInForce } from './moves.js'
import type { DomainPolicy } from './policy.js'
import { ancestry, resolveRootChain, type RootChain } from './root-chain.js'
import { judgeHeld } from './standing.js'
import { failed, type Verdict, type VerdictCode } from './verdict.js'

export interface ChainManifest {
  readonly ref: Reference
  readonly manifest: DomainAuthorityManifest
  /**
   * the whole list by lane, ascending. M4: a cut of a lane whose principal the same manifest closes ends that lane even where `ends` is false;
   * who applies cuts has to see to that, since the lane need not be held here.
   */
  readonly cuts: Cuts
}

/** What either branch of a fork ends or closes: deferred until the fork is settled (M7). Empty where nothing forks. */
export interface Forked {
  readonly cutLanes: ReadonlySet<Reference>
  readonly closedPrincipals: ReadonlySet<Hash>
}

export type AuthorityState = 'ok' | 'deferred' | 'authority-forked' | 'root-forked'

export interface Authority {
  readonly domain: Reference
  readonly rootChain: RootChain
  /** of the root entry in force; -1 while there is none */
  readonly epoch: number
  /** the newest manifest on the accepted chain */
  readonly tip: Reference | undefined
  /** the accepted chain from the first manifest; empty while `state` is deferred */
  readonly onChain: readonly ChainManifest[]
  /** index in `onChain`; M ≺ M′ iff both are here and position(M) < position(M′) */
  readonly position: ReadonlyMap<Reference, number>
  readonly state: AuthorityState
  /** why the state is not ok: a code of the verdict table; `accepted` when it is */
  readonly reason: VerdictCode
  /** the manifests or root entries among which the rules can't choose, ascending */
  readonly forkChildren: readonly Reference[]
  readonly forked: Forked
  /** named by what is held and not held, in a fixed order, root chain first; [DomainID] when there is nothing */
  readonly missing: readonly Reference[]
  /** root entries and manifests that wait for signatures, which nobody can name by reference */
  readonly unsigned: readonly Reference[]
  /** Every held manifest of the domain, valid or not, by version, then reference. */
  readonly judged: ReadonlyMap<Reference, JudgedManifest>
  /** M8: where its roots say that it goes on, as far as that counts: bounded, one for each domain named, ascending by reference. Nothing here rests on it. */
  readonly moves: readonly JudgedMove[]
  /** every held move, valid or not */
  readonly judgedMoves: ReadonlyMap<Reference, JudgedMove>
  /** Verdict of any root entry, move, manifest, certificate, root set, policy or cut list, under this state; deferred when it isn't held. */
  readonly verdictOf: (ref: Reference) => Verdict
  /** The policy under which lanes of this manifest are judged (M2); undefined unless the manifest is valid. */
  readonly policyOf: (manifest: Reference) => DomainPolicy | undefined
  /** `epoch 2, manifest 7 (0001ab…)`, with what is wrong, for people */
  readonly stateText: string
}

export interface AuthorityOptions {
  /** `--root-branch`: a root entry of the branch to take where the root chain forks and M6 can't settle it; shown in `stateText` */
  pin?: Reference | undefined
}

type ManifestMap = ReadonlyMap<Reference, JudgedManifest>

const memo = new WeakMap<HeldObjects, { revision: number, byQuestion: Map<string, Authority> }>()

/** Pure; computed once for a revision of the set. */
export function resolveAuthority (objects: HeldObjects, domain: Reference, options: AuthorityOptions = {}): Authority {
  let kept = memo.get(objects)
  if (kept?.revision !== objects.revision) memo.set(objects, kept = { revision: objects.revision, byQuestion: new Map<string, Authority>() })
  const question = `${domain} ${options.pin ?? ''}`
  let answer = kept.byQuestion.get(question)
  if (answer === undefined) kept.byQuestion.set(question, answer = resolve(objects, domain, options.pin))
  return answer
}

interface Chain {
  readonly path: readonly JudgedManifest[]
  readonly state: AuthorityState
  readonly reason: VerdictCode
  readonly forkChildren: readonly Reference[]
  /** the children of an authority fork; there may be one under a root fork too */
  readonly manifestFork: readonly Reference[]
  readonly missing: readonly Reference[]
}

function resolve (objects: HeldObjects, domain: Reference, pin: Reference | undefined): Authority {
  const rootChain = resolveRootChain(objects, domain, pin)
  const judged = judgeManifests(objects, domain, rootChain.judged)
  const chain = acceptedChain(objects, domain, rootChain, judged)
  const waiting = [...judged.values()].filter((j) => j.verdict.status === 'deferred')
  const position = new Map(chain.path.map((j, i) => [j.ref, i]))
  const judgedMoves = judgeMoves(objects, domain, rootChain)
  const standing = judgeHeld(objects, domain, rootChain, judged, chain.path, (j) => offChain(j, rootChain, judged, chain))
  const last = chain.path.at(-1)
  return {
    domain,
    rootChain,
    epoch: rootChain.entries.length - 1,
    tip: last?.ref,
    onChain: chain.path.map(({ ref, manifest, cuts }) => ({ ref, manifest, cuts })),
    position,
    state: chain.state,
    reason: chain.reason,
    forkChildren: chain.forkChildren,
    forked: forkedBy(chain, rootChain, judged),
    missing: [...new Set([...rootChain.missing, ...chain.missing, ...waiting.flatMap((j) => j.verdict.missing)])],
    unsigned: [...rootChain.unsigned, ...waiting.filter((j) => j.verdict.code === 'signature-missing').map((j) => j.ref)],
    judged,
    moves: movesInForce(judgedMoves.values()),
    judgedMoves,
    verdictOf: (ref) => judgedMoves.get(ref)?.verdict ?? standing(ref),
    policyOf (manifest) {
      const j = judged.get(manifest)
      return j?.verdict.status === 'accepted' ? objects.policies.get(referenceOfHash(j.manifest.policy_hash)) : undefined
    },
    stateText: textOf(rootChain, chain, judged, pin)
  }
}

const valid = (j: JudgedManifest | undefined): j is JudgedManifest => j?.verdict.status === 'accepted'

/** M7: the path to the base of the greatest epoch, then on from there for as long as there is exactly one child in that epoch. */
function acceptedChain (objects: HeldObjects, domain: Reference, roots: RootChain, judged: ManifestMap): Chain {
  const stopped = (reason: VerdictCode, missing: readonly Reference[] = []): Chain => ({ path: [], state: 'deferred', reason, forkChildren: [], manifestFork: [], missing })
  const top = roots.entries.at(-1)
  if (top === undefined) return stopped(roots.judged.has(domain) ? 'root-entry-deferred' : 'unknown-domain')
  const { base } = top.entry
  if (base !== NONE) {
    // Until the base is known nothing can be said of any manifest, so authority waits; falling back to an older epoch would give a thief his chain back.
    const held = objects.manifests.get(base)
    if (held === undefined) return stopped('base-missing', [base])
    const verdict = judged.get(base)?.verdict
    const earlier = roots.entries.some((e) => e.ref === held.root_entry && e.ref !== top.ref)
    if (verdict === undefined || verdict.status === 'rejected' || !earlier) return stopped('base-invalid')
    if (verdict.status !== 'accepted') return stopped('base-missing')
  }
  const path: JudgedManifest[] = []
  for (let j = judged.get(base); j !== undefined; j = judged.get(j.manifest.previous)) path.push(j)
  path.reverse()
  const children = childrenIn(top.ref, judged)
  let next = children.get(base) ?? []
  while (next.length === 1) {
    const child = next[0] as JudgedManifest
    path.push(child)
    next = children.get(child.ref) ?? []
  }
  const manifestFork = next.map((j) => j.ref)
  const here = { path, missing: [], manifestFork }
  if (roots.state === 'root-forked') return { ...here, state: 'root-forked', reason: 'root-forked', forkChildren: roots.forkChildren }
  if (manifestFork.length > 0) return { ...here, state: 'authority-forked', reason: 'authority-forked', forkChildren: manifestFork }
  if (path.length === 0) return stopped('manifest-missing')
  return { ...here, state: 'ok', reason: 'accepted', forkChildren: [] }
}

/** Valid manifests of one epoch by what they follow; each list ascends by reference. */
function childrenIn (entry: Reference, judged: ManifestMap): Map<Reference, JudgedManifest[]> {
  const out = new Map<Reference, JudgedManifest[]>()
  for (const j of judged.values()) {
    if (!valid(j) || j.manifest.root_entry !== entry) continue
    const siblings = out.get(j.manifest.previous)
    if (siblings === undefined) out.set(j.manifest.previous, [j])
    else siblings.push(j)
  }
  return out
}

/** Whether `j` is, or follows, one of `of` by `previous` within the epoch of `of`. */
function descends (j: JudgedManifest, of: ReadonlySet<Reference>, judged: ManifestMap): boolean {
  for (let at: JudgedManifest | undefined = j; at?.manifest.root_entry === j.manifest.root_entry; at = judged.get(at.manifest.previous)) {
    if (of.has(at.ref)) return true
  }
  return false
}

/**
 * M7: what any branch of the fork cuts or closes. M6 says the same of a root fork in fewer words: whatever a manifest of a branch that may win takes
 * away must not count as accepted meanwhile.
 */
function forkedBy (chain: Chain, roots: RootChain, judged: ManifestMap): Forked {
  const cutLanes = new Set<Reference>()
  const closedPrincipals = new Set<Hash>()
  const cuts: Cuts[] = []
  const take = (j: JudgedManifest): void => {
    cuts.push(j.cuts)
    for (const id of j.manifest.closed) closedPrincipals.add(id)
  }
  const ofRoots = entriesBelow(roots)
  // Versions ascend, so what a manifest follows has been seen before it.
  const ofManifests = new Set(chain.manifestFork)
  for (const j of judged.values()) {
    if (!valid(j)) continue
    const follows = ofManifests.has(j.manifest.previous) && judged.get(j.manifest.previous)?.manifest.root_entry === j.manifest.root_entry
    if (follows) ofManifests.add(j.ref)
    if (ofManifests.has(j.ref) || ofRoots.has(j.manifest.root_entry)) take(j)
  }
  // A seal takes nothing away (K4): were it counted, whoever forks could freeze all content by anchoring every lane (THREATS 12).
  for (const { lane, ends } of cutsOnce(cuts)) if (ends) cutLanes.add(lane)
  return { cutLanes, closedPrincipals }
}

/** The entries on the branches of a root fork. */
function entriesBelow (roots: RootChain): Set<Reference> {
  const out = new Set(roots.forkChildren)
  for (const j of roots.judged.values()) if (j.verdict.status === 'accepted' && out.has(j.entry.previous)) out.add(j.ref)
  return out
}

/** R5: what a valid manifest off the accepted chain counts for. */
function offChain (j: JudgedManifest, roots: RootChain, judged: ManifestMap, chain: Chain): Verdict {
  const line = ancestry(j.manifest.root_entry, roots.judged)
  if (roots.forkChildren.some((child) => line.has(child))) return failed('root-forked', 'its epoch lies on a branch of a root chain that forks')
  if (chain.state === 'deferred') return failed(chain.reason, `the authority of the domain can't be resolved: ${chain.reason}`, chain.missing)
  if (descends(j, new Set(chain.manifestFork), judged)) {
    return failed('authority-forked', 'another manifest follows the same one in its epoch')
  }
  return failed('orphaned', 'it lies off the path to the base of the epoch in force')
}

function textOf (roots: RootChain, chain: Chain, judged: ManifestMap, pin: Reference | undefined): string {
  const last = chain.path.at(-1)
  const epoch = roots.entries.length === 0 ? 'no root entry' : `epoch ${roots.entries.length - 1}`
  const manifest = last === undefined ? 'no manifest' : `manifest ${last.manifest.version} (${last.ref})`
  const state = chain.state === 'ok' ? '' : chain.state === chain.reason ? `, ${chain.state}` : `, ${chain.state}: ${chain.reason}`
  return `${epoch}, ${manifest}${state}${forkText(roots, chain, judged)}${roots.pinned && pin !== undefined ? `, pinned to root branch ${pin}` : ''}`
}

/** So many branches are named; a thief can make any number. */
const NAMED = 4

/** M6, M7: between what nobody can choose by rule, and what ends it. */
function forkText (roots: RootChain, { state, forkChildren }: Chain, judged: ManifestMap): string {
  if (forkChildren.length === 0) return ''
  const called = forkChildren.slice(0, NAMED).map((ref) => {
    const version = judged.get(ref)?.manifest.version
    const what = version === undefined ? `${roots.judged.get(ref)?.kind ?? 'root entry'} to epoch ${roots.judged.get(ref)?.entry.epoch ?? '?'}` : `manifest ${version}`
    return `${what} (${ref.slice(0, 16)}…)`
  })
  const more = forkChildren.length > NAMED ? ` and ${forkChildren.length - NAMED} more` : ''
  const end = state === 'authority-forked'
    ? 'until the roots say from which manifest to go on: diad root renew --base MANIFEST'
    : 'until the committed roots settle it, unless two of their rotations are the branches: diad root rotate'
  return ` between ${called.join(' and ')}${more}, ${end}`
}
