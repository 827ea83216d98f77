/** What every command works with, and the small questions that several of them ask. */
import type { DomainKnowledge } from '../../authority/knowledge.js'
import type { CurrentEntry } from '../../authority/domain-view.js'
import { domainText, shortDomain } from '../../substrate/domain-id.js'
import { DiadError, MalformedError } from '../../substrate/errors.js'
import { NONE, type Reference } from '../../substrate/reference.js'
import type { Signer } from '../../substrate/signature.js'
import type { Backend, CommandIo } from '../command.js'
import type { Home } from '../home/home.js'
import { petnameOf, readPetnames, resolveDomain } from '../home/petnames.js'
import { findKeyFile, loadKey } from '../keys/key-file.js'
import type { Network } from '../network.js'
import { demandListed } from '../own-key.js'
import { foundingHint } from '../roots/made-requests.js'
import type { Runtime } from '../runtime.js'
import { sortAddresses } from './check-arguments.js'
import { isRescue } from './rescue/is-rescue.js'

export interface Context {
  home: Home
  readonly runtime: Runtime
  /** the daemon's network; a command without a daemon makes one of its own */
  network: Network | undefined
  /** the signer of this process, once its key was opened */
  signer: Signer | undefined
  /** one publication at a time */
  publishing: Promise<unknown>
  /** runs another command on the same home */
  readonly run: Backend['run']
}

export function domainOf (context: Context, text: string): Reference {
  return resolveDomain(context.home, text, () => context.runtime.records.keys())
}

/** The home's own domain. Throws DiadError `role-missing`: without a key this node is a reader. */
export function ownDomain (context: Context): Reference {
  const domain = context.runtime.own()
  if (domain === undefined) throw new DiadError('role-missing', 'this home has no domain of its own: it is a reader', foundingHint(context.home) ?? 'make one with `diad init --name NAME`')
  return domain
}

/** The domain that a command is about which works on any that is held: the one named, else the home's own. Throws DiadError `role-missing`. */
export async function namedOrOwn (context: Context, text: string | undefined): Promise<Reference> {
  if (text !== undefined) return domainOf(context, text)
  if (context.runtime.own() !== undefined || foundingHint(context.home) !== undefined) return ownDomain(context)
  const held: string[] = []
  for (const domain of context.runtime.records.keys()) if ((await context.runtime.knowledge(domain)).authority().tip !== undefined) held.push(petnameOf(readPetnames(context.home), domain) ?? domainText(domain))
  throw new DiadError('role-missing', 'this home has no domain of its own, and none was named', held.length === 0 ? 'nothing is held here yet: `diad sync` or `diad bundle import` brings a domain' : `name one that is held here: ${held.slice(0, 8).join(', ')}${held.length > 8 ? ', … (`diad status`)' : ''}`)
}

/** The home's own principal. `alive`: only while its domain lists it. Throws DiadError `role-missing`, and what {@link loadKey} throws. */
export async function principalSigner (context: Context, io: CommandIo, alive = true): Promise<Signer> {
  const signer = await openPrincipal(context, io)
  const own = context.runtime.own()
  if (alive && own !== undefined) demandListed(context.home, await context.runtime.knowledge(own), signer.publicKey)
  return signer
}

async function openPrincipal (context: Context, io: CommandIo): Promise<Signer> {
  if (context.signer !== undefined) return context.signer
  const path = findKeyFile(context.home.paths.keys, 'principal')
  if (path === undefined) throw new DiadError('role-missing', `there is no principal key in ${context.home.paths.keys}`, isRescue(context.home) ? 'this is a rescue home: `diad rescue publish` signs with the key that it was started with' : 'put the key file back, or name the key that signs with --key; where it is lost for good, `diad recover keys` puts another one in its place')
  context.signer = (await loadKey(path, io.passphrase ?? { kind: 'none' })).signer
  return context.signer
}

export interface Target { readonly domain: Reference, readonly segments: string[] }

/** Splits DOMAIN/NAME/PATH as typed. A trailing slash means nothing. */
export function parseTarget (context: Context, text: string): Target {
  const [domain = '', ...segments] = text.split('/')
  if (segments.at(-1) === '') segments.pop()
  if (segments.some((s) => s === '' || s === '.' || s === '..')) throw new MalformedError(`"${text}" holds an empty segment, "." or ".."`)
  return { domain: domainOf(context, domain), segments }
}

/** Knowledge of a domain that this home has a record of. Throws `unknown-domain`. */
export async function heldDomain (context: Context, domain: Reference): Promise<DomainKnowledge> {
  const k = context.runtime.records.has(domain) ? await context.runtime.knowledge(domain) : undefined
  if (k?.authority().tip === undefined) throw new DiadError('unknown-domain', `nothing of the domain ${calledHere(context, domain)} is held here`, 'run `diad sync` with its DomainID and a peer that has it')
  return k
}

/**
 * One publication or change of authority at a time: records of one domain are appended one after the other, and a cut names the head that stands when it
 * is made, so never one between the leaf and the head of a publication.
 */
export async function inTurn<T> (context: Context, work: () => Promise<T>): Promise<T> {
  const mine = context.publishing.then(work, work)
  context.publishing = mine.catch(() => undefined)
  const done = await mine
  await context.runtime.settled()
  return done
}

/** The longest CURRENT name that is a prefix by segments, and the path below it. */
export function currentEntry (k: DomainKnowledge, segments: readonly string[], all = false): { entry: CurrentEntry, rest: string[] } | undefined {
  const { current } = all ? k.viewAll() : k.view()
  for (let n = segments.length; n > 0; n--) {
    const entry = current.get(segments.slice(0, n).join('/'))
    if (entry !== undefined && entry.ref !== NONE) return { entry, rest: segments.slice(n) }
  }
  return undefined
}

/** As {@link currentEntry} for commands that read content. Throws `not-found`, and `contested` unless that was accepted (E5). */
export function readableEntry (k: DomainKnowledge, target: Target, acceptContested: boolean): { entry: CurrentEntry, rest: string[] } {
  const found = currentEntry(k, target.segments, true)
  if (found === undefined) throw new DiadError('not-found', `the domain has no name "${target.segments.join('/')}"`, 'see `diad ls DOMAIN`')
  if (found.entry.code === 'contested' && !acceptContested) {
    throw new DiadError('contested', `"${found.entry.name}" is contested: its publisher signed two different histories`, 'see `diad verify DOMAIN/NAME --explain`; --accept-contested reads it all the same')
  }
  return found
}

/** The addresses stored with a domain that can be dialled; one that can't mustn't stop the node. */
export async function storedPeers (context: Context, domain: Reference, io: CommandIo): Promise<string[]> {
  const { good, bad } = await sortAddresses(context.runtime.records.get(domain)?.peers ?? [])
  for (const address of bad) io.warn(`the address ${address} that is stored for ${calledHere(context, domain)} can't be used and is skipped`)
  return good
}

/** As a person knows it: the petname with the short DomainID behind it (RULES N1). */
export function calledHere (context: Context, domain: Reference): string {
  const petname = petnameOf(readPetnames(context.home), domain)
  return petname === undefined ? shortDomain(domain) : `${petname} (${shortDomain(domain)})`
}
