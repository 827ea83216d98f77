/**
 * Brings the content of published names into the store: walks Trees and Files depth first, asks several peers at once, and verifies every block as
 * it lands. Memory stays flat with the size of the directory: only the open Trees on the way down and one batch a peer are held.
 * What is held for another domain is fetched all the same (RULES V2), so that deduplication can't be observed.
 */
import { type Artifact, decodeArtifact } from '../substrate/artifact.js'
import { DiadError } from '../substrate/errors.js'
import type { KvOp } from '../substrate/ports.js'
import type { Reference } from '../substrate/reference.js'
import type { BlockReader } from '../substrate/store.js'
import { type Child, checkChild, childrenOf, type Expected } from '../publication/walk.js'
import { type AudienceIndex, FETCHED } from './audience.js'
import { wholeOp } from './ledger.js'

/** The writing end that the fetcher needs of the pack store. */
export interface ContentStore extends BlockReader {
  putArtifactBytes: (expected: Reference, bytes: Uint8Array) => Promise<boolean>
  enqueue: (op: KvOp) => void
  commit: (ops: readonly KvOp[]) => Promise<void>
}

/** Asks one peer for blocks; calls back with unverified bytes; resolves with what it didn't give. */
export type FetchBlocks = (peer: string, refs: readonly Reference[], onBlock: (index: number, bytes: Uint8Array) => Promise<void>) => Promise<{ missing: Reference[] }>

export interface ContentInit {
  readonly domain: Reference
  readonly store: ContentStore
  readonly audience: AudienceIndex
  readonly peers: readonly string[]
  readonly fetch: FetchBlocks
  /** asked between steps; an AbortSignal is one */
  readonly signal: { readonly throwIfAborted: () => void }
  /** bytes and blocks that came over the network */
  readonly onProgress?: (blocks: number, bytes: number) => void
  readonly onRefused?: (peer: string, code: string, ref: Reference) => void
}

export interface ContentResult {
  readonly blocks: number
  readonly bytes: number
  /** roots that are held in full now */
  readonly whole: Reference[]
  /** blocks that no peer gave */
  readonly missing: Reference[]
}

/** blocks asked for in one request */
const BATCH_BLOCKS = 256
/** bytes asked for in one request, by the sizes that parents declare */
const BATCH_BYTES = 4 * 1024 * 1024
/** requests under way to one peer: one is being answered while the next is on its way */
const PIPELINE = 2
/** assumed of a Tree or File, whose size no parent declares */
const NODE_BYTES = 32 * 1024

/** References remembered as just landed: about 10 MB, and more than one barrier of the store */
const RECENT_BLOCKS = 65_536

/** Trees and Files remembered as opened: about 10 MB */
const OPENED_NODES = 65_536

interface Want extends Child { readonly root: Reference, tried?: Set<string> }

function sizeOf (expected: Expected): number {
  return expected.type === 'chunk' || expected.type === 'content' ? Math.min(expected.size, 256 * 1024) : NODE_BYTES
}

/** Throws only for the store's own failures and the signal's reason; a peer's failures are reported and worked around. */
export async function fetchContent (init: ContentInit, roots: ReadonlyArray<{ ref: Reference, expected: Expected | undefined }>): Promise<ContentResult> {
  const run = new ContentRun(init)
  for (const { ref, expected } of [...roots].reverse()) run.push({ ref, root: ref, expected: expected ?? { type: 'tree' } }, expected === undefined)
  return await run.finish(roots.map((r) => r.ref))
}

class ContentRun {
  private readonly stack: Want[] = []
  private readonly anyType = new Set<Reference>()
  private readonly failed = new Map<Reference, Want>()
  private readonly alive: Set<string>
  private flights = 0
  private blocks = 0
  private bytes = 0
  private wake: () => void = () => undefined
  private failure: unknown
  /** landed since the last barrier or so: the index shows only what is durable, and a directory holds many files twice */
  private recent = new Set<Reference>()
  private opened = new Set<Reference>()

  constructor (private readonly init: ContentInit) {
    this.alive = new Set(init.peers)
  }

  /** `untyped`: a published name may be a Tree, a File or plain bytes; its parent, the leaf, doesn't say. */
  push (want: Want, untyped: boolean): void {
    if (untyped) this.anyType.add(want.ref)
    this.stack.push(want)
  }

  private held (ref: Reference): boolean {
    const { audience, domain, store } = this.init
    return this.recent.has(ref) || (audience.heldFor(domain, ref) && store.has(ref))
  }

  private expand (want: Want, artifact: Artifact): void {
    // A Tree that holds one subtree a thousand times, on each of four levels, is opened once.
    if (artifact.typeTag !== undefined) {
      if (this.opened.has(want.ref)) return
      if (this.opened.size >= OPENED_NODES) this.opened = new Set()
      this.opened.add(want.ref)
    }
    if (!this.anyType.has(want.ref) || want.ref !== want.root) checkChild(artifact, want.expected)
    const children = childrenOf(artifact)
    for (let i = children.length - 1; i >= 0; i--) this.stack.push({ ...children[i] as Child, root: want.root })
  }

  /** As {@link expand} for a block that was held already: what was published may not be well-formed, and that must not stop the rest. */
  private open (want: Want, artifact: Artifact): void {
    try {
      this.expand(want, artifact)
    } catch (err) {
      if (!(err instanceof DiadError) || (err.code !== 'content-malformed' && err.code !== 'malformed')) throw err
      this.failed.set(want.ref, want)
    }
  }

  /** Takes wants off the stack until a batch is full; what is held already is opened here and costs no request. */
  private async batch (peer: string): Promise<Want[]> {
    const out: Want[] = []
    const later: Want[] = []
    let bytes = 0
    while (out.length < BATCH_BLOCKS && bytes < BATCH_BYTES) {
      const want = this.stack.pop()
      if (want === undefined) break
      if (this.held(want.ref)) {
        if (want.expected.type === 'chunk') continue
        const artifact = want.expected.type === 'content' && want.expected.size <= 256 * 1024 && this.plain(want) ? undefined : await this.init.store.get(want.ref)
        if (artifact !== undefined) this.open(want, artifact)
        continue
      }
      if (want.tried?.has(peer) === true) later.push(want)
      else {
        out.push(want)
        bytes += sizeOf(want.expected)
      }
    }
    this.stack.push(...later)
    return out
  }

  /** Content of at most one chunk is one untagged artifact (DESIGN §3): nothing below it. */
  private plain (want: Want): boolean {
    return !this.anyType.has(want.ref)
  }

  private async land (peer: string, want: Want, bytes: Uint8Array): Promise<boolean> {
    const { audience, domain, onRefused, onProgress, store } = this.init
    if (!(await store.putArtifactBytes(want.ref, bytes))) {
      onRefused?.(peer, 'reference-mismatch', want.ref)
      return false
    }
    const mark = audience.mark(domain, want.ref, FETCHED)
    if (mark !== undefined) {
      store.enqueue(mark)
      store.enqueue(audience.charge(domain, bytes.length))
    }
    if (this.recent.size >= RECENT_BLOCKS) this.recent = new Set()
    this.recent.add(want.ref)
    this.blocks++
    this.bytes += bytes.length
    onProgress?.(this.blocks, this.bytes)
    if (want.expected.type !== 'chunk') this.expand(want, decodeArtifact(bytes))
    return true
  }

  private async work (peer: string): Promise<void> {
    while (this.alive.has(peer) && this.failure === undefined) {
      this.init.signal.throwIfAborted()
      // Counted from here: what another worker has taken off the stack, to open it or to ask for it, may bring more for everybody.
      this.flights++
      const wants = await this.batch(peer).catch((err: unknown) => {
        this.failure ??= err
        this.rouse()
        throw err
      }).finally(() => { this.flights-- })
      if (wants.length === 0) {
        if (this.flights === 0) {
          this.rouse()
          return
        }
        await new Promise<void>((resolve) => {
          const before = this.wake
          this.wake = () => { before(); resolve() }
        })
        continue
      }
      this.flights++
      try {
        await this.ask(peer, wants)
      } finally {
        this.flights--
        this.rouse()
      }
    }
  }

  private rouse (): void {
    const { wake } = this
    this.wake = () => undefined
    wake()
  }

  private async ask (peer: string, wants: Want[]): Promise<void> {
    const unique = new Map<Reference, Want[]>()
    for (const w of wants) unique.set(w.ref, [...unique.get(w.ref) ?? [], w])
    const refs = [...unique.keys()]
    const open = new Set(refs)
    const onBlock = async (index: number, bytes: Uint8Array): Promise<void> => {
      const ref = refs[index]
      if (ref === undefined || !open.has(ref)) return
      const [first] = unique.get(ref) as Want[]
      try {
        if (await this.land(peer, first as Want, bytes)) open.delete(ref)
      } catch (err) {
        if (!(err instanceof DiadError) || err.code !== 'content-malformed') {
          this.failure ??= err
          throw err
        }
        // The bytes are what was published; what was published is not well-formed. No peer can have anything better.
        open.delete(ref)
        this.init.onRefused?.(peer, err.code, ref)
        this.failed.set(ref, first as Want)
      }
      this.rouse()
    }
    try {
      await this.init.fetch(peer, refs, onBlock)
    } catch (err) {
      if (this.failure !== undefined) throw this.failure as Error
      this.init.signal.throwIfAborted()
      this.alive.delete(peer)
      this.init.onRefused?.(peer, err instanceof DiadError ? err.code : 'peer-gone', refs[0] as Reference)
    }
    for (const ref of open) {
      const want = (unique.get(ref) as Want[])[0] as Want
      const tried = (want.tried ??= new Set())
      tried.add(peer)
      if ([...this.alive].every((p) => tried.has(p))) this.failed.set(ref, want)
      else this.stack.push(want)
    }
  }

  async finish (roots: Reference[]): Promise<ContentResult> {
    const { domain, signal, store } = this.init
    // Even without a peer the walk over what is held tells what is missing.
    const peers = this.alive.size > 0 ? [...this.alive] : ['']
    if (this.alive.size === 0) await this.walkHeld()
    else {
      const done = await Promise.allSettled(peers.flatMap((p) => Array.from({ length: PIPELINE }, async () => { await this.work(p) })))
      const bad = done.find((d) => d.status === 'rejected')
      if (bad !== undefined) {
        // What landed before stays: a rerun asks only for the rest.
        await store.commit([])
        throw (this.failure ?? bad.reason) as Error
      }
    }
    signal.throwIfAborted()
    for (const w of this.stack) this.failed.set(w.ref, w)
    // What is shared between roots was opened for one of them only, so one gap leaves all of this run unproven; the next run is local and quick.
    const whole = this.failed.size === 0 ? roots : []
    await store.commit(whole.map((r) => wholeOp(domain, r)))
    return { blocks: this.blocks, bytes: this.bytes, whole, missing: [...this.failed.keys()].sort() }
  }

  private async walkHeld (): Promise<void> {
    for (let wants = await this.batch(''); wants.length > 0; wants = await this.batch('')) for (const w of wants) this.failed.set(w.ref, w)
  }
}
