/** `view: {domain, names, logseq, has, lacks, as}` */
import { NONE } from '../../src/substrate/reference.js'
import { baseExpectations, type ViewArgs } from '../scenario/base-schemas.js'
import { expectation } from '../plugin.js'
import { found, heldBy, unmet, within } from './kit.js'

export default expectation<ViewArgs>({
  ...baseExpectations.get('view')!,
  check (world, args, node) {
    const held = heldBy(world, node, args.domain)
    if (typeof held === 'string') return unmet(held)
    const view = held.k.view()
    const names = [...view.current.values()].filter((e) => e.ref !== NONE).map((e) => e.name)
    const lacking = (args.has ?? []).filter((n) => !names.includes(n))
    const extra = (args.lacks ?? []).filter((n) => names.includes(n))
    let ok = lacking.length === 0 && extra.length === 0
    if (args.names !== undefined) ok &&= within(names.length, args.names)
    if (args.logseq !== undefined) ok &&= within(view.logseq, args.logseq)
    if (args.as !== undefined) {
      const other = heldBy(world, world.node(args.as), args.domain)
      if (typeof other === 'string') return unmet(other)
      ok &&= other.k.view().digest === view.digest
    }
    const more = [...lacking.map((n) => `lacks ${n}`), ...extra.map((n) => `has ${n}`)]
    return found(ok, [`${names.length} names, logseq ${view.logseq}, view ${view.digest.slice(0, 12)}`, ...more].join(', '))
  }
})
