/** `tombstone: {name, key}` */
import { action } from '../plugin.js'
import { sayName } from '../scenario/say.js'
import { map, PUBLISHED } from '../scenario/schema-parts.js'
import { append } from '../world/publisher.js'
import { byKey, byNode, KEY, started } from './kit.js'

interface TombstoneArgs { readonly name: string, readonly key?: string }

export default action<TombstoneArgs>({
  name: 'tombstone',
  node: 'required',
  summary: 'The node takes a name of its domain out of the view.',
  schema: map({ name: PUBLISHED, key: KEY }, ['name']),
  words: ({ name, key }) => `takes ${sayName(name)} out of the view${byKey(key)}`,
  run (world, { name, key }, node) {
    const at = byNode(node)
    started(world, at, 'tombstone', append(world, at, { kind: 'tombstone', name }, key))
  }
})
