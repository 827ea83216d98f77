/** Publishing content: its blocks, then one leaf and one signed head (append.ts). */
import type { DomainKnowledge } from '../authority/knowledge.js'
import type { Reference } from '../substrate/reference.js'
import type { Signer } from '../substrate/signature.js'
import { HELD_BACK } from './audience.js'
import { appendRecord, type Appended, checkMayAppend, rightsOf } from './append.js'
import type { Engine } from './engine.js'
import { wholeOp } from './ledger.js'

export interface Content {
  readonly ref: Reference
  readonly mode: number
}

/**
 * Publishes under `name` what `write` puts into the store; `write` calls `onBlock` for each block of it, whether or not it was there before. On any
 * failure nothing is published; blocks that were put stay as unreachable, internal bytes.
 */
export async function publishContent<T extends Content> (engine: Engine, k: DomainKnowledge, signer: Signer, name: string, write: (onBlock: (ref: Reference) => void) => Promise<T>): Promise<{ content: T, head: Appended }> {
  const { domain } = k
  checkMayAppend(k, signer.publicKey, { kind: 'publish', name, ref: domain, mode: 0 })
  return await engine.gate.together(domain, async () => {
    const { blocks, audience } = engine.ports
    // V1: what no federate key exports yet isn't held for anybody but us, until one vouches for it (upkeep.ts).
    const exporting = rightsOf(k, signer.publicKey).rights.principal.roles.includes('federate') ? audience.begin(domain) : undefined
    if (exporting !== undefined) blocks.enqueue(exporting.op)
    const generation = exporting?.generation ?? HELD_BACK
    const content = await write((ref) => {
      const mark = audience.mark(domain, ref, generation)
      if (mark !== undefined) blocks.enqueue(mark)
    })
    const body = { kind: 'publish' as const, name, ref: content.ref, mode: content.mode }
    const head = await appendRecord(engine, k, signer, body, () => [...exporting === undefined ? [] : [audience.commitOp(domain, generation)], wholeOp(domain, content.ref)])
    return { content, head }
  })
}
