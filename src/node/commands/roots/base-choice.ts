/**
 * From which manifest to go on when keys were stolen. The newest one may be the thief's, and no rule can tell: M7 lets the roots name any. So a home that
 * can't know its newest manifest shows which there are, and leaves the choice to the person.
 */
import { counted } from '../../../authority/explain/tree.js'
import type { JudgedManifest } from '../../../authority/judge-manifest.js'
import type { DomainKnowledge } from '../../../authority/knowledge.js'
import { DiadError } from '../../../substrate/errors.js'
import type { Reference } from '../../../substrate/reference.js'
import { lastSignedHere, ownNewest } from '../../authority.js'
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
