/** `anchor: {}`: what sealing adds to signatures (K4). */
import { action } from '../plugin.js'
import { map } from '../scenario/schema-parts.js'
import { decree } from '../world/desk.js'
import { byNode, started } from './kit.js'

export default action<object>({
  name: 'anchor',
  node: 'required',
  summary: 'The owner seals what is held: every lane is anchored at its head in a new manifest, and no later fork reaches below.',
  schema: map({}),
  words: () => 'anchors every lane at its head',
  run (world, _args, node) {
    const at = byNode(node)
    started(world, at, 'anchor', decree(world, at, () => ({ anchor: true })))
  }
})
