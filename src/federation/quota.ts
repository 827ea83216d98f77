/**
 * A byte quota on what is kept of a followed domain's content: the courtesy lease. Local policy, never part of a verdict: authority, evidence, leaves and
 * bodies replicate whole (RULES B1), and what is kept of the content is opaque bytes, served like any.
 *
 * What is charged stays within the quota at every moment, a crash included: the whole size of each block, whoever else it is held for (V2). A root is
 * measured before any of it is kept: its Trees and Files are read, and the sizes that they declare say what the rest takes. Newest names come first; a
 * root that doesn't fit leaves nothing behind but a note of what it needs, so that nothing is fetched for it again until there is room or the quota is
 * raised, and older names that fit are still taken.
 */
import type { DomainKnowledge } from '../authority/knowledge.js'
import { childrenOf } from '../publication/walk.js'
import { type Artifact, decodeArtifact, referenceOfArtifactBytes } from '../substrate/artifact.js'
import { concatBytes, fromHex, readU64, writeU64 } from '../substrate/bytes.js'
import { DiadError } from '../substrate/errors.js'
import { LIMITS } from '../substrate/limits.js'
import { artifactLength } from '../substrate/pack-format.js'
import { type Kv, type KvOp, KEYSPACE } from '../substrate/ports.js'
import { digestOf, type Reference } from '../substrate/reference.js'
import type { AudienceIndex } from './audience.js'
import { type ContentInit, type ContentResult, fetchContent, type FetchBlocks } from './content.js'
import type { DomainRecord } from './ledger.js'
import type { Want } from './want.js'

/** Distinct blocks told apart while a root is measured: about 35 MB. What comes behind them isn't counted; the fetch itself stops at the quota. */
const MEASURED_BLOCKS = 262_144
/** Trees and Files kept between measuring and fetching: bytes, in two halves */
const NODE_CACHE_BYTES = 32 * 1024 * 1024

/** What the quota is asked of: an engine. */
export interface Lender {
  readonly ports: { readonly kv: Pick<Kv, 'get'>, readonly audience: AudienceIndex }
  readonly records: ReadonlyMap<Reference, DomainRecord>
}

const overKey = (domain: Reference, root: Reference): Uint8Array => concatBytes(Uint8Array.of(KEYSPACE.over), fromHex(digestOf(domain)), fromHex(digestOf(root)))

const NOTE_BYTES = 24

/** The op that notes that `root` needs at least so many bytes beyond the `used` ones, and under which quota that was reckoned. */
function overOp (domain: Reference, root: Reference, needs: number, used: number, quota: number): KvOp {
  const value = new Uint8Array(NOTE_BYTES)
  writeU64(value, 0, needs)
  writeU64(value, 8, used)
  writeU64(value, 16, Math.min(quota, Number.MAX_SAFE_INTEGER))
  return { type: 'put', key: overKey(domain, root), value }
}

/** Ops for roots that a bundle had and that there was no room for: `sizes`: what the blocks that were left out take at least. */
export function leftOutOps (lender: Lender, domain: Reference, lacking: readonly Reference[], sizes: ReadonlyMap<Reference, number>): KvOp[] {
  const used = lender.ports.audience.usedBytes(domain)
  const quota = lender.records.get(domain)?.quota ?? 0
  return lacking.flatMap((root) => {
    const bytes = sizes.get(root)
    return bytes === undefined ? [] : [overOp(domain, root, bytes, used, quota)]
  })
}

/** Bytes that the domain may still be charged; undefined: any. Negative when the quota was lowered. */
export function roomFor ({ ports, records }: Lender, domain: Reference): number | undefined {
  const quota = records.get(domain)?.quota
  return quota === undefined ? undefined : quota - ports.audience.usedBytes(domain)
}

/** How many bytes of room a root needs at least that doesn't fit; undefined when it may fit, or nobody has tried. */
export function overQuota (lender: Lender, domain: Reference, root: Reference): number | undefined {
  const room = roomFor(lender, domain)
  if (room === undefined) return undefined
  const value = lender.ports.kv.get(overKey(domain, root))
  if (value === undefined) return undefined
  // What has come since may be part of it.
  const needs = Math.max(1, readU64(value, 0) - Math.max(0, lender.ports.audience.usedBytes(domain) - readU64(value, 8)))
  return needs > room ? needs : undefined
}

/**
 * Whether a root that doesn't fit is worth no other look. Under a greater quota than the one that it was measured under it is measured anew: what has come
 * since is then told from what is its own.
 */
export function isLeftOut (lender: Lender, domain: Reference, root: Reference): boolean {
  if (overQuota(lender, domain, root) === undefined) return false
  if ((roomFor(lender, domain) ?? Infinity) <= 0) return true
  const value = lender.ports.kv.get(overKey(domain, root))
  return value !== undefined && value.length === NOTE_BYTES && readU64(value, 16) >= (lender.records.get(domain)?.quota ?? Infinity)
}

/** The same roots, those of the newest names first; of equally new ones by Reference. */
export function newestFirst (k: DomainKnowledge, roots: Iterable<Reference>): Reference[] {
  const age = new Map<Reference, number>()
  for (const e of k.view().current.values()) age.set(e.ref, Math.max(e.logseq, age.get(e.ref) ?? 0))
  return [...roots].sort((a, b) => (age.get(b) ?? 0) - (age.get(a) ?? 0) || (a < b ? -1 : 1))
}

/** Bytes that a Tree or File says its direct children take, each once: those that are plain content, and that `lacking` holds for. */
export function declaredBelow (bytes: Uint8Array, lacking: (ref: Reference) => boolean): number {
  const sizes = new Map<Reference, number>()
  try {
    for (const { ref, expected } of childrenOf(decodeArtifact(bytes))) {
      const size = plainSize({ ref, expected })
      if (size !== undefined && lacking(ref)) sizes.set(ref, size)
    }
  } catch (err) {
    // Nothing to reckon with: whoever takes it in finds out by themselves.
    if (!(err instanceof DiadError)) return 0
  }
  return [...sizes.values()].reduce((sum, n) => sum + n, 0)
}

/** Length of the block as its parent says; undefined for a Tree or File. A publisher may make a File of so little content: then it is a little more. */
function plainSize ({ expected }: Pick<Want, 'ref' | 'expected'>): number | undefined {
  return expected?.type === 'chunk' || (expected?.type === 'content' && expected.size <= LIMITS.chunkBytes) ? artifactLength(undefined, expected.size) : undefined
}

/** Trees and Files that were read to measure a root; fetching it takes them from here. */
class NodeCache {
  private young = new Map<Reference, Uint8Array>()
  private old = new Map<Reference, Uint8Array>()
  private bytes = 0

  get (ref: Reference): Uint8Array | undefined {
    return this.young.get(ref) ?? this.old.get(ref)
  }

  set (ref: Reference, bytes: Uint8Array): void {
    if (this.bytes > NODE_CACHE_BYTES / 2) {
      this.old = this.young
      this.young = new Map()
      this.bytes = 0
    }
    this.young.set(ref, bytes.slice())
    this.bytes += bytes.length
  }

  /** `fetch`, but for what is here. */
  inFrontOf (fetch: FetchBlocks): FetchBlocks {
    return async (peer, refs, onBlock) => {
      const rest: number[] = []
      for (const [i, ref] of refs.entries()) {
        const bytes = this.get(ref)
        if (bytes === undefined) rest.push(i)
        else await onBlock(i, bytes)
      }
      return rest.length === 0 ? { missing: [] } : await fetch(peer, rest.map((i) => refs[i] as Reference), (i, bytes) => onBlock(rest[i] as number, bytes))
    }
  }
}

class TooMuch extends Error {}

export interface QuotaInit extends ContentInit {
  readonly kv: Pick<Kv, 'get'>
  readonly quota: () => number | undefined
}

/**
 * As `fetchContent`, within the quota: `roots` in their order, each as a whole or not at all. What doesn't fit is in neither list of the result; ask
 * {@link overQuota}. Not twice at once for one domain: each would take the same room for its own.
 */
export async function fetchWithin (init: QuotaInit, roots: readonly Reference[]): Promise<ContentResult> {
  const nodes = new NodeCache()
  const groups: Array<readonly Reference[]> = [roots]
  const results: ContentResult[] = []
  const tooMuch: Array<{ root: Reference, used: number }> = []
  const { audience, domain, store } = init
  for (let group = groups.pop(); group !== undefined; group = groups.pop()) {
    const quota = init.quota() ?? Infinity
    const used = audience.usedBytes(domain)
    const room = Math.max(0, quota - used)
    const { bytes, missing } = await measure(init, group, room, nodes)
    if (bytes <= room && missing.length === 0) {
      const over: number[] = []
      const result = await fetchContent({ ...init, fetch: nodes.inFrontOf(init.fetch), onOver: (_ref, n) => { over.push(n) } }, group.map((ref) => ({ ref, expected: undefined })))
      results.push(over.length === 0 ? result : { ...result, missing: [] })
      const whole = new Set(result.whole)
      await store.commit(result.whole.flatMap((root) => init.kv.get(overKey(domain, root)) === undefined ? [] : [{ type: 'del' as const, key: overKey(domain, root) }]))
      // Only what measures wrongly comes here: sizes that are lies, more blocks than can be told apart, or a quota that was lowered meanwhile.
      const rest = over.length === 0 ? [] : group.filter((r) => !whole.has(r))
      if (group.length > 1) for (const root of rest.reverse()) groups.push([root])
      else if (rest.length > 0) await store.commit(rest.map((root) => overOp(domain, root, Math.max(1, room + 1), used, quota)))
    } else if (group.length > 1) {
      const half = Math.ceil(group.length / 2)
      groups.push(group.slice(half), group.slice(0, half))
    } else if (bytes > room || room <= 0) {
      for (const root of group) tooMuch.push({ root, used })
      await store.commit(group.map((root) => overOp(domain, root, Math.max(1, bytes), used, quota)))
    } else results.push({ blocks: 0, bytes: 0, whole: [], missing: [...missing] })
  }
  for (const { root, used } of tooMuch) if (audience.usedBytes(domain) > used) await noteAgain(init, root, nodes)
  return joined(results)
}

/** More has come since: what the root needs on top of that, as far as what was read of it tells without asking anybody. */
async function noteAgain (init: QuotaInit, root: Reference, nodes: NodeCache): Promise<void> {
  const used = init.audience.usedBytes(init.domain)
  const quota = init.quota() ?? Infinity
  const room = Math.max(0, quota - used)
  const { bytes } = await measure({ ...init, peers: ['nobody'], fetch: async (_peer, refs) => ({ missing: [...refs] }) }, [root], room, nodes, true)
  if (bytes > room) await init.store.commit([overOp(init.domain, root, bytes, used, quota)])
}

/**
 * What bringing in `roots` takes, as far as the sizes that Trees and Files declare say; it stops above `room`. Reads those from the peers where they
 * aren't held, and keeps nothing. `missing`: what would have to be read and can't be.
 */
async function measure (init: QuotaInit, roots: readonly Reference[], room: number, nodes: NodeCache, offline = false): Promise<{ bytes: number, missing: readonly Reference[] }> {
  const { audience, domain, signal, store } = init
  const seen = new Set<Reference>()
  let bytes = 0
  const count = (ref: Reference, length: number): void => {
    if (seen.has(ref) || seen.size >= MEASURED_BLOCKS || !audience.costs(domain, ref)) return
    seen.add(ref)
    bytes += length
  }
  const read = async (ref: Reference): Promise<Artifact | undefined> => {
    const held = nodes.get(ref)
    return held === undefined ? await store.get(ref) : decodeArtifact(held)
  }
  try {
    const { missing } = await fetchContent({
      domain,
      store: {
        get: read,
        has: (ref) => nodes.get(ref) !== undefined || store.has(ref),
        stat: (ref) => {
          const held = nodes.get(ref)
          if (held === undefined) return store.stat(ref)
          const { typeTag, payload } = decodeArtifact(held)
          return { typeTag, length: payload.length }
        },
        putArtifactBytes: (ref, given) => {
          if (referenceOfArtifactBytes(given) !== ref) return false
          nodes.set(ref, given)
          count(ref, given.length)
          return true
        },
        room: () => undefined,
        enqueue: () => undefined,
        commit: async () => undefined
      },
      audience: { heldBy: (d) => audience.heldBy(d), take: () => undefined, costs: () => true, settle: () => [], usedBytes: () => 0 },
      // Where nothing more fits, nobody is asked.
      peers: room > 0 || offline ? init.peers : [],
      fetch: nodes.inFrontOf(init.fetch),
      signal: {
        throwIfAborted: () => {
          signal.throwIfAborted()
          if (bytes > room) throw new TooMuch()
        }
      },
      ...(init.onRefused === undefined ? {} : { onRefused: init.onRefused }),
      ...(init.onNoContent === undefined ? {} : { onNoContent: init.onNoContent }),
      passOver: (child) => {
        const size = plainSize(child)
        if (size === undefined || (!audience.costs(domain, child.ref) && !store.has(child.ref))) return false
        count(child.ref, size)
        return true
      }
    }, roots.map((ref) => ({ ref, expected: undefined })))
    return { bytes, missing }
  } catch (err) {
    if (err instanceof TooMuch) return { bytes, missing: [] }
    throw err
  }
}

export const joined = (results: readonly ContentResult[]): ContentResult => ({
  blocks: results.reduce((n, r) => n + r.blocks, 0),
  bytes: results.reduce((n, r) => n + r.bytes, 0),
  whole: results.flatMap((r) => r.whole),
  missing: [...new Set(results.flatMap((r) => r.missing))].sort()
})
