/** `evidence: {domain, against}` */
import { expectation } from '../plugin.js'
import { EVIDENCE, type EvidenceArgs, found, heldBy, provenLanes, sayEvidence, unmet } from './kit.js'

export default expectation<EvidenceArgs>({
  name: 'evidence',
  node: 'required',
  summary: 'The node holds a proof that a key of the domain signed two histories.',
  schema: EVIDENCE,
  words: sayEvidence,
  check (world, { domain, against }, node) {
    const held = heldBy(world, node, domain)
    if (typeof held === 'string') return unmet(held)
    const lanes = provenLanes(world, held.k, domain, against)
    return found(lanes.length > 0, lanes.length === 0 ? 'no proof' : `proofs against ${lanes.length} ${lanes.length === 1 ? 'lane' : 'lanes'}`)
  }
})
