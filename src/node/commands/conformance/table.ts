/** Conformance: judging vectors for programs in other languages. Each command is loaded when it is first run. */
import type { Loaders } from '../table.js'
import type { ConformanceArgs } from './types.js'

export const conformanceCommands: Loaders<ConformanceArgs> = {
  conformance: async () => (await import('./conformance.js')).conformance
}
