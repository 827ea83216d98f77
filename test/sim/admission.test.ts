/** Admission in the simulator: decisions have their effect, nobody hears of them, and what watches them can bark. */
import { expect, test, vi } from 'vitest'
import { action, type Plugins } from '../../sim/plugin.js'
import { PLUGINS } from '../../sim/plugins.js'
import { runScenario } from '../../sim/run.js'
import { loadScenario } from '../../sim/scenario/load.js'
import type { RunResult } from '../../sim/trace.js'
import { append, deskOf } from '../../sim/world/publisher.js'
import type * as Admission from '../../src/authority/admission.js'
import { admitRefs } from '../../src/authority/admission.js'

/** Lets the federation's view be a wrong one. */
const broken = vi.hoisted(() => ({ scope: false, withdrawn: false }))
vi.mock('../../src/authority/admission.js', async (original) => {
  const real = await original<typeof Admission>()
  return {
    ...real,
    limitView: (...[view, admitted]: Parameters<typeof Admission.limitView>) => {
      const whole = { code: undefined, entries: [...view.current.values()], refused: [] }
      return (broken.scope && admitted?.decision === 'ACCEPTED_LIMITED') || (broken.withdrawn && admitted?.decision === 'REJECTED') ? whole : real.limitView(view, admitted)
    }
  }
})

const CAST = `name: t
shows: who is let in
duration: 2m
domains:
  alice:
    principals:
      main: {}
      clerk: {roles: [publish, audit]}
  bob: {}
nodes:
  home: {domain: alice, keys: [main], follow: [bob]}
  desk: {domain: alice, keys: [clerk], follow: [bob]}
  spare: {domain: alice, follow: [bob]}
  bob: {domain: bob, keys: [main], follow: [alice]}
  crowd: {count: 2, follow: [alice, bob], mode: mirror}
timeline:
  - {at: 1s, node: bob, publish: {name: docs/a}}
  - {at: 2s, node: bob, publish: {name: notes}}
`

async function run (text: string, plugins: Plugins = PLUGINS): Promise<RunResult> {
  return await runScenario(loadScenario(CAST + text, 't.yaml', plugins), plugins, { keepTrace: true })
}

test.each([
  ['a scope limits the view, and a wider request replaces it', `  - {at: 10s, node: home, admit: {domain: bob, scope: [docs]}}
  - {at: 30s, node: home, admit: {domain: bob}}
expect:
  - {at: 5s, node: home, admitted: {domain: bob, code: admission-missing, names: {max: 0}}}
  - {at: 20s, node: home, admitted: {domain: bob, has: [docs/a], lacks: [notes], code: accepted}}
  - {at: end, node: home, admitted: {domain: bob, has: [docs/a, notes]}}
`],
  ['put off and turned away after all', `  - {at: 10s, node: home, admit: {domain: bob}}
  - {at: 30s, node: home, admit: {domain: bob, decision: defer}}
  - {at: 50s, node: home, admit: {domain: bob, decision: reject}}
expect:
  - {at: 20s, node: home, admitted: {domain: bob, names: {min: 2}}}
  - {at: 40s, node: home, admitted: {domain: bob, names: {max: 0}, code: admission-missing}}
  - {at: end, node: home, admitted: {domain: bob, names: {max: 0}, code: not-admitted}}
`],
  ['what was decided outlives a crash, and is on a copy of the disk', `  - {at: 10s, node: home, admit: {domain: bob}}
  - {at: 20s, crash: {node: home}}
  - {at: 21s, restart: {node: home}}
  - {at: 30s, clone: {node: home, to: spare}}
expect:
  - {at: 9s, node: spare, admitted: {domain: bob, code: admission-missing}}
  - {at: end, node: home, admitted: {domain: bob, has: [docs/a, notes]}}
  - {at: end, node: spare, admitted: {domain: bob, has: [docs/a, notes]}}
`],
  ['who may not federate, or is nobody, decides nothing', `  - {at: 10s, node: desk, admit: {domain: bob}}
  - {at: 10s, node: crowd, admit: {domain: bob}}
expect:
  - {at: end, node: desk, admitted: {domain: bob, code: admission-missing}}
`],
  ['K3: with the lane that holds it, a decision ends', `  - {at: 10s, node: home, admit: {domain: bob}}
  - {at: 20s, node: home, close: {key: main, keep: nothing}}
expect:
  - {at: 15s, node: home, admitted: {domain: bob, names: {min: 2}}}
  - {at: end, node: home, admitted: {domain: bob, names: {max: 0}, code: admission-missing}}
`]
])('%s', async (_what, text) => {
  expect((await run(`${text}  - {at: end, converged: [alice, bob]}\n`)).violations).toEqual([])
})

test('an expectation that isn\'t met says what was found', async () => {
  const { violations } = await run('  - {at: 10s, node: home, admit: {domain: bob, scope: [docs]}}\nexpect:\n  - {at: end, node: home, admitted: {domain: bob, has: [notes]}}\n  - {at: end, node: home, admitted: {domain: bob, code: not-admitted}}\n')
  expect(violations).toHaveLength(2)
  for (const v of violations) expect(v.text).toContain('accepted, ACCEPTED: docs/a; 1 left out')
})

test('THREATS 22: a decision that stood in a published lane would be seen on the wire', async () => {
  const leak = action({
    name: 'leak', node: 'required', summary: 'Leaks.', schema: { type: 'object' },
    run: async (world, _args, node) => {
      if (node === undefined) return
      const [ref] = admitRefs((await deskOf(world, node)).k)
      if (ref !== undefined) await append(world, node, { kind: 'admit', ref })
    }
  })
  const plugins = { ...PLUGINS, actions: new Map([...PLUGINS.actions, ['leak', leak]]) }
  const text = (then: string): string => `  - {at: 10s, node: home, admit: {domain: bob}}\n  - {at: 20s, node: home, ${then}}\nexpect:\n  - {at: end, converged: [alice]}\n`
  expect((await run(text('publish: {name: x}'), plugins)).violations).toEqual([])
  expect((await run(text('leak: {}'), plugins)).violations.map((v) => v.invariant)).toContain('internal-stays-internal')
})

test.each([
  ['the scope', 'scope', 'admit: {domain: bob, decision: limit, scope: [docs]}', 'bob/notes'],
  ['a withdrawal', 'withdrawn', 'admit: {domain: bob, decision: reject}', 'bob/docs/a']
] as const)('a view that pays no heed to %s is found out', async (_what, fault, then, name) => {
  const text = `  - {at: 10s, node: home, admit: {domain: bob}}\n  - {at: 20s, node: home, ${then}}\nexpect:\n  - {at: end, converged: [alice]}\n`
  expect((await run(text)).violations).toEqual([])
  broken[fault] = true
  try {
    expect((await run(text)).violations).toEqual(expect.arrayContaining([expect.objectContaining({ invariant: 'nothing-unadmitted', text: expect.stringContaining(name) })]))
  } finally {
    broken[fault] = false
  }
})
