/** The simulator itself: equal seeds give equal runs, every scenario that comes with it holds, and a run that is wrong says so. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Plugins } from '../../sim/plugin.js'
import { renderReport } from '../../sim/report/report.js'
import { runLines } from '../../src/cli/sim-render.js'
import { styleFor } from '../../src/cli/style.js'
import { PLUGINS } from '../../sim/plugins.js'
import { runScenario } from '../../sim/run.js'
import { loadScenario } from '../../sim/scenario/load.js'
import type { Scenario } from '../../sim/scenario/types.js'

const folder = join(import.meta.dirname, '../../sim/scenarios')
const load = (name: string): Scenario => loadScenario(readFileSync(join(folder, `${name}.yaml`), 'utf8'), `${name}.yaml`, PLUGINS)

/** Those that take longer run in `npm run test:slow`. */
const LONG = new Set(['bad-week', 'thousand-domains'])
const scenarios = readdirSync(folder).filter((f) => f.endsWith('.yaml')).map((f) => f.slice(0, -5)).filter((n) => !LONG.has(n))

test.each(scenarios)('scenario %s', async (name) => {
  const result = await runScenario(load(name), PLUGINS)
  expect(result.violations).toEqual([])
  expect(result.cost.updates).toBeGreaterThan(0)
}, 60_000)

test('equal seeds give equal traces, other seeds others', async () => {
  const scenario = load('partition-heals')
  const [a, b, c] = [await runScenario(scenario, PLUGINS), await runScenario(scenario, PLUGINS), await runScenario(scenario, PLUGINS, { seed: 17 })]
  expect(b.digest).toBe(a.digest)
  expect(b.cost).toEqual(a.cost)
  expect(b.domains).toEqual(a.domains)
  expect(c.digest).not.toBe(a.digest)
})

const SMALL = `
name: small
shows: A publisher and a mirror.
seed: 1
duration: 60s
domains: {alice: {}}
nodes:
  home: {domain: alice}
  bob: {follow: [alice], mode: mirror}
timeline:
  - {at: 1s, node: home, publish: {name: a, bytes: 1kB}}
`
const small = (more: string, plugins: Plugins = PLUGINS): Scenario => loadScenario(SMALL + more, 'small.yaml', plugins)

test('an expectation that isn\'t met fails the run, with its line and what was found', async () => {
  const result = await runScenario(small('expect:\n  - {at: end, node: bob, holds: {domain: alice, name: b}}\n'), PLUGINS)
  expect(result.status).toBe('failed')
  expect(result.violations).toMatchObject([{ invariant: 'expectation', node: 'bob', line: 13 }])
  expect(result.violations[0]?.text).toContain('1 names, and not this one')
})

test('what holds by some time may come late; what must never be is asked all the time', async () => {
  const early = await runScenario(small('expect:\n  - {by: 500ms, node: bob, holds: {domain: alice, name: a}}\n'), PLUGINS)
  expect(early.status).toBe('failed')
  const late = await runScenario(small('expect:\n  - {by: 30s, node: bob, holds: {domain: alice, name: a, content: true}}\n'), PLUGINS)
  expect(late.violations).toEqual([])
  const never = await runScenario(small('  - {at: 20s, node: home, tombstone: {name: a}}\nexpect:\n  - {at: end, nobody: {holds: {domain: alice, name: a}}}\n'), PLUGINS)
  expect(never.status).toBe('failed')
})

test('an invariant that a run breaks is named, and ends the run before it floods', async () => {
  const broken: Plugins = { ...PLUGINS, invariants: [{ name: 'nothing-changes', summary: '', create: () => ({ changed: () => 'it changed' }) }] }
  const result = await runScenario(small(''), broken)
  expect(result.violations[0]).toMatchObject({ invariant: 'nothing-changes' })
  expect(result.violations.length).toBeLessThanOrEqual(20)
})

test('an action that can\'t be done fails the run with its line', async () => {
  const result = await runScenario(small('  - {at: 5s, restore: {node: bob, from: monday}}\n'), PLUGINS)
  expect(result.violations).toMatchObject([{ invariant: 'timeline', line: 12 }])
})

const APART = `
name: apart
shows: A publisher, a mirror and a follower with no network between them.
seed: 1
duration: 60s
domains: {alice: {}, carol: {}}
nodes:
  home: {domain: alice}
  carol: {domain: carol, follow: [alice], mode: mirror}
  bob: {follow: [alice, carol], mode: mirror}
  dora: {follow: [alice]}
links: {topology: none, discover: false}
timeline:
  - {at: 1s, node: home, publish: {name: a, bytes: 20MB}}
  - {at: 1s, node: carol, publish: {name: c, bytes: 300kB}}
`

test('what is carried by hand brings a mirror the content too, also of what it knew already, and others none', async () => {
  const apart = loadScenario(`${APART}
  # A stick isn't pulled out before a slow disk has written what is on it.
  - {at: 9s, disk: {node: bob, fault: slow}}
  - {at: 10s, carry: {from: home, to: [bob, dora], domain: alice}}
  - {at: 19s, disk: {node: bob, fault: none}}
  - {at: 20s, carry: {from: carol, to: bob, domain: carol}}
  # From one node two domains at once, the second of which it has by hand itself.
  - {at: 31s, carry: {from: bob, to: carol, domain: carol}}
  - {at: 31s, carry: {from: bob, to: carol, domain: alice}}
  - {at: 25s, node: home, publish: {name: b, bytes: 700kB}}
  - {at: 30s, carry: {from: home, to: dora, domain: alice}}
  - {at: 40s, carry: {from: dora, to: bob, domain: alice}}
  - {at: 50s, carry: {from: home, to: bob, domain: alice}}
expect:
  - {at: 9s, node: bob, view: {domain: alice, names: {max: 0}}}
  - {at: 30s, node: bob, holds: {domain: alice, name: a, content: true}}
  - {at: 15s, node: dora, view: {domain: alice, has: [a]}}
  - {at: 24s, node: bob, holds: {domain: carol, name: c, content: true}}
  - {at: 39s, node: carol, holds: {domain: alice, name: a, content: true}}
  - {at: 49s, node: bob, view: {domain: alice, has: [b]}}
  - {at: end, node: bob, holds: {domain: alice, name: b, content: true}}
  - {at: end, cost: {messages: {max: 0}}}
`, 'apart.yaml', PLUGINS)
  const result = await runScenario(apart, PLUGINS)
  expect(result.violations).toEqual([])
  expect((await runScenario(apart, PLUGINS)).digest).toBe(result.digest)

  for (const [at, node, name] of [['15s', 'dora', 'a'], ['49s', 'bob', 'b']] as const) {
    const wrong = loadScenario(`${APART}
  - {at: 2s, carry: {from: home, to: [bob, dora], domain: alice}}
  - {at: 25s, node: home, publish: {name: b, bytes: 700kB}}
  - {at: 30s, carry: {from: home, to: dora, domain: alice}}
  - {at: 40s, carry: {from: dora, to: bob, domain: alice}}
expect:
  - {at: ${at}, node: ${node}, holds: {domain: alice, name: ${name}, content: true}}
`, 'wrong.yaml', PLUGINS)
    expect((await runScenario(wrong, PLUGINS)).violations).toMatchObject([{ invariant: 'expectation', node }])
  }
})

test('a run says when links came up by discovery although the topology is none', async () => {
  const notes = async (links: string): Promise<readonly string[]> => (await runScenario(small(`links: ${links}\n`), PLUGINS)).notes
  expect(await notes('{topology: none}')).toEqual([expect.stringMatching(/^topology is none, and 1 link came up by discovery; /)])
  expect(await notes('{topology: none, list: [{between: [home, bob]}]}')).toEqual([])
  expect(await notes('{topology: none, discover: true}')).toEqual([])
  expect(await notes('{topology: none, discover: false}')).toEqual([])
  expect(await notes('{topology: line}')).toEqual([])
})

test('a run says, in its text and on its page, what a node refused to do itself', async () => {
  const scenario = loadScenario(`
name: overstepped
shows: A key that may write under builds alone.
seed: 1
duration: 60s
domains: {alice: {principals: {main: {}, ci: {roles: [produce], scope: [builds]}}}}
nodes: {home: {domain: alice, keys: [main, ci]}, bob: {follow: [alice]}}
timeline:
  - {at: 1s, node: home, publish: {name: builds/1, key: ci}}
  - {at: 2s, node: home, publish: {name: www/1, key: ci}}
  - {every: 5s, from: 10s, times: 3, node: home, publish: {name: "www/{n}", key: ci}}
  - {at: 30s, node: home, tombstone: {name: www/1, key: ci}}
`, 'overstepped.yaml', PLUGINS)
  const result = await runScenario(scenario, PLUGINS, { keepTrace: true })
  expect([result.status, result.notes]).toEqual(['passed', [expect.stringMatching(/^home refused publish 4 times, first at 0:00:02\.000: out-of-scope \(/), expect.stringMatching(/^home refused the tombstone at 0:00:30\.000: /)]])
  const text = runLines(result, [], undefined, styleFor(false, {}), 100).join('\n')
  const page = renderReport(result)
  for (const note of result.notes) {
    expect(text).toContain(note)
    expect(page).toContain(note.slice(0, note.indexOf(' (')))
  }
  expect(renderReport({ ...result, notes: [] })).not.toContain('notes-title')
})
