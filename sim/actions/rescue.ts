/** `rescue: {stick}` */
import { action } from '../plugin.js'
import { sayName } from '../scenario/say.js'
import { map } from '../scenario/schema-parts.js'
import { plugIn } from '../world/stick.js'
import { byNode, started, STICK } from './kit.js'

export default action<{ readonly stick: string }>({
  name: 'rescue',
  node: 'required',
  summary: 'The node starts with an empty disk, its keys, and the bundle on a stick; `leave` ends that.',
  schema: map({ stick: STICK }, ['stick']),
  words: ({ stick }) => `starts as a rescue from the stick ${sayName(stick)}`,
  async run (world, { stick }, node) {
    const at = byNode(node)
    await at.whileDown(async () => { await world.empty(at) })
    started(world, at, 'rescue', plugIn(world, at, stick))
  }
})
