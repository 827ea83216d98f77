/** `collect: {replaced}` */
import { collectGarbage } from '../../src/federation/garbage.js'
import { isWhole } from '../../src/federation/ledger.js'
import type { Engine } from '../../src/federation/engine.js'
import { childrenOf } from '../../src/publication/walk.js'
import { NONE, type Reference } from '../../src/substrate/reference.js'
import { getUndamaged } from '../../src/substrate/store.js'
import { action } from '../plugin.js'
import { flag, map } from '../scenario/schema-parts.js'
import type { SimNode } from '../world/node.js'
import type { World } from '../world/world.js'
import { byNode, started } from './kit.js'

interface CollectArgs { readonly replaced: boolean }

/** Nothing interrupts it but the end of the node's life, and that the disk tells. */
const signal = { throwIfAborted: () => undefined }

export default action<CollectArgs>({
  name: 'collect',
  node: 'required',
  summary: 'The node gives its disk back what nothing needs (`diad gc`); that no name loses content by it is checked at once.',
  schema: map({ replaced: flag('true: also what was replaced longer ago than policies keep') }),
  words: ({ replaced }) => `collects garbage${replaced ? ', replaced content too' : ''}`,
  run (world, { replaced }, node) {
    const at = byNode(node)
    if (at.engine !== undefined) started(world, at, 'collect', collect(world, at, at.engine, replaced))
  }
})

async function collect (world: World, node: SimNode, engine: Engine, replaced: boolean): Promise<void> {
  await collectGarbage(engine, { replaced, unpublished: false, unfollowed: false, pretend: false, signal, free: async () => { await engine.ports.blocks.compact({ signal }) } })
  const { blocks, kv } = engine.ports
  for (const domain of engine.active()) {
    for (const { ref, name } of (await engine.knowledge(domain)).view().current.values()) {
      if (ref === NONE || !isWhole(kv, domain, ref)) continue
      const lost = await lostBelow(engine, ref)
      // A disk that changes bits loses blocks on its own account, and what was erased or replaced meanwhile isn't whole any more.
      if (lost !== undefined && blocks.damaged.size === 0 && isWhole(kv, domain, ref) && node.engine === engine) world.violate('collected-too-much', node.name, `${world.nameOf(domain)}/${name} lost the block ${lost.slice(4, 16)}`)
    }
  }
}

async function lostBelow (engine: Engine, root: Reference): Promise<Reference | undefined> {
  const { blocks } = engine.ports
  const stack = [root]
  for (let ref = stack.pop(); ref !== undefined; ref = stack.pop()) {
    const artifact = await getUndamaged(blocks, ref)
    if (artifact === undefined) return ref
    for (const child of childrenOf(artifact)) stack.push(child.ref)
  }
  return undefined
}
