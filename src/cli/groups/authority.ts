/** Role, key and policy: what a manifest says. */
import { type Command, InvalidArgumentError } from 'commander'
import { parseRole, ROLE_NAMES } from '../../authority/role-names.js'
import type { SigningArgs } from '../../node/commands/authority/types.js'
import { DiadError } from '../../substrate/errors.js'
import { type CliTools, given, newPassphraseOf, passphraseOf } from '../tools.js'


interface SigningOptions { offlineAuthority?: true, peer: string[], key?: string, passphraseFile?: string[] }

export function addAuthorityCommands (tools: CliTools): void {
  addKeyCommands(tools)
  addRoleCommands(tools)
  addPolicyCommands(tools)
}

/** What every command has that writes a manifest. */
function signing (command: Command, { peer, key, passphraseFile }: CliTools): Command {
  return command
    .addOption(key('the root_key, where it isn\'t in the home: a file, agent:… or pkcs11:…'))
    .addOption(passphraseFile())
    .addOption(peer())
    .option('--offline-authority', 'sign though nobody can say whether another machine has signed a newer manifest')
}

const signingArgs = (o: SigningOptions): SigningArgs => given({ offlineAuthority: o.offlineAuthority === true, peers: o.peer, key: o.key })
const more = (o: SigningOptions): { passphrase: ReturnType<typeof passphraseOf> } => ({ passphrase: passphraseOf(o.passphraseFile) })

function addKeyCommands (tools: CliTools): void {
  const { command, done, path, passphraseFile } = tools
  const key = tools.group('key', 'key files: make, list, replace, close')

  command('new', '<NAME>', 'make a key file; what it may do is granted afterwards', 'key new ci --out /media/usb', key)
    .option('--out <DIR>', 'where it is written (default: the keys of this home)', path)
    .addOption(passphraseFile())
    .option('--no-passphrase', 'leave the key unencrypted')
    .action((name: string, o: { out?: string, passphraseFile?: string[], passphrase: boolean }) => done('key new', given({ name, out: o.out }), { passphrase: newPassphraseOf(o) }))

  command('list', '', 'the keys of this home and what they may do', 'key list', key)
    .action(() => done('key list', {}))

  signing(command('rotate', '', 'put a new key in the place of one of the home\'s own; what the old one published stays valid', 'key rotate', key), tools)
    .option('--name <NAME>', 'which key file (default: principal)')
    .action((o: SigningOptions & { name?: string }) => done('key rotate', given({ ...signingArgs(o), name: o.name }), more(o)))

  signing(command('close', '<PRINCIPAL>', 'end a key that was stolen or is done with; it can never return', 'key close ci --keep nothing --yes', key), tools)
    .option('--keep <WHAT>', 'what stays valid: held (what this home holds; the default) or nothing', keepOf)
    .option('--lane <LANE>', 'keep this lane up to the --at that belongs to it, and no other; may be repeated', repeated)
    .option('--at <SNAPSHOT>', 'the head at which the --lane before it ends', repeated)
    .option('--yes', 'also where records that count now become void')
    .action((principal: string, o: SigningOptions & { keep?: 'held' | 'nothing', lane?: string[], at?: string[], yes?: true }) => {
      const { lane: lanes = [], at = [] } = o
      if (lanes.length !== at.length) throw new DiadError('usage', `${lanes.length} --lane and ${at.length} --at were given`, 'each --lane needs an --at')
      done('key close', given({ ...signingArgs(o), principal, keep: o.keep, at: lanes.map((lane, i) => `${lane}=${at[i] as string}`), yes: o.yes === true }), more(o))
    })
}

function addRoleCommands (tools: CliTools): void {
  const { command, done, path } = tools
  const role = tools.group('role', 'who may do what: grant, revoke, list')

  signing(command('grant', '<KEY>', 'let a key do something; a key is a .pub file, its 64 digits, or a principal that is listed already', 'role grant ci.pub --role produce --scope builds', role), tools)
    .requiredOption('--role <ROLE...>', `what it may do: ${ROLE_NAMES.slice(0, 5).join(', ')}`, roles)
    .option('--scope <PREFIX...>', 'only names under these prefixes (default: the whole domain)', repeated)
    .option('--program <REF...>', 'only these programs, or any (default: any)', repeated)
    .option('--name <NAME>', 'what this home calls it')
    .action((who: string, o: SigningOptions & { role: string[], scope?: string[], program?: string[], name?: string }) =>
      done('role grant', given({ ...signingArgs(o), who: who.endsWith('.pub') || who.includes('/') ? path(who) : who, roles: o.role, scope: o.scope ?? [], programs: o.program ?? [], name: o.name }), more(o)))

  signing(command('revoke', '<PRINCIPAL>', 'take roles away, or all of them; what was published before stays valid', 'role revoke ci', role), tools)
    .option('--role <ROLE...>', 'only these roles (default: all, and the key can never return)', roles)
    .option('--scope <PREFIX...>', 'take these prefixes out of its scope', repeated)
    .option('--yes', 'also where records that count now become void')
    .action((principal: string, o: SigningOptions & { role?: string[], scope?: string[], yes?: true }) =>
      done('role revoke', given({ ...signingArgs(o), principal, roles: o.role ?? [], scope: o.scope ?? [], yes: o.yes === true }), more(o)))

  command('list', '[DOMAIN]', 'principals with their roles, scopes and lanes', 'role list', role)
    .action((domain: string | undefined) => done('role list', given({ domain })))
}

function addPolicyCommands (tools: CliTools): void {
  const { command, done, path, keys, peer, passphraseFile } = tools
  const policy = tools.group('policy', 'what a domain allows')

  command('show', '[DOMAIN]', 'print the policy in force, with comments; save it to make another one of it', 'policy show > publish.policy', policy)
    .action((domain: string | undefined) => done('policy show', given({ domain })))

  command('check', '<FILE>', 'find mistakes in a policy file', 'policy check publish.policy', policy)
    .action((file: string) => done('policy check', { path: path(file) }))

  const paths = (text: string, before: string[] = []): string[] => [...before, path(text)]
  command('set', '<FILE>', 'change the policy: this needs the offline roots, or writes a request for them', 'policy set publish.policy --roots /media/stick', policy)
    .option('--roots <DIR>', 'where root keys are; may be repeated (default: offline/ in the home, while it is there)', paths)
    .addOption(keys('a root key that is used where it is'))
    .option('--request <FILE>', 'write a signing request to FILE instead, for root keys that are elsewhere', path)
    .option('--offline-authority', 'go on from the newest manifest here, though nothing shows that it is the newest')
    .addOption(peer())
    .addOption(passphraseFile())
    .action((file: string, o: { roots?: string[], key: string[], request?: string, offlineAuthority?: true, peer: string[], passphraseFile?: string[] }) =>
      done('policy set', given({ path: path(file), roots: o.roots ?? [], keys: o.key, request: o.request, offline: o.offlineAuthority === true, peers: o.peer }), { passphrase: passphraseOf(o.passphraseFile) }))
}

function repeated (text: string, before: string[] = []): string[] {
  return [...before, text]
}

function roles (text: string, before: string[] = []): string[] {
  const all = text.split(',').filter((t) => t !== '')
  const unknown = all.find((t) => parseRole(t) === undefined)
  if (unknown !== undefined) throw new InvalidArgumentError(`${JSON.stringify(unknown)} is no role; there are ${ROLE_NAMES.slice(0, 5).join(', ')}.`)
  return [...before, ...all]
}

function keepOf (text: string): 'held' | 'nothing' {
  if (text === 'held' || text === 'nothing') return text
  throw new InvalidArgumentError('Allowed choices are held, nothing.')
}
