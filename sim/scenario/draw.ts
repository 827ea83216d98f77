/**
 * What a scenario leaves to the seed: who follows whom, and who is linked to whom. Pure: the draws come in, so equal draws give an equal world.
 */
import type { Links, NodeSpec, Scenario } from './types.js'

/** A whole number from 0 to below - 1. */
export type Draw = (below: number) => number

/** Two nodes that are neighbours, by name. A line of `links.list` with from and to makes them so too, and then speaks of one direction alone. */
export type Edge = readonly [a: string, b: string]

/**
 * The domains that each node follows besides its own, by node. `{random: k, of: GROUP}` is drawn so that every domain of the group gets the same number
 * of followers, give or take a few: k rounds, in each of which the nodes are dealt a shuffled deck of the domains.
 */
export function drawFollows (nodes: readonly NodeSpec[], draw: Draw): Map<string, readonly string[]> {
  const follows = new Map<string, readonly string[]>(nodes.map((node) => [node.name, node.follow]))
  // Members of one `count` share the list, so they draw from one deck.
  const tables = new Map<readonly string[], NodeSpec[]>()
  for (const node of nodes) {
    if (node.random === undefined) continue
    const table = tables.get(node.random.of)
    if (table === undefined) tables.set(node.random.of, [node])
    else table.push(node)
  }
  for (const [domains, table] of tables) {
    const drawn = new Map(table.map((node) => [node, new Set<string>()]))
    const rounds = Math.max(...table.map(({ random }) => random!.count))
    // Cards that are left when everybody had one are dealt first in the next round.
    let deck: string[] = []
    for (let round = 0; round < rounds; round++) {
      for (const node of table) {
        if (round >= node.random!.count) continue
        if (deck.length === 0) deck = shuffled(domains, draw)
        const mine = drawn.get(node)!
        // The last cards of a deck may all be known already; then the node draws from a fresh one, at the price of an even share.
        let at = deck.findLastIndex((domain) => domain !== node.domain && !mine.has(domain))
        if (at < 0) {
          deck = [...shuffled(domains, draw), ...deck]
          at = deck.findLastIndex((domain) => domain !== node.domain && !mine.has(domain))
        }
        mine.add(deck[at]!)
        deck.splice(at, 1)
      }
    }
    for (const [node, mine] of drawn) follows.set(node.name, [...mine])
  }
  return follows
}

/** The links of the topology and of `links.list`, each once; what holds on them says `linkProps` of links.ts. */
export function drawEdges ({ nodes, links }: Pick<Scenario, 'nodes' | 'links'>, draw: Draw): Edge[] {
  const names = nodes.map(({ name }) => name)
  const position = new Map(names.map((name, i) => [name, i]))
  const edges: Edge[] = []
  const seen = new Set<number>()
  const add = (a: string, b: string): void => {
    const [i, j] = [position.get(a)!, position.get(b)!]
    const id = Math.min(i, j) * names.length + Math.max(i, j)
    if (i === j || seen.has(id)) return
    seen.add(id)
    edges.push([a, b])
  }
  drawTopology(links, names, draw, add)
  for (const { from, to } of links.list) {
    for (const a of from) for (const b of to) add(a, b)
  }
  return edges
}

function drawTopology ({ topology }: Links, names: readonly string[], draw: Draw, add: (a: string, b: string) => void): void {
  switch (topology.kind) {
    case 'none': return
    case 'full':
      for (const [i, a] of names.entries()) for (const b of names.slice(i + 1)) add(a, b)
      return
    case 'star':
      for (const name of names) add(topology.hub, name)
      return
    case 'line':
    case 'ring':
      walk(names, topology.kind === 'ring', add)
      return
    case 'random':
      // A ring over all nodes in random order gives each two links and connects them all; half a ring gives the odd one.
      for (let left = topology.degree; left > 0; left -= 2) {
        const order = shuffled(names, draw)
        if (left > 1) walk(order, true, add)
        else if (topology.degree > 1) for (let i = 0; i + 1 < order.length; i += 2) add(order[i]!, order[i + 1]!)
        // One link each would leave pairs that never meet.
        else walk(order, false, add)
      }
  }
}

function walk (names: readonly string[], closed: boolean, add: (a: string, b: string) => void): void {
  for (let i = 0; i + 1 < names.length; i++) add(names[i]!, names[i + 1]!)
  if (closed && names.length > 2) add(names.at(-1)!, names[0]!)
}

/** Fisher and Yates. */
function shuffled (names: readonly string[], draw: Draw): string[] {
  const deck = [...names]
  for (let i = deck.length - 1; i > 0; i--) {
    const j = draw(i + 1)
    const held = deck[i]!
    deck[i] = deck[j]!
    deck[j] = held
  }
  return deck
}
