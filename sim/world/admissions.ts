/**
 * Which other domains a domain lets into its view, decided at one of its nodes: requests go from hand to hand, the production code judges them, appends the
 * decision to the node's internal lane, and says what enters the view. Nothing of it goes over the simulated network.
 */
import { type Admissions, admissionsOf, type Admitted, admitRefs, effectiveAdmissions, finallyDecided, judgeRequest, limitView, type Limited, nextRecord, recordedManifest } from '../../src/authority/admission.js'
import { type AdmissionRecord, admissionRecordCodec, type AdmissionRequest, admissionRequestCodec, admits, type Decision, normalScope, scopeWithin } from '../../src/authority/admission-objects.js'
import type { DomainKnowledge } from '../../src/authority/knowledge.js'
import { appendRecord, checkMayAppend } from '../../src/federation/append.js'
import type { Engine } from '../../src/federation/engine.js'
import { INTERNAL } from '../../src/publication/lane.js'
import { readLeaf } from '../../src/publication/leaf.js'
import { type Artifact, referenceOfArtifact } from '../../src/substrate/artifact.js'
import { DiadError } from '../../src/substrate/errors.js'
import { type Reference, referenceOfHash } from '../../src/substrate/reference.js'
import { signArtifact, type Signature, signatureCodec } from '../../src/substrate/signature.js'
import { getUndamaged } from '../../src/substrate/store.js'
import { knowledgeOf } from './domains.js'
import type { SimNode } from './node.js'
import { deskOf, inTurn } from './publisher.js'
import type { World } from './world.js'

/** What somebody carries from domain to domain. */
interface Letter { readonly request: AdmissionRequest, readonly signature: Signature }

/** As the files of homes are: a nonce belongs to the node that handed it out. */
const nonces = new WeakMap<SimNode, Map<string, Reference | undefined>>()
const letters = new WeakMap<World, Map<string, Letter>>()

const noncesOf = (node: SimNode): Map<string, Reference | undefined> => {
  const held = nonces.get(node) ?? new Map<string, Reference | undefined>()
  nonces.set(node, held)
  return held
}

const lettersOf = (world: World): Map<string, Letter> => {
  const held = letters.get(world) ?? new Map<string, Letter>()
  letters.set(world, held)
  return held
}

export interface Deciding {
  /** the domain that asks */
  readonly of: string
  readonly decision: Decision
  /** what is admitted, for ACCEPTED_LIMITED; what is asked for, for ACCEPTED */
  readonly scope: readonly string[]
  /** keeps the request under this name */
  readonly keep?: string
  /** decides on a request that was kept, wherever it was meant for */
  readonly shown?: string
  readonly key?: string
}

/** What the node's domain decided on others, read from its disk. */
export async function admissionsAt (engine: Engine, own: DomainKnowledge): Promise<Admissions> {
  const held = new Map<Reference, Artifact>()
  for (const ref of admitRefs(own)) {
    const artifact = await getUndamaged(engine.ports.blocks, ref)
    if (artifact !== undefined) held.set(ref, artifact)
  }
  return admissionsOf(own, (ref) => held.get(ref))
}

/** What of `other` enters the view of one who holds the decisions of all of `nodes`, as the first of them sees that domain. Throws DiadError `node-down`. */
export async function limitedAt (world: World, nodes: readonly [SimNode, ...SimNode[]], other: DomainKnowledge): Promise<{ limited: Limited, admitted: Admitted | undefined }> {
  const records = new Map<Reference, AdmissionRecord>()
  let missing = 0
  for (const { engine, spec, name } of nodes) {
    const own = engine?.replica.domains.get(world.domain(spec.domain).id)
    if (engine === undefined || own === undefined) throw new DiadError('node-down', `${name} is down`)
    const admissions = await admissionsAt(engine, own)
    missing += admissions.missing.length
    for (const [ref, record] of admissions.records) records.set(ref, record)
  }
  const admitted = missing > 0 ? undefined : effectiveAdmissions(records).get(other.domain)
  return { limited: limitView(other.view(), admitted), admitted }
}

/** Throws DiadError `node-down`, `role-missing`, `admission-decided`, the code of a request that can't be decided on, and what the store throws. */
export async function decide (world: World, node: SimNode, deciding: Deciding): Promise<void> {
  await inTurn(node, async () => {
    const { engine, domain, signer, k } = await deskOf(world, node, deciding.key)
    const applicant = world.domain(deciding.of)
    const other = engine.replica.domains.get(applicant.id) ?? knowledgeOf(applicant)
    checkMayAppend(k, signer.publicKey, { kind: 'admit', ref: domain.id })
    const admissions = await admissionsAt(engine, k)
    if (admissions.missing.length > 0) throw new DiadError('content-missing', `${node.name} can't read all of its own decisions`)
    const heads = admissions.byDomain.get(applicant.id)?.heads ?? []
    const before = heads.map((r) => admissions.records.get(r) as AdmissionRecord)
    const [last] = before
    const letter = last !== undefined && !admits(deciding.decision) && deciding.shown === undefined ? undefined : await letterFor(world, node, deciding, other)
    const asked = letter === undefined ? undefined : judged(world, node, letter, other, admissions)
    const facts = asked ?? last
    if (facts === undefined) throw new DiadError('not-found', 'there is nothing to decide on')
    const record = nextRecord(admissions, {
      domain_id: applicant.id,
      dam_hash: facts.dam_hash,
      policy_hash: facts.policy_hash,
      admitted_scope: admits(deciding.decision) ? letter === undefined || deciding.decision === 'ACCEPTED_LIMITED' ? normalScope(deciding.scope) : letter.request.requested_scope : [],
      decision: deciding.decision,
      request: facts.request
    })
    if (letter !== undefined && !scopeWithin(record.admitted_scope, letter.request.requested_scope)) throw new DiadError('scope-too-wide', 'no more can be admitted than was asked for')
    const artifacts = [admissionRecordCodec.artifact(record), ...letter === undefined ? [] : [admissionRequestCodec.artifact(letter.request), signatureCodec.artifact(letter.signature)]]
    world.oracle.decides(node.name, record)
    for (const artifact of artifacts) {
      world.oracle.internal.add(referenceOfArtifact(artifact))
      await engine.ports.blocks.put(artifact.typeTag, artifact.payload)
    }
    if (letter !== undefined) noncesOf(node).set(letter.request.nonce, facts.request)
    const { lane, snapshot } = await appendRecord(engine, k, signer, { kind: 'admit', ref: admissionRecordCodec.reference(record) }, () => [], INTERNAL)
    if (node.engine !== engine) return
    const head = k.lanes.get(lane)?.heads.get(snapshot)
    const log = k.lanes.get(lane)?.branches[0]?.log
    const size = head?.snapshot.log_size ?? 0
    // The body's hash stands in the leaf, so neither of them can pass unseen.
    const leaf = log === undefined ? undefined : readLeaf(log.leaf(size - 1))
    if (leaf !== undefined) world.oracle.internal.add(referenceOfHash(leaf.body_hash))
    world.oracle.decided(node.name, record)
    world.oracle.acknowledged.push({ node: node.name, domain: domain.id, lane, head: snapshot, size, at: world.clock.now })
    world.note('admitted', node.name, `${deciding.of} is ${deciding.decision}${record.admitted_scope.length === 0 ? '' : ` within ${record.admitted_scope.map((s) => s === '' ? 'everything' : s).join(', ')}`}`)
  })
}

/** The request that is decided on: one that was kept, or a fresh one for a nonce of this node. */
async function letterFor (world: World, node: SimNode, { of, decision, scope, keep, shown }: Deciding, other: DomainKnowledge): Promise<Letter> {
  if (shown !== undefined) {
    const letter = lettersOf(world).get(shown)
    if (letter === undefined) throw new DiadError('not-found', `there is no request "${shown}"`)
    return letter
  }
  const tip = other.authority().onChain.at(-1)
  const signer = tip === undefined ? undefined : world.domain(of).keys.signer(tip.manifest.root_key)
  if (tip === undefined || signer === undefined) throw new DiadError('no-manifest', `${of} can't ask for anything now`)
  const nonce = world.random.fork(`nonce ${node.name} ${noncesOf(node).size}`).hex(32)
  noncesOf(node).set(nonce, undefined)
  const request: AdmissionRequest = {
    applicant: other.domain, root_entry: tip.manifest.root_entry, manifest: tip.ref, receiver: world.domain(node.spec.domain).id, nonce,
    // What is limited was asked for in full.
    requested_scope: decision === 'ACCEPTED' ? normalScope(scope) : ['']
  }
  const letter = { request, signature: signatureCodec.from(await signArtifact(signer, 'admission-request', admissionRequestCodec.reference(request))) }
  if (keep !== undefined) lettersOf(world).set(keep, letter)
  return letter
}

/** D1, D2. Throws DiadError with the code of the verdict; it stands among the node's refusals. */
function judged (world: World, node: SimNode, { request, signature }: Letter, other: DomainKnowledge, admissions: Admissions): Pick<AdmissionRecord, 'dam_hash' | 'policy_hash' | 'request'> {
  const ref = admissionRequestCodec.reference(request)
  const refuse = (code: string, text: string): never => {
    world.refused(node, 'a request', request.applicant, code, undefined)
    throw new DiadError(code, text)
  }
  const verdict = judgeRequest(request, signature, other, { receiver: world.domain(node.spec.domain).id, nonces: noncesOf(node) })
  if (verdict.status !== 'accepted') return refuse(verdict.code, verdict.checks.at(-1)?.text ?? verdict.code)
  if (finallyDecided(admissions, ref)) return refuse('admission-decided', 'it was decided on before')
  const facts = recordedManifest(request.manifest, other)
  return facts === undefined ? refuse('manifest-missing', 'its manifest is not held') : { ...facts, request: ref }
}
