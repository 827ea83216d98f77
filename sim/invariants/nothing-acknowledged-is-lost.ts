/** What a person was told is published is still there after every crash. */
import type { Invariant } from '../plugin.js'

export const nothingAcknowledgedIsLost: Invariant = {
  name: 'nothing-acknowledged-is-lost',
  summary: 'A node that comes up again holds everything it acknowledged (L3, THREATS 28).',
  create: (world) => ({
    async started (node) {
      const { engine } = node
      if (engine === undefined || world.oracle.setBack.has(node.name)) return undefined
      for (const a of world.oracle.acknowledged) {
        if (a.node !== node.name) continue
        const lane = (await engine.knowledge(a.domain)).lanes.get(a.lane)
        if (node.engine === engine && (lane?.held ?? 0) < a.size) return `it acknowledged ${a.size} leaves of lane ${a.lane.slice(4, 16)} and holds ${lane?.held ?? 0}`
      }
      for (const { domain, ref, node: where } of world.oracle.decreed) {
        if (where === node.name && !(await engine.knowledge(domain)).has(ref) && node.engine === engine) return `it was told that ${ref.slice(4, 16)} of ${world.nameOf(domain)} stands, and doesn't hold it`
      }
      return undefined
    }
  })
}
