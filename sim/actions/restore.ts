/** `restore: {node, from}` */
import { baseActions, type RestoreArgs } from '../scenario/base-schemas.js'
import { DiadError } from '../../src/substrate/errors.js'
import { action } from '../plugin.js'

export default action<RestoreArgs>({
  ...baseActions.get('restore')!,
  async run (world, { node, from }) {
    const target = world.node(node)
    if (!target.machine.hasBackup(from)) throw new DiadError('bad-scenario', `${node} has no backup "${from}"`, 'a `backup` entry makes one')
    await target.stop()
    target.machine.restore(from)
    world.oracle.setBack.add(node)
    await target.start()
  }
})
