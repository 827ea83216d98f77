/**
 * Every name in a view stands in a lane whose principal may publish it, and before whatever ends that lane: asked of what the signers of manifests meant,
 * not of the code that judges.
 */
import type { CurrentEntry } from '../../src/authority/domain-view.js'
import type { DomainKnowledge } from '../../src/authority/knowledge.js'
import type { LaneKnowledge } from '../../src/authority/lane-knowledge.js'
import type { Invariant } from '../plugin.js'
import type { SimDomain } from '../world/domains.js'

export const withinRights: Invariant = {
  name: 'within-rights',
  summary: 'Nobody publishes without the role, outside the scope, or past a cut that the node holds (M2, L1, K1, K3, THREATS 7, 11).',
  create: (world) => ({
    changed (_node, k) {
      const domain = world.domain(world.nameOf(k.domain))
      for (const e of k.view().current.values()) {
        const lane = k.lanes.get(e.lane)
        const wrong = lane === undefined ? 'is from a lane that isn\'t held' : rightsFault(domain, lane, e) ?? cutFault(k, lane, e)
        if (wrong !== undefined) return `${domain.name}/${e.name} ${wrong}`
      }
      return undefined
    }
  })
}

function rightsFault (domain: SimDomain, { lane }: LaneKnowledge, e: CurrentEntry): string | undefined {
  const p = domain.rights.get(lane.manifest)?.get(lane.principal)
  if (p === undefined) return 'is from a lane of nobody\'s'
  if (!p.roles.includes('publish') && !p.roles.includes('produce')) return `is ${p.name}'s, who may not publish`
  return p.scope.some((prefix) => prefix === '' || e.name === prefix || e.name.startsWith(`${prefix}/`)) ? undefined : `is outside the scope of ${p.name}`
}

/** K1, K3 in words of their own: no manifest on the chain that comes after the lane's may leave the leaf out. */
function cutFault (k: DomainKnowledge, { ref, lane, heads }: LaneKnowledge, e: CurrentEntry): string | undefined {
  const { onChain, position } = k.authority()
  const opened = position.get(lane.manifest)
  if (opened === undefined) return 'is from a lane under a manifest that isn\'t in force'
  for (const [at, { manifest, cuts }] of onChain.entries()) {
    const closes = at > opened && manifest.closed.includes(lane.principal)
    const cut = cuts.get(ref)
    if (cut === undefined ? !closes : !cut.ends && !closes) continue
    const end = cut === undefined ? 0 : heads.get(cut.snapshot)?.snapshot.log_size
    if (end === undefined) return `stands in a lane that manifest ${manifest.version} ends at a head which isn't held`
    if (e.index >= end) return `is leaf ${e.index} of a lane that manifest ${manifest.version} ends at ${end}`
  }
  return undefined
}
