/** `backup: {node, as}` */
import { action } from '../plugin.js'
import { sayName } from '../scenario/say.js'
import { map, NODE } from '../scenario/schema-parts.js'
import { SNAPSHOT } from './kit.js'

interface BackupArgs { readonly node: string, readonly as: string }

export default action<BackupArgs>({
  name: 'backup',
  node: 'none',
  summary: 'Keeps a copy of the node\'s disk under a name.',
  schema: map({ node: NODE, as: SNAPSHOT }, ['node', 'as']),
  words: ({ node, as }) => `backup of ${node} as ${sayName(as)}`,
  run (world, { node, as }) { world.node(node).machine.backup(as) }
})
