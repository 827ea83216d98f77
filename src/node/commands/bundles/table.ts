/** Bundle: a domain's state as one file. Each command is loaded when it is first run. */
import type { Loaders } from '../table.js'
import type { BundlesArgs } from './types.js'

export const bundlesCommands: Loaders<BundlesArgs> = {
  'bundle export': async () => (await import('./export.js')).bundleExport,
  'bundle import': async () => (await import('./import.js')).bundleImport,
  'bundle inspect': async () => (await import('./inspect.js')).bundleInspect,
  'bundle heads': async () => (await import('./heads.js')).bundleHeads
}
