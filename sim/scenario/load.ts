/** A scenario from its file. The format is explained in docs/sim-scenarios.md. */
import { loadDomains, loadGroups, loadNodes } from './cast.js'
import { ACTION_FRAME, EXPECTATION_FRAME, TOP } from './format.js'
import { loadLinks } from './links.js'
import { NameTable } from './name-table.js'
import { isRecord, Source } from './source.js'
import { show } from './suggest.js'
import { loadExpectations, loadTimeline } from './timeline.js'
import type { Links, Registry, Scenario } from './types.js'
import { check } from './vocabulary.js'

interface Top {
  readonly name: string
  readonly shows: string
  readonly threats: readonly number[]
  readonly seed: number
  readonly duration: number
  readonly tick: number
  readonly domains: unknown
  readonly nodes: unknown
  readonly groups?: unknown
  readonly links?: unknown
  readonly timeline?: readonly unknown[]
  readonly expect?: readonly unknown[]
}

/**
 * Throws DiadError `bad-scenario` with one line, `FILE:LINE:COL: what was wrong; what was expected`, for the first thing that is wrong, and in `more` with
 * one for each other that can be told apart from it.
 * @param file what messages call the file
 */
export function loadScenario (text: string, file: string, registry: Registry): Scenario {
  checkRegistry(registry)
  const source = new Source(text, file)
  if (!isRecord(source.data)) throw source.fault('', `the file is ${show(source.data)}`, 'a map with name, shows, duration, domains and nodes')
  // A section that is written down and left empty is one that isn't there.
  const filled = Object.fromEntries(Object.entries(source.data).filter(([, value]) => value !== null))
  const top = loadTop(source, filled)
  const names = new NameTable(source)
  const declaredDomains = names.declare('domain', top.domains, '/domains')
  const declaredNodes = names.declare('node', top.nodes, '/nodes')
  const domains = loadDomains(source, names, declaredDomains)
  const nodes = loadNodes(source, names, declaredNodes, domains, registry)
  const groups = source.attempt(() => loadGroups(source, names, top.groups, declaredNodes, nodes)) ?? []
  const links = source.attempt(() => loadLinks(source, names, top.links, names.nodes('all')?.length ?? nodes.length))
  const timeline = loadTimeline(source, names, top.timeline ?? [], registry.actions, top.duration)
  const expectations = loadExpectations(source, names, top.expect ?? [], registry.expectations, top.duration)
  source.tell()
  return freeze({
    name: top.name,
    file,
    shows: top.shows,
    threats: top.threats,
    seed: top.seed,
    duration: top.duration,
    tick: top.tick,
    domains,
    nodes,
    groups,
    // Without them `tell` has thrown.
    links: links as Links,
    timeline,
    expectations
  })
}

/** What is looked at in the place of what is wrong, so that the rest can be checked too; of what isn't here hangs all the rest. */
const STAND_IN: Readonly<Record<string, unknown>> = { name: 'name', shows: 'shows', duration: '8760h' }
const ANYBODY = { anybody: {} }

function loadTop (source: Source, data: Readonly<Record<string, unknown>>): Top {
  const rest: Record<string, unknown> = { ...data }
  let nobody = false
  for (;;) {
    const checked = check(TOP, { ...rest }, 'the scenario')
    if (checked.fault === undefined) {
      if (nobody) source.tell()
      return checked.value as Top
    }
    const { fault } = checked
    source.attempt(() => { throw source.fault(fault.pointer, fault.what, fault.expected, { key: fault.key }) })
    const key = fault.pointer.split('/')[1]?.replaceAll('~1', '/').replaceAll('~0', '~')
    if (key !== undefined) Reflect.deleteProperty(rest, key)
    const lacking = (TOP['required'] as string[]).find((name) => !Object.hasOwn(rest, name))
    if (lacking !== undefined) {
      nobody ||= !Object.hasOwn(STAND_IN, lacking)
      rest[lacking] = STAND_IN[lacking] ?? ANYBODY
    }
    if (lacking === undefined && key === undefined) source.tell()
  }
}

/** A plug-in whose name an entry already uses could never be named. */
function checkRegistry ({ actions, expectations }: Registry): void {
  for (const [plugins, frame] of [[actions, ACTION_FRAME], [expectations, EXPECTATION_FRAME]] as const) {
    for (const name of Object.keys(frame['properties'] as object)) {
      if (plugins.has(name)) throw new Error(`a plug-in can't be called ${name}: every entry may have that key`)
    }
  }
}

function freeze<T> (value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  Object.freeze(value)
  for (const part of Object.values(value)) freeze(part)
  return value
}
