/** `export: {as, internal}` */
import { action } from '../plugin.js'
import { sayName } from '../scenario/say.js'
import { flag, map } from '../scenario/schema-parts.js'
import { writeStick } from '../world/stick.js'
import { byNode, started, STICK } from './kit.js'

export default action<{ readonly as: string, readonly internal: boolean }>({
  name: 'export',
  node: 'required',
  summary: 'The node writes a bundle of its own domain on a stick.',
  schema: map({ as: STICK, internal: flag('also what it decided on other domains, for its domain\'s other nodes alone') }, ['as']),
  words: ({ as, internal }) => `writes a bundle of its domain on the stick ${sayName(as)}${internal ? ', with what it decided on others' : ''}`,
  run (world, { as, internal }, node) {
    const at = byNode(node)
    started(world, at, 'export', writeStick(world, at, as, internal))
  }
})
