/** `refused: {code, peer, domain, count}` */
import { expectation } from '../plugin.js'
import { found, REFUSED, refusalsLike, type RefusedArgs, sayRefused, within } from './kit.js'

export default expectation<RefusedArgs>({
  name: 'refused',
  node: 'required',
  summary: 'The node refused something of a peer\'s, with that code, from that peer, or that often.',
  schema: REFUSED,
  words: sayRefused,
  check (world, args, node) {
    const all = world.refusals.filter((r) => r.node === node?.name)
    const like = refusalsLike(all, args)
    return found(within(like.length, args.count ?? { min: 1 }), `${like.length} like that; ${[...new Set(all.map((r) => r.code))].join(', ') || 'nothing refused'}`)
  }
})
