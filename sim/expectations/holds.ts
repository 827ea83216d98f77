/** `holds: {domain, name, content}` */
import { missingRoots } from '../../src/federation/mirror.js'
import { NONE } from '../../src/substrate/reference.js'
import { expectation } from '../plugin.js'
import { sayName } from '../scenario/say.js'
import { DOMAIN, flag, map, PUBLISHED } from '../scenario/schema-parts.js'
import { heldBy, met, unmet } from './kit.js'

interface HoldsArgs { readonly domain: string, readonly name: string, readonly content: boolean }

export default expectation<HoldsArgs>({
  name: 'holds',
  node: 'required',
  summary: 'The node\'s view of the domain has the name; with content, its bytes are held too.',
  schema: map({ domain: DOMAIN, name: PUBLISHED, content: flag('true: the bytes are held too') }, ['domain', 'name']),
  words: ({ domain, name, content }) => `holds ${sayName(`${domain}/${name}`)}${content ? ' with its content' : ''}`,
  check (world, { domain, name, content }, node) {
    const held = heldBy(world, node, domain)
    if (typeof held === 'string') return unmet(held)
    const entry = held.k.view().current.get(name)
    if (entry === undefined || entry.ref === NONE) return unmet(`its view of ${domain} has ${held.k.view().current.size} names, and not this one`)
    const { engine } = held.node
    if (content && engine !== undefined && missingRoots(engine, held.k).includes(entry.ref)) return unmet('the name is there, its content is not')
    return met(`${entry.code}, logseq ${entry.logseq}`)
  }
})
