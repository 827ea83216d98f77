/** `export: {as}` */
import { action } from '../plugin.js'
import { sayName } from '../scenario/say.js'
import { map } from '../scenario/schema-parts.js'
import { writeStick } from '../world/stick.js'
import { byNode, started, STICK } from './kit.js'

export default action<{ readonly as: string }>({
  name: 'export',
  node: 'required',
  summary: 'The node writes a bundle of its own domain on a stick.',
  schema: map({ as: STICK }, ['as']),
  words: ({ as }) => `writes a bundle of its domain on the stick ${sayName(as)}`,
  run (world, { as }, node) {
    const at = byNode(node)
    started(world, at, 'export', writeStick(world, at, as))
  }
})
