/** Conformance: judging vectors for programs in other languages. */
import type { ConformanceArgs } from '../../node/commands/conformance/types.js'
import type { Renders } from '../render-parts.js'
import type { CliTools } from '../tools.js'

export function addConformanceCommands (_tools: CliTools): void { /* none yet */ }

export const conformanceRenders: Renders<ConformanceArgs> = {}
