/** `crash: {node, torn}` */
import { baseActions, type CrashArgs } from '../scenario/base-schemas.js'
import { action } from '../plugin.js'

export default action<CrashArgs>({
  ...baseActions.get('crash')!,
  run (world, { node, torn }) {
    const victim = world.node(node)
    // Torn: the power goes in the middle of the next thing it writes, whatever that is.
    if (torn && victim.up) victim.machine.disk.cutAt = victim.machine.disk.steps + 1 + victim.random.below(3)
    else victim.crash('power cut')
  }
})
