/** Publishing a path of this machine. */
import type { DomainKnowledge } from '../authority/knowledge.js'
import { publishContent } from '../federation/publish.js'
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
  const { content, head } = await publishContent(runtime, k, signer, name, async (onBlock) => {
    const imported = await importPath(path, runtime.store.blocks, { ...options, onBlock })
    options.signal?.throwIfAborted()
    return imported
  })
  const { lane, snapshot, records } = head
  const { ref, files, blocks, bytes } = content
  return { domain: k.domain, lane, snapshot, records, ref, name, files, blocks, bytes }
}
