/** Links: what the file says of them, and what holds between two nodes. */
import { checkAt } from './check-at.js'
import { LINK, LINK_DEFAULT, LINKS, TOPOLOGY } from './format.js'
import type { NameTable } from './name-table.js'
import { child, isRecord, type Source } from './source.js'
import { substitute } from './substitute.js'
import { show } from './suggest.js'
import type { LinkOverride, LinkProps, Links, Topology } from './types.js'

/** What a link is where the file says nothing. */
const DEFAULT_LINK: LinkProps = Object.freeze({ latency: 40_000, jitter: 0, bandwidth: 10_000_000, loss: 0, duplicate: 0, reorder: 0, cut: false })

interface LinkFields extends Partial<LinkProps> { between?: ReadonlyArray<readonly string[]>, from?: readonly string[], to?: readonly string[] }

export function loadLinks (source: Source, names: NameTable, section: unknown, nodes: number): Links {
  const raw = checkAt(source, LINKS, substitute(source, section ?? {}, '/links', {}), '/links', 'links') as { default?: unknown, topology?: unknown, discover: boolean, list?: unknown[] | null }
  const given = checkAt(source, LINK_DEFAULT, raw.default ?? {}, '/links/default', 'the default link') as Partial<LinkProps>
  const topology = raw.topology === undefined ? 'full' : checkAt(source, TOPOLOGY, raw.topology, '/links/topology', 'topology', names)
  return {
    default: { ...DEFAULT_LINK, ...given },
    topology: topologyOf(source, topology as string | { star: string } | { random: number }, nodes),
    discover: raw.discover,
    discoverSaid: isRecord(section) && Object.hasOwn(section, 'discover'),
    list: (raw.list ?? []).map((entry, i) => override(source, names, entry, i))
  }
}

function topologyOf (source: Source, topology: string | { readonly star: string } | { readonly random: number }, nodes: number): Topology {
  if (typeof topology === 'string') return { kind: topology as 'full' | 'ring' | 'line' | 'none' }
  if ('star' in topology) return { kind: 'star', hub: topology.star }
  if (topology.random < nodes) return { kind: 'random', degree: topology.random }
  throw source.fault('/links/topology/random', `each of ${nodes} nodes can't have ${topology.random} links`, nodes < 2 ? 'more nodes' : `at most ${nodes - 1}`)
}

function override (source: Source, names: NameTable, entry: unknown, i: number): LinkOverride {
  const pointer = child('/links/list', i)
  const label = `link ${i + 1}`
  const { between, from, to, ...props } = checkAt(source, LINK, entry, pointer, label, names) as LinkFields
  const oneWay = from !== undefined && to !== undefined
  if ((between === undefined) !== oneWay || (!oneWay && (from !== undefined || to !== undefined))) {
    throw source.fault(pointer, `${label} doesn't say between whom it is`, '`between: [A, B]` for both ways, or `from: A` and `to: B` for one')
  }
  const [a, b] = oneWay ? [from, to] : [between![0]!, between![1]!]
  if (a.length === 1 && b.length === 1 && a[0] === b[0]) throw source.fault(pointer, `${label} is between node ${show(a[0])} and itself`, 'two different nodes')
  return { from: a, to: b, bothWays: !oneWay, props, line: source.line(pointer) }
}

/** What holds from one node to another when the run starts, for pairs that have a link; costs a look at each line of the list, so keep the answer. */
export function linkProps (links: Links): (from: string, to: string) => LinkProps {
  const list = links.list.map(({ from, to, bothWays, props }) => ({ from: new Set(from), to: new Set(to), bothWays, props }))
  return (from, to) => {
    let found = links.default
    for (const entry of list) {
      const meant = (entry.from.has(from) && entry.to.has(to)) || (entry.bothWays && entry.from.has(to) && entry.to.has(from))
      if (meant) found = { ...found, ...entry.props }
    }
    return found
  }
}
