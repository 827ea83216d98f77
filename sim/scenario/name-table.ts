/** The names that a scenario declares, with what each stands for. Domains and nodes are named apart: node bob of domain bob is usual. */
import { MOST_MEMBERS, NAME_PATTERN, RESERVED_GROUPS } from './format.js'
import type { NameKind } from './schema-parts.js'
import { child, isRecord, type Pointer, type Source } from './source.js'
import { show } from './suggest.js'
import type { Names } from './vocabulary.js'

/** One entry of `domains` or `nodes`: with `count` it stands for many. */
export interface Declared {
  readonly name: string
  readonly pointer: Pointer
  readonly raw: Readonly<Record<string, unknown>>
  readonly counted: boolean
  readonly members: readonly string[]
}

/** 40,000 lines that each add a node to a group of 10,000 would take 3 GB. */
const MOST_WRITTEN = 2_000_000
const NAME = new RegExp(NAME_PATTERN)
const NAME_EXPECTED = 'lower-case letters, digits and hyphens, a letter first, at most 32'

export class NameTable implements Names {
  private readonly tables = { node: new Map<string, readonly string[]>(), domain: new Map<string, readonly string[]>() }
  private readonly lines = { node: new Map<string, number>(), domain: new Map<string, number>() }
  private readonly principals = new Set<string>()
  private left = MOST_WRITTEN

  constructor (private readonly source: Source) {}

  nodes (name: string): readonly string[] | undefined {
    return this.tables.node.get(name)
  }

  domains (name: string): readonly string[] | undefined {
    return this.tables.domain.get(name)
  }

  isPrincipal (name: string): boolean {
    return this.principals.has(name)
  }

  spend (members: number): boolean {
    this.left -= members
    return this.left >= 0
  }

  known (kind: NameKind): readonly string[] {
    if (kind === 'principal') return [...this.principals]
    const table = kind.startsWith('node') ? this.tables.node : this.tables.domain
    const names = [...table.keys()]
    return kind.endsWith('s') ? names : names.filter((name) => table.get(name)?.[0] === name)
  }

  /** Takes the names of a section in, before anything refers to them. */
  declare (kind: 'node' | 'domain', section: unknown, pointer: Pointer): Declared[] {
    const declared: Declared[] = []
    let total = 0
    for (const [name, value] of Object.entries(section as object) as Array<[string, unknown]>) {
      const at = child(pointer, name)
      this.checkName(kind, name, at)
      const raw = value === null ? {} : value
      if (!isRecord(raw)) throw this.source.fault(at, `${kind} ${show(name)} is ${show(raw)}`, 'a map')
      const members = this.members(kind, name, raw['count'], at)
      total += members.length
      if (total > MOST_MEMBERS) throw this.source.fault(at, `with ${show(name)} there are ${total} ${kind}s`, `at most ${MOST_MEMBERS}`)
      const counted = members[0] !== name
      if (counted) this.add(kind, name, members, at)
      for (const member of members) this.add(kind, member, Object.freeze([member]), at)
      declared.push({ name, pointer: at, raw, counted, members })
    }
    return declared
  }

  addPrincipals (names: Iterable<string>): void {
    for (const name of names) this.principals.add(name)
  }

  addGroup (name: string, members: readonly string[], pointer: Pointer): void {
    this.checkName('node', name, pointer)
    this.add('node', name, members, pointer)
  }

  /** A group that isn't declared; its members may be none. */
  addReserved (name: typeof RESERVED_GROUPS[number], members: readonly string[]): void {
    if (members.length > 0) this.tables.node.set(name, Object.freeze(members))
  }

  checkName (kind: string, name: string, pointer: Pointer): void {
    if (!NAME.test(name)) throw this.source.fault(pointer, `${show(name)} can't name a ${kind}`, NAME_EXPECTED, { key: true })
    if ((RESERVED_GROUPS as readonly string[]).includes(name)) throw this.source.fault(pointer, `${show(name)} already names a group`, 'another name', { key: true })
  }

  private members (kind: string, name: string, count: unknown, pointer: Pointer): readonly string[] {
    if (count === undefined) return [name]
    if (typeof count !== 'number' || !Number.isInteger(count) || count < 1 || count > MOST_MEMBERS) {
      throw this.source.fault(child(pointer, 'count'), `count of ${show(name)} is ${show(count)}`, `a whole number from 1 to ${MOST_MEMBERS}`)
    }
    if (!NAME.test(`${name}-${count}`)) throw this.source.fault(pointer, `${show(`${name}-${count}`)} can't name a ${kind}`, NAME_EXPECTED, { key: true })
    return Object.freeze(Array.from({ length: count }, (_, i) => `${name}-${i + 1}`))
  }

  private add (kind: 'node' | 'domain', name: string, members: readonly string[], pointer: Pointer): void {
    const line = this.lines[kind].get(name)
    if (line !== undefined) throw this.source.fault(pointer, `the name ${show(name)} is used twice: it stands on line ${line} already`, `a name that no other ${kind} or group has`, { key: true })
    this.lines[kind].set(name, this.source.line(pointer))
    this.tables[kind].set(name, Object.freeze(members))
  }
}
