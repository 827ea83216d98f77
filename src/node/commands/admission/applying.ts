/** The applicant's side of a request: what it says, and the key that signs it, whichever way it travels (D1). */
import { type Brought, objectsOf, readBrought } from '../../../authority/admission-brought.js'
import { type AdmissionRequest, admissionRequestCodec, normalScope } from '../../../authority/admission-objects.js'
import { pathFault } from '../../../publication/names.js'
import { DiadError, MalformedError } from '../../../substrate/errors.js'
import type { Reference } from '../../../substrate/reference.js'
import { signArtifact } from '../../../substrate/signature.js'
import { checkRootKey, rootKeySigner } from '../../authority.js'
import type { CommandIo } from '../../command.js'
import { type Context, ownDomain } from '../context.js'

export interface Applying {
  /** what every answer to the person says */
  readonly said: { applicant: Reference, receiver: Reference, scope: string[], manifest: Reference }
  sign: (nonce: string) => Promise<Brought>
  close: () => void
}

/** Opens root_key first: nobody is asked for anything that couldn't be signed. Throws DiadError `request-invalid`, `no-manifest`, and what the key's opening throws. */
export async function openApplying (context: Context, receiver: Reference, args: { scope: string[], key?: string }, io: CommandIo): Promise<Applying> {
  const applicant = ownDomain(context)
  if (receiver === applicant) throw new DiadError('request-invalid', 'a domain needs no admission to its own view', '')
  const scope = checkedScope(args.scope)
  const k = await context.runtime.knowledge(applicant)
  const authority = k.authority()
  const tip = authority.onChain.at(-1)
  if (tip === undefined || authority.state !== 'ok') throw new DiadError('no-manifest', `this domain can't ask for anything now: ${authority.stateText}`, 'see `diad doctor`')
  const signer = await rootKeySigner(context, io, args.key)
  try {
    checkRootKey(signer, tip.manifest.root_key)
  } catch (err) {
    signer.close()
    throw err
  }
  return {
    said: { applicant, receiver, scope, manifest: tip.ref },
    sign: async (nonce) => {
      const request: AdmissionRequest = { applicant, root_entry: tip.manifest.root_entry, manifest: tip.ref, requested_scope: scope, receiver, nonce }
      return readBrought(admissionRequestCodec.artifact(request), await signArtifact(signer, 'admission-request', admissionRequestCodec.reference(request)), objectsOf(k))
    },
    close: () => { signer.close() }
  }
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
