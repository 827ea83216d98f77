/** Role, key and policy: what a manifest says. */
import type { AuthorityArgs } from '../../node/commands/authority/types.js'
import type { Renders } from '../render-parts.js'
import type { CliTools } from '../tools.js'

export function addAuthorityCommands (_tools: CliTools): void { /* none yet */ }

export const authorityRenders: Renders<AuthorityArgs> = {}
