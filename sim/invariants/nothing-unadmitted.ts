/** What enters a node's view of the federation is what somebody there let in: asked of the decisions that were made, not of the code that applies them. */
import { admissionsOf, limitView } from '../../src/authority/admission.js'
import { scopeHolds } from '../../src/authority/admission-objects.js'
import type { DomainKnowledge } from '../../src/authority/knowledge.js'
import type { Invariant } from '../plugin.js'
import type { SimNode } from '../world/node.js'
import type { World } from '../world/world.js'

export const nothingUnadmitted: Invariant = {
  name: 'nothing-unadmitted',
  summary: 'No name of another domain is in a node\'s view that its last decision on that domain doesn\'t let in (D2, D4, D5).',
  create: (world) => ({
    changed: (node, k) => world.oracle.deciding ? intruder(world, node, k) : undefined,
    atRest () {
      for (const node of world.oracle.deciding ? world.honest() : []) {
        for (const k of node.engine?.replica.domains.values() ?? []) {
          const wrong = intruder(world, node, k)
          if (wrong !== undefined) return `${node.name}: ${wrong}`
        }
      }
      return undefined
    }
  })
}

function intruder (world: World, node: SimNode, k: DomainKnowledge): string | undefined {
  const { oracle } = world
  // A disk that was set back, or is another node's, holds what was decided there and then.
  if (node.spec.domain === '' || oracle.setBack.has(node.name)) return undefined
  const own = node.engine?.replica.domains.get(world.domain(node.spec.domain).id)
  if (own === undefined || own === k) return undefined
  const { byDomain } = admissionsOf(own, (ref) => oracle.records.get(ref))
  const scope = oracle.admitted(node.name, k.domain)
  const found = limitView(k.view(), byDomain.get(k.domain)).entries.find((e) => !scopeHolds(scope, e.name))
  return found === undefined ? undefined : `${world.nameOf(k.domain)}/${found.name} is in its view, and nobody there let it in`
}
