/** The part of a node that outlives its process: disk, keys, and what is lost at a reboot. */
import type { Markers } from '../../src/federation/engine.js'
import type { Hash, Reference } from '../../src/substrate/reference.js'
import type { Signer } from '../../src/substrate/signature.js'
import type { Micros } from '../trace.js'
import type { Clock } from './clock.js'
import { SimDisk, type StepKind } from './disk.js'
import type { Random } from './random.js'

/** What a good SSD needs for one barrier; everything else stays in the cache of the operating system. */
const SYNC: Micros = 1_000

/** A copy of somebody else's keys, as they were when they were stolen. */
export interface Loot {
  readonly kind: 'principal' | 'root-key' | 'roots'
  /** name of the domain */
  readonly domain: string
  /** of the principal, or which of the cold keys it is */
  readonly name: string
  readonly signers: readonly Signer[]
}

export class Machine {
  disk: SimDisk
  /** RULES L4: lives in memory, so a reboot voids it, and a copy of the disk doesn't have it */
  private memory = new Map<Reference, { size: number, root: Hash }>()
  /** principal name → its key */
  readonly keys = new Map<string, Signer>()
  /** of adversaries: what was stolen for them */
  readonly loot: Loot[] = []
  /** each step of a slow disk takes this much longer */
  slow: Micros = 0
  private readonly backups = new Map<string, SimDisk>()

  constructor (private readonly clock: Clock, random: Random) {
    const wait = async (kind: StepKind): Promise<void> => {
      const takes = (kind === 'batch' || kind === 'sync' ? SYNC : 0) + this.slow
      if (takes > 0) await this.clock.sleep(takes)
    }
    this.disk = new SimDisk({ choose: (n) => random.below(n), wait })
  }

  readonly markers: Markers = {
    mayContinue: (lane, head) => {
      const marker = this.memory.get(lane)
      return marker !== undefined && marker.size === head.size && marker.root === head.root
    },
    write: (lane, head) => { this.memory.set(lane, head) }
  }

  /** The power was cut: what was not synced is decided by chance, memory is gone. */
  reboot (): void {
    this.disk = this.disk.restart()
    this.memory = new Map()
  }

  backup (name: string): void {
    this.backups.set(name, this.disk.copy())
  }

  hasBackup (name: string): boolean {
    return this.backups.has(name)
  }

  /** In place: the machine goes on running, so its memory stays, and differs from what the disk says now. */
  restore (name: string): void {
    const saved = this.backups.get(name)
    if (saved === undefined) throw new RangeError(`there is no backup "${name}"`)
    this.disk = saved.copy()
  }

  /** Another machine's disk, as it is now, with the keys on it. */
  cloneFrom (other: Machine): void {
    this.disk = other.disk.copy()
    this.memory = new Map()
    for (const [name, key] of other.keys) this.keys.set(name, key)
  }
}
