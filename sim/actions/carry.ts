/** `carry: {from, to, domain}` */
import { action } from '../plugin.js'
import { sayNames } from '../scenario/say.js'
import { DOMAIN, map, named, NODE } from '../scenario/schema-parts.js'
import { carry } from '../world/carrier.js'

interface CarryArgs { readonly from: string, readonly to: readonly string[], readonly domain: string }

export default action<CarryArgs>({
  name: 'carry',
  node: 'none',
  summary: 'What a node shows of a domain is carried to others by hand, without any link; a mirror takes the content too.',
  schema: map({ from: NODE, to: named('nodes'), domain: DOMAIN }, ['from', 'to', 'domain']),
  words: ({ from, to, domain }) => `${domain} is carried by hand from ${from} to ${sayNames(to)}`,
  run (world, { from, to, domain }) {
    for (const name of to) carry(world, world.node(from), world.node(name), world.domain(domain))
  }
})
