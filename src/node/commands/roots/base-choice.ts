/**
 * From which manifest to go on when keys were stolen. The newest one may be the thief's, and no rule can tell: M7 lets the roots name any. So a home that
 * can't know its newest manifest shows which there are, and leaves the choice to the person.
 */
import { counted } from '../../../authority/explain/tree.js'
import type { JudgedManifest } from '../../../authority/judge-manifest.js'
import type { DomainKnowledge } from '../../../authority/knowledge.js'
import { DiadError } from '../../../substrate/errors.js'
import { lastSignedHere } from '../../authority.js'
import type { CommandIo } from '../../command.js'
import { manifestLine } from '../../authority-words.js'
import { readPrincipalNames } from '../../home/principal-names.js'
import type { Context } from '../context.js'

/** So many of the newest are shown; who needs older ones has `diad log`. */
const SHOWN = 12

/**
 * Without `--base` a recovery from theft goes on from the newest manifest only where this machine signed that one, or where there is no other. Else what
 * may be the thief's is shown, one warning a manifest. Throws DiadError `base-needed`.
 */
export function demandBase (context: Context, k: DomainKnowledge, base: string | undefined, io: CommandIo): void {
  const { onChain, judged, forkChildren, tip } = k.authority()
  const valid = [...judged.values()].filter((j) => j.verdict.status === 'accepted')
  if (base !== undefined || tip === undefined || valid.length < 2) return
  const known = lastSignedHere(context.runtime, k)
  const unknown = onChain.slice(known + 1).flatMap(({ ref }) => judged.get(ref) ?? [])
  // Of a fork one branch may be the owner's, and going on from before it ends both.
  const branches = forkChildren.flatMap((ref) => judged.get(ref) ?? [])
  const open = [...unknown, ...branches]
  if (open.length === 0) return
  if (open.length > SHOWN) io.warn(`${counted(open.length - SHOWN, 'older manifest')} that this machine didn't sign: see \`diad log --all\``)
  for (const j of open.slice(-SHOWN)) io.warn(lineOf(context, k, j, branches.includes(j)))
  const last = onChain[known]
  throw new DiadError('base-needed',
    `the newest manifest may be the thief's: nothing here shows that the owner signed ${listed(open)}`,
    `name the last good one with --base, by version or reference; later ones fall away.${last === undefined ? '' : ` The newest that this machine signed is ${last.manifest.version}`}`)
}

function lineOf (context: Context, k: DomainKnowledge, j: JudgedManifest, branch: boolean): string {
  const names = readPrincipalNames(context.home)
  return manifestLine(k, j, names, branch ? ', a branch of the fork' : '')
}

function listed (open: readonly JudgedManifest[]): string {
  const versions = [...new Set(open.map((j) => j.manifest.version))]
  return versions.length === 1 ? `manifest ${versions[0]}` : `manifests ${versions[0]} to ${versions.at(-1)}`
}
