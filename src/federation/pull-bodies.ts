/** The last step of a pull: bodies that exported leaves name. */
import type { KvOp } from '../substrate/ports.js'
import type { Hash } from '../substrate/reference.js'
import type { ViewedLane } from '../authority/domain-view.js'
import type { DomainKnowledge } from '../authority/knowledge.js'
import { ask, type Asking, type Working } from './asking.js'
import { bodyOp } from './ledger.js'
import { WIRE } from './messages.js'
import type { PullSink } from './staging.js'
import { Together } from './together.js'

/** Requests for bodies of one lane that may come back with nothing before the peer is taken to have none. */
const MAX_EMPTY = 4

/** Asks for bodies that exported leaves name and that aren't held; those of erased leaves are nobody's to give (R7). */
export function * pullBodies (k: DomainKnowledge, patient: boolean, sink: PullSink): Asking<void> {
  const together = new Together(patient)
  for (const v of k.view().lanes.values()) {
    const lacking = new Set<Hash>()
    for (let i = 0; i < v.exported; i++) {
      const j = v.judged[i]
      if (j?.code === 'body-missing') lacking.add(j.leaf.body_hash)
    }
    if (lacking.size > 0) yield * together.add(pullOfLane(k, v, lacking, sink))
  }
  yield * together.settle()
}

function * pullOfLane (k: DomainKnowledge, { knowledge: lane, branch }: ViewedLane, lacking: Set<Hash>, sink: PullSink): Working<void> {
  let empty = 0
  while (lacking.size > 0) {
    const hashes: Hash[] = []
    for (const h of lacking) if (hashes.push(h) === WIRE.objectRefs) break
    hashes.sort()
    const got = yield * ask({ t: 'bodies', id: 0, domain: k.domain, lane: lane.ref, hashes })
    const bytes = got.bodies.reduce((n, { body }) => n + body.length, 0)
    yield bytes
    const ops: KvOp[] = []
    for (const { index, body } of got.bodies) {
      const hash = branch !== undefined && index < branch.log.size ? lane.addBody(branch, index, body) : undefined
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
