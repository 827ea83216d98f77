/** What several expectations need. */
import type { DomainKnowledge } from '../../src/authority/knowledge.js'
import { principalId } from '../../src/publication/evidence.js'
import type { Reference } from '../../src/substrate/reference.js'
import { DiadError } from '../../src/substrate/errors.js'
import type { Bounds } from '../scenario/base-schemas.js'
import type { Finding } from '../plugin.js'
import type { SimNode } from '../world/node.js'
import type { World } from '../world/world.js'

export const met = (found: string): Finding => ({ met: true, found })
export const unmet = (found: string): Finding => ({ met: false, found })
export const found = (isMet: boolean, text: string): Finding => ({ met: isMet, found: text })

/** What the node holds of a domain, or why not. */
export function heldBy (world: World, node: SimNode | undefined, domain: string): { node: SimNode, k: DomainKnowledge } | string {
  if (node === undefined) throw new DiadError('bad-scenario', 'this expectation needs a node')
  if (node.engine === undefined) return `${node.name} is down`
  const k = node.engine.replica.domains.get(world.domain(domain).id)
  return k === undefined ? `${node.name} doesn't follow ${domain}` : { node, k }
}

export function within (value: number, { min, max }: Bounds): boolean {
  return value >= (min ?? 0) && value <= (max ?? Number.MAX_SAFE_INTEGER)
}

/** Lanes of the domain that the node holds a proof against; of one principal, if it is named. */
export function provenLanes (world: World, k: DomainKnowledge, domain: string, against?: string): Reference[] {
  const key = against === undefined ? undefined : world.domain(domain).principals.get(against)
  if (against !== undefined && key === undefined) throw new DiadError('bad-scenario', `the domain ${domain} has no principal "${against}"`)
  return [...k.lanes.values()].filter((l) => l.evidence !== undefined && (key === undefined || l.lane.principal === principalId(key.publicKey))).map((l) => l.ref)
}
