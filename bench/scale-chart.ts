/** The figures of several sizes as bars of text: bars of equal length are a cost that does not grow with the federation. */

export interface Row {
  readonly nodes: number
  readonly load: string
  readonly status: string
  readonly steps: number
  readonly publications: number
  readonly deliveries: number
  readonly messages: number
  readonly bytes: number
  readonly delayMedianMs: number
  readonly delayP95Ms: number
  readonly seconds: number
  readonly cpuSeconds: number
  readonly peakMiB: number
}

const WIDTH = 60

const SERIES: ReadonlyArray<readonly [string, (r: Row) => number, string]> = [
  ['messages a node', (r) => r.messages / r.nodes, ''],
  ['kilobytes a node', (r) => r.bytes / r.nodes / 1000, 'kB'],
  ['messages a delivery', (r) => r.messages / r.deliveries, ''],
  ['processor time of the whole run', (r) => r.cpuSeconds, 's'],
  ['processor time a node', (r) => r.cpuSeconds / r.nodes * 1000, 'ms'],
  ['memory of the whole run', (r) => r.peakMiB, 'MiB']
]

/** One block a figure, one bar a size; the bars of a block start at zero. */
export function chart (rows: readonly Row[]): string {
  return SERIES.map(([title, of, unit]) => {
    const most = Math.max(...rows.map(of))
    const lines = rows.map((r) => `  ${String(r.nodes).padStart(6)} ${'█'.repeat(Math.max(1, Math.round(of(r) / most * WIDTH)))} ${rounded(of(r))} ${unit}`.trimEnd())
    return `${title}\n${lines.join('\n')}\n`
  }).join('\n')
}

function rounded (n: number): string {
  return n >= 100 ? String(Math.round(n)) : n >= 10 ? n.toFixed(1) : n.toFixed(2)
}
