/** `rotate-roots: {fresh, base}` */
import { action } from '../plugin.js'
import { rotate } from '../world/desk.js'
import { EPOCH, type EpochArgs, sayEpoch } from './authority-kit.js'
import { byNode, started } from './kit.js'

export default action<EpochArgs>({
  name: 'rotate-roots',
  node: 'required',
  summary: 'The root set that was committed to takes over from the live one, with a fresh root_key; it beats whatever thieves of the live roots built.',
  schema: EPOCH,
  words: (args) => `has the next roots take over and ${sayEpoch(args)}`,
  run (world, { fresh, base }, node) {
    const at = byNode(node)
    started(world, at, 'rotate-roots', rotate(world, at, { freshKey: fresh, base }))
  }
})
