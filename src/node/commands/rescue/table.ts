/** Rescue: a transient node that acts under a domain. Each command is loaded when it is first run. */
import { DiadError } from '../../../substrate/errors.js'
import type { Loaders } from '../table.js'
import type { RescueArgs } from './types.js'

export const rescueCommands: Loaders<RescueArgs> = {
  // Needs no home, and gets what it runs others with from bare-backend.ts.
  'rescue start': async () => await Promise.resolve(async () => await Promise.reject(new DiadError('usage', 'a rescue starts from no home', 'leave --home out'))),
  'rescue publish': async () => (await import('./publish.js')).rescuePublish,
  'rescue status': async () => (await import('./status.js')).rescueStatus,
  'rescue end': async () => (await import('./end.js')).rescueEnd
}
