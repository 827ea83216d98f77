/** `publish: {name, bytes, key}` */
import { action } from '../plugin.js'
import { sayName, saySize } from '../scenario/say.js'
import { map, PUBLISHED, quantity } from '../scenario/schema-parts.js'
import { publish } from '../world/publisher.js'
import { byKey, byNode, KEY, started } from './kit.js'

interface PublishArgs { readonly name: string, readonly bytes: number, readonly key?: string }

export default action<PublishArgs>({
  name: 'publish',
  node: 'required',
  summary: 'The node publishes new content under a name of its domain.',
  schema: map({ name: PUBLISHED, bytes: quantity('bytes', 'the size of the content', { range: [0, 1e10], default: '1kB' }), key: KEY }, ['name']),
  words: ({ name, bytes, key }) => `publishes ${sayName(name)} (${saySize(bytes)})${byKey(key)}`,
  run (world, { name, bytes, key }, node) {
    const at = byNode(node)
    const content = world.random.fork(`content ${at.name} ${name} ${world.clock.now}`).bytes(bytes)
    started(world, at, 'publish', publish(world, at, name, content, key))
  }
})
