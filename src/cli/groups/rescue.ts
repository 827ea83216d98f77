/** Rescue: a transient node that acts under a domain. */
import type { RescueArgs } from '../../node/commands/rescue/types.js'
import type { Renders } from '../render-parts.js'
import type { CliTools } from '../tools.js'

export function addRescueCommands (_tools: CliTools): void { /* none yet */ }

export const rescueRenders: Renders<RescueArgs> = {}
