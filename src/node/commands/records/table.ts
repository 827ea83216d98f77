/** Vouch, erase, adopt, explain and log: single records and what is known of them. Each command is loaded when it is first run. */
import type { Loaders } from '../table.js'
import type { RecordsArgs } from './types.js'

export const recordsCommands: Loaders<RecordsArgs> = {}
