/** Role, key and policy: what a manifest says. Each command is loaded when it is first run. */
import type { Loaders } from '../table.js'
import type { AuthorityArgs } from './types.js'

export const authorityCommands: Loaders<AuthorityArgs> = {
  'key new': async () => (await import('./key.js')).keyNew,
  'key list': async () => (await import('./key.js')).keyList,
  'key rotate': async () => (await import('./key-rotate.js')).keyRotate,
  'key close': async () => (await import('./key-close.js')).keyClose,
  'role grant': async () => (await import('./role.js')).roleGrant,
  'role revoke': async () => (await import('./role.js')).roleRevoke,
  'role list': async () => (await import('./role-list.js')).roleList,
  'policy show': async () => (await import('./policy.js')).policyShow,
  'policy check': async () => (await import('./policy.js')).policyCheck,
  'policy set': async () => (await import('./policy.js')).policySet
}
