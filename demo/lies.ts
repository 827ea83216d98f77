/**
 * What a lying node says. She has the domain's true control objects, as of some earlier time, and no key of the domain. Everything she can do is here:
 * withhold what is newer, invent a head, answer with other bytes.
 */
import { generateKeyPairSync } from 'node:crypto'
import type { DomainKnowledge } from '../src/authority/knowledge.js'
import { helloWire, type SyncAnswer, type SyncRequest } from '../src/federation/messages.js'
import { answer } from '../src/federation/serve-sync.js'
import { createSigner } from '../src/node/keys/signer.js'
import { type Snapshot, snapshotCodec } from '../src/publication/lane.js'
import { encodeArtifact, referenceOfArtifactBytes } from '../src/substrate/artifact.js'
import { toHex, utf8 } from '../src/substrate/bytes.js'
import { sha256Bytes } from '../src/substrate/hasher.js'
import { type Hash, type Reference, referenceBytes } from '../src/substrate/reference.js'

import { signArtifact } from '../src/substrate/signature.js'
export interface Lies {
  /** the head that she shows as the newest: true, and old */
  readonly oldHead: Reference
  /** the head that she made up */
  readonly forgedHead: Reference
  readonly hello: Uint8Array
  /** for every block that anybody asks for */
  readonly otherBytes: Uint8Array
  readonly answer: (request: SyncRequest) => SyncAnswer
}

/** Lies about the domain that `held` knows truly. Throws when nothing is known of it that could be twisted. */
export async function tell (held: DomainKnowledge): Promise<Lies> {
  const head = [...held.view().lanes.values()].find((v) => v.branch !== undefined)?.branch?.head
  if (head === undefined) throw new Error('no head of the domain is held')

  // As if the publisher had gone on. All of it is well-formed, and the signature is a valid one of a key that has no say here.
  const snapshot: Snapshot = {
    lane: head.snapshot.lane,
    log_size: head.snapshot.log_size + 1000,
    log_root: toHex(sha256Bytes(utf8('a log that nobody ever wrote'))) as Hash,
    logseq: head.snapshot.logseq + 1000
  }
  const forgedHead = snapshotCodec.reference(snapshot)
  const mine = createSigner(generateKeyPairSync('ed25519').privateKey)
  const forged = new Map<Reference, Uint8Array>()
  for (const artifact of [snapshotCodec.artifact(snapshot), await signArtifact(mine, 'snapshot', forgedHead)]) {
    const bytes = encodeArtifact(artifact)
    forged.set(referenceOfArtifactBytes(bytes), bytes)
  }
  const refs = [...held.inventory(), ...forged.keys()].sort()
  const digest = toHex(sha256Bytes(...refs.map(referenceBytes))) as Hash
  return {
    oldHead: head.ref,
    forgedHead,
    hello: helloWire.encode({ t: 'hello', version: 1, agent: 'diad/0.1.0', domains: [{ domain: held.domain, digest }] }),
    otherBytes: encodeArtifact({ typeTag: undefined, payload: utf8('not what you asked for') }),
    answer (request) {
      const honest = answer(request.domain === held.domain ? held : undefined, request)
      if (request.domain !== held.domain) return honest
      if (request.t === 'inventory') return { t: 'inventory-answer', id: request.id, status: 'held', digest, refs, more: false }
      if (honest.t !== 'objects-answer' || request.t !== 'objects') return honest
      const lies = request.refs.flatMap((r) => forged.get(r) ?? [])
      return { ...honest, artifacts: [...honest.artifacts, ...lies] }
    }
  }
}
