/** `clone: {node, to}` */
import { action } from '../plugin.js'
import { map, NODE } from '../scenario/schema-parts.js'

interface CloneArgs { readonly node: string, readonly to: string }

export default action<CloneArgs>({
  name: 'clone',
  node: 'none',
  summary: 'Another node of the same domain starts on a copy of this node\'s disk.',
  schema: map({ node: NODE, to: NODE }, ['node', 'to']),
  words: ({ node, to }) => `${to} starts on a clone of ${node}'s disk`,
  async run (world, { node, to }) {
    const target = world.node(to)
    await target.whileDown(() => {
      target.machine.cloneFrom(world.node(node).machine)
      world.oracle.setBack.add(to)
    })
  }
})
