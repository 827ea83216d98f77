/** What the groups of commands are declared with. */
import { resolve } from 'node:path'
import { type Command, InvalidArgumentError, Option } from 'commander'
import type { CommandArgs, CommandName } from '../node/command.js'
import { withAgentSocket } from '../node/keys/key-spec.js'
import type { PassphraseSource } from '../node/keys/passphrase.js'
import { DiadError } from '../substrate/errors.js'

/** A command on a home, as its options gave it. */
export interface HomeCommand {
  command: CommandName
  args: object
  passphrase: PassphraseSource | undefined
  /** standard input is the content */
  input: boolean
}

type More = Partial<Pick<HomeCommand, 'passphrase' | 'input'>>

export interface CliTools {
  readonly program: Command
  /** Declares `diad USAGE`, or `diad GROUP USAGE` where `group` is given. */
  command: (name: string, usage: string, what: string, example: string, group?: Command) => Command
  /** A command that only holds verbs: `diad root renew`. */
  group: (name: string, what: string) => Command
  /** The command line is understood. */
  done: <N extends CommandName>(name: N, args: CommandArgs[N], more?: More) => void
  /** An absolute path. */
  path: (text: string) => string
  passphraseFile: () => Option
  /** `--key SPEC`: a key that is used where it is: a file, `agent:…`, `pkcs11:…`. Paths become absolute. */
  key: (what: string) => Option
  peer: () => Option
}

export function cliTools (program: Command, { cwd, env }: { readonly cwd: string, readonly env: Readonly<Record<string, string | undefined>> }, accept: (request: HomeCommand) => void): CliTools {
  const path = (text: string): string => {
    if (text === '') throw new InvalidArgumentError('a path can\'t be empty.')
    return resolve(cwd, text)
  }
  return {
    program,
    path,
    command: (name, usage, what, example, group = program) => group.command(`${name} ${usage}`.trim()).description(what).addHelpText('after', `\nExample:\n  $ diad ${example}`),
    group: (name, what) => program.command(name).description(what),
    done (name, args, more = {}) {
      accept({ command: name, args, passphrase: more.passphrase, input: more.input ?? false })
    },
    passphraseFile: () => new Option('--passphrase-file <FILE>', 'the first line of FILE is the passphrase of the keys').argParser(path),
    key: (what) => new Option('--key <KEY>', what).argParser((text: string) => isKeyUri(text) ? withAgentSocket(text, env) : path(text)),
    peer: () => new Option('--peer <MULTIADDR>', 'a node to connect to, e.g. /ip4/192.0.2.1/tcp/4001/p2p/ID; may be repeated').argParser(addresses).default([], 'none')
  }
}

/** A key that isn't a file: `agent:…`, `pkcs11:…`. */
function isKeyUri (text: string): boolean {
  return /^(agent|pkcs11):/.test(text)
}

/** Without the keys whose value is undefined: an option left out is absent. */
export function given<T extends object> (options: { [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T
}

export function passphraseOf (file: string | undefined): PassphraseSource {
  return file === undefined ? { kind: 'prompt' } : { kind: 'file', path: file }
}

/** A rough look only: the host parses addresses, and its library is too big for a command line. */
export function addresses (text: string, before: string[]): string[] {
  if (!text.startsWith('/')) throw new DiadError('malformed-address', `"${text}" is not a multiaddr`, 'write it like /ip4/192.0.2.1/tcp/4001/p2p/ID')
  return [...before, text]
}
