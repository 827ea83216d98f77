/**
 * Quantities as people write them, to whole numbers and back. What isn't a whole number of the smallest unit is refused, not rounded: the run must not
 * depend on how a machine rounds.
 */

/** time → µs, bytes → B, rate → B/s, ppm → parts per million, milli → thousandths. */
export type Unit = 'time' | 'bytes' | 'rate' | 'ppm' | 'milli'

const BYTES: ReadonlyArray<readonly [string, bigint]> = [
  ['B', 1n], ['kB', 1_000n], ['MB', 1_000_000n], ['GB', 1_000_000_000n], ['KiB', 1024n], ['MiB', 1024n ** 2n], ['GiB', 1024n ** 3n]
]

interface Row {
  readonly factors: ReadonlyMap<string, bigint>
  readonly expected: string
  readonly smallest: string
  /** for editors */
  readonly pattern: string
}

const NUMBER = '[0-9]+(\\.[0-9]+)?'

export const UNITS: Readonly<Record<Unit, Row>> = {
  time: {
    factors: new Map([['d', 86_400_000_000n], ['h', 3_600_000_000n], ['m', 60_000_000n], ['s', 1_000_000n], ['ms', 1_000n], ['us', 1n], ['µs', 1n]]),
    expected: 'a time such as 40ms, 1.5s, 10m, 2h or 3d12h',
    smallest: 'microseconds',
    pattern: `^(0|(${NUMBER}(us|µs|ms|s|m|h|d))+)$`
  },
  bytes: {
    factors: new Map([['', 1n], ...BYTES]),
    expected: 'a size such as 100, 10kB, 4KiB or 5MB',
    smallest: 'bytes',
    pattern: `^${NUMBER} ?(B|kB|MB|GB|KiB|MiB|GiB)?$`
  },
  rate: {
    factors: new Map(BYTES.map(([unit, factor]) => [`${unit}/s`, factor])),
    expected: 'a rate such as 100B/s, 64kB/s or 10MB/s',
    smallest: 'bytes a second',
    pattern: `^(0|${NUMBER} ?(B|kB|MB|GB|KiB|MiB|GiB)/s)$`
  },
  ppm: {
    factors: new Map([['%', 10_000n], ['ppm', 1n]]),
    expected: 'a share such as 1%, 0.5% or 20ppm',
    smallest: 'parts per million',
    pattern: `^(0|${NUMBER} ?(%|ppm))$`
  },
  milli: {
    factors: new Map([['', 1_000n]]),
    expected: 'a number with at most three decimals, such as 12 or 1.5',
    smallest: 'thousandths',
    pattern: `^${NUMBER}$`
  }
}

const PART = /([0-9]+)(?:\.([0-9]+))? ?([a-zA-Zµ%/]*)/y

/** The whole number, or what is wrong with `value`. */
export function parseQuantity (unit: Unit, value: unknown): number | string {
  const { factors, smallest } = UNITS[unit]
  // 0 is 0 in every unit; another bare number has a meaning only where the unit may be left out.
  if (value === 0) return 0
  if (typeof value !== 'number' && typeof value !== 'string') return 'it is not a quantity'
  const text = String(value).trim()
  if (text === '0') return 0
  if (text.length > 40) return 'it is too long'
  if (/^-/.test(text)) return 'it is negative'
  let total = 0n
  let above: bigint | undefined
  PART.lastIndex = 0
  for (let at = 0; at < text.length; at = PART.lastIndex) {
    const [all, whole, decimals = '', name = ''] = PART.exec(text) ?? []
    if (all === undefined || whole === undefined) return 'it is not a number with a unit'
    const factor = factors.get(name)
    if (factor === undefined) return name === '' ? 'it has no unit' : `there is no unit "${name}" here`
    // Several parts only where each is smaller than the one before: 3d12h, not 12h3d and not 5MB3kB.
    if (above !== undefined && (unit !== 'time' || factor >= above)) return 'its parts are out of order'
    const scale = 10n ** BigInt(decimals.length)
    const scaled = BigInt(whole + decimals) * factor
    if (scaled % scale !== 0n) return `it is not a whole number of ${smallest}`
    total += scaled / scale
    above = factor
  }
  if (above === undefined) return 'it is empty'
  return total > BigInt(Number.MAX_SAFE_INTEGER) ? 'it is too great' : Number(total)
}

/** A whole number as a person would write it: 300000000 µs → `5m`, 90000000 → `1m30s`. */
export function showQuantity (unit: Unit, value: number): string {
  if (value === 0) return '0'
  if (unit === 'time') {
    let rest = value
    let out = ''
    for (const [name, factor] of UNITS.time.factors) {
      const n = Math.floor(rest / Number(factor))
      if (n > 0 && name !== 'µs') out += `${n}${name}`
      rest -= n * Number(factor)
    }
    return out
  }
  if (unit === 'ppm') return value % 10_000 === 0 ? `${value / 10_000}%` : `${value}ppm`
  if (unit === 'milli') return String(value / 1000)
  const [name, factor] = BYTES.slice(0, 4).findLast(([, f]) => value % Number(f) === 0)!
  return `${value / Number(factor)}${name}${unit === 'rate' ? '/s' : ''}`
}
