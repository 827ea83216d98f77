/** `verdict: {domain, name, status, code}`: of a name's newest record, or of the domain as a whole. */
import { standingOf } from '../../src/authority/domain-standing.js'
import { expectation } from '../plugin.js'
import { sayName } from '../scenario/say.js'
import { choice, DOMAIN, map, PUBLISHED } from '../scenario/schema-parts.js'
import { CODE, found, heldBy, STATUSES, type Status, unmet } from './kit.js'

interface VerdictArgs { readonly domain: string, readonly name?: string, readonly status?: Status, readonly code?: string }

export default expectation<VerdictArgs>({
  name: 'verdict',
  node: 'required',
  summary: 'The node judges the newest record of the name, or the domain as a whole, as is said.',
  schema: map({ domain: DOMAIN, name: PUBLISHED, status: choice(STATUSES), code: CODE }, ['domain'], { anyOf: [{ required: ['status'] }, { required: ['code'] }], description: 'domain, and status or code' }),
  words: ({ domain, name, status, code }) => `says that ${sayName(name === undefined ? domain : `${domain}/${name}`)} is ${[status, code].filter((said) => said !== undefined).map(sayName).join(': ')}`,
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
