/** Runs commands in this process, on a home and store that it opens and therefore owns for as long as it lives. */
import { existsSync } from 'node:fs'
import { DiadError } from '../substrate/errors.js'
import type { Backend, CommandIo, LocalBackendOptions } from './command.js'
import { checkArguments } from './commands/check-arguments.js'
import type { Context } from './commands/context.js'
import { runCommand } from './commands/index.js'
import { rescueNotePath } from './commands/rescue/is-rescue.js'
import { hasHome, makeHome, openHome } from './home/home.js'
import { Runtime } from './runtime.js'

/** A home that was made for a command which then fails is taken back with all that is in it, unless something came that is worth keeping. */
export async function openLocalBackend (path: string, { command, args, create }: LocalBackendOptions): Promise<Backend> {
  if (create && !hasHome(path)) await checkArguments(command, args, path)
  if (command.startsWith('rescue ') && !hasHome(path)) throw noRescue(path)
  const takeBack = create ? makeHome(path) : undefined
  let runtime: Runtime
  let context: Context
  try {
    const home = openHome(path, { create: create ? 'reader' : false })
    runtime = await Runtime.open(home.paths.store, create || !existsSync(home.paths.store))
    const run: Backend['run'] = async (name, commandArgs, io) => await runCommand(context, name, commandArgs, io)
    context = { home, runtime, network: undefined, signer: undefined, publishing: Promise.resolve(), run }
  } catch (err) {
    takeBack?.()
    throw err
  }
  // Also where Ctrl-C comes before the command is run at all.
  let keep = false
  return {
    run: async (name, commandArgs, io) => {
      const kept = (): void => {
        if (!keep && takeBack !== undefined && command !== 'init') io.warn(`made a reader's home at ${context.home.paths.root}`)
        keep = true
      }
      // From its first event on others may know who it is, and use the home.
      const event: CommandIo['event'] = (e) => {
        if (command === 'serve') kept()
        io.event(e)
      }
      try {
        const result = await context.run(name, commandArgs, takeBack === undefined ? io : { ...io, event })
        if (!hasFailed(result) || await holdsAnything(runtime)) kept()
        return result
      } catch (err) {
        // A failed `init` has made keys of a domain that there isn't.
        if (command !== 'init' && await holdsAnything(runtime).catch(() => true)) kept()
        throw err
      }
    },
    close: async () => {
      await runtime.close()
      if (!keep) takeBack?.()
    }
  }
}

/** A rescue's home goes by itself: `diad init` is the last thing that is wanted then. */
function noRescue (path: string): DiadError {
  if (existsSync(rescueNotePath(path))) return new DiadError('home-missing', `the home ${path} was being wiped when \`rescue end\` was cut off`, 'its bundle had been written and read back by then: remove by hand what is left here')
  return new DiadError('home-missing', `there is no rescue home at ${path}`,
    'it has ended already (`rescue end` wipes it, and its file is with whoever ran it), or it was in memory and went with the power; else name it: --home DIR, or DIAD_HOME. A new one: `diad rescue start`')
}

/** A verdict that isn't good is a failure as an error is, and ends with another exit code than 0. */
function hasFailed (result: unknown): boolean {
  const status = typeof result === 'object' && result !== null && 'status' in result ? result.status : undefined
  return typeof status === 'string' && status !== 'accepted' && status !== 'informational'
}

/** Whether something of a domain came: then the same command goes on from it. That a domain was asked for is nothing yet. */
async function holdsAnything (runtime: Runtime): Promise<boolean> {
  for (const domain of runtime.records.keys()) if ((await runtime.knowledge(domain)).authority().tip !== undefined) return true
  return false
}
