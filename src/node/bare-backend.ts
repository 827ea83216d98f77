/** Runs commands that need no home: nothing is opened or made for them. */
import { DiadError } from '../substrate/errors.js'
import type { Backend, CommandArgs, CommandIo, CommandName } from './command.js'

type Bare<N extends CommandName> = (context: undefined, args: CommandArgs[N], io: CommandIo) => Promise<unknown>

/** A command's name → how to load it. */
const COMMANDS: { readonly [N in CommandName]?: (root: string | undefined) => Promise<Bare<N>> } = {
  'key new': async () => (await import('./commands/authority/key.js')).keyNew,
  'policy check': async () => (await import('./commands/authority/policy.js')).policyCheck,
  'bundle inspect': async () => (await import('./commands/bundles/inspect.js')).bundleInspect,
  'rescue start': async () => {
    const [{ rescueStart }, { runCommand }] = await Promise.all([import('./commands/rescue/start.js'), import('./commands/index.js')])
    return async (_context, args, io) => await rescueStart(runCommand, args, io)
  },
  sign: async (root) => {
    const { sign } = await import('./commands/roots/sign.js')
    return async (_context, args, io) => await sign(root === undefined ? undefined : { home: { paths: { root } } }, args, io)
  },
  conformance: async () => (await import('./commands/conformance/conformance.js')).conformance
}

/** `root`: a home that may be there, and may know what keys are called; it isn't opened. */
export function openBareBackend (root?: string): Backend {
  return {
    async run (command, args, io) {
      const load = COMMANDS[command as CommandName]
      if (load === undefined) throw new DiadError('unknown-command', `"${command}" needs a home`, 'see diad --help')
      const run = await load(root) as Bare<CommandName>
      return await run(undefined, args, io)
    },
    close: async () => undefined
  }
}
