/** Who knew what at a moment. */
import type { Micros } from '../../trace.js'
import type { ReportData, ViewRow } from '../data.js'
import type { Kit } from './kit.js'

export interface Stand {
  /** the view held, if any */
  readonly view: ViewRow | undefined
  /** updates of the domain published so far, and those of them that came to the node or are its own */
  readonly published: number
  readonly held: number
}

export interface Knowledge {
  readonly at: (node: number, domain: number, t: Micros) => Stand
  /** for each update of the domain when the node had it: its own at once, -1 for never */
  readonly arrivals: (node: number, domain: number) => readonly Micros[]
  readonly published: (domain: number) => ReadonlyArray<readonly [t: Micros, node: number, domain: number, logseq: number, name: number, update: number]>
  /** domains of which the node ever held a view */
  readonly domains: (node: number) => readonly number[]
  /** up, down, crashed or failed */
  readonly state: (node: number, t: Micros) => string
}

export function createKnowledge (kit: Kit, data: ReportData): Knowledge {
  const views = new Map<number, ViewRow[]>()
  const domains = data.nodes.map((): number[] => [])
  for (const row of data.views) {
    const key = row[1] * data.domains.length + row[2]
    const rows = views.get(key)
    if (rows !== undefined) rows.push(row)
    else {
      views.set(key, [row])
      domains[row[1]]?.push(row[2])
    }
  }
  const published = data.domains.map((): Array<ReportData['published'][number]> => [])
  for (const row of data.published) published[row[2]]?.push(row)
  const states = data.nodes.map((): Array<ReportData['nodeStates'][number]> => [])
  for (const row of data.nodeStates) states[row[1]]?.push(row)

  const viewsOf = (node: number, domain: number): ViewRow[] => views.get(node * data.domains.length + domain) ?? []
  const arrivals = (node: number, domain: number): Micros[] => {
    const updates = published[domain] ?? []
    const times = kit.arrivalTimes(updates.map(row => ({ update: row[5] })), viewsOf(node, domain).map(([t, , , , , , , ...brought]) => ({ t, brought })))
    return times.map((t, i) => updates[i]?.[1] === node ? updates[i][0] : t)
  }
  // The same in order of time: asked for 1,000 nodes a frame.
  const moments = new Map<number, Array<readonly [Micros]>>()
  const momentsOf = (node: number, domain: number): Array<readonly [Micros]> => {
    const key = node * data.domains.length + domain
    const known = moments.get(key) ?? arrivals(node, domain).filter(t => t >= 0).sort((a, b) => a - b).map(t => [t] as const)
    moments.set(key, known)
    return known
  }
  return {
    at (node, domain, t) {
      const rows = viewsOf(node, domain)
      const view = rows[kit.after(rows, t) - 1]
      const count = kit.after(published[domain] ?? [], t)
      return { view, published: count, held: view === undefined ? 0 : kit.after(momentsOf(node, domain), t) }
    },
    arrivals,
    published: domain => published[domain] ?? [],
    domains: node => domains[node] ?? [],
    state (node, t) {
      const rows = states[node] ?? []
      return data.words[rows[kit.after(rows, t) - 1]?.[2] ?? -1] ?? 'up'
    }
  }
}
