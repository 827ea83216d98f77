/**
 * A small YAML file as plain data that knows on which line each value stands. No anchors, aliases, tags or merge keys, and no name twice in a map: what
 * a person reads is what it says.
 */
import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml'
import { DiadError } from '../../substrate/errors.js'

/** A commented policy has 2 kB; the parser takes seconds for the worst megabyte. */
const MAX_BYTES = 64 * 1024
const MAX_DEPTH = 8

export interface Place { readonly line: number, readonly column: number }

export class LocatedYaml {
  readonly data: unknown
  /** offsets by JSON pointer; '' = the whole file */
  private readonly values = new Map<string, number>()
  private readonly keys = new Map<string, number>()
  private readonly lines = new LineCounter()

  /** `file` = what errors call it, `code` = theirs. Throws DiadError `code`, `FILE:LINE:COLUMN: what; expected …`. */
  constructor (text: string, private readonly file: string, private readonly code: string, private readonly hint: string) {
    if (Buffer.byteLength(text) > MAX_BYTES) throw this.failure(0, `the file is greater than ${MAX_BYTES / 1024} KiB`, 'a small one')
    let document
    try {
      // Its own check for names that stand twice takes the square of their number; ours is below.
      document = parseDocument(text, { lineCounter: this.lines, uniqueKeys: false, prettyErrors: false, version: '1.2', schema: 'core', logLevel: 'silent' })
    } catch (cause) {
      if (!(cause instanceof RangeError)) throw cause
      throw this.failure(0, 'the file is nested too deep to be read', `at most ${MAX_DEPTH} levels`)
    }
    const problem = document.errors[0] ?? document.warnings[0]
    if (problem !== undefined) throw this.failure(problem.pos[0], `this is not YAML: ${problem.message}`, 'YAML 1.2')
    this.data = document.contents === null ? null : this.read(document.contents, '', 0)
  }

  /** The error for what stands at `pointer`, or for its name; where that isn't in the file, for the nearest thing around it. */
  fault (pointer: string, what: string, expected: string, atName = false): DiadError {
    let at = pointer
    while (at !== '' && !this.values.has(at)) at = at.slice(0, at.lastIndexOf('/'))
    return this.failure((atName ? this.keys.get(at) : undefined) ?? this.values.get(at) ?? 0, what, expected)
  }

  /** Where the value at `pointer` stands, from 1; undefined when it isn't in the file. */
  place (pointer: string): Place | undefined {
    const offset = this.values.get(pointer)
    return offset === undefined ? undefined : this.placeAt(offset)
  }

  private placeAt (offset: number): Place {
    const { line, col } = offset === 0 ? { line: 1, col: 1 } : this.lines.linePos(offset)
    return { line, column: col }
  }

  private failure (offset: number, what: string, expected: string): DiadError {
    const { line, column } = this.placeAt(offset)
    return new DiadError(this.code, `${this.file}:${line}:${column}: ${what}; expected ${expected}`, this.hint)
  }

  private read (node: Node, pointer: string, depth: number): unknown {
    const offset = node.range?.[0] ?? 0
    this.values.set(pointer, offset)
    if (depth > MAX_DEPTH) throw this.failure(offset, 'it is nested too deep', `at most ${MAX_DEPTH} levels`)
    if (!isScalar(node) && !isSeq<Node>(node) && !isMap<Node, Node | null>(node)) throw this.failure(offset, 'an alias stands here', 'the value itself')
    if (node.tag !== undefined || node.anchor !== undefined) throw this.failure(offset, 'tags and anchors mean nothing here', 'a plain value')
    if (isScalar(node)) return node.value
    if (isSeq<Node>(node)) return node.items.map((item, i) => this.read(item, `${pointer}/${i}`, depth + 1))
    const out: Record<string, unknown> = {}
    for (const pair of node.items) {
      const name = isScalar(pair.key) ? pair.key.value : undefined
      const where = pair.key.range?.[0] ?? offset
      if (typeof name !== 'string' || name === '__proto__') throw this.failure(where, 'this can\'t be the name of an entry', 'one of the names of the format')
      if (Object.hasOwn(out, name)) throw this.failure(where, `${JSON.stringify(name)} stands here twice`, 'each name once')
      const at = `${pointer}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`
      this.keys.set(at, where)
      this.values.set(at, where)
      out[name] = pair.value === null ? null : this.read(pair.value, at, depth + 1)
    }
    return out
  }
}
