/** Admit: which other domains enter our view. Each command is loaded when it is first run. */
import type { Loaders } from '../table.js'
import type { AdmissionArgs } from './types.js'

export const admissionCommands: Loaders<AdmissionArgs> = {
  'admit nonce': async () => (await import('./request.js')).admitNonce,
  'admit request': async () => (await import('./request.js')).admitRequest,
  'admit review': async () => (await import('./review.js')).admitReview,
  'admit accept': async () => (await import('./decide.js')).admitAccept,
  'admit limit': async () => (await import('./decide.js')).admitLimit,
  'admit defer': async () => (await import('./decide.js')).admitDefer,
  'admit reject': async () => (await import('./decide.js')).admitReject,
  'admit list': async () => (await import('./view.js')).admitList,
  view: async () => (await import('./view.js')).view
}
