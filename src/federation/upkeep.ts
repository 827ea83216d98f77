/**
 * Keeps what is served in step with what the view exports, where the two change apart:
 *  - A vouch exports what was published here earlier by a key that may not export (A2): its blocks are marked for the domain from then on.
 *  - What a cut ends, a fork makes doubtful or nobody vouches for any more is exported no more (K3, E4, A2): its blocks are held back, and come back when it
 *    is exported again, which a base before the cut can bring about (M7).
 *  - An erased leaf no longer reaches its content (R7, V4): blocks that no other exported leaf reaches are held back, and given up for good once the body
 *    was dropped, which an anchor has to allow (K4). Until then they come back when a cut ends the erasure.
 * Only blocks that came here for this very domain are ever marked (V1, V2): a leaf that names somebody else's bytes, or a private file, exports nothing.
 */
import type { DomainKnowledge } from '../authority/knowledge.js'
import { hasRole } from '../authority/lane-view.js'
import type { LeafLog } from '../publication/leaf-log.js'
import { namesContent } from '../publication/leaf.js'
import { toHex } from '../substrate/bytes.js'
import type { Hash, Reference } from '../substrate/reference.js'
import { contentOf, type ErasedRoot, erasedRootOp, erasedRoots, isWhole } from './ledger.js'
import { type Going, hide, type Household, reachedOnly, rootsOf, showContent, walk } from './reach.js'

interface Shown { readonly log: LeafLog, readonly exported: number }

interface Job { again: boolean, done: Promise<void> }

export class Upkeep {
  private readonly jobs = new Map<Reference, Job>()
  /** exported leaves of each lane that were looked at; as long as the process lives */
  private readonly looked = new WeakMap<DomainKnowledge, Map<Reference, number>>()

  /** up to where each lane was exported when it was looked at last */
  private readonly shown = new WeakMap<DomainKnowledge, Map<Reference, Shown>>()

  /** domains with content that is held back */
  private readonly heldBack = new Set<Reference>()

  /** blocks that only erased leaves reach, of domains whose marks don't say so yet */
  private readonly hidden = new Map<Reference, { readonly has: (ref: Reference) => boolean }>()

  /** `failed`: the store failed. */
  constructor (private readonly engine: Household, private readonly failed: (err: unknown) => void) {}

  /** Looks after a domain in the background. One job a domain; a job that runs goes round once more. */
  start (k: DomainKnowledge): void {
    const running = this.jobs.get(k.domain)
    if (running !== undefined) running.again = true
    else {
      const job: Job = { again: false, done: Promise.resolve() }
      this.jobs.set(k.domain, job)
      job.done = this.run(k, job)
    }
  }

  /** Somebody else has put something of the domain into the store as held back: it is looked after from now on. */
  heldBackHere (domain: Reference): void {
    this.heldBack.add(domain)
  }

  /** R7: whether the block is erased and its mark, which waits for others' work, may not say so yet. */
  isHidden (domain: Reference, ref: Reference): boolean {
    return this.hidden.get(domain)?.has(ref) === true
  }

  /** Resolves when nothing is under way. */
  async idle (): Promise<void> {
    while (this.jobs.size > 0) await Promise.all([...this.jobs.values()].map(async (j) => { await j.done }))
  }

  private async run (k: DomainKnowledge, job: Job): Promise<void> {
    try {
      do {
        job.again = false
        await this.tend(k)
      } while (job.again)
    } catch (err) {
      this.failed(err)
    } finally {
      this.jobs.delete(k.domain)
    }
  }

  private async tend (k: DomainKnowledge): Promise<void> {
    const looked = this.looked.get(k) ?? new Map<Reference, number>()
    const first = !this.looked.has(k)
    this.looked.set(k, looked)
    const fresh = this.proposals(k, looked)
    if (fresh.size > 0) await showContent(this.engine, k.domain, fresh)
    const lost = this.lost(k)
    // What was held back by an earlier process is in the store; later on it shows in the view.
    if (first || lost.size > 0 || k.view().erased.size > 0 || this.heldBack.has(k.domain)) await this.tendHidden(k, lost)
  }

  /**
   * Content of leaves that were exported and aren't any more, whatever else names it. What happened before this process shows in logs that are held beyond
   * what is exported: of a lane that nobody vouches for any more every leaf still counts. It is looked through once, and only what is shown of it matters.
   */
  private lost (k: DomainKnowledge): Set<Reference> {
    const out = new Set<Reference>()
    const before = this.shown.get(k)
    const now = before ?? new Map<Reference, Shown>()
    this.shown.set(k, now)
    const { audience } = this.engine.ports
    const isShown = before === undefined ? audience.heldBy(k.domain) : () => true
    const { lanes } = k.view()
    // What waits for something may count again when that comes, a moment later mostly; and so may what it vouches for.
    const waits = [...now.keys()].some((ref) => lanes.get(ref)?.status === 'deferred')
    for (const [ref, v] of lanes) {
      const old = now.get(ref)
      if (v.status === 'deferred' || (waits && old?.log === v.log && v.exported < (old?.exported ?? 0) && v.exported < v.limit)) continue
      const ended = (log: LeafLog, from: number, to: number): void => {
        for (let i = from; i < to; i++) {
          const leaf = log.leaf(i)
          const root = contentOf(leaf, v.knowledge.bodies.get(toHex(leaf.subarray(10)) as Hash))
          if (root !== undefined && isShown(root)) out.add(root)
        }
      }
      if (before === undefined) for (const { log } of v.knowledge.branches) ended(log, log === v.log ? v.exported : 0, log.size)
      else if (old !== undefined) ended(old.log, old.log === v.log ? v.exported : 0, old.exported)
      if (v.log === undefined || v.exported === 0) now.delete(ref)
      else if (old?.log !== v.log || old.exported !== v.exported) now.set(ref, { log: v.log, exported: v.exported })
    }
    return out
  }

  /** Content of leaves that came to be exported by a vouch, published here and not shown yet. Lanes of federate keys are exported by their own publishing. */
  private proposals (k: DomainKnowledge, looked: Map<Reference, number>): Set<Reference> {
    const out = new Set<Reference>()
    const { kv, audience } = this.engine.ports
    for (const [ref, v] of k.view().lanes) {
      if (v.exported === 0 || hasRole(v, 'federate')) continue
      for (let i = Math.min(looked.get(ref) ?? 0, v.exported); i < v.exported; i++) {
        const body = v.judged[i]?.body
        if (namesContent(body) && isWhole(kv, k.domain, body.ref) && !audience.heldFor(k.domain, body.ref)) out.add(body.ref)
      }
      looked.set(ref, v.exported)
    }
    return out
  }

  private async tendHidden (k: DomainKnowledge, lost: ReadonlySet<Reference>): Promise<void> {
    const { engine } = this
    const held = await erasedRoots(engine.ports.kv, k.domain)
    if (held.size > 0) this.heldBack.add(k.domain)
    else this.heldBack.delete(k.domain)
    const due = settlement(k, held, lost)
    if (due.hold.length + due.drop.length + due.back.length === 0) return
    // Whoever brings something in may take as long as they please: what is erased isn't served meanwhile, whatever its marks say.
    const hidden = await reachedOnly(engine, k.domain, [['hold', due.hold]], due.alive)
    this.hidden.set(k.domain, hidden)
    await engine.gate.alone(k.domain, async () => { await settleHidden(engine, k, held, lost) })
    // The marks say it now.
    if (this.hidden.get(k.domain) === hidden) this.hidden.delete(k.domain)
    this.heldBack.add(k.domain)
  }
}

/** What is to be done about content that leaves name, or named, which are erased or exported no more. */
interface Settlement extends Going {
  /** what exported leaves in force name; `hold`: named by none of them, and still shown; `drop`: their last leaf's body was dropped */
  readonly alive: ReadonlySet<Reference>
  /** in force again */
  readonly back: readonly Reference[]
}

function settlement (k: DomainKnowledge, before: ReadonlyMap<Reference, ErasedRoot>, lost: ReadonlySet<Reference>): Settlement {
  const alive = rootsOf(k.view())
  const named = erasedContent(k)
  return {
    alive,
    hold: [...[...named].filter((r) => before.get(r) !== 'held-back'), ...[...lost].filter((r) => !named.has(r) && !before.has(r))].filter((r) => !alive.has(r)),
    drop: [...before].filter(([r, state]) => state === 'dropped' && !alive.has(r) && !named.has(r)).map(([r]) => r),
    back: [...before.keys()].filter((r) => alive.has(r))
  }
}

/** Brings back what lives again, holds back what is erased or exported no more, gives up what was dropped. */
async function settleHidden (engine: Household, k: DomainKnowledge, before: ReadonlyMap<Reference, ErasedRoot>, lost: ReadonlySet<Reference>): Promise<void> {
  const { audience, blocks } = engine.ports
  // By now whoever was bringing some of it in is done. Of what isn't here nothing needs to be remembered.
  const here = new Set([...lost].filter((r) => audience.noted(k.domain, r)))
  for (;;) {
    const { revision } = k
    const damaged = blocks.damaged.size
    const all = settlement(k, before, here)
    // What a damaged Tree reaches nobody can say: it may be what is to be given up, which is looked at again when it is whole.
    const due = damaged === 0 ? all : { ...all, drop: [] }
    const hidden = due.hold.length + due.drop.length > 0 ? await hiddenBy(engine, k, due) : undefined
    // A leaf that came meanwhile may name some of it.
    if (k.revision !== revision || blocks.damaged.size > damaged) continue
    if (hidden !== undefined) await hide(engine, k.domain, hidden, due, true)
    if (due.back.length > 0) await showContent(engine, k.domain, due.back)
    await engine.commit(due.back.map((r) => erasedRootOp(k.domain, r)))
    return
  }
}

/** Blocks that only `hold` and `drop` reach; of what also a record reaches that isn't exported, nothing is given up. */
async function hiddenBy (engine: Household, k: DomainKnowledge, { alive, hold, drop }: Settlement): Promise<ReadonlyMap<Reference, 'hold' | 'drop'>> {
  const hidden = await reachedOnly<'hold' | 'drop'>(engine, k.domain, [['drop', drop], ['hold', hold]], alive)
  if ([...hidden.values()].includes('drop')) {
    const proposed = [...rootsOf(k.viewAll())].filter((r) => !alive.has(r))
    await walk(engine, k.domain, proposed, (ref) => {
      if (hidden.has(ref)) hidden.set(ref, 'hold')
      return true
    })
  }
  return hidden
}

/** What erased leaves name whose bodies are held. */
function erasedContent (k: DomainKnowledge): Set<Reference> {
  const out = new Set<Reference>()
  const { erased, lanes } = k.view()
  for (const place of erased) {
    const at = place.indexOf('/')
    const v = lanes.get(place.slice(0, at) as Reference)
    const leaf = v?.log?.leaf(Number(place.slice(at + 1)))
    const root = v === undefined || leaf === undefined ? undefined : contentOf(leaf, v.knowledge.bodies.get(toHex(leaf.subarray(10)) as Hash))
    if (root !== undefined) out.add(root)
  }
  return out
}
