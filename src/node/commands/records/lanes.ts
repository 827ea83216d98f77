/** `diad lanes`: every lane held of a domain, and how far it counts, is visible and is exported. */
import type { DomainKnowledge } from '../../../authority/knowledge.js'
import type { ViewedLane } from '../../../authority/domain-view.js'
import { liesOn } from '../../../authority/lane-knowledge.js'
import { visiblePrefixes } from '../../../authority/lane-reach.js'
import { cutsOf } from '../../../authority/lane-view.js'
import { PUBLISHED } from '../../../publication/lane.js'
import type { Hash } from '../../../substrate/reference.js'
import type { CommandArgs, CommandIo, CommandResults } from '../../command.js'
import { readPrincipalNames } from '../../home/principal-names.js'
import { type Context, heldDomain, namedOrOwn } from '../context.js'
import type { ListedLane } from './types.js'

export async function lanes (context: Context, args: CommandArgs['lanes'], _io: CommandIo): Promise<CommandResults['lanes']> {
  const k = await heldDomain(context, await namedOrOwn(context, args.domain))
  const names = readPrincipalNames(context.home)
  const visible = visiblePrefixes(k.viewAll())
  const rows = [...k.viewAll().lanes.values()].map((v) => listed(names, k, v, visible.get(v.knowledge.ref) ?? 0))
  // By manifest, then as the lanes grew: what is worth a vouch stands last.
  return rows.sort((a, b) => (a.manifest ?? Infinity) - (b.manifest ?? Infinity) || (a.lane < b.lane ? -1 : 1))
}

function listed (names: ReadonlyMap<Hash, string>, k: DomainKnowledge, v: ViewedLane, visible: number): ListedLane {
  const { knowledge: { ref, lane, evidence } } = v
  const authority = k.authority()
  const at = authority.position.get(lane.manifest)
  const called = names.get(lane.principal)
  const heads = [...v.knowledge.heads.values()].filter((h) => h.snapshot.log_size <= v.limit && v.log !== undefined && liesOn(v.log, h))
  const best = heads.sort((a, b) => b.snapshot.log_size - a.snapshot.log_size || (a.ref < b.ref ? -1 : 1))[0]
  const { cuts, closedOut } = cutsOf(v.knowledge, authority)
  const sizes = cuts.filter((c) => c.ends).map((c) => v.knowledge.heads.get(c.snapshot)?.snapshot.log_size ?? Infinity)
  const cutAt = closedOut ? 0 : Math.min(...sizes)
  return {
    domain: k.domain,
    lane: ref,
    principal: lane.principal,
    ...(called === undefined ? {} : { called }),
    roles: [...v.rights?.principal.roles ?? []],
    manifest: at === undefined ? null : authority.onChain[at]?.manifest.version ?? null,
    visibility: lane.visibility === PUBLISHED ? 'published' : 'internal',
    size: v.knowledge.held,
    valid: v.limit,
    visible: Math.min(visible, v.limit),
    exported: k.view().lanes.get(ref)?.exported ?? 0,
    contested: v.contested,
    ...(evidence === undefined ? {} : { forkedAt: evidence.index }),
    ...(Number.isFinite(cutAt) ? { cutAt } : {}),
    code: v.code,
    head: best?.ref ?? null
  }
}
