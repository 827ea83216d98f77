/**
 * `diad adopt`: re-publishes under a living key what a lane of ours says beyond the point up to which it counts: honest work past a cut, or of a key that was
 * closed. Nothing is revived; a statement beside the new records says whose they were. Source: RULES K5, L2, R7.
 */
import type { DomainKnowledge } from '../../../authority/knowledge.js'
import type { ViewedLane } from '../../../authority/domain-view.js'
import { nameOf } from '../../../authority/lane-reach.js'
import { erasedOnce, leftoversOn } from '../../../authority/leftovers.js'
import { appendRecords, checkMayAppend } from '../../../federation/append.js'
import { showContent } from '../../../federation/reach.js'
import { type Body, KIND, namesContent, type UnsaltedBody } from '../../../publication/leaf.js'
import { PUBLISHED } from '../../../publication/lane.js'
import { domainText } from '../../../substrate/domain-id.js'
import { DiadError } from '../../../substrate/errors.js'
import { NONE, type PublicKey } from '../../../substrate/reference.js'
import type { CommandArgs, CommandIo, CommandResults } from '../../command.js'
import { readPrincipalNames } from '../../home/principal-names.js'
import { type Context, inTurn } from '../context.js'
import { checkOurs, laneNamed, viewedLane, withSigner } from './common.js'

/** The statement that stands beside adopted records; its ref is the lane they come from. */
const ADOPTED = 'adopted'

type Published = Extract<Body, { kind: 'publish' | 'lift' }>

/** What a lane says where it doesn't count. */
interface Leftover {
  /** by name, the last word of the lane */
  readonly names: Map<string, Published | undefined>
  /** by name, why a record of it is left out: `erased`, `rejected` */
  readonly behind: ReadonlyMap<string, string>
  readonly receipts: number
  /** leaves whose bodies aren't here */
  readonly unread: number
}

export async function adopt (context: Context, args: CommandArgs['adopt'], io: CommandIo): Promise<CommandResults['adopt']> {
  const { k, lane } = await laneNamed(context, args.lane)
  const v = viewedLane(k, lane)
  if (v.knowledge.lane.visibility !== PUBLISHED) throw new DiadError('lane-internal', 'this lane is internal: no published lane may name it', 'publish again what shall be seen')
  if (v.status === 'deferred') throw new DiadError('deferred', `the lane can't be judged yet: ${v.code}`, `see \`diad explain ${lane.slice(0, 16)}\``)
  return await withSigner(context, io, args.key, async (signer) => await inTurn(context, async () => {
    checkOurs(k, signer, 'the lane')
    await context.runtime.wake(k.domain)
    const leftover = leftoverOf(k, v)
    for (const name of args.only) if (!leftover.names.has(name) && !leftover.behind.has(name)) throw new DiadError('not-found', `beyond what counts, the lane says nothing of "${name}"`, leftover.names.size === 0 ? 'of no name: import a file of a machine that has more of it' : `it speaks of ${[...leftover.names.keys()].slice(0, 5).join(', ')}`)
    const { adopted, left } = choose(k, signer.publicKey, leftover, args.only)
    const { principal } = v.knowledge.lane
    const called = readPrincipalNames(context.home).get(principal)
    const plan = {
      domain: k.domain, from: lane, principal, ...(called === undefined ? {} : { called }), code: v.code,
      adopted: adopted.map(({ name, ref }) => ({ name, ref })), left, receipts: leftover.receipts
    }
    // K3: no sync brings it, and a mirror that knows of the cut shows it to nobody.
    if (leftover.names.size + leftover.behind.size + leftover.receipts + leftover.unread === 0) io.warn(`of this lane nothing is held here that doesn't count. An old disk, or a mirror that hasn't heard of the cut yet, may have more of it: \`diad bundle export ${domainText(k.domain)} FILE\` there, before it syncs, and \`diad bundle import FILE\` here`)
    if (leftover.unread > 0) io.warn(`${leftover.unread} records of the lane can't be read here: their bodies aren't held`)
    if (args.dryRun || adopted.length === 0) return { ...plan, done: false }
    const bodies: UnsaltedBody[] = adopted.map(({ name, ref, mode }) => ({ kind: 'publish', name, ref, mode }))
    const head = await appendRecords(context.runtime, k, signer, [...bodies, { kind: 'statement', type: ADOPTED, ref: lane }])
    // What was fetched or published for the domain before is served again; the rest is fetched like any follower's.
    await context.runtime.gate.together(k.domain, async () => { await showContent(context.runtime, k.domain, exportedRefs(k, adopted)) })
    return { ...plan, done: true, lane: head.lane, snapshot: head.snapshot }
  }))
}

/** All that the held log says from the first leaf on that doesn't count. What is rejected or erased by itself stays so. */
function leftoverOf (k: DomainKnowledge, v: ViewedLane): Leftover {
  const names = new Map<string, Published | undefined>()
  const behind = new Map<string, string>()
  let receipts = 0
  let unread = 0
  const { knowledge } = v
  const log = v.log ?? knowledge.branches[0]?.log
  const from = v.status === 'void' ? 0 : v.limit
  for (const { leaf: { kind }, body, left } of log === undefined ? [] : leftoversOn(k, knowledge, log, from, erasedOnce(k, knowledge.lane.principal))) {
    const name = nameOf({ body })
    if (left !== undefined) {
      if (name !== undefined) behind.set(name, left)
      continue
    }
    if (kind === KIND.receipt) receipts++
    if (kind !== KIND.publish && kind !== KIND.lift && kind !== KIND.tombstone) continue
    if (body === undefined) unread++
    else if (body.kind === 'tombstone') names.set(body.name, undefined)
    else if (namesContent(body)) names.set(body.name, body)
  }
  return { names, behind, receipts, unread }
}

function choose (k: DomainKnowledge, key: PublicKey, { names, behind }: Leftover, only: readonly string[]): { adopted: Published[], left: Array<{ name: string, code: string }> } {
  const adopted: Published[] = []
  const left: Array<{ name: string, code: string }> = []
  const { current } = k.viewAll()
  for (const [name, body] of [...names].sort(([a], [b]) => a < b ? -1 : 1)) {
    if (only.length > 0 && !only.includes(name)) continue
    const now = current.get(name)
    if (body === undefined) left.push({ name, code: 'tombstoned' })
    else if (now?.ref === body.ref && now.mode === body.mode) left.push({ name, code: 'in-force' })
    // Nobody can tell which of the two is newer: there is no clock. Naming it is the answer.
    else if (now !== undefined && now.ref !== NONE && !only.includes(name)) left.push({ name, code: 'taken' })
    else if (!may(k, key, body)) left.push({ name, code: 'out-of-scope' })
    else adopted.push(body)
  }
  for (const [name, code] of [...behind].sort(([a], [b]) => a < b ? -1 : 1)) if (only.length === 0 || only.includes(name)) left.push({ name, code })
  return { adopted, left }
}

function may (k: DomainKnowledge, key: PublicKey, { name, ref, mode }: Published): boolean {
  try {
    checkMayAppend(k, key, { kind: 'publish', name, ref, mode })
    return true
  } catch (err) {
    if (err instanceof DiadError && err.code === 'out-of-scope') return false
    throw err
  }
}

/** Those that followers see now. */
function exportedRefs (k: DomainKnowledge, adopted: readonly Published[]): Set<Published['ref']> {
  const { current } = k.view()
  return new Set(adopted.filter(({ name, ref }) => current.get(name)?.ref === ref).map(({ ref }) => ref))
}
