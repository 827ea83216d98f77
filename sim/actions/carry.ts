/** `carry: {from, to, domain}` */
import { baseActions, type CarryArgs } from '../scenario/base-schemas.js'
import { action } from '../plugin.js'
import { carry } from '../world/carrier.js'

export default action<CarryArgs>({
  ...baseActions.get('carry')!,
  run (world, { from, to, domain }) {
    for (const name of to) carry(world, world.node(from), world.node(name), world.domain(domain))
  }
})
