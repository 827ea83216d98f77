/** `tombstone: {name, key}` */
import { baseActions, type TombstoneArgs } from '../scenario/base-schemas.js'
import { action } from '../plugin.js'
import { append } from '../world/publisher.js'
import { byNode, started } from './kit.js'

export default action<TombstoneArgs>({
  ...baseActions.get('tombstone')!,
  run (world, { name, key }, node) {
    const at = byNode(node)
    started(world, at, 'tombstone', append(world, at, { kind: 'tombstone', name }, key))
  }
})
