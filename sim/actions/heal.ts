/** `heal: all` or `heal: {from, to}` */
import { action } from '../plugin.js'
import { sayNames } from '../scenario/say.js'
import { map, named } from '../scenario/schema-parts.js'
import { changeLinks } from './kit.js'

type HealArgs = 'all' | { readonly from: readonly string[], readonly to: readonly string[] }

export default action<HealArgs>({
  name: 'heal',
  node: 'none',
  summary: 'Ends the partition and every cut (`all`), or the cuts from some nodes to others.',
  schema: { anyOf: [{ const: 'all' }, map({ from: named('nodes'), to: named('nodes') }, ['from', 'to'])], description: 'all, or {from: NODES, to: NODES}' },
  words: (args) => args === 'all' ? 'all links heal' : `heal: ${sayNames(args.from)} → ${sayNames(args.to)}`,
  run (world, args) {
    changeLinks(world, () => {
      if (args === 'all') world.network.heal()
      else for (const a of args.from) for (const b of args.to) if (a !== b) world.network.heal(a, b)
    })
  }
})
