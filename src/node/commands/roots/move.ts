/**
 * `diad root move --to DOMAIN`: the offline roots say that the domain goes on as another one. The way out when the next root keys are lost (M8): nothing is
 * changed by it, followers are told, and each accepts it by hand (`diad follow NEW --moved-from OLD`).
 */
import { unpersistedOps } from '../../../federation/ledger.js'
import { domainText } from '../../../substrate/domain-id.js'
import { DiadError } from '../../../substrate/errors.js'
import type { CommandIo } from '../../command.js'
import { checkMoveCameBack, rememberRequest } from '../../roots/made-requests.js'
import type { RootNames } from '../../roots/root-names.js'
import { artifactsOf, type MoveRequest, newMoveRequest } from '../../roots/signing-request.js'
import { type Context, domainOf, inTurn } from '../context.js'
import { rootsDomain } from './new-epoch.js'
import { demandComplete, demandFree, namesIn, rootDirectories, rootNames, signAtHand, writeRequest } from './root-signers.js'
import type { MoveResult, RootsArgs } from './types.js'

/** Throws DiadError `usage`, `unknown-domain`, `not-confirmed`, `signature-missing`, and what finding, opening and writing throw. */
export async function rootMove (context: Context, args: RootsArgs['root move'], io: CommandIo): Promise<MoveResult> {
  demandFree(args.request)
  return await inTurn(context, async () => {
    const k = await rootsDomain(context, args.domain)
    const to = domainOf(context, args.to)
    if (to === k.domain) throw new DiadError('usage', 'a domain can\'t move to itself', 'name the DomainID that it goes on as')
    const last = k.authority().rootChain.entries.at(-1)
    if (last === undefined) throw new DiadError('unknown-domain', 'nothing of this domain\'s roots is held here', 'sync the domain first')
    const asked = newMoveRequest(k, { domain_id: k.domain, root_entry: last.ref, to })
    const directories = rootDirectories(context, args)
    const names = rootNames(context.home.paths.root, directories, args.keys)
    const others = k.authority().moves.filter((m) => m.move.to !== to)
    if (others.length > 0) io.warn(`its roots have named ${others.map((m) => domainText(m.move.to)).join(', ')} already: with one more, its followers are told to trust neither`)
    // What only goes out unsigned is read by whoever signs it.
    if (!args.yes && (args.request === undefined || directories.length + args.keys.length > 0)) {
      for (const line of asked.summary) io.warn(line)
      throw new DiadError('not-confirmed', `this tells every follower that the domain goes on as ${domainText(to)}`, 'nothing was signed; compare that DomainID, all of it, then say --yes')
    }
    const request = await signAtHand(asked, directories, args.keys, io)
    if (args.request !== undefined) {
      rememberRequest(context.home, request, { file: args.request })
      writeRequest(args.request, request)
      return moveResult(request, names, args.request, false)
    }
    demandComplete(request, names)
    await count(context, io, request)
    return moveResult(request, names, null, true)
  })
}

/** A request that came back, signed. To be called in turn. Throws DiadError `request-refused`, `unknown-domain`, and the verdict's code where it can't count. */
export async function moveBack (context: Context, io: CommandIo, request: MoveRequest, names: RootNames, args: RootsArgs['root apply']): Promise<MoveResult> {
  const compare = checkMoveCameBack(context.home, request, args.elsewhere === true)
  if (compare !== undefined) io.warn(compare)
  await count(context, io, request)
  return moveResult(request, names, args.request, true)
}

function moveResult (r: MoveRequest, names: RootNames, file: string | null, done: boolean): MoveResult {
  return {
    domain: r.domain,
    to: r.move.to,
    move: r.ref,
    epoch: r.epoch,
    summary: [...r.summary],
    signed: r.signatures.map((s) => s.public_key),
    threshold: r.rootSet.threshold,
    request: file,
    done,
    names: namesIn(r, names)
  }
}

/** Durable before anybody hears of it; twice does no harm. */
async function count (context: Context, io: CommandIo, request: MoveRequest): Promise<void> {
  const { runtime } = context
  if (!runtime.records.has(request.domain)) throw new DiadError('unknown-domain', 'this home doesn\'t hold the domain of this request', 'run this in the domain\'s home, or `diad follow` it first')
  const k = await runtime.wake(request.domain)
  try {
    // Other machines may know more of the domain than this one.
    for (const artifact of artifactsOf(request)) k.admit(artifact)
    const authority = k.authority()
    const verdict = authority.verdictOf(request.ref)
    if (verdict.status !== 'accepted') throw new DiadError(verdict.code, `this move doesn't count: ${verdict.checks.at(-1)?.text ?? verdict.code}`, 'see `diad root show`; the roots in force have to sign it anew')
    if (!authority.moves.some((m) => m.move.to === request.move.to)) io.warn(`its roots have named ${authority.moves.length} other domains, and no more are kept: followers won't hear of this one`)
    await runtime.durable(async () => { await runtime.commit(unpersistedOps(k)) })
  } catch (err) {
    // Memory may be ahead of the disk now; the disk is the truth.
    runtime.forget(k.domain)
    runtime.step({ type: 'unfollow', domain: k.domain })
    await runtime.wake(request.domain).catch(() => undefined)
    throw err
  }
}
