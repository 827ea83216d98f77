/** Admit: which other domains enter our view. Each command is loaded when it is first run. */
import type { Loaders } from '../table.js'
import type { AdmissionArgs } from './types.js'

export const admissionCommands: Loaders<AdmissionArgs> = {}
