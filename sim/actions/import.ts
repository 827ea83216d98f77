/** `import: {stick}` */
import { action } from '../plugin.js'
import { sayName } from '../scenario/say.js'
import { map } from '../scenario/schema-parts.js'
import { plugIn } from '../world/stick.js'
import { byNode, started, STICK } from './kit.js'

export default action<{ readonly stick: string }>({
  name: 'import',
  node: 'required',
  summary: 'The node takes in the bundle on a stick, and judges it as if it had come over the network.',
  schema: map({ stick: STICK }, ['stick']),
  words: ({ stick }) => `takes in the bundle on the stick ${sayName(stick)}`,
  run (world, { stick }, node) {
    const at = byNode(node)
    started(world, at, 'import', plugIn(world, at, stick))
  }
})
