/** Rescue: a transient node that acts under a domain. Each command is loaded when it is first run. */
import type { Loaders } from '../table.js'
import type { RescueArgs } from './types.js'

export const rescueCommands: Loaders<RescueArgs> = {
  'rescue start': async () => {
    const { rescueStart } = await import('./start.js')
    return async (_context, args, io) => await rescueStart(undefined, args, io)
  },
  'rescue publish': async () => (await import('./publish.js')).rescuePublish,
  'rescue status': async () => (await import('./status.js')).rescueStatus,
  'rescue end': async () => (await import('./end.js')).rescueEnd
}
