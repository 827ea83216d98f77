/** The table of commands. Each is loaded when it is first run: `ls` shouldn't pay for libp2p. */
import { DiadError } from '../../substrate/errors.js'
import type { CommandArgs, CommandIo, CommandName } from '../command.js'
import { admissionCommands } from './admission/table.js'
import { authorityCommands } from './authority/table.js'
import { bundlesCommands } from './bundles/table.js'
import { conformanceCommands } from './conformance/table.js'
import { recordsCommands } from './records/table.js'
import { rescueCommands } from './rescue/table.js'
import { rootsCommands } from './roots/table.js'
import { sealsCommands } from './seals/table.js'
import type { Context } from './context.js'
import type { Loaders, Run } from './table.js'

const COMMANDS: Loaders<CommandArgs> = {
  init: async () => (await import('./init.js')).init,
  put: async () => (await import('./publish.js')).put,
  publish: async () => (await import('./publish.js')).publish,
  serve: async () => (await import('./serve.js')).serve,
  follow: async () => (await import('./sync.js')).follow,
  unfollow: async () => (await import('./sync.js')).unfollow,
  name: async () => (await import('./name.js')).name,
  status: async () => (await import('./read.js')).status,
  sync: async () => (await import('./sync.js')).sync,
  ls: async () => (await import('./read.js')).ls,
  cat: async () => (await import('./read.js')).cat,
  checkout: async () => (await import('./read.js')).checkout,
  verify: async () => (await import('./verify.js')).verify,
  ...authorityCommands,
  ...rootsCommands,
  ...bundlesCommands,
  ...recordsCommands,
  ...admissionCommands,
  ...sealsCommands,
  ...rescueCommands,
  ...conformanceCommands
}

export async function runCommand (context: Context, command: string, args: object, io: CommandIo): Promise<unknown> {
  if (!Object.hasOwn(COMMANDS, command)) throw new DiadError('unknown-command', `there is no command "${command}"`, 'the daemon may be of another version: restart it')
  const run = await COMMANDS[command as CommandName]() as Run<object>
  return await run(context, args, io)
}
