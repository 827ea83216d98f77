/** `admitted: {domain, has, lacks, names, code, with}` */
import { DiadError } from '../../src/substrate/errors.js'
import { expectation } from '../plugin.js'
import { type Bounds, sayBounds, sayNames } from '../scenario/say.js'
import { DOMAIN, list, map, named, PUBLISHED } from '../scenario/schema-parts.js'
import { limitedAt } from '../world/admissions.js'
import { bounds, CODE, count, found, heldBy, unmet, within } from './kit.js'

interface AdmittedArgs { readonly domain: string, readonly has?: readonly string[], readonly lacks?: readonly string[], readonly names?: Bounds, readonly code?: string, readonly with?: string }

const NAMES = list(PUBLISHED, 'a list of published names', { minItems: 1, uniqueItems: true })

export default expectation<AdmittedArgs>({
  name: 'admitted',
  node: 'required',
  summary: 'Names of another domain stand in the node\'s view of the federation, others don\'t; `with` another node\'s decisions too.',
  schema: map({
    domain: DOMAIN,
    has: NAMES,
    lacks: NAMES,
    names: bounds(count),
    code: CODE,
    with: named('node', 'a node whose decisions count too')
  }, ['domain'], { minProperties: 2 }),
  words: ({ domain, has, lacks, names, code, with: also }) => [
    `lets into its view of the federation${also === undefined ? '' : `, were it to know what ${also} decided,`} of ${domain}`,
    names === undefined ? '' : `${sayBounds(names)} names`,
    has === undefined ? '' : sayNames(has),
    lacks === undefined ? '' : `and not ${sayNames(lacks)}`,
    code === undefined ? '' : `: ${code}`
  ].filter((part) => part !== '').join(' ').replace(' :', ':'),
  async check (world, { domain, has = [], lacks = [], names, code, with: also }, node) {
    const held = heldBy(world, node, domain)
    if (typeof held === 'string') return unmet(held)
    let seen: Awaited<ReturnType<typeof limitedAt>>
    try {
      seen = await limitedAt(world, [held.node, ...also === undefined ? [] : [world.node(also)]], held.k)
    } catch (err) {
      if (err instanceof DiadError && err.code === 'node-down') return unmet(err.message)
      throw err
    }
    const { limited, admitted } = seen
    const inside = new Set(limited.entries.map((e) => e.name))
    const is = limited.code ?? 'accepted'
    const ok = has.every((n) => inside.has(n)) && !lacks.some((n) => inside.has(n)) && (names === undefined || within(inside.size, names)) && (code === undefined || code === is)
    return found(ok, `${is}, ${admitted?.decision ?? 'nothing decided'}: ${inside.size === 0 ? 'no names' : sayNames([...inside])}; ${limited.refused.length} left out`)
  }
})
