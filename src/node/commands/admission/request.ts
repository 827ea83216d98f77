/** `diad admit nonce` and `diad admit request`: what the receiver hands out, and what comes back (D1). */
import { randomBytes } from 'node:crypto'
import { type AdmissionRequest, admissionRequestCodec, normalScope } from '../../../authority/admission-objects.js'
import { DiadError, MalformedError } from '../../../substrate/errors.js'
import { signArtifact } from '../../../substrate/signature.js'
import { pathFault } from '../../../publication/names.js'
import { readNonceFile, writeNonceFile, writeRequestFile } from '../../admission/files.js'
import { addNonce } from '../../admission/nonces.js'
import { checkRootKey, rootKeySigner } from '../../authority.js'
import type { CommandIo } from '../../command.js'
import { type Context, domainOf, ownDomain } from '../context.js'
import type { AdmissionArgs, AdmissionResults } from './types.js'

export async function admitNonce (context: Context, args: AdmissionArgs['admit nonce'], _io: CommandIo): Promise<AdmissionResults['admit nonce']> {
  const receiver = ownDomain(context)
  const nonce = randomBytes(32).toString('hex')
  // Remembered first: one that is out and not remembered would be worth nothing.
  addNonce(context.home, nonce)
  writeNonceFile(args.out, { receiver, nonce })
  return { receiver, nonce, out: args.out }
}

export async function admitRequest (context: Context, args: AdmissionArgs['admit request'], io: CommandIo): Promise<AdmissionResults['admit request']> {
  const applicant = ownDomain(context)
  const { receiver, nonce } = readNonceFile(args.nonce)
  if (domainOf(context, args.to) !== receiver) throw new DiadError('request-invalid', 'the nonce was handed out by another domain than the one that --to names', 'ask the receiver for a nonce of its own')
  if (receiver === applicant) throw new DiadError('request-invalid', 'a domain needs no admission to its own view', '')
  const scope = checkedScope(args.scope)
  const k = await context.runtime.knowledge(applicant)
  const authority = k.authority()
  const tip = authority.onChain.at(-1)
  if (tip === undefined || authority.state !== 'ok') throw new DiadError('no-manifest', `this domain can't ask for anything now: ${authority.stateText}`, 'see `diad doctor`')
  const signer = await rootKeySigner(context, io, args.key)
  checkRootKey(signer, tip.manifest.root_key)
  const request: AdmissionRequest = { applicant, root_entry: tip.manifest.root_entry, manifest: tip.ref, requested_scope: scope, receiver, nonce }
  const ref = admissionRequestCodec.reference(request)
  writeRequestFile(args.out, request, await signArtifact(signer, 'admission-request', ref), k)
  return { applicant, receiver, request: ref, scope, manifest: tip.ref, out: args.out }
}

/** Prefixes as a person gives them; '' and `/` = the whole domain. Throws `MalformedError`. */
export function checkedScope (prefixes: readonly string[]): string[] {
  const plain = prefixes.map((p) => p.replace(/\/+$/, ''))
  for (const p of plain) {
    const fault = p === '' ? undefined : pathFault(p)
    if (fault !== undefined) throw new MalformedError(`"${p}" can't be a prefix of names: ${fault}`)
  }
  return normalScope(plain)
}
