/** `diad erase` and `diad tombstone`: the two ways to take something back, and what each of them can't do. Source: RULES R4, R7. */
import type { CurrentEntry, DomainView, ViewedLane } from '../../../authority/domain-view.js'
import type { DomainKnowledge } from '../../../authority/knowledge.js'
import { erasedUnder, erasureInWords, namelessInWords } from '../../../authority/erasures.js'
import { nameOf, readRecord } from '../../../authority/lane-reach.js'
import { previewView } from '../../../authority/preview.js'
import { appendRecord, appendRecords, checkMayAppend, rightsOf } from '../../../federation/append.js'
import { PUBLISHED } from '../../../publication/lane.js'
import { KIND, kindName, type UnsaltedBody } from '../../../publication/leaf.js'
import { pathFault } from '../../../publication/names.js'
import { domainText } from '../../../substrate/domain-id.js'
import { DiadError, MalformedError } from '../../../substrate/errors.js'
import { NONE, type PublicKey } from '../../../substrate/reference.js'
import type { Signer } from '../../../substrate/signature.js'
import type { CommandArgs, CommandIo, CommandResults } from '../../command.js'
import { type Context, heldDomain, inTurn, ownDomain, parseTarget } from '../context.js'
import { checkOurs, laneNamed, viewedLane, withSigner } from './common.js'
import type { ErasedLeaf } from './types.js'

const LASTING: ReadonlySet<number> = new Set([KIND.erase, KIND.vouch, KIND.admit])

interface Target { readonly v: ViewedLane, readonly index: number }

export async function erase (context: Context, args: CommandArgs['erase'], io: CommandIo): Promise<CommandResults['erase']> {
  const { k, found } = await leavesOf(context, args.target)
  return await withSigner(context, io, args.key, async (signer) => await inTurn(context, async () => {
    checkOurs(k, signer, 'the record')
    return await eraseWith(context, k, found, signer, args.yes)
  }))
}

async function eraseWith (context: Context, k: DomainKnowledge, found: readonly Target[], signer: Signer, yes: boolean): Promise<CommandResults['erase']> {
  const bodies = found.map(({ v, index }): UnsaltedBody => ({ kind: 'erase', lane: v.knowledge.ref, index, leaf_hash: leafHash(v, index) }))
  checkMayAppend(k, signer.publicKey, bodies[0] as UnsaltedBody)
  for (const target of found) checkErasable(k, target, signer.publicKey)
  const after = previewView(k, signer.publicKey, bodies)
  const older = namesShowing(k, found, after.all)
  const erased = found.map(describe)
  if (!yes) throw notYet(erased, older)
  await context.runtime.wake(k.domain)
  const { lane, snapshot } = await appendRecords(context.runtime, k, signer, bodies)
  return { domain: k.domain, erased, older, lane, snapshot }
}

function notYet (erased: readonly ErasedLeaf[], older: readonly string[]): DiadError {
  const what = erased.length === 1 ? `record ${erased[0]?.index ?? 0} of ${erased[0]?.lane.slice(0, 16) ?? ''}…` : `${erased.length} records`
  const back = older.length === 0 ? '' : `; ${older.slice(0, 3).join(', ')} would show an older record again`
  return new DiadError('not-confirmed', `this would erase ${what} for ever${back}. Copies that others carried away can't be called back`, 'nothing was done; say --yes to erase, or hide the name with `diad tombstone NAME`')
}

/** Every record that publishes the name: erasing the newest alone would show the one before it. */
async function leavesOf (context: Context, text: string): Promise<{ k: DomainKnowledge, found: Target[] }> {
  const place = /^([0-9a-f]{12,68}):([0-9]{1,16})$/.exec(text)
  if (place !== null) {
    const { k, lane } = await laneNamed(context, place[1] as string)
    const v = viewedLane(k, lane)
    const index = Number(place[2])
    if (v.log === undefined || index >= v.log.size) throw new DiadError('not-held', `the lane has no record ${index} here`, `it holds ${v.log?.size ?? 0}; the first is 0`)
    return { k, found: [{ v, index }] }
  }
  const at = await namedRecord(context, text)
  const k = await heldDomain(context, at.domain)
  const name = at.segments.join('/')
  const found: Target[] = []
  for (const v of k.viewAll().lanes.values()) {
    v.judged.forEach((j, index) => {
      if (j.status === 'accepted' && j.body?.kind !== 'tombstone' && nameOf(j) === name) found.push({ v, index })
    })
  }
  if (found.length === 0) throw nothingPublishes(k, name)
  return { k, found }
}

/** Throws what `parseTarget` does; where a name of the own domain was typed without the domain, with what to type. */
async function namedRecord (context: Context, text: string): Promise<ReturnType<typeof parseTarget>> {
  const takes = 'erase takes DOMAIN/NAME or LANE:INDEX'
  try {
    const at = parseTarget(context, text)
    if (at.segments.length > 0) return at
  } catch (err) {
    if (!(err instanceof DiadError)) throw err
    const own = context.runtime.own()
    const name = text.replace(/\/$/, '')
    if (own !== undefined && (await context.runtime.knowledge(own)).viewAll().current.has(name)) {
      throw new DiadError(err.code, `"${name}" is a name, and ${takes}`, `say whose it is: \`diad erase ${context.home.name ?? domainText(own)}/${name}\``, { cause: err })
    }
    throw new DiadError(err.code, err.message, err.hint === '' ? takes : `${takes}; ${err.hint}`, { cause: err })
  }
  throw new DiadError('malformed', `"${text}" is neither DOMAIN/NAME nor LANE:INDEX`, 'add the name behind a slash; `diad ls DOMAIN` lists them')
}

function nothingPublishes (k: DomainKnowledge, name: string): DiadError {
  const gone = erasedUnder(k, name)
  const before = gone.records.find((e) => e.name === name)
  if (before !== undefined) return new DiadError('already-erased', `it is erased already: ${erasureInWords(before)}`, '')
  const caveat = namelessInWords(gone)
  return new DiadError('not-found', `no record publishes "${name}"`, `see \`diad ls DOMAIN --all\`; what stands below a published name can't be erased alone${caveat === undefined ? '' : `; ${caveat}`}`)
}

function leafHash (v: ViewedLane, index: number): string & ReturnType<NonNullable<ViewedLane['log']>['leafHash']> {
  return (v.log as NonNullable<ViewedLane['log']>).leafHash(index)
}

/** R7, L2: by the lane's own principal, or by one with the whole domain as scope; never what others rest on, and nothing internal. */
function checkErasable (k: DomainKnowledge, { v, index }: Target, key: PublicKey): void {
  const { rights } = rightsOf(k, key)
  if (v.knowledge.lane.visibility !== PUBLISHED) throw new DiadError('lane-internal', `the lane ${v.knowledge.ref.slice(0, 16)}… is internal: no published lane may name it`, 'nothing of it is shown to anybody, so there is nothing to take back')
  const own = v.knowledge.lane.principal === rights.principal.principal_id
  if (!own && !rights.scope.prefixes.includes('')) {
    throw new DiadError('erase-refused', `the record ${index} of ${v.knowledge.ref.slice(0, 16)}… is another key's, and this key's scope isn't the whole domain`, 'ask that key\'s holder, or use a key with the whole domain as scope')
  }
  const leaf = readRecord(v, index)?.leaf
  if (leaf === undefined || LASTING.has(leaf.kind)) throw new DiadError('erase-refused', `a record of the kind ${kindName(leaf?.kind ?? 0) ?? 'unknown'} can't be erased: others rest on it`, '')
  if (k.viewAll().erased.has(`${v.knowledge.ref}/${index}`)) throw new DiadError('already-erased', `the record ${index} is erased already`, '')
}

/** Names of what is erased that still show something afterwards. */
function namesShowing (k: DomainKnowledge, found: readonly Target[], after: DomainView): string[] {
  const names = new Set(found.flatMap(({ v, index }) => { const name = nameOf(v.judged[index] ?? { body: undefined }); return name === undefined ? [] : [name] }))
  const { current } = k.viewAll()
  return [...names].filter((name) => shows(after.current.get(name)) && shows(current.get(name)) && after.current.get(name)?.leafHash !== current.get(name)?.leafHash).sort()
}

const shows = (e: CurrentEntry | undefined): boolean => e !== undefined && e.ref !== NONE

function describe ({ v, index }: Target): ErasedLeaf {
  const record = readRecord(v, index)
  const name = record === undefined ? undefined : nameOf(record)
  return { lane: v.knowledge.ref, index, kind: kindName(record?.leaf.kind ?? 0) ?? 'unknown', ...(name === undefined ? {} : { name }) }
}

export async function tombstone (context: Context, args: CommandArgs['tombstone'], io: CommandIo): Promise<CommandResults['tombstone']> {
  const domain = ownDomain(context)
  const { name } = args
  const fault = pathFault(name)
  if (fault !== undefined) throw new MalformedError(`"${name}" can't be a published name: ${fault}`)
  return await withSigner(context, io, args.key, async (signer) => await inTurn(context, async () => {
    const k = await context.runtime.wake(domain)
    const { current } = k.viewAll()
    if (!shows(current.get(name))) {
      // Written as erase and cat take it.
      const rest = [context.home.name, domainText(domain), domain].flatMap((d) => d !== undefined && name.startsWith(`${d}/`) ? [name.slice(d.length + 1)] : []).find((n) => shows(current.get(n)))
      throw new DiadError('not-found', `nothing is published as "${name}"`, rest === undefined ? 'see `diad ls DOMAIN`; what stands below a published name goes with the whole' : `tombstone takes a NAME of the own domain, without the domain: \`diad tombstone ${rest}\``)
    }
    const body = { kind: 'tombstone' as const, name }
    checkMayAppend(k, signer.publicKey, body)
    const { lane, snapshot } = await appendRecord(context.runtime, k, signer, body)
    return { domain, name, lane, snapshot }
  }))
}
