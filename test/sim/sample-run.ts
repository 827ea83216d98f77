/**
 * Plausible runs for the report's tests, made without the simulator's world: a little flood of updates over links with latency, and the accidents
 * that a report has to show. Equal arguments give equal runs; only whole numbers are drawn.
 */
import { createHash } from 'node:crypto'
import type { Micros, RunResult, TraceEvent, Violation } from '../../sim/trace.js'

type Node = RunResult['nodes'][number]
type Event = TraceEvent

const SECOND = 1_000_000

/** Whole numbers from a seed (mulberry32): `draw(n)` is in 0 … n-1. */
export function dice (seed: number): (below: number) => number {
  let state = seed >>> 0
  return below => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

interface Plan {
  readonly seed: number
  readonly end: Micros
  readonly nodes: readonly Node[]
  readonly domains: RunResult['domains']
  readonly links: RunResult['links']
  readonly publications: ReadonlyArray<{ readonly t: Micros, readonly node: string, readonly domain: string }>
  /** links from `a` to `b` and back are cut from..to, one way only where said */
  readonly cuts: ReadonlyArray<{ readonly from: Micros, readonly to: Micros, readonly a: string, readonly b: string, readonly oneWay: boolean }>
  readonly down: ReadonlyArray<{ readonly node: string, readonly from: Micros, readonly to: Micros }>
  readonly extra: readonly Event[]
}

const digestOf = (text: string): string => createHash('sha256').update(text).digest('hex')

function play (plan: Plan): Event[] {
  const draw = dice(plan.seed)
  const events: Event[] = [...plan.extra]
  const neighbours = new Map<string, Array<{ readonly to: string, readonly latency: Micros }>>(plan.nodes.map(node => [node.name, []]))
  for (const { from, to, latency } of plan.links) {
    neighbours.get(from)?.push({ to, latency })
    neighbours.get(to)?.push({ to: from, latency })
  }
  const wanted = new Map(plan.nodes.map(node => [node.name, new Set([node.owns, ...node.follows])]))
  const deaf = (node: string, t: Micros): Micros => plan.down.find(fall => fall.node === node && t >= fall.from && t < fall.to)?.to ?? -1
  const cut = (a: string, b: string, t: Micros): boolean =>
    plan.cuts.some(c => t >= c.from && t < c.to && ((c.a === a && c.b === b) || (!c.oneWay && c.a === b && c.b === a)))
  const logseq = new Map<string, number>()
  plan.publications.forEach(({ t, node, domain }, update) => {
    const seq = (logseq.get(domain) ?? 0) + 1
    logseq.set(domain, seq)
    const view = digestOf(`${domain} ${seq}`).slice(0, 16)
    const take = (at: Micros, who: string, by: string): void => {
      events.push({ t: at, kind: 'view', node: who, domain, view, logseq: seq, names: 1 + seq % 40, by, brought: who === node ? [] : [update] })
    }
    events.push({ t, kind: 'published', node, domain, lane: digestOf(`${node} ${domain}`), head: digestOf(`head ${domain} ${seq}`), name: `notes/${seq}.md`, logseq: seq, update })
    take(t, node, 'self')
    // A flood, nearest first; who is cut off or down gets it by a sync after the trouble.
    const queue = [{ at: t, who: node }]
    const reached = new Set([node])
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const { at, who } = next
      for (const { to, latency } of neighbours.get(who) ?? []) {
        if (wanted.get(to)?.has(domain) !== true) continue
        const sent = at + 200 + draw(900)
        const arrives = sent + latency + draw(1 + Math.floor(latency / 4))
        if (sent > plan.end) continue
        const what = update % 9 === 0 ? 'block' : 'gossip'
        events.push({ t: sent, kind: 'sent', from: who, to, what, bytes: 300 + draw(900), arrives })
        if (cut(who, to, sent) || deaf(to, arrives) >= 0) {
          events.push({ t: sent, kind: 'lost', from: who, to, what, why: deaf(to, arrives) >= 0 ? 'receiver down' : 'cut' })
          continue
        }
        if (reached.has(to) || arrives > plan.end) continue
        reached.add(to)
        take(arrives, to, who)
        queue.push({ at: arrives, who: to })
        queue.sort((a, b) => a.at - b.at)
      }
    }
    for (const { name } of plan.nodes) {
      if (reached.has(name) || wanted.get(name)?.has(domain) !== true) continue
      const trouble = Math.max(deaf(name, t), ...plan.cuts.filter(c => t >= c.from && t < c.to).map(c => c.to))
      const from = neighbours.get(name)?.[0]?.to ?? node
      const at = trouble + 300_000 + draw(2 * SECOND)
      if (trouble < 0 || at > plan.end) continue
      events.push({ t: at, kind: 'sent', from, to: name, what: 'sync', bytes: 2_000 + draw(9_000), arrives: at + 40_000 })
      if (at + 40_000 <= plan.end) take(at + 40_000, name, from)
    }
  })
  for (const { from, to, a, b, oneWay } of plan.cuts) {
    for (const [x, y] of oneWay ? [[a, b]] : [[a, b], [b, a]]) {
      events.push({ t: from, kind: 'link', from: x ?? '', to: y ?? '', state: 'cut' }, { t: to, kind: 'link', from: x ?? '', to: y ?? '', state: 'up' })
    }
  }
  for (const { node, from, to } of plan.down) {
    events.push({ t: from, kind: 'node', node, state: 'crashed', text: 'torn write in the log' }, { t: to, kind: 'node', node, state: 'up', text: 'restarted' })
  }
  return onlyForward(events.filter(event => event.t <= plan.end).sort((a, b) => a.t - b.t))
}

/** Updates were played one after the other; in order of time an older one that comes late changes nothing of the view but what it brought. */
function onlyForward (events: readonly Event[]): Event[] {
  const newest = new Map<string, Extract<Event, { kind: 'view' }>>()
  return events.map(event => {
    if (event.kind !== 'view') return event
    const key = `${event.node} ${event.domain}`
    const before = newest.get(key)
    if (before !== undefined && before.logseq >= event.logseq) return { ...before, t: event.t, by: event.by, brought: event.brought }
    newest.set(key, event)
    return event
  })
}

function finish (plan: Plan, trace: readonly Event[], about: Pick<RunResult, 'scenario' | 'shows' | 'file'>, violations: readonly Violation[]): RunResult {
  const sent = trace.filter(event => event.kind === 'sent')
  const byKind = new Map<string, { messages: number, bytes: number }>()
  const byNode = new Map(plan.nodes.map(node => [node.name, { sent: 0, received: 0, bytesSent: 0, bytesReceived: 0 }]))
  for (const { from, to, what, bytes } of sent) {
    const kind = byKind.get(what) ?? { messages: 0, bytes: 0 }
    byKind.set(what, { messages: kind.messages + 1, bytes: kind.bytes + bytes })
    const [sender, receiver] = [byNode.get(from), byNode.get(to)]
    if (sender !== undefined) [sender.sent, sender.bytesSent] = [sender.sent + 1, sender.bytesSent + bytes]
    if (receiver !== undefined) [receiver.received, receiver.bytesReceived] = [receiver.received + 1, receiver.bytesReceived + bytes]
  }
  const bytes = sent.reduce((sum, event) => sum + event.bytes, 0)
  const deliveries = Math.max(1, trace.filter(event => event.kind === 'view').length)
  return {
    ...about,
    seed: plan.seed,
    status: violations.length === 0 ? 'passed' : 'failed',
    digest: digestOf(JSON.stringify(trace)),
    steps: trace.length * 3,
    end: plan.end,
    unused: [],
    notes: [],
    violations,
    cost: {
      messages: sent.length,
      bytes,
      lost: trace.filter(event => event.kind === 'lost').length,
      updates: plan.publications.length,
      messagesPerDeliveryMilli: Math.floor(sent.length * 1000 / deliveries),
      bytesPerDeliveryMilli: Math.floor(bytes * 1000 / deliveries),
      redundancyMilli: 2_310,
      maxHops: 4,
      delayMedian: 61_240,
      delayP95: 412_900,
      delayMax: 121_300_000,
      byKind: [...byKind].map(([what, total]) => ({ what, ...total })),
      byNode: [...byNode].map(([node, total]) => ({ node, ...total }))
    },
    domains: plan.domains,
    nodes: plan.nodes,
    links: plan.links,
    trace
  }
}

/** 12 nodes, 3 domains, ten minutes: a partition, a crash, a forger, and a publisher whose key signs two histories. */
export function sampleRun (seed = 7): RunResult {
  const draw = dice(seed + 1)
  const domains = ['harbour', 'observatory', 'parish'].map(name => ({ name, id: `0001${digestOf(name)}` }))
  const node = (name: string, kind: Node['kind'], owns: string, follows: string[], adversary = ''): Node => ({ name, kind, adversary, owns, follows })
  const nodes = [
    node('harbour-1', 'publisher', 'harbour', ['observatory']),
    node('harbour-2', 'publisher', 'harbour', ['harbour', 'parish']),
    node('observatory', 'publisher', 'observatory', ['harbour']),
    node('parish', 'publisher', 'parish', ['harbour', 'observatory']),
    node('mirror-north', 'mirror', '', ['harbour', 'observatory', 'parish']),
    node('mirror-south', 'mirror', '', ['harbour', 'observatory', 'parish']),
    node('alder', 'follower', '', ['harbour', 'parish']),
    node('birch', 'follower', '', ['harbour', 'observatory']),
    node('cedar', 'follower', '', ['parish', 'observatory']),
    node('notary', 'witness', '', ['harbour', 'observatory', 'parish']),
    node('reading-room', 'reader', '', ['parish', 'harbour']),
    node('mallory', 'adversary', '', ['harbour'], 'forger')
  ]
  const pairs = [[0, 1], [0, 4], [1, 5], [2, 4], [2, 5], [3, 5], [3, 4], [4, 5], [4, 6], [4, 7], [5, 7], [5, 8], [2, 8], [3, 9], [4, 9], [5, 10], [6, 10], [11, 6], [11, 4], [0, 2], [1, 3]] as const
  const name = (i: number): string => nodes[i]?.name ?? ''
  const links = pairs.map(([a, b]) => ({ from: name(a), to: name(b), latency: 12_000 + draw(70_000) }))
  const end = 600 * SECOND
  const south = new Set(['harbour-2', 'parish', 'mirror-south', 'cedar', 'reading-room'])
  const cuts = [
    ...links.filter(link => south.has(link.from) !== south.has(link.to)).map(link => ({ from: 180 * SECOND, to: 300 * SECOND, a: link.from, b: link.to, oneWay: false })),
    { from: 420 * SECOND, to: 480 * SECOND, a: 'mirror-north', b: 'birch', oneWay: true }
  ]
  const publications = Array.from({ length: 42 }, (_, i) => {
    const owner = (['harbour-1', 'observatory', 'parish', 'harbour-2'] as const)[i % 4] ?? 'parish'
    return { t: (5 + i * 14) * SECOND + draw(3 * SECOND), node: owner, domain: owner.replace(/-\d$/, '') }
  })
  const lane = digestOf('parish lane')
  const extra: Event[] = [
    ...publications.map((p): Event => ({ t: p.t, kind: 'action', action: 'publish', node: p.node, text: `one file to ${p.domain}` })),
    { t: 180 * SECOND, kind: 'action', action: 'partition', node: '', text: 'north | south' },
    { t: 300 * SECOND, kind: 'action', action: 'heal', node: '', text: 'all links' },
    { t: 360 * SECOND, kind: 'action', action: 'crash', node: 'birch', text: 'torn write' },
    ...Array.from({ length: 34 }, (_, i): Event => ({ t: (20 + i * 9) * SECOND, kind: 'refused', node: name([4, 6, 0][i % 3] ?? 4), peer: 'mallory', domain: 'harbour', code: i % 5 === 4 ? 'malformed' : 'signature-invalid', ref: digestOf(`forged ${i}`) })),
    ...Array.from({ length: 6 }, (_, i): Event => ({ t: (210 + i * 30) * SECOND, kind: 'noted', node: 'notary', peer: 'mirror-north', domain: 'observatory', code: 'not-exported', ref: digestOf(`noted ${i}`) })),
    ...['notary', 'mirror-south', 'mirror-north', 'alder', 'cedar', 'reading-room', 'harbour-2'].map((who, i): Event => ({ t: 330 * SECOND + i * 140_000, kind: 'evidence', node: who, domain: 'parish', lane, index: i === 0 ? 6 : 5 })),
    ...['mirror-north', 'mirror-south'].map((who, i): Event => ({ t: (70 + i) * SECOND, kind: 'content', node: who, domain: 'observatory', blocks: 31, bytes: 6_440_112, missing: 0 })),
    { t: 150 * SECOND, kind: 'expectation', line: 41, text: 'every follower of harbour knows update 8 within 5 s', met: true, found: 'slowest 0.412 s at birch' },
    { t: 330 * SECOND, kind: 'expectation', line: 47, text: 'all followers agree on parish within 20 s of the heal', met: true, found: '6 of 6 views equal' },
    { t: 400 * SECOND, kind: 'expectation', line: 52, text: 'evidence against the lane of parish reaches every node that follows it within 60 s', met: false, found: '7 of 8: harbour-1 has none' },
    { t: 590 * SECOND, kind: 'expectation', line: 58, text: 'mallory changes no view', met: true, found: '34 refusals, 0 changes' }
  ]
  const plan = { seed, end, nodes, domains, links, publications, cuts, down: [{ node: 'birch', from: 360 * SECOND, to: 395 * SECOND }], extra }
  // While the key of parish signs two histories, some nodes are shown the other one.
  const trace = play(plan).map((event): Event => event.kind === 'view' && event.domain === 'parish' && event.t > 290 * SECOND && event.t < 332 * SECOND && ['alder', 'cedar'].includes(event.node)
    ? { ...event, view: digestOf(`other ${event.logseq}`).slice(0, 16) }
    : event)
  const violation: Violation = { invariant: 'expectation', t: 400 * SECOND, node: '', text: 'evidence against the lane of parish reaches every node that follows it within 60 s', line: 52 }
  const broken: Violation = { invariant: 'publish-is-never-lost', t: 395 * SECOND + 120_000, node: 'birch', text: 'acknowledged record 14 is not in the log after the restart', line: 0 }
  return finish(plan, trace, {
    scenario: 'A stolen key behind a partition',
    shows: 'Two halves of a federation go on publishing while they are cut apart; the key of one domain signs two histories, and after the heal every node holds the proof.',
    file: 'sim/scenarios/stolen-key-partition.yaml'
  }, [broken, violation])
}

/** 1,000 nodes, 1,000 domains, each followed by ten: about 200,000 events. */
export function largeRun (seed = 11, count = 1000, publications = 7_400): RunResult {
  const draw = dice(seed)
  const domains = Array.from({ length: count }, (_, i) => ({ name: `domain-${i}`, id: `0001${digestOf(`d${i}`)}` }))
  const follows = Array.from({ length: count }, (): string[] => [])
  const links: Array<{ from: string, to: string, latency: Micros }> = []
  domains.forEach((domain, d) => {
    const ring = [d, ...Array.from({ length: 10 }, () => draw(count)).filter(n => n !== d)]
    for (const n of ring.slice(1)) follows[n]?.push(domain.name)
    ring.forEach((n, i) => { if (i > 0) links.push({ from: `node-${ring[draw(i)] ?? 0}`, to: `node-${n}`, latency: 5_000 + draw(120_000) }) })
  })
  const nodes = domains.map((domain, i): Node => ({
    name: `node-${i}`, kind: i % 50 === 49 ? 'adversary' : i % 20 === 0 ? 'mirror' : 'publisher', adversary: i % 50 === 49 ? 'flooder' : '', owns: domain.name, follows: follows[i] ?? []
  }))
  const end = 3_600 * SECOND
  const plan = {
    seed, end, nodes, domains, links,
    publications: Array.from({ length: publications }, (_, i) => ({ i, at: draw(3_500) * SECOND + draw(SECOND), n: draw(count) })).sort((a, b) => a.at - b.at || a.i - b.i)
      .map(({ at, n }) => ({ t: at, node: `node-${n}`, domain: `domain-${n}` })),
    cuts: [],
    down: Array.from({ length: 30 }, (_, i) => ({ node: `node-${draw(count)}`, from: (200 + i * 40) * SECOND, to: (800 + i * 60) * SECOND })),
    extra: Array.from({ length: 2_000 }, (_, i): Event => ({ t: draw(3_600) * SECOND, kind: 'refused', node: `node-${draw(count)}`, peer: `node-${49 + 50 * draw(20)}`, domain: `domain-${i % count}`, code: 'quota-exceeded', ref: '' }))
  }
  return finish(plan, play(plan), { scenario: 'A thousand domains', shows: 'Each of 1,000 domains is followed by ten nodes; twenty flooders try to be heard.', file: 'sim/scenarios/thousand.yaml' }, [])
}

/** The sample with every text turned into an attempt to get out of its place. */
export function hostileRun (): RunResult {
  const bad = (text: string): string => text === '' ? '' : `${text}</script><script>alert(1)</script><img src=x onerror=alert(1)>"'\`&\u202e\u2028\ud800]]>-->`
  const run = sampleRun()
  const poison = (value: unknown, key: string): unknown => {
    if (Array.isArray(value)) return value.map(part => poison(part, key))
    if (typeof value === 'object' && value !== null) return Object.fromEntries(Object.entries(value).map(([k, part]) => [k, poison(part, k)]))
    return typeof value === 'string' && !['kind', 'status', 'state', 'view', 'digest'].includes(key) ? bad(value) : value
  }
  return poison(run, '') as RunResult
}
