/** `nobody: {holds, evidence, refused, status}`: asked all the time. */
import { standingOf } from '../../src/authority/domain-standing.js'
import { NONE } from '../../src/substrate/reference.js'
import { expectation } from '../plugin.js'
import { sayName } from '../scenario/say.js'
import { choice, DOMAIN, map, PUBLISHED } from '../scenario/schema-parts.js'
import { EVIDENCE, type EvidenceArgs, met, provenLanes, REFUSED, refusalsLike, type RefusedArgs, sayEvidence, sayRefused, sayVerdict, STATUSES, type Status, unmet } from './kit.js'

/** exactly one of them */
interface NobodyArgs {
  readonly holds?: { readonly domain: string, readonly name: string }
  readonly evidence?: EvidenceArgs
  readonly refused?: RefusedArgs
  readonly status?: { readonly domain: string, readonly status: Status }
}

export default expectation<NobodyArgs>({
  name: 'nobody',
  node: 'none',
  summary: 'No honest node did so at any time until then.',
  schema: map({
    holds: map({ domain: DOMAIN, name: PUBLISHED }, ['domain', 'name']),
    evidence: EVIDENCE,
    refused: REFUSED,
    status: map({ domain: DOMAIN, status: choice(STATUSES) }, ['domain', 'status'])
  }, [], { minProperties: 1, maxProperties: 1, description: 'one of holds, evidence, refused and status' }),
  always: true,
  words ({ holds, evidence, refused, status }) {
    if (holds !== undefined) return `nobody ever holds ${sayName(`${holds.domain}/${holds.name}`)}`
    if (evidence !== undefined) return `nobody ever ${sayEvidence(evidence)}`
    if (refused !== undefined) return `nobody ever ${sayRefused(refused)}`
    return `nobody ever says that ${status?.domain ?? ''} is ${status?.status ?? ''}`
  },
  check (world, { holds, evidence, refused, status }) {
    if (refused !== undefined) {
      const [first] = refusalsLike(world.refusals, refused)
      if (first !== undefined) return unmet(`${first.node} refused ${first.code} from ${first.peer}`)
    }
    const domain = holds?.domain ?? evidence?.domain ?? status?.domain
    if (domain === undefined) return met('nobody did')
    for (const { node, k } of world.holders(world.domain(domain))) {
      if (holds !== undefined) {
        const entry = k.view().current.get(holds.name)
        if (entry !== undefined && entry.ref !== NONE) return unmet(`${node.name} holds ${holds.name}`)
      }
      if (evidence !== undefined && provenLanes(world, k, domain, evidence.against).length > 0) return unmet(`${node.name} holds a proof`)
      if (status !== undefined && standingOf(k).status === status.status) return unmet(`${node.name} says ${sayVerdict(status.status, standingOf(k).code)}`)
    }
    return met('nobody did')
  }
})
