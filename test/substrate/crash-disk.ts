/**
 * A disk in memory that can lose power at any step. What was not synced survives in part, as on a real disk: some prefix of it, or its length with
 * zeros for content.
 */
import { compareBytes, toHex } from '../../src/substrate/bytes.js'
import type { Kv, KvOp, Log, Packs } from '../../src/substrate/ports.js'

export class PowerCut extends Error {}

/** A failure that the operating system would report. */
export class OsError extends Error {
  constructor (readonly code: string) {
    super(`${code}: made up by the test`)
  }
}

type StepKind = 'batch' | 'append' | 'sync' | 'truncate' | 'create'

interface FileState {
  durable: Uint8Array
  current: Uint8Array
}

export class CrashDisk {
  readonly files = new Map<number, FileState>()
  map = new Map<string, [Uint8Array, Uint8Array]>()
  #unsyncedBatches: Array<readonly KvOp[]> = []
  #durableMap = new Map<string, [Uint8Array, Uint8Array]>()
  steps = 0
  crashed = false
  /** the step at which the power goes */
  cutAt = Infinity
  /** steps of these kinds fail with this number */
  failing = new Map<StepKind, string>()
  readonly #choose: (n: number) => number

  /** `choose(n)` decides 0..n-1 wherever a crash may go several ways. */
  constructor (choose: (n: number) => number = () => 0) {
    this.#choose = choose
  }

  /** Power comes back: everything unsynced is decided, the handles of before are dead. */
  restart (): CrashDisk {
    const next = new CrashDisk(this.#choose)
    const batches = this.#unsyncedBatches.slice(0, this.#choose(this.#unsyncedBatches.length + 1))
    next.map = new Map(this.#durableMap)
    for (const ops of batches) applyOps(next.map, ops)
    next.#durableMap = new Map(next.map)
    for (const [pack, { durable, current }] of this.files) {
      const content = this.#survivor(durable, current)
      next.files.set(pack, { durable: content, current: content })
    }
    this.crashed = true
    return next
  }

  #survivor (durable: Uint8Array, current: Uint8Array): Uint8Array {
    if (current.length < durable.length) return this.#choose(2) === 0 ? durable : current
    const kept = durable.length + this.#choose(current.length - durable.length + 1)
    const out = current.slice(0, kept)
    if (this.#choose(3) === 0) out.fill(0, durable.length)
    return out
  }

  /** Returns whether the power goes during this step. */
  async #step (kind: StepKind): Promise<boolean> {
    await Promise.resolve()
    if (this.crashed) throw new PowerCut()
    const number = this.failing.get(kind)
    if (number !== undefined) throw new OsError(number)
    this.crashed = ++this.steps === this.cutAt
    return this.crashed
  }

  readonly kv: Kv = {
    get: (key) => this.map.get(toHex(key))?.[1].slice(),
    batch: async (ops, sync) => {
      if (await this.#step('batch')) {
        if (this.#choose(2) === 1) this.#unsyncedBatches.push(ops.slice())
        throw new PowerCut()
      }
      applyOps(this.map, ops)
      this.#unsyncedBatches.push(ops.slice())
      if (sync) {
        for (const some of this.#unsyncedBatches) applyOps(this.#durableMap, some)
        this.#unsyncedBatches = []
      }
    },
    entries: (gte, lt) => sorted(this.map, gte, lt),
    close: () => Promise.resolve()
  }

  readonly packs: Packs = {
    list: () => Promise.resolve([...this.files.keys()].sort((a, b) => a - b)),
    open: (pack) => Promise.resolve(this.files.has(pack) ? this.#log(pack) : undefined),
    create: async (pack) => {
      const cut = await this.#step('create')
      if (!this.files.has(pack)) this.files.set(pack, { durable: new Uint8Array(0), current: new Uint8Array(0) })
      if (cut) throw new PowerCut()
      return this.#log(pack)
    }
  }

  #log (pack: number): Log {
    const file = this.files.get(pack) as FileState
    return {
      get size () { return file.current.length },
      append: async (bytes) => {
        const cut = await this.#step('append')
        const whole = new Uint8Array(file.current.length + bytes.length)
        whole.set(file.current)
        whole.set(bytes, file.current.length)
        file.current = whole
        if (cut) throw new PowerCut()
      },
      read: (offset, length) => Promise.resolve(file.current.slice(offset, offset + length)),
      sync: async () => {
        const covered = file.current
        const cut = await this.#step('sync')
        if (cut) throw new PowerCut()
        file.durable = covered
      },
      truncate: async (size) => {
        const cut = await this.#step('truncate')
        file.current = file.current.slice(0, size)
        if (cut) throw new PowerCut()
      },
      close: () => Promise.resolve()
    }
  }

  /** Changes one bit of a pack, as a bad disk would. */
  flip (pack: number, offset: number): void {
    const file = this.files.get(pack) as FileState
    const bytes = file.current.slice()
    bytes[offset] = (bytes[offset] as number) ^ 1
    file.current = file.durable = bytes
  }
}

function applyOps (map: Map<string, [Uint8Array, Uint8Array]>, ops: readonly KvOp[]): void {
  for (const op of ops) {
    if (op.type === 'put') map.set(toHex(op.key), [op.key, op.value])
    else map.delete(toHex(op.key))
  }
}

async function * sorted (map: Map<string, [Uint8Array, Uint8Array]>, gte: Uint8Array, lt: Uint8Array): AsyncIterable<[Uint8Array, Uint8Array]> {
  const all = [...map.values()].filter(([k]) => compareBytes(k, gte) >= 0 && compareBytes(k, lt) < 0)
  for (const entry of all.sort(([a], [b]) => compareBytes(a, b))) yield await Promise.resolve(entry)
}
