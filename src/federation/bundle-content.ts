/**
 * The content of a bundle on its way into the store: a block is kept when something before it names it, and marked with a generation that counts only
 * once the heads are durable (audience.ts). So a file that fails leaves unreachable bytes, which make the next try quick, and nothing that is shown.
 */
import { type Artifact, decodeArtifact, referenceOfArtifactBytes } from '../substrate/artifact.js'
import type { CarBlock } from '../substrate/car.js'
import type { KvOp } from '../substrate/ports.js'
import type { Reference } from '../substrate/reference.js'
import { getUndamaged } from '../substrate/store.js'
import { isContent } from '../publication/walk.js'
import { HELD_BACK } from './audience.js'
import { Awaited } from './awaited.js'
import { BundleRefused } from './bundle-intake.js'
import { faultText } from './bundle-words.js'
import type { EnginePorts } from './engine.js'
import { declaredBelow } from './quota.js'
import { childrenOfWant, isPlain, Opened, openedKey, type Want } from './want.js'

/** Landed blocks remembered while no barrier has made their marks durable: four barriers' worth. */
const LANDED = 32_768

export class BundleContent {
  /** blocks that were written, those that are held and nobody wanted again, and those beyond the quota, what only they name being unreachable */
  readonly counts = { blocks: 0, bytes: 0, known: 0, unreachable: 0, overQuota: 0 }
  private readonly wanted: Awaited
  private readonly opened = new Opened()
  private readonly landed = new Opened(LANDED)
  private generation: number | undefined
  private lacking = 0
  /** what leaves name and is beyond the quota, with what it takes at least */
  readonly leftOut = new Map<Reference, number>()

  /** `quota`: bytes of content that the domain may be charged; undefined: any */
  constructor (private readonly ports: EnginePorts, private readonly domain: Reference, private readonly quota: number | undefined) {
    this.wanted = new Awaited(() => ports.random(8))
  }

  /** What leaves name. `exported` first: of what both name, the export counts. */
  async want (roots: Iterable<Reference>, exported: boolean): Promise<void> {
    for (const ref of roots) await this.push([{ ref, expected: undefined }], exported)
  }

  /** Throws {@link BundleRefused} for bytes that aren't what they are called, and what the store throws. */
  async take ({ offset, ref, bytes }: CarBlock): Promise<void> {
    const { blocks } = this.ports
    const artifact = decodeArtifact(bytes)
    // What a leaf names may be no content at all (content.ts): it isn't kept, and what needs it lacks it.
    const at = isContent(artifact.typeTag) ? this.wanted.take(ref) : undefined
    if (at === undefined) {
      if (referenceOfArtifactBytes(bytes) !== ref) throw mismatch(offset, ref)
      if (this.held(ref, true) || this.held(ref, false)) this.counts.known++
      else this.counts.unreachable++
      return
    }
    const excess = at.exported ? this.excess(ref, bytes) : undefined
    if (excess !== undefined) {
      if (referenceOfArtifactBytes(bytes) !== ref) throw mismatch(offset, ref)
      this.counts.overQuota++
      if (at.wants.some((w) => w.expected === undefined)) this.leftOut.set(ref, excess)
      return
    }
    if (!blocks.putArtifactBytes(ref, bytes)) throw mismatch(offset, ref)
    this.mark(ref, at.exported, bytes.length)
    this.landed.add(landedKey(ref, at.exported))
    this.counts.blocks++
    this.counts.bytes += bytes.length
    this.lacking += at.unsaid
    for (const want of at.wants) await this.push(this.below(want, artifact) ?? [], at.exported)
    await blocks.room()
  }

  /** named and not in the file, nor held, nor left out; blocks that aren't what their parent says are among them */
  get missing (): number {
    return this.wanted.size + this.wanted.lost + this.lacking
  }

  /** For the batch that makes the heads durable. */
  closingOps (): KvOp[] {
    const { audience } = this.ports
    if (this.generation === undefined) return []
    return audience.closingOps(this.domain, this.generation)
  }

  /** The file was refused: nothing of it is shown, or charged. */
  giveUp (): void {
    if (this.generation !== undefined) this.ports.audience.giveUp(this.domain, this.generation)
  }

  /**
   * Bytes that it takes with what it says is right below it, where that is beyond the quota; else undefined. The full size counts, also of what is held
   * for others (V2). A file is read once, from its beginning: unlike a fetch, this may find out in the middle of a root that the rest doesn't fit.
   */
  private excess (ref: Reference, bytes: Uint8Array): number | undefined {
    const { audience } = this.ports
    if (this.quota === undefined || !audience.costs(this.domain, ref)) return undefined
    const takes = bytes.length + declaredBelow(bytes, (child) => !this.held(child, true))
    return takes > this.quota - audience.usedBytes(this.domain) ? takes : undefined
  }

  private mark (ref: Reference, exported: boolean, bytes: number): void {
    const { audience, blocks } = this.ports
    if (!exported) {
      const op = audience.mark(this.domain, ref, HELD_BACK)
      if (op !== undefined) blocks.enqueue(op)
      return
    }
    if (this.generation === undefined) {
      const { generation, op } = audience.begin(this.domain)
      this.generation = generation
      blocks.enqueue(op)
    }
    audience.take(this.domain, ref, this.generation, bytes)
    for (const op of audience.settle(this.domain)) blocks.enqueue(op)
  }

  /** V1, V2: what is held for others only isn't held. */
  private held (ref: Reference, exported: boolean): boolean {
    if (this.landed.has(landedKey(ref, exported))) return true
    const { audience, blocks } = this.ports
    if (!blocks.has(ref)) return false
    if (!exported) return audience.noted(this.domain, ref)
    return audience.heldFor(this.domain, ref) || (this.generation !== undefined && audience.mark(this.domain, ref, this.generation) === undefined)
  }

  /** Notes what isn't held, and goes through what is. */
  private async push (wants: readonly Want[], exported: boolean): Promise<void> {
    const stack = [...wants].reverse()
    for (let want = stack.pop(); want !== undefined; want = stack.pop()) {
      const { ref } = want
      if (this.wanted.has(ref) || !this.held(ref, exported)) {
        this.wanted.add(want, exported)
        continue
      }
      if (isPlain(want, this.ports.blocks.stat(ref))) continue
      const artifact = await getUndamaged(this.ports.blocks, ref)
      if (artifact === undefined) this.wanted.add(want, exported)
      else for (const child of [...this.below(want, artifact) ?? []].reverse()) stack.push(child)
    }
  }

  private below (want: Want, artifact: Artifact): Want[] | undefined {
    const key = artifact.typeTag === undefined ? undefined : openedKey(want)
    if (key !== undefined && this.opened.has(key)) return []
    const children = childrenOfWant(want, artifact)
    // What was published is not well-formed: nobody can have anything better.
    if (children === undefined) this.lacking++
    else if (key !== undefined) this.opened.add(key)
    return children
  }
}

const landedKey = (ref: Reference, exported: boolean): string => exported ? ref : `${ref} proposed`

const mismatch = (offset: number, ref: Reference): BundleRefused => new BundleRefused({ code: 'reference-mismatch', offset, ref }, faultText('reference-mismatch'))
