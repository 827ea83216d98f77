/** `crash: {node, torn}` */
import { action } from '../plugin.js'
import { flag, map, NODE } from '../scenario/schema-parts.js'

interface CrashArgs { readonly node: string, readonly torn: boolean }

export default action<CrashArgs>({
  name: 'crash',
  node: 'none',
  summary: 'The node stops at once; what it had not synced is lost, and with torn its last write is left half done.',
  schema: map({ node: NODE, torn: flag('true: the last write is torn') }, ['node']),
  words: ({ node, torn }) => `crash of ${node}${torn ? ' within a write' : ''}`,
  run (world, { node, torn }) {
    const victim = world.node(node)
    // Torn: the power goes in the middle of the next thing it writes, whatever that is.
    if (torn && victim.up) victim.machine.disk.cutAt = victim.machine.disk.steps + 1 + victim.random.below(3)
    else victim.crash('power cut')
  }
})
