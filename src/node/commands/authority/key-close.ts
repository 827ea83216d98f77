/** `diad key close`: a key was stolen, or is done with. It is dropped, and what stays valid of its lanes is said for ever (K1, K3). */
import { greatestHeld, type Keep, principalsOf } from '../../../authority/amend.js'
import { counted } from '../../../authority/explain/tree.js'
import { type LaneKnowledge, liesOn } from '../../../authority/lane-knowledge.js'
import { hasRole } from '../../../authority/lane-view.js'
import type { DomainKnowledge } from '../../../authority/knowledge.js'
import { PUBLISHED } from '../../../publication/lane.js'
import { DiadError } from '../../../substrate/errors.js'
import type { Hash, Reference } from '../../../substrate/reference.js'
import type { CommandArgs, CommandIo, CommandResults } from '../../command.js'
import { resolvePrincipal } from '../../home/principal-names.js'
import { demandOwnMeant, droppedKey, isOwnPrincipal, newPrincipalHint } from '../../own-key.js'
import { type Context, ownDomain } from '../context.js'
import { beginsWith } from '../records/common.js'
import { change, type KnownPrincipal, knownPrincipals, named } from './changing.js'

/** Hex digits of a reference that may stand for all of it. */
const MIN_DIGITS = 12

export async function keyClose (context: Context, args: CommandArgs['key close'], io: CommandIo): Promise<CommandResults['key close']> {
  const domain = ownDomain(context)
  if (args.at.length > 0 && args.keep !== undefined) throw new DiadError('usage', '--keep and --lane exclude each other', 'lanes that --lane doesn\'t name end at 0')
  const all = knownPrincipals(await context.runtime.wake(domain))
  const target = resolvePrincipal(context.home, args.principal, all)
  if (target.now !== undefined && all.filter((p) => p.now !== undefined).length === 1) {
    throw new DiadError('last-principal', 'that is the only principal of the domain, which can\'t be without any: it can\'t be closed, only replaced', 'nothing was signed. `diad key rotate` puts a new key in its place and closes this one; or grant another key its roles first: `diad role grant`')
  }
  const own = isOwnPrincipal(context.home, target.publicKey)
  if (target.now !== undefined) demandOwnMeant(context.home, target.publicKey, args.yes)
  const changed = await change(context, domain, io, args, (k) => {
    const keep = args.at.length === 0 ? args.keep ?? 'held' : headsOf(k, target.id, args.at)
    warnOfForks(k, target.id, keep, io)
    if (typeof keep === 'object') warnOfUnseen(k, keep, io)
    demandChange(k, target, keep)
    const now = principalsOf(k.authority().onChain.at(-1)!.manifest)
    return { principals: now.filter((p) => p.publicKey !== target.publicKey), close: new Map([[target.id, keep]]) }
  })
  if (own) context.signer = undefined
  const dropped = droppedKey(await context.runtime.knowledge(domain), target.publicKey)
  if (own && dropped !== undefined) io.warn(`this home can publish nothing now: ${newPrincipalHint(dropped)}`)
  const isRootKey = (await context.runtime.knowledge(domain)).authority().onChain.at(-1)?.manifest.root_key === target.publicKey
  if (isRootKey) io.warn('only its rights as a principal have ended: as root_key it goes on signing manifests, until `diad root renew --root-key new`')
  return { ...changed, principal: target.id, ...isRootKey ? {} : named(context, target.id) }
}

/** A key that was closed just so already: another manifest would say it again. Throws DiadError `nothing-to-change`. */
function demandChange (k: DomainKnowledge, { id, now }: KnownPrincipal, keep: Keep): void {
  const authority = k.authority()
  const last = authority.onChain.findLast((m) => m.manifest.closed.includes(id))
  if (now !== undefined || last === undefined) return
  const heads = [...k.lanes.values()].filter((l) => l.lane.principal === id)
  const same = heads.every((l) => last.cuts.get(l.ref)?.snapshot === (keep === 'held' ? greatestHeld(l, authority) : keep === 'nothing' ? undefined : keep.get(l.ref)))
  // What isn't held here may be that principal's, and `nothing` ends it, too.
  if (!same || (keep === 'nothing' && [...last.cuts.keys()].some((lane) => !k.lanes.has(lane)))) return
  throw new DiadError('nothing-to-change', `manifest ${last.manifest.version} closed this key already, and nothing else is kept of its lanes now than then`, 'less is kept with --keep nothing, or --lane LANE --at SNAPSHOT; more can\'t be, ever: `diad adopt LANE` publishes it again')
}

/** `LANE=SNAPSHOT` as typed. */
function headsOf (k: DomainKnowledge, id: Hash, at: readonly string[]): Keep {
  const own = [...k.lanes.values()].filter((l) => l.lane.principal === id)
  const out = new Map<Reference, Reference>()
  for (const pair of at) {
    const [laneText = '', headText = ''] = pair.split('=')
    const ref = only(laneText, own.map((o) => o.ref), 'lane of this principal', laneNotHeld)
    const lane = own.find((l) => l.ref === ref)
    if (lane === undefined) throw laneNotHeld(laneText)
    if (out.has(lane.ref)) throw new DiadError('usage', `the lane ${lane.ref} is named twice`, 'one snapshot a lane')
    out.set(lane.ref, only(headText, [...lane.heads.keys()], 'held head of that lane', (text) => headNotHeld(text, lane)))
  }
  return out
}

/** A key that acts elsewhere, as a rescue's does, has lanes that come home with its bundle. */
function laneNotHeld (text: string): DiadError {
  return new DiadError('cut-unknown', `no lane ${shown(text)} of this principal is held here`, 'see `diad lanes`. If the key was used elsewhere, import the bundle of that rescue first; or close the key now without --lane: work that turns up later can be taken over with `diad adopt`')
}

/** A head that was followed by another one may never have been exported. */
function headNotHeld (text: string, lane: LaneKnowledge): DiadError {
  return new DiadError('cut-unknown', `no head ${shown(text)} of that lane is held here`, `of snapshots that a rescue printed, the last before its bundle was written is held, not each earlier one; ${heldOf(lane)}`)
}

const shown = (text: string): string => JSON.stringify(text.slice(0, 80))

/** `notHeld`: what to throw for digits that nothing among them begins with. */
function only (text: string, among: readonly Reference[], what: string, notHeld: (text: string) => DiadError): Reference {
  const found = text.length >= MIN_DIGITS ? among.filter((ref) => beginsWith(ref, text)) : []
  const [first] = found
  if (found.length > 1) throw new DiadError('cut-unknown', `${text} begins more than one ${what}`, 'give more of its digits')
  if (first !== undefined) return first
  if (text.length < MIN_DIGITS) throw new DiadError('cut-unknown', `${shown(text)} is no ${what}`, `give the reference, or ${MIN_DIGITS} or more of its digits: see \`diad lanes\``)
  throw notHeld(text)
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
