/** `diad root renew`: another root_key, another policy, another base, under the same roots (M5). */
import { renewEntry } from '../../../authority/renew.js'
import type { CommandIo } from '../../command.js'
import { newRequest } from '../../roots/signing-request.js'
import { type Context, inTurn } from '../context.js'
import { demandBranch, goingBack } from './base-choice.js'
import { signOrAsk } from './establish.js'
import { checkMayGoOn, demandHomeFor, epochFrom, rootsDomain } from './new-epoch.js'
import type { EpochResult, RootsArgs } from './types.js'

export async function rootRenew (context: Context, args: RootsArgs['root renew'], io: CommandIo): Promise<EpochResult> {
  return await inTurn(context, async () => {
    const k = await rootsDomain(context, args.domain)
    if (args.rootKey === 'new') demandHomeFor(context, k.domain)
    demandBranch(context, k, args.base, args.yes === true, io)
    goingBack(context, k, args.base, args.yes === true, io)()
    await checkMayGoOn(context, k, args, io)
    const entry = renewEntry(k, await epochFrom(context, k, args, io))
    return (await signOrAsk(context, io, newRequest(k, entry), args)).result
  })
}
