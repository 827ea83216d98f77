/**
 * A disk in virtual time, behind the ports of the store: it can lose power at any step, and what was not synced survives in part, as on a real one:
 * some prefix of it, or its length with zeros for content. It can be full, read-only, slow, and it can lie about syncs.
 */
import { fromHex, toHex } from '../../src/substrate/bytes.js'
import type { Kv, KvOp, Log, Packs } from '../../src/substrate/ports.js'

export class PowerCut extends Error {}

/** A failure that the operating system would report. */
class OsError extends Error {
  constructor (readonly code: string) {
    super(`${code}: a fault of the simulated disk`)
  }
}

export const STEP_KINDS = ['batch', 'append', 'sync', 'truncate', 'create', 'remove'] as const
export type StepKind = typeof STEP_KINDS[number]
/** Keys are kept as hex: half a million of them are in a federation's disks. */
type Entry = Uint8Array

interface FileState {
  /** bytes that survive for certain */
  durable: number
  size: number
  /** grows by doubling; the first `size` bytes count */
  bytes: Uint8Array
  /** what stood behind `durable` before a truncation that isn't synced yet */
  before: Uint8Array | undefined
  /** whether the directory entry is durable; false after a lost sync of the folder */
  linked: boolean
}

export interface DiskInit {
  /** decides 0..n-1 wherever a crash may go several ways */
  readonly choose?: (n: number) => number
  /** resolves when the disk has done one step of this kind; absent = at once */
  readonly wait?: (kind: StepKind, bytes: number) => Promise<void>
}

export class SimDisk {
  readonly files = new Map<number, FileState>()
  map = new Map<string, Entry>()
  /** how to take back each batch that is not synced, oldest first */
  #undo: Array<Array<[string, Entry | undefined]>> = []
  steps = 0
  crashed = false
  /** the step at which the power goes */
  cutAt = Infinity
  /** told when the power goes at a step */
  onCut: () => void = () => undefined
  /** steps of these kinds fail with this number */
  failing = new Map<StepKind, string>()
  /** a sync reports success and does nothing */
  lyingSync = false
  readonly #choose: (n: number) => number

  constructor (private readonly init: DiskInit = {}) {
    this.#choose = init.choose ?? (() => 0)
  }

  /** Power comes back: everything unsynced is decided, the handles of before are dead. */
  restart (): SimDisk {
    const next = new SimDisk(this.init)
    next.map = this.#survivingMap()
    for (const [pack, file] of this.files) {
      if (!file.linked && this.#choose(2) === 0) continue
      const content = this.#survivor(file)
      next.files.set(pack, { durable: content.length, size: content.length, bytes: content, before: undefined, linked: true })
    }
    next.failing = new Map(this.failing)
    next.lyingSync = this.lyingSync
    this.crashed = true
    return next
  }

  #survivingMap (): Map<string, Entry> {
    const kept = this.#choose(this.#undo.length + 1)
    const out = new Map(this.map)
    for (const changes of this.#undo.slice(kept).reverse()) undo(out, changes)
    return out
  }

  #survivor (file: FileState): Uint8Array {
    const current = file.bytes.subarray(0, file.size)
    if (file.before !== undefined && this.#choose(2) === 0) return file.before.slice()
    const floor = Math.min(file.durable, file.size)
    const kept = floor + this.#choose(file.size - floor + 1)
    const out = current.slice(0, kept)
    if (this.#choose(3) === 0) out.fill(0, floor)
    return out
  }

  /** What would be there if the power went now and everything unsynced were lost. */
  durableMap (): Map<string, Entry> {
    const out = new Map(this.map)
    for (const changes of [...this.#undo].reverse()) undo(out, changes)
    return out
  }

  /** Whether `key` would be there if the power went now and everything unsynced were lost. */
  durably (key: Uint8Array): boolean {
    const text = toHex(key)
    for (const changes of this.#undo) for (const [k, before] of changes) if (k === text) return before !== undefined
    return this.map.has(text)
  }

  /** A copy, as a backup tool or a clone makes it: what the file system shows now. */
  copy (): SimDisk {
    const out = new SimDisk(this.init)
    out.map = new Map(this.map)
    for (const [pack, f] of this.files) out.files.set(pack, { durable: f.size, size: f.size, bytes: f.bytes.slice(0, f.size), before: undefined, linked: true })
    return out
  }

  /** Everything that is on `other`, in place of what is here; all of it durable. */
  take (other: SimDisk): void {
    const { map, files } = other.copy()
    this.map = map
    this.#undo = []
    this.files.clear()
    for (const [pack, file] of files) this.files.set(pack, file)
  }

  /** Returns whether the power goes during this step. */
  async #step (kind: StepKind, bytes = 0): Promise<boolean> {
    if (this.init.wait === undefined) await Promise.resolve()
    else await this.init.wait(kind, bytes)
    if (this.crashed) throw new PowerCut()
    const number = this.failing.get(kind)
    if (number !== undefined) throw new OsError(number)
    this.crashed = ++this.steps === this.cutAt
    return this.crashed
  }

  #cut (): never {
    this.onCut()
    throw new PowerCut()
  }

  readonly kv: Kv = {
    get: (key) => this.map.get(toHex(key))?.slice(),
    batch: async (ops, sync) => {
      if (ops.length === 0 && !sync) return
      if (await this.#step('batch', ops.length)) {
        // A batch that the power went in is there in whole or not at all (see the port).
        if (this.#choose(2) === 1) this.#undo.push(apply(this.map, ops))
        this.#cut()
      }
      const changes = apply(this.map, ops)
      if (sync && !this.lyingSync) this.#undo = []
      else this.#undo.push(changes)
    },
    entries: (gte, lt) => sorted(this.map, gte, lt),
    close: () => Promise.resolve()
  }

  readonly packs: Packs = {
    list: () => Promise.resolve([...this.files.keys()].sort((a, b) => a - b)),
    open: (pack) => Promise.resolve(this.files.has(pack) ? this.#log(pack) : undefined),
    create: async (pack) => {
      const cut = await this.#step('create')
      if (!this.files.has(pack)) this.files.set(pack, { durable: 0, size: 0, bytes: new Uint8Array(256), before: undefined, linked: !this.lyingSync && !cut })
      if (cut) this.#cut()
      return this.#log(pack)
    },
    remove: async (pack) => {
      const cut = await this.#step('remove')
      // A power cut in the middle leaves it, or not.
      if (!cut || this.#choose(2) === 1) this.files.delete(pack)
      if (cut) this.#cut()
    }
  }

  #log (pack: number): Log {
    const file = this.files.get(pack) as FileState
    return {
      get size () { return file.size },
      append: async (bytes) => {
        const cut = await this.#step('append', bytes.length)
        grow(file, bytes)
        if (cut) this.#cut()
      },
      read: (offset, length) => Promise.resolve(file.bytes.slice(Math.min(offset, file.size), Math.min(offset + length, file.size))),
      sync: async () => {
        const covered = file.size
        if (await this.#step('sync')) this.#cut()
        if (this.lyingSync) return
        file.durable = covered
        file.before = undefined
      },
      truncate: async (size) => {
        const cut = await this.#step('truncate')
        if (size < file.durable) file.before ??= file.bytes.slice(0, file.durable)
        file.size = Math.min(file.size, size)
        if (cut) this.#cut()
      },
      close: () => Promise.resolve()
    }
  }

  /** Changes one bit of a pack, as a bad disk would. */
  flip (pack: number, offset: number): void {
    const file = this.files.get(pack)
    if (file === undefined || offset >= file.size) throw new RangeError(`pack ${pack} has no byte ${offset}`)
    file.bytes[offset] = (file.bytes[offset] as number) ^ 1
  }
}

function grow (file: FileState, bytes: Uint8Array): void {
  const size = file.size + bytes.length
  if (size > file.bytes.length) {
    const larger = new Uint8Array(Math.max(size, 2 * file.bytes.length))
    larger.set(file.bytes.subarray(0, file.size))
    file.bytes = larger
  }
  file.bytes.set(bytes, file.size)
  file.size = size
}

function apply (map: Map<string, Entry>, ops: readonly KvOp[]): Array<[string, Entry | undefined]> {
  return ops.map((op) => {
    const key = toHex(op.key)
    const before = map.get(key)
    if (op.type === 'put') map.set(key, op.value)
    else map.delete(key)
    return [key, before]
  })
}

function undo (map: Map<string, Entry>, changes: ReadonlyArray<[string, Entry | undefined]>): void {
  for (const [key, before] of [...changes].reverse()) {
    if (before === undefined) map.delete(key)
    else map.set(key, before)
  }
}

async function * sorted (map: Map<string, Entry>, gte: Uint8Array, lt: Uint8Array): AsyncIterable<[Uint8Array, Uint8Array]> {
  const [from, to] = [toHex(gte), toHex(lt)]
  const all = [...map].filter(([key]) => key >= from && key < to)
  for (const [key, value] of all.sort(([a], [b]) => (a < b ? -1 : 1))) yield await Promise.resolve<[Uint8Array, Uint8Array]>([fromHex(key), value])
}
