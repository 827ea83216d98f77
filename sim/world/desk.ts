/**
 * Where the owner of a domain sits: who may say what is written, signed and made durable at one of the domain's nodes, and everybody else hears of it
 * from there. The production code writes and judges it; the keys come from the domain's ring. Two desks that haven't heard of each other fork the
 * domain's authority, as two people with one root_key do.
 */
import { amendManifest, type Change, type Keep } from '../../src/authority/amend.js'
import { domainMovedCodec } from '../../src/authority/domain-moved.js'
import type { DomainKnowledge } from '../../src/authority/knowledge.js'
import { type NewEntry, renewEntry, rotateEntry } from '../../src/authority/renew.js'
import { rootCommitment } from '../../src/authority/root-entry.js'
import { type OfflineRootSet, rootSetCodec } from '../../src/authority/root-set.js'
import { principalId } from '../../src/publication/evidence.js'
import type { Engine } from '../../src/federation/engine.js'
import { unpersistedOps } from '../../src/federation/ledger.js'
import type { Artifact } from '../../src/substrate/artifact.js'
import { DiadError } from '../../src/substrate/errors.js'
import type { Hash, Reference } from '../../src/substrate/reference.js'
import { type Purpose, signArtifact, type Signer } from '../../src/substrate/signature.js'
import { type Right, rightsById, type SimDomain } from './domains.js'
import type { SimNode } from './node.js'
import { inTurn } from './publisher.js'
import type { World } from './world.js'

/** What lies on the desk. */
export interface Papers {
  readonly domain: SimDomain
  readonly k: DomainKnowledge
  /** who may do what now, as it was meant */
  readonly rights: readonly Right[]
}

export interface Plan extends Omit<Change, 'principals' | 'under'> {
  /** everybody from now on; default: as it is */
  readonly rights?: readonly Right[]
}

/** The manifest in force as its signer meant it. Throws DiadError `no-manifest`. */
function papersOf (domain: SimDomain, k: DomainKnowledge): Papers {
  const { tip } = k.authority()
  const meant = tip === undefined ? undefined : domain.rights.get(tip)
  if (meant === undefined) throw new DiadError('no-manifest', `${domain.name} has no manifest in force here`)
  return { domain, k, rights: [...meant.values()] }
}

/** The next manifest after what `k` holds, signed with `pen`; noted as meant. For thieves too, who have fewer keys. Throws DiadError where the rules forbid it. */
export async function writeManifest (domain: SimDomain, k: DomainKnowledge, pen: Pen, plan: (papers: Papers) => Plan): Promise<{ ref: Reference, artifacts: Artifact[] }> {
  const papers = papersOf(domain, k)
  const { rights = papers.rights, ...change } = plan(papers)
  const { ref, artifacts, manifest } = amendManifest(k, { ...change, principals: rights.map((r) => ({ publicKey: r.publicKey, roles: r.roles, prefixes: r.scope })) })
  const signer = pen(manifest.root_key)
  if (signer === undefined) throw new DiadError('wrong-key', `the key that signs manifests of ${domain.name} is somebody else's`)
  domain.rights.set(ref, rightsById(rights))
  return { ref, artifacts: [...artifacts, await signArtifact(signer, 'manifest', ref)] }
}

/** Who can sign with a key. */
export type Pen = (key: Signer['publicKey']) => Signer | undefined

/** The owner's: every key of the domain. */
const penOf = ({ keys }: SimDomain): Pen => (key) => keys.signer(key)

/** `node`'s owner changes who may do what. */
export async function decree (world: World, node: SimNode, plan: (papers: Papers) => Plan): Promise<void> {
  await atDesk(world, node, async (domain, k) => await writeManifest(domain, k, penOf(domain), plan))
}

export type Base = 'common' | 'ours'

interface Epoch {
  /** a fresh root_key, or the same one again */
  readonly freshKey: boolean
  /** common: the newest manifest that is in force; ours: the newest one held that the domain's own people wrote */
  readonly base: Base
}

/** The roots certify the root_key anew, and say from which manifest to go on. */
export async function renew (world: World, node: SimNode, epoch: Epoch): Promise<void> {
  await atDesk(world, node, async (domain, k) => await writeRenewal(k, penOf(domain), epochOf(world, domain, k, epoch)))
}

/** As {@link renew}, for thieves too. */
export async function writeRenewal (k: DomainKnowledge, pen: Pen, epoch: Parameters<typeof renewEntry>[1]): Promise<{ ref: Reference, artifacts: Artifact[] }> {
  return await signedBy(pen, renewEntry(k, epoch))
}

/** The root set that was committed to takes over, and commits to one after it. */
export async function rotate (world: World, node: SimNode, epoch: Epoch): Promise<void> {
  await atDesk(world, node, async (domain, k) => {
    const commitment = k.authority().rootChain.entries.at(-1)?.entry.next_commitment
    const set = commitment === undefined ? undefined : domain.keys.behind(commitment)
    if (set === undefined) throw new DiadError('commitment-mismatch', `nobody has the root set that ${domain.name} committed to`)
    const next = domain.keys.newRoots()
    const nextCommitment = rootCommitment(next.salt, rootSetCodec.reference(next.set))
    domain.keys.keep(nextCommitment, next)
    domain.keys.roots = set
    domain.keys.nextRoots = next
    return await signedBy(penOf(domain), rotateEntry(k, { ...epochOf(world, domain, k, epoch), newSet: set.set, salt: set.salt, nextCommitment }))
  })
}

/** M8: the live roots name another domain. */
export async function moveDomain (world: World, node: SimNode, to: string): Promise<void> {
  await atDesk(world, node, async (domain, k) => ({ ref: undefined, artifacts: await writeMove(k, penOf(domain), world.domain(to).id) }))
}

/** As {@link moveDomain}, for thieves too. */
export async function writeMove (k: DomainKnowledge, pen: Pen, to: Reference): Promise<Artifact[]> {
  const { rootChain } = k.authority()
  const last = rootChain.entries.at(-1)
  const set = last === undefined ? undefined : rootChain.judged.get(last.ref)?.rootSet
  if (last === undefined || set === undefined) throw new DiadError('unknown-domain', 'nothing of the roots is held here')
  if (to === k.domain) throw new DiadError('usage', 'a domain can\'t move to itself')
  const move = { domain_id: k.domain, root_entry: last.ref, to }
  return await withRoots(pen, 'domain-moved', domainMovedCodec.reference(move), set, [domainMovedCodec.artifact(move)])
}

function epochOf (world: World, domain: SimDomain, k: DomainKnowledge, { freshKey, base }: Epoch): Parameters<typeof renewEntry>[1] {
  const { judged } = k.authority()
  const own = new Set([...world.oracle.decreed.map((d) => d.ref), domain.firstManifest])
  const ours = base === 'ours' ? [...judged.values()].findLast((j) => own.has(j.ref) && j.verdict.status === 'accepted')?.ref : undefined
  return { ...freshKey ? { rootKey: domain.keys.newRootKey().publicKey } : {}, ...ours === undefined ? {} : { base: ours } }
}

/** As many signatures as `pen` can make of those that are needed. */
async function signedBy (pen: Pen, { ref, rootSet, artifacts }: NewEntry): Promise<{ ref: Reference, artifacts: Artifact[] }> {
  return { ref, artifacts: await withRoots(pen, 'root-entry', ref, rootSet, artifacts) }
}

async function withRoots (pen: Pen, purpose: Purpose, ref: Reference, set: OfflineRootSet, artifacts: readonly Artifact[]): Promise<Artifact[]> {
  const signed = [...artifacts]
  for (const signer of set.root_keys.flatMap((key) => pen(key) ?? []).slice(0, set.threshold)) signed.push(await signArtifact(signer, purpose, ref))
  return signed
}

/** One change at a time; durable before anybody hears of it. What `ref` names stands from then on; a move may be taken back. Throws DiadError `node-down`, `no-domain` and whatever `write` throws. */
async function atDesk (world: World, node: SimNode, write: (domain: SimDomain, k: DomainKnowledge) => Promise<{ ref: Reference | undefined, artifacts: Artifact[] }>): Promise<void> {
  await inTurn(node, async () => {
    const { engine, spec } = node
    if (engine === undefined) throw new DiadError('node-down', `${node.name} is down`)
    if (spec.domain === '') throw new DiadError('no-domain', `${node.name} is a node of no domain`)
    const domain = world.domain(spec.domain)
    const k = await engine.wake(domain.id)
    const { ref, artifacts } = await write(domain, k)
    await takeIn(engine, k, artifacts)
    if (node.engine === engine && ref !== undefined) world.decreed(node, domain, ref)
  })
}

/** Own authority objects become known and durable. */
async function takeIn (engine: Engine, k: DomainKnowledge, artifacts: readonly Artifact[]): Promise<void> {
  for (const artifact of artifacts) {
    const { result, code } = k.admit(artifact)
    if (result !== 'added' && result !== 'known') throw new Error(`an object of our own is ${result}: ${code}`)
  }
  try {
    const ops = unpersistedOps(k)
    await engine.durable(async () => { await engine.commit(ops) })
  } catch (err) {
    // Memory may be ahead of the disk now; the disk is the truth.
    engine.forget(k.domain)
    engine.step({ type: 'unfollow', domain: k.domain })
    throw err
  }
}

/** The key that a principal has now, or all that it once had where the manifest in force lists none of them; with what stays valid of its lanes. */
export function closing ({ domain, k, rights }: Papers, name: string, keep: (id: Hash) => Keep): Map<Hash, Keep> {
  const { judged, tip } = k.authority()
  const seen = tip === undefined ? undefined : judged.get(tip)?.seen
  const listed = rights.filter((r) => r.name === name)
  const keys = listed.length > 0 ? listed : domain.keys.of(name)
  const ids = keys.map((r) => principalId(r.publicKey)).filter((id) => seen?.has(id) === true)
  if (ids.length === 0) throw new DiadError('not-a-principal', `no manifest of ${domain.name} that is in force here lists ${name}`)
  return new Map(ids.map((id) => [id, keep(id)]))
}
