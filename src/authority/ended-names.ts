/** Names of which only records speak that no longer count, since a cut ended their lane or closed their key: for whoever asks why one is gone. Source: RULES K1, K3, K5. */
import { PUBLISHED } from '../publication/lane.js'
import { showName } from '../publication/names.js'
import type { Placed } from './erasures.js'
import { judgeRecord } from './judge-record.js'
import type { DomainKnowledge } from './knowledge.js'
import { nameOf } from './lane-reach.js'
import { leftoversOn } from './leftovers.js'

export interface EndedRecord extends Placed {
  readonly name: string
  readonly code: 'cut' | 'closed'
}

/** Of a name that nothing publishes, what stood above it too; newest last along each lane. What was erased, or was never valid, isn't among them. */
export function endedUnder (k: DomainKnowledge, name: string): EndedRecord[] {
  const { lanes, erased } = k.viewAll()
  const out: EndedRecord[] = []
  for (const [ref, v] of lanes) {
    const { knowledge: lane } = v
    const log = v.log ?? lane.branches[0]?.log
    const from = v.status === 'void' ? 0 : v.limit
    if (log === undefined || lane.lane.visibility !== PUBLISHED || from >= log.size) continue
    const { code } = judgeRecord(k, ref, from)
    if (code !== 'cut' && code !== 'closed') continue
    leftoversOn(k, lane, log, from, new Set()).forEach(({ body, left }, i) => {
      const said = left !== undefined || body?.kind === 'tombstone' ? undefined : nameOf({ body })
      if (said !== undefined && !erased.has(`${ref}/${from + i}`) && (said === name || name.startsWith(`${said}/`))) out.push({ v, index: from + i, name: said, code })
    })
  }
  return out
}

/** One line: which record published it, and why it doesn't count. */
export function endedInWords ({ v, index, name, code }: EndedRecord): string {
  return `record ${index} of the lane ${v.knowledge.ref.slice(0, 16)}…, which published ${showName(name)}, ${code === 'closed' ? 'counts no more: its key was closed' : 'lies beyond the cut that ended the lane'}`
}
