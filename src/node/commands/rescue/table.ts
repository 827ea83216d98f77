/** Rescue: a transient node that acts under a domain. Each command is loaded when it is first run. */
import type { Loaders } from '../table.js'
import type { RescueArgs } from './types.js'

export const rescueCommands: Loaders<RescueArgs> = {}
