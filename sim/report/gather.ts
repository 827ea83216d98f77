/** One walk over the trace: everything that the page shows of it, still without regard to size. */
import type { Micros, RunResult, TraceEvent } from '../trace.js'
import type { LinkRow, LogRow, LostRow, MessageRow, NodeRow, PublishRow, RefusalRow, ViewRow } from './data.js'
import { Words } from './words.js'

/** Refusals (or notes) of one node about one peer for one cause. */
export interface Refusals {
  readonly kind: 'refused' | 'noted'
  readonly node: string
  readonly peer: string
  readonly code: string
  readonly domains: Set<string>
  count: number
  readonly first: Micros
  last: Micros
}

export interface Evidence {
  readonly domain: string
  readonly lane: string
  smallest: number
  readonly nodes: Set<string>
  readonly first: Micros
  last: Micros
}

export interface ContentTotal { readonly domain: string, fetches: number, blocks: number, bytes: number, missing: number }
export type Expectation = Extract<TraceEvent, { kind: 'expectation' }>

export interface Gathered {
  readonly words: Words
  readonly views: ViewRow[]
  readonly published: PublishRow[]
  readonly messages: MessageRow[]
  readonly lost: LostRow[]
  readonly nodeStates: NodeRow[]
  readonly linkStates: LinkRow[]
  readonly refusals: RefusalRow[]
  readonly log: LogRow[]
  readonly refusalTotals: Refusals[]
  readonly evidence: Evidence[]
  readonly content: ContentTotal[]
  readonly losses: Map<string, number>
  readonly expectations: Expectation[]
  /** every pair of nodes that a link or a message joined, smaller index first */
  readonly pairs: ReadonlyArray<readonly [number, number]>
  /** events that name a node or a domain which the run doesn't list: they stand in the tables, not in the drawings */
  unplaced: number
}

export function gather (result: RunResult): Gathered {
  const nodeOf = new Map(result.nodes.map((node, i) => [node.name, i]))
  // A domain may be called by its name or by its id.
  const domainOf = new Map([...result.domains.map((domain, i) => [domain.id, i] as const), ...result.domains.map((domain, i) => [domain.name, i] as const)])
  const nameOfDomain = (text: string): string => result.domains[domainOf.get(text) ?? -1]?.name ?? text
  const refusals = new Map<string, Refusals>()
  const evidence = new Map<string, Evidence>()
  const content = new Map<string, ContentTotal>()
  const pairs = new Map<number, readonly [number, number]>()
  const all: Gathered = {
    words: new Words(), views: [], published: [], messages: [], lost: [], nodeStates: [], linkStates: [], refusals: [], log: [], refusalTotals: [],
    evidence: [], content: [], losses: new Map(), expectations: [], pairs: [], unplaced: 0
  }
  const place = (...found: ReadonlyArray<number | undefined>): boolean => {
    if (!found.includes(undefined)) return true
    all.unplaced += 1
    return false
  }
  const say = (event: { readonly t: Micros }, kind: number, node: string, text: string): void => {
    all.log.push([event.t, kind, nodeOf.get(node) ?? -1, all.words.of(text)])
  }
  const join = (a: number, b: number): void => {
    const key = Math.min(a, b) * result.nodes.length + Math.max(a, b)
    if (a !== b && !pairs.has(key)) pairs.set(key, [Math.min(a, b), Math.max(a, b)])
  }
  const take = (event: TraceEvent): void => {
    switch (event.kind) {
      case 'action':
        // Minting comes before the run, once for each domain.
        if (event.action !== 'domain') say(event, 0, event.node, (event.text === '' ? event.action : event.text).replace(/(?<=\d) (?=[kMG]?i?B\b)/g, '\u00a0'))
        return
      case 'sent': {
        const [from, to] = [nodeOf.get(event.from), nodeOf.get(event.to)]
        if (!place(from, to) || from === undefined || to === undefined) return
        join(from, to)
        all.messages.push([event.t, event.arrives, from, to, all.words.of(event.what)])
        return
      }
      case 'lost': {
        all.losses.set(event.why, (all.losses.get(event.why) ?? 0) + 1)
        const [from, to] = [nodeOf.get(event.from), nodeOf.get(event.to)]
        if (place(from, to) && from !== undefined && to !== undefined) all.lost.push([event.t, from, to])
        return
      }
      case 'view': {
        const [node, domain] = [nodeOf.get(event.node), domainOf.get(event.domain)]
        if (!place(node, domain) || node === undefined || domain === undefined) return
        all.views.push([event.t, node, domain, event.logseq, event.names, all.words.of(event.view.slice(0, 8)), all.words.of(event.by), ...event.brought])
        return
      }
      case 'published': {
        const domain = domainOf.get(event.domain)
        if (!place(domain) || domain === undefined) return
        all.published.push([event.t, nodeOf.get(event.node) ?? -1, domain, event.logseq, all.words.of(event.name), event.update])
        return
      }
      case 'refused':
      case 'noted': {
        const key = JSON.stringify([event.kind, event.node, event.peer, event.code])
        const known = refusals.get(key)
        const entry = known ?? { kind: event.kind, node: event.node, peer: event.peer, code: event.code, domains: new Set(), count: 0, first: event.t, last: event.t }
        if (known === undefined) {
          refusals.set(key, entry)
          if (event.kind === 'refused') say(event, 2, event.node, `refused ${event.code} from ${event.peer}`)
        }
        entry.count += 1
        entry.last = event.t
        entry.domains.add(nameOfDomain(event.domain))
        const node = nodeOf.get(event.node)
        if (event.kind === 'refused' && place(node) && node !== undefined) {
          all.refusals.push([event.t, node, all.words.of(event.peer), all.words.of(event.code)])
        }
        return
      }
      case 'evidence': {
        const key = JSON.stringify([event.domain, event.lane])
        const entry = evidence.get(key) ?? { domain: nameOfDomain(event.domain), lane: event.lane, smallest: event.index, nodes: new Set(), first: event.t, last: event.t }
        evidence.set(key, entry)
        entry.smallest = Math.min(entry.smallest, event.index)
        entry.nodes.add(event.node)
        entry.last = event.t
        say(event, 3, event.node, `proof of equivocation: ${nameOfDomain(event.domain)}, record ${event.index}`)
        return
      }
      case 'content': {
        const name = nameOfDomain(event.domain)
        const total = content.get(name) ?? { domain: name, fetches: 0, blocks: 0, bytes: 0, missing: 0 }
        content.set(name, total)
        total.fetches += 1
        total.blocks += event.blocks
        total.bytes += event.bytes
        total.missing += event.missing
        return
      }
      case 'node': {
        const node = nodeOf.get(event.node)
        say(event, 1, event.node, event.text === '' ? event.state : `${event.state}: ${event.text}`)
        if (place(node) && node !== undefined) all.nodeStates.push([event.t, node, all.words.of(event.state)])
        return
      }
      case 'link': {
        const [from, to] = [nodeOf.get(event.from), nodeOf.get(event.to)]
        if (!place(from, to) || from === undefined || to === undefined) return
        join(from, to)
        all.linkStates.push([event.t, from, to, event.state === 'up' ? 1 : 0])
        return
      }
      case 'expectation':
        all.expectations.push(event)
        if (!event.met) say(event, 4, '', `not met (line ${event.line}): ${event.text}`)
        return
      case 'violation':
        say(event, 5, event.node, `${event.invariant}: ${event.text}`)
    }
  }
  for (const link of result.links) {
    const [from, to] = [nodeOf.get(link.from), nodeOf.get(link.to)]
    if (from !== undefined && to !== undefined) join(from, to)
  }
  for (const event of result.trace) take(event)
  // The list of violations counts even where the trace was not kept.
  const said = new Set(all.log.filter(row => row[1] === 5).map(row => `${row[0]} ${all.words.list[row[3]] ?? ''}`))
  for (const violation of result.violations) {
    const row: LogRow = [violation.t, 5, nodeOf.get(violation.node) ?? -1, all.words.of(`${violation.invariant}: ${violation.text}`)]
    if (!said.has(`${row[0]} ${all.words.list[row[3]] ?? ''}`)) all.log.push(row)
  }
  all.log.sort((a, b) => a[0] - b[0])
  all.refusalTotals.push(...[...refusals.values()].sort((a, b) => b.count - a.count || a.first - b.first))
  all.evidence.push(...[...evidence.values()].sort((a, b) => a.first - b.first))
  all.content.push(...[...content.values()].sort((a, b) => b.bytes - a.bytes))
  return { ...all, pairs: [...pairs.values()] }
}
