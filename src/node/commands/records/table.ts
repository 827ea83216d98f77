/** Vouch, erase, adopt, explain and log: single records and what is known of them. Each command is loaded when it is first run. */
import type { Loaders } from '../table.js'
import type { RecordsArgs } from './types.js'

export const recordsCommands: Loaders<RecordsArgs> = {
  vouch: async () => (await import('./vouch.js')).vouch,
  lanes: async () => (await import('./lanes.js')).lanes,
  erase: async () => (await import('./erase.js')).erase,
  tombstone: async () => (await import('./erase.js')).tombstone,
  adopt: async () => (await import('./adopt.js')).adopt,
  explain: async () => (await import('./explain.js')).explain,
  log: async () => (await import('./log.js')).log
}
