import { readdirSync, readFileSync } from 'node:fs'
import { Ajv } from 'ajv'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { PLUGINS } from '../../sim/plugins.js'
import { sayArgs, sayNames } from '../../sim/scenario/say.js'
import { drawEdges, drawFollows } from '../../sim/scenario/draw.js'
import { scenarioSchema } from '../../sim/scenario/format.js'
import { linkProps } from '../../sim/scenario/links.js'
import { loadScenario } from '../../sim/scenario/load.js'
import { parseQuantity, showQuantity, type Unit } from '../../sim/scenario/quantity.js'
import type { Scenario } from '../../sim/scenario/types.js'
import { DiadError } from '../../src/substrate/errors.js'

const DRAFTS = new URL('../../sim/scenarios/', import.meta.url)
const GUIDE = readFileSync(new URL('../../docs/sim-scenarios.md', import.meta.url), 'utf8')

/** The complete example of the guide: its first block of YAML. */
const EXAMPLE = /```yaml\n(.*?)```/s.exec(GUIDE)?.[1] ?? ''

const HEAD = 'name: s\nshows: what it shows\nduration: 5m\n'
const CAST = 'domains:\n  alice: {}\nnodes:\n  home: {domain: alice}\n  bob: {follow: [alice]}\n'

const load = (text: string): Scenario => loadScenario(text, 'a.yaml', PLUGINS)
/** A whole file with other lines at its end: line 9 is the first of them. */
const withTail = (tail: string): Scenario => load(HEAD + CAST + tail)

function problem (text: string): DiadError {
  try {
    load(text)
  } catch (error) {
    if (error instanceof DiadError) return error
    throw error
  }
  throw new Error('it was loaded')
}

/** Every line that is told of what is wrong. */
function faults (text: string): string[] {
  const { message, more } = problem(text)
  return [message, ...more]
}

describe('quantities are whole numbers', () => {
  it.each<[Unit, unknown, number | RegExp]>([
    ['time', '40ms', 40_000], ['time', '1.5s', 1_500_000], ['time', '10m', 600_000_000], ['time', '2h', 7_200_000_000], ['time', '3d12h', 302_400_000_000],
    ['time', '7us', 7], ['time', 0, 0], ['time', '1.0000005s', /whole number/], ['time', '0.5us', /whole number/], ['time', '-1s', /negative/], ['time', 5, /no unit/],
    ['time', '5 parsecs', /no unit "parsecs"/], ['time', '12h3d', /order/], ['time', '', /empty/], ['time', 'soon', /not a number/], ['time', null, /not a quantity/],
    ['time', '9007199254740992us', /too great/], ['time', '9'.repeat(50) + 's', /too long/], ['time', '1s!', /not a number/],
    ['bytes', '10kB', 10_000], ['bytes', 100, 100], ['bytes', '1.5MiB', 1_572_864], ['bytes', '1.0001kB', /whole/], ['bytes', -1, /negative/], ['bytes', 1.5, /whole/],
    ['rate', '5MB/s', 5_000_000], ['rate', '5MB', /no unit "MB"/], ['rate', 5, /no unit/],
    ['ppm', '1%', 10_000], ['ppm', '0.5%', 5000], ['ppm', '0.00005%', /whole/], ['ppm', '20ppm', 20], ['ppm', 0.02, /no unit/],
    ['milli', 1.5, 1500], ['milli', '12', 12_000], ['milli', 0.0001, /whole/]
  ])('%s %j', (unit, value, expected) => {
    const got = parseQuantity(unit, value)
    if (typeof expected === 'number') expect(got).toBe(expected)
    else expect(got).toMatch(expected)
  })

  it('come back as they are shown', () => {
    fc.assert(fc.property(fc.constantFrom<Unit>('time', 'bytes', 'rate', 'ppm'), fc.maxSafeNat(), (unit, n) => {
      expect(parseQuantity(unit, showQuantity(unit, n))).toBe(n)
    }))
  })
})

describe('a scenario', () => {
  const scenario = load(EXAMPLE)

  it('is plain, whole and frozen', () => {
    expect(scenario).toMatchObject({ name: 'partition-heals', threats: [16], seed: 7, duration: 300_000_000, tick: 1_000_000 })
    expect(scenario.domains.find((d) => d.name === 'alice')).toMatchObject({
      principals: [{ name: 'main', roles: ['produce', 'publish', 'federate'], scope: [''] }, { name: 'laptop', roles: ['publish', 'federate'], scope: ['docs'] }], trusted: []
    })
    expect(scenario.nodes.filter((n) => n.group === 'crowd').map((n) => n.name)).toEqual(['crowd-1', 'crowd-2', 'crowd-3', 'crowd-4'])
    expect(scenario.links.default).toEqual({ latency: 40_000, jitter: 10_000, bandwidth: 10_000_000, loss: 5000, duplicate: 0, reorder: 0, cut: false })
    // JSON keeps it: no functions, no undefined in a list, no fractions.
    expect(JSON.stringify(scenario)).not.toMatch(/\d\.\d/)
    const everything = (value: unknown): boolean => typeof value !== 'object' || value === null || (Object.isFrozen(value) && Object.values(value).every(everything))
    expect(everything(scenario)).toBe(true)
  })

  it('has its repetitions, groups and placeholders written out', () => {
    const { timeline, nodes } = withTail(`
  crowd: {count: 3, follow: [alice]}
timeline:
  - {every: 5s, from: 10s, until: 20s, spread: 3s, node: crowd, publish: {name: "{node}/{n}-{i}", bytes: 1kB}}
  - {at: 11s, partition: [[home, crowd-1], crowd-2]}
  - {at: 10s, node: [bob, home], tombstone: {name: x}}`.trimStart().replace(/^/, '  '))
    expect(timeline.map(({ at, line, action, node, args }) => [at / 1_000_000, line, action, node, JSON.stringify(args)])).toEqual([
      [10, 11, 'publish', 'crowd-1', '{"name":"crowd-1/1-1","bytes":1000}'],
      [10, 13, 'tombstone', 'bob', '{"name":"x"}'],
      [10, 13, 'tombstone', 'home', '{"name":"x"}'],
      [11, 11, 'publish', 'crowd-2', '{"name":"crowd-2/1-2","bytes":1000}'],
      [11, 12, 'partition', '', '[["home","crowd-1"],["crowd-2"]]'],
      [12, 11, 'publish', 'crowd-3', '{"name":"crowd-3/1-3","bytes":1000}'],
      [15, 11, 'publish', 'crowd-1', '{"name":"crowd-1/2-1","bytes":1000}'],
      [16, 11, 'publish', 'crowd-2', '{"name":"crowd-2/2-2","bytes":1000}'],
      [17, 11, 'publish', 'crowd-3', '{"name":"crowd-3/2-3","bytes":1000}']
    ])
    expect(nodes.map((n) => n.line)).toEqual([7, 8, 9, 9, 9])
  })

  it('resolves links line by line, later ones first', () => {
    const { links, nodes } = withTail('links:\n  default: {latency: 10ms}\n  topology: none\n  list:\n    - {between: [home, bob], loss: 2%}\n    - {from: bob, to: home, latency: 1s, cut: true}\n')
    const props = linkProps(links)
    expect(props('home', 'bob')).toMatchObject({ latency: 10_000, loss: 20_000, cut: false })
    expect(props('bob', 'home')).toMatchObject({ latency: 1_000_000, loss: 20_000, cut: true })
    expect(drawEdges({ links, nodes }, () => 0)).toEqual([['home', 'bob']])
  })

  it('knows what `end` means', () => {
    const { expectations } = withTail('expect:\n  - {by: 5m, node: bob, holds: {domain: alice, name: a}}\n  - {at: end, converged: alice}\n')
    expect(expectations).toEqual([
      { at: 300_000_000, by: true, line: 10, expectation: 'holds', node: 'bob', args: { domain: 'alice', name: 'a', content: false } },
      { at: 'end', by: false, line: 11, expectation: 'converged', node: '', args: ['alice'] }
    ])
  })

  it('may repeat itself by aliases', () => {
    const { links } = withTail('links:\n  list:\n    - &slow {between: [home, bob], latency: 2s}\n    - *slow\n')
    expect(links.list.map((l) => [l.props, l.line])).toEqual([[{ latency: 2_000_000 }, 11], [{ latency: 2_000_000 }, 12]])
  })
})

describe('what is left to the seed', () => {
  // A linear congruential generator is chance enough here.
  const draws = (seed: number) => (below: number): number => (seed = (seed * 48_271) % 2_147_483_647) % below

  it('gives every domain the same number of followers and nobody its own', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 2_147_483_646 }), fc.integer({ min: 1, max: 9 }), (seed, k) => {
      const { nodes, domains } = load(`${HEAD}domains:\n  d: {count: 40}\nnodes:\n  n: {count: 40, domain: "d-{i}", follow: {random: ${k}, of: d}}\n`)
      const follows = drawFollows(nodes, draws(seed))
      const followers = new Map(domains.map((d) => [d.name, 0]))
      for (const node of nodes) {
        const mine = follows.get(node.name)!
        expect(new Set(mine).size).toBe(k)
        expect(mine).not.toContain(node.domain)
        for (const domain of mine) followers.set(domain, followers.get(domain)! + 1)
      }
      const counts = [...followers.values()]
      expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(2)
    }), { numRuns: 30 })
  })

  it('connects all nodes by about as many links as was asked', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 2_147_483_646 }), fc.integer({ min: 1, max: 9 }), (seed, k) => {
      const world = load(`${HEAD}domains: {alice: {}}\nnodes:\n  n: {count: 60, domain: alice}\nlinks: {topology: {random: ${k}}}\n`)
      const edges = drawEdges(world, draws(seed))
      const reached = new Set(['n-1'])
      for (let before = 0; before < reached.size;) {
        before = reached.size
        for (const [a, b] of edges) if (reached.has(a) || reached.has(b)) reached.add(a).add(b)
      }
      expect(reached.size).toBe(60)
      expect(edges.length).toBeLessThanOrEqual(Math.max(k, 2) * 30)
      expect(edges.length).toBeGreaterThan(k * 30 * 0.75)
    }), { numRuns: 30 })
  })
})

describe('a scenario with a mistake: one line with the place and what was expected', () => {
  const tail = (lines: string): string => HEAD + CAST + lines
  const action = (entry: string): string => tail(`timeline:\n  - ${entry}\n`)
  const expectation = (entry: string): string => tail(`expect:\n  - ${entry}\n`)
  const link = (entry: string): string => tail(`links:\n  list:\n    - ${entry}\n`)
  const node = (entry: string): string => tail(`  ${entry}\n`)

  it.each<[string, string, string]>([
    ['unknown action', action('{at: 1s, node: home, publsh: {name: a}}'), '10:26: unknown action "publsh"; expected publish, tombstone, put, vouch, erase, partition, heal, cut, crash, restart, disk, collect, backup, restore, clone, carry, export, import, rescue, leave, grant, revoke, close, rotate-key and 6 more; did you mean "publish"?'],
    ['unknown expectation', expectation('{at: 1s, convergd: [alice]}'), '10:14: unknown expectation "convergd"; expected holds, view, converged, verdict, authority, admitted, evidence, asks, nobody, refused, cost; did you mean "converged"?'],
    ['unknown adversary', node('eve: {adversary: forgr, follow: [alice]}'), '9:20: unknown adversary "forgr"; expected'],
    ['no action', action('{at: 1s, node: home}'), '10:5: this entry has no action; expected publish,'],
    ['two actions', action('{at: 1s, heal: all, partition: [[home]]}'), '10:25: this entry has two actions, "heal" and "partition"; expected one for each entry'],
    ['unknown key of an entry', action('{at: 1s, nod: home, publish: {name: a}}'), '10:14: unknown key "nod"; expected at, every, from, until, times, spread, node; did you mean "node"?'],
    ['unknown key of an action', action('{at: 1s, node: home, publish: {name: a, byts: 1kB}}'), '10:45: unknown key "byts" in action "publish"; expected name, bytes, key; did you mean "bytes"?'],
    ['missing argument', action('{at: 1s, node: home, publish: {bytes: 1kB}}'), '10:35: action "publish" has no "name"; expected name: a name to publish under, such as docs/a'],
    ['arguments of a wrong kind', action('{at: 1s, partition: home}'), '10:25: action "partition" is "home"; expected a list of sides, such as [[home, bob], [laptop]]'],
    ['a branch that fits none', action('{at: 1s, heal: al}'), '10:20: action "heal" is "al"; expected all, or {from: NODES, to: NODES}'],
    ['a branch with a fault', action('{at: 1s, heal: {from: home, too: bob}}'), 'action "heal" has no "to"; expected to: the name of a node or a group of nodes'],
    ['a quantity that is none', action('{at: 1s, node: home, publish: {name: a, bytes: 1.5B}}'), '10:52: "bytes" of action "publish": "1.5B": it is not a whole number of bytes; expected a size such as 100, 10kB, 4KiB or 5MB'],
    ['negative time', action('{at: -1s, heal: all}'), '10:10: "at" of action "heal": "-1s": it is negative; expected a time such as 40ms, 1.5s, 10m, 2h or 3d12h'],
    ['no time', action('{heal: all}'), '10:5: this action has no time; expected `at: TIME`, or `every: TIME` with `from`'],
    ['an action after the end', action('{at: 6m, heal: all}'), '10:10: the action at 6m is after the end; expected a time before 5m, the duration of the run'],
    ['a repetition after the end', action('{every: 1m, from: 2m, times: 4, heal: all}'), '10:34: the last repetition at 5m is after the end; expected a time before 5m'],
    ['by after the end', expectation('{by: 301s, converged: [alice]}'), '10:10: expectation "converged" by 5m1s is after the end; expected at most 5m, the duration of the run'],
    ['at and by', expectation('{by: 1s, at: 2s, converged: [alice]}'), '10:5: expectation "converged" says both `at` and `by`; expected'],
    ['unknown node', action('{at: 1s, node: bobb, publish: {name: a}}'), '10:20: node: there is no node "bobb"; expected the name of a node or a group of nodes: home, bob, all, honest; did you mean "bob"?'],
    ['unknown node in arguments', action('{at: 1s, partition: [[home, bbo]]}'), '10:33: entry 1 of action "partition": there is no node "bbo"; expected the name of a node or a group of nodes: home, bob, all, honest; did you mean "bob"?'],
    ['a group where a node is needed', action('{at: 1s, crash: {node: all}}'), '10:28: "node" of action "crash": "all" is a group; expected the name of a node: home, bob'],
    ['unknown domain in arguments', expectation('{at: end, converged: [alcie]}'), '10:27: expectation "converged": there is no domain "alcie"; expected the name of a domain or a group of domains: alice; did you mean "alice"?'],
    ['a node on two sides', action('{at: 1s, partition: [[home], [bob, home]]}'), '10:34: action "partition": node "home" stands on two sides; expected each node on one side'],
    ['no node', action('{at: 1s, publish: {name: a}}'), '10:5: action "publish" doesn\'t say which node; expected `node: NAME` beside it'],
    ['a node too many', action('{at: 1s, node: bob, heal: all}'), '10:14: action "heal" belongs to no node; expected no `node` here'],
    ['unknown placeholder', action('{every: 1s, from: 1s, node: home, publish: {name: "{k}"}}'), '10:55: unknown placeholder {k} in "{k}"; expected n, i, node'],
    ['a placeholder without meaning', action('{at: 1s, node: home, publish: {name: "{n}"}}'), '10:42: {n} in "{n}" stands for nothing here; expected `every` in the entry'],
    ['a link to itself', link('{between: [home, home]}'), '11:7: link 1 is between node "home" and itself; expected two different nodes'],
    ['a link to nowhere', link('{between: [home, hme]}'), '11:24: entry 2 of link 1: there is no node "hme"; expected the name of a node or a group of nodes: home, bob, all, honest; did you mean "home"?'],
    ['negative latency', link('{between: [home, bob], latency: -5ms}'), '11:39: "latency" of link 1: "-5ms": it is negative; expected a time such as'],
    ['loss above all', link('{between: [home, bob], loss: 101%}'), '11:36: "loss" of link 1: "101%" is too great; expected at most 100%'],
    ['no bandwidth', link('{between: [home, bob], bandwidth: 0}'), '"bandwidth" of link 1: 0 is too small; expected at least 1B/s'],
    ['a link with one end', link('{from: home}'), '11:7: link 1 doesn\'t say between whom it is; expected `between: [A, B]`'],
    ['unknown key of a link', link('{between: [home, bob], latencyy: 5ms}'), '11:30: unknown key "latencyy" in link 1; expected between, from, to, latency, jitter, bandwidth, loss, duplicate, reorder, cut; did you mean "latency"?'],
    ['unknown topology', tail('links:\n  topology: rign\n'), '10:13: topology is "rign"; expected full, ring, line, none, {star: NODE} or {random: 8}'],
    ['a topology for more nodes', tail('links:\n  topology: {random: 2}\n'), '10:22: each of 2 nodes can\'t have 2 links; expected at most 1'],
    ['a node without domain', node('eve: {mode: mirror}'), '9:3: node "eve" names no domain; expected `domain: NAME` for a node of a domain, or `follow: [NAME]`'],
    ['a node of an unknown domain', node('eve: {domain: alcie}'), '9:17: "domain" of node "eve": there is no domain "alcie"; expected the name of a domain: alice; did you mean "alice"?'],
    ['following nobody known', node('eve: {follow: [bob]}'), '9:18: "follow" of node "eve": there is no domain "bob"'],
    ['following a thing', node('eve: {follow: 5}'), '9:17: "follow" of node "eve" is 5; expected domains, such as [alice], or {random: 10, of: GROUP}'],
    ['following more than there are', node('eve: {follow: {random: 2, of: alice}}'), '9:26: node "eve" can\'t follow 2 of 1 domains; expected at most 1'],
    ['unknown mode', node('eve: {follow: [alice], mode: miror}'), '9:32: "mode" of node "eve" is "miror"; expected follow, mirror, witness, reader; did you mean "mirror"?'],
    ['keys that its domain lacks', node('eve: {domain: alice, keys: [man]}'), '9:31: domain "alice" has no principal "man"; expected main; did you mean "main"?'],
    ['keys of no domain', node('eve: {follow: [alice], keys: [main]}'), '9:26: node "eve" holds keys of no domain'],
    ['arguments of an adversary', node('eve: {follow: [alice], adversary: staller, with: {rate: fast}}'), '9:59: "rate" of adversary "staller": "fast": it is not a number with a unit; expected a rate such as'],
    ['with without adversary', node('eve: {follow: [alice], with: {}}'), '9:26: node "eve" has `with` and is no adversary'],
    ['a missing argument of an adversary', node('eve: {follow: [alice], adversary: eclipser}'), '9:37: adversary "eclipser" has no "victim"'],
    ['a name used twice', node('bob-1: {follow: [alice]}\n  bob: {follow: [alice]}'), '10:3: "bob" stands here twice; expected each name once in a map'],
    ['a name that a group makes', node('eve-2: {follow: [alice]}\n  eve: {count: 2, follow: [alice]}'), '10:3: the name "eve-2" is used twice: it stands on line 9 already'],
    ['a group with the name of a node', tail('groups:\n  bob: [home]\n'), '10:3: the name "bob" is used twice: it stands on line 8 already'],
    ['a name that isn\'t text', node('7: {follow: [alice]}'), '9:3: the name of an entry is text, and this is 7; expected a name such as home'],
    ['a name of other letters', node('Eve: {follow: [alice]}'), '9:3: "Eve" can\'t name a node; expected lower-case letters'],
    ['a reserved name', node('all: {follow: [alice]}'), '9:3: "all" already names a group; expected another name'],
    ['too many', node('eve: {count: 10001, follow: [alice]}'), '9:16: count of "eve" is 10001; expected a whole number from 1 to 10000'],
    ['too many together', node('eve: {count: 9999, follow: [alice]}'), '9:8: with "eve" there are 10001 nodes; expected at most 10000'],
    ['unknown role', HEAD + 'domains:\n  alice: {principals: {main: {roles: [publsh]}}}\nnodes: {home: {domain: alice}}\n', '5:39: entry 1 of domain "alice" is "publsh"; expected produce, execute, publish, federate, audit; did you mean "publish"?'],
    ['trust in nobody known', HEAD + 'domains:\n  alice: {trusted: [bob]}\nnodes: {home: {domain: alice}}\n', '5:21: "trusted" of domain "alice": there is no domain "bob"'],
    ['unknown key at the top', tail('time-line: []\n'), '9:1: unknown key "time-line" in the scenario; expected name, shows, threats, seed, duration, tick, domains, nodes, groups, links, timeline, expect; did you mean "timeline"?'],
    ['no duration', 'name: s\nshows: x\n' + CAST, '1:1: the scenario has no "duration"; expected duration: the time at which the run ends, such as 5m'],
    ['a fraction as seed', tail('seed: 1.5\n'), '9:7: "seed" of the scenario is 1.5; expected a whole number from 0 to 2^53-1'],
    ['not YAML', tail('links: {\n'), ': this is not YAML: '],
    ['a tag', tail('seed: !!set {}\n'), '9:13: the tag "tag:yaml.org,2002:set" means nothing here'],
    ['an empty file', '', '1:1: the file is empty; expected a map'],
    ['a file of another kind', '- a\n', '1:1: the file is a list; expected a map'],
    ['a file too great', '#'.repeat(1_000_001), '1:1: the file is greater than 1 MB; expected a smaller one'],
    ['depth', tail('links: ' + '['.repeat(5000) + ']'.repeat(5000)), 'nested too deep'],
    ['great depth', tail('links: ' + '['.repeat(100_000)), 'a.yaml:'],
    ['an alias bomb', 'a: &a [0, 0, 0, 0, 0, 0, 0, 0, 0, 0]\n' + Array.from('bcdefghi', (x, i) => `${x}: &${x} [${Array(10).fill(`*${'abcdefgh'[i]}`).join(', ')}]`).join('\n'), 'its aliases repeat more than 10000 values; expected fewer'],
    ['groups without end', tail(`  crowd: {count: 9000, follow: [alice]}\ngroups:\n${Array.from({ length: 300 }, (_, i) => `  g${i}: [crowd, home]`).join('\n')}`), '233:9: group "g222": groups are written out too often'],
    ['an alias within itself', 'name: &a [*a]\n', '1:11: no anchor "a" is complete before this place'],
    ['text that would move a cursor', action('{at: 1s, "\\e[2J\\u202e": 1}'), 'unknown action "\\u{1b}[2J\\u{202e}"; expected publish,'],
    ['__proto__', tail('__proto__: {seed: 1}\n'), '9:1: "__proto__" can\'t be a name']
  ])('%s', (_what, text, expected) => {
    const { code, message } = problem(text)
    expect(code).toBe('bad-scenario')
    expect(message).toContain(expected)
    expect(message).toMatch(/^a\.yaml:\d+:\d+: [^\n]+; expected [^\n]+$/)
    // eslint-disable-next-line no-control-regex -- that is what must not be in it
    expect(message).not.toMatch(/[\u0000-\u001f\u202e]/)
  })

  it.each([
    ['', ['shows', 'duration', 'domains', 'nodes']],
    ['shows: x\nduration: 5m\nnodes: {home: {domain: alice}}\n', ['domains']],
    ['duration: 5m\ndomains:\n', ['shows', 'domains', 'nodes']]
  ])('all that a file lacks is told at once: %j', (more, missing) => {
    const found = faults('name: s\n' + more)
    expect(found.map((message) => /has no "(\w+)"/.exec(message)?.[1])).toEqual(missing)
  })

  it('and other faults of the top with it', () => {
    expect(faults('name: S\nseed: x\ndomains: []\n').map((m) => m.replace(/;.*/, ''))).toEqual([
      'a.yaml:1:1: the scenario has no "shows"', 'a.yaml:1:1: the scenario has no "duration"', 'a.yaml:1:1: the scenario has no "nodes"',
      expect.stringMatching(/1:7: .*"S"/), expect.stringMatching(/2:7: .*"x"/), expect.stringMatching(/3:10: /)
    ])
  })

  it('whatever the file: a scenario, or bad-scenario', () => {
    const words = ['name', 'at', '1s', 'node', 'home', 'publish', ':', ': ', '\n', '\n  ', '- ', '{', '}', '[', ']', ', ', '&a ', '*a', '!', '"', '\'', '|', '?', '%', '#', '-1s', 'alice', 'links', '<<', '\t', '\0']
    fc.assert(fc.property(fc.array(fc.constantFrom(...words), { maxLength: 30 }), fc.nat(400), (parts, cut) => {
      const text = (HEAD + CAST + 'timeline:\n  - {at: 1s, heal: all}\n').slice(0, cut) + parts.join('')
      try {
        load(text)
      } catch (error) {
        expect(error).toBeInstanceOf(DiadError)
        expect((error as DiadError).message).toMatch(/^a\.yaml:\d+:\d+: [^\n]*; expected [^\n]+$/)
      }
    }), { numRuns: 500 })
  })

  it('a plug-in can\'t take a key that every entry has', () => {
    const actions = new Map([['node', { name: 'node', summary: '', schema: {} }]])
    expect(() => loadScenario(HEAD + CAST, 'a.yaml', { ...PLUGINS, actions })).toThrow('can\'t be called node')
  })
})

describe('entries in plain words', () => {
  const words = (section: 'timeline' | 'expect', entry: string): string => {
    const { timeline, expectations } = withTail(`  crowd: {count: 4, follow: [alice]}\n${section}:\n  - ${entry}\n`)
    const [name, { args }] = section === 'timeline' ? [timeline[0]!.action, timeline[0]!] : [expectations[0]!.expectation, expectations[0]!]
    return (section === 'timeline' ? PLUGINS.actions : PLUGINS.expectations).get(name)!.words!(args)
  }
  it.each([
    ['node: home, publish: {name: docs/a, bytes: 100kB, key: main}', 'publishes docs/a (100 kB) with the key of main'],
    ['node: home, publish: {name: "so, (0 B)\\e", bytes: 0}', 'publishes "so, (0 B)\\u{1b}" (0 B)'],
    ['node: home, tombstone: {name: docs/a}', 'takes docs/a out of the view'],
    ['node: home, put: {bytes: 123}', 'stores 123 B and publishes nothing'],
    ['partition: [[home, bob], crowd]', 'partition: home, bob | crowd-1 to crowd-4'],
    ['partition: [[home]]', 'partition: home | the rest'],
    ['heal: all', 'all links heal'],
    ['heal: {from: home, to: [crowd-1, crowd-3]}', 'heal: home → crowd-1, crowd-3'],
    ['cut: {from: home, to: bob, bothWays: true}', 'cut: home ↔ bob'],
    ['crash: {node: home, torn: true}', 'crash of home within a write'],
    ['restart: {node: home, empty: true}', 'restart of home with an empty store'],
    ['disk: {node: home, fault: flips-a-bit}', 'the disk of home flips a bit'],
    ['backup: {node: home, as: monday}', 'backup of home as monday'],
    ['restore: {node: home, from: monday}', 'restore of home from the backup monday'],
    ['clone: {node: home, to: bob}', 'bob starts on a clone of home\'s disk'],
    ['carry: {from: home, to: [bob], domain: alice}', 'alice is carried by hand from home to bob'],
    ['node: home, export: {as: drawer}', 'writes a bundle of its domain on the stick drawer'],
    ['node: home, leave: {as: drawer}', 'leaves and wipes its disk; what it held is on the stick drawer'],
    ['node: home, grant: {to: main, roles: [publish], scope: ["", docs]}', 'grants main publish within everything, docs'],
    ['node: home, revoke: {key: main, keep: {until: 90s}}', 'revokes the key of main: what was published by 1m30s stays valid'],
    ['node: home, close: {key: main, keep: nothing}', 'closes the lanes of main: nothing stays valid'],
    ['node: home, rotate-key: {key: main}', 'replaces the key of main: of the old one what is held stays valid'],
    ['node: home, renew: {fresh: false}', 'has the roots certify the same root_key again, from the newest manifest in force on'],
    ['node: home, rotate-roots: {base: ours}', 'has the next roots take over and certify a fresh root_key, from the newest manifest of the domain\'s own people on'],
    ['node: home, move-domain: {to: alice}', 'has the roots say that its domain goes on as alice'],
    ['steal: {by: bob, of: alice, key: root-key}', 'bob steals the root_key of alice'],
    ['node: home, admit: {domain: alice, decision: limit, scope: [docs, media], keep: letter, key: main}', 'admits in part alice within docs, media on a request that is kept as letter with the key of main'],
    ['node: home, admit: {domain: alice, decision: reject}', 'turns away alice'],
    ['node: home, admit: {domain: alice, shown: letter}', 'admits alice within everything on the request letter'],
    ['node: home, vouch: {for: main, key: main}', 'vouches for the lanes of main with the key of main']
  ])('action %s', (entry, said) => expect(words('timeline', `{at: 1s, ${entry}}`)).toBe(said))

  it.each([
    ['node: bob, holds: {domain: alice, name: docs/a, content: true}', 'holds alice/docs/a with its content'],
    ['node: bob, view: {domain: alice, names: {min: 3, max: 11}, logseq: {min: 2}, has: [a, b], lacks: [c], as: home}', 'has home\'s view of alice of 3 to 11 names at logseq at least 2 with a, b without c'],
    ['converged: [alice]', 'all who hold alice have the same view'],
    ['node: bob, verdict: {domain: alice, name: a, status: contested, code: lane-forked}', 'says that alice/a is contested: lane-forked'],
    ['node: bob, verdict: {domain: alice, name: a, by: main, code: cut}', 'says that alice/a by main is cut'],
    ['node: bob, authority: {domain: alice, epoch: 1, version: 2, state: ok, lists: [main], as: home}', 'has home\'s authority of alice in epoch 1 at manifest 2 which is ok listing main'],
    ['node: bob, admitted: {domain: alice, has: [a, b], lacks: [c], with: home}', 'lets into its view of the federation, were it to know what home decided, of alice a, b and not c'],
    ['node: bob, admitted: {domain: alice, names: {max: 0}, code: not-admitted}', 'lets into its view of the federation of alice at most 0 names: not-admitted'],
    ['node: bob, evidence: {domain: alice, against: main}', 'holds a proof against main of alice'],
    ['nobody: {evidence: {domain: alice}}', 'nobody ever holds a proof against a key of alice'],
    ['nobody: {refused: {code: not-exported, peer: bob}}', 'nobody ever refused not-exported from bob'],
    ['node: bob, refused: {peer: home, domain: alice, count: {max: 3}}', 'refused something from home in alice at most 3 times'],
    ['cost: {messagesPerDelivery: {max: 60}, delayP95: {min: 1s, max: 90s}}', 'cost: messages for each delivery at most 60, 95% delay 1s to 1m30s']
  ])('expectation %s', (entry, said) => expect(words('expect', `{at: end, ${entry}}`)).toBe(said))

  it('a plug-in without words has its arguments', () => {
    expect(sayArgs('flicker', { link: ['a', 'b'], deep: { times: 3, say: 'a: b' }, off: null })).toBe('flicker link: a, b, deep: (times: 3, say: "a: b"), off: null')
    expect(sayArgs('mend', 'all')).toBe('mend all')
    expect(sayArgs('x', { long: 'a'.repeat(9999) }).length).toBeLessThan(400)
  })

  it('many names are few words', () => {
    expect(sayNames(['home', 'n-9', 'n-10', 'n-11', 'n-13', 'n-14'])).toBe('home, n-9 to n-11, n-13, n-14')
    expect(sayNames(Array.from({ length: 30 }, (_, i) => `n-${i * 2}`))).toBe('n-0, n-2, n-4, n-6, n-8, n-10, n-12, n-14 and 22 more')
  })
})

describe('the schema for editors', () => {
  const schema = scenarioSchema(PLUGINS)
  const accepts = new Ajv({ strict: true, strictTypes: false, strictRequired: false, allowUnionTypes: true }).compile(schema)

  it('is what stands in config/ (vitest -u writes it)', async () => {
    await expect(`${JSON.stringify(schema, null, 2)}\n`).toMatchFileSnapshot('../../config/scenario.schema.json')
  })

  it.each([['the example', EXAMPLE], ...readdirSync(DRAFTS).map((file) => [file, readFileSync(new URL(file, DRAFTS), 'utf8')] as [string, string])])('accepts %s, and so does the loader', (name, text) => {
    expect(accepts(parse(text)), JSON.stringify(accepts.errors)).toBe(true)
    const scenario = loadScenario(text, name, PLUGINS)
    if (name !== 'the example') expect(`${scenario.name}.yaml`).toBe(name)
  })

  it.each([
    ['an unknown action', 'timeline: [{at: 1s, publsh: {}}]'], ['two actions', 'timeline: [{at: 1s, heal: all, partition: [[home]]}]'], ['no time', 'timeline: [{heal: all}]'],
    ['a time without unit', 'tick: 5'], ['an unknown adversary', 'nodes: {eve: {adversary: forgr, follow: [alice]}}'],
    ['wrong arguments', 'nodes: {eve: {adversary: staller, follow: [alice], with: {rate: 5}}}'], ['a wrong name', 'domains: {Alice: {}}'], ['a half link', 'links: {list: [{from: home}]}']
  ])('refuses %s', (_what, lines) => {
    expect(accepts({ ...parse(HEAD + CAST), ...parse(lines) })).toBe(false)
  })
})

it('a thousand domains load in well under a second', () => {
  const scenario = loadScenario(readFileSync(new URL('thousand-domains.yaml', DRAFTS), 'utf8'), 'thousand-domains.yaml', PLUGINS)
  expect([scenario.domains.length, scenario.nodes.length, scenario.timeline.length]).toEqual([1000, 1000, 10_000])
  expect(scenario.nodes[999]).toMatchObject({ name: 'n-1000', domain: 'd-1000', keys: ['main'], random: { count: 10 } })
})
