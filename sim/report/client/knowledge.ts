/** Who knew what at a moment. */
import type { Micros } from '../../trace.js'
import type { ReportData, ViewRow } from '../data.js'
import type { Kit } from './kit.js'

export interface Stand {
  /** the view held, if any */
  readonly view: ViewRow | undefined
  /** updates of the domain published so far, and those of them that the view is new enough for */
  readonly published: number
  readonly held: number
}

export interface Knowledge {
  readonly at: (node: number, domain: number, t: Micros) => Stand
  /** all views of a node and domain, in order of time */
  readonly views: (node: number, domain: number) => readonly ViewRow[]
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

  // The sorted log positions of what is published so far: asked for 1,000 nodes a frame, changed once an update.
  let cache = { domain: -1, count: -1, sorted: [] as number[] }
  const positions = (domain: number, count: number): number[] => {
    if (cache.domain !== domain || cache.count !== count) {
      const sorted = (published[domain] ?? []).slice(0, count).map(row => row[3]).sort((a, b) => a - b)
      cache = { domain, count, sorted }
    }
    return cache.sorted
  }
  const viewsOf = (node: number, domain: number): ViewRow[] => views.get(node * data.domains.length + domain) ?? []
  return {
    at (node, domain, t) {
      const rows = viewsOf(node, domain)
      const view = rows[kit.after(rows, t) - 1]
      const count = kit.after(published[domain] ?? [], t)
      if (view === undefined) return { view, published: count, held: 0 }
      const sorted = positions(domain, count)
      let [low, high] = [0, sorted.length]
      while (low < high) {
        const middle = (low + high) >> 1
        if ((sorted[middle] ?? 0) <= view[3]) low = middle + 1
        else high = middle
      }
      return { view, published: count, held: low }
    },
    views: viewsOf,
    published: domain => published[domain] ?? [],
    domains: node => domains[node] ?? [],
    state (node, t) {
      const rows = states[node] ?? []
      return data.words[rows[kit.after(rows, t) - 1]?.[2] ?? -1] ?? 'up'
    }
  }
}
