/**
 * Which signing requests this home made. A request travels through many hands, and whoever carries it can write another one that shows nearly the same:
 * what comes back has to be the object that went out. Local, never published. Source: RULES M5, M8; THREATS 8.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { domainText } from '../../substrate/domain-id.js'
import { DiadError, MalformedError } from '../../substrate/errors.js'
import type { Hash, Reference } from '../../substrate/reference.js'
import { errorCode, replaceFile } from '../home/atomic-file.js'
import type { Home } from '../home/home.js'
import { fieldsIn, textIn } from '../home/json-fields.js'
import { COMMITMENT_FILE, commitmentOf, readNextCommitment } from './next-commitment.js'
import type { EntryRequest, MoveRequest, SigningRequest } from './signing-request.js'

const FORMAT = { format: 'diad-made-requests', version: 1 }
const NO_EPOCH = -1

/** `reference` = what the roots were asked to sign; of a genesis that is the domain, and `name` what it shall be called here. `file`: where it was written. */
/** `to`: where a move goes (M8), of which there is no epoch: -1. */
interface Made extends MadeFor { readonly domain: Reference, readonly epoch: number, readonly reference: Reference, readonly to?: Reference | undefined }
interface MadeFor { readonly name?: string | undefined, readonly file?: string | undefined }

const fileOf = (home: Home): string => join(home.paths.root, 'made-requests.json')

/** Throws DiadError `request-refused` where the file is damaged: then nothing shows any more what went out. */
function readMade (home: Home): Made[] {
  const path = fileOf(home)
  try {
    const fields = fieldsIn(FORMAT, readFileSync(path, 'utf8'))
    const requests = fields.get('requests')
    if (!Array.isArray(requests)) throw new MalformedError(`it is not ${FORMAT.format}, version ${FORMAT.version}`)
    return (requests as Made[]).map(({ domain, epoch, reference, to, name, file }) => ({ domain, epoch, reference, ...(typeof to === 'string' ? { to } : {}), ...(typeof name === 'string' ? { name } : {}), ...(typeof file === 'string' ? { file } : {}) }))
  } catch (err) {
    if (errorCode(err) === 'ENOENT') return []
    throw new DiadError('request-refused', `${path} is damaged, so it can't be told whether this request was made here`, 'remove it and make the request anew', { cause: err })
  }
}

/** To be called before the request leaves. `name`: the petname that a domain to be founded was given. */
export function rememberRequest (home: Home, request: SigningRequest, { name, file }: MadeFor): void {
  const all = readMade(home)
  const { domain, ref } = request
  if (all.some((m) => m.reference === ref)) return
  const about = request.purpose === 'root-entry' ? { epoch: request.entry.epoch } : { epoch: NO_EPOCH, to: request.move.to }
  const requests = [...all, { domain, ...about, reference: ref, name, file }]
  replaceFile(fileOf(home), textIn(FORMAT, { requests }))
}

/** Of a home without a domain: the one that it is about to found, as long as its roots haven't signed, and where its request was written. */
export function openFounding (home: Home): { readonly domain: Reference, readonly file: string | undefined } | undefined {
  if (home.domain !== undefined) return undefined
  try {
    const made = readMade(home).findLast((m) => m.epoch === 0)
    return made && { domain: made.domain, file: made.file }
  } catch (err) {
    // `init --finish` says so; whoever only asks how things stand shall get an answer.
    if (err instanceof DiadError) return undefined
    throw err
  }
}

/** What stands between this home and its domain; undefined where nothing was begun. */
export function foundingHint (home: Home): string | undefined {
  const founding = openFounding(home)
  const file = founding?.file ?? 'FILE'
  return founding && `its domain waits for signatures of its roots: \`diad sign --request ${file} --key KEY --yes\`, then here \`diad init --finish ${file}\``
}

/** A second domain in a home that is about to found one would take its keys. Throws DiadError `domain-exists`. */
export function demandNoFounding (home: Home): void {
  const hint = foundingHint(home)
  if (hint === undefined) return
  throw new DiadError('domain-exists', `the home ${home.paths.root} waits for its founding already`, `${hint}. To give that draft up: remove ${fileOf(home)}, and move ${home.paths.keys} and ${home.paths.offline} away`)
}

/** The petname that it was drafted with. Throws DiadError `request-refused` for a genesis that this home didn't draft. */
export function demandOwnGenesis (home: Home, request: SigningRequest): string | undefined {
  const made = readMade(home).find((m) => m.reference === request.ref)
  if (made !== undefined) return made.name
  throw new DiadError('request-refused', 'this is not the genesis that `diad init` drafted in this home: somebody changed it on the way, or it is another home\'s', 'take the file that this home wrote, and ask who carried it; its DomainID must be the one that `diad init` said')
}

/**
 * What comes back for an epoch is what went out for it. `elsewhere`: the person says that another machine made it. A rotation that no record vouches for
 * has to commit to what the next-commitment.json at `commitment` opens. Returns what to compare by eye. Throws DiadError `request-refused`,
 * `commitment-mismatch`, and what reading the commitment throws.
 */
export function checkCameBack (home: Home, request: EntryRequest, now: Hash | undefined, { elsewhere = false, commitment }: { readonly elsewhere?: boolean, readonly commitment?: string }): string | undefined {
  const { domain, entry, ref } = request
  const made = readMade(home).filter((m) => m.domain === domain && m.epoch === entry.epoch)
  if (made.some((m) => m.reference === ref)) return undefined
  if (made.length > 0 && !elsewhere) {
    throw new DiadError('request-refused', `this home made another request for epoch ${entry.epoch} than this one: somebody changed it on the way`, 'look at its summary with `diad sign --request FILE`; if another machine made it on purpose: add --elsewhere')
  }
  if (entry.next_commitment === now) return undefined
  const path = commitment ?? join(home.paths.offline, COMMITMENT_FILE)
  const next = commitment !== undefined || existsSync(path) ? readNextCommitment(path) : undefined
  if (next !== undefined && next.domain === domain && commitmentOf(next) === entry.next_commitment) return undefined
  // The one in offline/ may be that of an earlier rotation, used up since, so it can't speak against this one.
  if (commitment !== undefined) {
    throw new DiadError('commitment-mismatch', `this request commits the domain to next roots that ${path} doesn't open`, 'whoever brings it into force gives the domain to somebody else: have it made anew')
  }
  return `this home didn't make this request. It commits the domain to ${entry.next_commitment}: go on only if the machine that made it said the same (--commitment FILE compares it)`
}

/** The same of a move: whoever carries it can name another domain, his own. Returns what to compare by eye. Throws DiadError `request-refused`. */
export function checkMoveCameBack (home: Home, { domain, ref, move }: MoveRequest, elsewhere: boolean): string | undefined {
  const made = readMade(home).filter((m) => m.domain === domain && m.to !== undefined)
  if (made.some((m) => m.reference === ref)) return undefined
  const [other] = made.filter((m) => m.to !== move.to)
  if (other?.to !== undefined && !elsewhere) {
    throw new DiadError('request-refused', `this home asked for a move to ${domainText(other.to)}, and this one names ${domainText(move.to)}: somebody changed it on the way`, 'look at its summary with `diad sign --request FILE`; if another machine made it on purpose: add --elsewhere')
  }
  return made.length > 0 ? undefined : `this home didn't make this request: go on only if ${domainText(move.to)} is what the other domain's own machine shows as its DomainID`
}
