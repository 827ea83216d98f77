/**
 * Random scenarios: a phase of chaos in which anything may happen, then healing and enough time, after which everybody must agree. Written as the file
 * that a person would write, so that a failure is a file to look at, shrink and keep.
 */
import type { Random } from '../world/random.js'
import { type Entry, moving, type Owned, ownersAct, type Planned, settled, theft } from './owners.js'

export interface Draft {
  name: string
  shows: string
  seed: number
  duration: string
  domains: Record<string, unknown>
  nodes: Record<string, Record<string, unknown>>
  links: Record<string, unknown>
  timeline: Entry[]
  /** what ends the chaos; without it nothing has to agree, so it is never taken away */
  ending: Entry[]
  expect: Entry[]
}

/** seconds of chaos */
const CHAOS = 120
/** seconds to agree after it: the longest wait to dial again, a request given up, and some rounds of pulls */
const CALM = 240
/** seconds until owners settle what forked: they have to have heard of it */
const HEARD = 130
/** those that need stolen keys */
const THIEVES: ReadonlySet<string> = new Set(['key-thief', 'role-forger', 'root-thief', 'weak-key'])
/** those that need a domain and a key of their own */
const INSIDERS: ReadonlySet<string> = new Set(['equivocator'])

const NAMES = ['docs/a', 'docs/b', 'docs', 'media/x', 'notes', 'a/b/c']
const SIZES = ['100B', '2kB', '70kB', '300kB']

export interface GrammarInit {
  /** names of the adversaries that may take part */
  readonly adversaries: readonly string[]
}

export function randomScenario (random: Random, seed: number, init: GrammarInit): Draft {
  const domains: Draft['domains'] = {}
  const nodes: Draft['nodes'] = {}
  const publishers: string[] = []
  const owned: Owned[] = []
  const names = ['alice', 'bea', 'cyd'].slice(0, 1 + random.below(3))
  for (const name of names) {
    const two = random.below(2) === 0
    const third = two && random.below(2) === 0
    domains[name] = two ? { principals: { ...third ? { third: { scope: random.pick([[''], ['docs']]), later: true } } : {}, main: {}, second: { roles: random.pick([['federate', 'produce', 'publish'], ['federate', 'publish'], ['federate', 'publish'], ['federate']]), scope: random.pick([[''], ['docs'], ['docs', 'media']]) } } } : {}
    const keys = two ? ['main', 'second', ...third ? ['third'] : []] : ['main']
    owned.push({ name, principals: keys, nodes: keys.map((key) => `${name}-${key}`), others: names.filter((n) => n !== name) })
    for (const key of keys) {
      const node = `${name}-${key}`
      const others = names.filter((n) => n !== name && random.below(2) === 0)
      nodes[node] = { domain: name, keys: [key], ...others.length > 0 ? { follow: others } : {} }
      publishers.push(node)
    }
  }
  const followers: string[] = []
  for (let i = 1 + random.below(4); i > 0; i--) {
    const node = `f${i}`
    const follow = names.filter(() => random.below(3) > 0)
    nodes[node] = { follow: follow.length > 0 ? follow : names, mode: random.pick(['follow', 'mirror', 'mirror']) }
    followers.push(node)
  }
  if (init.adversaries.length > 0) {
    for (let i = random.below(3); i > 0; i--) addAdversary(random, init.adversaries, names, { domains, nodes }, i)
  }
  const acts = random.below(3) === 0 ? [] : authority(random, owned, nodes)
  const timeline = chaos(random, publishers, [...publishers, ...followers], Object.keys(nodes), names, acts)
  return {
    name: `explored-${seed}`,
    shows: 'A random federation that falls apart and comes together again.',
    seed,
    duration: `${CHAOS + CALM + (acts.length > 0 ? HEARD : 0)}s`,
    domains,
    nodes,
    links: links(random),
    timeline,
    ending: [...mended(Object.keys(nodes).filter((n) => nodes[n]?.['adversary'] === undefined)), ...acts.length > 0 ? [...owned.map((d) => settled(d, `${CHAOS + HEARD}s`)), ...owned.filter((d) => d.others.length > 0).map((d) => ({ at: `${CHAOS + HEARD + 10}s`, node: d.nodes[0], 'move-domain': { to: d.others[0] } }))] : []],
    expect: [{ at: 'end', converged: names }]
  }
}

function addAdversary (random: Random, adversaries: readonly string[], names: readonly string[], { domains, nodes }: Pick<Draft, 'domains' | 'nodes'>, i: number): void {
  const thieves = adversaries.filter((a) => THIEVES.has(a))
  const adversary = random.pick(thieves.length > 0 && random.below(3) === 0 ? thieves : adversaries)
  if (adversary === 'fisher') {
    // A stranger: what it names is nobody's who follows it.
    domains['mallory'] = {}
    for (const node of Object.values(nodes)) if (node['adversary'] === undefined && random.below(2) === 0) node['follow'] = [...new Set([...(node['follow'] ?? []) as string[], 'mallory'])]
    nodes[`liar${i}`] = { domain: 'mallory', follow: [...names], adversary }
    return
  }
  const own = INSIDERS.has(adversary)
  const args = adversary === 'eclipser' ? { with: { victim: Object.keys(nodes)[0] } } : THIEVES.has(adversary) && adversary !== 'weak-key' ? { with: { until: `${CHAOS + CALM / 2}s` } } : {}
  nodes[`liar${i}`] = own ? { domain: random.pick(names), keys: ['main'], adversary } : { follow: [...names], adversary, ...args }
}

/** What owners and thieves do. A domain's roots rotate once at most before the end: two rotations of one commitment can't be settled. */
function authority (random: Random, owned: readonly Owned[], nodes: Draft['nodes']): Planned[] {
  const out: Planned[] = []
  for (const domain of owned) {
    for (let i = random.below(5); i > 0; i--) out.push(...ownersAct(random, domain, 1 + random.below(CHAOS - 5)))
    if (random.below(4) === 0) out.push({ at: 1 + random.below(CHAOS - 5), entry: { node: random.pick(domain.nodes), 'rotate-roots': { base: random.pick(['common', 'ours']) } } })
  }
  // A stream of their own, so that they change nothing else that was drawn.
  const moves = random.fork('moves')
  for (const domain of owned) if (domain.others.length > 0 && moves.below(3) === 0) out.push(moving(moves, domain, 1 + moves.below(CHAOS - 5)))
  for (const [name, { adversary, follow }] of Object.entries(nodes)) {
    const victims = owned.filter((d) => Array.isArray(follow) && follow.includes(d.name))
    if (typeof adversary === 'string' && THIEVES.has(adversary) && victims.length > 0) out.push(theft(random, random.pick(victims), name, adversary, 1 + random.below(CHAOS - 5)))
  }
  return out
}

function links (random: Random): Record<string, unknown> {
  const topology = random.pick<unknown>(['full', 'full', 'ring', 'line', 'none'])
  return {
    default: {
      latency: `${random.pick([1, 20, 80, 300])}ms`,
      jitter: `${random.pick([0, 5, 50])}ms`,
      bandwidth: random.pick(['100kB/s', '1MB/s', '100MB/s']),
      loss: random.pick(['0%', '0.5%', '3%']),
      duplicate: random.pick(['0%', '2%']),
      reorder: random.pick(['0%', '5%'])
    },
    topology
  }
}

function chaos (random: Random, publishers: readonly string[], honest: readonly string[], all: readonly string[], domains: readonly string[], acts: readonly Planned[]): Entry[] {
  const out: Planned[] = [...acts]
  const backups = new Set<string>()
  const at = (): number => 1 + random.below(CHAOS - 5)
  for (let i = 4 + random.below(16); i > 0; i--) {
    const name = random.pick(NAMES)
    out.push({ at: at(), entry: random.below(6) === 0 ? { node: random.pick(publishers), tombstone: { name } } : { node: random.pick(publishers), publish: { name, bytes: random.pick(SIZES) } } })
  }
  for (let i = random.below(8); i > 0; i--) {
    const t = at()
    const node = random.pick(honest)
    switch (random.below(12)) {
      case 0: out.push({ at: t, entry: { partition: [random.shuffle(all).slice(0, 1 + random.below(all.length))] } }); break
      case 1: out.push({ at: t, entry: { heal: 'all' } }); break
      case 2: {
        const to = random.pick(all)
        if (to !== node) out.push({ at: t, entry: { cut: { from: [node], to: [to], bothWays: random.below(2) === 0 } } })
        break
      }
      case 3:
      case 4: out.push({ at: t, entry: { crash: { node, torn: random.below(2) === 0 } } }, { at: t + 1 + random.below(20), entry: { restart: { node } } }); break
      case 5: {
        const later = t + 1 + random.below(30)
        const as = `b${backups.size}`
        backups.add(as)
        out.push({ at: t, entry: { backup: { node, as } } }, { at: Math.min(later, CHAOS - 1), entry: { restore: { node, from: as } } })
        break
      }
      case 6: out.push({ at: t, entry: { disk: { node, fault: random.pick(['full', 'read-only', 'slow', 'flips-a-bit']) } } }); break
      case 7: out.push({ at: t, entry: { carry: { from: node, to: [random.pick(honest)], domain: random.pick(domains) } } }); break
      case 8: out.push({ at: t, entry: { node, put: { bytes: '300kB' } } }); break
      case 9: out.push({ at: t, entry: { restart: { node, empty: random.below(3) === 0 && !publishers.includes(node) } } }); break
      case 10:
      case 11: out.push({ at: t, entry: { node, collect: { replaced: random.below(2) === 0 } } }); break
    }
  }
  return out.sort((a, b) => a.at - b.at).map(({ at: t, entry }) => ({ at: `${t}s`, ...entry }))
}

/** The world is mended, and every node is started that may be down. */
function mended (honest: readonly string[]): Entry[] {
  const at = `${CHAOS}s`
  return [...honest.flatMap((node) => [{ at, disk: { node, fault: 'none' } }, { at, restart: { node } }]), { at, heal: 'all' }]
}

/** The scenario as a file says it. */
export function written ({ ending, timeline, ...rest }: Draft): object {
  const nodes = new Set(Object.keys(rest.nodes))
  const about = (e: Entry): string | undefined => (e['node'] as string | undefined) ?? ((e['disk'] ?? e['restart']) as { node?: string } | undefined)?.node
  return { ...rest, timeline: [...timeline, ...ending.filter((e) => about(e) === undefined || nodes.has(about(e) as string))] }
}
