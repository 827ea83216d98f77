/**
 * Knows references of other people's internal content, publishes them in its own domain, and waits whether somebody gives the bytes away, or shows by not
 * asking for them that it has them (THREATS 22; RULES V1 to V4).
 */
import { DiadError } from '../../src/substrate/errors.js'
import type { Reference } from '../../src/substrate/reference.js'
import { adversary } from '../plugin.js'
import { map } from '../scenario/schema-parts.js'
import { append } from '../world/publisher.js'
import { every, FROM, neighbours, paced, targets } from './kit.js'

const PERIOD = 5_000_000

export default adversary<{ readonly start: number }>({
  name: 'fisher',
  summary: 'Publishes references of other people\'s internal content, and asks everybody for the bytes.',
  schema: map(FROM),
  create (kit, { start }) {
    const { node, random, world } = kit
    if (node.spec.domain === '' || node.spec.keys.length === 0) throw new Error('a fisher needs a domain and a key of it: {domain: mallory, adversary: fisher}')
    const own = world.domain(node.spec.domain).id
    const cast = new Set<Reference>()
    every(kit, { start, period: paced(kit, PERIOD) }, async () => {
      const ref = [...world.oracle.internal].find((r) => !cast.has(r))
      if (ref !== undefined) {
        cast.add(ref)
        world.oracle.fished.add(ref)
        const name = `fished/${cast.size}`
        world.oracle.intend(own, name, ref)
        await append(world, node, { kind: 'publish', name, ref, mode: 0o644 })
      }
      const refs = [...cast]
      for (const peer of neighbours(kit)) void world.network.blocks(node.name, peer, { domain: random.pick(targets(kit)), refs }).catch(unanswered)
    })
    return {
      blocks (request, honest, from) {
        for (const ref of request.refs) world.oracle.asked.add(`${from} ${node.name} ${ref}`)
        return honest
      }
    }
  }
})

function unanswered (err: unknown): void {
  if (!(err instanceof DiadError)) throw err
}
