import { basename } from 'node:path'
import { domainText } from '../../substrate/domain-id.js'
import { DiadError } from '../../substrate/errors.js'
import { markAuthority } from '../authority.js'
import { refreshProjection } from '../authority-projection.js'
import type { CommandArgs, CommandIo, CommandResults } from '../command.js'
import { setOwnDomain } from '../home/home.js'
import { makeDirectory, removeMade } from '../home/make-directory.js'
import { demandRootsPlace, writeOfflineNote } from '../home/offline.js'
import { demandFolderOutside, OFFLINE_FOLDER } from '../home/outside.js'
import { choosePassphrase, type PassphraseSource } from '../keys/passphrase.js'
import { mintDomain, type Minted } from '../mint.js'
import { demandNoFounding } from '../roots/made-requests.js'
import { namesBeside, rememberRoots } from '../roots/root-names.js'
import { checkInit } from './check-arguments.js'
import type { Context } from './context.js'

/** `diad init`: a domain with all its keys. The home stays a reader's if anything fails. */
export async function init (context: Context, args: CommandArgs['init'], io: CommandIo): Promise<CommandResults['init']> {
  const { home, runtime } = context
  checkInit(args)
  if (runtime.own() !== undefined) throw new DiadError('domain-exists', `the home ${home.paths.root} has a domain already`, 'give the new one a --home of its own')
  const name = args.name ?? 'home'
  const roots = args.roots ?? home.paths.offline
  if (args.finish !== undefined) return await (await import('./init-elsewhere.js')).finishGenesis(context, { ...args, finish: args.finish }, io)
  demandFolderOutside(roots, [OFFLINE_FOLDER])
  if (args.rootPubs === undefined && args.roots !== undefined) demandRootsPlace(roots, '--roots')
  // With roots elsewhere a draft is made anew, with its keys.
  if (args.rootPubs === undefined) demandNoFounding(home)
  // One question for all keys.
  const given = io.passphrase ?? { kind: 'none' as const }
  const passphrase = given.kind === 'none' ? given : { kind: 'given' as const, passphrase: await choosePassphrase(given, 'the keys of the new domain', io.warn) as string }
  if (args.rootPubs !== undefined) return await (await import('./init-elsewhere.js')).askForGenesis(context, args, io, passphrase)
  const { knowledge, principal } = await mintIn(roots, home.paths.keys, passphrase, args, io.signal)
  const { domain } = knowledge
  await runtime.found(knowledge)
  context.home = setOwnDomain(home, domain, name)
  // M8: this machine knows from its own doing which manifest is the newest.
  markAuthority(runtime, knowledge)
  refreshProjection(context, knowledge)
  writeOfflineNote(roots, domain, name, 'both')
  // They will be on sticks soon, so they are called by their files alone.
  rememberRoots(home, new Map([...namesBeside([roots])].map(([key, label]) => [key, basename(label)])))
  await runtime.wake(domain)
  io.warn(`The offline roots are in ${roots}: move that directory to a stick and keep two copies; nobody can recover the domain without them.`)
  return { domain, home: home.paths.root, name, principal, roots, text: domainText(domain) } as CommandResults['init']
}

/** The directory of the roots goes again with the keys in it when nothing comes of them. */
async function mintIn (roots: string, keys: string, passphrase: PassphraseSource, { rootKeys = 1, threshold = 1 }: CommandArgs['init'], signal: AbortSignal): Promise<Minted> {
  const first = makeDirectory(roots, '--roots')
  try {
    return await mintDomain({ keys, roots, passphrase, rootKeys, threshold, signal })
  } catch (err) {
    removeMade(roots, first)
    throw err
  }
}
