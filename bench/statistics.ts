/** Medians, and a figure held against its floor. */
import { cpus } from 'node:os'

export function median (values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** A speed beside the one that the machine gave for the bare work in the same rounds; bytes a second. */
export interface Against {
  readonly speed: number
  readonly floor: number
  /** the median of the rounds' ratios, each of two neighbours in time: what else the machine did was done to both, more or less */
  readonly ratio: number
  readonly target: number
  readonly met: boolean
  /** every round: ms of the floor, of the whole command, and of the same command with almost nothing to do */
  readonly rounds: readonly Round[]
}

export interface Round {
  readonly floorMs: number
  readonly wholeMs: number
  readonly idleMs: number
}

/** What the command takes for one byte (Node.js starting, the store, a signature, greeting the peer) is taken off: it doesn't grow with the directory. */
export function against (bytes: number, rounds: readonly Round[], target: number): Against {
  const idle = median(rounds.map((r) => r.idleMs))
  const net = rounds.map((r) => r.wholeMs - idle)
  const ratio = median(rounds.map((r, i) => r.floorMs / net[i]!))
  return { speed: bytes / median(net) * 1000, floor: bytes / median(rounds.map((r) => r.floorMs)) * 1000, ratio, target, met: ratio >= target, rounds }
}

/** The share of all cores' time that went to anything in the next `ms`, 0 to 1; asked while the bench itself does nothing. */
export async function busy (ms = 500): Promise<number> {
  const sample = (): [used: number, all: number] => {
    let used = 0
    let all = 0
    for (const { times } of cpus()) {
      const sum = times.user + times.nice + times.sys + times.irq + times.idle
      all += sum
      used += sum - times.idle
    }
    return [used, all]
  }
  const [used, all] = sample()
  await new Promise((resolve) => setTimeout(resolve, ms))
  const [usedNow, allNow] = sample()
  return allNow > all ? (usedNow - used) / (allNow - all) : 0
}
