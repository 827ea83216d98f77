/** The last step of a pull: bodies that exported leaves name. */
import type { KvOp } from '../substrate/ports.js'
import type { Hash } from '../substrate/reference.js'
import type { DomainKnowledge } from '../authority/knowledge.js'
import { ask, type Asking } from './asking.js'
import { bodyOp } from './ledger.js'
import { WIRE } from './messages.js'
import type { PullSink } from './staging.js'

/** Requests for bodies of one lane that may come back with nothing before the peer is taken to have none. */
const MAX_EMPTY = 4

/** Asks for bodies that exported leaves name and that aren't held; those of erased leaves are nobody's to give (R7). */
export function * pullBodies (k: DomainKnowledge, sink: PullSink): Asking<void> {
  for (const v of k.view().lanes.values()) {
    const lane = v.knowledge
    const lacking = new Set<Hash>()
    let empty = 0
    for (let i = 0; i < v.exported; i++) {
      const j = v.judged[i]
      if (j?.code === 'body-missing') lacking.add(j.leaf.body_hash)
    }
    while (lacking.size > 0) {
      const hashes: Hash[] = []
      for (const h of lacking) if (hashes.push(h) === WIRE.objectRefs) break
      hashes.sort()
      const got = yield * ask({ t: 'bodies', id: 0, domain: k.domain, lane: lane.ref, hashes })
      const ops: KvOp[] = []
      let bytes = 0
      for (const { index, body } of got.bodies) {
        const hash = v.branch !== undefined && index < v.branch.log.size ? lane.addBody(v.branch, index, body) : undefined
        bytes += body.length
        if (hash === undefined) sink.refuse('reference-mismatch', lane.ref)
        else if (lacking.delete(hash)) ops.push(bodyOp(lane.ref, hash, body))
      }
      // What a full answer left out comes with the next one.
      if (ops.length === 0 || bytes < WIRE.answerBytes) for (const h of hashes) lacking.delete(h)
      if (ops.length === 0 && ++empty === MAX_EMPTY) break
      if (ops.length === 0) continue
      k.touch()
      sink.commit(ops)
    }
  }
}
