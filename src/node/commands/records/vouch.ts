/**
 * `diad vouch`: makes a producer's lane visible (a publish key), or exports it (a federate key), up to one of its heads. What that makes of it is
 * shown before, by `--dry-run`: what was exported once can't be taken back (A4). Source: RULES R2, A2, L2, E4.
 */
import { previewView } from '../../../authority/preview.js'
import type { DomainKnowledge } from '../../../authority/knowledge.js'
import type { DomainView, ViewedLane } from '../../../authority/domain-view.js'
import { type Head, liesOn } from '../../../authority/lane-knowledge.js'
import { namesBetween, visiblePrefixes } from '../../../authority/lane-reach.js'
import { appendRecords, checkMayAppend } from '../../../federation/append.js'
import { isWhole } from '../../../federation/ledger.js'
import { PUBLISHED } from '../../../publication/lane.js'
import { namesContent, type UnsaltedBody } from '../../../publication/leaf.js'
import { DiadError, MalformedError } from '../../../substrate/errors.js'
import { isReference, type Reference } from '../../../substrate/reference.js'
import type { Signer } from '../../../substrate/signature.js'
import type { CommandArgs, CommandIo, CommandResults } from '../../command.js'
import { readPrincipalNames } from '../../home/principal-names.js'
import { type Context, inTurn, ownDomain } from '../context.js'
import { beginsWith, checkOurs, LEAST_DIGITS, laneNamed, lanesNamed, principalsNamed, viewedLane, withSigner } from './common.js'
import type { Reach } from './types.js'

type Result = CommandResults['vouch']

export async function vouch (context: Context, args: CommandArgs['vouch'], io: CommandIo): Promise<Result> {
  const { k, lanes } = await targets(context, args)
  return await withSigner(context, io, args.key, async (signer) => await inTurn(context, async () => {
    checkOurs(k, signer, 'the lane')
    await context.runtime.wake(k.domain)
    const heads = lanes.map((v) => ({ v, head: headToVouch(v, args.at) })).filter((x): x is Chosen => x.head !== undefined)
    if (heads.length === 0) throw new DiadError('nothing-to-vouch', 'no record of it is held here and valid', '`diad lanes` shows what is held of each lane')
    return await vouchFor(context, k, signer, heads, args.dryRun)
  }))
}

interface Chosen { readonly v: ViewedLane, readonly head: Head }

async function vouchFor (context: Context, k: DomainKnowledge, signer: Signer, heads: readonly Chosen[], dryRun: boolean): Promise<Result> {
  const bodyOf = ({ v, head }: Chosen): UnsaltedBody => ({ kind: 'vouch', lane: v.knowledge.ref, snapshot: head.ref })
  const [first] = heads as [Chosen]
  checkMayAppend(k, signer.publicKey, bodyOf(first))
  // What changes nothing isn't said again: the log is for ever.
  const useful = heads.filter((x) => changes(k, signer, [bodyOf(x)]))
  const { visible, exported } = changesOf(k, signer, useful.map(bodyOf))
  const missing = missingContent(context, k, exported)
  const names = readPrincipalNames(context.home)
  const plan = {
    domain: k.domain,
    vouches: useful.map(({ v, head }) => {
      const { ref, lane: { principal } } = v.knowledge
      const called = names.get(principal)
      return { lane: ref, snapshot: head.ref, size: head.snapshot.log_size, principal, ...(called === undefined ? {} : { called }) }
    }),
    visible,
    exported,
    missing
  }
  if (dryRun || useful.length === 0) return { ...plan, done: false }
  const { lane, snapshot } = await appendRecords(context.runtime, k, signer, useful.map(bodyOf))
  return { ...plan, done: true, lane, snapshot }
}

async function oneLane (context: Context, text: string): Promise<{ k: DomainKnowledge, lanes: ViewedLane[] }> {
  const { k, lane } = await laneNamed(context, text)
  return { k, lanes: [vouchable(viewedLane(k, lane))] }
}

/** LANE, or PRINCIPAL of the own domain for all lanes of it. Throws DiadError, `MalformedError`. */
async function targets (context: Context, args: CommandArgs['vouch']): Promise<{ k: DomainKnowledge, lanes: ViewedLane[] }> {
  const text = args.target
  if (isReference(text) || /^0001[0-9a-f]{8,63}$/.test(text)) return await oneLane(context, text)
  const k = await context.runtime.knowledge(ownDomain(context))
  const called = [...readPrincipalNames(context.home)].find(([, name]) => name === text)?.[0]
  if (called === undefined && !/^[0-9a-f]{8,64}$/.test(text)) throw new MalformedError(`${JSON.stringify(text.slice(0, 80))} is neither a lane nor a principal: give the digits that \`diad lanes\` shows`)
  const [id, ...others] = called === undefined ? principalsNamed(k, text) : [called]
  // A lane as some places show it, without the digits that all references begin with.
  if (id === undefined && (await lanesNamed(context, text)).length > 0) return await oneLane(context, text)
  if (id === undefined) throw new DiadError('not-held', `no manifest of the own domain lists a principal ${text}`, '`diad lanes` shows the principals')
  if (others.length > 0) throw new MalformedError(`${text} begins ${others.length + 1} principals: give more than ${LEAST_DIGITS.principal} digits`)
  if (args.at !== undefined) throw new MalformedError('--at names a head of one lane: give the lane, not its principal')
  // Those that can't be vouched for say why when they are named by themselves.
  const lanes = [...k.viewAll().lanes.values()].filter((v) => v.knowledge.lane.principal === id && v.knowledge.lane.visibility === PUBLISHED && v.limit > 0)
  if (lanes.length === 0) throw new DiadError('nothing-to-vouch', 'nothing of this principal that counts is held here', 'sync, or import the bundle that carries its lane')
  return { k, lanes }
}

function vouchable (v: ViewedLane): ViewedLane {
  if (v.knowledge.lane.visibility !== PUBLISHED) throw new DiadError('lane-internal', 'this lane is internal: no published lane may name it', 'publish again what shall be seen')
  if (v.code === 'log-missing') throw new DiadError('log-missing', 'its records aren\'t held here', 'sync, or import the bundle that carries the lane')
  if (v.status === 'void' || v.status === 'rejected') throw new DiadError(v.code, 'nothing of this lane counts', `see \`diad explain ${v.knowledge.ref.slice(0, 16)}\``)
  return v
}

/** The head named, or the greatest whose log is held and counts. Throws where the head named doesn't count in full. */
function headToVouch (v: ViewedLane, at: string | undefined): Head | undefined {
  const heads = [...v.knowledge.heads.values()].filter((h) => v.log !== undefined && liesOn(v.log, h))
  if (at !== undefined) {
    const [head, ...others] = [...v.knowledge.heads.values()].filter((h) => beginsWith(h.ref, at))
    if (head === undefined) throw new DiadError('not-held', 'the lane has no such head here', 'sync, or leave --at out to take the greatest that is held')
    if (others.length > 0) throw new MalformedError(`${at} begins several heads: give more digits`)
    if (!heads.includes(head) && head.snapshot.log_size > v.limit) throw beyond(v, head.snapshot.log_size)
    if (!heads.includes(head)) throw new DiadError('log-missing', 'that head isn\'t linked to the log held here', 'sync first')
    if (head.snapshot.log_size > v.limit) throw beyond(v, head.snapshot.log_size)
    return head
  }
  const best = heads.filter((h) => h.snapshot.log_size <= v.limit).sort((a, b) => b.snapshot.log_size - a.snapshot.log_size || (a.ref < b.ref ? -1 : 1))[0]
  if (best === undefined && heads.length > 0 && v.limit < (v.log?.size ?? 0)) throw beyond(v, v.log?.size ?? 0)
  return best
}

function beyond (v: ViewedLane, size: number): DiadError {
  const forked = v.knowledge.evidence !== undefined
  const why = forked ? `its key signed two histories that differ from record ${v.knowledge.evidence?.index ?? 0} on` : `it counts up to record ${v.limit}`
  return new DiadError(forked ? 'lane-forked' : 'cut', `that head holds ${size} records, but ${why}`, 'vouch for a head below it, with --at, or have the rest published again')
}

/** What the view gains by leaves of this key. */
function changesOf (k: DomainKnowledge, signer: Signer, bodies: readonly UnsaltedBody[]): { visible: Reach[], exported: Reach[] } {
  if (bodies.length === 0) return { visible: [], exported: [] }
  const after = previewView(k, signer.publicKey, bodies)
  const [was, is] = [visiblePrefixes(k.viewAll()), visiblePrefixes(after.all)]
  const prefix = (view: DomainView) => (lane: Reference): number => view.lanes.get(lane)?.exported ?? 0
  return {
    visible: gains(after.all, k, (lane) => was.get(lane) ?? 0, (lane) => is.get(lane) ?? 0),
    exported: gains(after.exported, k, prefix(k.view()), prefix(after.exported))
  }
}

function changes (k: DomainKnowledge, signer: Signer, bodies: readonly UnsaltedBody[]): boolean {
  const { visible, exported } = changesOf(k, signer, bodies)
  return visible.length + exported.length > 0 || !saidAlready(k, signer, bodies)
}

/** Whether a lane of this key holds each of these vouches: one whose effect needs somebody else's is worth saying once. */
function saidAlready (k: DomainKnowledge, signer: Signer, bodies: readonly UnsaltedBody[]): boolean {
  const mine = [...k.viewAll().lanes.values()].filter((v) => v.rights?.principal.public_key === signer.publicKey)
  const said = new Set(mine.flatMap((v) => v.judged.flatMap(({ body }) => body?.kind === 'vouch' ? [`${body.lane} ${body.snapshot}`] : [])))
  return bodies.every((b) => b.kind === 'vouch' && said.has(`${b.lane} ${b.snapshot}`))
}

function gains (view: DomainView, k: DomainKnowledge, before: (lane: Reference) => number, after: (lane: Reference) => number): Reach[] {
  const out: Reach[] = []
  for (const [lane, v] of view.lanes) {
    const [from, to] = [before(lane), after(lane)]
    // The lane that the preview made isn't ours.
    if (to > from && k.lanes.has(lane)) out.push({ lane, from, to, names: namesBetween(v, from, to) })
  }
  return out
}

/** Exported names whose content isn't complete here: readers can't have it from this node. */
function missingContent (context: Context, k: DomainKnowledge, exported: readonly Reach[]): string[] {
  const out = new Set<string>()
  for (const { lane, from, to } of exported) {
    for (const { body } of k.viewAll().lanes.get(lane as Reference)?.judged.slice(from, to) ?? []) {
      if (namesContent(body) && !isWhole(context.runtime.store.kv, k.domain, body.ref)) out.add(body.name)
    }
  }
  return [...out].sort()
}
