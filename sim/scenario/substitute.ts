/** `{n}`, `{i}` and `{node}` in the texts of an entry that is written once and carried out often. */
import { child, isRecord, type Pointer, type Source } from './source.js'
import { oneOf, show } from './suggest.js'

/** What the placeholders stand for; one that is missing has no meaning at this place. */
export interface Placeholders {
  /** the repetition, from 1 */
  readonly n?: number
  /** the member of the group, from 1 */
  readonly i?: number
  readonly node?: string
}

const MEANING = { n: '`every` in the entry, whose repetitions it counts', i: 'a group, whose members it counts', node: '`node` in the entry, whose name it is' } as const
const PLACEHOLDER = /\{([A-Za-z]+)\}/g

/** Whether `value` holds text that differs from one repetition or member to the next. */
export function hasPlaceholders (value: unknown): boolean {
  if (typeof value === 'string') return value.search(PLACEHOLDER) >= 0
  if (Array.isArray(value)) return value.some(hasPlaceholders)
  return isRecord(value) && Object.values(value).some(hasPlaceholders)
}

/** A deep copy of the part of the file at `pointer` with placeholders replaced. Throws `bad-scenario` for one that is unknown or has no meaning here. */
export function substitute (source: Source, value: unknown, pointer: Pointer, placeholders: Placeholders): unknown {
  if (typeof value === 'string') {
    return value.replace(PLACEHOLDER, (_all, name: string) => {
      if (!(name in MEANING)) throw source.fault(pointer, `unknown placeholder {${name}} in ${show(value)}`, oneOf(name, Object.keys(MEANING)))
      const replacement = placeholders[name as keyof Placeholders]
      if (replacement === undefined) throw source.fault(pointer, `{${name}} in ${show(value)} stands for nothing here`, MEANING[name as keyof typeof MEANING])
      return String(replacement)
    })
  }
  if (Array.isArray(value)) return value.map((item, i) => substitute(source, item, child(pointer, i), placeholders))
  if (!isRecord(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, substitute(source, item, child(pointer, name), placeholders)]))
}
