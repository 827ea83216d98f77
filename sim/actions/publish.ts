/** `publish: {name, bytes, key}` */
import { baseActions, type PublishArgs } from '../scenario/base-schemas.js'
import { action } from '../plugin.js'
import { publish } from '../world/publisher.js'
import { byNode, started } from './kit.js'

export default action<PublishArgs>({
  ...baseActions.get('publish')!,
  run (world, { name, bytes, key }, node) {
    const at = byNode(node)
    const content = world.random.fork(`content ${at.name} ${name} ${world.clock.now}`).bytes(bytes)
    started(world, at, 'publish', publish(world, at, name, content, key))
  }
})
