/**
 * Bundles: a domain's state as one CAR file (RULES B1-B3). What a file says is judged as a peer's word is: it becomes a knowledge of its own
 * (bundle-intake.ts), and when its last byte was read and nothing was refused, what is held here pulls from that as it does from peers, in one durable
 * step. A file that is cut off or lies changes nothing that anybody can see.
 */
import { encodeArtifact, referenceOfArtifactBytes } from '../substrate/artifact.js'
import { type CarBlock, CarFault, CarReader } from '../substrate/car.js'
import type { KvOp } from '../substrate/ports.js'
import { NONE, type Reference } from '../substrate/reference.js'
import { admitRefs } from '../authority/admission.js'
import type { DomainKnowledge } from '../authority/knowledge.js'
import { BundleContent } from './bundle-content.js'
import { erasedHere, proposedContent } from './bundle-export.js'
import { type BundleFault, BundleIntake, BundleRefused } from './bundle-intake.js'
import { DecisionIntake, type InternalAmount } from './bundle-internal.js'
import { type Proposal, takeInternal, takeProposals } from './bundle-lanes.js'
import { type Uncounted, uncountedOf } from './bundle-uncounted.js'
import { faultText } from './bundle-words.js'
import { fetchContent } from './content.js'
import type { Engine } from './engine.js'
import { type DomainRecord, erasedRootOp, recordOp, wholeOp } from './ledger.js'
import { gossipWire } from './messages.js'
import { missingRoots } from './mirror.js'
import { pullFrom } from './pull-local.js'
import { leftOutOps } from './quota.js'
import { rootsOf } from './reach.js'
import { isPublic } from './visibility.js'

export { exportBundle, headsOf } from './bundle-export.js'
export type { ExportOptions } from './bundle-export.js'
export type { HeldHeads } from './bundle-known.js'
export type { BundleFault } from './bundle-intake.js'
export type { InternalAmount } from './bundle-internal.js'
export type { Proposal } from './bundle-lanes.js'

export interface ImportOptions {
  /** the domain that it has to be about */
  readonly domain?: Reference | undefined
  /** a domain that wasn't known takes part from now on; otherwise it is only held */
  readonly follow?: boolean | undefined
  /** the domain is this node's own from now on: a rescue node's (THREATS 17) */
  readonly own?: boolean | undefined
  /** An AbortSignal is one. */
  readonly signal?: { readonly throwIfAborted: () => void } | undefined
  readonly onProgress?: ((blocks: number, bytes: number) => void) | undefined
}

export interface Imported {
  /** undefined when the file doesn't even say */
  readonly domain: Reference | undefined
  readonly status: 'accepted' | 'rejected'
  /** `accepted`, or why the file was refused */
  readonly code: string
  /** what is wrong, for people; empty when nothing is */
  readonly text: string
  /** the one that refused the file; or what was refused when it was taken in, as of a peer */
  readonly refused: BundleFault[]
  /** true, and without effect here: objects of another domain, lanes that nobody exports */
  readonly noted: BundleFault[]
  readonly leaves: number
  readonly blocks: number
  readonly bytes: number
  /** content blocks that names need and that are neither in the file nor held */
  readonly missing: number
  /** content blocks that nothing in the file names which is in force: not kept */
  readonly unreachable: number
  /** content blocks that would have gone beyond the domain's quota: not kept, nor what only they name */
  readonly overQuota: number
  readonly proposals: Proposal[]
  /** internal lanes of our own domain that came with it and are held, with the decisions that came; undefined: it holds none */
  readonly internal?: InternalAmount
  /** records of the file that count for nothing here */
  readonly uncounted: Uncounted[]
}

/** Refusals and notes that are kept. */
const MAX_FAULTS = 100

/**
 * Takes a bundle in, in one pass. What is wrong with the file is in the result; throws only what the store, the source and the signal throw. Not while
 * something is published in the same domain: its export would be given up (audience.ts).
 */
export async function importBundle (engine: Engine, source: AsyncIterable<Uint8Array>, options: ImportOptions = {}): Promise<Imported> {
  const reader = new CarReader(source)
  let domain: Reference | undefined
  let done = false
  try {
    domain = await reader.header()
    if (options.domain !== undefined && options.domain !== domain) throw new BundleRefused({ code: 'other-domain', offset: 0, ref: domain }, 'the bundle is about another domain')
    const about = domain
    const imported = await engine.gate.together(about, async () => await readAndTake(engine, reader, about, options))
    done = true
    return imported
  } catch (err) {
    const fault = faultOf(err)
    if (fault === undefined) throw err
    return { domain, status: 'rejected', code: fault.code, text: (err as Error).message, refused: [fault], noted: [], leaves: 0, blocks: 0, bytes: 0, missing: 0, unreachable: 0, overQuota: 0, proposals: [], uncounted: [] }
  } finally {
    await reader.close()
    // A domain that was never heard of isn't remembered for a bad file's sake.
    if (!done && domain !== undefined && !engine.records.has(domain)) engine.forget(domain)
  }
}

/** What the file itself did wrong; undefined for everything else that can be thrown. */
function faultOf (err: unknown): BundleFault | undefined {
  if (err instanceof BundleRefused) return err.fault
  return err instanceof CarFault ? { code: err.fault, offset: err.offset, ref: null } : undefined
}

/** The blocks before the closing one, which is the genesis again: a file without it was cut off, and nothing comes behind it. */
async function * blocksOf (reader: CarReader, domain: Reference): AsyncGenerator<CarBlock, void, undefined> {
  let begun = false
  for (;;) {
    const block = await reader.next()
    if (block === undefined) throw new CarFault('cut-off', reader.offset, 'the file ends before the block that closes it')
    if (block.ref === domain && begun) {
      if (referenceOfArtifactBytes(block.bytes) !== domain) throw new BundleRefused({ code: 'reference-mismatch', offset: block.offset, ref: domain }, faultText('reference-mismatch'))
      const { offset } = reader
      if (!(await reader.atEnd())) throw new BundleRefused({ code: 'trailing-data', offset, ref: null }, 'there is something behind the end of the bundle')
      return
    }
    if (block.ref === domain) begun = true
    yield block
  }
}

async function readAndTake (engine: Engine, reader: CarReader, domain: Reference, options: ImportOptions): Promise<Imported> {
  const held = await engine.knowledge(domain)
  const own = options.own === true || engine.records.get(domain)?.own === true
  const intake = new BundleIntake(domain, held, own)
  const content = new BundleContent(engine.ports, domain, own ? undefined : engine.records.get(domain)?.quota)
  try {
    return await readAll(engine, reader, intake, content, own, options)
  } catch (err) {
    content.giveUp()
    throw err
  }
}

async function readAll (engine: Engine, reader: CarReader, intake: BundleIntake, content: BundleContent, own: boolean, options: ImportOptions): Promise<Imported> {
  const { domain } = intake
  let named: Named | undefined
  const begin = async (): Promise<Named> => {
    const lanes = new Set(intake.knowledge.lanes.keys())
    const { shown, hidden } = namedBy(intake.knowledge, await engine.knowledge(domain), own)
    await content.want(shown, true)
    await content.want(hidden, false)
    return { lanes, shown, hidden, decisions: new DecisionIntake(decisionsNamed(intake), (ref, bytes) => engine.ports.blocks.putArtifactBytes(ref, bytes)) }
  }
  for await (const block of blocksOf(reader, domain)) {
    if (intake.take(block)) continue
    named ??= await begin()
    const decision = named.decisions.take(block)
    if (decision === 'mismatch') throw new BundleRefused({ code: 'reference-mismatch', offset: block.offset, ref: block.ref }, faultText('reference-mismatch'))
    if (decision) await engine.ports.blocks.room()
    else await content.take(block)
    options.signal?.throwIfAborted()
    options.onProgress?.(content.counts.blocks, reader.offset)
  }
  intake.finish(reader.offset)
  named ??= await begin()
  options.signal?.throwIfAborted()
  return await takeIn(engine, intake, content, named, own, options)
}

/** By what the file says; where it is taken in, by what is held here as well. */
const decisionsNamed = ({ counts, knowledge }: BundleIntake): Set<Reference> => new Set(counts.internal === 0 ? [] : admitRefs(knowledge))

interface Named {
  /** that the file holds */
  readonly lanes: ReadonlySet<Reference>
  /** content that the file says is exported, and that is, by all that is known here */
  readonly shown: readonly Reference[]
  /** of our own domain: proposals, and what was exported once. Held back */
  readonly hidden: readonly Reference[]
  /** of our own domain: those that internal lanes name */
  readonly decisions: DecisionIntake
}

/**
 * What the file's records name. It may be older than what is held here, and say of a thief's records that they count and of erased ones that they stand.
 * So it first learns from what is held, as a peer would.
 */
function namedBy (file: DomainKnowledge, held: DomainKnowledge, own: boolean): Pick<Named, 'shown' | 'hidden'> {
  const current = [...file.view().current.values()].filter((e) => e.ref !== NONE)
  const proposed = own ? proposedContent(file) : []
  if (held.authority().tip !== undefined) {
    pullFrom(file, held, { commit: () => undefined, refuse: () => undefined, note: () => undefined, evidence: () => undefined, digest: () => undefined })
  }
  const inForce = rootsOf(file.view())
  const isErased = erasedHere(file, true)
  const standing = [...current, ...proposed].filter((e) => !isErased(e.lane, e.index))
  const all = new Set(standing.map((e) => e.ref))
  // K5: work past a cut is adopted with its content.
  return { shown: [...all].filter((r) => inForce.has(r)), hidden: own ? [...all].filter((r) => !inForce.has(r)) : [] }
}

/** From here on nothing can be wrong with the file: what is held takes from it as from a peer, and all becomes durable together. */
async function takeIn (engine: Engine, intake: BundleIntake, content: BundleContent, { lanes, hidden, decisions }: Named, own: boolean, options: ImportOptions): Promise<Imported> {
  const { domain } = intake
  const k = await engine.knowledge(domain)
  const before = k.inventoryDigest()
  const ops: KvOp[] = []
  const refused: BundleFault[] = []
  const noted = [...intake.noted]
  const proofs: Uint8Array[] = []
  pullFrom(k, intake.knowledge, {
    commit: (more) => { for (const op of more) ops.push(op) },
    refuse: (code, ref) => { refused.push({ code, offset: 0, ref }) },
    note: (code, ref) => { if (code !== 'superseded') noted.push({ code, offset: 0, ref }) },
    evidence: (proof) => { proofs.push(gossipWire.encode({ t: 'evidence', domain, artifact: encodeArtifact(proof) })) },
    digest: () => undefined
  })
  const proposals = takeProposals(k, intake.knowledge, lanes, own, noted, (more) => { for (const op of more) ops.push(op) })
  const internal = intake.counts.internal === 0 ? [] : takeInternal(k, intake.knowledge, noted, (more) => { for (const op of more) ops.push(op) })
  if (content.missing === 0) for (const ref of hidden) ops.push(wholeOp(domain, ref))
  // What a cut ended is shown when a base before it brings it back (upkeep.ts).
  const proposed = new Set(hidden.length === 0 ? [] : proposedContent(k).map((e) => e.ref))
  const ended = hidden.filter((r) => !proposed.has(r))
  for (const ref of ended) ops.push(erasedRootOp(domain, ref, 'held-back'))
  const record = recordFor(engine.records.get(domain), options)
  await engine.durable(async () => {
    await engine.commit([...content.closingOps(), ...record === undefined ? [] : [recordOp(domain, record)], ...ops])
    if (record !== undefined) engine.records.set(domain, record)
  })
  if (ended.length > 0) engine.upkeep.heldBackHere(domain)
  await noteWhole(engine, k, options)
  if (content.leftOut.size > 0) await engine.commit(leftOutOps(engine, domain, missingRoots(engine, k), content.leftOut))
  if (engine.records.get(domain)?.dormant === false) {
    // Changed digests are told with the next tick; proofs first (E7).
    engine.step({ type: 'follow', knowledge: k })
    engine.upkeep.start(k)
    if (k.inventoryDigest() !== before) engine.step({ type: 'imported', domain })
    if (isPublic(k)) for (const bytes of proofs) engine.outside?.gossip(domain, bytes)
  }
  return {
    domain,
    status: 'accepted',
    code: 'accepted',
    text: '',
    refused: refused.slice(0, MAX_FAULTS),
    noted: noted.slice(0, MAX_FAULTS),
    leaves: intake.counts.leaves,
    blocks: content.counts.blocks,
    bytes: content.counts.bytes,
    missing: content.missing,
    unreachable: content.counts.unreachable,
    overQuota: content.counts.overQuota,
    proposals,
    ...(intake.counts.internal === 0 ? {} : { internal: { lanes: internal.length, records: decisions.records } }),
    uncounted: uncountedOf(k, intake.knowledge, lanes, own)
  }
}

/** The record to write; undefined where the one that is there stays. */
function recordFor (before: DomainRecord | undefined, { follow, own }: ImportOptions): DomainRecord | undefined {
  if (own === true) return { mode: 'mirror', own: true, dormant: false, peers: before?.peers ?? [] }
  if (before === undefined) return { mode: 'mirror', own: false, dormant: follow !== true, peers: [] }
  return before.dormant && follow === true ? { ...before, dormant: false } : undefined
}

/** Says of names whose content is here in full that it is. What lacks something is fetched from peers when there are some. */
async function noteWhole (engine: Engine, k: DomainKnowledge, { signal }: ImportOptions): Promise<void> {
  const roots = missingRoots(engine, k)
  if (roots.length === 0) return
  const { blocks, audience } = engine.ports
  await fetchContent({
    domain: k.domain,
    store: blocks,
    audience,
    peers: [],
    fetch: async (_peer, refs) => ({ missing: [...refs] }),
    signal: signal ?? { throwIfAborted: () => undefined }
  }, roots.map((ref) => ({ ref, expected: undefined })))
}

/** What a bundle says of itself, judged from the file alone. */
export interface Inspected {
  readonly domain: Reference | undefined
  readonly status: 'accepted' | 'rejected'
  readonly code: string
  readonly text: string
  readonly refused: BundleFault[]
  readonly knowledge: DomainKnowledge | undefined
  readonly counts: BundleIntake['counts']
  /** decisions on other domains that internal lanes name, and that are in the file */
  readonly records: number
  readonly blocks: number
  readonly bytes: number
}

/** Reads a bundle to its end without keeping anything. One that begins behind what some receiver has is judged on top of `base`; without it, `range-gap`. */
export async function inspectBundle (source: AsyncIterable<Uint8Array>, { signal, onProgress, base }: Pick<ImportOptions, 'signal' | 'onProgress'> & { readonly base?: DomainKnowledge | undefined } = {}): Promise<Inspected> {
  const reader = new CarReader(source)
  let domain: Reference | undefined
  let intake: BundleIntake | undefined
  let blocks = 0
  let decisions: DecisionIntake | undefined
  const said = (status: 'accepted' | 'rejected', code: string, text: string, refused: BundleFault[]): Inspected => ({
    domain, status, code, text, refused, knowledge: intake?.knowledge, counts: intake?.counts ?? { objects: 0, evidence: 0, lanes: 0, internal: 0, heads: 0, leaves: 0, bodies: 0 }, records: decisions?.records ?? 0, blocks, bytes: reader.offset
  })
  try {
    domain = await reader.header()
    intake = new BundleIntake(domain, base?.domain === domain ? base : undefined, true)
    for await (const block of blocksOf(reader, domain)) {
      if (intake.take(block)) continue
      signal?.throwIfAborted()
      if (referenceOfArtifactBytes(block.bytes) !== block.ref) throw new BundleRefused({ code: 'reference-mismatch', offset: block.offset, ref: block.ref }, faultText('reference-mismatch'))
      decisions ??= new DecisionIntake(decisionsNamed(intake), () => true)
      if (decisions.take(block) === false) blocks++
      onProgress?.(blocks, reader.offset)
    }
    intake.finish(reader.offset)
    return said('accepted', 'accepted', '', [])
  } catch (err) {
    const fault = faultOf(err)
    if (fault === undefined) throw err
    return said('rejected', fault.code, (err as Error).message, [fault])
  } finally {
    await reader.close()
  }
}
