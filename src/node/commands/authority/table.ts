/** Role, key and policy: what a manifest says. Each command is loaded when it is first run. */
import type { Loaders } from '../table.js'
import type { AuthorityArgs } from './types.js'

export const authorityCommands: Loaders<AuthorityArgs> = {}
