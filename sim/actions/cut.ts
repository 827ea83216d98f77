/** `cut: {from, to, bothWays}` */
import { baseActions, type CutArgs } from '../scenario/base-schemas.js'
import { action } from '../plugin.js'

export default action<CutArgs>({
  ...baseActions.get('cut')!,
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
