/**
 * The growing end of the packs. Records are built in place in a large buffer; a full buffer is appended behind the caller's back, so that hashing
 * the next block and writing the last ones overlap (Node.js writes in another thread).
 */
import type { PackState } from './pack-format.js'
import type { Log, Packs } from './ports.js'

export interface PackWriterLimits {
  /** a pack that would grow above this ends and the next one starts; offsets are u32, so at most 4 GiB */
  readonly packBytes: number
  /** bytes gathered for one append */
  readonly bufferBytes: number
  /** bytes waiting to be appended above which `room` makes the caller wait */
  readonly waitingBytes: number
}

interface Chunk {
  readonly pack: number
  readonly start: number
  readonly bytes: Uint8Array
  readonly buffer: Uint8Array
  done: Promise<void>
}

const EMPTY: Uint8Array = new Uint8Array(0)

/** Each pack is opened once, when first needed. */
export class PackFiles {
  readonly #packs: Packs
  readonly #open = new Map<number, Promise<Log | undefined>>()
  readonly #reads = new Map<number, Set<Promise<unknown>>>()

  constructor (packs: Packs) {
    this.#packs = packs
  }

  list (): Promise<number[]> {
    return this.#packs.list()
  }

  open (pack: number): Promise<Log | undefined> {
    return this.#remember(pack, this.#open.get(pack) ?? this.#packs.open(pack))
  }

  async create (pack: number): Promise<Log> {
    const found = await this.#open.get(pack)
    if (found !== undefined) return found
    const made = this.#packs.create(pack)
    void this.#remember(pack, made)
    return await made
  }

  /** Up to `length` bytes from `offset`, fewer where the pack ends; none where there is no such pack. */
  async read (pack: number, offset: number, length: number): Promise<Uint8Array> {
    const mine = this.open(pack).then(async (log) => log === undefined ? EMPTY : await log.read(offset, length))
    const reads = this.#reads.get(pack) ?? new Set<Promise<unknown>>()
    this.#reads.set(pack, reads)
    reads.add(mine)
    try {
      return await mine
    } finally {
      reads.delete(mine)
      if (reads.size === 0) this.#reads.delete(pack)
    }
  }

  /** For a pack that the index names no more. Whoever reads it still is waited for, and reads on meanwhile. */
  async remove (pack: number): Promise<void> {
    // First, so that nobody opens it anew.
    await this.#packs.remove(pack)
    const log = this.#open.get(pack)
    this.#open.delete(pack)
    await Promise.allSettled([...this.#reads.get(pack) ?? []])
    await (await log)?.close()
  }

  async close (): Promise<void> {
    const all = await Promise.allSettled(this.#open.values())
    this.#open.clear()
    for (const r of all) if (r.status === 'fulfilled') await r.value?.close()
  }

  /** A failed open is forgotten, so that a passing failure (too many open files) passes. */
  #remember (pack: number, log: Promise<Log | undefined>): Promise<Log | undefined> {
    if (this.#open.get(pack) !== log) {
      this.#open.set(pack, log)
      log.catch(() => { if (this.#open.get(pack) === log) this.#open.delete(pack) })
    }
    return log
  }
}

export class PackWriter {
  readonly #files: PackFiles
  readonly #limits: PackWriterLimits
  #pack: number
  /** where the first byte of the buffer will lie in the pack */
  #start: number
  #buffer: Uint8Array = EMPTY
  #used = 0
  /** sealed and not yet appended, oldest first */
  readonly #chunks: Chunk[] = []
  #waiting = 0
  #tail: Promise<void> = Promise.resolve()
  #unsynced = new Set<number>()
  readonly #free: Uint8Array[] = []

  constructor (files: PackFiles, end: PackState, limits: PackWriterLimits) {
    this.#files = files
    this.#pack = end.pack
    this.#start = end.length
    this.#limits = limits
  }

  /** Space for one record at the end, to be filled by the caller at once. It counts only after `accept`; a second `reserve` gives it out again. */
  reserve (length: number): Uint8Array {
    const end = this.#start + this.#used
    if (end > 0 && end + length > this.#limits.packBytes) this.startPack()
    else if (this.#used + length > this.#buffer.length) this.#seal()
    if (this.#buffer.length < length) this.#buffer = this.#takeBuffer(length)
    return this.#buffer.subarray(this.#used, this.#used + length)
  }

  /** Keeps the record just built, and says where it lies. */
  accept (length: number): { pack: number, offset: number } {
    const offset = this.#start + this.#used
    this.#used += length
    return { pack: this.#pack, offset }
  }

  /** A copy of bytes that have not been appended yet; undefined when they are in the pack already. */
  peek (pack: number, offset: number, length: number): Uint8Array | undefined {
    if (pack === this.#pack && offset >= this.#start) {
      const at = offset - this.#start
      return at + length <= this.#used ? this.#buffer.slice(at, at + length) : undefined
    }
    for (const c of this.#chunks) {
      const at = offset - c.start
      if (c.pack === pack && at >= 0 && at + length <= c.bytes.length) return c.bytes.slice(at, at + length)
    }
    return undefined
  }

  /** undefined: go on. A promise: too much is waiting for the disk, wait for it first. */
  room (): Promise<void> | undefined {
    return this.#waiting > this.#limits.waitingBytes ? this.#chunks[0]?.done : undefined
  }

  /** Makes durable what was accepted before the call, and says where that ends. */
  async sync (): Promise<PackState> {
    this.#seal()
    const end = { pack: this.#pack, length: this.#start }
    await this.#tail
    const dirty = this.#unsynced
    this.#unsynced = new Set()
    for (const pack of dirty) await (await this.#files.create(pack)).sync()
    return end
  }

  /** the pack that is being written */
  get pack (): number {
    return this.#pack
  }

  /** What is accepted from now on lies in no pack that has anything in it. */
  startPack (): void {
    if (this.#start + this.#used === 0) return
    this.#seal()
    this.#pack++
    this.#start = 0
  }

  /** Waits for what is under way, whether it succeeds or not. */
  async settle (): Promise<void> {
    await this.#tail.catch(() => undefined)
  }

  #takeBuffer (length: number): Uint8Array {
    if (length > this.#limits.bufferBytes) return new Uint8Array(length)
    return this.#free.pop() ?? new Uint8Array(this.#limits.bufferBytes)
  }

  #seal (): void {
    if (this.#used === 0) return
    const chunk: Chunk = { pack: this.#pack, start: this.#start, bytes: this.#buffer.subarray(0, this.#used), buffer: this.#buffer, done: this.#tail }
    this.#chunks.push(chunk)
    this.#waiting += this.#used
    this.#start += this.#used
    this.#used = 0
    this.#buffer = EMPTY
    // One append at a time keeps their order. After a failure nothing is appended any more, so there can't be a hole.
    chunk.done = this.#tail = this.#tail.then(() => this.#append(chunk))
    chunk.done.catch(() => undefined)
  }

  async #append (chunk: Chunk): Promise<void> {
    const log = await this.#files.create(chunk.pack)
    await log.append(chunk.bytes)
    // Not before: a sync that ran meanwhile would have struck it off the list without having covered it.
    this.#unsynced.add(chunk.pack)
    this.#chunks.shift()
    this.#waiting -= chunk.bytes.length
    if (chunk.buffer.length === this.#limits.bufferBytes && this.#free.length < 2) this.#free.push(chunk.buffer)
  }
}
