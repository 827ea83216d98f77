/** Roles: the verbs of manifests, and the nouns that people may write for them. Loads nothing, for the command line's start needs it. */

/** In the order in which sets of them are written. */
export const ROLES = ['audit', 'execute', 'federate', 'produce', 'publish'] as const
export type Role = typeof ROLES[number]

const NOUNS: ReadonlyMap<string, Role> = new Map([
  ['auditor', 'audit'], ['executor', 'execute'], ['federator', 'federate'], ['producer', 'produce'], ['publisher', 'publish']
])

/** Everything that {@link parseRole} takes. */
export const ROLE_NAMES: readonly string[] = [...ROLES, ...NOUNS.keys()]

/** The role that `text` names, or undefined. */
export function parseRole (text: string): Role | undefined {
  return ROLES.find((role) => role === text) ?? NOUNS.get(text)
}
