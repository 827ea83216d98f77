/** Root, sign and recover: the root chain and what is signed offline. Each command is loaded when it is first run. */
import type { Loaders } from '../table.js'
import type { RootsArgs } from './types.js'

export const rootsCommands: Loaders<RootsArgs> = {}
