/**
 * From a run to what its page holds. A big run is cut down by fixed rules, so that the page stays below 8 MB; each rule that took something away
 * leaves a sentence for the reader.
 */
import type { Micros, RunResult } from '../trace.js'
import { arrivalTimes, percentile } from './arrivals.js'
import { LOG_KINDS, type LogRow, type PublishRow, type ReportData, type ViewRow } from './data.js'
import { plain } from './escape.js'
import { formatCount, formatSpan } from './format.js'
import { gather, type Gathered } from './gather.js'
import { layoutNodes, MOST_LABELLED } from './layout.js'
import { thin } from './words.js'

/** Rows on the page, of about 35 bytes of JSON each, and arrivals, of about 6: all together below 7 MB. */
const MOST = { arrivals: 200_000, views: 80_000, published: 20_000, messages: 40_000, lost: 10_000, nodeStates: 20_000, linkStates: 20_000, refusals: 10_000, log: 6_000, idleLinks: 1_500 }

/** What one domain's updates took. */
export interface DomainTotals {
  readonly name: string
  readonly id: string
  readonly publishers: number
  readonly followers: number
  readonly updates: number
  readonly arrived: number
  /** of updates × nodes that follow or own the domain, without their own: never arrived within the run */
  readonly missing: number
  readonly p50: Micros
  readonly p95: Micros
  readonly max: Micros
}

export interface Summary {
  readonly data: ReportData
  readonly gathered: Gathered
  readonly domains: readonly DomainTotals[]
  /** sentences, for people */
  readonly leftOut: readonly string[]
}

export function summarise (result: RunResult): Summary {
  const gathered = gather(result)
  const leftOut: string[] = []
  const domainOf = new Map([...result.domains.map((domain, i) => [domain.id, i] as const), ...result.domains.map((domain, i) => [domain.name, i] as const)])
  const nodes = result.nodes.map(node => ({
    name: plain(node.name, 80),
    kind: node.kind,
    adversary: plain(node.adversary, 80),
    owns: domainOf.get(node.owns) ?? -1,
    follows: node.follows.map(name => domainOf.get(name)).filter(index => index !== undefined)
  }))
  const domains = domainTotals(result, nodes, gathered)
  const few = (what: string, all: readonly unknown[], kept: readonly unknown[]): void => {
    if (kept.length < all.length) leftOut.push(`${formatCount(kept.length)} of ${formatCount(all.length)} ${what} are drawn, evenly chosen.`)
  }
  const messages = thin(gathered.messages, MOST.messages)
  few('messages', gathered.messages, messages)
  const lost = thin(gathered.lost, MOST.lost)
  few('lost messages', gathered.lost, lost)
  const published = thinPublications(gathered)
  few('publications', gathered.published, published)
  const refusals = thin(gathered.refusals, MOST.refusals)
  few('refusals', gathered.refusals, refusals)
  const nodeStates = thin(gathered.nodeStates, MOST.nodeStates)
  few('starts and stops of nodes', gathered.nodeStates, nodeStates)
  const linkStates = thin(gathered.linkStates, MOST.linkStates)
  few('changes of links', gathered.linkStates, linkStates)
  const log = thinLog(gathered.log, MOST.log)
  few('lines of the log', gathered.log, log)
  const views = thinViews(onlyOf(published, gathered), MOST.views, result, leftOut)
  const compact = nodes.length > MOST_LABELLED
  const idleLinks = !compact && gathered.pairs.length <= MOST.idleLinks
  if (compact) leftOut.push(`With ${formatCount(nodes.length)} nodes, the graph stands them in blocks by domain, without names and without idle links.`)
  else if (!idleLinks) leftOut.push(`${formatCount(gathered.pairs.length)} links are drawn only while they carry a message or are cut.`)
  if (gathered.unplaced > 0) leftOut.push(`${formatCount(gathered.unplaced)} events name a node or domain that the run does not list; they stand in the tables only.`)

  const groups = nodes.map(node => ({ group: node.owns >= 0 ? node.owns : node.follows[0] ?? result.domains.length }))
  const data: ReportData = {
    end: Math.max(1, result.end, ...gathered.log.slice(-1).map(row => row[0])),
    compact,
    wide: layoutNodes(groups, gathered.pairs, false),
    narrow: layoutNodes(groups, gathered.pairs, true),
    words: gathered.words.list,
    logKinds: LOG_KINDS,
    nodes,
    domains: domains.map(({ name, id, p50, p95 }) => ({ name, id, p50, p95 })),
    opening: openingDomain(domains, gathered),
    links: idleLinks ? gathered.pairs : [],
    idleLinks,
    views,
    published,
    messages,
    lost,
    nodeStates,
    linkStates,
    refusals,
    log
  }
  return { data, gathered, domains, leftOut }
}

function domainTotals (result: RunResult, nodes: ReportData['nodes'], gathered: Gathered): DomainTotals[] {
  const published = result.domains.map((): Array<{ t: Micros, update: number, node: number }> => [])
  for (const [t, node, domain, , , update] of gathered.published) published[domain]?.push({ t, update, node })
  const views = result.domains.map(() => new Map<number, Array<{ t: Micros, brought: number[] }>>())
  for (const [t, node, domain, , , , , ...brought] of gathered.views) {
    if (brought.length === 0) continue
    const rows = views[domain]?.get(node)
    if (rows === undefined) views[domain]?.set(node, [{ t, brought }])
    else rows.push({ t, brought })
  }
  const owners = result.domains.map(() => new Set<number>())
  const followers = result.domains.map(() => new Set<number>())
  nodes.forEach((node, n) => {
    owners[node.owns]?.add(n)
    for (const domain of node.follows) if (domain !== node.owns) followers[domain]?.add(n)
  })
  return result.domains.map((domain, d) => {
    const updates = published[d] ?? []
    const delays: number[] = []
    let expected = 0
    for (const n of [...owners[d] ?? [], ...followers[d] ?? []]) {
      const times = arrivalTimes(updates, views[d]?.get(n) ?? [])
      updates.forEach((update, i) => {
        if (update.node === n) return
        expected += 1
        const arrived = times[i] ?? -1
        if (arrived >= 0) delays.push(arrived - update.t)
      })
    }
    delays.sort((a, b) => a - b)
    return {
      name: plain(domain.name, 80),
      id: plain(domain.id, 80),
      publishers: owners[d]?.size ?? 0,
      followers: followers[d]?.size ?? 0,
      updates: updates.length,
      arrived: delays.length,
      missing: expected - delays.length,
      p50: percentile(delays, 500),
      p95: percentile(delays, 950),
      max: delays.at(-1) ?? -1
    }
  })
}

/** The domain with evidence, else the one with the most updates that did not arrive, else with the most updates. */
function openingDomain (domains: readonly DomainTotals[], gathered: Gathered): number {
  const guilty = domains.findIndex(domain => gathered.evidence.some(entry => plain(entry.domain, 80) === domain.name))
  if (guilty >= 0) return guilty
  let best = 0
  domains.forEach((domain, i) => {
    const most = domains[best]
    if (most !== undefined && (domain.missing - most.missing || domain.updates - most.updates) > 0) best = i
  })
  return best
}

/** Actions and refusals are thinned; what broke is kept as long as there is room at all. */
function thinLog (rows: readonly LogRow[], most: number): readonly LogRow[] {
  if (rows.length <= most) return rows
  const grave = rows.filter(row => row[1] >= 3)
  const rest = rows.filter(row => row[1] < 3)
  const kept = thin(grave, most)
  return [...kept, ...thin(rest, Math.max(0, most - kept.length))].sort((a, b) => a[0] - b[0])
}

/** Publications, evenly chosen, so few that they and their arrivals have room. */
function thinPublications ({ published, views }: Gathered): readonly PublishRow[] {
  const arrivals = new Map<number, number>()
  for (const [, , , , , , , ...brought] of views) for (const update of brought) arrivals.set(update, (arrivals.get(update) ?? 0) + 1)
  const room = (rows: readonly PublishRow[]): boolean => rows.reduce((sum, row) => sum + (arrivals.get(row[5]) ?? 0), 0) <= MOST.arrivals
  let kept = thin(published, MOST.published)
  while (kept.length > 1 && !room(kept)) kept = thin(published, Math.floor(kept.length / 2))
  return kept
}

/** The views, without what they brought of publications that are not drawn. */
function onlyOf (published: readonly PublishRow[], { published: all, views }: Gathered): readonly ViewRow[] {
  if (published.length === all.length) return views
  const drawn = new Set(published.map(row => row[5]))
  return views.map(([t, node, domain, logseq, names, view, by, ...brought]) => [t, node, domain, logseq, names, view, by, ...brought.filter(update => drawn.has(update))] as const)
}

/**
 * Drops views that the same node replaced within a window, and doubles the window until the rest fits. What they brought goes to the view that is
 * kept, so an arrival is drawn late by a few windows at most and none is lost. Where even the last view of each node and domain is too much, whole domains go, the last in the list first.
 */
function thinViews (rows: readonly ViewRow[], most: number, result: RunResult, leftOut: string[]): readonly ViewRow[] {
  if (rows.length <= most) return rows
  const replaced = new Array<Micros>(rows.length)
  const later = new Map<number, Micros>()
  for (let i = rows.length - 1; i >= 0; i--) {
    const [t, node, domain] = rows[i] ?? [0, 0, 0]
    const key = node * result.domains.length + domain
    replaced[i] = later.get(key) ?? Infinity
    later.set(key, t)
  }
  for (let window = Math.max(1, Math.floor(result.end / 4096)); window <= result.end; window *= 2) {
    const few = rows.reduce((count, row, i) => (replaced[i] ?? Infinity) - row[0] > window ? count + 1 : count, 0)
    if (few > most) continue
    const kept = handOn(rows, i => (replaced[i] ?? Infinity) - (rows[i]?.[0] ?? 0) > window, result.domains.length)
    leftOut.push(`${formatCount(kept.length)} of ${formatCount(rows.length)} changes of a view are drawn: those replaced within ${formatSpan(window)} are not.`)
    return kept
  }
  let kept = handOn(rows, i => replaced[i] === Infinity, result.domains.length)
  let domains = result.domains.length
  while (kept.length > most && domains > 1) {
    domains = Math.floor(domains / 2)
    const limit = domains
    kept = kept.filter(row => row[2] < limit)
  }
  kept = [...thin(kept, most)]
  leftOut.push(`Only the last view of each node is drawn (${formatCount(kept.length)} of ${formatCount(rows.length)}), for the first ${formatCount(domains)} domains.`)
  return kept
}

/** The rows that are kept, each with what the dropped ones before it brought. */
function handOn (rows: readonly ViewRow[], keep: (index: number) => boolean, domains: number): ViewRow[] {
  const owed = new Map<number, number[]>()
  const kept: ViewRow[] = []
  rows.forEach((row, i) => {
    const [t, node, domain, logseq, names, view, by, ...brought] = row
    const key = node * domains + domain
    const before = owed.get(key)
    if (!keep(i)) {
      if (before === undefined) owed.set(key, brought)
      else before.push(...brought)
    } else if (before === undefined || before.length === 0) kept.push(row)
    else {
      kept.push([t, node, domain, logseq, names, view, by, ...before, ...brought])
      owed.delete(key)
    }
  })
  return kept
}
