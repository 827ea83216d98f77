/** `diad sync`, `follow`, `unfollow`: finding who holds a domain, pulling its state, fetching its content. */
import type { Reference } from '../../substrate/reference.js'
import { DiadError } from '../../substrate/errors.js'
import { standingOf } from '../../authority/domain-standing.js'
import { shownNames } from '../../authority/domain-view.js'
import type { DomainKnowledge } from '../../authority/knowledge.js'
import type { Mode } from '../../federation/ledger.js'
import { missingRoots } from '../../federation/mirror.js'
import type { Report } from '../../federation/effects.js'
import type { CommandArgs, CommandIo, CommandResults, SyncResult } from '../command.js'
import { warnOfElsewhere } from '../elsewhere.js'
import { petnameOf, readPetnames, setPetname } from '../home/petnames.js'
import type { Network } from '../network.js'
import { checkAddresses, checkQuota, followsNothing } from './check-arguments.js'
import { calledHere, type Context, domainOf, storedPeers } from './context.js'
import { lacksRoomOnly, leaseOf } from './lease.js'
import { inherited, movedField } from './moved.js'
import { dialAll, withNetwork } from './networked.js'

const DEFAULT_TIMEOUT = 60
/** How long nobody may have anything new before a domain that nobody offered counts as unknown: mDNS and DHT answers take about a second. */
const QUIET_MS = 3000

type Refused = SyncResult['refused']

export async function sync (context: Context, args: CommandArgs['sync'], io: CommandIo): Promise<SyncResult | SyncResult[]> {
  const { runtime } = context
  await checkAddresses(args.peers)
  if (args.domain !== undefined) {
    const domain = domainOf(context, args.domain)
    const record = runtime.records.get(domain)
    const fresh = record === undefined || record.dormant || (args.mode !== undefined && args.mode !== record.mode)
    if (fresh && record?.own !== true) await runtime.follow(domain, args.mode ?? 'mirror', args.peers)
    return await withNetwork(context, async (network) => await syncOne(context, network, domain, args, io))
  }
  const domains = runtime.active().filter((d) => runtime.records.get(d)?.own !== true)
  if (domains.length === 0) throw followsNothing()
  return await withNetwork(context, async (network) => {
    const out: SyncResult[] = []
    for (const domain of domains) out.push(await syncOneOfMany(context, network, domain, args, io))
    return out
  })
}

/** One domain that fails mustn't keep the others from being asked for. What the disk says is another matter: it fails for all of them. */
async function syncOneOfMany (context: Context, network: Network, domain: Reference, args: CommandArgs['sync'], io: CommandIo): Promise<SyncResult> {
  try {
    return await syncOne(context, network, domain, args, io)
  } catch (err) {
    if (io.signal.aborted || (err instanceof DiadError && /^(store|disk)-/.test(err.code))) throw err
    io.warn(`${calledHere(context, domain)}: ${err instanceof Error ? err.message : String(err)}`)
    return { domain, status: 'deferred', code: err instanceof DiadError ? err.code : 'internal', snapshot: null, heads: [], names: 0, blocks: 0, bytes: 0, asked: 0, refused: [] }
  }
}

async function syncOne (context: Context, network: Network, domain: Reference, args: CommandArgs['sync'], io: CommandIo): Promise<SyncResult> {
  const { runtime } = context
  const k = await runtime.wake(domain)
  const before = k.authority().tip
  const record = runtime.records.get(domain)
  const refused: Refused = []
  const seen = new Set<string>()
  const refuse = (peer: string, code: string, ref: string | null): void => {
    const key = `${peer} ${code} ${ref ?? ''}`
    if (!seen.has(key) && refused.length < 100) refused.push({ peer, code, ref })
    seen.add(key)
  }
  const limit = AbortSignal.timeout((args.timeoutSeconds ?? DEFAULT_TIMEOUT) * 1000)
  const signal = AbortSignal.any([io.signal, limit])
  const onReport = (r: Report): void => {
    if ((r.kind === 'refused' || r.kind === 'noted') && r.domain === domain) refuse(r.peer, r.code, r.ref)
  }
  const unsubscribe = runtime.onReport(onReport)
  try {
    const { reached, unreached } = await dialAll(network, [...args.peers, ...await storedPeers(context, domain, io)], signal)
    io.signal.throwIfAborted()
    for (const { address, code, why } of unreached) {
      // Stored addresses go stale by themselves; that somebody else answers at one is worth a word.
      if (args.peers.includes(address)) refuse(address, code, null)
      if (args.peers.includes(address) || code === 'peer-mismatch') io.warn(code === 'peer-mismatch' ? `another node answers at ${address}: its key is not the one that the address names` : why)
    }
    await pullFromAll(context, network, k, signal, new Set(reached.keys()), reached.size + unreached.length > 0 ? QUIET_MS : 2 * QUIET_MS)
    io.signal.throwIfAborted()
    const offering = runtime.replica.providers(domain)
    if (offering.length === 0 && record?.own !== true && k.authority().tip !== undefined) io.warn(`nobody who has ${calledHere(context, domain)} could be asked; what is held is shown`)
    await runtime.remember(domain, offering.flatMap((p) => reached.get(p) ?? []))
    let blocks = 0
    let bytes = 0
    if (record?.mode === 'mirror' && !record.own) {
      const result = await network.fetch(domain, {
        stop: io.signal,
        onProgress: (done, n) => { io.progress({ phase: 'fetching', done, unit: 'blocks', bytes: n }) },
        onRefused: refuse
      })
      blocks = result?.blocks ?? 0
      bytes = result?.bytes ?? 0
    }
    await runtime.settled()
    warnOfElsewhere(context.home, runtime, k, before, io.warn)
    const held = summary(context, k)
    // Whoever names peers wants to know that none of them answered: what is held may be old. Another who has it is as good.
    const alone = args.peers.length > 0 && offering.length === 0 && args.peers.every((address) => unreached.some((u) => u.address === address))
    const standing = alone && held.status === 'accepted' ? { status: 'deferred', code: 'peer-unreachable' } : {}
    return { ...held, ...standing, blocks, bytes, asked: offering.length, refused, ...(record?.quota === undefined ? {} : leaseOf(runtime, k)) }
  } finally {
    unsubscribe()
  }
}

/**
 * Pulls from every connected peer that offers the domain, looks for more in the DHT, and comes back when nobody has anything left. Waits for events
 * only; the quiet time is how long the network gets to show somebody at all.
 */
async function pullFromAll (context: Context, network: Network, k: DomainKnowledge, signal: AbortSignal, dialled: ReadonlySet<string>, quietMs: number): Promise<void> {
  const { runtime } = context
  const { replica } = runtime
  const { domain } = k
  const finished = new Set<string>()
  const greeted = new Set<string>()
  let change: () => void = () => undefined
  const onReport = (r: Report): void => {
    if (r.kind === 'pulled' && r.domain === domain) finished.add(r.peer)
    if (r.kind === 'hello') {
      greeted.add(r.peer)
      if (r.domains.includes(domain)) finished.delete(r.peer)
      runtime.step({ type: 'pull', domain, peer: r.peer })
    }
    change()
  }
  const unsubscribe = runtime.onReport(onReport)
  const search = new AbortController()
  try {
    for (const peer of network.host.peers()) runtime.step({ type: 'pull', domain, peer })
    let searching = true
    const lookup = network.findAndDial(domain, AbortSignal.any([signal, search.signal])).catch(() => 0).then(() => {
      searching = false
      change()
    })
    let quiet = false
    const timer = setTimeout(() => {
      quiet = true
      change()
    }, quietMs)
    signal.addEventListener('abort', () => { change() })
    try {
      for (;;) {
        if (signal.aborted) return
        const offering = replica.providers(domain).filter((p) => network.host.peers().includes(p))
        // A peer that was dialled counts before it has said which protocols it speaks: whoever is quicker mustn't end the round.
        const connected = new Set([...network.host.peers(), ...(quiet ? [] : dialled)])
        const asked = offering.length > 0 && offering.every((p) => finished.has(p))
        const known = k.authority().tip !== undefined
        // With somebody who has it and everybody heard, there is nothing to wait for; with nobody, the network gets its quiet time.
        if (asked && known && [...connected].every((p) => greeted.has(p) || finished.has(p))) return
        if (quiet && offering.every((p) => finished.has(p)) && (!searching || known || quiet)) return
        await new Promise<void>((resolve) => { change = resolve })
      }
    } finally {
      clearTimeout(timer)
      search.abort()
      await lookup
    }
  } finally {
    unsubscribe()
  }
}

/** What is held of a domain now, in the words of the contract. */
export function summary (context: Context, k: DomainKnowledge): Omit<SyncResult, 'blocks' | 'bytes' | 'asked' | 'refused'> {
  const { domain } = k
  if (k.authority().tip === undefined) return { domain, ...standingOf(k), snapshot: null, heads: [], names: 0 }
  const view = k.view()
  const heads = [...view.lanes.values()].flatMap((v) => {
    const head = v.branch?.head
    return head === undefined || v.exported === 0 ? [] : [{ lane: v.knowledge.ref, snapshot: head.ref, log_size: head.snapshot.log_size, logseq: head.snapshot.logseq }]
  })
  const newest = [...heads].sort((a, b) => b.logseq - a.logseq || (a.snapshot < b.snapshot ? 1 : -1))[0]
  const names = shownNames(view).length
  const standing = standingOf(k)
  const lacking = standing.status === 'accepted' && context.runtime.records.get(domain)?.mode === 'mirror' && missingRoots(context.runtime, k).length > 0
  const { status, code } = lacking ? { status: 'deferred', code: lacksRoomOnly(context.runtime, k) ? 'over-quota' : 'content-missing' } : standing
  return { domain, status, code, snapshot: newest?.snapshot ?? null, heads, names, ...movedField(context.runtime, k) }
}

export async function follow (context: Context, given: CommandArgs['follow'], io: CommandIo): Promise<CommandResults['follow']> {
  checkQuota(given.quota, given.mode)
  const taken = given.movedFrom === undefined ? undefined : await inherited(context, given, given.movedFrom, io)
  const args = taken?.args ?? given
  const domain = domainOf(context, args.domain)
  const mode: Mode = args.mode ?? 'mirror'
  await checkAddresses(given.peers)
  if (args.name !== undefined) setPetname(context.home, args.name, domain)
  const { quota } = await context.runtime.follow(domain, mode, args.peers, args.quota)
  const before = taken?.rename()
  const used = context.runtime.ports.audience.usedBytes(domain)
  if (quota !== undefined && used > quota) io.warn(`${used} bytes are held already: nothing is deleted, and nothing more is fetched`)
  if (context.network !== undefined) {
    const { network } = context
    // In the background: following needs no network, and a peer that is away now may come back.
    void dialAll(network, given.peers, AbortSignal.timeout(10_000)).catch(() => undefined)
    void network.findAndDial(domain, AbortSignal.timeout(30_000)).catch(() => 0)
  }
  const name = petnameOf(readPetnames(context.home), domain)
  return {
    domain, mode, ...(name === undefined ? {} : { name }), ...(quota === undefined ? {} : { quota, used }), ...movedField(context.runtime, await context.runtime.knowledge(domain)),
    ...(taken === undefined ? {} : { movedFrom: taken.from, ...(before === undefined ? {} : { before }) })
  }
}

export async function unfollow (context: Context, args: CommandArgs['unfollow'], _io: CommandIo): Promise<CommandResults['unfollow']> {
  const domain = domainOf(context, args.domain)
  await context.runtime.unfollow(domain)
  return { domain }
}

