/** Makes a failing scenario small: takes parts away as long as what is left fails in the same way. */
import { DiadError } from '../../src/substrate/errors.js'
import type { Draft } from './grammar.js'

/** Whether this draft fails with the same invariant. */
export type Fails = (draft: Draft) => Promise<boolean>

/** At most `budget` runs are spent. */
export async function shrink (draft: Draft, fails: Fails, budget: number): Promise<Draft> {
  let best = draft
  let left = budget
  const failsStill = async (candidate: Draft): Promise<boolean> => {
    try {
      return await fails(candidate)
    } catch (err) {
      // It names what was taken away.
      if (err instanceof DiadError && err.code === 'bad-scenario') return false
      throw err
    }
  }
  const attempt = async (candidate: Draft): Promise<boolean> => {
    if (left <= 0) return false
    left--
    if (!await failsStill(candidate)) return false
    best = candidate
    return true
  }
  // Large bites of the timeline first, then single entries.
  for (let size = Math.ceil(best.timeline.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < best.timeline.length && left > 0;) {
      const timeline = best.timeline.filter((_, i) => i < at || i >= at + size)
      if (!await attempt({ ...best, timeline })) at += size
    }
  }
  for (const name of Object.keys(best.nodes)) {
    const nodes = Object.fromEntries(Object.entries(best.nodes).filter(([n]) => n !== name))
    await attempt({ ...best, nodes })
  }
  for (const links of [{}, { ...best.links, topology: 'full' }]) await attempt({ ...best, links })
  await attempt({ ...best, timeline: best.timeline.map(small) })
  return best
}

function small (entry: Draft['timeline'][number]): Draft['timeline'][number] {
  const publish = entry['publish']
  return typeof publish === 'object' && publish !== null ? { ...entry, publish: { ...publish, bytes: '100B' } } : entry
}
