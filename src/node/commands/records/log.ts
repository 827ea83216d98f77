/**
 * `diad log`: the history of a domain as a person wants to read it. There are no clocks: what stands under an earlier manifest comes first, and there the
 * smaller logseq. A key that kept its lane open writes on under its old manifest, so its newest records may stand before a younger manifest.
 */
import type { DomainKnowledge } from '../../../authority/knowledge.js'
import type { ViewedLane } from '../../../authority/domain-view.js'
import { type Calling, calledBy, manifestWords, moveWords } from '../../../authority/explain/words.js'
import { counted, short } from '../../../authority/explain/tree.js'
import { judgeRecord } from '../../../authority/judge-record.js'
import { nameOf, readRecord } from '../../../authority/lane-reach.js'
import { type Body, kindName, namesContent } from '../../../publication/leaf.js'
import { PUBLISHED } from '../../../publication/lane.js'
import { rootEntry } from '../../../publication/walk.js'
import type { Hash, Reference } from '../../../substrate/reference.js'
import type { CommandArgs, CommandIo, CommandResults } from '../../command.js'
import { readPrincipalNames } from '../../home/principal-names.js'
import { type Context, heldDomain, namedOrOwn } from '../context.js'
import type { LogEvent } from './types.js'

export async function log (context: Context, args: CommandArgs['log'], io: CommandIo): Promise<CommandResults['log']> {
  const k = await heldDomain(context, await namedOrOwn(context, args.domain))
  const names = readPrincipalNames(context.home)
  const events = history(k, args.all, (id) => names.get(id))
  const shown = args.last === undefined ? events : events.slice(Math.max(0, events.length - args.last))
  return await withSizes(context, shown, io)
}

/** Newest last. Without `all`: what followers see, and neither ticks nor manifests off the chain. */
export function history (k: DomainKnowledge, all: boolean, calling: Calling): LogEvent[] {
  const sorted = [...epochs(k), ...manifests(k, all, calling), ...records(k, all, calling), ...moves(k)]
  const place = (e: LogEvent): number => e.position ?? Infinity
  // What is said of a position stands before what was written under it; the sort is stable.
  return sorted.sort((a, b) => place(a) - place(b) || (a.logseq ?? -1) - (b.logseq ?? -1))
}

function epochs (k: DomainKnowledge): LogEvent[] {
  const { onChain, rootChain } = k.authority()
  // One under which no manifest is in force stands before the epoch that came after it; the newest comes last then.
  let next = onChain.length
  return rootChain.entries.toReversed().map(({ ref, entry, kind }): LogEvent => {
    const first = onChain.findIndex((m) => m.manifest.root_entry === ref)
    if (first >= 0) next = first
    const replaced = first < 0 && next < onChain.length ? ['nothing that was signed in it is in force any more'] : []
    return { event: 'epoch', domain: k.domain, position: next, ref, epoch: entry.epoch, kind, words: [epochWords(k, ref, kind), ...replaced] }
  }).reverse()
}

function epochWords (k: DomainKnowledge, ref: Reference, kind: string): string {
  const set = k.authority().rootChain.judged.get(ref)?.rootSet
  const signed = set === undefined ? '' : `, signed by ${set.threshold} of ${counted(set.root_keys.length, 'root key')}`
  if (kind === 'genesis') return `the domain begins${signed}`
  return kind === 'renew' ? `the roots name a root_key anew${signed}` : `the roots that were committed to take over${signed}`
}

/** M8: there is no saying when; the newest word of the roots stands last. */
function moves (k: DomainKnowledge): LogEvent[] {
  const words = moveWords(k)
  const several = words.length > 1 ? words.slice(0, 1) : []
  return k.authority().moves.map(({ ref, move: { to } }, i) => ({ event: 'moved', domain: k.domain, position: null, ref, to, words: [words.at(i - k.authority().moves.length) as string, ...several] }))
}

function manifests (k: DomainKnowledge, all: boolean, calling: Calling): LogEvent[] {
  const authority = k.authority()
  const out: LogEvent[] = []
  for (const j of authority.judged.values()) {
    const position = authority.position.get(j.ref)
    if (position === undefined && !all) continue
    const before = authority.judged.get(j.manifest.previous)?.manifest
    const { code } = authority.verdictOf(j.ref)
    const said = manifestWords(k, j, before, calling)
    out.push({
      event: 'manifest', domain: k.domain, position: position ?? null, ref: j.ref, version: j.manifest.version,
      words: said.length === 0 ? ['nothing changes'] : said, ...(code === 'accepted' ? {} : { code })
    })
  }
  return out
}

function records (k: DomainKnowledge, all: boolean, calling: Calling): LogEvent[] {
  const out: LogEvent[] = []
  for (const v of k.viewAll().lanes.values()) {
    const exported = k.view().lanes.get(v.knowledge.ref)?.exported ?? 0
    // Beyond what is exported are proposals, what is the owner's own, and what a cut ended.
    const end = all ? v.log?.size ?? 0 : Math.min(exported, v.judged.length)
    const base = { domain: k.domain, position: k.authority().position.get(v.knowledge.lane.manifest) ?? null, lane: v.knowledge.ref, principal: v.knowledge.lane.principal, ...calledField(calling, v.knowledge.lane.principal) }
    for (let index = 0; index < end; index++) {
      const event = recordEvent(k, v, index, calling)
      if (event !== undefined && (all || event.kind !== 'tick')) out.push({ ...base, ...event })
    }
    const head = v.branch?.head
    if (head !== undefined && end > 0) {
      const internal = v.knowledge.lane.visibility === PUBLISHED ? '' : ', internal'
      out.push({ ...base, event: 'head', ref: head.ref, logseq: head.snapshot.logseq, size: head.snapshot.log_size, words: [`${counted(head.snapshot.log_size, 'record')} in the lane ${short(v.knowledge.ref)}${internal}`] })
    }
    const proof = v.knowledge.evidence
    if (proof !== undefined && (all || exported > 0 || v.considered)) {
      out.push({ ...base, event: 'fork', ref: v.knowledge.evidenceRef ?? '', index: proof.index, logseq: v.judged.at(-1)?.leaf.logseq ?? 0, code: 'lane-forked', words: [`the key signed two histories of the lane ${short(v.knowledge.ref)}, which differ from record ${proof.index} on`] })
    }
  }
  return out
}

const calledField = (calling: Calling, id: Hash): { called?: string } => {
  const called = calling(id)
  return called === undefined ? {} : { called }
}

function recordEvent (k: DomainKnowledge, v: ViewedLane, index: number, calling: Calling): Pick<LogEvent, 'event' | 'kind' | 'index' | 'logseq' | 'words'> & Partial<LogEvent> | undefined {
  const record = readRecord(v, index)
  if (record === undefined) return undefined
  const { leaf, body } = record
  const { code } = judgeRecord(k, v.knowledge.ref, index)
  const name = nameOf(record)
  const content = namesContent(body) ? body.ref : undefined
  return {
    event: 'record',
    kind: kindName(leaf.kind) ?? String(leaf.kind),
    index,
    logseq: leaf.logseq,
    words: body === undefined ? [] : bodyWords(k, body, calling),
    ...(name === undefined ? {} : { name }),
    ...(content === undefined ? {} : { content }),
    ...(code === 'accepted' ? {} : { code })
  }
}

/** Beside the name and the content, which have places of their own. */
function bodyWords (k: DomainKnowledge, body: Body, calling: Calling): string[] {
  switch (body.kind) {
    case 'erase': return [`erases record ${body.index} of the lane ${short(body.lane)}`]
    case 'statement': return [`says "${body.type}" of ${short(body.ref)}`]
    case 'receipt': return [`claims ${short(body.ref)}`]
    case 'admit': return [`records the admission ${short(body.ref)}`]
    case 'vouch': {
      const lane = k.lanes.get(body.lane)
      const size = lane?.heads.get(body.snapshot)?.snapshot.log_size
      const whose = lane === undefined ? '' : ` of ${calledBy(calling, lane.lane.principal)}`
      return [`for the lane ${short(body.lane)}${whose} ${size === undefined ? 'up to a head that isn\'t held' : `up to ${counted(size, 'record')}`}`]
    }
    default: return []
  }
}

/** Bytes of what is held of single files; directories have none of their own. */
async function withSizes (context: Context, events: readonly LogEvent[], io: CommandIo): Promise<LogEvent[]> {
  const { blocks } = context.runtime.store
  const known = new Map<string, number | undefined>()
  const out: LogEvent[] = []
  for (const e of events) {
    const ref = e.content as Reference | undefined
    if (ref !== undefined && !known.has(ref)) {
      io.signal.throwIfAborted()
      const root = blocks.has(ref) ? await rootEntry(blocks, ref, 0).catch(() => undefined) : undefined
      known.set(ref, root?.kind === 'file' ? root.size : undefined)
    }
    const size = ref === undefined ? undefined : known.get(ref)
    out.push(size === undefined ? e : { ...e, size })
  }
  return out
}
