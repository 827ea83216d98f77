/** A proof of equivocation exists only against a key that was used for two histories. */
import type { Invariant } from '../plugin.js'

export const noFalseEvidence: Invariant = {
  name: 'no-false-evidence',
  summary: 'Evidence is held only against the guilty (E1, E2, L4).',
  create: (world) => ({
    changed (_node, k) {
      for (const l of k.lanes.values()) {
        if (l.evidence !== undefined && !world.oracle.guilty.has(l.lane.principal)) return `a proof against the honest lane ${l.ref.slice(4, 16)} of ${world.nameOf(k.domain)} at leaf ${l.evidence.index}`
      }
      return undefined
    }
  })
}
