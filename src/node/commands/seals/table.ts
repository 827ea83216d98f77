/** Domain seal and doctor: anchoring, pinning and looking after a home. Each command is loaded when it is first run. */
import type { Loaders } from '../table.js'
import type { SealsArgs } from './types.js'

export const sealsCommands: Loaders<SealsArgs> = {}
