/** Whether everybody honest who is up sees the same of a domain, its authority included, and all of what was acknowledged. */
import type { Reference } from '../../src/substrate/reference.js'
import type { SimDomain } from './domains.js'
import type { World } from './world.js'

/** What is different, in one sentence, or undefined. */
export function divergence (world: World, domain: SimDomain): string | undefined {
  const holders = world.holders(domain)
  const views = new Map<string, string[]>()
  for (const { node, k } of holders) {
    const { stateText, moves } = k.authority()
    const moved = moves.length === 0 ? '' : `, moved to ${moves.map((m) => world.nameOf(m.move.to)).join(', ')}`
    const digest = `${k.view().digest.slice(0, 12)} under ${stateText}${moved}`
    views.set(digest, [...views.get(digest) ?? [], node.name])
  }
  if (views.size > 1) {
    const sides = [...views].map(([digest, nodes]) => `${digest} at ${nodes.slice(0, 4).join(', ')}${nodes.length > 4 ? ` and ${nodes.length - 4} more` : ''}`)
    return `${domain.name} has ${views.size} views: ${sides.join('; ')}`
  }
  const sizes = new Map<Reference, number>()
  for (const a of world.oracle.acknowledged) {
    if (a.domain === domain.id && !world.oracle.setBack.has(a.node)) sizes.set(a.lane, Math.max(sizes.get(a.lane) ?? 0, a.size))
  }
  for (const { node, k } of holders) {
    for (const [lane, size] of sizes) {
      const held = k.lanes.get(lane)
      // Whoever has all of it knows how much of it concerns others: proposals don't, nor what lies behind a cut.
      const whole = holders.find((h) => (h.k.lanes.get(lane)?.held ?? 0) >= size)
      if (whole !== undefined && (held?.held ?? 0) >= Math.min(size, whole.k.view().lanes.get(lane)?.exported ?? 0)) continue
      if ((held?.held ?? 0) < size && held?.evidence === undefined) return `${node.name} holds ${held?.held ?? 0} of ${size} acknowledged leaves of lane ${lane.slice(4, 16)} of ${domain.name}`
    }
  }
  return undefined
}
