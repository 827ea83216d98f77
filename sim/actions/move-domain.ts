/** `move-domain: {to}` */
import { action } from '../plugin.js'
import { map, named } from '../scenario/schema-parts.js'
import { moveDomain } from '../world/desk.js'
import { byNode, started } from './kit.js'

export default action<{ readonly to: string }>({
  name: 'move-domain',
  node: 'required',
  summary: 'The live roots of the domain tell all its followers that it goes on as another domain; nothing else changes, and a rotation takes it back.',
  schema: map({ to: named('domain', 'the domain that it goes on as') }, ['to']),
  words: ({ to }) => `has the roots say that its domain goes on as ${to}`,
  run (world, { to }, node) {
    const at = byNode(node)
    started(world, at, 'move-domain', moveDomain(world, at, to))
  }
})
