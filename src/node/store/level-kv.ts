/** The key-value port on LevelDB (classic-level). */
import { ClassicLevel } from 'classic-level'
import { DiadError } from '../../substrate/errors.js'
import { diskFailure } from '../../substrate/pack-failure.js'
import type { Kv, KvOp } from '../../substrate/ports.js'

/**
 * Measured with 44,000 entries (22,000 blocks and their marks): a chained batch takes 35 ms, an array batch 240 ms, chunks of 1,000 the same; a
 * lookup 0.9 us, of an absent key 0.6 us (bloom filters are on by default). Compression costs 20 ms and finds nothing in digests.
 */
const OPTIONS = {
  keyEncoding: 'view',
  valueEncoding: 'view',
  compression: false,
  // Two may be held in memory. Larger ones make a long import a little faster and opening after a crash slower.
  writeBufferSize: 8 * 1024 * 1024,
  cacheSize: 16 * 1024 * 1024
} as const

export class LevelKv implements Kv {
  readonly #db: ClassicLevel<Uint8Array, Uint8Array>

  private constructor (db: ClassicLevel<Uint8Array, Uint8Array>) {
    this.#db = db
  }

  /** Throws DiadError `store-busy`, `store-damaged`, `disk-full`, `disk-error`. `shown` is the path that the person knows. */
  static async open (folder: string, shown: string): Promise<LevelKv> {
    const db = new ClassicLevel<Uint8Array, Uint8Array>(folder, OPTIONS)
    try {
      await db.open()
    } catch (err) {
      throw openFailure(err, shown)
    }
    return new LevelKv(db)
  }

  get (key: Uint8Array): Uint8Array | undefined {
    try {
      const value = this.#db.getSync(key)
      return value === undefined ? undefined : plain(value)
    } catch (err) {
      throw indexFailure(err, 'reading the index')
    }
  }

  async batch (ops: readonly KvOp[], sync: boolean): Promise<void> {
    try {
      const batch = this.#db.batch()
      for (const op of ops) {
        if (op.type === 'put') batch.put(op.key, op.value)
        else batch.del(op.key)
      }
      await batch.write({ sync })
    } catch (err) {
      throw indexFailure(err, 'writing the index')
    }
  }

  async * entries (gte: Uint8Array, lt: Uint8Array): AsyncIterable<[Uint8Array, Uint8Array]> {
    const iterator = this.#db.iterator({ gte, lt })
    try {
      for (;;) {
        const some = await iterator.nextv(1000)
        if (some.length === 0) return
        for (const [key, value] of some) yield [plain(key), plain(value)]
      }
    } catch (err) {
      throw indexFailure(err, 'reading the index')
    } finally {
      await iterator.close()
    }
  }

  /** What was deleted or replaced is on the disk until LevelDB comes across it by itself, or this is called. */
  async compact (): Promise<void> {
    try {
      await this.#db.compactRange(new Uint8Array(0), new Uint8Array(80).fill(0xff))
    } catch (err) {
      throw indexFailure(err, 'compacting the index')
    }
  }

  async close (): Promise<void> {
    await this.#db.close()
  }
}

/** LevelDB hands out Buffers; what leaves this file is a Uint8Array whose `slice` copies. */
function plain (bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function levelCode (err: unknown): string | undefined {
  for (let e: unknown = err, depth = 0; e instanceof Error && depth < 5; e = e.cause, depth++) {
    const code = (e as { code?: unknown }).code
    if (code === 'LEVEL_LOCKED' || code === 'LEVEL_CORRUPTION') return code
  }
  return undefined
}

function indexFailure (err: unknown, doing: string): DiadError {
  if (levelCode(err) === 'LEVEL_CORRUPTION') return damagedIndex(doing, err)
  return diskFailure(err, doing)
}

function openFailure (err: unknown, shown: string): DiadError {
  const code = levelCode(err)
  if (code === 'LEVEL_LOCKED') {
    return new DiadError('store-busy', `the store at ${shown} is in use by another process`,
      'stop that process (a running `diad serve`, or another command), or let this command talk to it', { cause: err })
  }
  if (code === 'LEVEL_CORRUPTION') return damagedIndex(`opening ${shown}`, err)
  const cause = err instanceof Error && err.cause !== undefined ? err.cause : err
  // LevelDB calls a missing file of its own "does not exist"; the disk is fine then, the index isn't.
  if (cause instanceof Error && /no such file|does not exist|missing files/i.test(cause.message)) return damagedIndex(`opening ${shown}`, err)
  return diskFailure(cause, `opening the index of ${shown}`)
}

function damagedIndex (doing: string, cause: unknown): DiadError {
  return new DiadError('store-damaged', `the index of the store is damaged (found while ${doing})`,
    'make a copy of the folder first. Then restore it from a backup, or set it aside and fetch everything again.', { cause })
}
