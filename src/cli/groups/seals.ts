/** Domain seal and doctor: anchoring, pinning and looking after a home. */
import type { SealsArgs } from '../../node/commands/seals/types.js'
import type { Renders } from '../render-parts.js'
import type { CliTools } from '../tools.js'

export function addSealsCommands (_tools: CliTools): void { /* none yet */ }

export const sealsRenders: Renders<SealsArgs> = {}
