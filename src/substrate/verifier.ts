/**
 * The one verification rule (THREATS 9): exactly @noble/ed25519 with `zip215: false`. A and R canonical, A not of small order, s < L, cofactored
 * equation. Pinned by protocols/vectors/ed25519/. A node may hand in a faster `Verifier` whose yes implies this rule's yes.
 */
import * as ed from '@noble/ed25519'
import { sha512 } from '@noble/hashes/sha2.js'
import { fromHex } from './bytes.js'
import type { PublicKey } from './reference.js'

ed.hashes.sha512 = sha512

export interface Verifier {
  /** Whether `signature` (64 bytes) over `message` is valid under the rule. Never throws. */
  verify: (key: PublicKey, message: Uint8Array, signature: Uint8Array) => boolean
}

export const nobleVerifier: Verifier = {
  verify (key, message, signature) {
    try {
      return ed.verify(signature, message, fromHex(key), { zip215: false })
    } catch {
      return false
    }
  }
}

let current: Verifier = nobleVerifier

/** Floor 6 calls this once at start with its native fast path; verification is pure, so which one computes it can never show in a verdict. */
export function useVerifier (v: Verifier): void {
  current = v
}

export function verifySignature (key: PublicKey, message: Uint8Array, signature: Uint8Array): boolean {
  return signature.length === 64 && current.verify(key, message, signature)
}

/** Whether `key` may stand in an object at all: canonical, on the curve, not of small order. */
export function isAdmissibleKey (key: PublicKey): boolean {
  try {
    const point = ed.Point.fromHex(key, false)
    return !point.isSmallOrder()
  } catch {
    return false
  }
}
