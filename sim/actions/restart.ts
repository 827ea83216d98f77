/** `restart: {node, empty}` */
import { action } from '../plugin.js'
import { flag, map, NODE } from '../scenario/schema-parts.js'

interface RestartArgs { readonly node: string, readonly empty: boolean }

export default action<RestartArgs>({
  name: 'restart',
  node: 'none',
  summary: 'A node that is down starts again on its disk, or on an empty one; a node that is up stops first.',
  schema: map({ node: NODE, empty: flag('true: with an empty store') }, ['node']),
  words: ({ node, empty }) => `restart of ${node}${empty ? ' with an empty store' : ''}`,
  async run (world, { node, empty }) {
    const target = world.node(node)
    await target.whileDown(async () => {
      // A power cut that waited for a write has had its chance.
      target.machine.disk.cutAt = Infinity
      if (empty) await world.empty(target)
    })
  }
})
