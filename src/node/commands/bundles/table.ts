/** Bundle: a domain's state as one file. Each command is loaded when it is first run. */
import type { Loaders } from '../table.js'
import type { BundlesArgs } from './types.js'

export const bundlesCommands: Loaders<BundlesArgs> = {}
