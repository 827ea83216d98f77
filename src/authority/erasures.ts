/** What was erased, and by which record: for whoever asks for a name that is gone. Source: RULES R7. */
import { KIND } from '../publication/leaf.js'
import { showName } from '../publication/names.js'
import type { Reference } from '../substrate/reference.js'
import { eraseLeaves, type ViewedLane } from './domain-view.js'
import type { DomainKnowledge } from './knowledge.js'
import { nameOf, readRecord } from './lane-reach.js'

/** A record's place in the lane that holds it. */
export interface Placed { readonly v: ViewedLane, readonly index: number }

export interface Erasure extends Placed {
  /** what it published; undefined where its body isn't held: that goes with the erasure, and nobody can tell any more */
  readonly name: string | undefined
  /** the erase leaves that name it */
  readonly by: readonly Placed[]
}

const NAMING: ReadonlySet<number> = new Set([KIND.publish, KIND.lift])

/** The erased records that published something, by lane and index; proposals of the owner's too. */
export function erasedRecords (k: DomainKnowledge): Erasure[] {
  const { lanes, erased } = k.viewAll()
  const out: Erasure[] = []
  if (erased.size === 0) return out
  const by = erasersOf(lanes)
  for (const at of erased) {
    const [ref, text] = at.split('/') as [Reference, string]
    const index = Number(text)
    const v = lanes.get(ref)
    const record = v === undefined ? undefined : readRecord(v, index)
    if (v !== undefined && record !== undefined && NAMING.has(record.leaf.kind)) out.push({ v, index, name: nameOf(record), by: by.get(at) ?? [] })
  }
  return out
}

function erasersOf (lanes: ReadonlyMap<Reference, ViewedLane>): Map<string, Placed[]> {
  const out = new Map<string, Placed[]>()
  for (const { by, at, lane, index } of eraseLeaves(lanes, (v) => Math.min(v.exported, v.judged.length))) {
    const target = `${lane}/${index}`
    out.set(target, [...out.get(target) ?? [], { v: by, index: at }])
  }
  return out
}

export interface ErasedName {
  /** the erased records that published the name, or what stood above it */
  readonly records: readonly Erasure[]
  /** where none is known to have: erased records of which nobody can tell what they published */
  readonly nameless: readonly Erasure[]
}

/** Of a name that nothing publishes. `name`: a path; what stood above it, e.g. `a` for `a/b`, counts too. */
export function erasedUnder (k: DomainKnowledge, name: string): ErasedName {
  const all = erasedRecords(k)
  const records = all.filter((e) => e.name !== undefined && (e.name === name || name.startsWith(`${e.name}/`)))
  return { records, nameless: records.length > 0 ? [] : all.filter((e) => e.name === undefined) }
}

const placeInWords = ({ v, index }: Placed): string => `record ${index} of the lane ${v.knowledge.ref.slice(0, 16)}…`

/** One line each: which record published it, and which one erased that. */
export function erasureInWords ({ name, by, ...at }: Erasure): string {
  return `${placeInWords(at)}, which published ${name === undefined ? 'something' : showName(name)}, was erased${by[0] === undefined ? '' : ` by ${placeInWords(by[0])}`}`
}

/** A caveat to "no record of this name"; undefined where there is none. */
export function namelessInWords ({ nameless }: ErasedName): string | undefined {
  if (nameless.length === 0) return undefined
  return `${nameless.length === 1 ? 'a record was erased' : `${nameless.length} records were erased`}, and what ${nameless.length === 1 ? 'it' : 'they'} published is forgotten with ${nameless.length === 1 ? 'it' : 'them'}: this name may have been ${nameless.length === 1 ? 'it' : 'among them'}`
}
