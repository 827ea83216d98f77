/** `cut: {from, to, bothWays}` */
import { action } from '../plugin.js'
import { sayNames } from '../scenario/say.js'
import { flag, map, named } from '../scenario/schema-parts.js'

interface CutArgs { readonly from: readonly string[], readonly to: readonly string[], readonly bothWays: boolean }

export default action<CutArgs>({
  name: 'cut',
  node: 'none',
  summary: 'Nothing passes from some nodes to others; the way back stays open unless bothWays.',
  schema: map({ from: named('nodes'), to: named('nodes'), bothWays: flag('true: the way back is cut too') }, ['from', 'to']),
  words: ({ from, to, bothWays }) => `cut: ${sayNames(from)} ${bothWays ? '↔' : '→'} ${sayNames(to)}`,
  run (world, { from, to, bothWays }) {
    for (const a of from) {
      for (const b of to) {
        if (a === b) continue
        world.network.cut(a, b)
        if (bothWays) world.network.cut(b, a)
      }
    }
  }
})
