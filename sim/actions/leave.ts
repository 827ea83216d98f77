/** `leave: {as}` */
import { DiadError } from '../../src/substrate/errors.js'
import { action } from '../plugin.js'
import { sayName } from '../scenario/say.js'
import { map } from '../scenario/schema-parts.js'
import { writeStick } from '../world/stick.js'
import { byNode, STICK } from './kit.js'

export default action<{ readonly as?: string }>({
  name: 'leave',
  node: 'required',
  summary: 'The node goes and wipes its disk; with `as`, it writes a bundle of its domain on a stick before.',
  schema: map({ as: STICK }),
  words: ({ as }) => `leaves and wipes its disk${as === undefined ? '' : `; what it held is on the stick ${sayName(as)}`}`,
  async run (world, { as }, node) {
    const at = byNode(node)
    try {
      if (as !== undefined) await writeStick(world, at, as)
    } catch (err) {
      if (!(err instanceof DiadError)) throw err
      world.note('leave', at.name, `nothing was written: ${err.code}`)
    }
    await at.whileDown(async () => { await world.empty(at) }, false)
  }
})
