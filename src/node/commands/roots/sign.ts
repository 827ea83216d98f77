/** `diad sign`: one signature more in a request. Knows of no home: it runs on a machine that has nothing but a key. */
import { openSigner } from '../../keys/open-signer.js'
import type { CommandIo } from '../../command.js'
import { DiadError } from '../../../substrate/errors.js'
import { isComplete, outstanding, signRequest, type SigningRequest } from '../../roots/signing-request.js'
import { readRequest, writeRequest } from './root-signers.js'
import type { RootsArgs, RootsResults } from './types.js'

/** Without `yes` it only shows what would be signed. */
export async function sign (_context: unknown, args: RootsArgs['sign'], io: CommandIo): Promise<RootsResults['sign']> {
  const request = readRequest(args.request)
  if (!args.yes) return resultOf(request, args.request, false)
  if (args.key === undefined) throw new DiadError('usage', 'no key to sign with', 'name it with --key')
  const signer = await openSigner(args.key, io.passphrase ?? { kind: 'none' }, { signal: io.signal })
  try {
    const signed = await signRequest(request, signer)
    writeRequest(args.request, signed, true)
    return resultOf(signed, args.request, true)
  } finally {
    signer.close()
  }
}

function resultOf (r: SigningRequest, file: string, wrote: boolean): RootsResults['sign'] {
  return {
    domain: r.domain,
    entry: r.ref,
    summary: [...r.summary],
    signed: r.signatures.map((s) => s.public_key),
    outstanding: outstanding(r),
    threshold: r.rootSet.threshold,
    complete: isComplete(r),
    wrote,
    file
  }
}
