/** `put: {bytes}`: content that is stored and published nowhere. */
import { putOps } from '../../src/federation/ledger.js'
import { NONE, type Reference } from '../../src/substrate/reference.js'
import { saySize } from '../scenario/say.js'
import { map, quantity } from '../scenario/schema-parts.js'
import { action } from '../plugin.js'
import { store } from '../world/publisher.js'
import { byNode, started } from './kit.js'

export default action<{ bytes: number }>({
  name: 'put',
  node: 'required',
  summary: 'The node stores content that it publishes nowhere: nobody else may ever hear of it.',
  schema: map({ bytes: quantity('bytes', 'the size of the content', { range: [0, 1e9], default: '1kB' }) }),
  words: ({ bytes }) => `stores ${saySize(bytes)} and publishes nothing`,
  run (world, { bytes }, node) {
    const at = byNode(node)
    const { engine } = at
    if (engine === undefined) return
    const content = world.random.fork(`internal ${at.name} ${world.clock.now}`).bytes(bytes)
    const { blocks, kv } = engine.ports
    const kept = (ref: Reference): void => {
      world.oracle.internal.add(ref)
      for (const op of putOps(kv, ref)) blocks.enqueue(op)
    }
    started(world, at, 'put', engine.gate.together(NONE, async () => {
      await store(engine, content, kept)
      await engine.commit([])
    }))
  }
})
