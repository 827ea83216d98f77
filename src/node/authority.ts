/**
 * Writing authority: when this node may sign the next manifest of its domain (M8), and how one becomes durable before anybody hears of it. The words of
 * a refusal are meant for the owner of one machine, who can do little else than say that no other node signs.
 */
import { createHash } from 'node:crypto'
import { type Amended, amendManifest, type Change } from '../authority/amend.js'
import type { DomainKnowledge } from '../authority/knowledge.js'
import { unpersistedOps, controlOps } from '../federation/ledger.js'
import type { Report } from '../federation/effects.js'
import { type Artifact, referenceOfArtifact } from '../substrate/artifact.js'
import { DiadError } from '../substrate/errors.js'
import { digestOf, type Hash, type PublicKey, type Reference } from '../substrate/reference.js'
import { signArtifact, type Signer } from '../substrate/signature.js'
import type { CommandIo } from './command.js'
import { type Context, inTurn, storedPeers } from './commands/context.js'
import { dialAll, withNetwork } from './commands/networked.js'
import { forkHint, forkOf, forkText } from './authority-fork.js'
import { changesAfter, elsewhereHint, epochAfter, epochWords } from './authority-words.js'
import type { Home } from './home/home.js'
import { forgetLastSigned, readLastSigned } from './home/last-signed.js'
import { findKeyFile } from './keys/key-file.js'
import { openSigner } from './keys/open-signer.js'
import type { OpenedSigner } from './keys/signer.js'
import { type Marker, readMarker } from './marker.js'
import type { Network } from './network.js'
import { refreshProjection } from './authority-projection.js'
import type { Runtime } from './runtime.js'

/** How long connected peers may take to show what they have. */
const ASK_MS = 10_000

export interface Signing {
  /** `--offline-authority`: sign though nothing says that this is the newest manifest */
  readonly offline?: boolean
  /** addresses to ask first, where no daemon is running */
  readonly peers?: readonly string[]
  /** admitted before the manifest and committed with it: a root entry with its signatures */
  readonly also?: readonly Artifact[]
  /** `--key`: the root_key, where it isn't the home's own */
  readonly key?: string
  /** looks at what would be signed; throws what keeps it from being signed */
  readonly approve?: (k: DomainKnowledge, amended: Amended) => void | Promise<void>
}

/**
 * What the marker of a domain holds: version and digest of the newest manifest; and of the newest root entry, where the manifest stands under an earlier
 * one: then the first manifest of the epoch is still to be signed. Its key is the DomainID, which no LaneID can equal.
 */
function markOf (k: DomainKnowledge): Marker | undefined {
  const { tip, onChain, rootChain } = k.authority()
  const last = onChain.at(-1)
  const entry = rootChain.entries.at(-1)?.ref
  if (tip === undefined || last === undefined) return undefined
  return { size: last.manifest.version, root: last.manifest.root_entry === entry ? digestOf(tip) : beforeEpoch(tip, entry) }
}

/** The mark of the newest manifest while the first of the epoch after it is still to be signed. */
function beforeEpoch (tip: Reference, entry: Reference | undefined): Hash {
  return createHash('sha256').update(`${tip} ${entry}`).digest('hex') as Hash
}

/**
 * The newest manifest that this machine signed, as its marker says: on the chain, on a branch of a fork, or off both. undefined where there is no marker:
 * after a restart, in a copy (M8).
 */
function markedHere (runtime: Runtime, k: DomainKnowledge): Reference | undefined {
  const marker = readMarker(runtime.store.folder, k.domain)
  if (marker === undefined) return undefined
  const { judged, rootChain } = k.authority()
  for (const { ref, manifest } of judged.values()) {
    if (manifest.version === marker.size && (marker.root === digestOf(ref) || rootChain.entries.some((e) => marker.root === beforeEpoch(ref, e.ref)))) return ref
  }
  return undefined
}

/** As {@link markedHere}; where no marker stands any more, what was noted in the home when an alarm was first raised. Not held: undefined. */
export function ownNewest (home: Home, runtime: Runtime, k: DomainKnowledge): Reference | undefined {
  const noted = markedHere(runtime, k) ?? readLastSigned(home, k.domain)?.manifest
  return noted !== undefined && k.authority().judged.has(noted) ? noted : undefined
}

/** Place on the chain of the newest manifest that this machine signed, as its marker says; -1 where there is none, or it is off the chain. */
export function lastSignedHere (runtime: Runtime, k: DomainKnowledge): number {
  const marked = markedHere(runtime, k)
  return marked === undefined ? -1 : k.authority().onChain.findIndex(({ ref }) => ref === marked)
}

/** As {@link lastSignedHere}; where no marker stands any more, what was noted in the home when the alarm was first raised. */
export function lastKnownHere (home: Home, runtime: Runtime, k: DomainKnowledge): number {
  const known = lastSignedHere(runtime, k)
  const noted = known >= 0 ? undefined : readLastSigned(home, k.domain)
  return noted === undefined ? known : k.authority().onChain.findIndex(({ ref }) => ref === noted.manifest)
}

/** The root chain has a marker of its own: `--base` says from which manifest to go on, and says nothing of whether this is the newest entry. */
function entryMarkOf (k: DomainKnowledge): { key: Reference, mark: Marker } | undefined {
  const last = k.authority().rootChain.entries.at(-1)
  return last === undefined ? undefined : { key: `${k.domain} roots` as Reference, mark: { size: last.entry.epoch + 1, root: digestOf(last.ref) } }
}

/** Whether this machine knows from its own doing which root entry is the newest. */
export function mayContinueEntry (runtime: Runtime, k: DomainKnowledge): boolean {
  const own = entryMarkOf(k)
  return own !== undefined && runtime.ports.markers.mayContinue(own.key, own.mark)
}

/** As {@link markAuthority}, of the root entry alone. */
export function markEntry (runtime: Runtime, k: DomainKnowledge): void {
  const own = entryMarkOf(k)
  if (own !== undefined) runtime.ports.markers.write(own.key, own.mark)
}

/** Says outside the store which manifest is the newest. To be called when one was made durable, before it is said to anybody. */
export function markAuthority (runtime: Runtime, k: DomainKnowledge): void {
  const mark = markOf(k)
  if (mark !== undefined) runtime.ports.markers.write(k.domain, mark)
  markEntry(runtime, k)
}

/**
 * M8: the next manifest may be signed when the marker agrees, or when a peer that holds the domain showed nothing newer, or when the person says so. Only
 * a peer at an address that a person gave vouches for that: anybody can connect and claim the domain.
 * `entry`: only whether the newest root entry is here, for a person has
 * said from which manifest to go on. Throws DiadError `authority-unsure` with the reason, and `authority-newer` when a peer had a newer manifest or
 * another child; `authority-forked` before anything else, for there nobody's assurance helps.
 */
export async function checkMaySign (context: Context, k: DomainKnowledge, io: CommandIo, { offline = false, peers = [] }: Signing, what: 'manifest' | 'entry' = 'manifest'): Promise<void> {
  const { runtime } = context
  if (what === 'manifest') demandUnforked(context, k)
  const mark = markOf(k)
  if (what === 'manifest' && mark === undefined) return
  // A store set back to before an entry whose manifests another home signs has the marker of its newest manifest still: both have to agree.
  const same = what === 'entry' || (mark !== undefined && runtime.ports.markers.mayContinue(k.domain, mark))
  if (same && mayContinueEntry(runtime, k)) return
  const why = same || mark === undefined
    ? `nothing shows that epoch ${k.authority().rootChain.entries.at(-1)?.entry.epoch ?? 0} is still the newest, and two root entries for one epoch fork the domain: this machine was restarted, or the home is a copy or was restored, or an entry came from elsewhere`
    : unsure(k, readMarker(runtime.store.folder, k.domain)?.size ?? noted(context, k), mark)
  if (offline) {
    io.warn(`signing all the same, as --offline-authority says: ${why}`)
    // Who goes on from a thief's grant makes it good: it shall at least have been seen.
    if (!same) for (const line of changesAfter(context.home, k, lastKnownHere(context.home, runtime, k))) io.warn(`going on from ${line}`)
    return
  }
  const before = k.authority()
  const asked = await ask(context, k, peers, io)
  const now = k.authority()
  const entries = now.rootChain.entries.at(-1)?.ref !== before.rootChain.entries.at(-1)?.ref || now.rootChain.state !== before.rootChain.state
  if (entries || (what === 'manifest' && (now.tip !== before.tip || now.state !== before.state))) {
    throw new DiadError('authority-newer', `a peer had something newer: ${now.stateText}`, 'look at `diad role list`, then run the command again')
  }
  const last = same ? undefined : readMarker(runtime.store.folder, k.domain)?.size ?? noted(context, k)
  const since = last !== undefined && mark !== undefined && last < mark.size ? last : undefined
  if (asked.named.length > 0) {
    // M8 is content: the peer has nothing newer. Whose manifest that is it can't say.
    io.warn(`nothing here shows that this is the newest; asked ${asked.named.join(', ')}, who showed nothing newer`)
    if (since !== undefined) io.warn(`going on from what another machine signed: ${why}. ${elsewhereHint(k, since)}`)
    return
  }
  throw new DiadError('authority-unsure', why, since !== undefined ? elsewhereHint(k, since) :
    context.network === undefined
      ? 'if no other machine signs for this domain: add --offline-authority. Otherwise ask a node that has it: --peer ADDRESS'
      : `${asked.others === 0 ? 'no connected peer has this domain' : `${asked.others === 1 ? 'a connected peer shows' : `${asked.others} connected peers show`} nothing newer, but anybody can connect, and whoever wants a fork would say just that`}. Ask a node that you know: --peer ADDRESS. If no other machine signs for it: add --offline-authority`)
}

/** No manifest can come after a fork (M7), whoever signs it. Throws DiadError `authority-forked`. */
export function demandUnforked ({ home, runtime }: Context, k: DomainKnowledge): void {
  const fork = forkOf(k, ownNewest(home, runtime, k))
  if (fork !== undefined) throw new DiadError('authority-forked', forkText(fork), `nothing was signed; \`diad status\` shows each branch; ${forkHint}`)
}

/** The version that this home noted as the last one signed here, where it is on the chain still. */
function noted ({ home, runtime }: Context, k: DomainKnowledge): number | undefined {
  return k.authority().onChain[lastKnownHere(home, runtime, k)]?.manifest.version
}

/** `last`: the version that this machine signed last, where that is known. */
function unsure (k: DomainKnowledge, last: number | undefined, mark: Marker): string {
  const here = `manifest ${mark.size}`
  if (last === undefined) return `nothing shows that ${here} is still the newest: this machine was restarted, or the home is a copy or was restored`
  if (last > mark.size) return `the store ends at ${here}, and this machine has signed manifest ${last}: the store was set back`
  const began = epochAfter(k, last)
  return `${here} came from elsewhere since this machine last signed (manifest ${last}), signed by ${began === undefined ? 'the same root_key' : `the root_key of ${epochWords(began)}`}`
}

interface Asked {
  /** who showed that it has nothing else, and was found at an address that a person gave, now or earlier */
  readonly named: readonly string[]
  /** how many others did: peers that came by themselves, or through mDNS and the DHT, who may all be one stranger */
  readonly others: number
}

async function ask (context: Context, k: DomainKnowledge, peers: readonly string[], io: CommandIo): Promise<Asked> {
  if (context.network === undefined && peers.length === 0) return { named: [], others: 0 }
  const alone = context.network === undefined
  return await withNetwork(context, async (network) => {
    const addresses = [...peers, ...await storedPeers(context, k.domain, io)]
    const { reached, unreached } = await dialAll(network, addresses, AbortSignal.any([io.signal, AbortSignal.timeout(ASK_MS)]))
    for (const { address, why } of unreached) if (!alone && peers.includes(address)) io.warn(why)
    const answered = alone ? await askWith(context, network, k, peers, io) : await askConnected(context, k, network, [...reached.keys()], io)
    const named = [...answered].flatMap((p) => reached.get(p) ?? [])
    return { named, others: answered.size - named.length }
  })
}

/** The connected peers that have the domain, and those of `named`, who may not have said yet what they have. */
async function askConnected (context: Context, k: DomainKnowledge, network: Network, named: readonly string[], io: CommandIo): Promise<Set<string>> {
  const { runtime } = context
  const connected = runtime.replica.providers(k.domain).filter((p) => network.host.peers().includes(p))
  const waiting = new Set([...connected, ...named])
  const answered = new Set<string>()
  if (waiting.size === 0) return answered
  await new Promise<void>((resolve) => {
    const stop = AbortSignal.any([io.signal, AbortSignal.timeout(ASK_MS)])
    const unsubscribe = runtime.onReport((r) => {
      if (r.kind === 'hello' && waiting.has(r.peer)) runtime.step({ type: 'pull', domain: k.domain, peer: r.peer })
      if (r.kind !== 'pulled' || r.domain !== k.domain || !waiting.delete(r.peer)) return
      if (showed(r)) answered.add(r.peer)
      if (waiting.size === 0) end()
    })
    const end = (): void => {
      unsubscribe()
      resolve()
    }
    stop.addEventListener('abort', end, { once: true })
    if (stop.aborted) end()
    for (const peer of waiting) runtime.step({ type: 'pull', domain: k.domain, peer })
  })
  io.signal.throwIfAborted()
  await runtime.settled()
  return answered
}

/** As {@link askConnected}, of whoever can be found from these addresses, with a network that is there for this command only. */
async function askWith (context: Context, network: Network, k: DomainKnowledge, peers: readonly string[], io: CommandIo): Promise<Set<string>> {
  const answered = new Set<string>()
  const unsubscribe = context.runtime.onReport((r) => {
    if (r.kind === 'pulled' && r.domain === k.domain && showed(r)) answered.add(r.peer)
  })
  context.network = network
  try {
    await context.run('sync', { domain: k.domain, peers: [...peers], timeoutSeconds: ASK_MS / 1000 }, io)
  } finally {
    context.network = undefined
    unsubscribe()
  }
  return answered
}

const showed = (r: Extract<Report, { kind: 'pulled' }>): boolean => r.outcome === 'same' || r.outcome === 'updated'

/** The signer of manifests: the home's own root_key, or what `key` names. Throws DiadError `role-missing` and what {@link openSigner} throws. */
export async function rootKeySigner (context: Context, io: CommandIo, key?: string): Promise<OpenedSigner> {
  const spec = key ?? findKeyFile(context.home.paths.keys, 'root_key')
  if (spec === undefined) {
    throw new DiadError('role-missing', `there is no root_key in ${context.home.paths.keys}, and only it signs manifests`, 'run this in the home that has it, or name it with --key')
  }
  return await openSigner(spec, io.passphrase ?? { kind: 'none' }, { signal: io.signal })
}

/** Throws DiadError `root-key-mismatch` before anything is signed with a key that the epoch doesn't certify. */
export function checkRootKey (signer: Signer, certified: PublicKey): void {
  if (signer.publicKey === certified) return
  throw new DiadError('root-key-mismatch', `this key is ${signer.publicKey}, and the domain's root_key is ${certified}`, 'name the right one with --key; `diad root renew` certifies another one')
}

/**
 * Signs, admits, makes durable, marks, projects; in this order, so that no manifest leaves before it is sure to be found again. What isn't judged
 * `accepted` afterwards is neither kept nor said. The caller has asked {@link checkMaySign}, and lets nothing come in between.
 */
export async function commitAuthority (context: Context, k: DomainKnowledge, amended: Amended, signer: Signer, also: readonly Artifact[] = []): Promise<void> {
  const { runtime } = context
  checkRootKey(signer, amended.manifest.root_key)
  const signature = await signArtifact(signer, 'manifest', amended.ref)
  const artifacts = [...also, ...amended.artifacts, signature]
  try {
    for (const artifact of artifacts) k.admit(artifact)
    const verdict = k.authority().verdictOf(amended.ref)
    if (verdict.status !== 'accepted' || k.authority().tip !== amended.ref) {
      throw new DiadError('manifest-refused', `the new manifest would be ${verdict.status}: ${verdict.code} (${verdict.checks.at(-1)?.text ?? ''})`, 'nothing was signed into force; see `diad verify` for the present one')
    }
    const ops = [...controlOps(k, artifacts.map(referenceOfArtifact)), ...unpersistedOps(k)]
    await runtime.durable(async () => {
      await runtime.commit(ops)
      markAuthority(runtime, k)
      forgetLastSigned(context.home)
    })
  } catch (err) {
    // Memory may be ahead of the disk now; the disk is the truth.
    runtime.forget(k.domain)
    runtime.step({ type: 'unfollow', domain: k.domain })
    throw err
  }
  refreshProjection(context, k)
}

/** M8 and signing in one, for a manifest that was amended from what `k` holds now. */
export async function signAndCommit (context: Context, k: DomainKnowledge, amended: Amended, signer: Signer, io: CommandIo, signing: Signing = {}): Promise<void> {
  await checkMaySign(context, k, io, signing)
  await commitAuthority(context, k, amended, signer, signing.also)
}

/**
 * The whole way of a verb: wakes the own domain, opens root_key, asks whether it may sign, lets `decide` say what changes, and brings that into force.
 * One at a time, and never between the leaf and the head of a publication: a cut names the head that stands when it is made.
 */
export async function changeAuthority (context: Context, domain: Reference, io: CommandIo, signing: Signing, decide: (k: DomainKnowledge) => Change | Promise<Change>): Promise<{ k: DomainKnowledge, amended: Amended }> {
  demandUnforked(context, await context.runtime.knowledge(domain))
  const signer = await rootKeySigner(context, io, signing.key)
  try {
    return await inTurn(context, async () => {
      const k = await context.runtime.wake(domain)
      await checkMaySign(context, k, io, signing)
      const amended = amendManifest(k, await decide(k))
      await signing.approve?.(k, amended)
      await commitAuthority(context, k, amended, signer, signing.also)
      return { k, amended }
    })
  } finally {
    signer.close()
  }
}
