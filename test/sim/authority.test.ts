/** What owners and thieves do in the simulator: each change has its effect, each lie is told, and each watchdog can bark. */
import { expect, test } from 'vitest'
import { expectation, type Invariant, type Plugins } from '../../sim/plugin.js'
import { PLUGINS } from '../../sim/plugins.js'
import { authorityKept } from '../../sim/invariants/authority-kept.js'
import { verdictsStand } from '../../sim/invariants/verdicts-stand.js'
import { withinRights } from '../../sim/invariants/within-rights.js'
import { runScenario } from '../../sim/run.js'
import { loadScenario } from '../../sim/scenario/load.js'
import type { RunResult } from '../../sim/trace.js'
import type { World } from '../../sim/world/world.js'

/** A run with everything that watches it; `look` sees the world at its end. */
async function run (text: string, look: (world: World) => void = () => undefined, plugins: Plugins = PLUGINS): Promise<RunResult> {
  const end = expectation({ name: 'look', node: 'none', summary: 'Looks.', schema: { type: 'object' }, check: (world) => { look(world); return { met: true, found: '' } } })
  const all = { ...plugins, expectations: new Map([...plugins.expectations, ['look', end]]) }
  return await runScenario(loadScenario(`name: t\nshows: owners at work\n${text}  - {at: end, look: {}}\n`, 't.yaml', all), all, { keepTrace: true })
}

const CAST = `duration: 3m
domains:
  alice:
    principals:
      main: {}
      laptop: {scope: [docs]}
      spare: {later: true}
  later: {}
  yonder: {}
nodes:
  home: {domain: alice, keys: [main]}
  laptop: {domain: alice, keys: [laptop]}
  spare: {domain: alice, keys: [spare]}
  bob: {follow: [alice], mode: mirror}
timeline:
  - {at: 1s, node: home, publish: {name: a}}
  - {at: 2s, node: laptop, publish: {name: docs/1}}
`

test.each([
  ['grant: a new key publishes', `  - {at: 10s, node: home, grant: {to: spare}}
  - {at: 60s, node: spare, publish: {name: new}}
expect:
  - {at: 9s, node: bob, authority: {domain: alice, version: 1, lists: [main, laptop]}}
  - {at: end, node: bob, authority: {domain: alice, version: 2, lists: [main, laptop, spare]}}
  - {at: end, node: bob, holds: {domain: alice, name: new}}
`],
  ['grant: a wider scope holds for a new lane', `  - {at: 10s, node: laptop, publish: {name: media/1}}
  - {at: 12s, node: home, grant: {to: laptop, scope: [docs, media]}}
  - {at: 60s, node: laptop, publish: {name: media/2}}
expect:
  - {at: end, node: bob, view: {domain: alice, has: [docs/1, media/2], lacks: [media/1]}}
`],
  ['grant: a narrower one ends the lane, and keeps what is held', `  - {at: 10s, node: home, grant: {to: laptop, scope: [docs/drafts]}}
  - {at: 20s, node: laptop, publish: {name: docs/2}}
  - {at: 60s, node: laptop, publish: {name: docs/drafts/1}}
expect:
  - {at: end, node: bob, view: {domain: alice, has: [docs/1, docs/drafts/1], lacks: [docs/2]}}
`],
  ['revoke, and then the key is dropped for ever: who comes back has a fresh one', `  - {at: 10s, node: home, revoke: {key: laptop, keep: nothing}}
  - {at: 20s, node: laptop, publish: {name: docs/2}}
  - {at: 60s, node: home, grant: {to: laptop}}
  - {at: 110s, node: laptop, publish: {name: docs/3}}
expect:
  - {at: 59s, node: bob, view: {domain: alice, has: [a], lacks: [docs/1, docs/2]}}
  - {at: end, node: bob, view: {domain: alice, has: [a, docs/3], lacks: [docs/1, docs/2]}}
  - {at: end, node: bob, verdict: {domain: alice, name: docs/1, by: laptop, status: void, code: closed}}
`],
  ['close: at what was known by a time, lowered later, and never raised', `  - {at: 5s, node: laptop, publish: {name: docs/2}}
  - {at: 8s, node: laptop, publish: {name: docs/3}}
  - {at: 15s, node: home, close: {key: laptop, keep: {until: 7s}}}
  - {at: 60s, node: home, close: {key: laptop, keep: {until: 4s}}}
  - {at: 100s, node: home, close: {key: laptop, keep: {until: 10s}}}
  - {at: 145s, node: laptop, publish: {name: docs/4}}
expect:
  - {at: 59s, node: bob, view: {domain: alice, has: [docs/1, docs/2], lacks: [docs/3]}}
  - {at: 99s, node: bob, view: {domain: alice, has: [docs/1], lacks: [docs/2, docs/3]}}
  - {at: end, node: bob, view: {domain: alice, has: [docs/1, docs/4], lacks: [docs/2, docs/3]}}
  - {at: end, node: bob, verdict: {domain: alice, name: docs/3, by: laptop, status: void, code: cut}}
`],
  ['rotate-key: whoever holds the key goes on with the new one', `  - {at: 10s, node: home, rotate-key: {key: laptop}}
  - {at: 60s, node: laptop, publish: {name: docs/2}}
expect:
  - {at: end, node: bob, view: {domain: alice, has: [docs/1, docs/2]}}
  - {at: end, node: bob, authority: {domain: alice, version: 2, lists: [main, laptop]}}
`],
  ['renew and rotate-roots: other keys, the same domain', `  - {at: 10s, node: home, renew: {}}
  - {at: 15s, node: home, anchor: {}}
  - {at: 20s, node: home, rotate-roots: {}}
  - {at: 25s, node: home, rotate-roots: {fresh: false}}
  - {at: 30s, node: home, grant: {to: spare}}
  - {at: 35s, node: home, publish: {name: b}}
expect:
  - {at: end, node: bob, authority: {domain: alice, epoch: 3, version: 3, state: ok, lists: [main, laptop, spare]}}
  - {at: end, node: bob, view: {domain: alice, has: [a, b, docs/1]}}
`],
  ['move-domain: followers hear of it and go on as they were; a rotation takes it back', `  - {at: 10s, node: home, move-domain: {to: later}}
  - {at: 50s, node: laptop, move-domain: {to: yonder}}
  - {at: 60s, node: laptop, publish: {name: docs/2}}
  - {at: 61s, crash: {node: bob}}
  - {at: 62s, restart: {node: bob}}
  - {at: 110s, node: home, rotate-roots: {}}
expect:
  - {by: 49s, node: bob, authority: {domain: alice, moved: [later]}}
  - {at: 109s, node: bob, authority: {domain: alice, moved: [later, yonder], epoch: 0}}
  - {at: 109s, node: spare, authority: {domain: alice, moved: [later, yonder], as: bob}}
  - {at: 109s, node: bob, view: {domain: alice, has: [a, docs/1, docs/2]}}
  - {at: end, node: bob, authority: {domain: alice, moved: [], epoch: 1, state: ok}}
`],
  ['erase: the name is what it was before', `  - {at: 10s, node: home, publish: {name: a}}
  - {at: 15s, node: home, tombstone: {name: a}}
  - {at: 20s, node: home, erase: {name: a}}
expect:
  - {at: 19s, node: bob, view: {domain: alice, lacks: [a]}}
  - {at: end, node: bob, view: {domain: alice, has: [a]}}
`],
  ['what is durable at the owner outlives a crash', `  - {at: 10s, node: home, grant: {to: spare}}
  - {at: 11s, crash: {node: home}}
  - {at: 12s, restart: {node: home}}
expect:
  - {at: end, node: home, authority: {domain: alice, version: 2}}
`]
])('%s', async (_what, text) => {
  expect((await run(`${CAST}${text}  - {at: end, converged: [alice]}\n`)).violations).toEqual([])
})

test('what the rules forbid is refused, and isn\'t a failure', async () => {
  const { violations, trace } = await run(`${CAST}  - {at: 10s, node: home, grant: {to: laptop}}
  - {at: 12s, node: home, revoke: {key: spare}}
  - {at: 14s, node: home, revoke: {key: laptop}}
  - {at: 16s, node: home, revoke: {key: main}}
  - {at: 18s, node: bob, renew: {}}
expect:
`)
  expect(violations).toEqual([])
  expect(trace.flatMap((e) => e.kind === 'action' && e.action.endsWith(' refused') ? [e.text] : [])).toEqual([
    'grant refused: nothing-to-change', 'revoke refused: not-a-principal', 'revoke refused: last-principal', 'renew refused: no-domain'
  ])
})

test('an honest node steals nothing', async () => {
  const { violations } = await run(`${CAST}  - {at: 10s, steal: {by: bob, of: alice, key: main}}\nexpect:\n`)
  expect(violations).toMatchObject([{ invariant: 'timeline', text: expect.stringContaining('bob is honest') }])
})

const THEFT = `duration: 70s
domains: {alice: {principals: {main: {}, laptop: {scope: [docs]}}}}
nodes:
  home: {domain: alice, keys: [main]}
  laptop: {domain: alice, keys: [laptop]}
  bob: {follow: [alice], mode: mirror}
  thief: {adversary: key-thief, follow: [alice]}
timeline:
  - {at: 1s, node: laptop, publish: {name: docs/a}}
  - {at: 4s, steal: {by: thief, of: alice, key: laptop}}
`

test('key-thief: three lanes that are all well signed, until the owner speaks', async () => {
  const lanes = (world: World): number => [...world.node('bob').engine!.replica.domains.get(world.domain('alice').id)!.lanes.values()].filter((l) => l.branches.length > 0).length
  let before = 0
  const unheard = await run(`${THEFT}expect:\n  - {at: end, node: bob, holds: {domain: alice, name: docs/stolen}}\n`, (world) => { before = lanes(world) })
  expect(unheard.violations).toEqual([])
  expect(before).toBe(3)
  const heard = await run(`${THEFT}  - {at: 30s, node: home, revoke: {key: laptop, keep: {until: 3s}}}
expect:
  - {at: end, node: [home, bob], view: {domain: alice, has: [docs/a], lacks: [docs/stolen]}}
  - {at: end, node: bob, verdict: {domain: alice, name: docs/stolen, by: laptop, status: void}}
`)
  expect(heard.violations).toEqual([])
})

test('a thief has no name of its own: without the theft it is honest', async () => {
  const { violations, cost } = await run(THEFT.replace(/.*steal.*\n/, '') + 'expect:\n  - {at: end, nobody: {holds: {domain: alice, name: docs/stolen}}}\n')
  expect(violations).toEqual([])
  expect(cost.updates).toBe(1)
})

/** The run's violations of one invariant, where what it asks is bent first. */
async function barks (invariant: Invariant, bend: (k: Parameters<NonNullable<ReturnType<Invariant['create']>['changed']>>[1], world: World) => typeof k, text: string): Promise<string[]> {
  const bent: Invariant = { ...invariant, create: (world) => { const { changed } = invariant.create(world); return { changed: (node, k) => node.name === 'bob' ? changed?.(node, bend(k, world)) : undefined } } }
  return (await run(text, undefined, { ...PLUGINS, invariants: [bent] })).violations.map((v) => v.invariant)
}

test('invariants about authority bark', async () => {
  const text = `${CAST}  - {at: 10s, node: home, publish: {name: b}}\n  - {at: 20s, node: home, grant: {to: spare}}\n  - {at: 70s, node: home, publish: {name: c}}\nexpect:\n`
  const like = <T extends object>(of: T, other: object): T => Object.assign(Object.create(of) as T, other)
  expect(await barks(withinRights, (k) => k, text)).toEqual([])
  expect(await barks(withinRights, (k, world) => { (world.domain('alice').rights as Map<unknown, unknown>).clear(); return k }, text)).toContain('within-rights')
  expect(await barks(verdictsStand, (k) => k, text)).toEqual([])
  // As if everything that was accepted were rejected later.
  expect(await barks(verdictsStand, (k, world) => world.clock.now < 65_000_000 ? k : like(k, {
    view: () => like(k.view(), { lanes: new Map([...k.view().lanes].map(([ref, v]) => [ref, like(v, { judged: v.judged.map((j) => ({ ...j, status: 'rejected' })) })])) })
  }), text)).toContain('verdicts-stand')
  expect(await barks(authorityKept, (k) => k, text)).toEqual([])
  // As if the manifest were forgotten.
  expect(await barks(authorityKept, (k, world) => world.clock.now < 65_000_000 ? k : like(k, { objects: like(k.objects, { revision: -1 }), authority: () => like(k.authority(), { judged: new Map() }) }), text)).toContain('authority-kept')
})
