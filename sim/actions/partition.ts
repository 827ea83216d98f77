/** `partition: [SIDE, SIDE, …]` */
import { action } from '../plugin.js'
import { sayNames } from '../scenario/say.js'
import { list, named } from '../scenario/schema-parts.js'
import { changeLinks } from './kit.js'

/** sides; nodes that stand in none form one more side together */
type PartitionArgs = ReadonlyArray<readonly string[]>

export default action<PartitionArgs>({
  name: 'partition',
  node: 'none',
  summary: 'Nothing passes between the sides any more; nodes that stand in no side form one more together. Replaces an earlier partition.',
  schema: list(named('nodes'), 'a list of sides, such as [[home, bob], [laptop]]', { minItems: 1, 'x-disjoint': 'nodes' }),
  words: (sides) => `partition: ${sides.map(sayNames).join(' | ')}${sides.length === 1 ? ' | the rest' : ''}`,
  run (world, sides) { changeLinks(world, () => { world.network.partition(sides) }) }
})
