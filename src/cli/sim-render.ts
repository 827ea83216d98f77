/** Results of `diad sim` for people: what happened, what it cost, and where to look. */
import { formatClock, formatMilli, formatSpan } from '../../sim/report/format.js'
import type { Listed } from '../../sim/library.js'
import type { Explored } from '../../sim/explore/explore.js'
import type { Cost, RunResult, Violation } from '../../sim/trace.js'
import type { Style } from './style.js'
import { columns, count, formatBytes, group, safe } from './text.js'

/** Narrower, a column of prose is no help any more; wider, nobody finds the next line. */
const NARROWEST = 40
const WIDEST = 110
const MOST_VIOLATIONS = 20

export function listLines (scenarios: readonly Listed[], style: Style, width: number): string[] {
  const name = Math.max(...scenarios.map((s) => s.name.length), 0)
  const indent = ' '.repeat(name + 2)
  const lines = scenarios.flatMap(({ name: own, threats, shows }) => {
    const prose = wrap(safe(shows), Math.min(width, WIDEST) - indent.length)
    const about = threats.length === 0 ? [] : [style.faint(`${threats.length === 1 ? 'threat' : 'threats'} ${threats.join(', ')}`)]
    return [...prose, ...about].map((line, i) => (i === 0 ? style.strong(own.padEnd(name)) + '  ' : indent) + line)
  })
  return [...lines, '', style.faint('diad sim run NAME runs one; --report out.html shows it.')]
}

/** What is in a scenario or a file of plug-ins, and did nothing in the run. */
export interface Unused { readonly kind: string, readonly name: string, readonly node?: string, readonly hooks?: readonly string[] }

export function runLines (run: RunResult, unused: readonly Unused[], report: string | undefined, style: Style, width: number): string[] {
  const passed = run.status === 'passed'
  const facts: Array<[string, string]> = [
    ['digest', run.digest],
    ['seed', String(run.seed)],
    ['time', `${formatSpan(run.end)} of virtual time in ${count(run.steps, 'step')}, ${count(run.nodes.length, 'node')}, ${count(run.domains.length, 'domain')}`],
    ...costFacts(run.cost),
    ...(report === undefined ? [] : [['report', safe(report)] as [string, string]])
  ]
  return [
    `${passed ? style.good('passed') : style.bad('failed')}  ${style.strong(safe(run.scenario, 80))}`,
    ...wrap(safe(run.shows), Math.min(width, WIDEST)),
    '',
    ...passed ? [] : [...violationLines(run, style), ''],
    ...unused.map((u) => style.careful(`${u.kind} ${safe(u.name, 80)}: ${u.node === undefined ? 'not used in this scenario' : `asked 0 times at the node ${safe(u.node, 80)} (${safe((u.hooks ?? []).join(', '), 200)})`}`)),
    ...run.notes.map((note) => style.careful(safe(note, 400))),
    ...unused.length + run.notes.length === 0 ? [] : [''],
    ...columns(facts.map(([label, value]) => [style.faint(label), value]))
  ]
}

function violationLines ({ violations, file }: RunResult, style: Style): string[] {
  const shown = violations.slice(0, MOST_VIOLATIONS)
  const more = violations.length - shown.length
  return [
    style.bad(violations.length === 1 ? '1 thing did not hold' : `${group(violations.length)} things did not hold`),
    ...shown.flatMap((v) => [`  ${style.strong(safe(v.invariant, 80))}  ${placeOf(v, file)}  at ${formatClock(v.t)}`, `    ${safe(v.text, 400)}`]),
    ...(more === 0 ? [] : [`  and ${more} more`])
  ]
}

function placeOf ({ line, node }: Violation, file: string): string {
  const who = node === '' ? '' : `node ${safe(node, 80)}`
  return line === 0 ? who : `${safe(file)}:${line}`
}

function costFacts (cost: Cost): Array<[string, string]> {
  const lost = cost.lost === 0 ? '' : `, ${group(cost.lost)} lost on the way`
  const all: [string, string] = ['cost', `${count(cost.messages, 'message')}, ${formatBytes(cost.bytes)}${lost}`]
  if (cost.updates === 0) return [all]
  return [
    ['updates', `${group(cost.updates)}: half had arrived after ${formatSpan(cost.delayMedian)}, 95 % after ${formatSpan(cost.delayP95)}, the last after ${formatSpan(cost.delayMax)}`],
    all,
    ['', `${formatMilli(cost.messagesPerDeliveryMilli)} messages and ${formatBytes(cost.bytesPerDeliveryMilli / 1000)} for one update to reach one node`],
    ...(cost.maxHops === 0 ? [] : [['', `each gossip message came ${cost.redundancyMilli === 1000 ? 'once' : `${formatMilli(cost.redundancyMilli)} times on average`}, over at most ${count(cost.maxHops, 'hop')}`] as [string, string]])
  ]
}

export function exploreLines (found: Explored, seed: number, interrupted: boolean, style: Style): string[] {
  const { failures, runs, steps, virtualSeconds } = found
  const well = failures.length === 0
  const head = well ? style.good(interrupted ? 'nothing found' : 'passed') : style.bad('failed')
  const spent = `${formatSpan(virtualSeconds * 1_000_000)} of virtual time, ${count(steps, 'step')}`
  const lines = [`${head}  ${well ? count(runs, 'run') : `${group(failures.length)} of ${count(runs, 'run')}`}  ${style.faint(`${spent}, seed ${seed}${interrupted ? ', interrupted' : ''}`)}`]
  for (const { invariant, seed: own, file, text } of failures) {
    lines.push(`  ${style.strong(safe(invariant, 80))}  ${safe(file)}  ${style.faint(`seed ${own}`)}`, `    ${safe(text, 400)}`)
  }
  if (!well) lines.push('', `look at one again: diad sim run ${safe(failures[0]?.file ?? 'FILE')} --report out.html`)
  return lines
}

/** Words in lines of at most `width`; a word that is longer stands alone. */
function wrap (text: string, width: number): string[] {
  const most = Math.max(width, NARROWEST)
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > most) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line]
}
