/** Runs commands in this process, on a home and store that it opens and therefore owns for as long as it lives. */
import { existsSync } from 'node:fs'
import type { Backend, LocalBackendOptions } from './command.js'
import type { Context } from './commands/context.js'
import { runCommand } from './commands/index.js'
import { openHome } from './home/home.js'
import { Runtime } from './runtime.js'

export async function openLocalBackend (path: string, options: LocalBackendOptions): Promise<Backend> {
  const home = openHome(path, { create: options.create ? 'reader' : false })
  const runtime = await Runtime.open(home.paths.store, options.create || !existsSync(home.paths.store))
  const run: Backend['run'] = async (command, args, io) => await runCommand(context, command, args, io)
  const context: Context = { home, runtime, network: undefined, signer: undefined, publishing: Promise.resolve(), run }
  return {
    run,
    close: async () => { await runtime.close() }
  }
}
