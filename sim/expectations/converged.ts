/** `converged: DOMAINS` */
import { baseExpectations, type ConvergedArgs } from '../scenario/base-schemas.js'
import { expectation } from '../plugin.js'
import { divergence } from '../world/convergence.js'
import { met, unmet } from './kit.js'

export default expectation<ConvergedArgs>({
  ...baseExpectations.get('converged')!,
  check (world, domains) {
    for (const name of domains) {
      const wrong = divergence(world, world.domain(name))
      if (wrong !== undefined) return unmet(wrong)
    }
    return met(`${domains.length} domains, the same view everywhere`)
  }
})
