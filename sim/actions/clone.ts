/** `clone: {node, to}` */
import { baseActions, type CloneArgs } from '../scenario/base-schemas.js'
import { action } from '../plugin.js'

export default action<CloneArgs>({
  ...baseActions.get('clone')!,
  async run (world, { node, to }) {
    const target = world.node(to)
    await target.stop()
    target.machine.cloneFrom(world.node(node).machine)
    world.oracle.setBack.add(to)
    await target.start()
  }
})
