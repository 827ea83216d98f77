import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ADVERSARIES } from '../../sim/adversaries/index.js'
import { expectation, type Plugins } from '../../sim/plugin.js'
import { PLUGINS } from '../../sim/plugins.js'
import { runScenario } from '../../sim/run.js'
import { loadScenario } from '../../sim/scenario/load.js'
import type { RunResult } from '../../sim/trace.js'
import { withUserPlugins } from '../../sim/user-plugins.js'
import type { World } from '../../sim/world/world.js'

interface Ran { readonly result: RunResult, readonly world: World }

/** A run with everything that watches it, and the world as it was at the end. */
async function run (text: string, plugins: Plugins = PLUGINS): Promise<Ran> {
  let world: World | undefined
  const look = expectation({ name: 'look', node: 'none', summary: 'Keeps the world.', schema: { type: 'object' }, check: (w) => { world = w; return { met: true, found: '' } } })
  const all = { ...plugins, expectations: new Map([...plugins.expectations, ['look', look]]) }
  const scenario = loadScenario(`name: t\nshows: an adversary at work\n${text}  - {at: end, look: {}}\n`, 't.yaml', all)
  const result = await runScenario(scenario, all, { keepTrace: true })
  if (world === undefined) throw new Error(`the run ended early: ${JSON.stringify(result.violations)}`)
  return { result, world }
}

const codes = (world: World, peer: string, node?: string): string[] => [...new Set(world.refusals.filter((r) => r.peer === peer && (node === undefined || r.node === node)).map((r) => r.code))]
const banned = (world: World, by: string, peer: string): boolean => world.node(by).standing.banned(peer)

/** alice publishes for half a minute; bob mirrors, carol follows, and the adversary is everybody's near neighbour while the honest ones are far apart. */
function town (adversary: string, options: { readonly with?: string, readonly count?: number, readonly more?: string, readonly expect?: string, readonly times?: number } = {}): string {
  return `duration: 70s
domains: {alice: {}, other: {}}
nodes:
  home: {domain: alice}
  bob: {follow: [alice, other], mode: mirror}
  carol: {follow: [alice, other]}
  liar: {${options.count === undefined ? '' : `count: ${options.count}, `}adversary: ${adversary}, follow: [alice, other], with: {${options.with ?? 'start: 5s'}}}
links:
  default: {latency: 150ms}
  list:
    - {between: [liar, all], latency: 5ms}
timeline:
  - {every: 3s, from: 1s, times: ${options.times ?? 10}, node: home, publish: {name: "n/{n}", bytes: 2kB}}
${options.more ?? ''}expect:
  - {by: 65s, node: bob, holds: {domain: alice, name: n/${options.times ?? 10}, content: true}}
  - {by: 65s, node: carol, holds: {domain: alice, name: n/${options.times ?? 10}}}
  - {at: end, converged: [alice]}
  - {at: end, nobody: {evidence: {domain: alice}}}
${options.expect ?? ''}`
}

describe('each adversary does harm, and the honest go on', () => {
  it('is one of those that scenarios know', () => {
    expect([...ADVERSARIES.keys()].sort()).toEqual([
      'eclipser', 'equivocator', 'fisher', 'flooder', 'forger', 'key-thief', 'malformed', 'replayer', 'role-forger', 'root-thief', 'stale-manifest', 'stale-mirror', 'staller', 'sybil', 'weak-key', 'withholder'
    ])
  })

  it('forger: what it signs is refused by its code, and costs it its standing', async () => {
    const { result, world } = await run(town('forger', { expect: '  - {at: end, nobody: {holds: {domain: alice, name: forged}}}\n' }))
    expect(result.violations).toEqual([])
    expect(codes(world, 'liar')).toEqual(expect.arrayContaining(['bad-signature', 'bad-evidence']))
    // Who has nothing to offer is asked seldom, so it may take more than a minute until somebody bans it.
    for (const name of ['bob', 'carol']) expect(world.node(name).standing.points('liar')).toBeGreaterThanOrEqual(25)
  })

  it('equivocator: everybody gets the earliest proof, and only against it', async () => {
    const { result, world } = await run(`duration: 60s
domains: {alice: {}, carol: {}}
nodes:
  twoface: {domain: alice, adversary: equivocator, with: {start: 5s, names: [price]}}
  crowd: {count: 4, follow: [alice, carol]}
  carol: {domain: carol, follow: [alice]}
timeline:
  - {at: 1s, node: carol, publish: {name: hello, bytes: 1kB}}
expect:
  - {by: 30s, node: crowd, evidence: {domain: alice, against: main}}
  - {at: end, node: carol, verdict: {domain: alice, name: price, status: contested}}
  - {at: end, nobody: {evidence: {domain: carol}}}
  - {at: end, converged: [alice, carol]}
`)
    expect(result.violations).toEqual([])
    const proven = world.holders(world.domain('alice')).map(({ k }) => [...k.lanes.values()].map((l) => l.evidence?.index))
    expect(proven).toEqual(proven.map(() => [1]))
  })

  it('replayer: old heads are noted as superseded and nobody goes back', async () => {
    const { result, world } = await run(town('replayer', { with: 'start: 5s, delay: 8s', more: '  - {at: 35s, node: home, tombstone: {name: n/1}}\n', expect: '  - {at: end, node: carol, view: {domain: alice, lacks: [n/1]}}\n' }))
    expect(result.violations).toEqual([])
    const echoes = result.trace.filter((e) => e.kind === 'sent' && e.from === 'liar' && e.what === 'gossip').length
    expect(echoes).toBeGreaterThan(20)
    expect(codes(world, 'home')).toEqual([])
  })

  it('withholder: who announces and gives nothing is refused for it', async () => {
    const { result, world } = await run(town('withholder', { count: 3, times: 14, expect: '  - {at: end, nobody: {refused: {code: over-budget}}}\n' }))
    expect(result.violations).toEqual([])
    expect(world.refusals.map((r) => r.code)).toContain('log-withheld')
    // What liars repeat without end, the honest pass on once.
    expect(result.cost.messages).toBeLessThan(5000)
  })

  it('staller: it is waited for once, then others are asked', async () => {
    const { result, world } = await run(town('staller', { with: 'start: 2s, rate: 1B/s', times: 3 }))
    expect(result.violations).toEqual([])
    expect(codes(world, 'liar', 'bob')).toContain('peer-gone')
    expect(world.node('bob').standing.points('liar')).toBeGreaterThan(0)
  })

  it('flooder: the budgets cut it off within seconds', async () => {
    const { result, world } = await run(town('flooder', { with: 'start: 5s, rate: 2000, until: 9s' }))
    expect(result.violations).toEqual([])
    expect(world.refusals.filter((r) => r.peer === 'liar').map((r) => r.code)).toContain('over-budget')
    expect(banned(world, 'home', 'liar')).toBe(true)
  })

  it('sybil: many that agree are still refused, one after the other', async () => {
    const { result, world } = await run(town('sybil', { count: 8, expect: '  - {at: end, nobody: {holds: {domain: alice, name: forged}}}\n' }))
    expect(result.violations).toEqual([])
    const out = Array.from({ length: 8 }, (_, i) => `liar-${i + 1}`).filter((peer) => banned(world, 'home', peer))
    expect(out.length).toBeGreaterThan(3)
    expect(codes(world, out[0] as string)).toContain('bad-signature')
  })

  it('eclipser: the victim sees less and nobody hears it, until one honest link is there', async () => {
    const { result } = await run(`duration: 80s
domains:
  alice: {principals: {a: {roles: [publish, federate]}, b: {roles: [publish, federate]}, c: {roles: [publish, federate]}, d: {roles: [publish, federate]}}}
  victim: {}
nodes:
  n: {count: 4, domain: alice, keys: [], follow: [victim]}
  a: {domain: alice, keys: [a], follow: [victim]}
  b: {domain: alice, keys: [b], follow: [victim]}
  c: {domain: alice, keys: [c], follow: [victim]}
  d: {domain: alice, keys: [d], follow: [victim]}
  victim: {domain: victim, follow: [alice]}
  liar: {adversary: eclipser, follow: [alice, victim], with: {victim: victim}}
timeline:
  - {at: 0, cut: {from: victim, to: [a, b, c, d, n], bothWays: true}}
  - {at: 2s, node: a, publish: {name: a}}
  - {at: 3s, node: b, publish: {name: b}}
  - {at: 4s, node: c, publish: {name: c}}
  - {at: 5s, node: d, publish: {name: d}}
  - {at: 6s, node: victim, publish: {name: cry}}
  - {at: 40s, heal: all}
expect:
  - {at: 39s, node: victim, view: {domain: alice, names: {min: 1, max: 3}}}
  - {at: 39s, node: a, view: {domain: victim, names: {max: 0}}}
  - {by: 70s, node: victim, view: {domain: alice, has: [a, b, c, d], as: a}}
  - {by: 70s, node: n, holds: {domain: victim, name: cry}}
  - {at: end, converged: [alice, victim]}
`)
    expect(result.violations).toEqual([])
  })

  it('stale-mirror: who has only it stays behind without accusing anybody', async () => {
    const { result, world } = await run(`duration: 90s
domains: {alice: {}}
nodes:
  home: {domain: alice}
  lonely: {follow: [alice]}
  liar: {adversary: stale-mirror, follow: [alice], with: {freeze: 10s}}
timeline:
  - {at: 0, cut: {from: home, to: lonely, bothWays: true}}
  - {at: 2s, node: home, publish: {name: old}}
  - {at: 15s, node: home, publish: {name: new}}
  - {at: 50s, heal: all}
expect:
  - {at: 49s, node: lonely, view: {domain: alice, has: [old], lacks: [new]}}
  - {by: 80s, node: lonely, holds: {domain: alice, name: new}}
  - {at: end, converged: [alice]}
  - {at: end, nobody: {evidence: {domain: alice}}}
`)
    expect(result.violations).toEqual([])
    // True and old: that costs nothing.
    expect(world.node('lonely').standing.points('liar')).toBe(0)
    expect(result.trace.some((e) => e.kind === 'noted' && e.peer === 'liar' && e.code === 'superseded')).toBe(true)
  })

  it('malformed: bytes that break their shape cost their sender', async () => {
    const { result, world } = await run(town('malformed', { with: 'start: 5s, rate: 30' }))
    expect(result.violations).toEqual([])
    expect(codes(world, 'liar')).toContain('malformed')
    for (const node of ['home', 'bob', 'carol']) expect(banned(world, node, 'liar')).toBe(true)
  })

  it('has the same trace again with the same seed', async () => {
    const text = town('forger', { times: 4 })
    expect((await run(text)).result.digest).toBe((await run(text)).result.digest)
  })
})

describe('a plug-in of a user\'s own', () => {
  const GUIDE = readFileSync(new URL('../../docs/sim-plugins.md', import.meta.url), 'utf8')
  const examples = [...GUIDE.matchAll(/```js\n\/\/ (\S+\.mjs)\n(.*?)```/gs)].map(([, name, text]) => ({ name: name as string, text: text as string }))
  const [, scenario = ''] = /```yaml\n(.*?)```/s.exec(GUIDE) ?? []

  it('is what the guide shows, word by word', async () => {
    expect(examples.map((e) => e.name)).toEqual(['hang-up.mjs', 'banned.mjs', 'small-frames.mjs', 'babbler.mjs'])
    const dir = mkdtempSync(join(tmpdir(), 'diad-plugins-'))
    try {
      for (const { name, text } of examples) writeFileSync(join(dir, name), text)
      const plugins = await withUserPlugins(PLUGINS, examples.map(({ name }) => ({ path: join(dir, name), label: name })))
      const loaded = loadScenario(scenario, 'own.yaml', plugins)
      expect((await runScenario(loaded, plugins)).violations).toEqual([])
      // The invariant is asked: with a smaller bound it finds something.
      const strict = { ...plugins, invariants: plugins.invariants.map((i) => i.name !== 'small-frames' ? i : { ...i, create: () => ({ frame: (_n: unknown, _c: unknown, _d: unknown, bytes: Uint8Array) => bytes.length > 0 ? 'a frame' : undefined }) }) }
      expect((await runScenario(loaded, strict)).violations[0]).toMatchObject({ invariant: 'small-frames' })
    } finally {
      rmSync(dir, { recursive: true })
    }
  })

  it.each<[string, Plugins['adversaries'] extends ReadonlyMap<string, infer A> ? A : never]>([
    ['when it is made', { name: 'bad', summary: 'x', schema: { type: 'object' }, create: () => { throw new Error('oops') } }],
    ['in a hook', { name: 'bad', summary: 'x', schema: { type: 'object' }, create: () => ({ frame: () => { throw new Error('oops') } }) }],
    ['later, in a promise', { name: 'bad', summary: 'x', schema: { type: 'object' }, create: (kit) => ({ tick: () => { void kit.node.guard.run(() => Promise.reject(new Error('oops')), () => Promise.resolve()) } }) }]
  ])('that throws %s fails the run under its name, once, and is honest from then on', async (_when, bad) => {
    const plugins = { ...PLUGINS, adversaries: new Map([...PLUGINS.adversaries, ['bad', bad]]) }
    const { result } = await run(town('bad', { with: '', times: 2 }), plugins)
    expect(result.status).toBe('failed')
    expect(result.violations.map((v) => [v.invariant, v.node, v.text])).toEqual([['adversary', 'liar', 'adversary bad threw: oops']])
  })
})
