/** `diad admit nonce` and `diad admit request`: what the receiver hands out, and what comes back (D1). */
import { randomBytes } from 'node:crypto'
import { DiadError } from '../../../substrate/errors.js'
import { readNonceFile, writeNonceFile, writeRequestFile } from '../../admission/files.js'
import { addNonce } from '../../admission/nonces.js'
import type { CommandIo } from '../../command.js'
import { demandFree } from '../bundles/target.js'
import { type Context, domainOf, ownDomain } from '../context.js'
import { openApplying } from './applying.js'
import { requestOnline } from './request-online.js'
import type { AdmissionArgs, AdmissionResults } from './types.js'

export async function admitNonce (context: Context, args: AdmissionArgs['admit nonce'], _io: CommandIo): Promise<AdmissionResults['admit nonce']> {
  const receiver = ownDomain(context)
  demandFree(args.out)
  const nonce = randomBytes(32).toString('hex')
  // Remembered first: one that is out and not remembered would be worth nothing.
  addNonce(context.home, nonce)
  writeNonceFile(args.out, { receiver, nonce })
  return { receiver, nonce, out: args.out }
}

export async function admitRequest (context: Context, args: AdmissionArgs['admit request'], io: CommandIo): Promise<AdmissionResults['admit request']> {
  if ((args.nonce === undefined) !== (args.out === undefined)) throw new DiadError('usage', '--nonce and --out go together', 'give both to make a request as a file, or none to ask over the network')
  if (args.nonce !== undefined && (args.peers ?? []).length > 0) throw new DiadError('usage', '--peer and --nonce exclude each other', 'give --peer to ask over the network, or --nonce and --out to make a request as a file')
  const { nonce, out } = args
  return nonce === undefined || out === undefined ? await requestOnline(context, args, io) : await requestFile(context, { ...args, nonce, out }, io)
}

async function requestFile (context: Context, args: AdmissionArgs['admit request'] & { nonce: string, out: string }, io: CommandIo): Promise<AdmissionResults['admit request']> {
  demandFree(args.out)
  const { receiver, nonce } = readNonceFile(args.nonce)
  if (domainOf(context, args.to) !== receiver) throw new DiadError('request-invalid', 'the nonce was handed out by another domain than the one that --to names', 'ask the receiver for a nonce of its own')
  const applying = await openApplying(context, receiver, args, io)
  try {
    const brought = await applying.sign(nonce)
    writeRequestFile(args.out, brought)
    return { ...applying.said, request: brought.ref, out: args.out }
  } finally {
    applying.close()
  }
}
