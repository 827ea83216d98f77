/** `renew: {fresh, base}` */
import { action } from '../plugin.js'
import { flag, map } from '../scenario/schema-parts.js'
import { type Base, renew } from '../world/desk.js'
import { BASE } from './authority-kit.js'
import { byNode, started } from './kit.js'

interface EpochArgs { readonly fresh: boolean, readonly base: Base }

export default action<EpochArgs>({
  name: 'renew',
  node: 'required',
  summary: 'The roots of the domain certify a root_key anew: it ends one that was stolen, and says from which manifest to go on.',
  schema: map({ fresh: flag('false: the same root_key again', true), base: BASE }),
  words: ({ fresh, base }) => `has the roots certify ${fresh ? 'a fresh root_key' : 'the same root_key again'}, from ${base === 'ours' ? 'the newest manifest of the domain\'s own people' : 'the newest manifest in force'} on`,
  run (world, { fresh, base }, node) {
    const at = byNode(node)
    started(world, at, 'renew', renew(world, at, { freshKey: fresh, base }))
  }
})
