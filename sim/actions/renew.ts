/** `renew: {fresh, base}` */
import { action } from '../plugin.js'
import { renew } from '../world/desk.js'
import { EPOCH, type EpochArgs, sayEpoch } from './authority-kit.js'
import { byNode, started } from './kit.js'

export default action<EpochArgs>({
  name: 'renew',
  node: 'required',
  summary: 'The roots of the domain certify a root_key anew: it ends one that was stolen, and says from which manifest to go on.',
  schema: EPOCH,
  words: (args) => `has the roots ${sayEpoch(args)}`,
  run (world, { fresh, base }, node) {
    const at = byNode(node)
    started(world, at, 'renew', renew(world, at, { freshKey: fresh, base }))
  }
})
