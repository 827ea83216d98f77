/** DomainAuthorityManifest: who may do what under one epoch of a domain. Source: SCHEMA [05], RULES M1, M3, T2. */
import { prefix } from '../publication/names.js'
import { prefixesCover } from '../publication/prefix-set.js'
import { artifactCodec } from '../substrate/codec.js'
import { type Hash, NONE } from '../substrate/reference.js'
import { checked, hash, list, ref, refOrNone, struct, type TypeOf, uint } from '../substrate/shape.js'
import { TAG } from '../substrate/type-tags.js'
import { keyHash, MANY, roleSet, strongKey } from './shapes.js'

const U32 = 0xffffffff

const principal = checked(
  struct({ principal_id: hash, public_key: strongKey, roles: roleSet(1) }),
  (p) => p.principal_id === keyHash(p.public_key) ? undefined : 'a principal_id that is the SHA-256 of public_key')

const scope = struct({
  principal_id: hash,
  /** names by whole segments; '' = the whole domain, [] = nothing */
  prefixes: list(prefix, { max: MANY, ascending: (p) => p }),
  /** NONE = any program, [] = none */
  programs: list(refOrNone, { max: MANY, ascending: (p) => p })
})

const shape = checked(
  struct({
    domain_id: ref,
    root_entry: ref,
    version: uint(U32, 1),
    previous: refOrNone,
    root_key: strongKey,
    principals: list(principal, { min: 1, max: MANY, ascending: (p) => p.principal_id }),
    policy_hash: hash,
    scope: list(scope, { min: 1, max: MANY, ascending: (s) => s.principal_id }),
    closed: list(hash, { max: MANY, ascending: (id) => id }),
    cuts: refOrNone
  }),
  (m) => {
    if ((m.version === 1) !== (m.previous === NONE)) return 'a zero previous in version 1 and only there'
    const paired = m.scope.length === m.principals.length && m.scope.every((s, i) => s.principal_id === m.principals[i]?.principal_id)
    return paired ? undefined : 'one scope for each principal, in the same order'
  })

export type { Role } from './role-names.js'
export type Principal = TypeOf<typeof principal>
export type Scope = TypeOf<typeof scope>
export type DomainAuthorityManifest = TypeOf<typeof shape>
export const manifestCodec = artifactCodec(TAG.manifest, 'DomainAuthorityManifest', shape)

/** Where `id` stands in a list that ascends by it, or -1. A manifest may list thousands, and each of a domain's lanes asks. */
function indexOf<T> (list: readonly T[], id: Hash, idOf: (item: T) => Hash): number {
  let low = 0
  let high = list.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (idOf(list[middle] as T) < id) low = middle + 1
    else high = middle
  }
  return low < list.length && idOf(list[low] as T) === id ? low : -1
}

/** Of `principals` and `scope`; -1 where the manifest doesn't list the principal. */
export function principalIndex (m: Pick<DomainAuthorityManifest, 'principals'>, id: Hash): number {
  return indexOf(m.principals, id, (p) => p.principal_id)
}

/** M3: whether the manifest ends the principal's earlier lanes. */
export function closesPrincipal (m: Pick<DomainAuthorityManifest, 'closed'>, id: Hash): boolean {
  return indexOf(m.closed, id, (closed) => closed) >= 0
}

/** T2: whether `scope` holds the published name `path`. */
export function scopeHasName (scope: Scope, path: string): boolean {
  return prefixesCover(scope.prefixes, path)
}

/** M3: whether `wide` allows everything that `narrow` does. */
export function scopeCovers (wide: Scope, narrow: Scope): boolean {
  const programs = new Set(wide.programs)
  return narrow.prefixes.every((p) => scopeHasName(wide, p)) && (programs.has(NONE) || narrow.programs.every((p) => programs.has(p)))
}
