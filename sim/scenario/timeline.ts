/** The timeline and the expectations: entries with exactly one plug-in's key, written out for every repetition and node. */
import type { DiadError } from '../../src/substrate/errors.js'
import type { Micros } from '../trace.js'
import { checkAt } from './check-at.js'
import { ACTION_FRAME, EXPECTATION_FRAME } from './format.js'
import type { NameTable } from './name-table.js'
import { showQuantity } from './quantity.js'
import { named, type Schema } from './schema-parts.js'
import { child, isRecord, OWN_HINT, type Pointer, type Source } from './source.js'
import { hasPlaceholders, substitute, type Placeholders } from './substitute.js'
import { nearest, oneOf, show } from './suggest.js'
import type { ActionEntry, Args, Described, ExpectationEntry } from './types.js'

/** 10,000 nodes that publish ten times each; more would be a scenario whose file says too much in one line. */
const MOST_ENTRIES = 200_000
const NODES = named('nodes')

type Plugins = ReadonlyMap<string, Described>
type Noun = 'action' | 'expectation'

interface Entry { readonly pointer: Pointer, readonly frame: Record<string, unknown>, readonly plugin: Described, readonly args: unknown, readonly argsAt: Pointer, /** a key that means nothing: then what seems to be lacking may stand under it */ readonly slip?: DiadError }

interface ActionFrame { at?: Micros, every?: Micros, from?: Micros, until?: Micros, times?: number, spread?: Micros, node?: unknown }

export function loadTimeline (source: Source, names: NameTable, section: readonly unknown[], actions: Plugins, duration: Micros): ActionEntry[] {
  const timeline: ActionEntry[] = []
  const take = (raw: unknown, i: number): void => {
    const entry = readEntry(source, raw, child('/timeline', i), 'action', actions, ACTION_FRAME)
    if (entry.slip !== undefined) {
      tellOfSlip(source, names, entry, 'action', ACTION_FRAME)
      return
    }
    const frame = source.attempt(() => checkAt(source, ACTION_FRAME, entry.frame, entry.pointer, `action ${show(entry.plugin.name)}`) as ActionFrame)
    const argsOf = source.attempt(() => argumentsOf(source, names, entry, 'action'))
    if (frame === undefined || argsOf === undefined) {
      tellOfNodes(source, names, entry, 'action')
      return
    }
    const moments = momentsOf(source, entry.pointer, frame, duration)
    const { spread = 0 } = frame
    if (spread > 0 && frame.node === undefined) throw source.fault(child(entry.pointer, 'spread'), '`spread` has nothing to spread', '`node: GROUP` beside it', { key: true })
    const line = source.line(entry.pointer)
    for (const [k, moment] of moments.entries()) {
      const n = frame.every === undefined ? {} : { n: k + 1 }
      const members = membersOf(source, names, entry, n, 'action')
      if (timeline.length + members.length > MOST_ENTRIES) throw source.fault(entry.pointer, `with this entry the timeline has more than ${MOST_ENTRIES}`, 'fewer repetitions')
      for (const [j, node] of members.entries()) {
        const at = moment + Math.floor(spread * j / members.length)
        if (at >= duration) throw late(source, entry.pointer, 'spread', `the action at ${showQuantity('time', at)}`, duration)
        timeline.push({ at, line, action: entry.plugin.name, node, args: argsOf(node === '' ? n : { ...n, i: j + 1, node }) })
      }
    }
  }
  for (const [i, raw] of section.entries()) source.attempt(() => { take(raw, i) })
  return timeline.sort((a, b) => a.at - b.at)
}

export function loadExpectations (source: Source, names: NameTable, section: readonly unknown[], expectations: Plugins, duration: Micros): ExpectationEntry[] {
  return section.flatMap((raw, i) => source.attempt(() => {
    const entry = readEntry(source, raw, child('/expect', i), 'expectation', expectations, EXPECTATION_FRAME)
    const label = `expectation ${show(entry.plugin.name)}`
    if (entry.slip !== undefined) {
      tellOfSlip(source, names, entry, 'expectation', EXPECTATION_FRAME)
      return []
    }
    const by = 'by' in entry.frame
    if (by === ('at' in entry.frame)) {
      throw source.fault(entry.pointer, `${label} says ${by ? 'both `at` and `by`' : 'no time'}`, '`at: TIME` for that moment, or `by: TIME` for that moment at the latest; TIME may be end')
    }
    const key = by ? 'by' : 'at'
    const atEnd = entry.frame[key] === 'end'
    if (atEnd) entry.frame[key] = 0
    const frame = source.attempt(() => checkAt(source, EXPECTATION_FRAME, entry.frame, entry.pointer, label) as Record<'at' | 'by', Micros>)
    const argsOf = source.attempt(() => argumentsOf(source, names, entry, 'expectation'))
    if (frame === undefined || argsOf === undefined) {
      tellOfNodes(source, names, entry, 'expectation')
      return []
    }
    if (frame[key] > duration) throw late(source, entry.pointer, key, `${label} ${key} ${showQuantity('time', frame[key])}`, duration, 'at most')
    return membersOf(source, names, entry, {}, 'expectation').map((node, j) => ({
      at: atEnd ? 'end' as const : frame[key], by, line: source.line(entry.pointer), expectation: entry.plugin.name, node, args: argsOf(node === '' ? {} : { i: j + 1, node })
    }))
  }) ?? [])
}

function readEntry (source: Source, raw: unknown, pointer: Pointer, noun: Noun, plugins: Plugins, schema: Schema): Entry {
  if (!isRecord(raw)) throw source.fault(pointer, `this ${noun} is ${show(raw)}`, `a map such as ${noun === 'action' ? '{at: 1s, heal: all}' : '{at: end, converged: [alice]}'}`)
  const common = Object.keys(schema['properties'] as object)
  const frame: Record<string, unknown> = {}
  const others: string[] = []
  for (const [key, value] of Object.entries(raw)) {
    if (common.includes(key)) frame[key] = value
    else others.push(key)
  }
  const [known, second] = others.filter((key) => plugins.has(key))
  const unknown = others.find((key) => !plugins.has(key))
  if (second !== undefined) throw source.fault(child(pointer, second), `this entry has two ${noun}s, ${show(known)} and ${show(second)}`, 'one for each entry', { key: true })
  if (unknown !== undefined) {
    // Beside a known action, or near to one of the common keys, it is a slip in those.
    const slip = known !== undefined || (nearest(unknown, common) !== undefined && nearest(unknown, plugins.keys()) === undefined)
    const fault = source.fault(child(pointer, unknown), `unknown ${slip ? 'key' : noun} ${show(unknown)}`, oneOf(unknown, slip ? common : [...plugins.keys()]), slip ? { key: true } : { key: true, hint: OWN_HINT })
    if (known === undefined) throw fault
    return { pointer, frame, plugin: plugins.get(known)!, args: raw[known], argsAt: child(pointer, known), slip: fault }
  }
  if (known === undefined) throw source.fault(pointer, `this entry has no ${noun}`, oneOf(undefined, [...plugins.keys()]))
  return { pointer, frame, plugin: plugins.get(known)!, args: raw[known], argsAt: child(pointer, known) }
}

/** The moments of an entry: one, or from `from` every `every` as long as it is before `until`. */
function momentsOf (source: Source, pointer: Pointer, { at, every, from, until, times }: ActionFrame, duration: Micros): Micros[] {
  const repeated = { every, from, until, times }
  if (every === undefined) {
    for (const key of ['from', 'until', 'times'] as const) {
      if (repeated[key] !== undefined) throw source.fault(child(pointer, key), `\`${key}\` belongs to a repetition`, '`every: TIME` beside it', { key: true })
    }
    if (at === undefined) throw source.fault(pointer, 'this action has no time', '`at: TIME`, or `every: TIME` with `from`')
    if (at >= duration) throw late(source, pointer, 'at', `the action at ${showQuantity('time', at)}`, duration)
    return [at]
  }
  if (at !== undefined) throw source.fault(child(pointer, 'at'), '`at` and `every` exclude each other', '`from: TIME` for the first repetition', { key: true })
  if (from === undefined) throw source.fault(pointer, 'this repetition has no start', '`from: TIME` beside `every`')
  if (until !== undefined && times !== undefined) throw source.fault(child(pointer, 'times'), '`until` and `times` exclude each other', 'one of them', { key: true })
  if (until !== undefined && until <= from) throw source.fault(child(pointer, 'until'), `the repetition ends at ${showQuantity('time', until)}, before it starts`, `a time after ${showQuantity('time', from)}`)
  if (until !== undefined && until > duration) throw late(source, pointer, 'until', `the repetition until ${showQuantity('time', until)}`, duration)
  if (from >= duration) throw late(source, pointer, 'from', `the repetition from ${showQuantity('time', from)}`, duration)
  const count = times ?? Math.ceil(((until ?? duration) - from) / every)
  if (count > MOST_ENTRIES) throw source.fault(child(pointer, 'every'), `this makes ${count} repetitions`, `at most ${MOST_ENTRIES}`)
  const last = from + (count - 1) * every
  if (last >= duration) throw late(source, pointer, 'times', `the last repetition at ${showQuantity('time', last)}`, duration)
  return Array.from({ length: count }, (_, k) => from + k * every)
}

function late (source: Source, pointer: Pointer, key: string, what: string, duration: Micros, bound = 'a time before'): DiadError {
  return source.fault(child(pointer, key), `${what} is after the end`, `${bound} ${showQuantity('time', duration)}, the duration of the run`)
}

function membersOf (source: Source, names: NameTable, { pointer, frame, plugin }: Entry, placeholders: Placeholders, noun: Noun): readonly string[] {
  const at = child(pointer, 'node')
  if (frame['node'] === undefined) {
    if (plugin.node === 'required') throw source.fault(pointer, `${noun} ${show(plugin.name)} doesn't say which node`, '`node: NAME` beside it')
    return ['']
  }
  if (plugin.node === 'none') throw source.fault(at, `${noun} ${show(plugin.name)} belongs to no node`, 'no `node` here', { key: true })
  return checkAt(source, NODES, substitute(source, frame['node'], at, placeholders), at, 'node', names) as readonly string[]
}

/** What such an entry says beside it can be looked at all the same. */
function tellOfSlip (source: Source, names: NameTable, entry: Entry, noun: Noun, schema: Schema): void {
  const { frame, plugin, pointer, slip } = entry
  const times = Object.fromEntries(Object.entries(frame).filter(([, value]) => value !== 'end'))
  source.attempt(() => checkAt(source, schema, times, pointer, `${noun} ${show(plugin.name)}`))
  source.attempt(() => argumentsOf(source, names, entry, noun))
  if (frame['node'] !== undefined) tellOfNodes(source, names, entry, noun)
  source.attempt(() => { throw slip as DiadError })
}

/** Of an entry that is wrong already, what is wrong with its nodes too. */
function tellOfNodes (source: Source, names: NameTable, entry: Entry, noun: Noun): void {
  if (!hasPlaceholders(entry.frame['node'])) source.attempt(() => membersOf(source, names, entry, {}, noun))
}

/** The arguments for each repetition and node; the same object for all where nothing in them differs. */
function argumentsOf (source: Source, names: NameTable, { plugin, args, argsAt }: Entry, noun: Noun): (placeholders: Placeholders) => Args {
  const load = (placeholders: Placeholders): Args => checkAt(source, plugin.schema, substitute(source, args, argsAt, placeholders), argsAt, `${noun} ${show(plugin.name)}`, names)
  if (hasPlaceholders(args)) return load
  const shared = load({})
  return () => shared
}
