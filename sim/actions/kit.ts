/** What several actions need. */
import { DiadError } from '../../src/substrate/errors.js'
import { PowerCut } from '../world/disk.js'
import type { SimNode } from '../world/node.js'
import type { World } from '../world/world.js'

/** The entry's node; the schema of the action says that it is required. */
export function byNode (node: SimNode | undefined): SimNode {
  if (node === undefined) throw new DiadError('bad-scenario', 'this action needs a node')
  return node
}

/** A disk or process that ends under an action is what scenarios are for; what the product refuses is noted; anything else is a bug. */
export function started (world: World, node: SimNode, action: string, work: Promise<void>): void {
  work.catch((err: unknown) => {
    if (err instanceof PowerCut) return
    if (err instanceof DiadError) world.note(`${action} refused`, node.name, err.code)
    else world.violate('no-crash', node.name, `${action}: ${err instanceof Error ? err.stack ?? err.message : String(err)}`)
  })
}
