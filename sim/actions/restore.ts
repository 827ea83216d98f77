/** `restore: {node, from}` */
import { DiadError } from '../../src/substrate/errors.js'
import { action } from '../plugin.js'
import { sayName } from '../scenario/say.js'
import { map, NODE } from '../scenario/schema-parts.js'
import { SNAPSHOT } from './kit.js'

interface RestoreArgs { readonly node: string, readonly from: string }

export default action<RestoreArgs>({
  name: 'restore',
  node: 'none',
  summary: 'The node starts again on a copy that `backup` kept.',
  schema: map({ node: NODE, from: SNAPSHOT }, ['node', 'from']),
  words: ({ node, from }) => `restore of ${node} from the backup ${sayName(from)}`,
  async run (world, { node, from }) {
    const target = world.node(node)
    if (!target.machine.hasBackup(from)) throw new DiadError('bad-scenario', `${node} has no backup "${from}"`, 'a `backup` entry makes one')
    await target.whileDown(() => {
      target.machine.restore(from)
      world.oracle.setBack.add(node)
    })
  }
})
