/** What several actions need. */
import { DiadError } from '../../src/substrate/errors.js'
import { named, text } from '../scenario/schema-parts.js'
import { PowerCut } from '../world/disk.js'
import type { SimNode } from '../world/node.js'
import type { World } from '../world/world.js'

/** What `backup` keeps a disk under. */
export const SNAPSHOT = text('a name for the backup, such as monday', { most: 64 })
/** What `export` writes on. */
export const STICK = text('a name for the stick, such as drawer', { most: 64 })
export const KEY = named('principal', 'the principal of the node\'s domain that signs; without it, the first key that may')

/** Words for the key that signs, where one is named. */
export const byKey = (key: string | undefined): string => key === undefined ? '' : ` with the key of ${key}`

/** Carries out a change of the network, and tells the trace which links it cut and which it opened; a cut of a single link the network tells itself. */
export function changeLinks (world: World, change: () => void): void {
  const ways = world.network.edges().flatMap(({ a, b }) => [[a, b], [b, a]] as const)
  const before = ways.map(([from, to]) => world.network.passes(from, to))
  change()
  ways.forEach(([from, to], i) => {
    const open = world.network.passes(from, to)
    if (open !== before[i]) world.tracer.add({ kind: 'link', from, to, state: open ? 'up' : 'cut' })
  })
}

/** The entry's node; the schema of the action says that it is required. */
export function byNode (node: SimNode | undefined): SimNode {
  if (node === undefined) throw new DiadError('bad-scenario', 'this action needs a node')
  return node
}

/** A disk or process that ends under an action is what scenarios are for; what the product refuses is noted; anything else is a bug. */
export function started (world: World, node: SimNode, action: string, work: Promise<void>): void {
  work.catch((err: unknown) => {
    if (err instanceof PowerCut) return
    if (err instanceof DiadError) {
      world.note(`${action} refused`, node.name, `${action} refused: ${err.code}`)
      world.undone.push({ t: world.clock.now, node: node.name, action, code: err.code, why: err.message })
    } else world.violate('no-crash', node.name, `${action}: ${err instanceof Error ? err.stack ?? err.message : String(err)}`)
  })
}
