/** What the verbs that write a manifest share. */
import type { Amended, Change } from '../../../authority/amend.js'
import type { DomainKnowledge } from '../../../authority/knowledge.js'
import { type Loss, lossesOf } from '../../../authority/losses.js'
import type { Principal, Scope } from '../../../authority/manifest.js'
import { DiadError } from '../../../substrate/errors.js'
import type { Hash, PublicKey, Reference } from '../../../substrate/reference.js'
import type { CommandIo } from '../../command.js'
import { admittedAgain, readAdmissions, widenedInWords } from '../../admission/held.js'
import { changeAuthority } from '../../authority.js'
import { readPrincipalNames } from '../../home/principal-names.js'
import type { Context } from '../context.js'
import type { Changed, SigningArgs } from './types.js'

/** A principal of the newest manifest, or of one before it. */
export interface KnownPrincipal {
  readonly id: Hash
  readonly publicKey: PublicKey
  /** what the newest manifest gives it; undefined when it isn't listed any more */
  readonly now: { readonly principal: Principal, readonly scope: Scope } | undefined
}

/** Those of the newest manifest first, each in the order of the manifest. */
export function knownPrincipals (k: DomainKnowledge): KnownPrincipal[] {
  const { onChain } = k.authority()
  const out = new Map<Hash, KnownPrincipal>()
  const tip = onChain.at(-1)
  tip?.manifest.principals.forEach((p, i) => {
    out.set(p.principal_id, { id: p.principal_id, publicKey: p.public_key, now: { principal: p, scope: tip.manifest.scope[i] as Scope } })
  })
  for (const { manifest } of onChain) {
    for (const p of manifest.principals) if (!out.has(p.principal_id)) out.set(p.principal_id, { id: p.principal_id, publicKey: p.public_key, now: undefined })
  }
  return [...out.values()]
}

/** Records that the person didn't ask to lose are lost only with `yes`. `wider` as {@link widenedInWords} has it. */
function approveLosses (losses: readonly Loss[], wider: string | undefined): void {
  const records = losses.reduce((n, l) => n + l.to - l.from, 0)
  if (records === 0) return
  const names = [...new Set(losses.flatMap((l) => l.names))]
  const some = names.slice(0, 5).join(', ') + (names.length > 5 ? ` and ${names.length - 5} more` : '')
  throw new DiadError('would-be-void', `${records} record${records === 1 ? '' : 's'} that count${records === 1 ? 's' : ''} now would become void${names.length === 0 ? '' : `: ${some}`}${wider === undefined ? '' : `; decisions on other domains would change with them: ${wider}`}`,
    'nothing was signed. Add --yes if that is what you want, or keep more of the lanes; nobody can make them valid again')
}

/**
 * One change of authority by a verb. What it makes void must have been said yes to: `yes` undefined = whatever comes of it is what the verb is for.
 */
export async function change (context: Context, domain: Reference, io: CommandIo, args: SigningArgs & { yes?: boolean }, decide: (k: DomainKnowledge) => Change): Promise<Changed> {
  let losses: Loss[] = []
  let wider: string | undefined
  const approve = async (k: DomainKnowledge, amended: Amended): Promise<void> => {
    losses = lossesOf(k, amended)
    wider = widenedInWords(context.home, await readAdmissions(context.runtime, k), losses)
    if (args.yes === false) approveLosses(losses, wider)
  }
  const signing = { offline: args.offlineAuthority, peers: args.peers, approve, ...(args.key === undefined ? {} : { key: args.key }) }
  const { amended } = await changeAuthority(context, domain, io, signing, decide)
  if (wider !== undefined) io.warn(admittedAgain(wider))
  return {
    domain,
    manifest: amended.ref,
    version: amended.manifest.version,
    closed: [...amended.closed],
    losses: losses.map(({ lane, from, to, names }) => ({ lane, from, to, names: [...names] }))
  }
}

export function named (context: Context, id: Hash): { name?: string } {
  const name = readPrincipalNames(context.home).get(id)
  return name === undefined ? {} : { name }
}
