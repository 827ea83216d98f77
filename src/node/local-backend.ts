/** Runs commands in this process, on a home and store that it opens and therefore owns for as long as it lives. */
import { existsSync } from 'node:fs'
import type { Backend, LocalBackendOptions } from './command.js'
import { checkArguments } from './commands/check-arguments.js'
import type { Context } from './commands/context.js'
import { runCommand } from './commands/index.js'
import { hasHome, makeHome, openHome } from './home/home.js'
import { Runtime } from './runtime.js'

/** A home that was made for a command which then fails is taken back where the command is `init`: a reader's home of the others may hold what came so far. */
export async function openLocalBackend (path: string, { command, args, create }: LocalBackendOptions): Promise<Backend> {
  if (create && !hasHome(path)) await checkArguments(command, args, path)
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
  let done = false
  return {
    run: async (name, commandArgs, io) => {
      if (takeBack !== undefined && command !== 'init') io.warn(`made a reader's home at ${context.home.paths.root}`)
      const result = await context.run(name, commandArgs, io)
      done = true
      return result
    },
    close: async () => {
      await runtime.close()
      // Also where Ctrl-C came before the command was run at all.
      if (!done && command === 'init') takeBack?.()
    }
  }
}
