/** Keeps the content of mirrored domains: whenever something changed, what CURRENT names and isn't held in full is fetched, one job a domain. */
import { NONE, type Reference } from '../substrate/reference.js'
import type { DomainKnowledge } from '../authority/knowledge.js'
import { type ContentResult, fetchContent, type FetchBlocks } from './content.js'
import type { Engine } from './engine.js'
import { isWhole } from './ledger.js'
import { fetchWithin, isLeftOut, joined, newestFirst } from './quota.js'
import type { Report } from './effects.js'
import { Opened } from './want.js'

/** An AbortSignal is one. */
export interface Stop {
  readonly aborted: boolean
  readonly throwIfAborted: () => void
}

export interface MirrorInit {
  readonly engine: Engine
  readonly fetchBlocks: (domain: Reference, stop: Stop) => FetchBlocks
  /** ends every job */
  readonly stop: Stop
  readonly onContent: (domain: Reference, result: ContentResult) => void
  readonly onRefused?: (domain: Reference, peer: string, code: string, ref: Reference) => void
  readonly onFailure: (domain: Reference, err: unknown) => void
}

export interface FetchOptions {
  readonly stop: Stop
  readonly onProgress?: (blocks: number, bytes: number) => void
  readonly onRefused?: (peer: string, code: string, ref: Reference) => void
  readonly peers?: readonly string[]
}

/** ms after which content that nobody had is looked for again */
export const MIRROR_RETRY_MS = 30_000

/** fetches; a peer that comes back is tried again after so many */
const PASS_OVER = 16

/** What was asked for in vain, and of whom. */
interface Vain { readonly roots: ReadonlySet<Reference>, readonly peers: Set<string> }

interface Job { again: boolean, stopped: boolean, done: Promise<void> }

export class Mirror {
  private readonly jobs = new Map<Reference, Job>()
  /** peers that left a request unanswered → fetches for which they are passed over while there is anybody else */
  private readonly passedOver = new Map<string, number>()

  /** mirrored domains that each peer named: only what it names for the first time is worth a look */
  private readonly offers = new Map<string, Set<Reference>>()
  /** by domain, since the last {@link retry}: nobody is asked for the same again before, whatever hellos and heads come in */
  private readonly vain = new Map<Reference, Vain>()
  /** what names say and what can't be content, whoever gives it: not brought again by itself */
  private readonly noContent = new Opened()
  /** fetches under a quota, one after the other: each relies on the room that it sees */
  private readonly turns = new Map<Reference, Promise<unknown>>()

  constructor (private readonly init: MirrorInit) {}

  /** Hand the engine's reports here. */
  readonly onReport = (report: Report): void => {
    if (report.kind === 'pulled' || report.kind === 'changed') this.start(report.domain)
    else if (report.kind === 'hello') for (const domain of this.news(report.peer, report.domains)) this.start(domain)
  }

  /** Those of `domains` that are mirrored here and that `peer` didn't name before on its connection. */
  private news (peer: string, domains: readonly Reference[]): Reference[] {
    let before = this.offers.get(peer)
    if (before === undefined) {
      this.dropGone()
      this.offers.set(peer, before = new Set())
    }
    const out: Reference[] = []
    for (const domain of domains) {
      if (before.has(domain) || !this.wanted(domain)) continue
      before.add(domain)
      this.vain.get(domain)?.peers.delete(peer)
      out.push(domain)
    }
    return out
  }

  private dropGone (): void {
    const connected = new Set(this.init.engine.replica.connected)
    for (const p of this.offers.keys()) if (!connected.has(p)) this.offers.delete(p)
  }

  /** Call every {@link MIRROR_RETRY_MS}: what nobody had may be somewhere by now. */
  async retry (): Promise<void> {
    const { engine } = this.init
    this.vain.clear()
    this.dropGone()
    for (const domain of engine.active()) {
      if (this.wanted(domain) && !this.jobs.has(domain) && this.fetchable(await engine.knowledge(domain)).length > 0) this.start(domain)
    }
  }

  private wanted (domain: Reference): boolean {
    const record = this.init.engine.records.get(domain)
    // Our own domain too: another key of it may publish elsewhere, and a restored home gets back what it lost.
    return record?.mode === 'mirror' && !record.dormant && !this.init.stop.aborted
  }

  /** Fetches in the background; a job that runs already goes round once more. */
  private start (domain: Reference): void {
    if (!this.wanted(domain)) return
    const running = this.jobs.get(domain)
    if (running !== undefined) {
      running.again = true
      return
    }
    const job: Job = { again: false, stopped: false, done: Promise.resolve() }
    this.jobs.set(domain, job)
    job.done = this.run(domain, job)
  }

  private async run (domain: Reference, job: Job): Promise<void> {
    const { init } = this
    // Ends with the node, and when the domain is unfollowed meanwhile.
    const stop: Stop = {
      get aborted () { return init.stop.aborted || job.stopped },
      throwIfAborted: () => {
        init.stop.throwIfAborted()
        if (!this.wanted(domain)) job.stopped = true
        if (job.stopped) throw new Unfollowed()
      }
    }
    try {
      do {
        job.again = false
        const result = await this.fetchNew(domain, stop)
        if (result !== undefined) init.onContent(domain, result)
      } while (job.again && this.wanted(domain))
    } catch (err) {
      if (!(err instanceof Unfollowed)) init.onFailure(domain, err)
    } finally {
      this.jobs.delete(domain)
    }
  }

  /** As {@link fetch}, but for what was asked in vain of the very same peers a moment ago. */
  private async fetchNew (domain: Reference, stop: Stop): Promise<ContentResult | undefined> {
    const { engine } = this.init
    await engine.settled()
    const missing = this.fetchable(await engine.knowledge(domain)).filter((root) => !this.noContent.has(root))
    const vain = this.vain.get(domain)
    const providers = engine.replica.providers(domain)
    const fresh = missing.filter((r) => vain?.roots.has(r) !== true)
    const old = missing.filter((r) => vain?.roots.has(r) === true)
    const strangers = providers.filter((p) => vain?.peers.has(p) !== true)
    const asked = new Set(vain?.peers)
    const whole = new Set<Reference>()
    const results: ContentResult[] = []
    // What is new is asked of all, and all else of whoever wasn't asked for it yet.
    for (const [roots, peers] of [[fresh, providers], [old, strangers]] as const) {
      if (roots.length === 0 || (roots === old && strangers.length === 0)) continue
      const chosen = this.choose(peers)
      const result = await this.fetchRoots(domain, roots, chosen, { stop })
      results.push(result)
      for (const r of result.whole) whole.add(r)
      if (roots === old || old.length === 0) for (const p of chosen) asked.add(p)
    }
    this.vain.set(domain, { roots: new Set(missing.filter((r) => !whole.has(r))), peers: asked })
    return results.length === 0 ? undefined : joined(results)
  }

  /** Resolves when no job runs any more. */
  async idle (): Promise<void> {
    while (this.jobs.size > 0) await Promise.all([...this.jobs.values()].map(async (j) => { await j.done }))
  }

  /** Brings all content of the domain's CURRENT names; undefined when nothing was to do. */
  async fetch (domain: Reference, options: FetchOptions): Promise<ContentResult | undefined> {
    const { engine } = this.init
    await engine.settled()
    const roots = this.fetchable(await engine.knowledge(domain))
    if (roots.length === 0) return undefined
    return await this.fetchRoots(domain, roots, options.peers ?? this.choose(engine.replica.providers(domain)), options)
  }

  /** Roots that aren't whole, but for those that there is no room for. */
  private fetchable (k: DomainKnowledge): Reference[] {
    const { engine } = this.init
    return missingRoots(engine, k).filter((root) => !isLeftOut(engine, k.domain, root))
  }

  private async fetchRoots (domain: Reference, roots: readonly Reference[], peers: readonly string[], options: FetchOptions): Promise<ContentResult> {
    const { engine } = this.init
    const { blocks: store, audience } = engine.ports
    const onRefused = (peer: string, code: string, ref: Reference): void => {
      if (code === 'peer-gone') this.passedOver.set(peer, PASS_OVER)
      options.onRefused?.(peer, code, ref)
      this.init.onRefused?.(domain, peer, code, ref)
      // The bytes were what was published: their bearer is not at fault.
      if (code !== 'content-malformed') engine.outside?.blame(peer, code)
    }
    const init = {
      domain,
      store,
      audience,
      peers,
      fetch: this.init.fetchBlocks(domain, options.stop),
      signal: options.stop,
      ...(options.onProgress === undefined ? {} : { onProgress: options.onProgress }),
      onRefused,
      onNoContent: (ref: Reference) => { this.noContent.add(ref) },
      quota: () => engine.records.get(domain)?.quota
    }
    // Whatever of it is held meanwhile for another name stays held (upkeep.ts).
    if (init.quota() === undefined) return await engine.gate.together(domain, async () => await fetchContent(init, roots.map((ref) => ({ ref, expected: undefined }))))
    return await this.inTurn(domain, async () => {
      const missing = new Set(this.fetchable(await engine.knowledge(domain)))
      const ordered = newestFirst(await engine.knowledge(domain), roots.filter((r) => missing.has(r)))
      return await engine.gate.together(domain, async () => await fetchWithin({ ...init, kv: engine.ports.kv }, ordered))
    })
  }

  private async inTurn<T> (domain: Reference, work: () => Promise<T>): Promise<T> {
    const mine = (this.turns.get(domain) ?? Promise.resolve()).then(work)
    const ended = mine.catch(() => undefined)
    this.turns.set(domain, ended)
    try {
      return await mine
    } finally {
      if (this.turns.get(domain) === ended) this.turns.delete(domain)
    }
  }

  /** Who stalled lately would hold up everything that it is asked for. */
  private choose (providers: readonly string[]): readonly string[] {
    const good = providers.filter((p) => !this.passedOver.has(p))
    if (good.length === 0) return providers
    for (const p of providers) {
      const left = this.passedOver.get(p)
      if (left === undefined) continue
      if (left <= 1) this.passedOver.delete(p)
      else this.passedOver.set(p, left - 1)
    }
    return good
  }
}

class Unfollowed extends Error {}

/** References of CURRENT names whose content isn't held in full. */
export function missingRoots (engine: Engine, k: DomainKnowledge): Reference[] {
  const out = new Set<Reference>()
  for (const e of k.view().current.values()) if (e.ref !== NONE && !isWhole(engine.ports.kv, k.domain, e.ref)) out.add(e.ref)
  return [...out]
}
