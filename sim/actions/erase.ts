/** `erase: {name, key}` */
import { DiadError } from '../../src/substrate/errors.js'
import { action } from '../plugin.js'
import { sayName } from '../scenario/say.js'
import { map, PUBLISHED } from '../scenario/schema-parts.js'
import { append, deskOf } from '../world/publisher.js'
import { byKey, byNode, KEY, started } from './kit.js'

interface EraseArgs { readonly name: string, readonly key?: string }

export default action<EraseArgs>({
  name: 'erase',
  node: 'required',
  summary: 'The node erases the newest record of a name: it has no effect any more, and its body isn\'t given to anybody.',
  schema: map({ name: PUBLISHED, key: KEY }, ['name']),
  words: ({ name, key }) => `erases the newest record of ${sayName(name)}${byKey(key)}`,
  run (world, { name, key }, node) {
    const at = byNode(node)
    started(world, at, 'erase', (async () => {
      const { k } = await deskOf(world, at, key)
      const entry = k.view().current.get(name)
      if (entry === undefined) throw new DiadError('not-held', `${at.name} sees no record of ${name}`)
      await append(world, at, { kind: 'erase', lane: entry.lane, index: entry.index, leaf_hash: entry.leafHash }, key)
    })())
  }
})
