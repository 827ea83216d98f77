/** `view: {domain, names, logseq, has, lacks, as}` */
import { NONE } from '../../src/substrate/reference.js'
import { expectation } from '../plugin.js'
import { type Bounds, sayBounds, sayNames } from '../scenario/say.js'
import { DOMAIN, list, map, named, PUBLISHED } from '../scenario/schema-parts.js'
import { bounds, count, found, heldBy, unmet, within } from './kit.js'

interface ViewArgs { readonly domain: string, readonly names?: Bounds, readonly logseq?: Bounds, readonly has?: readonly string[], readonly lacks?: readonly string[], readonly as?: string }

const NAMES = list(PUBLISHED, 'a list of published names', { minItems: 1, uniqueItems: true })

export default expectation<ViewArgs>({
  name: 'view',
  node: 'required',
  summary: 'The node\'s view of the domain is as large, as far, or as equal to another node\'s as is said.',
  schema: map({ domain: DOMAIN, names: bounds(count), logseq: bounds(count), has: NAMES, lacks: NAMES, as: named('node', 'a node whose view is the same') }, ['domain'], { minProperties: 2 }),
  words: ({ domain, names, logseq, has, lacks, as }) => [
    `has ${as === undefined ? 'a' : `${as}'s`} view of ${domain}`,
    names === undefined ? '' : `of ${sayBounds(names)} names`,
    logseq === undefined ? '' : `at logseq ${sayBounds(logseq)}`,
    has === undefined ? '' : `with ${sayNames(has)}`,
    lacks === undefined ? '' : `without ${sayNames(lacks)}`
  ].filter((part) => part !== '').join(' '),
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
