/** Arguments of plug-ins in plain words, for the trace, for violations and for the report. Equal arguments give equal words on every machine. */
import { showName } from '../../src/publication/names.js'
import { showQuantity, type Unit } from './quantity.js'

const MOST_NAMED = 8
/** characters; a scenario may hold a map of thousands */
const MOST_SAID = 300
const PLAIN = /^[\p{L}\p{N}][\p{L}\p{N}._/-]*$/u

/** A name as it stands in the file, or quoted with escapes where it could be taken for something else. */
export function sayName (name: string): string {
  return name.length <= 80 && PLAIN.test(name) ? name : showName(name)
}

/** `home, bob, crowd-1 to crowd-6 and 3 more`: members of one group that follow one another are told by the first and the last. */
export function sayNames (names: readonly string[]): string {
  const parts: Array<{ text: string, count: number }> = []
  for (let i = 0; i < names.length;) {
    const end = endOfRun(names, i)
    const [first, last] = [names[i] ?? '', names[end - 1] ?? '']
    const joined = end - i > 2
    parts.push({ text: joined ? `${sayName(first)} to ${sayName(last)}` : sayName(first), count: joined ? end - i : 1 })
    i += joined ? end - i : 1
  }
  const shown = parts.slice(0, MOST_NAMED).map((part) => part.text).join(', ')
  const more = parts.slice(MOST_NAMED).reduce((sum, part) => sum + part.count, 0)
  return more > 0 ? `${shown} and ${more} more` : shown
}

/** Index behind the last of the names that count up from the one at `start`: crowd-1, crowd-2, … */
function endOfRun (names: readonly string[], start: number): number {
  const [, stem, number] = /^(.*-)([1-9][0-9]{0,8})$/.exec(names[start] ?? '') ?? []
  let end = start + 1
  if (stem !== undefined) while (names[end] === `${stem}${Number(number) + end - start}`) end++
  return end
}

/** `100 kB`, as a scenario would say it. */
export function saySize (bytes: number): string {
  return bytes === 0 ? '0 B' : showQuantity('bytes', bytes).replace(/(?<=\d)(?=[a-z])/i, ' ')
}

/** Bounds of a figure; both are whole numbers of its unit. */
export interface Bounds { readonly min?: number, readonly max?: number }

/** `at least 3`, `at most 5m`, `3 to 11`, `11`. */
export function sayBounds ({ min, max }: Bounds, unit?: Unit): string {
  const say = (value: number): string => unit === undefined ? String(value) : showQuantity(unit, value)
  if (min !== undefined && max !== undefined) return min === max ? say(min) : `${say(min)} to ${say(max)}`
  return min !== undefined ? `at least ${say(min)}` : max !== undefined ? `at most ${say(max)}` : 'any'
}

/** What is said of a plug-in that has no words of its own: `flicker link: home, times: 3`. */
export function sayArgs (name: string, args: unknown): string {
  const text = `${name} ${value(args, 0)}`.trim()
  return text.length > MOST_SAID ? `${text.slice(0, MOST_SAID).toWellFormed()}…` : text
}

function value (data: unknown, depth: number): string {
  if (typeof data === 'string') return sayName(data)
  if (typeof data !== 'object' || data === null) return String(data)
  if (depth > 8) return '…'
  if (Array.isArray(data)) return data.every((item) => typeof item === 'string') ? sayNames(data) : data.map((item) => `[${value(item, depth + 1)}]`).join(' ')
  const inner = Object.entries(data).map(([key, item]) => `${sayName(key)}: ${value(item, depth + 1)}`).join(', ')
  return depth === 0 ? inner : `(${inner})`
}
