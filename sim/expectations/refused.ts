/** `refused: {code, peer, domain, count}` */
import { baseExpectations, type RefusedArgs } from '../scenario/base-schemas.js'
import { expectation } from '../plugin.js'
import { refusalsLike } from './nobody.js'
import { found, within } from './kit.js'

export default expectation<RefusedArgs>({
  ...baseExpectations.get('refused')!,
  check (world, args, node) {
    const all = world.refusals.filter((r) => r.node === node?.name)
    const like = refusalsLike(all, args)
    return found(within(like.length, args.count ?? { min: 1 }), `${like.length} like that; ${[...new Set(all.map((r) => r.code))].join(', ') || 'nothing refused'}`)
  }
})
