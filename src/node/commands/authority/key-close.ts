/** `diad key close`: a key was stolen, or is done with. It is dropped, and what stays valid of its lanes is said for ever (K1, K3). */
import { type Keep, principalsOf } from '../../../authority/amend.js'
import { counted } from '../../../authority/explain/tree.js'
import { type LaneKnowledge, liesOn } from '../../../authority/lane-knowledge.js'
import { hasRole } from '../../../authority/lane-view.js'
import type { DomainKnowledge } from '../../../authority/knowledge.js'
import { PUBLISHED } from '../../../publication/lane.js'
import { DiadError } from '../../../substrate/errors.js'
import type { Hash, Reference } from '../../../substrate/reference.js'
import type { CommandArgs, CommandIo, CommandResults } from '../../command.js'
import { homeKeys, resolvePrincipal } from '../../home/principal-names.js'
import { droppedKey, newPrincipalHint } from '../../own-key.js'
import { type Context, ownDomain } from '../context.js'
import { beginsWith } from '../records/common.js'
import { change, knownPrincipals, named } from './changing.js'

/** Hex digits of a reference that may stand for all of it. */
const MIN_DIGITS = 12

export async function keyClose (context: Context, args: CommandArgs['key close'], io: CommandIo): Promise<CommandResults['key close']> {
  const domain = ownDomain(context)
  if (args.at.length > 0 && args.keep !== undefined) throw new DiadError('usage', '--keep and --lane exclude each other', 'lanes that --lane doesn\'t name end at 0')
  const target = resolvePrincipal(context.home, args.principal, knownPrincipals(await context.runtime.wake(domain)))
  const own = homeKeys(context.home).find((h) => h.publicKey === target.publicKey && h.name === 'principal')
  if (own !== undefined && target.now !== undefined && !args.yes) {
    throw new DiadError('not-confirmed', 'that is the principal of this home, which signs what is published here', 'nothing was signed. `diad key rotate` puts a new key in its place; with --yes it is closed, and this home publishes nothing until it has another one')
  }
  const changed = await change(context, domain, io, args, (k) => {
    const keep = args.at.length === 0 ? args.keep ?? 'held' : headsOf(k, target.id, args.at)
    warnOfForks(k, target.id, keep, io)
    if (typeof keep === 'object') warnOfUnseen(k, keep, io)
    const now = principalsOf(k.authority().onChain.at(-1)!.manifest)
    return { principals: now.filter((p) => p.publicKey !== target.publicKey), close: new Map([[target.id, keep]]) }
  })
  if (own !== undefined) context.signer = undefined
  const dropped = droppedKey(await context.runtime.knowledge(domain), target.publicKey)
  if (own !== undefined && dropped !== undefined) io.warn(`this home can publish nothing now: ${newPrincipalHint(dropped)}`)
  return { ...changed, principal: target.id, ...named(context, target.id) }
}

/** `LANE=SNAPSHOT` as typed. */
function headsOf (k: DomainKnowledge, id: Hash, at: readonly string[]): Keep {
  const own = [...k.lanes.values()].filter((l) => l.lane.principal === id)
  const out = new Map<Reference, Reference>()
  for (const pair of at) {
    const [laneText = '', headText = ''] = pair.split('=')
    const lane = own.find((l) => l.ref === only(laneText, own.map((o) => o.ref), 'lane of this principal', 'see `diad lanes`'))
    if (lane === undefined) throw new DiadError('cut-unknown', `${laneText} is no lane of this principal that is held here`, 'see `diad lanes`')
    if (out.has(lane.ref)) throw new DiadError('usage', `the lane ${lane.ref} is named twice`, 'one snapshot a lane')
    out.set(lane.ref, only(headText, [...lane.heads.keys()], 'held head of that lane', heldOf(lane)))
  }
  return out
}

function only (text: string, among: readonly Reference[], what: string, hint: string): Reference {
  const found = text.length >= MIN_DIGITS ? among.filter((ref) => beginsWith(ref, text)) : []
  const [first] = found
  if (first === undefined || found.length > 1) {
    throw new DiadError('cut-unknown', found.length > 1 ? `${text} begins more than one ${what}` : `${JSON.stringify(text.slice(0, 80))} is no ${what}`, `give the reference, or ${MIN_DIGITS} or more of its digits; ${hint}`)
  }
  return first
}

/** Whoever looks for the last good head has to see which ones there are. */
function heldOf (lane: LaneKnowledge): string {
  const heads = [...lane.heads.values()].sort((a, b) => b.snapshot.log_size - a.snapshot.log_size).slice(0, 8)
  return `held are, by records: ${heads.map((h) => `${h.snapshot.log_size} ${h.ref.slice(0, 20)}`).join(', ')}`
}

/**
 * A head is a signature, and nothing more is checked of one that is named (K2): nobody may hold the records below it, or be shown them. Neither can be
 * mended by a later manifest, which may only lower a cut (K3).
 */
export function warnOfUnseen (k: DomainKnowledge, keep: ReadonlyMap<Reference, Reference>, io: Pick<CommandIo, 'warn'>): void {
  for (const [ref, snapshot] of keep) {
    const lane = k.lanes.get(ref)
    const head = lane?.heads.get(snapshot)
    if (lane === undefined || head === undefined) continue
    const size = head.snapshot.log_size
    const called = `the lane ${ref.slice(0, 16)}…`
    if (!lane.branches.some(({ log }) => liesOn(log, head))) {
      io.warn(`not all of the ${counted(size, 'record')} below that head of ${called} are held here: the whole lane counts for nobody until somebody shows them (cut-unlinked)`)
      continue
    }
    const v = k.view().lanes.get(ref)
    const exported = v?.exported ?? 0
    const alone = lane.lane.visibility === PUBLISHED && !(v !== undefined && hasRole(v, 'federate'))
    if (alone && exported < size) {
      io.warn(`of the ${counted(size, 'record')} of ${called} that stay valid ${exported === 0 ? 'none is' : exported === 1 ? '1 is' : `${exported} are`} exported: others see the rest only after \`diad vouch ${ref.slice(0, 16)} --at ${snapshot.slice(0, 16)}\``)
    }
  }
}

/** Which branch of a fork is honest no rule can say: the one that this node holds is kept. */
function warnOfForks (k: DomainKnowledge, id: Hash, keep: Keep, io: CommandIo): void {
  if (keep !== 'held') return
  for (const lane of k.lanes.values()) {
    if (lane.lane.principal !== id || lane.evidence === undefined) continue
    io.warn(`the lane ${lane.ref.slice(0, 16)}… was signed in two ways from record ${lane.evidence.index} on; ${lane.branches.length > 1 ? 'what both share is kept' : 'what this home holds is kept'}`)
  }
}
