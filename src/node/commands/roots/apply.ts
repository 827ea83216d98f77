/** `diad root apply REQUEST`: a signed root entry comes into force. */
import type { CommandIo } from '../../command.js'
import type { Context } from '../context.js'
import { epochResult, establish, inTurn } from './establish.js'
import { demandComplete, readRequest } from './root-signers.js'
import type { EpochResult, RootsArgs } from './types.js'

export async function rootApply (context: Context, args: RootsArgs['root apply'], io: CommandIo): Promise<EpochResult> {
  const request = readRequest(args.request)
  demandComplete(request, `pass it on: \`diad sign --request ${args.request} --key KEY --yes\``)
  return await inTurn(context, async () => {
    const { manifest, version } = await establish(context, io, request)
    return { ...epochResult(request), manifest, version, request: args.request }
  })
}
