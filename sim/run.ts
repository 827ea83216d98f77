/** Runs a scenario to its end: the timeline, the expectations, the invariants, and what came of it. */
import { DiadError } from '../src/substrate/errors.js'
import type { Plugins } from './plugin.js'
import { formatClock } from './report/format.js'
import { drawEdges } from './scenario/draw.js'
import { sayArgs } from './scenario/say.js'
import type { Args, ExpectationEntry, Scenario } from './scenario/types.js'
import type { RunResult } from './trace.js'
import { kindOf, type Undone, World, type WorldInit } from './world/world.js'
import { useRememberingVerifier } from './world/keys.js'

export interface RunOptions {
  readonly seed?: number
  /** keep the events, for a report */
  readonly keepTrace?: boolean
  /** watch every frame; default: up to 50 nodes */
  readonly watchWire?: boolean
  /** real time and real sockets (sim/real) */
  readonly real?: WorldInit['real']
  /** called now and then with the virtual time */
  readonly onProgress?: (now: number, end: number) => void
}

const WATCHED_NODES = 50
/** steps between two calls of onProgress */
const PROGRESS_STEPS = 5000

interface Open { readonly entry: ExpectationEntry, met: boolean }

export async function runScenario (scenario: Scenario, plugins: Plugins, options: RunOptions = {}): Promise<RunResult> {
  useRememberingVerifier()
  const seed = options.seed ?? scenario.seed
  const world = await World.build({
    scenario,
    seed,
    keepTrace: options.keepTrace ?? false,
    ...options.real === undefined ? {} : { real: options.real },
    watchWire: options.watchWire ?? scenario.nodes.length <= WATCHED_NODES
  })
  try {
    return await carryOut(world, plugins, scenario, options)
  } finally {
    await world.close()
  }
}

async function carryOut (world: World, plugins: Plugins, scenario: Scenario, options: RunOptions): Promise<RunResult> {
  for (const { name, create } of plugins.invariants) world.watch(name, create(world))
  for (const node of world.allNodes()) {
    const adversary = plugins.adversaries.get(node.spec.adversary)
    if (adversary !== undefined) node.hooks = node.guard.run(() => adversary.create({ world, node, random: node.random.fork('adversary') }, node.spec.with), () => ({}))
  }
  await world.start()
  const open: Open[] = scenario.expectations.map((entry) => ({ entry, met: false }))
  planTimeline(world, plugins, scenario)
  planExpectations(world, plugins, open)
  let last = 0
  await world.clock.run(scenario.duration, () => {
    if (options.onProgress !== undefined && (options.real !== undefined || world.clock.steps - last >= PROGRESS_STEPS)) {
      last = world.clock.steps
      options.onProgress(world.clock.now, scenario.duration)
    }
    return !world.over
  })
  if (!world.over) {
    world.checkAtRest()
    for (const o of open) if (o.entry.at === 'end' && !o.met) await settle(world, plugins, o)
  }
  return resultOf(world)
}

function planTimeline (world: World, plugins: Plugins, scenario: Scenario): void {
  for (const { at, line, action, node, args } of scenario.timeline) {
    world.clock.at(at, () => {
      const where = node === '' ? undefined : world.node(node)
      world.note(action, node, wordsOf(plugins.actions.get(action), action, args))
      const failed = (err: unknown): void => {
        world.violate('timeline', node, `${action}: ${err instanceof Error ? err.message : String(err)}`, line)
      }
      try {
        const done = plugins.actions.get(action)?.run(world, args, where)
        if (done instanceof Promise) done.catch(failed)
      } catch (err) {
        failed(err)
      }
    })
  }
}

/** `by`: asked at every tick until it is met; `always`: asked at every tick, and must be met each time; else at its moment. */
function planExpectations (world: World, plugins: Plugins, open: readonly Open[]): void {
  const { tick, duration } = world.scenario
  for (const o of open) {
    const { at, by, expectation } = o.entry
    const until = at === 'end' ? duration : at
    const always = plugins.expectations.get(expectation)?.always === true
    if (always || by) {
      const ask = (): void => {
        void check(world, plugins, o.entry).then((finding) => {
          if (always ? !finding.met : finding.met) conclude(world, plugins, o, finding)
          else if (world.clock.now + tick <= until) world.clock.after(tick, ask)
          else if (at !== 'end') conclude(world, plugins, o, finding)
        })
      }
      world.clock.at(Math.min(tick, until), ask)
    } else if (at !== 'end') world.clock.at(at, () => { void settle(world, plugins, o) })
  }
}

async function check (world: World, plugins: Plugins, { expectation, args, node }: ExpectationEntry): Promise<{ met: boolean, found: string }> {
  const plugin = plugins.expectations.get(expectation)
  if (plugin === undefined) throw new DiadError('bad-scenario', `there is no expectation "${expectation}"`)
  try {
    return await plugin.check(world, args, node === '' ? undefined : world.node(node))
  } catch (err) {
    return { met: false, found: err instanceof Error ? err.message : String(err) }
  }
}

async function settle (world: World, plugins: Plugins, o: Open): Promise<void> {
  conclude(world, plugins, o, await check(world, plugins, o.entry))
}

function conclude (world: World, plugins: Plugins, o: Open, { met, found }: { met: boolean, found: string }): void {
  if (o.met) return
  o.met = true
  const { line, expectation, node, args } = o.entry
  const text = `${node === '' ? '' : `${node} `}${wordsOf(plugins.expectations.get(expectation), expectation, args)}`
  world.tracer.add({ kind: 'expectation', line, text, met, found })
  if (!met) world.violate('expectation', node, `${text}: ${found}`, line)
}

/** What an entry says, without its node. Words that a plug-in fails to find cost the run nothing. */
function wordsOf (plugin: { readonly words?: (args: Args) => string } | undefined, name: string, args: Args): string {
  try {
    const said: unknown = plugin?.words?.(args)
    if (typeof said === 'string') return said
  } catch { /* the arguments speak for themselves */ }
  return sayArgs(name, args)
}

/** A run that passes beside a liar who was never asked shows nothing of what it says. */
function unusedOf (world: World): RunResult['unused'] {
  return world.allNodes().flatMap(({ name, spec: { adversary }, guard: { calls } }) => {
    const hooks = [...calls.keys()].filter((hook) => hook !== 'start')
    return hooks.length === 0 || hooks.some((hook) => calls.get(hook) !== 0) ? [] : [{ node: name, adversary, hooks }]
  })
}

const notesOf = (world: World): string[] => [...topologyNotes(world), ...refusedNotes(world)]

/** Lines for what nodes refused to do. */
const MOST_REFUSED = 20
const WHY_SHOWN = 160

/** What a real node refuses is refused here too, and no failure: that an action did nothing has to be seen all the same. One line for the same again. */
function refusedNotes ({ undone }: World): string[] {
  const groups = new Map<string, { first: Undone, times: number }>()
  for (const one of undone) {
    const key = `${one.node} ${one.action} ${one.code}`
    const group = groups.get(key)
    if (group === undefined) groups.set(key, { first: one, times: 1 })
    else group.times++
  }
  const lines = [...groups.values()].map(({ first: { t, node, action, code, why }, times }) =>
    `${node} refused ${times === 1 ? `the ${action} at ${formatClock(t)}` : `${action} ${times} times, first at ${formatClock(t)}`}: ${code} (${why.length > WHY_SHOWN ? `${why.slice(0, WHY_SHOWN)}…` : why})`)
  const more = lines.length - MOST_REFUSED
  return [...lines.slice(0, MOST_REFUSED), ...more > 0 ? [`and ${more} more like these: the report has them all in its log`] : []]
}

/** Whoever writes `topology: none` may think that nobody is linked then. */
function topologyNotes ({ scenario, network }: World): string[] {
  const { topology, discover, discoverSaid } = scenario.links
  if (topology.kind !== 'none' || !discover || discoverSaid) return []
  const found = network.edges().length - drawEdges(scenario, () => 0).length
  if (found <= 0) return []
  return [`topology is none, and ${found === 1 ? '1 link' : `${found} links`} came up by discovery; \`discover: false\` under links prevents that, \`discover: true\` says that it is meant`]
}

function resultOf (world: World): RunResult {
  const { scenario } = world
  return {
    scenario: scenario.name,
    shows: scenario.shows,
    file: scenario.file,
    seed: world.seed,
    status: world.violations.length === 0 ? 'passed' : 'failed',
    digest: world.tracer.digest(),
    steps: world.clock.steps,
    end: world.clock.now,
    violations: world.violations,
    unused: unusedOf(world),
    notes: notesOf(world),
    cost: world.meter.cost(),
    domains: [...world.domains.values()].map(({ name, id }) => ({ name, id })),
    nodes: world.allNodes().map((n) => ({ name: n.name, kind: kindOf(n.spec), adversary: n.spec.adversary, owns: n.spec.domain, follows: [...world.followsOf(n)] })),
    links: world.network.edges().map(({ a, b }) => ({ from: a, to: b, latency: world.network.latency(a, b) })),
    trace: world.tracer.events
  }
}
