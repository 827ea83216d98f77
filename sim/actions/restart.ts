/** `restart: {node, empty}` */
import { baseActions, type RestartArgs } from '../scenario/base-schemas.js'
import { action } from '../plugin.js'

export default action<RestartArgs>({
  ...baseActions.get('restart')!,
  async run (world, { node, empty }) {
    const target = world.node(node)
    await target.stop()
    if (empty) await world.empty(target)
    await target.start()
  }
})
