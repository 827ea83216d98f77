/** The store: blocks that were set aside, and with `deep` every block hashed again; what is lost is marked, so that it is fetched again. */
import { NONE, type Reference } from '../../substrate/reference.js'
import { showName } from '../../publication/names.js'
import { isWhole, loadKnowledge } from '../../federation/ledger.js'
import { markLacking, rehashAll } from '../../federation/mend.js'
import type { CommandIo } from '../command.js'
import type { Runtime } from '../runtime.js'
import { bad, type Finding, ok, trouble, warn } from './finding.js'

/** findings of one kind */
const MOST_SHOWN = 20

/** `typed` = a domain as a person can type it. */
export async function checkStore (runtime: Runtime, deep: boolean, io: CommandIo, typed: (domain: Reference) => string): Promise<Finding[]> {
  const { store, ports } = runtime
  const { blocks } = store
  const out: Finding[] = []
  if (deep) {
    const { blocks: count, damaged } = await rehashAll(blocks, io.signal, (done, bytes) => { io.progress({ phase: 'hashing', done, unit: 'blocks', bytes }) })
    if (damaged.length === 0) out.push(ok(`${count} blocks are what their references say`, store.folder))
  }
  const lost = [...blocks.damaged].sort()
  for (const ref of lost.slice(0, MOST_SHOWN)) out.push(bad(`a block was damaged on disk and is set aside: ${ref}`, store.folder, 'it counts as missing until it is fetched or put again; look at the disk'))
  if (lost.length > MOST_SHOWN) out.push(bad(`and ${lost.length - MOST_SHOWN} more damaged blocks`, store.folder, 'look at the disk'))
  for (const domain of [...runtime.records.keys()].sort()) {
    try {
      // Read anew: what is in memory was judged before the disk changed.
      await loadKnowledge(ports.kv, domain)
      out.push(...await checkContent(runtime, domain, new Set(lost), io, typed(domain)))
    } catch (err) {
      io.signal.throwIfAborted()
      out.push(trouble(err, typed(domain)))
    }
  }
  return out
}

/** What a mirror, or the owner, should hold in full and doesn't. */
async function checkContent (runtime: Runtime, domain: Reference, lost: ReadonlySet<Reference>, io: CommandIo, typed: string): Promise<Finding[]> {
  const record = runtime.records.get(domain)
  if (record === undefined || record.dormant || record.mode !== 'mirror') return []
  const k = await runtime.knowledge(domain)
  await markLacking(runtime, k, lost, io.signal)
  const lacking = [...k.view().current.values()].filter((e) => e.ref !== NONE && !isWhole(runtime.ports.kv, domain, e.ref)).map((e) => e.name)
  const todo = record.own ? 'publish it again from the original, or run `diad serve`: a node that mirrors this domain gives it back' : `\`diad sync ${typed}\` fetches it`
  const make = lost.size > 0 ? bad : warn
  const out = lacking.slice(0, MOST_SHOWN).map((name) => make(`${showName(name)} isn't held in full`, typed, todo))
  if (lacking.length > MOST_SHOWN) out.push(make(`and ${lacking.length - MOST_SHOWN} more names aren't held in full`, typed, todo))
  return out
}
