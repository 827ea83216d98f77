/** Admit: which other domains enter our view. */
import type { AdmissionArgs } from '../../node/commands/admission/types.js'
import type { Renders } from '../render-parts.js'
import type { CliTools } from '../tools.js'

export function addAdmissionCommands (_tools: CliTools): void { /* none yet */ }

export const admissionRenders: Renders<AdmissionArgs> = {}
