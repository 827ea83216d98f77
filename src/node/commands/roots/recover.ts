/** `diad recover`: hot keys that were lost or stolen, taken back with the offline roots. A follower goes on without adding the domain anew (THREATS 18). */
import { basename } from 'node:path'
import { amendManifest, type Change, principalsOf } from '../../../authority/amend.js'
import type { DomainKnowledge } from '../../../authority/knowledge.js'
import type { DomainAuthorityManifest } from '../../../authority/manifest.js'
import { renewEntry } from '../../../authority/renew.js'
import { principalId } from '../../../publication/evidence.js'
import { DiadError } from '../../../substrate/errors.js'
import type { Hash, PublicKey } from '../../../substrate/reference.js'
import { checkMaySign, commitAuthority } from '../../authority.js'
import { refreshProjection } from '../../authority-projection.js'
import type { CommandIo } from '../../command.js'
import { openSigner } from '../../keys/open-signer.js'
import { placeKey } from '../../keys/place-key.js'
import { ALL_ROLES } from '../../mint.js'
import { findKeysOf } from '../../keys/find-keys.js'
import { newRequest } from '../../roots/signing-request.js'
import { type Context, inTurn } from '../context.js'
import { demandBase } from './base-choice.js'
import { adopt, signOrAsk } from './establish.js'
import { askOnce, checkMayGoOn, epochFrom, newHotKey, rootsDomain } from './new-epoch.js'
import type { EpochResult, RecoverResult, RootsArgs } from './types.js'

/** Hex digits by which a principal may be named. */
const MIN_DIGITS = 8

/** A stolen root_key: a new one is certified, and what the thief signed after the base falls away (M7). */
export async function recoverRootKey (context: Context, args: RootsArgs['recover root-key'], io: CommandIo): Promise<RecoverResult> {
  return await inTurn(context, async () => {
    const k = await rootsDomain(context, args.domain)
    demandBase(context, k, args.base, io)
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
    const certified = certifiedKey(k)
    const here = args.stolen ? undefined : findKeysOf([keys], [certified]).get(certified)
    const passphrase = askOnce(io, 'the new keys')
    const epoch = k.authority().rootChain.entries.length - (here === undefined ? 0 : 1)
    const done = async (principal: PublicKey, result: EpochResult, closed: readonly Hash[]): Promise<RecoverResult> => {
      if (context.runtime.own() === undefined) await adopt(context, k)
      placeKey(keys, 'principal', principal, `e${here === undefined ? epoch - 1 : epoch}`)
      context.signer = undefined
      refreshProjection(context, await context.runtime.knowledge(k.domain))
      return { ...result, principal: principalId(principal), publicKey: principal, closed: [...closed] }
    }
    if (here !== undefined) {
      // An earlier run was cut off after its manifest was in force and before the files had their names: nothing is left to sign.
      const left = leftOver(k, keys)
      if (left !== undefined) {
        placeKey(keys, 'root_key', certified, `e${Math.max(0, epoch - 1)}`)
        const last = k.authority().onChain.at(-1)
        return await done(left, { ...standing(k), manifest: last?.ref ?? null, version: last?.manifest.version ?? null }, [])
      }
      demandMissing(k, keys, args, io)
      await checkMaySign(context, k, io, { offline: args.offline, peers: args.peers })
      const signer = await openSigner(here, io.passphrase ?? { kind: 'none' }, { expected: certified, signal: io.signal })
      const principal = await newHotKey(context, 'principal', epoch, passphrase, io)
      const amended = amendManifest(k, replacing(manifestAt(k, undefined), principal, args.keep))
      await commitAuthority(context, k, amended, signer)
      return await done(principal, { ...standing(k), manifest: amended.ref, version: amended.manifest.version }, amended.closed)
    }
    if (!args.stolen) io.warn(`missing here: root_key ${certified.slice(0, 16)}…${principalHere(k, keys) === undefined ? ' and a principal that the manifest lists' : ''}`)
    if (args.stolen) demandBase(context, k, args.base, io)
    await checkMayGoOn(context, k, args, io)
    const entry = renewEntry(k, await epochFrom(context, k, { ...args, rootKey: 'new' }, io, passphrase, args.stolen))
    const request = newRequest(k, entry)
    if (args.request !== undefined) {
      const { result } = await signOrAsk(context, io, request, args)
      io.warn('once it is signed: `diad root apply` it here, then run `diad recover keys` again for a new principal, with --yes where the one in this home still works')
      return { ...result, principal: null, publicKey: null, closed: [] }
    }
    const principal = await newHotKey(context, 'principal', epoch, passphrase, io, args.stolen)
    const { result, closed } = await signOrAsk(context, io, request, args, replacing(manifestAt(k, entry.entry.base), principal, args.keep))
    return await done(principal, result, closed)
  })
}

/** Closing a principal that works is for ever, so it has to be meant. Throws DiadError `not-confirmed`. */
function demandMissing (k: DomainKnowledge, keys: string, { yes }: Pick<RootsArgs['recover keys'], 'yes'>, io: CommandIo): void {
  const principal = principalHere(k, keys)
  if (principal === undefined) io.warn('missing here: a principal that the manifest lists')
  else if (yes !== true) {
    throw new DiadError('not-confirmed', `nothing is missing: root_key and the principal in ${keys} are those in force, and this would close that principal for ever`,
      'nothing was signed. `diad key rotate` puts a new principal in its place; --stolen if somebody else has these keys; --yes does it all the same')
  }
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
function replacing (m: DomainAuthorityManifest, principal: PublicKey, keep: readonly string[]): Change {
  const before = principalsOf(m)
  const kept = new Set(keep.map((text) => findPrincipal(before.map((p) => p.publicKey), text)))
  const going = before.filter((p) => !kept.has(p.publicKey))
  const roles = [...new Set([...ALL_ROLES, ...going.flatMap((p) => p.roles)])].sort()
  return { principals: [...before.filter((p) => kept.has(p.publicKey)), { publicKey: principal, roles, prefixes: [''] }], keep: 'held' }
}

function findPrincipal (keys: readonly PublicKey[], text: string): PublicKey {
  const found = text.length < MIN_DIGITS ? [] : keys.filter((key) => key.startsWith(text) || principalId(key).startsWith(text))
  const [only] = found
  if (only === undefined || found.length > 1) throw new DiadError('not-a-principal', `"${text.slice(0, 80)}" names no single principal of the manifest in force`, `give ${MIN_DIGITS} or more digits of its key or id: see \`diad role list\``)
  return only
}

function standing (k: DomainKnowledge): EpochResult {
  const last = k.authority().rootChain.entries.at(-1)
  return { domain: k.domain, epoch: last?.entry.epoch ?? 0, entry: last?.ref ?? k.domain, summary: [], signed: [], threshold: 0, manifest: null, version: null, request: null }
}
