/**
 * The command line: which commands and options there are, and what they become. Parsing does no I/O and loads nothing heavy, so that `--help` and
 * mistakes are answered at once. --home and --json may stand before or behind the command.
 */
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { DiadError } from '../substrate/errors.js'
import type { CommandName, Mode } from '../node/command.js'
import { resolveHome } from '../node/home/resolve-home.js'
import type { PassphraseSource } from '../node/keys/passphrase.js'
import { addAdmissionCommands } from './groups/admission.js'
import { addAuthorityCommands } from './groups/authority.js'
import { addBundlesCommands } from './groups/bundles.js'
import { addConformanceCommands } from './groups/conformance.js'
import { addRecordsCommands } from './groups/records.js'
import { addRescueCommands } from './groups/rescue.js'
import { addRootsCommands } from './groups/roots.js'
import { addSealsCommands } from './groups/seals.js'
import { nearOnly } from './near.js'
import { addSimCommand, noVerb, type SimArgs } from './sim-options.js'
import { addresses, cliTools, digit, given, newPassphraseOf, passphraseOf, quota, seconds } from './tools.js'
import { version } from './version.js'

/** What a command line asks for. */
export type Request = HomeRequest | SimRequest

/** A command on a home. */
export interface HomeRequest {
  command: CommandName
  args: object
  /** absolute */
  home: string
  json: boolean
  passphrase: PassphraseSource | undefined
  /** `put -`: standard input is the content */
  input: boolean
}

/** The simulator knows of no home. */
export interface SimRequest {
  command: 'sim'
  args: SimArgs
  json: boolean
}

type Parsed = Omit<HomeRequest, 'home' | 'json'> | Omit<SimRequest, 'json'>

export interface Parsing {
  cwd: string
  env: Readonly<Record<string, string | undefined>>
  /** gets help and version texts */
  print: (text: string) => void
}

/** The request, or undefined when `print` got what was asked for. Throws DiadError `usage`, `malformed-address`, `mode-unavailable`. */
export function parseCommandLine (argv: readonly string[], parsing: Parsing): Request | undefined {
  if (argv.length === 0) throw new DiadError('usage', 'no command given', 'see diad --help')
  let parsed: Parsed | undefined
  const program = createProgram(parsing, (request) => { parsed = request })
  try {
    program.parse(argv, { from: 'user' })
  } catch (err) {
    if (!(err instanceof CommanderError)) throw err
    if (err.exitCode === 0) return undefined
    throw usageError(err, argv)
  }
  if (parsed === undefined) throw new DiadError('usage', 'no command given', 'see diad --help')
  const { home, json } = program.opts<{ home?: string, json?: true }>()
  if (parsed.command === 'sim') return { ...parsed, json: json === true }
  if (home === '') throw new DiadError('usage', '--home is empty', 'name a directory')
  return { ...parsed, home: resolveHome(home, parsing.env, parsing.cwd), json: json === true }
}

/** Whether errors go out as JSON, asked before (or although) the command line was understood. */
export function wantsJson (argv: readonly string[]): boolean {
  const end = argv.indexOf('--')
  return (end < 0 ? argv : argv.slice(0, end)).includes('--json')
}

/** Commander's complaint as one line and a hint. */
function usageError (err: CommanderError, argv: readonly string[]): DiadError {
  const [first = '', ...rest] = err.message.replace(/^error: /, '').split('\n')
  const suggestion = nearOnly(rest.join(' ').trim().replace(/^\((.*)\)$/, '$1'), /'([^']*)'$/.exec(first)?.[1] ?? '')
  if (err.code === 'commander.help') return argv.includes('sim') ? noVerb() : new DiadError('usage', 'no command given', 'see diad --help')
  return new DiadError('usage', first, suggestion === '' ? 'see diad --help, or diad COMMAND --help' : suggestion)
}

interface InitOptions { name?: string, passphraseFile?: string[], passphrase: boolean, roots?: string, rootKeys?: number, threshold?: number, rootPub?: string[], nextRootPub?: string[], nextThreshold?: number, request?: string, finish?: string }

type Accept = (request: Parsed) => void

function createProgram (parsing: Parsing, accept: Accept): Command {
  const program = new Command('diad')
    .description('Signed, verifiable publication and federation between sovereign domains.')
    .version(version(), '-V, --version', 'print the version')
    .option('--home <DIR>', 'where keys and store live (default: $DIAD_HOME, then ~/.diad)')
    .option('--json', 'one line of JSON instead of text for people')
    .helpOption('-h, --help', 'show this')
    .exitOverride()
    .configureHelp({ showGlobalOptions: true, helpWidth: 100 })
    .configureOutput({ writeOut: parsing.print, writeErr: () => { /* comes as an exception too */ } })
    .addHelpText('after', '\nExit codes: 0 done, 1 internal, 2 usage or bad input, 3 deferred or not found, 4 rejected or void,\n' +
      '            5 contested, 6 store busy, newer or damaged, 130 interrupted')

  const tools = cliTools(program, parsing, (request) => { accept(request) })
  const { path, command, done, passphraseFile, peer } = tools
  const mode = (): Option => new Option('--mode <MODE>', 'follow (names and evidence), mirror (content too; the default) or witness').argParser(modeOf)
  const acceptContested = (): Option => new Option('--accept-contested', 'go on where evidence of a fork makes the name contested')

  const morePaths = (text: string, before: string[] | undefined): string[] => [...before ?? [], path(text)]
  command('init', '', 'make a domain in this home: keys, policy, first manifest', 'init --name alice')
    .option('--name <NAME>', 'local petname of the domain (default: home)')
    .addOption(passphraseFile())
    .option('--no-passphrase', 'leave the keys unencrypted')
    .option('--roots <DIR>', 'where the offline roots are written (default: offline/ in the home)', path)
    .option('--root-keys <N>', 'how many root keys, 1 to 9, and as many for the next set (default: 1)', digit)
    .option('--threshold <K>', 'how many of them have to sign (default: 1)', digit)
    .option('--root-pub <FILE>', 'public key of a root made elsewhere; may be repeated', morePaths)
    .option('--next-root-pub <FILE>', 'public key of a next root made elsewhere; may be repeated', morePaths)
    .option('--next-threshold <K>', 'with these: how many of the next set have to sign (default: as many as --threshold says)', digit)
    .option('--request <FILE>', 'with these: where the signing request for the new domain is written', path)
    .option('--finish <FILE>', 'found the domain with the signed request', path)
    .action((o: InitOptions) => {
      done('init', given({ name: o.name, roots: o.roots, rootKeys: o.rootKeys, threshold: o.threshold, rootPubs: o.rootPub, nextRootPubs: o.nextRootPub, nextThreshold: o.nextThreshold, request: o.request, finish: o.finish }), { passphrase: newPassphraseOf(o) })
    })

  command('put', '<PATH>', 'store a file or a directory, without publishing it; - reads standard input', 'put photo.jpg')
    .addOption(tools.allowKeys())
    .action((what: string, o: { allowKeys?: true }) => done('put', given({ path: what === '-' ? what : path(what), allowKeys: o.allowKeys }), { input: what === '-' }))

  command('publish', '<PATH>', 'store a file or a directory and publish it under a name', 'publish ./site --as www')
    .requiredOption('--as <NAME>', 'the published name, e.g. www or docs/manual')
    .addOption(tools.key('the key that signs, where it is: a file, agent:KEY or pkcs11:MODULE?token=LABEL (default: this home\'s)'))
    .addOption(tools.allowKeys())
    .addOption(passphraseFile())
    .action((what: string, o: { as: string, key?: string, allowKeys?: true, passphraseFile?: string[] }) => {
      if (what === '-') throw new DiadError('usage', 'publish takes a file or a directory, not standard input', 'write it to a file first; `diad put -` only stores what it reads; a file that is called - is ./-')
      done('publish', given({ path: path(what), as: o.as, key: o.key, allowKeys: o.allowKeys }), { passphrase: passphraseOf(o.passphraseFile) })
    })

  command('serve', '', 'run the node: serve the own domain and the followed ones until interrupted', 'serve --listen /ip4/0.0.0.0/tcp/4001')
    .addOption(new Option('--listen <MULTIADDR>', 'where to listen; may be repeated').argParser(addresses).default([], 'any free TCP port'))
    .addOption(peer())
    .option('--no-mdns', 'don\'t look for neighbours on the local network')
    .option('--no-dht', 'don\'t take part in the distributed hash table')
    .option('--no-admissions', 'take no requests for admission over the network')
    .addOption(passphraseFile())
    .action((o: { listen: string[], peer: string[], mdns: boolean, dht: boolean, admissions: boolean, passphraseFile?: string[] }) =>
      done('serve', { listen: o.listen, peers: o.peer, mdns: o.mdns, dht: o.dht, admissions: o.admissions }, { passphrase: passphraseOf(o.passphraseFile) }))

  command('follow', '<DOMAIN>', 'follow a domain from now on; with a whole DomainID no network is needed', 'follow dom1… --name alice')
    .addOption(mode())
    .addOption(peer())
    .option('--name <PETNAME>', 'local petname of the domain')
    .option('--quota <SIZE>', 'keep at most so much of its content, e.g. 500M or 2G, or none for all of it (default: as before; at first none)', quota)
    .option('--moved-from <DOMAIN>', 'accept that DOMAIN, whose roots say so, goes on as this one: with its mode, quota and petname')
    .action((domain: string, o: { mode?: Mode, peer: string[], name?: string, quota?: number | 'none', movedFrom?: string }) =>
      done('follow', given({ domain, mode: o.mode, peers: o.peer, name: o.name, quota: o.quota, movedFrom: o.movedFrom })))

  command('unfollow', '<DOMAIN>', 'stop following a domain', 'unfollow alice')
    .action((domain: string) => done('unfollow', { domain }))

  command('name', '<DOMAIN> [PETNAME]', 'what this home calls a domain: show it, or give it another petname', 'name dom1… alice')
    .option('--remove', 'take its petname away')
    .action((domain: string, petname: string | undefined, o: { remove?: true }) => {
      if (o.remove === true && petname !== undefined) throw new DiadError('usage', 'a PETNAME and --remove exclude each other', 'a new petname takes the place of the old one by itself')
      done('name', given({ domain, petname, remove: o.remove === true }))
    })

  command('status', '', 'domains, heads and peers of this home', 'status')
    .action(() => done('status', {}))

  command('sync', '[DOMAIN]', 'fetch what is new, of one domain (follows it if need be) or of all followed ones', 'sync alice --peer /ip4/192.0.2.1/tcp/4001/p2p/ID')
    .addOption(peer())
    .addOption(mode())
    .option('--timeout <SECONDS>', 'give up after so long without being complete', seconds)
    .action((domain: string | undefined, o: { peer: string[], mode?: Mode, timeout?: number }) =>
      done('sync', given({ domain, peers: o.peer, mode: o.mode, timeoutSeconds: o.timeout })))

  command('ls', '<DOMAIN[/NAME[/PATH]]>', 'list names, or what stands under one', 'ls alice/www')
    .option('--all', 'names that are visible or internal too, not only the exported ones')
    .action((target: string, o: { all?: true }) => done('ls', { target, all: o.all === true }))

  command('cat', '<DOMAIN/NAME[/PATH]>', 'write a file to standard output', 'cat alice/www/index.html')
    .addOption(acceptContested())
    .action((target: string, o: { acceptContested?: true }) => done('cat', { target: withName(target), acceptContested: o.acceptContested === true }))

  command('checkout', '<DOMAIN/NAME> <DEST>', 'write a published directory or file to DEST, which must not exist or be empty', 'checkout alice/www ./www')
    .option('--special-modes', 'restore setuid, setgid and sticky bits too')
    .addOption(acceptContested())
    .action((target: string, dest: string, o: { specialModes?: true, acceptContested?: true }) =>
      done('checkout', { target: withName(target), dest: path(dest), specialModes: o.specialModes === true, acceptContested: o.acceptContested === true }))

  command('verify', '<REF|DOMAIN[/NAME[/PATH]]>', 'judge an object, and say why', 'verify alice/www --explain')
    .option('--explain', 'show every check that was made')
    .action((target: string, o: { explain?: true }) => done('verify', { target, explain: o.explain === true }))

  addAuthorityCommands(tools)
  addRootsCommands(tools)
  addBundlesCommands(tools)
  addRecordsCommands(tools)
  addAdmissionCommands(tools)
  addSealsCommands(tools)
  addRescueCommands(tools)
  addConformanceCommands(tools)
  addSimCommand(program, parsing.cwd, (args) => accept({ command: 'sim', args }))
  return program
}

function modeOf (text: string): Mode {
  if (text === 'follow' || text === 'mirror') return text
  if (text === 'witness') throw new DiadError('mode-unavailable', 'witness mode comes with audits', 'use follow or mirror')
  throw new InvalidArgumentError('Allowed choices are follow, mirror, witness.')
}

function withName (target: string): string {
  const slash = target.indexOf('/')
  if (slash <= 0 || slash === target.length - 1) {
    throw new DiadError('usage', `"${target}" names no content`, 'write DOMAIN/NAME, e.g. alice/www')
  }
  return target
}
