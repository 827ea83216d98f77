/** `diad recover`: hot keys that were lost or stolen, taken back with the offline roots. A follower goes on without adding the domain anew (THREATS 18). */
import { basename } from 'node:path'
import { amendManifest, type Change, principalsOf } from '../../../authority/amend.js'
import type { DomainKnowledge } from '../../../authority/knowledge.js'
import type { DomainAuthorityManifest } from '../../../authority/manifest.js'
import type { NewPrincipal } from '../../../authority/mint.js'
import { renewEntry } from '../../../authority/renew.js'
import { principalId } from '../../../publication/evidence.js'
import { DiadError } from '../../../substrate/errors.js'
import type { Hash, PublicKey } from '../../../substrate/reference.js'
import { checkMaySign, commitAuthority } from '../../authority.js'
import { refreshProjection } from '../../authority-projection.js'
import type { CommandIo } from '../../command.js'
import type { Home } from '../../home/home.js'
import { readPrincipalNames, resolvePrincipal } from '../../home/principal-names.js'
import { openSigner } from '../../keys/open-signer.js'
import { placeKey } from '../../keys/place-key.js'
import { ALL_ROLES } from '../../mint.js'
import { findKeysOf } from '../../keys/find-keys.js'
import { newRequest } from '../../roots/signing-request.js'
import { rightsText } from '../../roots/summary.js'
import { type Context, inTurn } from '../context.js'
import { demandBase, demandBranch, goingBack } from './base-choice.js'
import { adopt, signOrAsk } from './establish.js'
import { askOnce, baseFrom, checkMayGoOn, demandHomeFor, epochFrom, newHotKey, rootsDomain } from './new-epoch.js'
import { withPrincipals } from './root-signers.js'
import type { EpochResult, RecoverResult, RootsArgs } from './types.js'

/** A stolen root_key: a new one is certified, and what the thief signed after the base falls away (M7). */
export async function recoverRootKey (context: Context, args: RootsArgs['recover root-key'], io: CommandIo): Promise<RecoverResult> {
  return await inTurn(context, async () => {
    const k = await rootsDomain(context, args.domain)
    demandHomeFor(context, k.domain)
    demandBase(context, k, args.base, io)
    demandBranch(context, k, args.base, true, io)
    goingBack(context, k, args.base, args.yes === true, io)()
    await checkMayGoOn(context, k, args, io)
    const entry = renewEntry(k, await epochFrom(context, k, { ...args, rootKey: 'new' }, io, undefined, true))
    const { result, closed } = await signOrAsk(context, io, newRequest(k, entry), args)
    return { ...result, principal: null, publicKey: null, closed: [...closed] }
  })
}

/**
 * Lost hot keys: a new root_key where the certified one isn't here, a new principal, and the old principals closed with what is held of them kept. With a
 * request it is two runs, `root apply` in between; the second needs no roots.
 */
export async function recoverKeys (context: Context, args: RootsArgs['recover keys'], io: CommandIo): Promise<RecoverResult> {
  const { keys } = context.home.paths
  return await inTurn(context, async () => {
    const k = await rootsDomain(context, args.domain)
    demandHomeFor(context, k.domain)
    const certified = certifiedKey(k)
    const here = args.stolen ? undefined : findKeysOf([keys], [certified]).get(certified)
    const passphrase = askOnce(io, 'the new keys')
    const epoch = k.authority().rootChain.entries.length - (here === undefined ? 0 : 1)
    const done = async (principal: PublicKey, result: EpochResult, closed: readonly Hash[]): Promise<RecoverResult> => {
      if (context.runtime.own() === undefined) await adopt(context, k)
      placeKey(keys, 'principal', principal, `e${here === undefined ? epoch - 1 : epoch}`)
      context.signer = undefined
      refreshProjection(context, await context.runtime.knowledge(k.domain))
      return withPrincipals(context.home, { ...result, principal: principalId(principal), publicKey: principal, closed: [...closed] })
    }
    if (here !== undefined) {
      // An earlier run was cut off after its manifest was in force and before the files had their names: nothing is left to sign.
      const left = leftOver(k, keys)
      if (left !== undefined) {
        placeKey(keys, 'root_key', certified, `e${Math.max(0, epoch - 1)}`)
        const last = k.authority().onChain.at(-1)
        return await done(left, { ...standing(k), manifest: last?.ref ?? null, version: last?.manifest.version ?? null }, [])
      }
      await checkMaySign(context, k, io, { offline: args.offline, peers: args.peers })
      demandMeant(context, manifestAt(k, undefined), args, principalHere(k, keys) === undefined ? 'missing here: a principal that the manifest lists' : undefined, io)
      const signer = await openSigner(here, io.passphrase ?? { kind: 'none' }, { expected: certified, signal: io.signal })
      const principal = await newHotKey(context, 'principal', epoch, passphrase, io)
      const amended = amendManifest(k, replacing(context.home, manifestAt(k, undefined), principal, args.keep))
      await commitAuthority(context, k, amended, signer)
      return await done(principal, { ...standing(k), manifest: amended.ref, version: amended.manifest.version }, amended.closed)
    }
    if (args.stolen) demandBase(context, k, args.base, io)
    demandBranch(context, k, args.base, true, io)
    const demandKept = goingBack(context, k, args.base, args.yes === true, io)
    await checkMayGoOn(context, k, args, io)
    const why = args.stolen ? 'stolen' : `missing here: root_key ${certified.slice(0, 16)}…${principalHere(k, keys) === undefined ? ' and a principal that the manifest lists' : ''}`
    if (args.request === undefined) demandMeant(context, manifestAt(k, args.base === undefined ? undefined : baseFrom(k, args.base)), args, why, io)
    else if (!args.stolen) io.warn(why)
    demandKept()
    const entry = renewEntry(k, await epochFrom(context, k, { ...args, rootKey: 'new' }, io, passphrase, args.stolen))
    const request = newRequest(k, entry)
    if (args.request !== undefined) {
      const { result } = await signOrAsk(context, io, request, args)
      io.warn('once it is signed: `diad root apply` it here, then run `diad recover keys` again for a new principal, with --yes for those that it closes')
      return { ...result, principal: null, publicKey: null, closed: [] }
    }
    const principal = await newHotKey(context, 'principal', epoch, passphrase, io, args.stolen)
    const { result, closed } = await signOrAsk(context, io, request, args, replacing(context.home, manifestAt(k, entry.entry.base), principal, args.keep))
    return await done(principal, result, closed)
  })
}

/**
 * Closing a principal is for ever, and a key that isn't in this home may be a person's or a token's: so who goes is always said, and has to be meant.
 * `why`: what is wrong here; undefined = nothing. Throws DiadError `not-confirmed`.
 */
function demandMeant (context: Context, m: DomainAuthorityManifest, { keep, yes }: Pick<RootsArgs['recover keys'], 'keep' | 'yes'>, why: string | undefined, io: CommandIo): void {
  const { going } = parted(context.home, m, keep)
  if (going.length === 0) {
    if (why !== undefined) io.warn(why)
    return
  }
  const names = readPrincipalNames(context.home)
  const list = going.map(({ publicKey, roles }) => {
    const id = principalId(publicKey)
    const name = names.get(id)
    return `${name === undefined ? '' : `${name} `}${id.slice(0, 16)}… (${roles.join(', ')})`
  }).join('; ')
  const them = going.length === 1 ? 'this principal' : `these ${going.length} principals`
  if (yes !== true) {
    throw new DiadError('not-confirmed', `${why ?? 'nothing is missing'}: this would close ${them} for ever: ${list}`,
      `nothing was signed. --keep PRINCIPAL, its name or digits, spares who still has the key: a person, a stick, an agent, a token; --yes closes the others${why === undefined ? '. `diad key rotate` puts a new principal in the place of the one here; --stolen if somebody else has these keys' : ''}`)
  }
  if (why !== undefined) io.warn(why)
  io.warn(`closes ${them} for ever: ${list}`)
}

/** The home's `principal`, where the manifest lists it. */
function principalHere (k: DomainKnowledge, keys: string): PublicKey | undefined {
  const found = findKeysOf([keys], manifestAt(k, undefined).principals.map((p) => p.public_key))
  return [...found].find(([, path]) => /^principal\.key/.test(basename(path)))?.[0]
}

/** A principal in force that this home made for an epoch and that never came to its name. */
function leftOver (k: DomainKnowledge, directory: string): PublicKey | undefined {
  const found = findKeysOf([directory], manifestAt(k, undefined).principals.map((p) => p.public_key))
  return [...found].find(([, path]) => /^principal-e\d+(-\d+)?\./.test(basename(path)))?.[0]
}

function certifiedKey (k: DomainKnowledge): PublicKey {
  const { entries, judged } = k.authority().rootChain
  const key = judged.get(entries.at(-1)?.ref ?? k.domain)?.certificate?.subject_pubkey
  if (key === undefined) throw new DiadError('unknown-domain', 'nothing of this domain\'s roots is held here', 'sync the domain first')
  return key
}

function manifestAt (k: DomainKnowledge, base: string | undefined): DomainAuthorityManifest {
  const { judged, onChain } = k.authority()
  const manifest = base === undefined ? onChain.at(-1)?.manifest : judged.get(base as never)?.manifest
  if (manifest === undefined) throw new DiadError('no-manifest', 'no manifest of this domain is in force here', 'sync the domain first')
  return manifest
}

/** All principals but the kept ones go, and one takes their place with the roles of all of them. Whoever goes is closed with what is held kept (M3). */
function replacing (home: Home, m: DomainAuthorityManifest, principal: PublicKey, keep: readonly string[]): Change {
  const { kept, going } = parted(home, m, keep)
  const roles = [...new Set([...ALL_ROLES, ...going.flatMap((p) => p.roles)])].sort()
  return { principals: [...kept, { publicKey: principal, roles, prefixes: [''] }], keep: 'held' }
}

/** Those that `keep` names, as `key close` takes them, and those that it doesn't. Throws as {@link resolvePrincipal}. */
function parted (home: Home, m: DomainAuthorityManifest, keep: readonly string[]): { kept: NewPrincipal[], going: NewPrincipal[] } {
  const all = principalsOf(m)
  const known = all.map(({ publicKey }) => ({ id: principalId(publicKey), publicKey }))
  const named = new Set(keep.map((text) => resolvePrincipal(home, text, known).publicKey))
  return { kept: all.filter((p) => named.has(p.publicKey)), going: all.filter((p) => !named.has(p.publicKey)) }
}

function standing (k: DomainKnowledge): EpochResult {
  const { rootChain, onChain } = k.authority()
  const [last, tip] = [rootChain.entries.at(-1), onChain.at(-1)]
  return { domain: k.domain, epoch: last?.entry.epoch ?? 0, entry: last?.ref ?? k.domain, summary: tip === undefined ? [] : rightsText(tip.manifest), signed: [], threshold: 0, manifest: null, version: null, request: null }
}
