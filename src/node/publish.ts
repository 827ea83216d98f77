/**
 * Publishing: content into blocks, one leaf, one signed head. Order (RULES L4, DESIGN §7): blocks, leaves and head in one durable batch, then the
 * marker outside the store, and only then is anything said to anybody.
 */
import { randomBytes } from 'node:crypto'
import type { DomainKnowledge } from '../authority/knowledge.js'
import type { LaneKnowledge } from '../authority/lane-knowledge.js'
import { judgeLeaf } from '../authority/leaf-rules.js'
import { branchOps, wholeOp } from '../federation/ledger.js'
import { principalId } from '../publication/evidence.js'
import { type Lane, laneCodec, PUBLISHED, type Snapshot, snapshotCodec } from '../publication/lane.js'
import { bareLeaf, type Body, encodeLeaf, LEAF_BYTES, leafOf, type NewLeaf } from '../publication/leaf.js'
import { LeafLog } from '../publication/leaf-log.js'
import { concatBytes } from '../substrate/bytes.js'
import { DiadError } from '../substrate/errors.js'
import { LIMITS } from '../substrate/limits.js'
import type { KvOp } from '../substrate/ports.js'
import { NONE, type PublicKey, type Reference } from '../substrate/reference.js'
import { type Signer, signatureCodec } from '../substrate/signature.js'
import { importPath, type ImportOptions } from './files/import.js'
import { mayContinueLane, writeMarker } from './marker.js'
import { signArtifact } from './mint.js'
import type { Runtime } from './runtime.js'

export interface Published {
  readonly domain: Reference
  readonly lane: Reference
  readonly snapshot: Reference
  readonly ref: Reference
  readonly name: string
  readonly records: number
  readonly files: number
  readonly blocks: number
  readonly bytes: number
}

const newSalt = (): string => randomBytes(16).toString('hex')

/** What the tip manifest gives the holder of `key`. Throws DiadError `role-missing`. */
function rightsOf (k: DomainKnowledge, key: PublicKey): { manifest: Reference, rights: Parameters<typeof judgeLeaf>[2] } {
  const authority = k.authority()
  const tip = authority.onChain.at(-1)
  const policy = tip === undefined ? undefined : authority.policyOf(tip.ref)
  if (tip === undefined || policy === undefined) throw new DiadError('no-manifest', 'this domain has no manifest in force here', 'sync the domain first')
  const at = tip.manifest.principals.findIndex((p) => p.principal_id === principalId(key))
  const principal = tip.manifest.principals[at]
  const scope = tip.manifest.scope[at]
  if (principal === undefined || scope === undefined) {
    throw new DiadError('role-missing', `manifest ${tip.manifest.version} doesn't name this key`, 'ask the domain\'s owner for a role')
  }
  return { manifest: tip.ref, rights: { principal, scope, policy } }
}

/** Refuses before the first byte is read what every reader would refuse afterwards. Throws `role-missing`, `out-of-scope`, `malformed`. */
export function checkMayPublish (k: DomainKnowledge, key: PublicKey, body: Body): void {
  const { rights } = rightsOf(k, key)
  const { leaf, body: payload } = leafOf(1, body)
  const judged = judgeLeaf(leaf, payload, rights)
  if (judged.status === 'accepted') return
  const roles = rights.principal.roles.join(', ')
  if (judged.code === 'out-of-scope') throw new DiadError('out-of-scope', `the name is outside this key's scope (${rights.scope.prefixes.join(', ') || 'nothing'})`, 'choose a name under one of these prefixes')
  throw new DiadError('role-missing', `this key may not ${body.kind}: its roles are ${roles}`, 'ask the domain\'s owner for the role')
}

/** The lane to go on with, or a new one (L4: without an agreeing marker never the old one). */
function laneFor (runtime: Runtime, k: DomainKnowledge, key: PublicKey): { lane: Lane, known: LaneKnowledge | undefined } {
  const { manifest } = rightsOf(k, key)
  const principal = principalId(key)
  const own = [...k.viewAll().lanes.values()].filter((v) => v.knowledge.lane.principal === principal && v.knowledge.lane.visibility === PUBLISHED && v.branch !== undefined)
  own.sort((a, b) => (b.branch?.head.snapshot.logseq ?? 0) - (a.branch?.head.snapshot.logseq ?? 0))
  for (const v of own) {
    const head = v.branch?.head.snapshot
    if (head === undefined || v.knowledge.lane.manifest !== manifest || v.status !== 'accepted' || v.limit !== head.log_size) continue
    if (mayContinueLane(runtime.store.folder, v.knowledge.ref, { size: head.log_size, root: head.log_root })) return { lane: v.knowledge.lane, known: v.knowledge }
  }
  const previous = own[0]?.branch?.head.ref ?? NONE
  return { lane: { domain_id: k.domain, principal, manifest, visibility: PUBLISHED, nonce: randomBytes(32).toString('hex'), previous }, known: undefined }
}

/** R3: the next logseq, and the ticks that a step too wide needs. */
function leavesFor (k: DomainKnowledge, known: LaneKnowledge | undefined, body: Body): NewLeaf[] {
  const goal = k.viewAll().logseq + 1
  const out: NewLeaf[] = []
  let at = known?.branches[0]?.head.snapshot.logseq ?? 0
  while (goal - at > LIMITS.logseqStep) {
    at += LIMITS.logseqStep
    out.push(bareLeaf('tick', at))
  }
  out.push(leafOf(Math.max(goal, at + 1), body))
  return out
}

/** Appends `body` to our lane and signs the new head. `ops` ride in the same batch; they are asked for when it is certain that there will be one. */
export async function appendRecord (runtime: Runtime, k: DomainKnowledge, signer: Signer, body: Body, ops: () => KvOp[]): Promise<{ lane: Reference, snapshot: Reference, records: number }> {
  const { lane, known } = laneFor(runtime, k, signer.publicKey)
  const laneRef = laneCodec.reference(lane)
  const branch = known?.branches[0]
  const from = branch?.log.size ?? 0
  const added = leavesFor(k, known, body)
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
    await runtime.durable(async () => {
      await runtime.commit(batch)
      writeMarker(runtime.store.folder, laneRef, { size: snapshot.log_size, root: snapshot.log_root })
    })
  } catch (err) {
    // Memory may be ahead of the disk now; the disk is the truth.
    runtime.forget(k.domain)
    runtime.step({ type: 'unfollow', domain: k.domain })
    throw err
  }
  runtime.step({ type: 'published', domain: k.domain, lane: laneRef, from })
  return { lane: laneRef, snapshot: snapshotRef, records: added.length }
}

/** Imports `path` and publishes it under `name`. On any failure nothing is published; imported blocks stay as unreachable, internal bytes. */
export async function publishPath (runtime: Runtime, k: DomainKnowledge, signer: Signer, path: string, name: string, options: Pick<ImportOptions, 'signal' | 'onProgress'>): Promise<Published> {
  const { domain } = k
  checkMayPublish(k, signer.publicKey, { kind: 'publish', salt: newSalt(), name, ref: domain, mode: 0 })
  // V1: what no federate key exports yet isn't held for anybody but us.
  const exported = rightsOf(k, signer.publicKey).rights.principal.roles.includes('federate')
  const { blocks, audience } = runtime.store
  const { generation, op } = audience.begin(domain)
  blocks.enqueue(op)
  const imported = await importPath(path, blocks, {
    ...options,
    onBlock (ref) {
      const mark = audience.mark(domain, ref, generation)
      if (mark !== undefined) blocks.enqueue(mark)
    }
  })
  options.signal?.throwIfAborted()
  const body: Body = { kind: 'publish', salt: newSalt(), name, ref: imported.ref, mode: imported.mode }
  const done = await appendRecord(runtime, k, signer, body, () => [...exported ? [audience.commitOp(domain, generation)] : [], wholeOp(domain, imported.ref)])
  return { domain, ...done, ref: imported.ref, name, files: imported.files, blocks: imported.blocks, bytes: imported.bytes }
}
