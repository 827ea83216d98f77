/** `backup: {node, as}` */
import { baseActions, type BackupArgs } from '../scenario/base-schemas.js'
import { action } from '../plugin.js'

export default action<BackupArgs>({
  ...baseActions.get('backup')!,
  run (world, { node, as }) { world.node(node).machine.backup(as) }
})
