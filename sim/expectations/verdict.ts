/** `verdict: {domain, name, status, code}`: of a name's newest record, or of the domain as a whole. */
import { baseExpectations, type VerdictArgs } from '../scenario/base-schemas.js'
import { expectation } from '../plugin.js'
import { standingOf } from '../../src/authority/domain-standing.js'
import { found, heldBy, unmet } from './kit.js'

export default expectation<VerdictArgs>({
  ...baseExpectations.get('verdict')!,
  check (world, { domain, name, status, code }, node) {
    const held = heldBy(world, node, domain)
    if (typeof held === 'string') return unmet(held)
    let is: { status: string, code: string }
    if (name === undefined) is = standingOf(held.k)
    else {
      const entry = held.k.view().current.get(name)
      if (entry === undefined) return unmet('no such name')
      is = entry.code === 'contested' ? { status: 'contested', code: 'lane-forked' } : { status: 'accepted', code: 'accepted' }
    }
    return found((status ?? is.status) === is.status && (code ?? is.code) === is.code, `${is.status}: ${is.code}`)
  }
})
