/** `diad root apply REQUEST`: a signed root entry comes into force, or a move begins to count. */
import { dirname } from 'node:path'
import type { CommandIo } from '../../command.js'
import { checkCameBack } from '../../roots/made-requests.js'
import { type Context, inTurn } from '../context.js'
import { epochResult, establish } from './establish.js'
import { demandComplete, readRequest, rootNames, withPrincipals } from './root-signers.js'
import { moveBack } from './move.js'
import type { EpochResult, MoveResult, RootsArgs } from './types.js'

export async function rootApply (context: Context, args: RootsArgs['root apply'], io: CommandIo): Promise<EpochResult | MoveResult> {
  const request = readRequest(args.request)
  const names = rootNames(context.home.paths.root, [dirname(args.request)])
  demandComplete(request, names, `pass it on: \`diad sign --request ${args.request} --key KEY --yes\``)
  return await inTurn(context, async () => {
    if (request.purpose === 'domain-moved') return await moveBack(context, io, request, names, args)
    const k = context.runtime.records.has(request.domain) ? await context.runtime.knowledge(request.domain) : undefined
    const compare = k === undefined ? undefined : checkCameBack(context.home, request, k.authority().rootChain.entries.at(-1)?.entry.next_commitment, args)
    if (compare !== undefined) io.warn(compare)
    // M8: another home with the same root_key may have signed the first manifest of this epoch already.
    const { closed: _closed, ...put } = await establish(context, io, request, {}, { offline: args.offline === true, peers: args.peers ?? [] })
    return withPrincipals(context.home, { ...epochResult(request, names), ...put, request: args.request })
  })
}
