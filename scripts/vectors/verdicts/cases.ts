/** How the files of verdict vectors are put together: what a case is, and how it becomes JSON. What it must give is always written by hand. */
import { readVector, type Vector } from '../../../src/authority/conformance/vector.js'
import { judgeVector } from '../../../src/authority/conformance/judge.js'
import { VERDICT_CODES, type VerdictCode } from '../../../src/authority/verdict.js'
import { encodeLeaf } from '../../../src/publication/leaf.js'
import { type Artifact, encodeArtifact } from '../../../src/substrate/artifact.js'
import { concatBytes, toHex } from '../../../src/substrate/bytes.js'
import type { Reference } from '../../../src/substrate/reference.js'
import type { Item, TestDomain } from '../../../test/helpers/authority-fixtures.js'
import type { MadeHead, TestLane } from '../../../test/helpers/lanes.js'

/** Bytes as they are offered; `as` = the reference that they come under. */
export interface RawBytes { readonly hex: string, readonly as?: Reference }
/** The same by its parts, where many artifacts have one payload. */
export interface Parts { readonly tag: number, readonly payload: Uint8Array }

/** A lane's leaves up to a head; which of its bodies are held (default: all). */
export interface LogOf { readonly lane: TestLane, readonly head: MadeHead, readonly bodies?: (index: number) => boolean, /** shown leaves instead of the true ones */ readonly leaves?: Uint8Array }

/** What is held when the subject is judged. */
export interface Held {
  readonly domain?: Reference
  readonly items: ReadonlyArray<Item | RawBytes | Parts>
  readonly logs?: readonly LogOf[]
}

export type Subject = { shape: number } | { offer: number } | { log: number } | { reference: Reference } | { lane: Reference, index: number } | { name: string } | { domain: true } |
  { request: string, signature?: string } | { admission: true } | { admitted: string }

export interface Case {
  /** the code that the case is about */
  readonly about: VerdictCode
  readonly name: string
  readonly held: Held
  /** what is held of another domain */
  readonly other?: Held
  readonly nonces?: Readonly<Record<string, Reference | null>>
  readonly subject: Subject
  readonly gives: VerdictCode
  /** of the subject `admission`: names that enter, and the code of each that doesn't */
  readonly names?: readonly string[]
  readonly refused?: Readonly<Record<string, VerdictCode>>
  readonly rule?: string
  readonly comment?: string
}

/** Everything a domain made, but for what `drop` says. */
export function heldOf (d: TestDomain, drop: (item: Item) => boolean = () => false): Held {
  return { domain: d.domain, items: d.items.filter((i) => !drop(i)) }
}

/** The Lane, its heads (all that are given) and the log up to the last of them. */
export function withLane (held: Held, lane: TestLane, heads: readonly MadeHead[], bodies?: (index: number) => boolean): Held {
  const last = heads.at(-1)
  const items = [...held.items, lane.item, ...heads.flatMap((h) => [h.snapshot, h.signature])]
  return { ...held, items, logs: [...held.logs ?? [], ...(last === undefined ? [] : [{ lane, head: last, ...(bodies === undefined ? {} : { bodies }) }])] }
}

export function withItems (held: Held, ...items: ReadonlyArray<Item | RawBytes>): Held {
  return { ...held, items: [...held.items, ...items] }
}

export const bytesOf = (artifact: Artifact): string => toHex(encodeArtifact(artifact))

/** A reference that is one bit off. */
export function near (ref: Reference): Reference {
  return `${ref.slice(0, -1)}${(parseInt(ref.slice(-1), 16) ^ 1).toString(16)}` as Reference
}

function plainLog ({ lane, head, bodies, leaves }: LogOf): object {
  const shown = lane.leaves.slice(0, head.size)
  return {
    head: head.ref,
    leaves: toHex(leaves ?? concatBytes(...shown.map((l) => encodeLeaf(l.leaf)))),
    bodies: shown.map((l, i) => l.body === undefined || bodies?.(i) === false ? '' : toHex(l.body))
  }
}

function plainItem (i: Item | RawBytes | Parts): unknown {
  if ('artifact' in i) return bytesOf(i.artifact)
  if ('tag' in i) return { tag: `0x${i.tag.toString(16).padStart(8, '0')}`, payload: toHex(i.payload) }
  return i.as === undefined ? i.hex : { reference: i.as, bytes: i.hex }
}

function plainHeld (held: Held): Record<string, unknown> {
  return {
    ...(held.domain === undefined ? {} : { domain: held.domain }),
    artifacts: held.items.map(plainItem),
    ...(held.logs === undefined ? {} : { logs: held.logs.map(plainLog) })
  }
}

function plainCase (c: Case): Record<string, unknown> {
  return {
    name: c.name,
    rule: c.rule ?? VERDICT_CODES.get(c.about)?.rule,
    code: c.about,
    ...(c.comment === undefined ? {} : { comment: c.comment }),
    ...plainHeld(c.held),
    ...(c.other === undefined ? {} : { other: plainHeld(c.other) }),
    ...(c.nonces === undefined ? {} : { nonces: c.nonces }),
    subject: c.subject,
    expect: { status: VERDICT_CODES.get(c.gives)?.status, code: c.gives, ...(c.names === undefined ? {} : { names: c.names, refused: c.refused ?? {} }) }
  }
}

/** The subjects whose vectors also say which view the held set gives. */
const VIEWED: ReadonlySet<Vector['subject']['kind']> = new Set(['reference', 'record', 'name', 'domain', 'admission', 'admitted'])

/** Texts and whole lists that several vectors hold become parts; short ones aren't worth it. */
function shareParts (vectors: readonly Record<string, unknown>[]): { parts: Record<string, unknown>, vectors: unknown[] } {
  const fields = ['artifacts', 'logs']
  /** What holds those lists: a vector, and what it holds of another domain. */
  const holders = (v: Record<string, unknown>): Array<Record<string, unknown>> => [v, ...v['other'] === undefined ? [] : [v['other'] as Record<string, unknown>]]
  const times = new Map<string, number>()
  const count = (value: unknown): void => {
    if (typeof value === 'string') times.set(value, (times.get(value) ?? 0) + 1)
    else if (typeof value === 'object' && value !== null) for (const v of Object.values(value)) count(v)
  }
  for (const v of vectors) for (const h of holders(v)) count(fields.map((f) => h[f]))
  const names = new Map<string, string>()
  for (const [hex, n] of times) if (n > 1 && hex.length > 80) names.set(hex, String(names.size + 1))
  const replace = (value: unknown): unknown => {
    if (typeof value === 'string') return names.has(value) ? `@${names.get(value) as string}` : value
    if (Array.isArray(value)) return value.map(replace)
    if (typeof value === 'object' && value !== null) return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, replace(v)]))
    return value
  }
  const shorten = (h: Record<string, unknown>): Record<string, unknown> => ({ ...h, ...Object.fromEntries(fields.filter((f) => h[f] !== undefined).map((f) => [f, replace(h[f])])) })
  const short = vectors.map((v) => ({ ...shorten(v), ...(v['other'] === undefined ? {} : { other: shorten(v['other'] as Record<string, unknown>) }) }))
  const parts: Record<string, unknown> = Object.fromEntries([...names].map(([hex, name]) => [name, hex]))
  // Whole lists, too: most vectors of a file stand in a few worlds.
  const lists = new Map<string, number>()
  const every = short.flatMap((v) => holders(v))
  for (const h of every) for (const field of fields) if (h[field] !== undefined) lists.set(JSON.stringify(h[field]), (lists.get(JSON.stringify(h[field])) ?? 0) + 1)
  const listNames = new Map([...lists].filter(([text, n]) => n > 1 && text.length > 40).map(([text], i) => [text, `list ${i + 1}`]))
  for (const [text, name] of listNames) parts[name] = JSON.parse(text)
  for (const h of every) {
    for (const field of fields) {
      const name = listNames.get(JSON.stringify(h[field]) ?? '')
      if (name !== undefined) h[field] = `@${name}`
    }
  }
  return { parts, vectors: short }
}

/** A file of vectors, one a line. View digests are what this program computes: they pin it, and whoever computes others has found a difference. */
export function documentOf (note: string, cases: readonly Case[]): string {
  const plain = cases.map((c) => {
    const made = plainCase(c)
    const vector = readVector(made)
    const { view } = VIEWED.has(vector.subject.kind) ? judgeVector(vector) : {}
    return view === undefined ? made : { ...made, expect: { ...made['expect'] as object, view } }
  })
  const { parts, vectors } = shareParts(plain)
  const lines = (entries: readonly string[]): string => entries.map((e) => `    ${e}`).join(',\n')
  return `{
  "format": "diad-verdicts/1",
  "note": ${JSON.stringify(note)},
  "parts": {
${lines(Object.entries(parts).map(([name, part]) => `${JSON.stringify(name)}: ${JSON.stringify(part)}`))}
  },
  "vectors": [
${lines(vectors.map((v) => JSON.stringify(v)))}
  ]
}
`
}
