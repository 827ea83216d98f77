/** `evidence: {domain, against}` */
import { baseExpectations, type EvidenceArgs } from '../scenario/base-schemas.js'
import { expectation } from '../plugin.js'
import { found, heldBy, provenLanes, unmet } from './kit.js'

export default expectation<EvidenceArgs>({
  ...baseExpectations.get('evidence')!,
  check (world, { domain, against }, node) {
    const held = heldBy(world, node, domain)
    if (typeof held === 'string') return unmet(held)
    const lanes = provenLanes(world, held.k, domain, against)
    return found(lanes.length > 0, `proofs against ${lanes.length} lanes`)
  }
})
