/**
 * Signature artifacts and, in this one file, every byte layout that is ever signed. message = DSSE pre-authentication encoding of
 * (payload type, ReferenceBytes of the target). Source: RULES T1, protocols/substrate.md S-5.
 */
import type { Artifact } from './artifact.js'
import { concatBytes, fromHex, toHex, utf8 } from './bytes.js'
import { artifactCodec } from './codec.js'
import { recalled } from './recall.js'
import { type PublicKey, type Reference, REFERENCE_LENGTH, referenceBytes } from './reference.js'
import { hex, oneOf, publicKey, ref, struct, type TypeOf } from './shape.js'
import { TAG } from './type-tags.js'
import { verifySignature } from './verifier.js'

export const PURPOSES = ['root-entry', 'manifest', 'snapshot', 'per', 'head-answer', 'admission-request', 'drill', 'domain-moved'] as const
export type Purpose = typeof PURPOSES[number]

const shape = struct({ target: ref, purpose: oneOf(...PURPOSES), public_key: publicKey, signature: hex(64) })
export type Signature = TypeOf<typeof shape>
export const signatureCodec = artifactCodec(TAG.signature, 'Signature', shape)

/** Signs messages with one private key, wherever that key lives (file, agent, token). */
export interface Signer {
  readonly publicKey: PublicKey
  /** 64 bytes of Ed25519 over exactly `message`. */
  sign: (message: Uint8Array) => Promise<Uint8Array>
}

/** The exact bytes that are signed. */
export function signedMessage (purpose: Purpose, target: Reference): Uint8Array {
  const type = `application/vnd.diad.${purpose}.v1`
  return concatBytes(utf8(`DSSEv1 ${type.length} ${type} ${REFERENCE_LENGTH} `), referenceBytes(target))
}

/** `target` signed by `signer` for one purpose. */
export async function signArtifact (signer: Signer, purpose: Purpose, target: Reference): Promise<Artifact> {
  const signature = toHex(await signer.sign(signedMessage(purpose, target)))
  return signatureCodec.artifact({ target, purpose, public_key: signer.publicKey, signature })
}

/** Whether `s` is a valid signature by its own key over its own target and purpose. */
export const signatureHolds: (s: Signature) => boolean = recalled((s) => verifySignature(s.public_key, signedMessage(s.purpose, s.target), fromHex(s.signature)))
