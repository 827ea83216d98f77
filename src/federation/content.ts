/**
 * Brings the content of published names into the store: walks Trees and Files depth first, asks several peers at once, and verifies every block as
 * it lands. Memory stays flat with the size of the directory and with what nobody has of it: only the open Trees on the way down, one batch a peer and a
 * bounded number of blocks that some peers lack (lacked.ts) are held.
 * What is held for another domain is fetched all the same (RULES V2), so that deduplication can't be observed.
 *
 * What has landed is made durable now and then while the peers go on sending, so that a process killed in the middle leaves most of its work to the
 * next one. A mark that says "held for the domain" travels in one barrier with its block and with what it costs, so a crash never shows one without
 * the others.
 */
import { type Artifact, artifactIn, referenceOfArtifactBytes } from '../substrate/artifact.js'
import { DiadError } from '../substrate/errors.js'
import type { BlockStat } from '../substrate/pack-format.js'
import type { KvOp } from '../substrate/ports.js'
import type { Reference } from '../substrate/reference.js'
import { type BlockReader, getUndamaged } from '../substrate/store.js'
import { type Expected, isContent } from '../publication/walk.js'
import { type AudienceIndex, FETCHED } from './audience.js'
import { Lacked } from './lacked.js'
import { wholeOp } from './ledger.js'
import { childrenOfWant, isPlain, likelySize, Opened, openedKey, type Want } from './want.js'

/** The pack store, as far as the fetcher needs it. */
export interface ContentStore extends BlockReader {
  /** type and length from the index alone; undefined when it isn't held */
  stat: (ref: Reference) => BlockStat | undefined
  /** False when the bytes aren't what they were called. Copies them, so they need not outlive the call. */
  putArtifactBytes: (expected: Reference, bytes: Uint8Array) => boolean
  /** a promise while the disk is behind: wait for it before putting more */
  room: () => Promise<void> | undefined
  enqueue: (op: KvOp) => void
  commit: (ops: readonly KvOp[]) => Promise<void>
}

/**
 * Asks one peer for blocks; calls back with unverified bytes, which may change once the call returns; resolves with what it didn't give. While a
 * promise that a call gave is pending, few more calls should follow.
 */
export type FetchBlocks = (peer: string, refs: readonly Reference[], onBlock: (index: number, bytes: Uint8Array) => Promise<void> | undefined) => Promise<{ missing: Reference[] }>

export interface ContentInit {
  readonly domain: Reference
  readonly store: ContentStore
  readonly audience: Pick<AudienceIndex, 'heldBy' | 'take' | 'costs' | 'settle' | 'usedBytes'>
  readonly peers: readonly string[]
  readonly fetch: FetchBlocks
  /** asked between steps; an AbortSignal is one */
  readonly signal: { readonly throwIfAborted: () => void }
  /** bytes and blocks that came over the network */
  readonly onProgress?: (blocks: number, bytes: number) => void
  readonly onRefused?: (peer: string, code: string, ref: Reference) => void
  /** bytes that the domain may be charged; asked for each block, since it may be changed meanwhile. What doesn't fit isn't kept, and counts as missing. */
  readonly quota?: () => number | undefined
  readonly onOver?: (ref: Reference, bytes: number) => void
  /** The block is none that can be content, whoever names it: not kept. It was reported as `content-malformed`. */
  readonly onNoContent?: (ref: Reference) => void
  /** children for which this holds are neither fetched nor looked at */
  readonly passOver?: (child: Want) => boolean
}

export interface ContentResult {
  readonly blocks: number
  readonly bytes: number
  /** roots that are held in full now, each block of them what its parent says */
  readonly whole: Reference[]
  /** blocks that no peer gave, or that aren't what was said of them; at most {@link MISSING_TOLD} */
  readonly missing: Reference[]
}

/** blocks that a result names as missing: more say no more to anybody */
export const MISSING_TOLD = 65_536
/** With so many to come, what lands is opened when its turn comes: 12 MB. */
const MANY_WANTS = 65_536
/** wants for one block that wait for it */
const MANY_WAITING = 256
/** blocks asked for in one request */
const BATCH_BLOCKS = 256
/** bytes asked for in one request, by the sizes that parents declare */
const BATCH_BYTES = 4 * 1024 * 1024
/** requests under way to one peer: one is being answered while the next is on its way */
const PIPELINE = 2
/** Bytes and blocks that land between two barriers: what a killed process may have to fetch again. */
const BARRIER_BYTES = 64 * 1024 * 1024
const BARRIER_BLOCKS = 8_192

/** Throws only for the store's own failures and the signal's reason; a peer's failures are reported and worked around. */
export async function fetchContent (init: ContentInit, roots: ReadonlyArray<{ ref: Reference, expected: Expected | undefined }>): Promise<ContentResult> {
  const run = new ContentRun(init, roots)
  return await run.finish()
}

class ContentRun {
  /** depth first: what comes next is on top */
  private readonly stack: Want[]
  /** blocks that nobody has, and those that aren't what some parent says */
  private readonly missing = new Set<Reference>()
  private readonly alive: Set<string>
  /** what some peers were asked for and didn't give */
  private readonly lacked: Lacked
  /** asked for just now; wants for the same block wait there, since another parent may say something else of it */
  private readonly asked = new Map<Reference, Want[]>()
  /** workers that have taken something off the stack and may bring more for everybody */
  private busy = 0
  private blocks = 0
  private bytes = 0
  private sleepers: Array<() => void> = []
  private failure: unknown
  /** Landed and not durable, or in the barrier that is being written: the index of the audience shows only what is durable. */
  private landed = new Set<Reference>()
  private sealed: ReadonlySet<Reference> | undefined
  private landedBytes = 0
  private readonly opened = new Opened()
  private readonly heldBefore: (ref: Reference) => boolean

  constructor (private readonly init: ContentInit, private readonly roots: readonly Want[]) {
    this.alive = new Set(init.peers)
    this.lacked = new Lacked(this.alive)
    this.heldBefore = init.audience.heldBy(init.domain)
    this.stack = [...roots].reverse()
  }

  async finish (): Promise<ContentResult> {
    const { domain, signal, store } = this.init
    const done = await Promise.allSettled([...this.alive].flatMap((p) => Array.from({ length: PIPELINE }, async () => { await this.work(p) })))
    const bad: unknown = this.failure ?? done.find((d) => d.status === 'rejected')?.reason
    if (bad !== undefined) {
      // What landed before stays: a rerun asks only for the rest.
      this.seal()
      await store.commit([])
      throw bad as Error
    }
    signal.throwIfAborted()
    // Left when the last peer died, or when there was none: what is held is walked all the same and tells what is missing.
    for (const w of this.lacked.empty()) this.stack.push(w)
    await this.walkHeld()
    this.seal()
    const whole = this.missing.size === 0 ? this.roots.map((r) => r.ref) : await this.proven()
    await store.commit(whole.map((r) => wholeOp(domain, r)))
    return { blocks: this.blocks, bytes: this.bytes, whole, missing: [...this.missing].sort() }
  }

  private async work (peer: string): Promise<void> {
    while (this.alive.has(peer) && this.failure === undefined) {
      this.busy++
      try {
        this.init.signal.throwIfAborted()
        const wants = await this.batch(peer)
        if (wants.length > 0) {
          // The rest is for the others.
          if (this.open()) this.rouse()
          await this.ask(peer, wants)
          continue
        }
      } catch (err) {
        this.failure ??= err
        throw err
      } finally {
        // The last one awake wakes all, to find more or to end. Whoever found nothing otherwise wakes nobody, or two of them would keep each other up.
        if (--this.busy === 0) this.rouse()
      }
      if (this.busy === 0 && (this.failure !== undefined || !this.open())) return
      await new Promise<void>((resolve) => { this.sleepers.push(resolve) })
    }
    this.rouse()
  }

  /** Whether anything could still be had from somebody. */
  private open (): boolean {
    return this.stack.length > 0 || this.lacked.open
  }

  private fail (ref: Reference): void {
    this.lacked.giveUp(ref)
    this.miss(ref)
  }

  /** Not given up: what another parent says of the same block may be true, so it is opened again for that. */
  private miss (ref: Reference): void {
    if (this.missing.size < MISSING_TOLD) this.missing.add(ref)
  }

  private rouse (): void {
    const { sleepers } = this
    if (sleepers.length === 0) return
    this.sleepers = []
    for (const wake of sleepers) wake()
  }

  /** Takes what others lack, then wants off the stack, until a batch is full; what is held already is opened here and costs no request. */
  private async batch (peer: string): Promise<Want[]> {
    const out: Want[] = []
    let bytes = 0
    while (out.length < BATCH_BLOCKS && bytes < BATCH_BYTES) {
      const want = this.lacked.next(peer) ?? (this.lacked.holdsBack(peer) ? undefined : this.stack.pop())
      if (want === undefined) break
      // What is held already may be millions of blocks, and costs no request after which anybody else looks.
      this.init.signal.throwIfAborted()
      const { ref } = want
      if (this.lacked.isGivenUp(ref)) continue
      const waiting = this.asked.get(ref)
      if (waiting !== undefined && waiting.length >= MANY_WAITING) {
        this.stack.push(want)
        break
      }
      if (waiting !== undefined) waiting.push(want)
      else if (this.held(ref)) await this.openHeld(want)
      else if (this.lacked.wasAsked(peer, ref)) this.leave([want], ref)
      else {
        this.asked.set(ref, [])
        out.push(want)
        bytes += likelySize(want)
      }
    }
    return out
  }

  private held (ref: Reference): boolean {
    return (this.landed.has(ref) || this.sealed?.has(ref) === true || this.heldBefore(ref)) && this.init.store.has(ref)
  }

  private async openHeld (want: Want): Promise<void> {
    // A rerun passes over everything that is held: only Trees and Files are read for it.
    if (isPlain(want, this.init.store.stat(want.ref))) return
    const artifact = await getUndamaged(this.init.store, want.ref)
    if (artifact === undefined) this.stack.push(want)
    else if (!this.expand(want, artifact)) {
      if (!isContent(artifact.typeTag)) this.init.onNoContent?.(want.ref)
      this.miss(want.ref)
    }
  }

  /** Pushes what is below. False when the block isn't what its parent says: what was published is not well-formed, and no peer can have anything better. */
  private expand (want: Want, artifact: Artifact): boolean {
    // A Tree that holds one subtree a thousand times, on each of four levels, is opened once.
    const key = artifact.typeTag === undefined ? undefined : openedKey(want)
    if (key !== undefined && this.opened.has(key)) return true
    const children = childrenOfWant(want, artifact)
    if (children === undefined) return false
    if (key !== undefined) this.opened.add(key)
    const { passOver } = this.init
    for (let i = children.length - 1; i >= 0; i--) if (passOver?.(children[i] as Want) !== true) this.stack.push(children[i] as Want)
    return true
  }

  private async ask (peer: string, wants: readonly Want[]): Promise<void> {
    const { fetch, onRefused, signal, store } = this.init
    const refs = wants.map((w) => w.ref)
    const got = new Uint8Array(refs.length)
    const failed = (err: unknown): never => {
      this.failure ??= err
      throw err
    }
    // No promise unless the disk is behind: for small blocks three of them took as long as hashing.
    const onBlock = (index: number, bytes: Uint8Array): Promise<void> | undefined => {
      const want = wants[index]
      if (want === undefined || got[index] === 1) return undefined
      try {
        if (this.land(peer, want, bytes)) got[index] = 1
        return store.room()?.catch(failed)
      } catch (err) {
        return failed(err)
      }
    }
    try {
      await fetch(peer, refs, onBlock)
    } catch (err) {
      if (this.failure === undefined) {
        signal.throwIfAborted()
        if (this.alive.delete(peer)) {
          for (const w of this.lacked.leave(peer)) this.stack.push(w)
          onRefused?.(peer, err instanceof DiadError ? err.code : 'peer-gone', refs[0] as Reference)
        }
      }
    } finally {
      wants.forEach((want, i) => { this.answered(peer, want, got[i] === 1) })
      this.barrier()
    }
  }

  private answered (peer: string, want: Want, got: boolean): void {
    const { ref } = want
    const waiting = this.asked.get(ref) ?? []
    this.asked.delete(ref)
    if (got) {
      this.lacked.forget(ref)
      for (const w of waiting) this.stack.push(w)
    } else {
      this.lacked.note(ref, peer)
      waiting.push(want)
      this.leave(waiting, ref)
    }
    if (waiting.length > 0) this.rouse()
  }

  /** Others may have it. */
  private leave (wants: readonly Want[], ref: Reference): void {
    if (this.lacked.add(wants, ref)) this.rouse()
    else this.fail(ref)
  }

  /** False when the bytes aren't what was asked for. */
  private land (peer: string, want: Want, bytes: Uint8Array): boolean {
    const { audience, domain, onRefused, onProgress, quota, store } = this.init
    const { ref } = want
    // A Reference can name any bytes, and a leaf any object: whoever keeps one as content gives it away among a bundle's blocks, where it has no place (B3).
    const artifact = artifactIn(bytes)
    if (artifact === undefined) return this.refuse(peer, ref)
    if (!isContent(artifact.typeTag)) {
      if (referenceOfArtifactBytes(bytes) !== ref) return this.refuse(peer, ref)
      onRefused?.(peer, 'content-malformed', ref)
      this.init.onNoContent?.(ref)
      this.fail(ref)
      return true
    }
    const most = quota?.()
    if (most !== undefined && audience.usedBytes(domain) + bytes.length > most && audience.costs(domain, ref)) {
      // As if nobody had it: another peer's copy is as long.
      this.fail(ref)
      this.init.onOver?.(ref, bytes.length)
      return true
    }
    if (!store.putArtifactBytes(ref, bytes)) return this.refuse(peer, ref)
    audience.take(domain, ref, FETCHED, bytes.length)
    this.landed.add(ref)
    this.landedBytes += bytes.length
    this.blocks++
    this.bytes += bytes.length
    onProgress?.(this.blocks, this.bytes)
    const before = this.stack.length
    if (artifact.typeTag !== undefined && before > MANY_WANTS) this.stack.push(want)
    else if (!this.expand(want, artifact)) {
      // The bytes are what was published: their bearer is not at fault.
      onRefused?.(peer, 'content-malformed', ref)
      this.miss(ref)
    }
    if (this.stack.length > before) this.rouse()
    return true
  }

  private refuse (peer: string, ref: Reference): false {
    this.init.onRefused?.(peer, 'reference-mismatch', ref)
    return false
  }

  /** Marks and their price go to the store in one step, so that no barrier can come between them. */
  private seal (): void {
    const { audience, domain, store } = this.init
    try {
      for (const op of audience.settle(domain)) store.enqueue(op)
    } catch (err) {
      this.failure ??= err
    }
  }

  /** Called when a batch has ended. The peers go on sending while a barrier is written; the store holds them back when the disk can't follow. */
  private barrier (): void {
    this.seal()
    if (this.sealed !== undefined || (this.landed.size < BARRIER_BLOCKS && this.landedBytes < BARRIER_BYTES)) return
    this.sealed = this.landed
    this.landed = new Set()
    this.landedBytes = 0
    this.init.store.commit([]).then(() => { this.sealed = undefined }, (err: unknown) => {
      this.failure ??= err
      this.rouse()
    })
  }

  private async walkHeld (): Promise<void> {
    for (let wants = await this.batch(''); wants.length > 0; wants = await this.batch('')) {
      for (const w of wants) {
        this.fail(w.ref)
        this.asked.delete(w.ref)
      }
    }
  }

  /** One gap or fault somewhere must not keep the other roots from counting as whole: each is walked again, on what is held. */
  private async proven (): Promise<Reference[]> {
    if (this.roots.length === 1) return []
    await this.init.store.commit([])
    const proven = new Opened()
    const whole: Reference[] = []
    for (const root of this.roots) if (await this.prove(root, proven)) whole.push(root.ref)
    return whole
  }

  private async prove (want: Want, proven: Opened): Promise<boolean> {
    if (!this.held(want.ref)) return false
    if (isPlain(want, this.init.store.stat(want.ref))) return true
    const key = openedKey(want)
    if (proven.has(key)) return true
    this.init.signal.throwIfAborted()
    const artifact = await getUndamaged(this.init.store, want.ref)
    const children = artifact === undefined ? undefined : childrenOfWant(want, artifact)
    if (children === undefined) return false
    for (const child of children) if (!(await this.prove(child, proven))) return false
    proven.add(key)
    return true
  }
}
