/**
 * `diad recover lane`: a lane of ours that forked, because a restored or copied home published over a head that it never saw (THREATS 15). It ends where
 * both histories agree, and what was published beyond is published anew in a lane that no other copy knows of; not what was erased since (R7).
 */
import { greatestHeld } from '../../../authority/amend.js'
import type { DomainKnowledge } from '../../../authority/knowledge.js'
import { firstDifference, type HeldBranch, type LaneKnowledge } from '../../../authority/lane-knowledge.js'
import { viewLane } from '../../../authority/lane-view.js'
import { erasedOnce, type Leftover, leftoversOn } from '../../../authority/leftovers.js'
import { appendRecords } from '../../../federation/append.js'
import { principalId } from '../../../publication/evidence.js'
import { PUBLISHED, type Snapshot, snapshotCodec } from '../../../publication/lane.js'
import { type Body, namesContent, readLeaf, type UnsaltedBody } from '../../../publication/leaf.js'
import type { LeafLog } from '../../../publication/leaf-log.js'
import { showName } from '../../../publication/names.js'
import { DiadError } from '../../../substrate/errors.js'
import { NONE, type Reference } from '../../../substrate/reference.js'
import { signArtifact, type Signer } from '../../../substrate/signature.js'
import { changeAuthority } from '../../authority.js'
import type { CommandIo } from '../../command.js'
import { type Context, inTurn, ownDomain, principalSigner } from '../context.js'
import { beginsWith } from '../records/common.js'
import type { RootsArgs, RootsResults } from './types.js'

export async function recoverLane (context: Context, args: RootsArgs['recover lane'], io: CommandIo): Promise<RootsResults['recover lane']> {
  const { runtime } = context
  const domain = ownDomain(context)
  const signer = await principalSigner(context, io)
  const id = principalId(signer.publicKey)
  let lane: LaneKnowledge | undefined
  let end: Reference | undefined
  let lost: readonly Lost[] = []
  const { amended } = await changeAuthority(context, domain, io, { offline: args.offline, peers: args.peers }, async (k) => {
    lane = forkedLane(k, id, args.lane)
    const { limit, log } = viewLane(lane, k.authority())
    lost = chosenOf(context, lane, historiesOf(k, lane, limit, log), args.branch ?? [])
    if (limit > 0 && log !== undefined) end = await headAt(k, lane, signer, limit, log.root(limit), readLeaf(log.leaf(limit - 1))?.logseq ?? 0)
    const heads = new Map<Reference, Reference>()
    for (const other of k.lanes.values()) {
      const head = other.lane.principal !== id ? undefined : other === lane ? end : greatestHeld(other, k.authority())
      if (head !== undefined) heads.set(other.ref, head)
    }
    return { close: new Map([[id, heads]]) }
  })
  // The principal goes on under the new manifest; its next lane is a new one.
  const republished = await inTurn(context, async () => {
    const k = await runtime.wake(domain)
    const bodies = worthPublishing(k, lost.filter((one) => one.left === undefined))
    const { visibility } = (lane as LaneKnowledge).lane
    if (visibility !== PUBLISHED) io.warn('the lane is internal: decisions on other domains that stand beyond its end have to be made again')
    if (bodies.length > 0) await runtime.gate.together(domain, async () => await appendRecords(runtime, k, signer, bodies, () => [], visibility))
    for (const b of bodies) {
      if ('ref' in b && b.kind !== 'receipt' && !runtime.store.blocks.has(b.ref)) io.warn(`the content of ${showName((b as { name: string }).name)} isn't held here: import a bundle of the other copy, or publish it again from its files`)
    }
    return bodies.map((b) => (b as { name: string }).name)
  })
  return { domain, lane: (lane as unknown as LaneKnowledge).ref, snapshot: end ?? NONE, manifest: amended.ref, version: amended.manifest.version, republished, left: leftBehind(lost, republished) }
}

/** The lane that is meant: the one named, or the only one of ours that forked. */
function forkedLane (k: DomainKnowledge, id: string, text: string | undefined): LaneKnowledge {
  const ours = [...k.lanes.values()].filter((l) => l.lane.principal === id && l.evidence !== undefined && viewLane(l, k.authority()).contested)
  const found = text === undefined ? ours : ours.filter((l) => beginsWith(l.ref, text))
  const [only] = found
  if (only !== undefined && found.length === 1) return only
  throw new DiadError('not-found', found.length > 1 ? `${found.length} lanes of this key forked` : 'no lane of this home\'s key is known to have forked', found.length > 1 ? 'name one: see `diad lanes`' : 'see `diad status` and `diad lanes`')
}

/** The head where both histories still agree. A new one is no equivocation: its log is a prefix of both. */
async function headAt (k: DomainKnowledge, lane: LaneKnowledge, signer: Signer, size: number, root: Snapshot['log_root'], logseq: number): Promise<Reference> {
  const there = [...lane.heads.values()].find((h) => h.snapshot.log_size === size && h.snapshot.log_root === root)
  if (there !== undefined) return there.ref
  const artifact = snapshotCodec.artifact({ lane: lane.ref, log_size: size, log_root: root, logseq })
  const ref = snapshotCodec.reference(snapshotCodec.from(artifact))
  k.admit(artifact)
  k.admit(await signArtifact(signer, 'snapshot', ref))
  if (!lane.heads.has(ref)) throw new Error('our own head was refused')
  return ref
}

/** Names of which nothing is published again though a chosen history spoke of them, and why. */
function leftBehind (lost: readonly Lost[], republished: readonly string[]): Array<{ name: string, code: string }> {
  const out = new Map(lost.flatMap(({ body: { name }, left }) => left === undefined || republished.includes(name) ? [] : [[name, left] as const]))
  return [...out].map(([name, code]) => ({ name, code })).sort((a, b) => a.name < b.name ? -1 : 1)
}

interface Lost { readonly logseq: number, readonly body: Body & { name: string }, readonly ref: Reference, readonly left: Leftover['left'] }

/** What one history of a lane says of names beyond the point where the lane will end. */
interface History { readonly branch: HeldBranch, readonly lost: readonly Lost[] }

/** Of each branch, from where it parts from the one in force, as far as bodies are held. */
function historiesOf (k: DomainKnowledge, lane: LaneKnowledge, limit: number, inForce: LeafLog | undefined): History[] {
  const erased = erasedOnce(k, lane.lane.principal)
  return lane.branches.map((branch) => {
    const { log } = branch
    const from = inForce === undefined || log === inForce ? limit : Math.min(limit, firstDifference(log, inForce))
    return { branch, lost: leftoversOn(k, lane, log, from, erased).flatMap(lostOf) }
  })
}

function lostOf ({ leaf: { logseq }, body, left }: Leftover): Lost[] {
  return namesContent(body) || body?.kind === 'tombstone' ? [{ logseq, body, ref: body.kind === 'tombstone' ? NONE : body.ref, left }] : []
}

/** A branch may be a thief's, who has the key. Where two say something, a person says which of them is to be said again. */
function chosenOf (context: Context, lane: LaneKnowledge, histories: readonly History[], named: readonly string[]): Lost[] {
  const unknown = named.find((text) => !histories.some((h) => beginsWith(h.branch.head.ref, text)))
  if (unknown !== undefined) throw new DiadError('not-found', `no history of this lane that is held here ends in ${unknown}`, `they end in ${histories.map((h) => h.branch.head.ref).join(', ')}`)
  const speaking = histories.filter((h) => h.lost.some((one) => one.left === undefined))
  if (named.length === 0 && speaking.length > 1) {
    throw new DiadError('branch-needed', `the lane has ${histories.length} histories here, and the key may be a thief's: ${speaking.map((h) => historyText(context, lane, h)).join('; ')}`,
      'nothing was signed. Name those that you published with --branch HEAD; what the others say is not published again')
  }
  return (named.length === 0 ? speaking : histories.filter((h) => named.some((text) => beginsWith(h.branch.head.ref, text)))).flatMap((h) => h.lost)
}

function historyText ({ runtime }: Context, lane: LaneKnowledge, { branch: { head }, lost }: History): string {
  const { log_size: size, log_root: root } = head.snapshot
  const names = [...new Set(lost.filter((one) => one.left === undefined).map((one) => showName(one.body.name)))]
  const here = runtime.ports.markers.mayContinue(lane.ref, { size, root }) ? ' (this machine\'s)' : ''
  return `${head.ref}${here} says ${names.slice(0, 5).join(', ')}${names.length > 5 ? ` and ${names.length - 5} more` : ''}`
}

/** R4: the greatest of each name, unless something else that stands is greater. */
function worthPublishing (k: DomainKnowledge, lost: readonly Lost[]): UnsaltedBody[] {
  const best = new Map<string, Lost>()
  for (const one of lost) {
    const held = best.get(one.body.name)
    if (held === undefined || one.logseq > held.logseq || (one.logseq === held.logseq && one.ref > held.ref)) best.set(one.body.name, one)
  }
  const { current } = k.viewAll()
  return [...best.values()].filter(({ logseq, body, ref }) => {
    const stands = current.get(body.name)
    return stands === undefined ? ref !== NONE : stands.ref !== ref && stands.logseq < logseq
  }).sort((a, b) => a.logseq - b.logseq).map(({ body: { salt: _salt, ...body } }) => body as UnsaltedBody)
}
