/** `nobody: {holds, evidence, refused, status}`: asked all the time. */
import { standingOf } from '../../src/authority/domain-standing.js'
import { NONE } from '../../src/substrate/reference.js'
import { baseExpectations, type NobodyArgs, type RefusedArgs } from '../scenario/base-schemas.js'
import { expectation } from '../plugin.js'
import type { Refusal } from '../world/world.js'
import { met, provenLanes, unmet } from './kit.js'

export function refusalsLike (all: readonly Refusal[], { code, peer, domain }: RefusedArgs): Refusal[] {
  return all.filter((r) => (code === undefined || r.code === code) && (peer === undefined || r.peer === peer) && (domain === undefined || r.domain === domain))
}

export default expectation<NobodyArgs>({
  ...baseExpectations.get('nobody')!,
  always: true,
  check (world, { holds, evidence, refused, status }) {
    if (refused !== undefined) {
      const [first] = refusalsLike(world.refusals, refused)
      if (first !== undefined) return unmet(`${first.node} refused ${first.code} from ${first.peer}`)
    }
    const domain = holds?.domain ?? evidence?.domain ?? status?.domain
    if (domain === undefined) return met('nobody')
    for (const { node, k } of world.holders(world.domain(domain))) {
      if (holds !== undefined) {
        const entry = k.view().current.get(holds.name)
        if (entry !== undefined && entry.ref !== NONE) return unmet(`${node.name} holds ${holds.name}`)
      }
      if (evidence !== undefined && provenLanes(world, k, domain, evidence.against).length > 0) return unmet(`${node.name} holds a proof`)
      if (status !== undefined && standingOf(k).status === status.status) return unmet(`${node.name} says ${status.status}: ${standingOf(k).code}`)
    }
    return met('nobody')
  }
})
