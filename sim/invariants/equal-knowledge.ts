/** Two nodes that hold the same see the same, to the byte. */
import type { DomainKnowledge } from '../../src/authority/knowledge.js'
import type { Invariant } from '../plugin.js'

export const equalKnowledge: Invariant = {
  name: 'equal-knowledge',
  summary: 'Equal inventories give equal views and equal authority (R4, R5).',
  create (world) {
    const views = new Map<string, { digest: string, text: string, node: string }>()
    return {
      changed (node, k) {
        if (bodiesMissing(k)) return undefined
        const key = `${k.domain} ${k.inventoryDigest()}`
        const { digest } = k.view()
        const { stateText, moves } = k.authority()
        const text = [stateText, ...moves.map((m) => m.ref)].join(', ')
        const before = views.get(key)
        if (before === undefined) views.set(key, { digest, text, node: node.name })
        else if (before.digest !== digest) return `${node.name} and ${before.node} hold the same of ${world.nameOf(k.domain)} and see ${digest.slice(0, 12)} and ${before.digest.slice(0, 12)}`
        else if (before.text !== text) return `${node.name} and ${before.node} hold the same of ${world.nameOf(k.domain)}, and the authority is ${text} here and ${before.text} there`
        return undefined
      }
    }
  }
}

function bodiesMissing (k: DomainKnowledge): boolean {
  for (const v of k.view().lanes.values()) if (v.judged.slice(0, v.exported).some((j) => j.code === 'body-missing')) return true
  return false
}
