/** Every name in a view stands in a lane whose principal may publish it: asked of the scenario, not of the code that judges. */
import { principalId } from '../../src/publication/evidence.js'
import type { Invariant } from '../plugin.js'

export const withinRights: Invariant = {
  name: 'within-rights',
  summary: 'Nobody publishes without the role or outside the scope that the manifest gives (M2, L1, THREATS 7).',
  create (world) {
    const rights = new Map(world.scenario.domains.flatMap((d) => d.principals.map((p) => {
      const key = world.domain(d.name).principals.get(p.name)
      return [`${world.domain(d.name).id} ${key === undefined ? '' : principalId(key.publicKey)}`, p] as const
    })))
    return {
      changed (_node, k) {
        for (const e of k.view().current.values()) {
          const lane = k.lanes.get(e.lane)
          const p = rights.get(`${k.domain} ${lane?.lane.principal ?? ''}`)
          if (p === undefined) return `${world.nameOf(k.domain)}/${e.name} is from a lane of nobody's`
          if (!p.roles.includes('publish') && !p.roles.includes('produce')) return `${p.name} may not publish, and ${world.nameOf(k.domain)}/${e.name} is his`
          if (!p.scope.some((prefix) => prefix === '' || e.name === prefix || e.name.startsWith(`${prefix}/`))) return `${world.nameOf(k.domain)}/${e.name} is outside the scope of ${p.name}`
        }
        return undefined
      }
    }
  }
}
