/** The table for people. */
import { MiB } from './data.js'
import { type CaseResult, type GossipResult, QUIET } from './measure.js'
import type { Against } from './statistics.js'

/**
 * A directory eight or ten times as large may cost a third more memory at its peak and still counts as flat: collecting instead of streaming would
 * show as several times as much, while the collector of garbage alone makes two runs differ by a tenth.
 */
export const FLAT = 4 / 3

/** `ratio`: the peak of the larger directory over that of the smaller one. */
export interface Growth {
  readonly process: 'publish' | 'serve' | 'sync'
  readonly from: string
  readonly to: string
  readonly ratio: number
  readonly limit: number
  readonly met: boolean
}

export function growths (results: readonly CaseResult[]): Growth[] {
  return results.flatMap((large) => {
    const small = results.find((r) => r.name === large.smaller)
    if (small === undefined) return []
    return (['publish', 'serve', 'sync'] as const).map((process) => {
      const ratio = large.memory[process] / small.memory[process]
      return { process, from: small.name, to: large.name, ratio, limit: FLAT, met: ratio <= FLAT }
    })
  })
}

const mib = (bytes: number): string => (bytes / MiB).toFixed(0)
const verdict = (met: boolean): string => met ? 'met' : 'missed'

function aligned (rows: readonly string[][]): string {
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)))
  return rows.map((row) => row.map((cell, i) => i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)).join('  ').trimEnd()).join('\n')
}

/** Of the larger directories only: in the smaller ones starting and greeting is most of the time. */
function speeds (results: readonly CaseResult[]): string {
  const row = (what: string, r: CaseResult, a: Against): string[] => [`${what}, ${r.name}`, mib(a.speed), mib(a.floor), a.ratio.toFixed(2), a.target.toFixed(2), verdict(a.met), String(a.rounds.length)]
  const large = results.filter((r) => r.smaller !== undefined)
  return aligned([
    ['', 'MiB/s', 'floor', 'ratio', 'target', '', 'rounds'],
    ...large.map((r) => row('import', r, r.import)),
    ...large.map((r) => row('fetch', r, r.fetch)),
    ...large.flatMap((r) => r.bareByFile === undefined ? [] : [['  a bare stream, one message a file', '', mib(r.bareByFile), (r.fetch.speed / r.bareByFile).toFixed(2), '', '', '']])
  ])
}

function memories (results: readonly CaseResult[]): string {
  const grown = growths(results)
  const cell = (r: CaseResult, process: Growth['process']): string => {
    const growth = grown.find((g) => g.to === r.name && g.process === process)
    return `${mib(r.memory[process])}${growth === undefined ? '' : ` (×${growth.ratio.toFixed(2)} ${verdict(growth.met)})`}`
  }
  return aligned([
    ['peak memory, MiB', 'publish', 'serve', 'sync'],
    ...results.map((r) => [r.name, cell(r, 'publish'), cell(r, 'serve'), cell(r, 'sync')]),
    ['one byte', mib(results[0]!.memory.idlePublish), '', mib(results[0]!.memory.idleSync)]
  ])
}

function gossip (g: GossipResult): string {
  const ways = Object.entries(g.by).map(([way, n]) => `${n} by ${way}`).join(', ')
  return `gossip, ${g.rounds} publications: ${g.view.median.toFixed(0)} ms until the follower's view is the publisher's (slowest ${g.view.slowest.toFixed(0)}), ` +
    `${g.held.median.toFixed(0)} ms until it holds the content (slowest ${g.held.slowest.toFixed(0)}); ${ways}`
}

export function table (results: readonly CaseResult[], g: GossipResult): string {
  const others = Math.max(...results.map((r) => r.busy))
  const warning = others > QUIET ? `\n! The machine was busy: others had up to ${(others * 100).toFixed(0)} % of the CPU. A fetch is two processes and suffers more from that than its floor.\n` : ''
  return `${speeds(results)}\n${warning}\n${memories(results)}\n(×: against the smaller directory of its kind, at most ${FLAT.toFixed(2)})\n\n${gossip(g)}\n`
}
