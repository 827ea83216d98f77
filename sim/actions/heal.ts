/** `heal: all` or `heal: {from, to}` */
import { baseActions, type HealArgs } from '../scenario/base-schemas.js'
import { action } from '../plugin.js'

export default action<HealArgs>({
  ...baseActions.get('heal')!,
  run (world, args) {
    if (args === 'all') world.network.heal()
    else for (const a of args.from) for (const b of args.to) if (a !== b) world.network.heal(a, b)
  }
})
