/**
 * Writing a bundle: what a domain exports, as one CAR file in the order of RULES B3. Nothing that a peer wouldn't get is in it (A2, L2, V1), except for
 * lanes that nobody vouched for yet, and internal ones, where the owner asks for them. Evidence is always in it (E7).
 */
import { type Artifact, decodeArtifact, encodeArtifact, referenceOfArtifact } from '../substrate/artifact.js'
import { carBlock, carHeader } from '../substrate/car.js'
import { DiadError } from '../substrate/errors.js'
import { artifactLength } from '../substrate/pack-format.js'
import { LIMITS } from '../substrate/limits.js'
import { type Hash, NONE, type Reference, referenceOfHash } from '../substrate/reference.js'
import { admitRefs } from '../authority/admission.js'
import type { DomainKnowledge } from '../authority/knowledge.js'
import { type Head, type LaneKnowledge, liesOn } from '../authority/lane-knowledge.js'
import { type DomainView, shownLog, type ViewedLane } from '../authority/domain-view.js'
import { cutsOf } from '../authority/lane-view.js'
import { INTERNAL, PUBLISHED } from '../publication/lane.js'
import { type LeafRange, leafRangeCodec } from '../publication/leaf-range.js'
import { bodyArtifact, hasBody, namesContent, readLeaf } from '../publication/leaf.js'
import type { LeafLog } from '../publication/leaf-log.js'
import { pathWithin } from '../publication/names.js'
import { isContent } from '../publication/walk.js'
import { placesOf } from './body-index.js'
import type { Engine } from './engine.js'
import { decisionsOf, type InternalAmount, internalHeads, internalLanes } from './bundle-internal.js'
import { exportedTo, type HeldHeads, knownRoots } from './bundle-known.js'
import { CONTROL_BYTES, LOGS_OF_LANE } from './bundle-sections.js'
import { isWhole } from './ledger.js'
import { childrenOfWant, likelySize, Opened, openedKey, type Want } from './want.js'

export interface ExportOptions {
  /** only leaves, bodies and content that whoever holds this lacks; authority and evidence are always whole */
  readonly since?: HeldHeads | undefined
  /** content of names under these only; leaves are never left out (B1) */
  readonly prefixes?: readonly string[] | undefined
  /** of our own domain: lanes that nobody vouched for yet, too; never internal ones */
  readonly proposals?: boolean | undefined
  /** of our own domain, for its other machines: internal lanes, too, and the decisions that they name; always whole */
  readonly internal?: boolean | undefined
  /** asked between blocks; an AbortSignal is one */
  readonly signal?: { readonly throwIfAborted: () => void } | undefined
  /** content blocks so far, and bytes of the file so far */
  readonly onProgress?: ((blocks: number, bytes: number) => void) | undefined
  /** content that is named and not held here, or that can't be content */
  readonly onMissing?: ((ref: Reference) => void) | undefined
  /** what of internal lanes is in the file, once it is written */
  readonly onInternal?: ((amount: InternalAmount) => void) | undefined
}

interface LanePlan {
  readonly v: ViewedLane
  readonly heads: readonly Head[]
  readonly tails: readonly Tail[]
}

/** What of a lane's log goes into the file. */
interface Tail {
  /** a copy: the lane may grow while the file is written */
  readonly log: LeafLog
  readonly head: Head
  /** leaves that the receiver has, with the bodies that it may have */
  readonly start: number
  /** leaves below it go along with their bodies */
  readonly bodies: number
  readonly lane: LaneKnowledge
}

/** References remembered as written: what is forgotten is written twice, which harms nobody. About 60 MB. */
const WRITTEN = 262_144
/** Content blocks read at once. Parents come before their children; so few that what waits for them stays little. */
const READ_BLOCKS = 64
const READ_BYTES = 4 * 1024 * 1024

/** What a peer would have to hold to need nothing of `k` but what comes later. */
export function headsOf (engine: Engine, k: DomainKnowledge): HeldHeads {
  const view = k.view()
  const lanes = new Map<Reference, { size: number, root: Hash }>()
  for (const [ref, v] of view.lanes) {
    const { branch } = v
    if (branch === undefined || v.knowledge.lane.visibility !== PUBLISHED || (!v.considered && v.exported === 0)) continue
    // What it lacks bodies of is brought again.
    const lacking = k.lacksBodies() ? v.judged.findIndex((j, i) => j.code === 'body-missing' && i < v.exported) : -1
    const size = lacking < 0 ? branch.log.size : lacking
    if (size > 0) lanes.set(ref, { size, root: branch.log.root(size) })
  }
  // A receiver that lacks bodies or heads may have other winners than whoever holds them would think.
  const lacking = view.withheld.length > 0 || k.lacksBodies()
  return { lanes, whole: !lacking && [...view.current.values()].every((e) => e.ref === NONE || isWhole(engine.ports.kv, k.domain, e.ref)) }
}

/**
 * The bytes of a bundle, a piece for each block. The state is that of the first piece; bodies and content are read as they are written. Throws DiadError
 * `no-manifest` when nothing of the domain is held here, `bundle-too-large` when no reader would take it, and what the store and the signal throw.
 */
export async function * exportBundle (engine: Engine, domain: Reference, options: ExportOptions = {}): AsyncGenerator<Uint8Array, void, undefined> {
  const k = await engine.knowledge(domain)
  if (k.authority().tip === undefined) throw new DiadError('no-manifest', 'nothing of this domain is held here', 'sync the domain first')
  const proposals = options.proposals === true && engine.records.get(domain)?.own === true
  const internal = options.internal === true && engine.records.get(domain)?.own === true ? internalPlans(k) : []
  const plans = [...plansOf(k, proposals, options.since), ...internal]
  const tails = plans.flatMap((p) => p.tails)
  // Decided now: later leaves and vouches are not in this file.
  const decided = internal.length === 0 ? [] : admitRefs(k)
  const objects = controlObjects(k, plans)
  const controlBytes = objects.reduce((n, { typeTag, payload }) => n + artifactLength(typeTag, payload.length), 0)
  if (controlBytes > CONTROL_BYTES) {
    throw new DiadError('bundle-too-large', `the authority, evidence, lanes and heads of this domain have ${controlBytes} bytes, and no reader takes a bundle with more than ${CONTROL_BYTES}`,
      'a stolen root_key can do that: see `diad log`. Its owner ends it with `diad root renew --base`; until then nodes can be reached over the network only')
  }
  const known = options.since?.whole === true ? knownRoots(k, options.since) : new Set<Reference>()
  const roots = contentRoots(k, known, options, proposals)
  const isErased = erasedHere(k, proposals)
  let bytes = 0
  const out = (ref: Reference, artifact: Uint8Array): Uint8Array => {
    const block = carBlock(ref, artifact)
    bytes += block.length
    return block
  }
  const header = carHeader(domain)
  bytes += header.length
  yield header
  for (const artifact of objects) yield out(referenceOfArtifact(artifact), encodeArtifact(artifact))
  for (const tail of tails) for (const range of rangesOf(tail)) yield out(leafRangeCodec.reference(range), leafRangeBytes(range))
  for (const tail of tails) {
    for (const [kind, hash, body] of bodiesOf(tail, isErased)) yield out(referenceOfHash(hash), encodeArtifact(bodyArtifact(kind, body)))
    options.signal?.throwIfAborted()
  }
  let records = 0
  // Before all content: what a file says is a decision is nothing else to whoever reads it.
  for await (const [ref, block, kind] of decisionsOf(engine.ports.blocks, decided)) {
    if (kind === 'record') records++
    yield out(ref, block)
  }
  if (options.internal === true) options.onInternal?.({ lanes: internal.length, records })
  const walk = new ExportWalk(engine, domain, options)
  await walk.pass([...known])
  let blocks = 0
  for await (const [ref, block] of walk.write(roots)) {
    const piece = out(ref, block)
    options.onProgress?.(++blocks, bytes)
    yield piece
  }
  // A CAR doesn't say where it ends. The block that its root names, a second time, says that nothing was cut off.
  const genesis = k.artifact(domain)
  if (genesis !== undefined) yield out(domain, encodeArtifact(genesis))
}

const leafRangeBytes = (range: LeafRange): Uint8Array => encodeArtifact(leafRangeCodec.artifact(range))

function plansOf (k: DomainKnowledge, proposals: boolean, since: HeldHeads | undefined): LanePlan[] {
  const out: LanePlan[] = []
  const view = k.view()
  const had = since === undefined ? undefined : exportedTo(view, since)
  for (const ref of k.order()) {
    const v = view.lanes.get(ref)
    // L2: an internal lane leaves with nobody but the owner (internalPlans).
    if (v === undefined || v.knowledge.lane.visibility !== PUBLISHED) continue
    const heads = v.considered || v.exported > 0 ? [...k.served(ref)] : []
    const own = v.branch?.head
    if (proposals && own !== undefined && v.rights !== undefined && !heads.some((h) => h.ref === own.ref)) heads.push(own)
    const logs = logsOf(v, heads, view, proposals)
    if (logs.length === 0 && !v.considered && v.exported === 0) continue
    out.push({ v, heads, tails: logs.map((l) => ({ ...l, log: l.log.clone(), lane: v.knowledge, start: startOf(v, l, since, had) })) })
  }
  return out
}

/** L2: every log of every internal lane, from its beginning: heads that somebody wrote down say nothing of them. */
function internalPlans (k: DomainKnowledge): LanePlan[] {
  return internalLanes(k).map((v): LanePlan => {
    const lane = v.knowledge
    const logs = [...lane.branches].sort((a, b) => Number(b === v.branch) - Number(a === v.branch)).slice(0, LOGS_OF_LANE)
    return { v, heads: internalHeads(v, k), tails: logs.map(({ log, head }) => ({ log: log.clone(), head, start: 0, bodies: log.size, lane })) }
  })
}

type ShownLog = Pick<Tail, 'log' | 'head' | 'bodies'>

/** The logs that the heads lie on, each up to the longest one: the one in force first. K4, A2: further ones prove which anchor or vouch has force. */
function logsOf (v: ViewedLane, heads: readonly Head[], view: DomainView, proposals: boolean): ShownLog[] {
  const byLog = new Map<LeafLog, ShownLog>()
  for (const head of heads) {
    const size = head.snapshot.log_size
    const whole = proposals && v.log !== undefined && liesOn(v.log, head) ? { log: v.log, bodies: size } : undefined
    const shown = whole ?? shownLog(v, head, view)
    if (shown === undefined) continue
    const other = byLog.get(shown.log)
    const longest = other === undefined || size > other.head.snapshot.log_size ? head : other.head
    byLog.set(shown.log, { log: shown.log, head: longest, bodies: Math.max(shown.bodies, other?.bodies ?? 0) })
  }
  if (byLog.size < 2) return [...byLog.values()]
  const cuts = new Set(cutsOf(v.knowledge, view.authority).cuts.map((cut) => cut.snapshot))
  const settled = (log: LeafLog): boolean => log.size >= v.anchored && log.root(v.anchored) === v.log?.root(v.anchored)
  const weight = (log: LeafLog): number => log === v.log ? 3 : heads.some((h) => cuts.has(h.ref) && liesOn(log, h)) ? 2 : settled(log) ? 1 : 0
  const weighed = [...byLog.values()].map((shown) => ({ shown, weight: weight(shown.log) }))
  weighed.sort((a, b) => b.weight - a.weight || b.shown.head.snapshot.log_size - a.shown.head.snapshot.log_size)
  const out: ShownLog[] = []
  for (const { shown } of weighed.slice(0, LOGS_OF_LANE)) {
    // A branch whose heads lie on another one, too, tells nothing more.
    const at = out.findIndex(({ log, head }) => liesOn(log, shown.head) && shown.head.snapshot.log_size <= head.snapshot.log_size)
    if (at < 0) out.push(shown)
    else out[at] = { ...out[at] as ShownLog, bodies: Math.max((out[at] as ShownLog).bodies, shown.bodies) }
  }
  return out
}

function startOf (v: ViewedLane, { log, head, bodies }: ShownLog, since: HeldHeads | undefined, had: ReadonlyMap<Reference, number> | undefined): number {
  const has = since?.lanes.get(v.knowledge.ref)
  if (has === undefined || has.size > log.size || log.root(has.size) !== has.root) return 0
  // What wasn't exported to it yet it has without bodies.
  const full = had?.get(v.knowledge.ref) ?? 0
  return Math.min(has.size, head.snapshot.log_size, bodies > full ? full : Infinity)
}

/** R7. Of what nobody exports also what a record erases that nobody exports; such a record can't take anything from what is exported. */
export function erasedHere (k: DomainKnowledge, proposals: boolean): (lane: Reference, index: number) => boolean {
  const view = k.view()
  const all = proposals ? k.viewAll().erased : view.erased
  return (lane, index) => {
    const at = `${lane}/${index}`
    // What is internal is erased by what is internal (L2).
    const v = view.lanes.get(lane)
    return view.erased.has(at) || (index >= (v?.exported ?? 0) && (v?.knowledge.lane.visibility === INTERNAL ? k.viewAll().erased : all).has(at))
  }
}

/** B3: root chain, certificates, manifests, evidence, lanes, heads. */
function controlObjects (k: DomainKnowledge, plans: readonly LanePlan[]): Artifact[] {
  const refs = [
    ...k.objects.relevant(k.domain),
    ...plans.flatMap(({ v }) => v.knowledge.evidenceRef ?? []),
    ...plans.map(({ v }) => v.knowledge.ref),
    ...plans.flatMap(({ heads }) => heads.flatMap((h) => [h.ref, h.signatureRef]))
  ]
  return refs.flatMap((ref) => k.artifact(ref) ?? [])
}

function * rangesOf ({ log, head, start }: Tail): Generator<LeafRange> {
  const { log_size: size } = head.snapshot
  if (start === size) return
  for (let first = start - start % LIMITS.rangeLeaves; first < size; first += LIMITS.rangeLeaves) {
    const count = Math.min(LIMITS.rangeLeaves, size - first)
    yield { head: head.ref, first, leaves: log.leaves(first, first + count), path: log.range(first, count, size) }
  }
}

/** Bodies in the order of their leaves, each once. R7: none of erased leaves. */
function * bodiesOf ({ log, start, bodies, lane }: Tail, isErased: (lane: Reference, index: number) => boolean): Generator<[kind: number, hash: Hash, body: Uint8Array]> {
  const repeated = new Set<Hash>()
  for (let i = start; i < bodies; i++) {
    const leaf = readLeaf(log.leaf(i))
    if (leaf === undefined || !hasBody(leaf.kind) || isErased(lane.ref, i)) continue
    const hash = leaf.body_hash
    const body = lane.bodies.get(hash)
    if (body === undefined || repeated.has(hash)) continue
    // Only a publisher who repeats a salt makes two leaves with one body.
    if (placesOf(log, hash).length > 1) repeated.add(hash)
    yield [leaf.kind, hash, body]
  }
}

/** Content that CURRENT names and the receiver may lack, then what only proposals name. */
function contentRoots (k: DomainKnowledge, known: ReadonlySet<Reference>, { prefixes }: ExportOptions, proposals: boolean): Reference[] {
  const wanted = (name: string): boolean => prefixes === undefined || prefixes.length === 0 || prefixes.some((p) => pathWithin(p, name))
  const out = new Set<Reference>()
  const view = k.view()
  for (const e of view.current.values()) if (e.ref !== NONE && !known.has(e.ref) && wanted(e.name)) out.add(e.ref)
  if (proposals) for (const { name, ref } of proposedContent(k)) if (wanted(name)) out.add(ref)
  return [...out]
}

export interface NamedContent { readonly name: string, readonly ref: Reference, readonly lane: Reference, readonly index: number }

/** What accepted leaves of published lanes name that nobody exports yet, and that no record erases. */
export function proposedContent (k: DomainKnowledge): NamedContent[] {
  const out: NamedContent[] = []
  const isErased = erasedHere(k, true)
  for (const [lane, v] of k.view().lanes) {
    if (v.knowledge.lane.visibility !== PUBLISHED) continue
    for (let i = v.exported; i < v.judged.length; i++) {
      const j = v.judged[i]
      if (j?.status === 'accepted' && namesContent(j.body) && !isErased(lane, i)) out.push({ name: j.body.name, ref: j.body.ref, lane, index: i })
    }
  }
  return out
}

class ExportWalk {
  private readonly written = new Opened(WRITTEN)
  private readonly held: (ref: Reference) => boolean

  constructor (private readonly engine: Engine, domain: Reference, private readonly options: ExportOptions) {
    const { audience } = engine.ports
    const exported = audience.heldBy(domain)
    // V1: what came here for others isn't the domain's to give. Where proposals go along, what came for them is, too.
    this.held = options.proposals === true ? (ref) => audience.noted(domain, ref) : exported
  }

  /** Goes through `roots` as if they were written. */
  async pass (roots: readonly Reference[]): Promise<void> {
    const stack = roots.map((ref): Want => ({ ref, expected: undefined }))
    for (let want = stack.pop(); want !== undefined; want = stack.pop()) {
      if (this.written.has(want.ref) || !this.engine.ports.blocks.has(want.ref)) continue
      this.written.add(want.ref)
      if (this.engine.ports.blocks.stat(want.ref)?.typeTag === undefined) continue
      this.options.signal?.throwIfAborted()
      const artifact = await this.engine.ports.blocks.get(want.ref)
      if (artifact !== undefined) stack.push(...childrenOfWant(want, artifact) ?? [])
    }
  }

  async * write (roots: readonly Reference[]): AsyncGenerator<[Reference, Uint8Array]> {
    const { blocks } = this.engine.ports
    const opened = new Opened()
    const stack = [...roots].reverse().map((ref): Want => ({ ref, expected: undefined }))
    while (stack.length > 0) {
      this.options.signal?.throwIfAborted()
      const wants = this.batch(stack)
      const found = await blocks.getManyBytes(wants.map((w) => w.ref))
      const next: Want[] = []
      for (const [i, want] of wants.entries()) {
        const bytes = found[i]
        if (bytes === undefined) {
          this.options.onMissing?.(want.ref)
          continue
        }
        yield [want.ref, bytes]
        const artifact = decodeArtifact(bytes)
        if (artifact.typeTag === undefined || opened.has(openedKey(want))) continue
        opened.add(openedKey(want))
        next.push(...childrenOfWant(want, artifact) ?? [])
      }
      for (let i = next.length - 1; i >= 0; i--) stack.push(next[i] as Want)
    }
  }

  private batch (stack: Want[]): Want[] {
    const out: Want[] = []
    let bytes = 0
    while (out.length < READ_BLOCKS && bytes < READ_BYTES) {
      const want = stack.pop()
      if (want === undefined) break
      if (this.written.has(want.ref)) continue
      this.written.add(want.ref)
      // A leaf may name any object; what isn't content would stand among the blocks out of its order, or end the file, and every reader refuse it.
      if (!this.held(want.ref) || !isContent(this.engine.ports.blocks.stat(want.ref)?.typeTag)) {
        this.options.onMissing?.(want.ref)
        continue
      }
      out.push(want)
      bytes += likelySize(want)
    }
    return out
  }
}
