/** Domain seal and doctor: anchoring, pinning and looking after a home. Each command is loaded when it is first run. */
import type { Loaders } from '../table.js'
import type { SealsArgs } from './types.js'

export const sealsCommands: Loaders<SealsArgs> = {
  'domain show': async () => (await import('./show.js')).domainShow,
  'domain seal': async () => (await import('./seal.js')).domainSeal,
  'domain seals': async () => (await import('./unseal.js')).domainSeals,
  'domain unseal': async () => (await import('./unseal.js')).domainUnseal,
  doctor: async () => (await import('./doctor.js')).doctor,
  gc: async () => (await import('./gc.js')).gc
}
