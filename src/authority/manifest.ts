/** DomainAuthorityManifest: who may do what under one epoch of a domain. Source: SCHEMA [05], RULES M1, M3, T2. */
import { pathWithin, prefix } from '../publication/names.js'
import { artifactCodec } from '../substrate/codec.js'
import { NONE } from '../substrate/reference.js'
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

/** T2: whether `scope` holds the published name `path`. */
export function scopeHasName (scope: Scope, path: string): boolean {
  return scope.prefixes.some((p) => pathWithin(p, path))
}

/** T2: whether `scope` holds the program with this reference. */
export function scopeHasProgram (scope: Scope, program: string): boolean {
  return scope.programs.some((p) => p === NONE || p === program)
}

/** M3: whether `wide` allows everything that `narrow` does. */
export function scopeCovers (wide: Scope, narrow: Scope): boolean {
  return narrow.prefixes.every((p) => scopeHasName(wide, p)) && narrow.programs.every((p) => scopeHasProgram(wide, p))
}
