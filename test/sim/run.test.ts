/** The simulator itself: equal seeds give equal runs, every scenario that comes with it holds, and a run that is wrong says so. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Plugins } from '../../sim/plugin.js'
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
