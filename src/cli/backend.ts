/** Chooses who does the work: the daemon that owns the home's store, or else this process. Loads no more than the choice needs. */
import { DiadError } from '../substrate/errors.js'
import type { Backend, CommandName, LocalBackendOptions } from '../node/command.js'

/** Commands that may make a home where there is none: `init` a domain's, the others a reader's. */
const CREATING: ReadonlySet<CommandName> = new Set(['init', 'serve', 'sync', 'follow', 'bundle import'])

/** Commands that need no home (bare-backend.ts). */
const HOMELESS: ReadonlySet<CommandName> = new Set(['bundle inspect', 'rescue start', 'sign', 'conformance'])

async function needsNoHome (home: string, command: CommandName, args: object): Promise<boolean> {
  // A key for a stick is made anywhere; one for a home belongs to that home.
  if (HOMELESS.has(command) || (command === 'key new' && 'out' in args)) return true
  // With a home it says whether that is the policy in force.
  return command === 'policy check' && !(await import('node:fs')).existsSync(home)
}

export type OpenBackend = (home: string, command: CommandName, args: object) => Promise<Backend>

/** Throws DiadError `store-busy` for a second `serve` on one home, and what opening the home throws. */
export const openBackend: OpenBackend = async (home, command, args) => {
  if (await needsNoHome(home, command, args)) return (await import('../node/bare-backend.js')).openBareBackend(home)
  const { socketPath } = await import('../node/home/paths.js')
  const daemon = await connectTo(socketPath(home))
  if (daemon !== undefined) {
    if (command !== 'serve') return daemon
    await daemon.close()
    throw new DiadError('store-busy', `a daemon already serves ${home}`, 'stop it first, or give this one a --home of its own')
  }
  const options: LocalBackendOptions = { command, args, create: CREATING.has(command) }
  const { openLocalBackend } = await import('../node/local-backend.js')
  return openLocalBackend(home, options)
}

async function connectTo (path: string): Promise<Backend | undefined> {
  const { existsSync } = await import('node:fs')
  // Most homes have no daemon; then the HTTP client isn't even loaded.
  if (!existsSync(path)) return undefined
  const { connectControl } = await import('../node/control/client.js')
  return connectControl(path)
}
