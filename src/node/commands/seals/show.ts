/** `diad domain show`: what this home's domain is. */
import { NONE } from '../../../substrate/reference.js'
import { standingOf } from '../../../authority/domain-standing.js'
import type { CommandIo } from '../../command.js'
import { readPrincipalNames } from '../../home/principal-names.js'
import { readRecords } from '../../pins/records.js'
import { sealsFolder } from '../../pins/select.js'
import { type Context, ownDomain } from '../context.js'
import { shownSeal } from './shown.js'
import type { SealsArgs, SealsResults, ShownPrincipal } from './types.js'

export async function domainShow (context: Context, _args: SealsArgs['domain show'], _io: CommandIo): Promise<SealsResults['domain show']> {
  const domain = ownDomain(context)
  const { home, runtime } = context
  const k = await runtime.knowledge(domain)
  const authority = k.authority()
  const tip = authority.onChain.at(-1)
  const entry = authority.rootChain.entries.at(-1)
  const roots = entry === undefined ? undefined : k.objects.rootSets.get(entry.entry.root_set)
  const names = readPrincipalNames(home)
  const principals = tip?.manifest.principals.map((p, i): ShownPrincipal => {
    const name = names.get(p.principal_id)
    return { id: p.principal_id, key: p.public_key, ...(name === undefined ? {} : { name }), roles: p.roles, prefixes: tip.manifest.scope[i]?.prefixes ?? [] }
  })
  const view = k.view()
  const manifest = tip === undefined
    ? {}
    : { manifest: tip.ref, manifestVersion: tip.manifest.version, rootKey: tip.manifest.root_key, policyHash: tip.manifest.policy_hash }
  return {
    domain,
    ...(home.name === undefined ? {} : { name: home.name }),
    ...standingOf(k),
    authority: authority.stateText,
    epoch: authority.epoch,
    ...manifest,
    roots: { keys: [...roots?.root_keys ?? []], threshold: roots?.threshold ?? 0 },
    principals: principals ?? [],
    trusted: tip === undefined ? [] : [...authority.policyOf(tip.ref)?.federation_policy.trusted_domains ?? []],
    lanes: view.lanes.size,
    names: [...view.current.values()].filter((e) => e.ref !== NONE).length,
    view: view.digest,
    root: home.paths.domain,
    seals: readRecords(sealsFolder(home.paths)).records.map(shownSeal)
  }
}
