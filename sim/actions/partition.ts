/** `partition: [SIDE, SIDE, …]` */
import { baseActions, type PartitionArgs } from '../scenario/base-schemas.js'
import { action } from '../plugin.js'

export default action<PartitionArgs>({
  ...baseActions.get('partition')!,
  run (world, sides) { world.network.partition(sides) }
})
