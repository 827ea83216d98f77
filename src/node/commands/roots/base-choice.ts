/**
 * From which manifest to go on when keys were stolen. The newest one may be the thief's, and no rule can tell: M7 lets the roots name any. So a home that
 * can't know its newest manifest shows which there are, and leaves the choice to the person.
 */
import { authorityFrom } from '../../../authority/amend.js'
import { counted } from '../../../authority/explain/tree.js'
import type { JudgedManifest } from '../../../authority/judge-manifest.js'
import type { DomainKnowledge } from '../../../authority/knowledge.js'
import { lanesUnder, lossesSince } from '../../../authority/losses.js'
import { showName } from '../../../publication/names.js'
import { DiadError } from '../../../substrate/errors.js'
import type { Reference } from '../../../substrate/reference.js'
import { lastKnownHere, lastSignedHere, ownNewest } from '../../authority.js'
import { type Fork, forkLines, forkOf, forkText, whose } from '../../authority-fork.js'
import type { CommandIo } from '../../command.js'
import { manifestLine } from '../../authority-words.js'
import { readPrincipalNames } from '../../home/principal-names.js'
import type { Context } from '../context.js'
import { baseFrom } from './new-epoch.js'

/** So many of the newest are shown; who needs older ones has `diad log`. */
const SHOWN = 12

/**
 * Without `--base` a recovery from theft goes on from the newest manifest only where this machine signed that one, or where there is no other. Else what
 * may be the thief's is shown, one warning a manifest. Throws DiadError `base-needed`.
 */
export function demandBase (context: Context, k: DomainKnowledge, base: string | undefined, io: CommandIo): void {
  const { onChain, judged, tip } = k.authority()
  const fork = forkHere(context, k)
  const valid = [...judged.values()].filter((j) => j.verdict.status === 'accepted')
  if (base !== undefined || (fork === undefined && (tip === undefined || valid.length < 2))) return
  // What this machine's own branch follows it has signed, or gone on from.
  const known = fork?.branches[0]?.own === true ? onChain.length - 1 : lastSignedHere(context.runtime, k)
  const open = onChain.slice(known + 1).flatMap(({ ref }) => judged.get(ref) ?? [])
  if (open.length === 0 && fork === undefined) return
  if (open.length > SHOWN) io.warn(`${counted(open.length - SHOWN, 'older manifest')} that this machine didn't sign: see \`diad log --all\``)
  for (const j of open.slice(-SHOWN)) io.warn(manifestLine(k, j, readPrincipalNames(context.home)))
  if (fork !== undefined) throw needed(context, k, fork, io)
  const last = onChain[known]
  throw new DiadError('base-needed',
    `the newest manifest may be the thief's: nothing here shows that the owner signed ${listed(open)}`,
    `name the last good one with --base, by version or reference; later ones fall away.${last === undefined ? '' : ` The newest that this machine signed is ${last.manifest.version}`}`)
}

/**
 * Whoever begins an epoch while manifests fork ends a branch by it, the thief's or his own. So he has to name from which manifest to go on, and hears what
 * that drops before anything is signed. `yes`: he has, and means it. Throws DiadError `base-needed`, `not-confirmed`, and what naming a base throws.
 */
export function demandBranch (context: Context, k: DomainKnowledge, base: string | undefined, yes: boolean, io: CommandIo): void {
  const fork = forkHere(context, k)
  if (fork === undefined) return
  if (base === undefined) throw needed(context, k, fork, io)
  const { judged, onChain } = k.authority()
  const from = judged.get(baseFrom(k, base))
  const kept = new Set<Reference>()
  for (let at = from; at !== undefined; at = judged.get(at.manifest.previous)) kept.add(at.ref)
  const names = readPrincipalNames(context.home)
  const shared = onChain.filter((m) => !kept.has(m.ref)).flatMap(({ ref }) => judged.get(ref) ?? [])
  const gone = fork.branches.flatMap((b) => b.manifests).filter((m) => !kept.has(m.judged.ref))
  const own = gone.filter((m) => m.own).length + (fork.branches[0]?.own === true ? shared.length : 0)
  if (from !== undefined) io.warn(`goes on from ${manifestLine(k, from, names, whose(fork, from.ref))}`)
  for (const line of [...shared.slice(-SHOWN).map((j) => manifestLine(k, j, names)), ...forkLines(context.home, k, fork, kept)]) io.warn(`drops ${line}`)
  if (yes) return
  const what = gone.length + shared.length
  throw new DiadError('not-confirmed',
    `this would end ${counted(what, 'manifest')} for ever: ${own > 0 ? `${own === what ? 'all' : `${own} of them`} this machine's own` : fork.known ? 'none of them this machine\'s own' : 'which of them this machine signed isn\'t known here'}`,
    'nothing was signed. Read above what it goes on from and what it drops, and add --yes if that is meant. A thief who has the root_key has it still: `diad recover root-key` certifies another')
}

/**
 * M7: going back takes along what counts now and stands under later manifests, own work as well: whoever recovers a second time, from his shell's history,
 * goes back behind his own last manifest. Of keys that the base lists: what others published goes as it is meant to, and so does what stands under manifests
 * that this machine knows it didn't sign. Warns of each lane; the answer throws DiadError `would-be-void` unless `yes`, or nothing is lost.
 */
export function goingBack (context: Context, k: DomainKnowledge, base: string | undefined, yes: boolean, io: CommandIo): () => void {
  const authority = k.authority()
  const from = base === undefined ? undefined : authority.judged.get(baseFrom(k, base))
  const at = authority.position.get(from?.ref ?? k.domain)
  const known = lastKnownHere(context.home, context.runtime, k)
  if (from === undefined || (at !== undefined && known >= 0 && known <= at)) return () => undefined
  const listed = new Set(from.manifest.principals.map((p) => p.principal_id))
  const called = readPrincipalNames(context.home)
  const losses = lossesSince(k, lanesUnder(k, authority), authorityFrom(authority, from.ref)).flatMap((loss) => {
    const principal = k.lanes.get(loss.lane)?.lane.principal
    return principal !== undefined && listed.has(principal) ? [{ ...loss, by: called.get(principal) ?? `${principal.slice(0, 12)}…` }] : []
  })
  const records = losses.reduce((n, l) => n + l.to - l.from, 0)
  if (records === 0 || yes) return () => undefined
  for (const { lane, to, from: first, by, names } of losses.slice(0, SHOWN)) io.warn(`would be void: ${counted(to - first, 'record')} of ${by} in the lane ${lane.slice(0, 16)}…: ${names.slice(0, 8).map(showName).join(', ')}${names.length > 8 ? ` and ${names.length - 8} more` : ''}`)
  const { version } = from.manifest
  const ahead = authority.onChain.slice((at ?? -1) + 1).map((m) => m.manifest.version)
  return () => {
    throw new DiadError('would-be-void',
      `${counted(records, 'record')} that ${records === 1 ? 'counts' : 'count'} now, of keys that manifest ${version} lists, would become void: they stand under ${ahead.length === 0 ? 'another branch' : ahead.length === 1 ? `manifest ${ahead[0]}` : `manifests ${ahead[0]} to ${ahead.at(-1)}`}`,
      'nothing was signed. If that epoch is over, and the newest manifest a good one, name that one with --base, or none. Add --yes if they shall go; `diad adopt LANE` publishes again what is good of them')
  }
}

const forkHere = ({ home, runtime }: Context, k: DomainKnowledge): Fork | undefined => forkOf(k, ownNewest(home, runtime, k))

function needed (context: Context, k: DomainKnowledge, fork: Fork, io: CommandIo): DiadError {
  for (const line of forkLines(context.home, k, fork)) io.warn(line)
  return new DiadError('base-needed', `${forkText(fork)}. An epoch that names no base would end every branch`,
    'name the last good manifest with --base, by the digits of its reference; the other branches end. With a stolen root_key: `diad recover root-key --base MANIFEST`, else `diad root renew --base MANIFEST`')
}

function listed (open: readonly JudgedManifest[]): string {
  const versions = [...new Set(open.map((j) => j.manifest.version))]
  return versions.length === 1 ? `manifest ${versions[0]}` : `manifests ${versions[0]} to ${versions.at(-1)}`
}
