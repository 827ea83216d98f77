/** Bundle: a domain's state as one file. */
import type { BundlesArgs } from '../../node/commands/bundles/types.js'
import type { Renders } from '../render-parts.js'
import type { CliTools } from '../tools.js'

export function addBundlesCommands (_tools: CliTools): void { /* none yet */ }

export const bundlesRenders: Renders<BundlesArgs> = {}
