/** Bringing a signed root entry into force: the entry, the first manifest of its epoch, and the key files by their new names, in that order. */
import { amendManifest, type Change } from '../../../authority/amend.js'
import type { AuthorityCertificate } from '../../../authority/certificate.js'
import type { DomainKnowledge } from '../../../authority/knowledge.js'
import { lanesUnder, lossesSince } from '../../../authority/losses.js'
import { entryFault } from '../../../authority/renew.js'
import { unpersistedOps } from '../../../federation/ledger.js'
import { DiadError } from '../../../substrate/errors.js'
import type { Hash, Reference } from '../../../substrate/reference.js'
import { refreshProjection } from '../../authority-projection.js'
import { admittedAgain, readAdmissions, widenedInWords } from '../../admission/held.js'
import { checkMaySign, commitAuthority, markEntry, mayContinueEntry, type Signing } from '../../authority.js'
import type { CommandIo } from '../../command.js'
import { setOwnDomain } from '../../home/home.js'
import { petnameOf, readPetnames } from '../../home/petnames.js'
import { openSigner } from '../../keys/open-signer.js'
import { placeKey } from '../../keys/place-key.js'
import { findKeysOf } from '../../keys/find-keys.js'
import { rememberRequest } from '../../roots/made-requests.js'
import type { RootNames } from '../../roots/root-names.js'
import { summaryAfter } from '../../roots/summary.js'
import { artifactsOf, type EntryRequest } from '../../roots/signing-request.js'
import type { Context } from '../context.js'
import { demandHomeFor } from './new-epoch.js'
import { demandComplete, namesIn, rootDirectories, rootNames, signAtHand, withPrincipals, writeRequest } from './root-signers.js'
import type { EpochResult, RootSigning, ShownLoss } from './types.js'

export interface Established {
  readonly manifest: Reference | null
  readonly version: number | null
  readonly closed: readonly Hash[]
  /** what counted and doesn't any more: going back to a base ends all that stood under later manifests (M7) */
  readonly losses?: ShownLoss[]
}

/** Signs with what is at hand; then writes the request where one is asked for, or brings the entry into force. To be called in turn. */
export async function signOrAsk (context: Context, io: CommandIo, asked: EntryRequest, args: RootSigning, change: Change = {}): Promise<{ result: EpochResult, closed: readonly Hash[] }> {
  const directories = rootDirectories(context, args)
  const names = rootNames(context.home.paths.root, directories, args.keys)
  const request = await signAtHand(asked, directories, args.keys, io)
  if (args.request !== undefined) {
    rememberRequest(context.home, request, { file: args.request })
    writeRequest(args.request, request)
    return { result: withPrincipals(context.home, { ...epochResult(request, names), request: args.request }), closed: [] }
  }
  demandComplete(request, names)
  const { closed, ...put } = await establish(context, io, request, change)
  const result = { ...epochResult(request, names), ...put }
  const now = put.manifest === null ? undefined : (await context.runtime.knowledge(request.domain)).authority().judged.get(put.manifest)?.manifest
  return { result: withPrincipals(context.home, now === undefined ? result : { ...result, summary: summaryAfter(result.summary, now) }), closed }
}

export function epochResult (r: EntryRequest, names: RootNames): EpochResult {
  return {
    domain: r.domain,
    epoch: r.entry.epoch,
    entry: r.ref,
    summary: [...r.summary],
    signed: r.signatures.map((s) => s.public_key),
    threshold: r.rootSet.threshold,
    manifest: null,
    version: null,
    request: null,
    names: namesIn(r, names)
  }
}

/**
 * Takes a signed request in: twice does no harm, and what was cut off is finished. `change` is what the first manifest of the epoch changes; `ask`: M8 is
 * asked before that is signed; without it the caller has. Throws DiadError `signature-missing`, `unknown-domain`, `root-orphaned` and what amending, signing and the store throw. To be called in turn.
 */
export async function establish (context: Context, io: CommandIo, request: EntryRequest, change: Change = {}, ask?: Signing): Promise<Established> {
  demandComplete(request, rootNames(context.home.paths.root, []))
  const { runtime } = context
  if (!runtime.records.has(request.domain)) throw new DiadError('unknown-domain', 'this home doesn\'t hold the domain of this request', 'run this in the domain\'s home, or `diad follow` it first')
  const k = await runtime.wake(request.domain)
  try {
    return await takeIn(context, io, k, request, change, ask)
  } catch (err) {
    // Memory may be ahead of the disk now; the disk is the truth.
    runtime.forget(k.domain)
    runtime.step({ type: 'unfollow', domain: k.domain })
    await runtime.wake(request.domain).catch(() => undefined)
    throw err
  }
}

async function takeIn (context: Context, io: CommandIo, k: DomainKnowledge, request: EntryRequest, change: Change, ask: Signing | undefined): Promise<Established> {
  const { runtime, home } = context
  const { ref, entry, rootSet } = request
  const sure = mayContinueEntry(runtime, k)
  // Other machines may know more of the domain than this one.
  for (const artifact of request.artifacts) k.admit(artifact)
  const certificate = k.objects.certificates.get(entry.certificate) as AuthorityCertificate
  const inForce = (): boolean => k.authority().rootChain.entries.at(-1)?.ref === ref
  const fault = inForce() ? undefined : entryFault(k, { ref, entry, certificate, rootSet })
  if (fault !== undefined) throw new DiadError(fault.code, `this root entry can't come into force here: ${fault.checks.at(-1)?.text ?? fault.code}`, 'see `diad root show`; the request may have to be made anew')
  const mark = `e${entry.epoch - 1}`
  const rootKey = certificate.subject_pubkey
  const path = findKeysOf([home.paths.keys], [rootKey]).get(rootKey)
  if (path !== undefined) demandHomeFor(context, k.domain)
  const lanes = lanesUnder(k, k.authority())
  const admitted = await readAdmissions(runtime, k)
  let out: Established = { manifest: null, version: null, closed: [] }
  const written = inForce() ? k.authority().onChain.at(-1) : undefined
  if (written?.manifest.root_entry === ref) {
    out = { manifest: written.ref, version: written.manifest.version, closed: [] }
  } else if (path !== undefined) {
    // In a fork this entry settles it, and its base says from which manifest to go on: only whether the newest entry is here is open.
    if (ask !== undefined) await checkMaySign(context, k, io, ask, k.authority().state === 'authority-forked' ? 'entry' : 'manifest')
    const signer = await openSigner(path, io.passphrase ?? { kind: 'none' }, { expected: rootKey, signal: io.signal })
    const amended = amendManifest(k, { ...change, under: { rootEntry: ref, rootKey, policyHash: certificate.policy_hash, previous: entry.base } })
    await commitAuthority(context, k, amended, signer, artifactsOf(request))
    out = { manifest: amended.ref, version: amended.manifest.version, closed: amended.closed }
  } else {
    for (const artifact of artifactsOf(request)) k.admit(artifact)
    if (!inForce()) throw new Error('a judged root entry with enough signatures is not in force')
    await runtime.durable(async () => {
      await runtime.commit(unpersistedOps(k))
      // Another home signs the manifests, so nothing may vouch here for which is the newest. Whether the entry is it, this home knows if it knew before.
      if (sure) markEntry(runtime, k)
    })
    io.warn(`the root_key ${rootKey} is not in ${home.paths.keys}: run this in the home that has it, too, so that the first manifest of the epoch is signed`)
  }
  const losses = lossesSince(k, lanes, k.authority())
  const wider = widenedInWords(home, admitted, losses)
  if (wider !== undefined) io.warn(admittedAgain(wider))
  if (losses.length > 0) out = { ...out, losses: losses.map(({ lane, from, to, names }) => ({ lane, from, to, names: [...names] })) }
  if (path !== undefined) {
    if (runtime.own() === undefined) await adopt(context, k)
    placeKey(home.paths.keys, 'root_key', rootKey, mark)
  }
  refreshProjection(context, k)
  return out
}

/** THREATS 18: whoever holds the certified key is the owner, in whatever home. */
export async function adopt (context: Context, k: DomainKnowledge): Promise<void> {
  await context.runtime.found(k)
  context.home = setOwnDomain(context.home, k.domain, petnameOf(readPetnames(context.home), k.domain) ?? 'home')
}
