/**
 * An authority fork of the home's own domain, as its owner has to see it: each branch in words, and which of them this machine signed. No rule can tell a
 * thief's branch from the owner's (M7), so nothing here chooses one, nor offers one as ready to be pasted.
 */
import { counted, short } from '../authority/explain/tree.js'
import type { JudgedManifest } from '../authority/judge-manifest.js'
import type { DomainKnowledge } from '../authority/knowledge.js'
import type { Reference } from '../substrate/reference.js'
import { manifestLine } from './authority-words.js'
import type { Home } from './home/home.js'
import { readPrincipalNames } from './home/principal-names.js'

/** A thief can make any number of branches, and of manifests on one: so many are told of, this machine's own first. */
const BRANCHES_TOLD = 6
const MANIFESTS_TOLD = 6

export interface ForkManifest {
  readonly judged: JudgedManifest
  /** this machine's last one, or one that it follows */
  readonly own: boolean
}

export interface Branch {
  /** by version; a branch may branch again */
  readonly manifests: readonly ForkManifest[]
  readonly own: boolean
}

export interface Fork {
  /** the manifest that all branches follow, the last that counts; undefined where the fork is at the first one */
  readonly before: JudgedManifest | undefined
  /** this machine's own first */
  readonly branches: readonly Branch[]
  /** whether anything says what this machine signed last */
  readonly known: boolean
}

/** undefined while manifests don't fork. `own`: the newest manifest that this machine signed, see ownNewest. */
export function forkOf (k: DomainKnowledge, own: Reference | undefined): Fork | undefined {
  const { state, forkChildren, judged, tip } = k.authority()
  if (state !== 'authority-forked') return undefined
  const mine = new Set<Reference>()
  for (let at = own; at !== undefined && judged.has(at); at = judged.get(at)?.manifest.previous) mine.add(at)
  const branchOf = new Map<Reference, ForkManifest[]>(forkChildren.map((ref) => [ref, []]))
  // Versions ascend, so what a manifest follows has been seen before it.
  for (const j of judged.values()) {
    if (j.verdict.status !== 'accepted') continue
    const { previous, root_entry: entry } = j.manifest
    const branch = branchOf.get(j.ref) ?? (judged.get(previous)?.manifest.root_entry === entry ? branchOf.get(previous) : undefined)
    if (branch === undefined) continue
    branchOf.set(j.ref, branch)
    branch.push({ judged: j, own: mine.has(j.ref) })
  }
  const branches = forkChildren.map((ref): Branch => ({ manifests: branchOf.get(ref) ?? [], own: mine.has(ref) }))
  return { before: tip === undefined ? undefined : judged.get(tip), branches: [...branches.filter((b) => b.own), ...branches.filter((b) => !b.own)], known: own !== undefined }
}

/** What happened, in one line. */
export function forkText ({ before, branches, known }: Fork): string {
  const after = before === undefined ? 'nothing' : `manifest ${before.manifest.version} (${short(before.ref)})`
  const whose = branches[0]?.own === true ? 'one branch is this machine\'s own' : known ? 'this machine signed none of them' : 'which of them this machine signed isn\'t known here: it was restarted, or the home is a copy'
  return `authority has FORKED: ${counted(branches.length, 'manifest')} follow ${after}, all signed by this domain's own root_key, and none of them counts until the offline roots choose; ${whose}`
}

/** The choice is the person's: what stands in capitals is to be filled in. */
export const forkHint = 'if every branch is yours: `diad root renew --base MANIFEST`, the last good one by its digits. If one is none of yours, the root_key is stolen: `diad recover root-key --base MANIFEST`'

/** `, this machine's own`: what stands beside a manifest's name; of one before the fork nothing. */
export function whose ({ branches, known }: Fork, ref: Reference): string {
  const branch = branches.find((b) => b.manifests.some((m) => m.judged.ref === ref))
  if (branch === undefined) return ', before the fork'
  if (!branch.own) return known ? ', another branch' : ', a branch'
  return branch.manifests.some((m) => m.own && m.judged.ref === ref) ? ', this machine\'s own' : ', on this machine\'s branch, but not signed by it'
}

/** A line a manifest, branch by branch, this machine's own first; but of those in `without`. */
export function forkLines (home: Home, k: DomainKnowledge, fork: Fork, without: ReadonlySet<Reference> = new Set()): string[] {
  const names = readPrincipalNames(home)
  const branches = fork.branches.map((b) => b.manifests.filter((m) => !without.has(m.judged.ref))).filter((b) => b.length > 0)
  const lines = branches.slice(0, BRANCHES_TOLD).flatMap((manifests) => {
    const more = manifests.length - MANIFESTS_TOLD
    return [...manifests.slice(0, MANIFESTS_TOLD).map(({ judged: j }) => manifestLine(k, j, names, whose(fork, j.ref))), ...more > 0 ? [`${counted(more, 'manifest')} more on that branch`] : []]
  })
  const left = branches.length - BRANCHES_TOLD
  return left > 0 ? [...lines, `${counted(left, 'branch', 'branches')} more: \`diad root show\` names them`] : lines
}
