/** An honest key puts one leaf at each place of a lane, whatever crashes, restores and clones happen to it. */
import type { Hash, Reference } from '../../src/substrate/reference.js'
import type { Invariant } from '../plugin.js'

export const noSequenceReused: Invariant = {
  name: 'no-sequence-reused',
  summary: 'No place in an honest lane is ever taken by two leaves (L4, THREATS 15, 28).',
  create (world) {
    const { logs } = world.oracle
    const checked = new Map<string, number>()
    return {
      changed (node, k) {
        for (const l of k.lanes.values()) {
          if (world.oracle.guilty.has(l.lane.principal)) continue
          for (const { log } of l.branches) {
            const key = `${node.name} ${l.ref}`
            const from = checked.get(key) ?? 0
            const known = seenOf(logs, l.ref)
            for (let i = Math.min(from, log.size); i < log.size; i++) {
              const hash = log.leafHash(i)
              const before = known[i]
              if (before === undefined) known[i] = hash
              else if (before !== hash) return `leaf ${i} of lane ${l.ref.slice(4, 16)} of ${world.nameOf(k.domain)} is ${hash.slice(0, 8)} here and was ${before.slice(0, 8)}`
            }
            checked.set(key, log.size)
          }
        }
        return undefined
      }
    }
  }
}

function seenOf (logs: Map<Reference, Hash[]>, lane: Reference): Hash[] {
  let known = logs.get(lane)
  if (known === undefined) logs.set(lane, known = [])
  return known
}
