/** `converged: DOMAINS` */
import { expectation } from '../plugin.js'
import { sayNames } from '../scenario/say.js'
import { named } from '../scenario/schema-parts.js'
import { divergence } from '../world/convergence.js'
import { met, unmet } from './kit.js'

type ConvergedArgs = readonly string[]

export default expectation<ConvergedArgs>({
  name: 'converged',
  node: 'none',
  summary: 'All honest nodes that are up and hold one of the domains have the same view of it.',
  schema: named('domains', 'a domain, a group or a list of both'),
  words: (domains) => `all who hold ${sayNames(domains)} have the same view`,
  check (world, domains) {
    for (const name of domains) {
      const wrong = divergence(world, world.domain(name))
      if (wrong !== undefined) return unmet(wrong)
    }
    return met(domains.length === 1 ? 'the same view everywhere' : `${domains.length} domains, the same view everywhere`)
  }
})
