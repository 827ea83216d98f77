/** `grant: {to, roles, scope}` */
import { DiadError } from '../../src/substrate/errors.js'
import { action } from '../plugin.js'
import { sayNames } from '../scenario/say.js'
import { choice, list, map } from '../scenario/schema-parts.js'
import { type Role, ROLES } from '../scenario/types.js'
import { decree } from '../world/desk.js'
import { PRINCIPAL } from './authority-kit.js'
import { byNode, started } from './kit.js'

interface GrantArgs { readonly to: string, readonly roles?: readonly Role[], readonly scope?: readonly string[] }

export default action<GrantArgs>({
  name: 'grant',
  node: 'required',
  summary: 'The owner gives a principal other roles or another scope; who isn\'t listed gets a fresh key where one was dropped before.',
  schema: map({
    to: PRINCIPAL,
    roles: list(choice(ROLES), 'a list of roles, such as [publish, federate]', { minItems: 1, uniqueItems: true }),
    scope: list({ type: 'string', maxLength: 1024 }, 'a list of name prefixes; "" is the whole domain', { minItems: 1, uniqueItems: true })
  }, ['to']),
  words: ({ to, roles, scope }) => `grants ${to} ${roles === undefined ? 'its roles' : sayNames(roles)}${scope === undefined ? '' : ` within ${scope.map((s) => s === '' ? 'everything' : s).join(', ')}`}`,
  run (world, { to, roles, scope }, node) {
    const at = byNode(node)
    started(world, at, 'grant', decree(world, at, ({ domain, k, rights }) => {
      const spec = domain.spec.principals.find((p) => p.name === to)
      if (spec === undefined) throw new DiadError('not-a-principal', `${domain.name} has no principal called ${to}`)
      const before = rights.find((r) => r.name === to)
      const { judged, tip } = k.authority()
      const seen = tip === undefined ? undefined : judged.get(tip)?.seen
      // A key that was dropped once never comes back (M1).
      const fresh = (): { publicKey: typeof rights[number]['publicKey'] } => domain.keys.unseen(to, seen) ?? domain.keys.principal(to)
      const right = { name: to, publicKey: (before ?? fresh()).publicKey, roles: roles ?? before?.roles ?? spec.roles, scope: scope ?? before?.scope ?? spec.scope }
      return { rights: [...rights.filter((r) => r !== before), right] }
    }))
  }
})
