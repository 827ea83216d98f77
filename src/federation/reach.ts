/** What of a domain's blocks its records reach, and taking out of sight what they reach no more. Source: RULES V1, V3 to V5, R7. */
import type { DomainView } from '../authority/domain-view.js'
import { namesContent } from '../publication/leaf.js'
import type { Child } from '../publication/walk.js'
import { artifactLength } from '../substrate/pack-format.js'
import type { PackStore } from '../substrate/pack-store.js'
import type { Kv, KvOp } from '../substrate/ports.js'
import { NONE, type Reference } from '../substrate/reference.js'
import { getUndamaged } from '../substrate/store.js'
import { type AudienceIndex, FETCHED } from './audience.js'
import type { Gate } from './gate.js'
import { erasedRootOp, givenUpOp, unwholeOp } from './ledger.js'
import { childrenOfWant } from './want.js'

/** ops of one batch; more are written in several, each of which leaves a state that the next look goes on from */
const BATCH_OPS = 8_192

/** What it works on: an engine. */
export interface Household {
  readonly ports: { readonly kv: Kv, readonly blocks: PackStore, readonly audience: AudienceIndex }
  readonly gate: Gate
  readonly records: ReadonlyMap<Reference, { readonly own: boolean }>
  commit: (ops: readonly KvOp[]) => Promise<void>
}

/** What exported, effective leaves name. */
export function rootsOf (view: DomainView): Set<Reference> {
  const out = new Set<Reference>()
  for (const v of view.lanes.values()) {
    for (let i = 0; i < v.exported; i++) {
      const j = v.judged[i]
      if (j?.status === 'accepted' && namesContent(j.body)) out.add(j.body.ref)
    }
  }
  return out
}

/**
 * Calls `enter` for each block of the domain's that `roots` reach and that is held; where it says false nothing below is looked at. Trees and Files once,
 * plain bytes as often as they are named. V1, V3: through the domain's own blocks only, since a private one that a leaf names must not decide anything, or
 * what becomes of the others tells that it is here.
 */
export async function walk (engine: Household, domain: Reference, roots: Iterable<Reference>, enter: (ref: Reference) => boolean): Promise<void> {
  const { audience, blocks } = engine.ports
  const stack: Array<Pick<Child, 'ref'>> = [...roots].filter((r) => r !== NONE).map((ref) => ({ ref }))
  const seen = new Set<Reference>()
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    const { ref } = next
    const stat = blocks.stat(ref)
    if (stat === undefined || seen.has(ref) || !audience.noted(domain, ref) || !enter(ref)) continue
    if (stat.typeTag === undefined) continue
    seen.add(ref)
    const artifact = await getUndamaged(blocks, ref)
    if (artifact !== undefined) for (const child of childrenOfWant({ ref, expected: undefined }, artifact) ?? []) stack.push(child)
  }
}

/** What belongs to the domain and is reached by none of `alive`, by how it is reached; of two ways the later one counts. */
export async function reachedOnly<How> (engine: Household, domain: Reference, from: ReadonlyArray<readonly [How, readonly Reference[]]>, alive: ReadonlySet<Reference>): Promise<Map<Reference, How>> {
  const out = new Map<Reference, How>()
  for (const [how, roots] of from) await walk(engine, domain, roots, (ref) => out.set(ref, how).size > 0)
  if (out.size === 0) return out
  await walk(engine, domain, alive, (ref) => {
    out.delete(ref)
    return out.size > 0
  })
  return out
}

/** Content roots to take out of sight: `hold` for now, `drop` for good. */
export interface Going { readonly hold: readonly Reference[], readonly drop: readonly Reference[] }

/** Does it to `hidden`, all that only such roots reach, in the order in which walks came to it. `erased`: by the domain itself, for ever (R7). */
export async function hide (engine: Household, domain: Reference, hidden: ReadonlyMap<Reference, 'hold' | 'drop'>, { hold, drop }: Going, erased: boolean): Promise<void> {
  const { audience, blocks } = engine.ports
  const own = engine.records.get(domain)?.own === true
  const ops: KvOp[] = []
  let freed = 0
  // Our own bytes were never charged to anybody.
  const giveBack = (): void => {
    if (freed > 0 && !own) ops.push(audience.charge(domain, -freed))
    freed = 0
  }
  // What is below before what leads there: after a crash between two batches the rest is still found, and what went is paid back.
  for (const [ref, how] of [...hidden].reverse()) {
    ops.push(...how === 'hold' ? [audience.holdBack(domain, ref)] : [audience.unmark(domain, ref), givenUpOp(ref, own && erased)])
    const stat = how === 'drop' ? blocks.stat(ref) : undefined
    if (stat !== undefined) freed += artifactLength(stat.typeTag, stat.length)
    if (ops.length < BATCH_OPS) continue
    giveBack()
    await engine.commit(ops.splice(0))
  }
  giveBack()
  // Last, so that a crash between two batches begins the work again.
  for (const root of hold) ops.push(erasedRootOp(domain, root, 'held-back'))
  for (const root of drop) ops.push(unwholeOp(domain, root), erasedRootOp(domain, root))
  await written(engine, ops)
}

/**
 * V1, V4: marks what `roots` reach as held for the domain, each root after all that is below it. Only blocks that have a mark of the domain already: others
 * came here for somebody else or for nobody, and are fetched like any follower's. Call when the leaf that names them is durable.
 */
export async function showContent (engine: Household, domain: Reference, roots: Iterable<Reference>): Promise<void> {
  const { audience } = engine.ports
  for (const root of roots) {
    const ops: KvOp[] = []
    await walk(engine, domain, [root], (ref) => {
      const mark = ref === root ? undefined : audience.mark(domain, ref, FETCHED)
      if (mark !== undefined) ops.push(mark)
      return true
    })
    const mark = audience.noted(domain, root) ? audience.mark(domain, root, FETCHED) : undefined
    if (mark !== undefined) ops.push(mark)
    await written(engine, ops)
  }
}

export async function written (engine: Pick<Household, 'commit'>, ops: readonly KvOp[]): Promise<void> {
  for (let i = 0; i < ops.length; i += BATCH_OPS) await engine.commit(ops.slice(i, i + BATCH_OPS))
}
