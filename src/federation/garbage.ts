/**
 * Collecting garbage: blocks that are on disk and that nothing needs. A block stays while any domain has a mark on it that counts (audience.ts), which is
 * so for all that its records reach, shown or held back. Of the others goes
 *  - what a domain gave up, for which it was here: erased for good (R7), or replaced long ago (V5, replaced.ts);
 *  - what was never needed: left by imports that were interrupted, if the policy of our own domain allows it (`gc_unpublished_allowed`);
 *  - what was only put here by hand, if the policy allows it and the caller asks for it;
 *  - what belongs to domains that are followed no more, if the caller asks for it.
 * Only content: anything else that is a block is kept. Memory is bounded: marks and blocks are read side by side, a window at a time.
 */
import type { DomainKnowledge } from '../authority/knowledge.js'
import { isContent } from '../publication/walk.js'
import { concatBytes, fromHex, readU32, toHex } from '../substrate/bytes.js'
import { artifactLength, referenceKey, referenceOfKey } from '../substrate/pack-format.js'
import { PUTS_KNOWN, putsAreKnown } from '../substrate/pack-recover.js'
import { type Kv, type KvOp, KEYSPACE } from '../substrate/ports.js'
import { digestOf, type Hash, type Reference, referenceOfHash } from '../substrate/reference.js'
import { HELD_BACK } from './audience.js'
import { after, givenUpOp, noContentOps, scan } from './ledger.js'
import { type Household, walk, written } from './reach.js'
import { giveUpReplaced, namedByLeaves } from './replaced.js'

/** blocks that are held against the marks at a time: about 10 MB */
const WINDOW = 65_536

export interface GarbageOptions {
  /** also what was replaced or withdrawn long enough ago (V5) */
  readonly replaced: boolean
  /** also what was only put here by hand */
  readonly unpublished: boolean
  /** also what is here for domains that are followed no more; their records stay */
  readonly unfollowed: boolean
  /** only say what would go */
  readonly pretend: boolean
  readonly signal: { readonly throwIfAborted: () => void }
  /** rejects when nobody wants to wait any longer for others to be done */
  readonly calledOff?: Promise<never>
  /** frees what was discarded, before anything is brought in again */
  readonly free?: () => Promise<void>
  readonly onProgress?: (blocks: number) => void
}

export interface Amount { blocks: number, bytes: number }

export interface Garbage {
  /** erased for good, or replaced and given up */
  readonly givenUp: Amount
  /** left by work that was interrupted */
  readonly leftover: Amount
  readonly unpublished: Amount
  /** what stays though nothing needs it: put here by hand and not asked for; leftovers that the policy keeps */
  readonly kept: { readonly unpublished: Amount, readonly leftover: Amount }
  /** replaced content: names' roots that were given up, and records that wait for an anchor or for more that come after */
  readonly replaced: { readonly roots: number, readonly waiting: number }
}

/** An engine. */
export interface Keeper extends Household {
  readonly records: ReadonlyMap<Reference, { readonly own: boolean, readonly dormant: boolean }>
  knowledge: (domain: Reference) => Promise<DomainKnowledge>
}

/** What a domain is about to give up, or just has. */
type GivingUp = Map<Reference, { readonly has: (ref: Reference) => boolean }>

type Fate = 'givenUp' | 'leftover' | 'unpublished' | 'keptUnpublished' | 'keptLeftover'

/** Blocks that are discarded can't be had any more when this resolves; their bytes are on disk until `PackStore.compact`. Nothing is brought in meanwhile. */
export async function collectGarbage (engine: Keeper, options: GarbageOptions): Promise<Garbage> {
  return await engine.gate.aloneOfAll(async () => {
    // What is on its way to the disk would not be seen.
    await engine.commit([])
    const going: GivingUp = new Map()
    const unreached = new Map<Reference, ReadonlySet<Reference>>()
    const replaced = { roots: 0, waiting: 0 }
    for (const [domain, { own, dormant }] of [...engine.records].sort(([a], [b]) => a < b ? -1 : 1)) {
      options.signal.throwIfAborted()
      if (options.unfollowed && dormant && !own) {
        if (options.pretend) going.set(domain, { has: () => true })
        else await giveUpAll(engine, domain)
      } else if (options.replaced) {
        const { blocks, roots, waiting } = await giveUpReplaced(engine, await engine.knowledge(domain), options.pretend)
        replaced.roots += roots.length
        replaced.waiting += waiting
        if (options.pretend) going.set(domain, blocks)
      }
      if (own) unreached.set(domain, await heldBackInVain(engine, await engine.knowledge(domain)))
    }
    const swept = await sweep(engine, options, going, unreached)
    await options.free?.()
    return { ...swept, replaced }
  }, options.calledOff)
}

/** A proposal's blocks are marked as held back before its leaf is there: when it was interrupted no leaf will ever reach them. */
async function heldBackInVain (engine: Keeper, k: DomainKnowledge): Promise<ReadonlySet<Reference>> {
  const { domain } = k
  const out = new Set<Reference>()
  for await (const [key, value] of scan(engine.ports.kv, markKey(domain))) if (readU32(value, 0) === HELD_BACK) out.add(refOfMark(key))
  if (out.size > 0) {
    await walk(engine, domain, namedByLeaves(k), (ref) => {
      out.delete(ref)
      return true
    })
  }
  // What a damaged Tree reaches nobody can say.
  return engine.ports.blocks.damaged.size > 0 ? new Set() : out
}

/** What is here for a domain that takes no part any more; followed again, it is fetched again. */
async function giveUpAll (engine: Keeper, domain: Reference): Promise<void> {
  const { audience, kv } = engine.ports
  const ops: KvOp[] = []
  for await (const [key] of scan(kv, markKey(domain))) {
    const ref = refOfMark(key)
    ops.push(audience.unmark(domain, ref), givenUpOp(ref, false))
    if (ops.length >= WINDOW) await written(engine, ops.splice(0))
  }
  ops.push(...await noContentOps(kv, domain), audience.charge(domain, -audience.heldBytes(domain)))
  await written(engine, ops)
}

async function sweep (engine: Keeper, options: GarbageOptions, going: GivingUp, unreached: ReadonlyMap<Reference, ReadonlySet<Reference>>): Promise<Omit<Garbage, 'replaced'>> {
  const { audience, blocks, kv } = engine.ports
  const allowed = await mayCollectUnpublished(engine)
  const known = putsAreKnown(kv)
  const amounts: Record<Fate, Amount> = { givenUp: none(), leftover: none(), unpublished: none(), keptUnpublished: none(), keptLeftover: none() }
  const domains = await markedDomains(kv)
  let looked = 0
  for await (const window of windows(blocks.blocks(), WINDOW)) {
    options.signal.throwIfAborted()
    const [first, last] = [window[0] as Sized, window.at(-1) as Sized].map(([ref]) => ref) as [Reference, Reference]
    const idle = new Map(window)
    const stale = new Map<Reference, Uint8Array[]>()
    const givenUp = new Map<Reference, boolean>()
    for (const domain of domains) {
      const belongs = audience.belongs(domain)
      const gone = going.get(domain)
      const own = engine.records.get(domain)?.own === true
      for await (const [key, value] of kv.entries(markKey(domain, first), after(markKey(domain, last)))) {
        const ref = refOfMark(key)
        if (!belongs(value) || unreached.get(domain)?.has(ref) === true) stale.set(ref, [...stale.get(ref) ?? [], key])
        else if (gone?.has(ref) === true) givenUp.set(ref, own || givenUp.get(ref) === true)
        else idle.delete(ref)
      }
    }
    const ops: KvOp[] = []
    const drop = (key: Uint8Array): void => { ops.push({ type: 'del', key }) }
    for await (const [key, value] of kv.entries(referenceKey(KEYSPACE.givenUp, first), after(referenceKey(KEYSPACE.givenUp, last)))) {
      const ref = referenceOfKey(key)
      // Given up by one domain, and needed by another: what is to become of it is asked again when that gives it up.
      if (ref === undefined || !idle.has(ref)) drop(key)
      else givenUp.set(ref, value[0] === 1 || givenUp.get(ref) === true)
    }
    for (const [ref, bytes] of idle) {
      // An older program didn't note what it was told to put: all that nobody gave up may be that.
      const put = kv.get(referenceKey(KEYSPACE.put, ref)) !== undefined || (!known && !givenUp.has(ref))
      const fate = fateOf(put, givenUp.get(ref), allowed, options.unpublished)
      amounts[fate].blocks++
      amounts[fate].bytes += bytes
      if (fate === 'keptUnpublished' || fate === 'keptLeftover') continue
      ops.push(blocks.discardOp(ref))
      if (givenUp.has(ref)) drop(referenceKey(KEYSPACE.givenUp, ref))
      if (put) drop(referenceKey(KEYSPACE.put, ref))
      stale.get(ref)?.forEach(drop)
    }
    if (!options.pretend) await written(engine, ops)
    options.onProgress?.(looked += window.length)
  }
  if (!options.pretend && options.unpublished && allowed) await engine.commit([PUTS_KNOWN])
  const { givenUp, leftover, unpublished, keptUnpublished, keptLeftover } = amounts
  return { givenUp, leftover, unpublished, kept: { unpublished: keptUnpublished, leftover: keptLeftover } }
}

/** `put`: by hand; `givenUp`: by a domain, true = our own; `allowed`, `asked`: whether what is unpublished may go, and whether that is wanted. */
function fateOf (put: boolean, givenUp: boolean | undefined, allowed: boolean, asked: boolean): Fate {
  // R7: what our own domain erased goes, though it was put here by hand once; another domain's erasure takes nothing of ours.
  if (givenUp === true) return 'givenUp'
  if (put) return allowed && asked ? 'unpublished' : 'keptUnpublished'
  if (givenUp === false) return 'givenUp'
  return allowed ? 'leftover' : 'keptLeftover'
}

/** M2: the newest manifest's word; a home without a domain of its own asks nobody. While authority can't say, nothing goes. */
export async function mayCollectUnpublished (engine: Pick<Keeper, 'records' | 'knowledge'>): Promise<boolean> {
  for (const [domain, { own }] of engine.records) {
    if (!own) continue
    const { tip, policyOf } = (await engine.knowledge(domain)).authority()
    if (tip === undefined || policyOf(tip)?.retention_policy.gc_unpublished_allowed !== true) return false
  }
  return true
}

type Sized = readonly [Reference, number]

async function * windows (blocks: ReturnType<Household['ports']['blocks']['blocks']>, size: number): AsyncGenerator<Sized[]> {
  let window: Sized[] = []
  for await (const [ref, { typeTag, length }] of blocks) {
    if (!isContent(typeTag)) continue
    window.push([ref, artifactLength(typeTag, length)])
    if (window.length < size) continue
    yield window
    window = []
  }
  if (window.length > 0) yield window
}

const none = (): Amount => ({ blocks: 0, bytes: 0 })

/** Without `ref`: in front of all the domain's marks. */
const markKey = (domain: Reference, ref?: Reference): Uint8Array => concatBytes(referenceKey(KEYSPACE.audience, domain), ref === undefined ? new Uint8Array(0) : fromHex(digestOf(ref)))

const refOfMark = (key: Uint8Array): Reference => referenceOfHash(toHex(key.subarray(33)) as Hash)

/** Every domain that any block is marked for: also one that is followed no more. One seek a domain. */
async function markedDomains (kv: Pick<Kv, 'entries'>): Promise<Reference[]> {
  const out: Reference[] = []
  const end = Uint8Array.of(KEYSPACE.audience + 1)
  for (let from: Uint8Array | undefined = Uint8Array.of(KEYSPACE.audience); from !== undefined;) {
    let found: Reference | undefined
    for await (const [key] of kv.entries(from, end)) {
      found = referenceOfKey(key.subarray(0, 33))
      break
    }
    if (found !== undefined) out.push(found)
    from = found === undefined ? undefined : after(markKey(found))
  }
  return out
}
