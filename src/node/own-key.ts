/** A key that the newest manifest doesn't list: why, and what its holder can do. The owner of the domain isn't told to ask its owner. */
import type { DomainAuthorityManifest, Principal, Scope } from '../authority/manifest.js'
import type { DomainKnowledge } from '../authority/knowledge.js'
import { DiadError } from '../substrate/errors.js'
import type { PublicKey } from '../substrate/reference.js'
import type { Home } from './home/home.js'
import { homeKeys } from './home/principal-names.js'

const PRINCIPAL = 'principal'

const rightsIn = (m: DomainAuthorityManifest, key: PublicKey): { principal: Principal, scope: Scope } | undefined => {
  const at = m.principals.findIndex((p) => p.public_key === key)
  const [principal, scope] = [m.principals[at], m.scope[at]]
  return principal === undefined || scope === undefined ? undefined : { principal, scope }
}

/** What the last manifest that listed `key` gave it, and which one dropped it; undefined for a key that is listed, or never was. */
export function droppedKey (k: DomainKnowledge, key: PublicKey): { by: number, principal: Principal, scope: Scope } | undefined {
  const { onChain } = k.authority()
  const last = onChain.findLastIndex(({ manifest }) => rightsIn(manifest, key) !== undefined)
  const [before, after] = [onChain[last], onChain[last + 1]]
  if (before === undefined || after === undefined) return undefined
  return { by: after.manifest.version, ...rightsIn(before.manifest, key)! }
}

/** How the owner goes on whose own principal was dropped. */
export function newPrincipalHint ({ principal, scope }: { readonly principal: Principal, readonly scope: Scope }): string {
  const within = scope.prefixes.includes('') ? '' : ` --scope ${scope.prefixes.join(' ')}`
  return `\`diad key new ${PRINCIPAL}\` makes another one and puts this aside; \`diad role grant ${PRINCIPAL} --role ${principal.roles.join(',')}${within}\` gives it the same roles`
}

/** Whether it is the key that this home signs its own records with. */
export function isOwnPrincipal (home: Home, key: PublicKey): boolean {
  return homeKeys(home).some((h) => h.name === PRINCIPAL && h.publicKey === key)
}

/** Before a manifest drops `key`, for ever. Throws DiadError `not-confirmed` for the home's own principal without `yes`. */
export function demandOwnMeant (home: Home, key: PublicKey, yes: boolean): void {
  if (yes || !isOwnPrincipal(home, key)) return
  throw new DiadError('not-confirmed', 'that is the principal of this home, which signs what is published here', 'nothing was signed. `diad key rotate` puts a new key in its place; with --yes it is dropped for ever, and this home publishes nothing until it has another one')
}

/**
 * Whether `key` may do anything in the home's own domain. Throws DiadError `role-missing` with the way out for its owner.
 */
export function demandListed (home: Home, k: DomainKnowledge, key: PublicKey): void {
  const tip = k.authority().onChain.at(-1)?.manifest
  if (tip === undefined || rightsIn(tip, key) !== undefined) return
  const dropped = droppedKey(k, key)
  const own = isOwnPrincipal(home, key)
  if (dropped === undefined) {
    throw new DiadError('role-missing', `manifest ${tip.version} doesn't name this key, ${key.slice(0, 16)}…`,
      `give it a role: \`diad role grant ${own ? PRINCIPAL : key} --role publish\`. If it has one, that manifest isn't here yet: \`diad sync\` or \`diad bundle import\` brings it`)
  }
  throw new DiadError('role-missing', `manifest ${dropped.by} dropped this key${own ? ', the principal of this home,' : ''} and a dropped key never returns`,
    own ? newPrincipalHint(dropped) : 'use another key; without --key the principal of this home signs')
}
