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
  /** `--key SPEC`: a key that is used where it is: a file, `agent:…`, `pkcs11:…`. Paths become absolute, and the agent is that of whoever typed it. */
  key: (what: string) => Option
  /** The same, given as often as there are keys. */
  keys: (what: string) => Option
  peer: () => Option
  /** `--allow-keys`, of what stores files */
  allowKeys: () => Option
}

export function cliTools (program: Command, { cwd, env }: { readonly cwd: string, readonly env: Readonly<Record<string, string | undefined>> }, accept: (request: HomeCommand) => void): CliTools {
  const path = (text: string): string => {
    if (text === '') throw new InvalidArgumentError('a path can\'t be empty.')
    return resolve(cwd, text)
  }
  const keySpec = (text: string): string => isKeyUri(text) ? withAgentSocket(text, env) : path(checkKind(text))
  return {
    program,
    path,
    command: (name, usage, what, example, group = program) => group.command(`${name} ${usage}`.trim()).description(what).addHelpText('after', `\nExample:\n  $ diad ${example}`),
    group: (name, what) => program.command(name).description(what),
    done (name, args, more = {}) {
      accept({ command: name, args, passphrase: more.passphrase, input: more.input ?? false })
    },
    passphraseFile: () => new Option('--passphrase-file <FILE>', 'the first line of FILE is the passphrase of the keys; repeated, each is tried, and new keys get the first').argParser((text: string, before: string[] | undefined) => [...before ?? [], path(text)]),
    allowKeys: () => new Option('--allow-keys', 'also private keys, a diad home or offline roots: whoever gets them can act as you'),
    key: (what) => new Option('--key <KEY>', what).argParser(keySpec),
    keys: (what) => new Option('--key <KEY>', `${what}; may be repeated`).argParser((text: string, before: string[]) => [...before, keySpec(text)]).default([], 'none'),
    peer: () => new Option('--peer <MULTIADDR>', 'a node to connect to, e.g. /ip4/192.0.2.1/tcp/4001/p2p/ID; may be repeated').argParser(addresses).default([], 'none')
  }
}

/** A key that isn't a file: `agent:…`, `pkcs11:…`. */
function isKeyUri (text: string): boolean {
  return /^(agent|pkcs11):/.test(text)
}

/** A mistyped kind mustn't be looked for as a file. Says nothing of what follows it: somebody may have written a PIN there. Throws DiadError `bad-key-spec`. */
function checkKind (text: string): string {
  const kind = /^[a-z][a-z0-9+.-]+:/i.exec(text)?.[0]
  if (kind === undefined) return text
  throw new DiadError('bad-key-spec', `there is no kind of key called ${kind.slice(0, 20)}`, `write a path (./${kind.slice(0, 20)}… for a file of that name), agent:KEY or pkcs11:/path/to/module.so?token=LABEL&object=LABEL`)
}

/** Without the keys whose value is undefined: an option left out is absent. */
export function given<T extends object> (options: { [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T
}

export function passphraseOf ([path, ...others]: readonly string[] = []): PassphraseSource {
  return path === undefined ? { kind: 'prompt' } : { kind: 'file', path, ...(others.length === 0 ? {} : { others }) }
}

/** The passphrase of keys that are made. Throws DiadError `usage`. */
export function newPassphraseOf ({ passphrase, passphraseFile }: { readonly passphrase: boolean, readonly passphraseFile?: readonly string[] }): PassphraseSource {
  if (passphrase) return passphraseOf(passphraseFile)
  if (passphraseFile !== undefined) throw new DiadError('usage', '--no-passphrase and --passphrase-file exclude each other', 'give one of the two')
  return { kind: 'none' }
}

/** How many root keys there are, or have to sign. */
export function digit (text: string): number {
  if (!/^[1-9]$/.test(text)) throw new InvalidArgumentError('It has to be a number from 1 to 9.')
  return Number(text)
}

/** A rough look only: the host parses addresses, and its library is too big for a command line. */
export function addresses (text: string, before: string[]): string[] {
  if (!text.startsWith('/')) throw new DiadError('malformed-address', `"${text}" is not a multiaddr`, 'write it like /ip4/192.0.2.1/tcp/4001/p2p/ID')
  return [...before, text]
}

export function seconds (text: string): number {
  // A day is 86,400 s; Node's timers end at 24.8 days.
  const n = Number(text)
  if (!/^\d+(\.\d+)?$/.test(text) || n <= 0 || n > 2_000_000) throw new InvalidArgumentError('It has to be a number of seconds above 0.')
  return n
}

const SIZE_UNITS = 'KMGT'

/** Bytes, or `none`. Units are powers of 1024: 500M, 500MiB. */
export function quota (text: string): number | 'none' {
  if (text === 'none') return text
  const [, number = '', unit = ''] = /^(\d+(?:\.\d+)?)(?:([KMGT])(?:iB)?)?$/i.exec(text) ?? []
  const bytes = Math.floor(Number(number) * 1024 ** (unit === '' ? 0 : SIZE_UNITS.indexOf(unit.toUpperCase()) + 1))
  if (number === '' || (unit === '' && number.includes('.')) || !Number.isSafeInteger(bytes)) throw new InvalidArgumentError('It has to be a size such as 1024, 500M or 2G (powers of 1024), or none.')
  return bytes
}
