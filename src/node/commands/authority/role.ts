/** `diad role grant|revoke`: who may do what from now on. */
import { basename, isAbsolute } from 'node:path'
import { principalsOf } from '../../../authority/amend.js'
import type { DomainKnowledge } from '../../../authority/knowledge.js'
import type { Role } from '../../../authority/manifest.js'
import type { NewPrincipal } from '../../../authority/mint.js'
import { parseRole, ROLE_NAMES } from '../../../authority/role-names.js'
import { principalId } from '../../../publication/evidence.js'
import { pathFault } from '../../../publication/names.js'
import { DiadError, MalformedError } from '../../../substrate/errors.js'
import { isAdmissibleKey } from '../../../substrate/verifier.js'
import { type Hash, NONE, parseReference, type PublicKey, type Reference } from '../../../substrate/reference.js'
import type { CommandArgs, CommandIo, CommandResults } from '../../command.js'
import { refreshProjection } from '../../authority-projection.js'
import { checkPrincipalName, homeKeys, principalNameFault, readPrincipalNames, resolvePrincipal, setPrincipalName } from '../../home/principal-names.js'
import { privateHalf, publicHalfAt } from '../../keys/public-half.js'
import { keyInWords, rootsKnownHere } from '../../roots/root-names.js'
import { demandOwnMeant, droppedKey, isOwnPrincipal, newPrincipalHint } from '../../own-key.js'
import { type Context, ownDomain } from '../context.js'
import { change, type KnownPrincipal, knownPrincipals, named } from './changing.js'

const PUBLIC = '.pub'

/** Adds; whoever shall have less is revoked. A new principal has the whole domain and any program, unless some are named. */
export async function roleGrant (context: Context, args: CommandArgs['role grant'], io: CommandIo): Promise<CommandResults['role grant']> {
  const domain = ownDomain(context)
  const roles = args.roles.map(roleOf)
  const scope = args.scope.map(prefixOf)
  const programs = args.programs.map((text): Reference => text === 'any' ? NONE : parseReference(text))
  const publicKey = keyOf(context, args.who, knownPrincipals(await context.runtime.wake(domain)))
  if (!isAdmissibleKey(publicKey)) throw new DiadError('bad-key-spec', `${args.who} is no public key that anybody could sign with`, 'nothing was signed. Give the .pub file of the key, or the 64 digits in it; an OpenSSH key has to be ssh-ed25519')
  refuseRoot(context, publicKey)
  refuseRootKey(context, await context.runtime.wake(domain), publicKey)
  const id = principalId(publicKey)
  demandNotDropped(context, await context.runtime.wake(domain), publicKey)
  if (args.name !== undefined) checkPrincipalName(context.home, args.name, id)
  let granted: NewPrincipal | undefined
  const changed = await change(context, domain, io, args, (k) => {
    const now = principalsOf(k.authority().onChain.at(-1)!.manifest)
    const held = now.find((p) => p.publicKey === publicKey)
    granted = {
      publicKey,
      roles: [...held?.roles ?? [], ...roles],
      prefixes: held === undefined && scope.length === 0 ? [''] : [...held?.prefixes ?? [], ...scope],
      programs: held === undefined && programs.length === 0 ? [NONE] : [...held?.programs ?? [], ...programs]
    }
    return { principals: [...now.filter((p) => p !== held), granted] }
  })
  const name = args.name ?? nameFrom(context, args.who, id)
  if (name !== undefined) {
    setPrincipalName(context.home, name, id)
    refreshProjection(context, await context.runtime.wake(domain))
  }
  const { prefixes = [], programs: may = [] } = granted ?? {}
  return { ...changed, principal: id, publicKey, ...named(context, id), roles: unique(granted?.roles ?? []), prefixes: unique(prefixes), programs: unique(may) }
}

/** Whoever loses something is closed: what is held of its lanes stays valid, and what comes later isn't (M3, K1). */
export async function roleRevoke (context: Context, args: CommandArgs['role revoke'], io: CommandIo): Promise<CommandResults['role revoke']> {
  const domain = ownDomain(context)
  const roles = new Set(args.roles.map(roleOf))
  const scope = new Set(args.scope.map(prefixOf))
  const target = resolvePrincipal(context.home, args.principal, knownPrincipals(await context.runtime.wake(domain)).filter((p) => p.now !== undefined))
  let left: readonly Role[] = []
  const changed = await change(context, domain, io, args, (k) => {
    const now = principalsOf(k.authority().onChain.at(-1)!.manifest)
    const held = now.find((p) => p.publicKey === target.publicKey)
    if (held === undefined) throw new DiadError('unknown-principal', `the principal ${target.id} isn't listed any more`, 'see `diad role list`')
    const others = now.filter((p) => p !== held)
    // Without any other nothing is signed at all.
    const without = (): { principals: NewPrincipal[] } => {
      if (others.length > 0) demandOwnMeant(context.home, target.publicKey, args.yes)
      return { principals: others }
    }
    if (roles.size === 0 && scope.size === 0) return without()
    const lacking = [...roles].find((role) => !held.roles.includes(role)) ?? [...scope].find((prefix) => !held.prefixes.includes(prefix))
    if (lacking !== undefined) {
      throw new DiadError('nothing-to-change', `${args.principal} doesn't have ${JSON.stringify(lacking)}`, `it has the roles ${held.roles.join(', ')} in the scope ${held.prefixes.map((p) => JSON.stringify(p)).join(', ') || 'of nothing'}`)
    }
    left = held.roles.filter((role) => !roles.has(role))
    if (left.length === 0) return without()
    return { principals: [...others, { ...held, roles: left, prefixes: held.prefixes.filter((prefix) => !scope.has(prefix)) }] }
  })
  if (isOwnPrincipal(context.home, target.publicKey)) {
    context.signer = undefined
    const dropped = droppedKey(await context.runtime.knowledge(domain), target.publicKey)
    if (dropped !== undefined) io.warn(`this home can publish nothing now: ${newPrincipalHint(dropped)}`)
  }
  return { ...changed, principal: target.id, ...named(context, target.id), roles: [...left] }
}

/** M1: the live roots are known to the rules; of the next ones only this home knows, and a principal's key among them could never take over. */
function refuseRoot ({ home }: Context, key: PublicKey): void {
  const known = rootsKnownHere(home)
  if (!known.has(key)) return
  throw new DiadError('root-key-reused', `${keyInWords(key, known)} is an offline root key, which may sign nothing but root entries`, 'make a key of its own: `diad key new NAME`')
}

/**
 * The rules allow it. But a root_key signs manifests, and whoever steals a publishing key mustn't have that one too; and closed as a principal it would go on
 * signing them.
 */
function refuseRootKey ({ home }: Context, k: DomainKnowledge, key: PublicKey): void {
  const { rootChain: { judged }, onChain } = k.authority()
  const known = new Set([...[...judged.values()].map((j) => j.certificate?.subject_pubkey), ...onChain.map((m) => m.manifest.root_key)])
  const here = homeKeys(home).some((h) => h.publicKey === key && /^root_key([-.]|$)/.test(h.name))
  if (!known.has(key) && !here) return
  throw new DiadError('root-key-reused', `${key.slice(0, 16)}… is ${onChain.at(-1)?.manifest.root_key === key ? 'the root_key' : 'a root_key, former or to come,'} of this domain, which signs manifests and nothing else`, 'make a key of its own: `diad key new NAME`')
}

/** The amendment refuses any dropped key; of the home's own principal it is known how to go on. */
function demandNotDropped ({ home }: Context, k: DomainKnowledge, key: PublicKey): void {
  const dropped = droppedKey(k, key)
  if (dropped === undefined || !isOwnPrincipal(home, key)) return
  throw new DiadError('principal-returns', `the key ${key} was dropped by manifest ${dropped.by}, and a dropped key never returns`, newPrincipalHint(dropped))
}

const unique = <T extends string>(values: readonly T[]): T[] => [...new Set(values)].sort()

function roleOf (text: string): Role {
  const role = parseRole(text)
  if (role === undefined) throw new DiadError('usage', `${JSON.stringify(text)} is no role`, `roles are ${ROLE_NAMES.join(', ')}`)
  return role
}

function prefixOf (text: string): string {
  const prefix = text.replace(/\/$/, '')
  const fault = prefix === '' ? undefined : pathFault(prefix)
  if (fault !== undefined) throw new MalformedError(`"${text}" can't be a prefix of names: ${fault}`)
  return prefix
}

/** A key that is to be granted something: from its file, as digits, as one of the home's key files, or a principal that is listed already. */
function keyOf (context: Context, text: string, known: readonly KnownPrincipal[]): PublicKey {
  if (text.endsWith(PUBLIC) || isAbsolute(text)) {
    return publicHalfAt(text)
  }
  if (/^[0-9a-f]{64}$/.test(text)) return known.find((p) => p.id === text)?.publicKey ?? text as PublicKey
  const own = homeKeys(context.home).find((key) => key.name === text)
  if (own !== undefined) return own.publicKey
  if (/\.key(\.age)?$/.test(text) && !known.some((p) => readPrincipalNames(context.home).get(p.id) === text)) throw privateHalf(text)
  return resolvePrincipal(context.home, text, known).publicKey
}

/** `ci.pub` makes its principal `ci`, unless that is somebody already; a key file in the home gives its name by itself. */
function nameFrom (context: Context, text: string, id: Hash): string | undefined {
  const name = text.endsWith(PUBLIC) ? basename(text, PUBLIC) : ''
  const names = readPrincipalNames(context.home)
  return principalNameFault(name) === undefined && !names.has(id) && ![...names.values()].includes(name) ? name : undefined
}
