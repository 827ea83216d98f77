/** Publishing a path: content into blocks, then one leaf and one signed head (federation/append.ts). */
import type { DomainKnowledge } from '../authority/knowledge.js'
import { appendRecord, checkMayAppend, rightsOf } from '../federation/append.js'
import { wholeOp } from '../federation/ledger.js'
import type { Reference } from '../substrate/reference.js'
import type { Signer } from '../substrate/signature.js'
import { importPath, type ImportOptions } from './files/import.js'
import type { Runtime } from './runtime.js'

export interface Published {
  readonly domain: Reference
  readonly lane: Reference
  readonly snapshot: Reference
  readonly ref: Reference
  readonly name: string
  readonly records: number
  readonly files: number
  readonly blocks: number
  readonly bytes: number
}

/** Imports `path` and publishes it under `name`. On any failure nothing is published; imported blocks stay as unreachable, internal bytes. */
export async function publishPath (runtime: Runtime, k: DomainKnowledge, signer: Signer, path: string, name: string, options: Pick<ImportOptions, 'signal' | 'onProgress'>): Promise<Published> {
  const { domain } = k
  checkMayAppend(k, signer.publicKey, { kind: 'publish', name, ref: domain, mode: 0 })
  // V1: what no federate key exports yet isn't held for anybody but us.
  const exported = rightsOf(k, signer.publicKey).rights.principal.roles.includes('federate')
  const { blocks, audience } = runtime.store
  const { generation, op } = audience.begin(domain)
  blocks.enqueue(op)
  const imported = await importPath(path, blocks, {
    ...options,
    onBlock (ref) {
      const mark = audience.mark(domain, ref, generation)
      if (mark !== undefined) blocks.enqueue(mark)
    }
  })
  options.signal?.throwIfAborted()
  const body = { kind: 'publish' as const, name, ref: imported.ref, mode: imported.mode }
  const { lane, snapshot, records } = await appendRecord(runtime, k, signer, body, () => [...exported ? [audience.commitOp(domain, generation)] : [], wholeOp(domain, imported.ref)])
  return { domain, lane, snapshot, records, ref: imported.ref, name, files: imported.files, blocks: imported.blocks, bytes: imported.bytes }
}
