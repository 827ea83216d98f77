/**
 * The text of a scenario to plain data that knows where each value stands. YAML 1.2 as JSON would have it: maps have text keys, no key twice, no tags,
 * no merge keys. A scenario comes from outside, so its size, depth, and what its aliases grow into are bounded.
 */
import { isAlias, isCollection, isMap, isScalar, isSeq, LineCounter, parseDocument, type Document, type Node, type YAMLError } from 'yaml'
import { DiadError } from '../../src/substrate/errors.js'
import { harmless, show } from './suggest.js'

const LIMITS = {
  /** the greatest of our own scenarios has 3 kB; the parser takes up to 4 s for the worst megabyte */
  bytes: 1_000_000,
  depth: 32,
  /** mistakes that are told at once */
  faults: 50,
  /** values that stand in the data because an alias repeated them */
  aliased: 10_000
} as const

const CODE = 'bad-scenario'
const DEFAULT_HINT = 'the format is explained in docs/sim-scenarios.md'
/** for the name of a plug-in that isn't there */
export const OWN_HINT = 'a plug-in of your own is loaded with --plugin FILE; ' + DEFAULT_HINT

/** JSON pointer into the data, '' = all of it. */
export type Pointer = string

export class Source {
  data: unknown
  private readonly places = new Map<Pointer, { readonly key: number, readonly value: number }>()
  private readonly anchors = new Map<string, Node>()
  private readonly lines = new LineCounter()
  private aliased = 0
  private readonly offsets = new WeakMap<DiadError, number>()
  private readonly found = new Map<DiadError, number>()

  /** Throws `bad-scenario` when the text isn't YAML as above. */
  constructor (private readonly text: string, readonly file: string) {
    if (Buffer.byteLength(text) > LIMITS.bytes) throw this.faultAt(0, 'the file is greater than 1 MB', 'a smaller one: `count` and `every` say much in one line')
    const document = this.parse()
    if (document.contents === null) throw this.faultAt(0, 'the file is empty', 'a map with name, shows, duration, domains and nodes')
    this.data = this.value(document.contents, '', undefined, 0, false)
  }

  /** The error for what stands at `pointer`, or, where that isn't in the file, for the nearest thing around it. */
  fault (pointer: Pointer, what: string, expected: string, options: { readonly key?: boolean, readonly hint?: string } = {}): DiadError {
    const place = this.place(pointer)
    return this.faultAt(options.key === true ? place.key : place.value, what, expected, options.hint)
  }

  /** What `work` returns; undefined where something in the file is wrong, which is told with the rest by {@link tell}. */
  attempt<T> (work: () => T): T | undefined {
    try {
      return work()
    } catch (err) {
      if (!(err instanceof DiadError) || err.code !== CODE) throw err
      if (!this.found.has(err)) this.found.set(err, this.offsets.get(err) ?? 0)
      if (this.found.size >= LIMITS.faults) this.tell()
      return undefined
    }
  }

  /** Whether anything wrong was found. */
  get faulty (): boolean {
    return this.found.size > 0
  }

  /** Throws all that was found wrong as one error, in the order of the file. */
  tell (): void {
    const [first, ...others] = [...this.found].sort(([, a], [, b]) => a - b).map(([err]) => err)
    if (first === undefined) return
    const more = [...new Set(others.map((err) => err.message))].filter((message) => message !== first.message)
    throw new DiadError(CODE, first.message, first.hint, { cause: first, more })
  }

  /** The line of the value at `pointer`, from 1. */
  line (pointer: Pointer): number {
    return this.lines.linePos(this.place(pointer).value).line
  }

  private place (pointer: Pointer): { readonly key: number, readonly value: number } {
    for (let p = pointer; ; p = p.slice(0, p.lastIndexOf('/'))) {
      const place = this.places.get(p)
      if (place !== undefined) return place
      if (p === '') return { key: 0, value: 0 }
    }
  }

  private faultAt (offset: number, what: string, expected: string, hint = DEFAULT_HINT): DiadError {
    const { line, col } = this.text === '' || offset === 0 ? { line: 1, col: 1 } : this.lines.linePos(offset)
    const error = new DiadError(CODE, `${this.file}:${line}:${col}: ${what}; expected ${expected}`, hint)
    this.offsets.set(error, offset)
    return error
  }

  private parse (): Document.Parsed {
    let document: Document.Parsed
    try {
      // Its own check for keys that stand twice takes the square of their number; ours is below.
      document = parseDocument(this.text, { lineCounter: this.lines, uniqueKeys: false, prettyErrors: false, version: '1.2', schema: 'core', logLevel: 'silent' })
    } catch (cause) {
      if (!(cause instanceof RangeError)) throw cause
      throw this.faultAt(0, 'the file is nested too deep to be read', `at most ${LIMITS.depth} levels`)
    }
    const problem: YAMLError | undefined = document.errors[0] ?? document.warnings[0]
    if (problem === undefined) return document
    // The parser says it of itself where it gives up in time.
    if (/call stack/.test(problem.message)) throw this.faultAt(problem.pos[0], 'the file is nested too deep to be read', `at most ${LIMITS.depth} levels`)
    throw this.faultAt(problem.pos[0], `this is not YAML: ${harmless(problem.message)}`, 'YAML 1.2')
  }

  private value (node: Node, pointer: Pointer, key: number | undefined, depth: number, aliased: boolean): unknown {
    const offset = node.range?.[0] ?? 0
    this.places.set(pointer, { key: key ?? offset, value: offset })
    if (aliased && ++this.aliased > LIMITS.aliased) throw this.faultAt(offset, `its aliases repeat more than ${LIMITS.aliased} values`, 'fewer')
    if (depth > LIMITS.depth) throw this.faultAt(offset, 'it is nested too deep', `at most ${LIMITS.depth} levels`)
    if (isAlias(node)) {
      const target = this.anchors.get(node.source)
      if (target === undefined) throw this.faultAt(offset, `no anchor ${show(node.source)} is complete before this place`, `&${node.source} on an earlier value`)
      const value = this.value(target, pointer, key ?? offset, depth + 1, true)
      this.places.set(pointer, { key: key ?? offset, value: offset })
      return value
    }
    if (node.tag !== undefined) throw this.faultAt(offset, `the tag ${show(node.tag)} means nothing here`, 'a plain value')
    const value = this.content(node, pointer, depth, aliased)
    if ((isScalar(node) || isCollection(node)) && node.anchor !== undefined) this.anchors.set(node.anchor, node)
    return value
  }

  private content (node: Node, pointer: Pointer, depth: number, aliased: boolean): unknown {
    if (isScalar(node)) return node.value
    if (isSeq<Node>(node)) return node.items.map((item, i) => this.value(item, `${pointer}/${i}`, undefined, depth + 1, aliased))
    if (!isMap<Node, Node | null>(node)) return undefined
    const map: Record<string, unknown> = {}
    const seen = new Set<string>()
    for (const pair of node.items) {
      const offset = pair.key.range?.[0] ?? node.range?.[0] ?? 0
      const name = isScalar(pair.key) ? pair.key.value : undefined
      if (typeof name !== 'string') {
        throw this.faultAt(offset, `the name of an entry is text, and this is ${isScalar(pair.key) ? show(name) : 'none'}`, 'a name such as home, or quotes around it')
      }
      if (seen.has(name)) throw this.faultAt(offset, `${show(name)} stands here twice`, 'each name once in a map')
      if (name === '__proto__') throw this.faultAt(offset, `${show(name)} can't be a name`, 'another one')
      seen.add(name)
      const at = child(pointer, name)
      if (pair.value === null) {
        this.places.set(at, { key: offset, value: offset })
        map[name] = null
      } else {
        map[name] = this.value(pair.value, at, offset, depth + 1, aliased)
      }
    }
    return map
  }
}

/** The pointer to `name` within what `pointer` points to. */
export function child (pointer: Pointer, name: string | number): Pointer {
  return `${pointer}/${String(name).replaceAll('~', '~0').replaceAll('/', '~1')}`
}

/** Whether `value` is a map of the file. */
export function isRecord (value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
