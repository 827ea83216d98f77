/** `rotate-roots: {fresh, base}` */
import { action } from '../plugin.js'
import { flag, map } from '../scenario/schema-parts.js'
import { type Base, rotate } from '../world/desk.js'
import { BASE } from './authority-kit.js'
import { byNode, started } from './kit.js'

interface EpochArgs { readonly fresh: boolean, readonly base: Base }

export default action<EpochArgs>({
  name: 'rotate-roots',
  node: 'required',
  summary: 'The root set that was committed to takes over from the live one, with a fresh root_key; it beats whatever thieves of the live roots built.',
  schema: map({ fresh: flag('false: the same root_key again', true), base: BASE }),
  words: ({ fresh, base }) => `has the next roots take over and certify ${fresh ? 'a fresh root_key' : 'the same root_key again'}, from ${base === 'ours' ? 'the newest manifest of the domain\'s own people' : 'the newest manifest in force'} on`,
  run (world, { fresh, base }, node) {
    const at = byNode(node)
    started(world, at, 'rotate-roots', rotate(world, at, { freshKey: fresh, base }))
  }
})
