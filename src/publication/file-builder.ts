/**
 * Content → one untagged artifact up to 256 KiB, else Files over 256 KiB chunks with 8,192 parts each. The same bytes give the same Reference,
 * however they arrive. Source: DESIGN §3 (block limit).
 */
import { DiadError } from '../substrate/errors.js'
import { LIMITS } from '../substrate/limits.js'
import type { Reference } from '../substrate/reference.js'
import type { BlockStore } from '../substrate/store.js'
import { TAG } from '../substrate/type-tags.js'
import { type FileLevel, type FilePart, FILE_TOP_LEVEL, fileCodec } from './file.js'

/** Stores a block; what a builder writes goes through it. */
export type Put = BlockStore['put']

const EMPTY = new Uint8Array(0)

export class FileBuilder {
  /** Parts that wait for their File, per level. Holds at most 8,192 parts a level, so memory doesn't grow with the content. */
  readonly #waiting: FilePart[][] = [[]]
  readonly #put: Put

  constructor (put: Put) {
    this.#put = put
  }

  /** The next chunk, already stored: exactly `LIMITS.chunkBytes` long unless it is the last, never empty. A promise must be awaited before the next call. */
  add (ref: Reference, size: number): Promise<void> | undefined {
    const chunks = this.#waiting[0] as FilePart[]
    if (chunks.length >= LIMITS.fileParts) return this.#push(0, { size, ref })
    chunks.push({ size, ref })
    return undefined
  }

  /** Reference and size of the whole content. */
  async finish (): Promise<FilePart> {
    const chunks = this.#waiting[0] as FilePart[]
    if (this.#waiting.length === 1 && chunks.length < 2) {
      return chunks[0] ?? { ref: await this.#put(undefined, EMPTY), size: 0 }
    }
    for (let level = 0; ; level++) {
      const whole = await this.#emit(level)
      if (level + 1 >= this.#waiting.length) return whole
      await this.#push(level + 1, whole)
    }
  }

  async #push (level: number, part: FilePart): Promise<void> {
    if (level > FILE_TOP_LEVEL) throw new DiadError('content-too-big', 'the content needs more levels of Files than the format has')
    const waiting = this.#waiting[level] ??= []
    if (waiting.length >= LIMITS.fileParts) await this.#push(level + 1, await this.#emit(level))
    ;(this.#waiting[level]).push(part)
  }

  async #emit (level: number): Promise<FilePart> {
    const parts = this.#waiting[level] as FilePart[]
    this.#waiting[level] = []
    let size = 0
    for (const p of parts) size += p.size
    return { ref: await this.#put(TAG.file, fileCodec.encode({ level: level as FileLevel, size, parts })), size }
  }
}
