/** `diad role list`: the principals of a domain, what they may do, and how far their lanes count. */
import type { DomainKnowledge } from '../../../authority/knowledge.js'
import type { ChainManifest } from '../../../authority/manifest-chain.js'
import { PUBLISHED } from '../../../publication/lane.js'
import type { CommandArgs, CommandIo, CommandResults } from '../../command.js'
import { readPrincipalNames } from '../../home/principal-names.js'
import { type Context, heldDomain, namedOrOwn } from '../context.js'
import { type KnownPrincipal, knownPrincipals } from './changing.js'
import type { ListedPrincipal } from './types.js'

export async function roleList (context: Context, args: CommandArgs['role list'], _io: CommandIo): Promise<CommandResults['role list']> {
  const k = await heldDomain(context, await namedOrOwn(context, args.domain))
  const { onChain, state, reason } = k.authority()
  const { ref, manifest } = onChain.at(-1) as ChainManifest
  const names = readPrincipalNames(context.home)
  return {
    domain: k.domain,
    version: manifest.version,
    manifest: ref,
    state: state === 'ok' ? state : reason,
    rootKey: manifest.root_key,
    principals: knownPrincipals(k).map((p) => listed(k, p, names.get(p.id)))
  }
}

function listed (k: DomainKnowledge, p: KnownPrincipal, name: string | undefined): ListedPrincipal {
  const own = [...k.viewAll().lanes.values()].filter((v) => v.knowledge.lane.principal === p.id)
  return {
    principal: p.id,
    publicKey: p.publicKey,
    ...(name === undefined ? {} : { name }),
    listed: p.now !== undefined,
    roles: [...p.now?.principal.roles ?? []],
    prefixes: [...p.now?.scope.prefixes ?? []],
    programs: [...p.now?.scope.programs ?? []],
    lanes: own.map((v) => ({
      lane: v.knowledge.ref,
      visibility: v.knowledge.lane.visibility === PUBLISHED ? 'published' : 'internal',
      size: v.knowledge.held,
      valid: v.limit,
      code: v.code,
      head: v.branch?.head.ref ?? null
    }))
  }
}
