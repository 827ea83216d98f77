/** Domains, nodes and groups: who takes part. */
import { DOMAIN, GROUP, NODE, PRINCIPAL } from './format.js'
import type { Declared, NameTable } from './name-table.js'
import { checkAt } from './check-at.js'
import { child, isRecord, OWN_HINT, type Pointer, type Source } from './source.js'
import { hasPlaceholders, substitute } from './substitute.js'
import { oneOf, show } from './suggest.js'
import type { Args, DomainSpec, Mode, NodeSpec, PrincipalSpec, RandomFollow, Registry, Role } from './types.js'

interface PrincipalFields { roles: Role[], scope: string[], later: boolean }
interface DomainFields { principals?: Record<string, PrincipalFields>, roots: { count: number, threshold: number }, trusted?: readonly string[] }
interface NodeFields { domain?: string, keys?: readonly string[], follow?: readonly string[] | { random: number, of: readonly string[] }, mode: Mode, later: boolean, adversary?: string, with?: unknown }

/** Only after every domain is declared, since `trusted` names them. */
export function loadDomains (source: Source, names: NameTable, declared: readonly Declared[]): DomainSpec[] {
  return declared.flatMap((entry) => {
    const label = `domain ${show(entry.name)}`
    const specs = source.attempt(() => expand(source, entry, (raw) => {
      const { principals, roots, trusted } = checkAt(source, DOMAIN, raw, entry.pointer, label, names) as DomainFields
      if (roots.threshold > roots.count) throw source.fault(child(child(entry.pointer, 'roots'), 'threshold'), `a threshold of ${roots.threshold} with ${roots.count} root ${roots.count === 1 ? 'key' : 'keys'}`, `at most ${roots.count}`)
      const given = principals ?? { main: checkAt(source, PRINCIPAL, {}, entry.pointer, label) as PrincipalFields }
      const specs: PrincipalSpec[] = Object.entries(given).map(([name, { roles, scope, later }]) => {
        names.checkName('principal', name, child(child(entry.pointer, 'principals'), name))
        return { name, roles, scope, later }
      })
      if (specs.every(({ later }) => later)) throw source.fault(child(entry.pointer, 'principals'), `${label} begins without any principal`, 'one that isn\'t `later`')
      names.addPrincipals(specs.map(({ name }) => name))
      return { principals: specs, roots, trusted: trusted ?? [] }
    }).map(({ name, group, value }) => ({ name, group, ...value, line: source.line(entry.pointer) })))
    // What speaks of the principals of a domain that is wrong isn't wrong for that.
    const meant = entry.raw['principals']
    if (specs === undefined) names.addPrincipals(isRecord(meant) ? Object.keys(meant) : ['main'])
    return specs ?? []
  })
}

/** Only after every domain is loaded and every node declared. */
export function loadNodes (source: Source, names: NameTable, declared: readonly Declared[], domains: readonly DomainSpec[], registry: Registry): NodeSpec[] {
  const principals = new Map(domains.map((domain) => [domain.name, domain.principals.map(({ name }) => name)]))
  return declared.flatMap((entry) => source.attempt(() => expand(source, entry, (raw) => loadNode(source, names, entry, raw, principals, registry))
    .map(({ name, group, value }) => ({ name, group, ...value, line: source.line(entry.pointer) }))) ?? [])
}

function loadNode (source: Source, names: NameTable, { name, pointer }: Declared, raw: unknown, principals: ReadonlyMap<string, readonly string[]>, registry: Registry): Omit<NodeSpec, 'name' | 'group' | 'line'> {
  const label = `node ${show(name)}`
  const fields = checkAt(source, NODE, raw, pointer, label, names) as NodeFields
  const { domain = '', mode, later, adversary = '' } = fields
  if (domain === '' && fields.follow === undefined) {
    throw source.fault(pointer, `${label} names no domain`, '`domain: NAME` for a node of a domain, or `follow: [NAME]`', { key: true })
  }
  if (domain === '' && fields.keys !== undefined) throw source.fault(child(pointer, 'keys'), `${label} holds keys of no domain`, '`domain: NAME` beside `keys`', { key: true })
  if (domain !== '' && mode === 'reader') throw source.fault(child(pointer, 'mode'), `${label} is a node of domain ${show(domain)} and so no reader`, 'follow, mirror or witness')
  const known = principals.get(domain)
  const all = known ?? []
  for (const [i, key] of (fields.keys ?? []).entries()) {
    if (known !== undefined && !all.includes(key)) throw source.fault(child(child(pointer, 'keys'), i), `domain ${show(domain)} has no principal ${show(key)}`, oneOf(key, all))
  }
  const { random, follow } = followed(source, pointer, label, fields.follow, domain)
  return { domain, keys: fields.keys ?? all, follow, random, mode, later, adversary, with: loadAdversary(source, names, pointer, label, adversary, fields.with, registry) }
}

function followed (source: Source, pointer: Pointer, label: string, follow: NodeFields['follow'], own: string): { random: RandomFollow | undefined, follow: readonly string[] } {
  const at = child(pointer, 'follow')
  if (follow === undefined) return { random: undefined, follow: [] }
  if ('random' in follow) {
    const others = follow.of.includes(own) ? follow.of.length - 1 : follow.of.length
    if (follow.random > others) throw source.fault(child(at, 'random'), `${label} can't follow ${follow.random} of ${others} domains`, `at most ${others}`)
    return { random: { count: follow.random, of: follow.of }, follow: [] }
  }
  // Its own domain a node holds anyway.
  return { random: undefined, follow: follow.includes(own) ? follow.filter((domain) => domain !== own) : follow }
}

function loadAdversary (source: Source, names: NameTable, pointer: Pointer, label: string, adversary: string, args: unknown, registry: Registry): Args {
  const at = child(pointer, 'with')
  if (adversary === '') {
    if (args !== undefined) throw source.fault(at, `${label} has \`with\` and is no adversary`, '`adversary: NAME` beside `with`', { key: true })
    return {}
  }
  const plugin = registry.adversaries.get(adversary)
  if (plugin === undefined) throw source.fault(child(pointer, 'adversary'), `unknown adversary ${show(adversary)}`, oneOf(adversary, [...registry.adversaries.keys()]), { hint: OWN_HINT })
  return checkAt(source, plugin.schema, args ?? {}, args === undefined ? child(pointer, 'adversary') : at, `adversary ${show(adversary)}`, names)
}

/** Groups by name, the two that are there anyway first. */
export function loadGroups (source: Source, names: NameTable, section: unknown, declared: readonly Declared[], nodes: readonly NodeSpec[]): Array<{ name: string, members: readonly string[] }> {
  const all = declared.flatMap(({ members }) => members)
  const liars = new Set(nodes.filter(({ adversary }) => adversary !== '').map(({ name }) => name))
  const honest = all.filter((name) => !liars.has(name))
  names.addReserved('all', all)
  names.addReserved('honest', honest)
  const groups: Array<{ name: string, members: readonly string[] }> = [{ name: 'all', members: all }, { name: 'honest', members: honest }]
  for (const { name, counted, members } of declared) if (counted) groups.push({ name, members })
  for (const [name, value] of isRecord(section) ? Object.entries(section) : []) {
    const at = child('/groups', name)
    const members = checkAt(source, GROUP, value, at, `group ${show(name)}`, names) as readonly string[]
    names.addGroup(name, members, at)
    groups.push({ name, members })
  }
  return groups
}

interface Member<T> { readonly name: string, readonly group: string, readonly value: T }

/** One value for each member; members of a group whose text doesn't speak of `{i}` share theirs. */
function expand<T> (source: Source, { raw, pointer, counted, members, name: group }: Declared, load: (raw: unknown) => T): Array<Member<T>> {
  if (!counted) {
    const value = load(substitute(source, raw, pointer, {}))
    return members.map((name) => ({ name, group: '', value }))
  }
  let shared: T | undefined
  const differ = hasPlaceholders(raw)
  return members.map((name, i) => {
    const value = !differ && shared !== undefined ? shared : load(substitute(source, raw, pointer, { i: i + 1, node: name }))
    shared = value
    return { name, group, value }
  })
}
