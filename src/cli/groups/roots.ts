/** Root, sign and recover: the root chain and what is signed offline. */
import type { RootsArgs } from '../../node/commands/roots/types.js'
import type { Renders } from '../render-parts.js'
import type { CliTools } from '../tools.js'

export function addRootsCommands (_tools: CliTools): void { /* none yet */ }

export const rootsRenders: Renders<RootsArgs> = {}
