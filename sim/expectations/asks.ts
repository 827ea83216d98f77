/** `asks: {domain, name, of}` */
import { expectation } from '../plugin.js'
import { sayName } from '../scenario/say.js'
import { DOMAIN, map, NODE, PUBLISHED } from '../scenario/schema-parts.js'
import { found, heldBy, unmet } from './kit.js'

interface AsksArgs { readonly domain: string, readonly name: string, readonly of: string }

export default expectation<AsksArgs>({
  name: 'asks',
  node: 'required',
  summary: 'The node asked an adversary that takes note of it (fisher) for the content of the name.',
  schema: map({ domain: DOMAIN, name: PUBLISHED, of: NODE }, ['domain', 'name', 'of']),
  words: ({ domain, name, of }) => `asked ${of} for the content of ${sayName(`${domain}/${name}`)}`,
  check (world, { domain, name, of }, node) {
    const held = heldBy(world, node, domain)
    if (typeof held === 'string') return unmet(held)
    const entry = held.k.view().current.get(name)
    if (entry === undefined) return unmet('no such name')
    const asked = world.oracle.asked.has(`${held.node.name} ${of} ${entry.ref}`)
    return found(asked, asked ? 'it asked' : 'it knows the name and never asked')
  }
})
