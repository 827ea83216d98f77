/** Arguments and results of role, key and policy: what a manifest says. Plain JSON: they cross the control socket. */
import type { EpochResult, RootSigning, ShownLoss } from '../roots/types.js'

/** How a manifest may come to be signed (M8). */
export interface SigningArgs {
  offlineAuthority: boolean
  peers: string[]
  /** absolute path or URI of the root_key, where it isn't in the home */
  key?: string
}

export interface AuthorityArgs {
  /** `out`: absolute */
  'key new': { name: string, out?: string }
  'key list': Record<string, never>
  'key rotate': SigningArgs & { name?: string }
  /** `at`: LANE=SNAPSHOT, each a reference or 12 or more of its digits */
  'key close': SigningArgs & { principal: string, keep?: 'held' | 'nothing', at: string[], yes: boolean }
  /** `who`: 64 digits, an absolute path of a .pub file, or a principal as typed. An empty list leaves scope or programs as they are. */
  'role grant': SigningArgs & { who: string, roles: string[], scope: string[], programs: string[], name?: string }
  /** without `roles` and `scope`: drop the principal */
  'role revoke': SigningArgs & { principal: string, roles: string[], scope: string[], yes: boolean }
  'role list': { domain?: string }
  'policy show': { domain?: string }
  /** `path`: absolute */
  'policy check': { path: string }
  /** `path`: absolute; the rest is what signs for the roots, as in `root renew` */
  'policy set': RootSigning & { path: string }
}

export interface AuthorityResults {
  /** `retired`: the new name of a dropped key that was called so */
  'key new': { name: string, path: string, publicKey: string, principal: string, retired?: string }
  'key list': { keys: ListedKey[] }
  'key rotate': Changed & { name: string, publicKey: string, principal: string, path: string, retired: string }
  'key close': Changed & { principal: string, name?: string }
  'role grant': Changed & { principal: string, publicKey: string, name?: string, roles: string[], prefixes: string[], programs: string[] }
  'role revoke': Changed & { principal: string, name?: string, roles: string[] }
  'role list': Roles
  'policy show': PolicyShown & { text: string }
  /** `inForce`: whether the own domain has this very policy; null for a home without one */
  'policy check': { path: string, policyHash: string, inForce: boolean | null }
  'policy set': EpochResult & { policyHash: string }
}

export interface ListedKey {
  name: string
  path: string
  publicKey: string
  principal: string
  encrypted: boolean
  /** what it may do in the own domain now: roles, `root_key`, or none */
  roles: string[]
}

/** A manifest that is in force now. */
export interface Changed {
  domain: string
  /** its reference */
  manifest: string
  version: number
  /** principals whose earlier lanes end */
  closed: string[]
  /** what became void by it */
  losses: ShownLoss[]
}

export interface Roles {
  domain: string
  version: number
  manifest: string
  /** ok, or why authority stands still: authority-forked, root-forked */
  state: string
  rootKey: string
  principals: ListedPrincipal[]
}

export interface ListedPrincipal {
  principal: string
  publicKey: string
  name?: string
  /** false: an earlier manifest named it, the newest doesn't */
  listed: boolean
  roles: string[]
  prefixes: string[]
  /** references; the zero reference = any program */
  programs: string[]
  lanes: Array<{ lane: string, visibility: 'internal' | 'published', size: number, valid: number, code: string, head: string | null }>
}

export interface PolicyShown {
  domain: string
  policyHash: string
  manifest: string
  version: number
  policy: object
}
