/** `admit: {domain, decision, scope, keep, shown, key}` */
import { action } from '../plugin.js'
import { choice, DOMAIN, list, map, text } from '../scenario/schema-parts.js'
import { decide } from '../world/admissions.js'
import { byKey, byNode, KEY, started } from './kit.js'

const DECISIONS = { accept: 'ACCEPTED', limit: 'ACCEPTED_LIMITED', defer: 'DEFERRED', reject: 'REJECTED' } as const
const WORDS = { accept: 'admits', limit: 'admits in part', defer: 'puts off', reject: 'turns away' } as const
const LETTER = text('a name for the request, such as letter', { most: 64 })

interface AdmitArgs { readonly domain: string, readonly decision: keyof typeof DECISIONS, readonly scope: readonly string[], readonly keep?: string, readonly shown?: string, readonly key?: string }

export default action<AdmitArgs>({
  name: 'admit',
  node: 'required',
  summary: 'The node decides whether another domain enters its own domain\'s view, on a request that comes by hand; a later reject withdraws.',
  schema: map({
    domain: DOMAIN,
    decision: choice(Object.keys(DECISIONS), 'accept', 'accept, limit, defer or reject'),
    scope: list({ type: 'string', maxLength: 1024 }, 'a list of name prefixes; "" is the whole domain', { minItems: 1, uniqueItems: true, default: [''] }),
    keep: LETTER,
    shown: LETTER,
    key: KEY
  }, ['domain']),
  words: ({ domain, decision, scope, keep, shown, key }) => [
    `${WORDS[decision]} ${domain}`,
    decision === 'accept' || decision === 'limit' ? ` within ${scope.map((s) => s === '' ? 'everything' : s).join(', ')}` : '',
    shown === undefined ? '' : ` on the request ${shown}`,
    keep === undefined ? '' : ` on a request that is kept as ${keep}`,
    byKey(key)
  ].join(''),
  run (world, { domain, decision, ...rest }, node) {
    const at = byNode(node)
    started(world, at, 'admit', decide(world, at, { of: domain, decision: DECISIONS[decision], ...rest }))
  }
})
