/** `verdict: {domain, name, by, status, code}`: of a name's newest record, of a principal's newest record of it, or of the domain as a whole. */
import { standingOf } from '../../src/authority/domain-standing.js'
import { expectation } from '../plugin.js'
import { sayName } from '../scenario/say.js'
import { choice, DOMAIN, map, named, PUBLISHED } from '../scenario/schema-parts.js'
import { CODE, found, heldBy, principalsCalled, sayVerdict, STATUSES, type Status, unmet } from './kit.js'
import { recordBy } from './record.js'

interface VerdictArgs { readonly domain: string, readonly name?: string, readonly by?: string, readonly status?: Status, readonly code?: string }

export default expectation<VerdictArgs>({
  name: 'verdict',
  node: 'required',
  summary: 'The node judges the newest record of the name, or of the name by that principal, or the domain as a whole, as is said.',
  schema: map({ domain: DOMAIN, name: PUBLISHED, by: named('principal', 'the principal whose record it is, whether or not a view shows it'), status: choice(STATUSES), code: CODE }, ['domain'],
    { anyOf: [{ required: ['status'] }, { required: ['code'] }], dependencies: { by: ['name'] }, description: 'domain, and status or code; by goes with name' }),
  words: ({ domain, name, by, status, code }) => `says that ${sayName(name === undefined ? domain : `${domain}/${name}`)}${by === undefined ? '' : ` by ${by}`} is ${sayVerdict(status === undefined ? undefined : sayName(status), code === undefined ? undefined : sayName(code))}`,
  check (world, { domain, name, by, status, code }, node) {
    const held = heldBy(world, node, domain)
    if (typeof held === 'string') return unmet(held)
    let is: { status: string, code: string }
    if (name === undefined) is = standingOf(held.k)
    else if (by !== undefined) {
      const record = recordBy(held.k, name, principalsCalled(world, domain, by))
      if (record === undefined) return unmet(`no record of ${name} by ${by} is held`)
      is = record
    } else {
      const entry = held.k.view().current.get(name)
      if (entry === undefined) return unmet('no such name')
      is = entry.code === 'contested' ? { status: 'contested', code: 'lane-forked' } : { status: 'accepted', code: 'accepted' }
    }
    return found((status ?? is.status) === is.status && (code ?? is.code) === is.code, sayVerdict(is.status, is.code))
  }
})
