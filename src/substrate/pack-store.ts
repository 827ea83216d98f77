/**
 * The durable block store: append-only packs for the bytes, an index in the key-value map. The commit order is
 *
 *   1. bytes are appended to a pack        (may be lost, nobody knows of them)
 *   2. the pack is synced
 *   3. one synced batch: index entries, the pack's durable length, and what the caller adds (leaves, head)
 *
 * so the index never names bytes that aren't durable, and a crash at any point leaves the state before 3 or after it (THREATS 28). What a pack
 * holds beyond its durable length was never visible and is cut off at the next open: no repair, no journal. On a full disk it is cut off at once, since
 * the index needs room to open at all.
 */
import { type Artifact, artifactIn, decodeArtifact, referenceOfArtifactBytes } from './artifact.js'
import { DiadError, MalformedError } from './errors.js'
import { sha256Hex } from './hasher.js'
import { LIMITS } from './limits.js'
import { compact, type Compactable, type Compacted, type CompactOptions, wastedBytes } from './pack-compact.js'
import { diskFailure, errorNumber } from './pack-failure.js'
import {
  artifactLength, type BlockStat, decodeEntry, encodeEntry, encodePackState, type IndexEntry, PACK_STATE_KEY,
  type PackState, RECORD_HEAD, referenceKey, referenceOfKey, writeArtifact, writeRecordHead
} from './pack-format.js'
import { artifactOffset, type BlockSource, readBlock, readSpan, samePlace, spansOf, type Wanted } from './pack-read.js'
import { cutBehind, recover } from './pack-recover.js'
import { PackFiles, PackWriter, type PackWriterLimits } from './pack-writer.js'
import { type Kv, type KvOp, KEYSPACE, type Packs } from './ports.js'
import { type Hash, type Reference, referenceOfHash } from './reference.js'
import type { BlockStore } from './store.js'

export interface PackStoreLimits extends PackWriterLimits {
  /** bytes and entries that wait for a commit above which a barrier of its own is written, so that a long import runs in flat memory */
  readonly barrierBytes: number
  readonly barrierEntries: number
}

export const PACK_LIMITS: PackStoreLimits = {
  packBytes: 1024 * 1024 * 1024,
  bufferBytes: 2 * 1024 * 1024,
  waitingBytes: 8 * 1024 * 1024,
  barrierBytes: 64 * 1024 * 1024,
  // 2,048 blocks and a mark for each. What waits longer grows old in the heap, which the collector then lets grow: 60,000 files took 133 MiB,
  // with 16,384 entries 164, with 65,536 226, all in the same time.
  barrierEntries: 4_096
}

export class PackStore implements BlockStore {
  readonly #kv: Kv
  readonly #files: PackFiles
  readonly #writer: PackWriter
  readonly #limits: PackStoreLimits
  /** blocks that no barrier has taken yet, and those that the running barrier writes: not as bytes yet, which take five times the memory */
  #pending = new Map<Reference, IndexEntry>()
  #committing: ReadonlyMap<Reference, IndexEntry> = new Map()
  #ops: KvOp[] = []
  #pendingBytes = 0
  /** Blocks whose bytes on disk are wrong: not held, until put again. */
  readonly #damaged: Set<Reference>
  /** the barrier that hasn't started, for callers to share; the last one asked for; the one that is writing */
  #next: Promise<void> | undefined
  #last: Promise<void> = Promise.resolve()
  #running: Promise<void> | undefined
  #failure: DiadError | undefined
  /** a write failed: what waited for a barrier then was dropped */
  #lost: DiadError | undefined
  #closed = false
  /** how far the packs may be named by the index: up to the last batch that was handed to it, even if that failed, for a failed sync may have written */
  #named: PackState
  /** settles when the room is given back that a full disk took */
  #givenBack: Promise<void> | undefined
  readonly #source: BlockSource = {
    entry: (ref) => this.#entry(ref),
    read: (pack, offset, length) => this.#read(pack, offset, length),
    setAside: (ref, entry) => { this.#setAside(ref, entry) }
  }

  private constructor (kv: Kv, files: PackFiles, end: PackState, damaged: Set<Reference>, limits: PackStoreLimits) {
    this.#kv = kv
    this.#files = files
    this.#writer = new PackWriter(files, end, limits)
    this.#named = end
    this.#damaged = damaged
    this.#limits = limits
  }

  /**
   * Opens what a process, perhaps a crashed one, left behind. The store owns `packs`; `kv` stays the caller's to close. Throws DiadError
   * `store-damaged` when packs are there without an index, `disk-full`, `disk-error`.
   */
  static async open (kv: Kv, packs: Packs, limits: Partial<PackStoreLimits> = {}): Promise<PackStore> {
    const files = new PackFiles(packs)
    try {
      const end = await recover(kv, files)
      const damaged = new Set<Reference>()
      for await (const [key] of kv.entries(new Uint8Array([KEYSPACE.quarantine]), new Uint8Array([KEYSPACE.quarantine + 1]))) {
        const ref = referenceOfKey(key)
        if (ref !== undefined) damaged.add(ref)
      }
      return new PackStore(kv, files, end, damaged, { ...PACK_LIMITS, ...limits })
    } catch (err) {
      await files.close().catch(() => undefined)
      throw diskFailure(err, 'opening the store')
    }
  }

  /** What made the store refuse writes, if anything did. Reading goes on; opening it again starts from the last commit. */
  get failure (): DiadError | undefined {
    return this.#failure
  }

  /** Blocks found damaged and not replaced since. */
  get damaged (): ReadonlySet<Reference> {
    return this.#damaged
  }

  async put (typeTag: number | undefined, payload: Uint8Array): Promise<Reference> {
    const ref = this.putNow(typeTag, payload)
    const wait = this.room()
    if (wait !== undefined) await wait
    return ref
  }

  /**
   * As `put`, without a promise: for loops over many blocks, which then must `await store.room()` whenever that isn't undefined. `payload` is
   * copied before it is hashed, so what is stored is what was hashed. Throws DiadError when the store refuses writes.
   */
  putNow (typeTag: number | undefined, payload: Uint8Array): Reference {
    if (this.#failure !== undefined) throw this.#failure
    if (payload.length > LIMITS.payloadBytes) throw new MalformedError(`an artifact's payload has at most ${LIMITS.payloadBytes} bytes, this one has ${payload.length}`)
    const record = this.#writer.reserve(RECORD_HEAD + artifactLength(typeTag, payload.length))
    const artifact = record.subarray(RECORD_HEAD)
    writeArtifact(artifact, typeTag, payload)
    const digest = sha256Hex(artifact)
    const ref = referenceOfHash(digest)
    this.#keep(ref, digest, record, typeTag, payload.length)
    return ref
  }

  /**
   * Stores ArtifactBytes that came from elsewhere under the name `expected`. They are hashed once, here: false, and nothing stored, when they are
   * not what they were called (THREATS 1). As with `putNow`, `bytes` are copied, and `await store.room()` is the caller's to do.
   */
  putArtifactBytes (expected: Reference, bytes: Uint8Array): boolean {
    if (this.#failure !== undefined) throw this.#failure
    // A Reference can name any bytes, the store keeps artifacts only.
    const shape = artifactIn(bytes)
    if (shape === undefined) return false
    const record = this.#writer.reserve(RECORD_HEAD + bytes.length)
    record.set(bytes, RECORD_HEAD)
    const digest = sha256Hex(record.subarray(RECORD_HEAD))
    if (referenceOfHash(digest) !== expected) return false
    this.#keep(expected, digest, record, shape.typeTag, shape.payload.length)
    return true
  }

  /** undefined: go on putting. A promise: the disk is behind, wait for it; rejects when the store has failed. */
  room (): Promise<void> | undefined {
    const wait = this.#writer.room() ?? (this.#full() ? this.#running : undefined)
    return wait?.catch((err: unknown) => { throw this.#fail(err) })
  }

  has (ref: Reference): boolean {
    return this.#entry(ref) !== undefined
  }

  /** Type tag and payload length from the index alone; undefined when it isn't held. */
  stat (ref: Reference): BlockStat | undefined {
    const entry = this.#entry(ref)
    return entry === undefined ? undefined : { typeTag: entry.typeTag, length: entry.length }
  }

  async get (ref: Reference): Promise<Artifact | undefined> {
    const bytes = await this.getBytes(ref)
    return bytes === undefined ? undefined : decodeArtifact(bytes)
  }

  /** As `get`, the ArtifactBytes as they travel. */
  async getBytes (ref: Reference): Promise<Uint8Array | undefined> {
    const entry = this.#entry(ref)
    if (entry === undefined) return undefined
    const bytes = await readBlock(this.#source, ref, entry)
    // Not damaged: it was never committed, or was given up, and went while it was read.
    if (bytes !== undefined || !this.#damaged.has(ref)) return bytes
    throw new DiadError('block-damaged', `block ${ref} is damaged on disk (pack ${entry.pack}, offset ${artifactOffset(entry)})`,
      'It is set aside and counts as missing from now on. Fetch it again from a peer or a bundle; run `diad doctor` to check the whole store.')
  }

  /**
   * The ArtifactBytes of many, in the order asked for, each verified; neighbours on disk share one read. undefined for what isn't held or turns out
   * damaged (set aside as by `get`). Holds all of them in memory: `stat` first, and ask for as much as fits. They may share their buffers.
   */
  async getManyBytes (refs: readonly Reference[]): Promise<Array<Uint8Array | undefined>> {
    const out = new Array<Uint8Array | undefined>(refs.length).fill(undefined)
    const wanted: Wanted[] = []
    refs.forEach((ref, index) => {
      const entry = this.#entry(ref)
      if (entry !== undefined) wanted.push({ index, entry })
    })
    for (const span of spansOf(wanted)) await readSpan(this.#source, span, refs, out)
    return out
  }

  /** As `getManyBytes`, decoded. */
  async getMany (refs: readonly Reference[]): Promise<Array<Artifact | undefined>> {
    return (await this.getManyBytes(refs)).map((bytes) => bytes === undefined ? undefined : decodeArtifact(bytes))
  }

  /** Every committed block, by ascending Reference: for `doctor`, which reads each, and for collecting garbage. */
  async * blocks (): AsyncIterable<[Reference, IndexEntry]> {
    for await (const [key, value] of this.#kv.entries(new Uint8Array([KEYSPACE.block]), new Uint8Array([KEYSPACE.block + 1]))) {
      const ref = referenceOfKey(key)
      const entry = decodeEntry(value)
      if (ref !== undefined && entry !== undefined) yield [ref, entry]
    }
  }

  /** The op after which the block isn't held: nobody may bring it in, or rely on it, until that op is durable. `compact` then frees its room. */
  discardOp (ref: Reference): KvOp {
    return { type: 'del', key: referenceKey(KEYSPACE.block, ref) }
  }

  /** Bytes in packs that belong to no block that is held. Call when nothing waits for a commit. */
  async wasted (): Promise<number> {
    return await wastedBytes(this.#compactable())
  }

  /** Gives the room of discarded blocks back. Others may read and write meanwhile. Throws as `commit`, and the signal's reason when aborted: nothing is lost then. */
  async compact (options: CompactOptions): Promise<Compacted> {
    return await compact(this.#compactable(), options).catch((err: unknown) => { throw diskFailure(err, 'compacting the store') })
  }

  /** Lets `op` ride along with the next barrier, whichever comes first: a commit or one that a long import makes by itself. */
  enqueue (op: KvOp): void {
    if (this.#failure !== undefined) throw this.#failure
    this.#ops.push(op)
    if (this.#ops.length >= this.#limits.barrierEntries) void this.#startBarrier()
  }

  /**
   * The durability barrier: when it settles, every block put before the call, every op enqueued before it and all of `extra` are on disk; `extra`
   * appears as a whole or not at all. Commits that wait together share one barrier. Throws DiadError `disk-full` or `disk-error`; then none of it
   * is visible and the store takes no more writes until it is opened again.
   */
  async commit (extra: readonly KvOp[] = []): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure
    for (const op of extra) this.#ops.push(op)
    await this.#startBarrier()
  }

  /** Waits for what is under way and closes the packs. What was not committed is gone, as after a crash. */
  async close (): Promise<void> {
    this.#failure ??= new DiadError('store-closed', 'the store is closed')
    await this.#last.catch(() => undefined)
    await this.#writer.settle()
    await this.#givenBack
    this.#closed = true
    await this.#files.close()
  }

  #entry (ref: Reference): IndexEntry | undefined {
    const pending = this.#pending.get(ref)
    if (pending !== undefined) return pending
    if (this.#damaged.has(ref)) return undefined
    const committing = this.#committing.get(ref)
    if (committing !== undefined) return committing
    const value = this.#kv.get(referenceKey(KEYSPACE.block, ref))
    return value === undefined ? undefined : decodeEntry(value)
  }

  /** Accepts the record just built in the writer's buffer, unless its block is held already. */
  #keep (ref: Reference, hash: Hash, record: Uint8Array, typeTag: number | undefined, length: number): void {
    if (this.#damaged.delete(ref)) this.#ops.push({ type: 'del', key: referenceKey(KEYSPACE.quarantine, ref) })
    else if (this.#entry(ref) !== undefined) return
    writeRecordHead(record, hash)
    this.#accept(ref, record.length, { typeTag, length })
  }

  /** Takes the record that was just built. */
  #accept (ref: Reference, bytes: number, { typeTag, length }: BlockStat): void {
    const { pack, offset } = this.#writer.accept(bytes)
    this.#pending.set(ref, { pack, offset, typeTag, length })
    this.#pendingBytes += bytes
    if (this.#full()) void this.#startBarrier()
  }

  #compactable (): Compactable {
    return {
      files: this.#files,
      entries: () => this.blocks(),
      entry: (ref) => this.#entry(ref),
      read: (pack, offset, length) => this.#read(pack, offset, length),
      writing: () => this.#writer.pack,
      startPack: () => { this.#writer.startPack() },
      move: (ref, from, record) => this.#move(ref, from, record),
      commit: () => this.commit()
    }
  }

  /** The index goes on naming the old place until the new one is durable. */
  #move (ref: Reference, from: IndexEntry, record: Uint8Array): Promise<void> | undefined {
    if (this.#failure !== undefined) throw this.#failure
    if (referenceOfArtifactBytes(record.subarray(RECORD_HEAD)) !== ref) {
      this.#setAside(ref, from)
      return undefined
    }
    this.#writer.reserve(record.length).set(record)
    this.#accept(ref, record.length, from)
    return this.room()
  }

  #full (): boolean {
    return this.#pendingBytes >= this.#limits.barrierBytes || this.#pending.size + this.#ops.length >= this.#limits.barrierEntries
  }

  #startBarrier (): Promise<void> {
    if (this.#next === undefined) {
      this.#next = this.#last = this.#last.then(() => this.#barrier())
      this.#next.catch(() => undefined) // nobody may be waiting; the failure stays in #failure
    }
    return this.#next
  }

  async #barrier (): Promise<void> {
    const self = this.#next
    this.#next = undefined
    // Nothing is left to write then, and whoever waits must not take that for done.
    if (this.#lost !== undefined) throw this.#lost
    if (this.#pending.size === 0 && this.#ops.length === 0) return
    const blocks = this.#pending
    const batch = this.#ops
    this.#committing = blocks
    this.#pending = new Map()
    this.#ops = []
    this.#pendingBytes = 0
    this.#running = self
    try {
      // The ops first: among them may be the removal of a damaged copy that an entry of the same batch replaces.
      for (const [ref, entry] of blocks) batch.push({ type: 'put', key: referenceKey(KEYSPACE.block, ref), value: encodeEntry(entry) })
      if (blocks.size > 0) {
        const end = await this.#writer.sync()
        batch.push({ type: 'put', key: PACK_STATE_KEY, value: encodePackState(end) })
        this.#named = end
      }
      await this.#kv.batch(batch, true)
      this.#committing = new Map()
    } catch (err) {
      throw this.#fail(err)
    } finally {
      this.#running = undefined
    }
  }

  /** Nothing uncommitted stays visible, and no later write may follow a lost one. */
  #fail (err: unknown): DiadError {
    const failure = diskFailure(err, 'writing to the store')
    this.#failure ??= failure
    this.#lost ??= failure
    // Once closed, the packs may be another store's.
    if (failure.code === 'disk-full' && !this.#closed) this.#givenBack ??= this.#giveBack()
    this.#pending = new Map()
    this.#committing = new Map()
    this.#ops = []
    this.#pendingBytes = 0
    return this.#failure
  }

  /** Frees what no index will ever name. Where that fails too, the next open does it. */
  async #giveBack (): Promise<void> {
    await this.#last.catch(() => undefined)
    await this.#writer.settle()
    await cutBehind(this.#files, this.#named).catch(() => undefined)
  }

  /** Bytes of a pack, fewer where it ends or the disk can't read them: the digest then says the rest. */
  async #read (pack: number, offset: number, length: number): Promise<Uint8Array> {
    const waiting = this.#writer.peek(pack, offset, length)
    if (waiting !== undefined) return waiting
    try {
      return await this.#files.read(pack, offset, length)
    } catch (err) {
      if (errorNumber(err) === 'EIO') return new Uint8Array(0)
      throw diskFailure(err, `reading pack ${pack}`)
    }
  }

  /** From now on the block isn't held, so that it is fetched again; where the bad copy lies stays on record. */
  #setAside (ref: Reference, entry: IndexEntry): void {
    const now = this.#entry(ref)
    // Someone else has set it aside, or even replaced it, while it was read.
    if (now === undefined || !samePlace(now, entry)) return
    this.#pending.delete(ref)
    this.#damaged.add(ref)
    if (this.#failure !== undefined) return
    this.#ops.push(
      { type: 'del', key: referenceKey(KEYSPACE.block, ref) },
      { type: 'put', key: referenceKey(KEYSPACE.quarantine, ref), value: encodeEntry(entry) }
    )
    void this.#startBarrier()
  }
}
