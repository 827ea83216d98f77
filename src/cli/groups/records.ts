/** Vouch, erase, adopt, explain and log: single records and what is known of them. */
import type { RecordsArgs } from '../../node/commands/records/types.js'
import type { Renders } from '../render-parts.js'
import type { CliTools } from '../tools.js'

export function addRecordsCommands (_tools: CliTools): void { /* none yet */ }

export const recordsRenders: Renders<RecordsArgs> = {}
