/** `diad verify`: the verdict on anything held, with the chain of checks that leads to it. */
import { domainText } from '../../substrate/domain-id.js'
import { DiadError, MalformedError } from '../../substrate/errors.js'
import { isReference, NONE, parseReference, type Reference } from '../../substrate/reference.js'
import type { BlockReader } from '../../substrate/store.js'
import { TAG, tagName } from '../../substrate/type-tags.js'
import { kindName } from '../../publication/leaf.js'
import { showName } from '../../publication/names.js'
import type { Entry } from '../../publication/tree.js'
import { childrenOf, resolvePath } from '../../publication/walk.js'
import type { DomainKnowledge } from '../../authority/knowledge.js'
import type { CurrentEntry, ViewedLane } from '../../authority/domain-view.js'
import { endedInWords, endedUnder } from '../../authority/ended-names.js'
import { erasedUnder, erasureInWords, namelessInWords } from '../../authority/erasures.js'
import { VERDICT_CODES, type VerdictCode } from '../../authority/verdict.js'
import type { Check, CommandArgs, CommandIo, CommandResults } from '../command.js'
import { type Context, currentEntry, domainOf, parseTarget, type Target } from './context.js'
import { beginsWith } from './records/common.js'

type Result = CommandResults['verify']

const tick = (rule: string, ok: boolean, text: string): Check => ({ rule, ok, text })
const counted = (n: number, one: string, many: string): string => `${n} ${n === 1 ? one : many}`
const statusOf = (code: string): string => VERDICT_CODES.get(code as VerdictCode)?.status ?? 'informational'

export async function verify (context: Context, args: CommandArgs['verify'], io: CommandIo): Promise<Result> {
  const at = args.target.includes('/') ? parseTarget(context, args.target) : undefined
  if (at !== undefined && at.segments.length > 0) return await verifyName(context, at, io)
  const ref = at?.domain ?? await resolveRef(context, args.target)
  for (const domain of [...context.runtime.records.keys()].sort()) {
    const k = await context.runtime.knowledge(domain)
    const found = verifyControl(k, ref)
    if (found !== undefined) return { ...found, ref }
  }
  if (!context.runtime.store.blocks.has(ref)) {
    return { status: 'deferred', code: 'not-held', ref, checks: [tick('S-2', false, 'this home holds nothing with this reference')], missing: [ref] }
  }
  return { ...await verifyContent(context, ref, io), ref }
}

/** A reference, or a domain by any of its names, or a unique prefix of something held. */
async function resolveRef (context: Context, text: string): Promise<Reference> {
  if (isReference(text)) return parseReference(text)
  if (/^[0-9a-f]{12,67}$/.test(text)) {
    const found = new Set<Reference>()
    for (const domain of context.runtime.records.keys()) for (const r of (await context.runtime.knowledge(domain)).inventory()) if (beginsWith(r, text)) found.add(r)
    for await (const [r] of context.runtime.store.blocks.blocks()) if (beginsWith(r, text) && found.size < 2) found.add(r)
    const [only] = found
    if (only !== undefined && found.size === 1) return only
    throw new MalformedError(found.size === 0 ? `nothing held here begins with ${text}` : `${text} is not unique: give more digits`)
  }
  // A CID may name anything; the reader of DomainIDs takes it too, and says what is wrong with it.
  return domainOf(context, text)
}

function authorityChecks (k: DomainKnowledge): Check[] {
  const a = k.authority()
  return [
    tick('M5', a.rootChain.entries.length > 0, `root chain of ${domainText(k.domain)}: ${counted(a.rootChain.entries.length, 'entry', 'entries')}, ${a.rootChain.state}`),
    tick('M7', a.state === 'ok', a.stateText)
  ]
}

/** Authority objects, lanes, heads, evidence. */
function verifyControl (k: DomainKnowledge, ref: Reference): Result | undefined {
  if (ref === k.domain && k.authority().tip === undefined) return { status: 'deferred', code: 'unknown-domain', checks: authorityChecks(k), missing: [...k.missing()] }
  const artifact = k.artifact(ref)
  if (artifact === undefined) return undefined
  const head = tick('S-2', true, `${tagName(artifact.typeTag)}, ${artifact.payload.length} bytes, hashes to its reference`)
  const { lanes } = k.view()
  const lane = lanes.get(ref)
  if (lane !== undefined) return { ...laneVerdict(lane), checks: [head, ...authorityChecks(k), ...laneChecks(k, lane)] }
  for (const v of lanes.values()) {
    const snapshot = v.knowledge.heads.get(ref)
    if (snapshot !== undefined) {
      const size = snapshot.snapshot.log_size
      const linked = v.log !== undefined && v.log.size >= size && v.log.root(size) === snapshot.snapshot.log_root
      const newest = v.branch?.head.ref === ref
      const code = !linked ? 'log-missing' : newest ? laneVerdict(v).code : 'superseded'
      return {
        status: statusOf(code), code,
        checks: [head, ...authorityChecks(k), ...laneChecks(k, v), tick('S1', true, `signed by the lane's principal ${snapshot.signature.public_key.slice(0, 16)}…`), tick('L3', linked, `${counted(size, 'leaf hashes', 'leaves hash')} to its root`)]
      }
    }
  }
  if (artifact.typeTag === TAG.signature) return { status: 'accepted', code: 'accepted', checks: [head, tick('T1', true, 'the signature holds under the one rule')] }
  if (artifact.typeTag === TAG.forkEvidence) return { status: 'accepted', code: 'accepted', checks: [head, tick('E1', true, 'two signed heads of one lane differ at a leaf')] }
  const verdict = k.authority().verdictOf(ref)
  return { status: verdict.status, code: verdict.code, checks: [head, ...authorityChecks(k), ...verdict.checks], missing: [...verdict.missing] }
}

function laneVerdict (v: ViewedLane): { status: string, code: string } {
  const code = v.status === 'accepted' && v.exported === 0 ? 'not-exported' : v.code
  return { status: v.status === 'accepted' ? statusOf(code) : v.status, code }
}

function laneChecks (k: DomainKnowledge, v: ViewedLane): Check[] {
  const position = k.authority().position.get(v.knowledge.lane.manifest)
  return [
    tick('L1', position !== undefined, `lane ${v.knowledge.ref.slice(0, 16)}… stands under manifest ${v.knowledge.lane.manifest.slice(0, 16)}…${position === undefined ? ', which is not on the chain' : ` (version ${(k.authority().onChain[position] as { manifest: { version: number } }).manifest.version})`}`),
    tick('M1', v.rights !== undefined, v.rights === undefined ? 'its principal is not in that manifest' : `its principal has the roles ${v.rights.principal.roles.join(', ')}`),
    tick('L3', v.limit > 0, `valid up to leaf ${v.limit} of ${v.branch?.head.snapshot.log_size ?? 0}`),
    tick('E4', v.knowledge.evidence === undefined, v.knowledge.evidence === undefined ? 'no equivocation is known' : `equivocation proven at leaf ${v.knowledge.evidence.index}`),
    tick('A2', v.exported > 0, `exported up to leaf ${v.exported}`)
  ]
}

function leafChecks (k: DomainKnowledge, e: CurrentEntry): Check[] {
  const v = k.viewAll().lanes.get(e.lane) as ViewedLane
  const judged = v.judged[e.index]
  return [
    ...authorityChecks(k),
    ...laneChecks(k, v),
    tick('R2', judged?.status === 'accepted', `leaf ${e.index}: ${kindName(judged?.leaf.kind ?? 0) ?? 'unknown'} "${e.name}" by a principal that may`),
    tick('R4', true, `the greatest record of this name: logseq ${e.logseq}`)
  ]
}

async function verifyName (context: Context, at: Target, io: CommandIo): Promise<Result> {
  const { blocks } = context.runtime.store
  const k = context.runtime.records.has(at.domain) ? await context.runtime.knowledge(at.domain) : undefined
  if (k?.authority().tip === undefined) return { status: 'deferred', code: 'unknown-domain', checks: [tick('M5', false, `nothing of ${domainText(at.domain)} is held here`)], missing: [at.domain] }
  const found = currentEntry(k, at.segments, true)
  if (found === undefined) return nameGone(k, at.segments.join('/'))
  const { entry, rest } = found
  const exported = k.view().current.get(entry.name)?.leafHash === entry.leafHash
  const checks = [...leafChecks(k, entry), tick('A2', exported, exported ? 'exported' : 'not exported')]
  const place = await placeBelow(blocks, entry, rest)
  if (place !== undefined) checks.push(tick('V4', place.ok, place.text))
  // What can't be reached is missing somewhere in the whole; a link has nothing below it.
  const root = place === undefined || !place.ok ? entry.ref : place.ref
  const lacking = root === undefined ? undefined : await wholeBelow(blocks, root, io.signal)
  const code = entry.code === 'contested' ? 'contested' : !exported ? 'not-exported' : lacking === undefined && place?.ok !== false ? 'accepted' : 'content-missing'
  if (root !== undefined) checks.push(tick('V4', lacking === undefined, lacking === undefined ? 'every block below it is held and hashes to its reference' : `the block ${lacking} is not here`))
  const ref = place === undefined ? entry.ref : place.ref
  return { status: statusOf(code), code, ...(ref === undefined ? {} : { ref }), checks, ...(lacking === undefined ? {} : { missing: [lacking] }) }
}

/** R7, K3: what was erased, or cut, is told from what never was, as long as the record is held. */
function nameGone (k: DomainKnowledge, name: string): Result {
  const gone = erasedUnder(k, name)
  const caveat = namelessInWords(gone)
  const isErased = gone.records.length > 0
  const ended = isErased ? [] : endedUnder(k, name)
  const code = isErased ? 'erased' : ended.at(-1)?.code ?? 'not-held'
  return {
    status: statusOf(code), code,
    checks: [
      ...authorityChecks(k),
      tick('R4', false, isErased || ended.length > 0 ? `no record of ${showName(name)} is in force` : `no record of ${showName(name)} is held`),
      ...gone.records.map((e) => tick('R7', false, erasureInWords(e))),
      ...ended.slice(-8).map((e) => tick(e.code === 'cut' ? 'K3' : 'K1', false, endedInWords(e))),
      ...caveat === undefined ? [] : [tick('R7', false, caveat)]
    ]
  }
}

/** Where the path `rest` leads in what `entry` names; undefined for no path. `ok` is false when a Tree on the way isn't held. Throws `not-found`. */
export async function placeBelow (reader: BlockReader, { name, ref, mode }: CurrentEntry, rest: readonly string[]): Promise<{ ok: boolean, ref?: Reference, text: string } | undefined> {
  if (rest.length === 0) return undefined
  const path = showName(rest.join('/'))
  let there: Entry | undefined
  try {
    there = await resolvePath(reader, { ref, mode }, rest)
  } catch (err) {
    if (!(err instanceof DiadError) || err.code !== 'content-missing') throw err
    return { ok: false, text: `${path} in ${showName(name)} can't be looked up: ${err.message}` }
  }
  if (there === undefined) throw new DiadError('not-found', `there is no ${path} in ${showName(name)}`, 'see `diad ls`')
  if (there.kind === 'link') return { ok: true, text: `${path} in ${showName(name)} is a link; the Tree that holds it is contained in this record` }
  return { ok: true, ref: there.ref, text: `${path} in ${showName(name)} is ${there.ref}, contained in this record` }
}

/** Walks everything below `root`, hashing each block. Returns the first that isn't held. */
export async function wholeBelow (reader: BlockReader, root: Reference, signal: AbortSignal): Promise<Reference | undefined> {
  const stack = [root]
  const seen = new Set<Reference>()
  for (let ref = stack.pop(); ref !== undefined; ref = stack.pop()) {
    signal.throwIfAborted()
    if (seen.has(ref)) continue
    seen.add(ref)
    const artifact = await reader.get(ref)
    if (artifact === undefined) return ref
    for (const c of childrenOf(artifact)) stack.push(c.ref)
  }
  return undefined
}

/** Accepted = contained in an accepted exported leaf of a held domain (V4), else unclaimed. */
async function verifyContent (context: Context, ref: Reference, io: CommandIo): Promise<Result> {
  const { blocks, audience } = context.runtime.store
  const artifact = await blocks.get(ref)
  const held = tick('S-2', artifact !== undefined, `${tagName(artifact?.typeTag)}, ${artifact?.payload.length ?? 0} bytes, hashes to its reference`)
  for (const domain of context.runtime.active()) {
    const k = await context.runtime.knowledge(domain)
    if (k.authority().tip === undefined || !audience.heldFor(domain, ref)) continue
    for (const entry of k.view().current.values()) {
      if (entry.ref === NONE || !(await contains(blocks, entry.ref, ref, io.signal))) continue
      const code = entry.code === 'contested' ? 'contested' : 'accepted'
      return { status: code, code, checks: [held, ...leafChecks(k, entry), tick('V4', true, `contained in "${entry.name}" of ${domainText(domain)}`)] }
    }
  }
  return { status: 'informational', code: 'unclaimed', checks: [held, tick('V4', false, 'no exported record of a held domain contains it')] }
}

export async function contains (reader: BlockReader, root: Reference, wanted: Reference, signal: AbortSignal): Promise<boolean> {
  const stack = [root]
  const seen = new Set<Reference>()
  for (let ref = stack.pop(); ref !== undefined; ref = stack.pop()) {
    if (ref === wanted) return true
    signal.throwIfAborted()
    if (seen.has(ref)) continue
    seen.add(ref)
    const artifact = await reader.get(ref)
    // Untagged blocks contain nothing; only Trees and Files are worth opening.
    if (artifact?.typeTag !== undefined) for (const c of childrenOf(artifact)) stack.push(c.ref)
  }
  return false
}
