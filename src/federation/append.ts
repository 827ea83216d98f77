/**
 * Appending to our own lane: one leaf, one signed head. Order (RULES L4, DESIGN §7): blocks, leaves and head in one durable batch, then the marker
 * outside the store, and only then is anything said to anybody.
 */
import type { DomainKnowledge } from '../authority/knowledge.js'
import type { LaneKnowledge } from '../authority/lane-knowledge.js'
import { judgeLeaf } from '../authority/leaf-rules.js'
import { principalId } from '../publication/evidence.js'
import { INTERNAL, type Lane, laneCodec, PUBLISHED, type Snapshot, snapshotCodec } from '../publication/lane.js'
import { bareLeaf, type Body, encodeLeaf, LEAF_BYTES, leafOf, type NewLeaf, type UnsaltedBody } from '../publication/leaf.js'
import { LeafLog } from '../publication/leaf-log.js'
import { concatBytes } from '../substrate/bytes.js'
import { DiadError } from '../substrate/errors.js'
import { LIMITS } from '../substrate/limits.js'
import type { KvOp } from '../substrate/ports.js'
import { NONE, type PublicKey, type Reference } from '../substrate/reference.js'
import { signArtifact, type Signer, signatureCodec } from '../substrate/signature.js'
import { branchOps } from './ledger.js'
import type { Engine } from './engine.js'

/** bytes of a leaf body's salt (R1) */
const SALT_BYTES = 16

/** L2: internal lanes are never vouched for, served or named in published ones. */
export type Visibility = typeof INTERNAL | typeof PUBLISHED

export interface Appended {
  readonly lane: Reference
  readonly snapshot: Reference
  readonly logseq: number
  /** leaves appended, ticks included */
  readonly records: number
}

/** What the tip manifest gives the holder of `key`. Throws DiadError `no-manifest`, `role-missing`. */
export function rightsOf (k: DomainKnowledge, key: PublicKey): { manifest: Reference, rights: Parameters<typeof judgeLeaf>[2] } {
  const authority = k.authority()
  const tip = authority.onChain.at(-1)
  const policy = tip === undefined ? undefined : authority.policyOf(tip.ref)
  if (tip === undefined || policy === undefined) throw new DiadError('no-manifest', 'this domain has no manifest in force here', 'sync the domain first')
  const at = tip.manifest.principals.findIndex((p) => p.principal_id === principalId(key))
  const principal = tip.manifest.principals[at]
  const scope = tip.manifest.scope[at]
  if (principal === undefined || scope === undefined) {
    const dropped = authority.onChain.some(({ manifest }) => manifest.principals.some((p) => p.principal_id === principalId(key)))
    throw dropped
      ? new DiadError('role-missing', `manifest ${tip.manifest.version} doesn't name this key any more: it was dropped, and a dropped key never returns`, 'make another key, and ask the domain\'s owner for a role for that')
      : new DiadError('role-missing', `manifest ${tip.manifest.version} doesn't name this key`, 'ask the domain\'s owner for a role; if it has one, that manifest isn\'t held here yet: sync first')
  }
  return { manifest: tip.ref, rights: { principal, scope, policy } }
}

/** Refuses before the first byte is read what every reader would refuse afterwards. Throws `role-missing`, `role-not-allowed`, `out-of-scope`. */
export function checkMayAppend (k: DomainKnowledge, key: PublicKey, body: UnsaltedBody): void {
  const { rights } = rightsOf(k, key)
  const { leaf, body: payload } = leafOf(1, salted(body, '0'.repeat(2 * SALT_BYTES)))
  const judged = judgeLeaf(leaf, payload, rights)
  if (judged.status === 'accepted') return
  const roles = rights.principal.roles.join(', ')
  if (judged.code === 'out-of-scope') throw new DiadError('out-of-scope', `the name is outside this key's scope (${rights.scope.prefixes.join(', ') || 'nothing'})`, 'choose a name under one of these prefixes')
  if (judged.code === 'role-not-allowed') throw new DiadError('role-not-allowed', `the domain's policy doesn't let this key ${body.kind}: its roles are ${roles}`, 'ask the domain\'s owner for another role or policy')
  throw new DiadError('role-missing', `this key may not ${body.kind}: its roles are ${roles}`, 'ask the domain\'s owner for the role')
}

const salted = (body: UnsaltedBody, salt: string): Body => ({ ...body, salt })

/** The lane to go on with, or a new one (L4: without an agreeing marker never the old one). */
function laneFor ({ ports }: Engine, k: DomainKnowledge, key: PublicKey, visibility: Visibility): { lane: Lane, known: LaneKnowledge | undefined } {
  const { manifest } = rightsOf(k, key)
  const principal = principalId(key)
  const own = [...k.viewAll().lanes.values()].filter((v) => v.knowledge.lane.principal === principal && v.knowledge.lane.visibility === visibility && v.branch !== undefined)
  own.sort((a, b) => (b.branch?.head.snapshot.logseq ?? 0) - (a.branch?.head.snapshot.logseq ?? 0))
  for (const v of own) {
    const head = v.branch?.head.snapshot
    if (head === undefined || v.knowledge.branches.length !== 1 || v.knowledge.lane.manifest !== manifest || v.status !== 'accepted' || v.limit !== head.log_size) continue
    if (ports.markers.mayContinue(v.knowledge.ref, { size: head.log_size, root: head.log_root })) return { lane: v.knowledge.lane, known: v.knowledge }
  }
  const previous = own[0]?.branch?.head.ref ?? NONE
  return { lane: { domain_id: k.domain, principal, manifest, visibility, nonce: ports.random(32), previous }, known: undefined }
}

/** R3: the next logseqs, and the ticks that a step too wide needs. */
function leavesFor (k: DomainKnowledge, known: LaneKnowledge | undefined, bodies: readonly Body[]): NewLeaf[] {
  const goal = k.viewAll().logseq + 1
  const out: NewLeaf[] = []
  let at = known?.branches[0]?.head.snapshot.logseq ?? 0
  while (goal - at > LIMITS.logseqStep) {
    at += LIMITS.logseqStep
    out.push(bareLeaf('tick', at))
  }
  for (const body of bodies) {
    at = Math.max(goal, at + 1)
    out.push(leafOf(at, body))
  }
  return out
}

/** As {@link appendRecords} for one. */
export async function appendRecord (engine: Engine, k: DomainKnowledge, signer: Signer, body: UnsaltedBody, ops: () => KvOp[] = () => [], visibility: Visibility = PUBLISHED): Promise<Appended> {
  return await appendRecords(engine, k, signer, [body], ops, visibility)
}

/**
 * Appends `bodies`, at least one, to our lane and signs the new head: readers see all of them or none (R8). `ops` ride in the same batch; they are asked for when it is certain that there will be one.
 * One call at a time for one domain. Throws what the store throws; then nothing was said to anybody, and what is durable is found on the next start.
 */
export async function appendRecords (engine: Engine, k: DomainKnowledge, signer: Signer, bodies: readonly UnsaltedBody[], ops: () => KvOp[] = () => [], visibility: Visibility = PUBLISHED): Promise<Appended> {
  const { lane, known } = laneFor(engine, k, signer.publicKey, visibility)
  const laneRef = laneCodec.reference(lane)
  const branch = known?.branches[0]
  const from = branch?.log.size ?? 0
  const added = leavesFor(k, known, bodies.map((body) => salted(body, engine.ports.random(SALT_BYTES))))
  const bytes = concatBytes(...added.map((l) => encodeLeaf(l.leaf)))
  const log = branch?.log.clone() ?? new LeafLog()
  log.append(bytes)
  const snapshot: Snapshot = { lane: laneRef, log_size: from + bytes.length / LEAF_BYTES, log_root: log.root(), logseq: (added.at(-1) as NewLeaf).leaf.logseq }
  const snapshotRef = snapshotCodec.reference(snapshot)
  const signature = signatureCodec.from(await signArtifact(signer, 'snapshot', snapshotRef))
  try {
    if (known === undefined) k.admit(laneCodec.artifact(lane))
    const held = k.lanes.get(laneRef) as LaneKnowledge
    const head = held.head(snapshot, signature)
    const grown = head === 'bad-signature' ? undefined : held.extend(head, from, bytes, branch)
    if (grown?.result !== 'extended') throw new Error('our own head was refused')
    added.forEach((l, i) => { if (l.body !== undefined) held.addBody(grown.branch, from + i, l.body) })
    k.touch()
    const batch = [...branchOps(k, held, grown.branch, from), ...ops()]
    await engine.durable(async () => {
      await engine.commit(batch)
      engine.ports.markers.write(laneRef, { size: snapshot.log_size, root: snapshot.log_root })
    })
  } catch (err) {
    // Memory may be ahead of the disk now; the disk is the truth.
    engine.forget(k.domain)
    engine.step({ type: 'unfollow', domain: k.domain })
    throw err
  }
  // L2: nobody hears of an internal lane.
  if (visibility !== INTERNAL) engine.step({ type: 'published', domain: k.domain, lane: laneRef, from })
  return { lane: laneRef, snapshot: snapshotRef, logseq: snapshot.logseq, records: added.length }
}
