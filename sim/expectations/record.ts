/** What became of one record, whether or not a view shows it: the newest of a name by one principal. */
import { decodeBody, hasBody, readLeaf } from '../../src/publication/leaf.js'
import type { ViewedLane } from '../../src/authority/domain-view.js'
import type { DomainKnowledge } from '../../src/authority/knowledge.js'
import { judgeRecord } from '../../src/authority/judge-record.js'
import { MalformedError } from '../../src/substrate/errors.js'
import type { Hash } from '../../src/substrate/reference.js'

interface Place { readonly v: ViewedLane, readonly index: number, readonly logseq: number }

/** Status and code of the newest held record of `name` in lanes of `principals`; undefined where none is held. */
export function recordBy (k: DomainKnowledge, name: string, principals: ReadonlySet<Hash>): { status: string, code: string } | undefined {
  let best: Place | undefined
  for (const v of k.view().lanes.values()) {
    if (!principals.has(v.knowledge.lane.principal)) continue
    for (const { log } of v.knowledge.branches) {
      for (let index = 0; index < log.size; index++) {
        const leaf = readLeaf(log.leaf(index))
        if (leaf === undefined || !hasBody(leaf.kind) || nameIn(leaf.kind, v.knowledge.bodies.get(leaf.body_hash)) !== name) continue
        // Of two lanes that say the same, the one whose record counts.
        const counts = (p: Place): boolean => p.index < p.v.exported
        const place = { v, index, logseq: leaf.logseq }
        if (best === undefined || (counts(place) && !counts(best)) || (counts(place) === counts(best) && place.logseq > best.logseq)) best = place
      }
    }
  }
  if (best === undefined) return undefined
  const { status, code } = judgeRecord(k, best.v.knowledge.ref, best.index)
  return { status, code }
}

function nameIn (kind: number, payload: Uint8Array | undefined): string | undefined {
  if (payload === undefined) return undefined
  try {
    const body = decodeBody(kind, payload)
    return 'name' in body ? body.name : undefined
  } catch (err) {
    if (err instanceof MalformedError) return undefined
    throw err
  }
}
