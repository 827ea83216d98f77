/** Publishing a path of this machine. */
import type { DomainKnowledge } from '../authority/knowledge.js'
import { visiblePrefixes } from '../authority/lane-reach.js'
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
  /** A2: whether it counts in the domain, and for everybody, without somebody else's vouch */
  readonly visible: boolean
  readonly exported: boolean
}

/** Imports `path` and publishes it under `name`. On any failure nothing is published; imported blocks stay as unreachable, internal bytes. */
export async function publishPath (runtime: Runtime, k: DomainKnowledge, signer: Signer, path: string, name: string, options: Pick<ImportOptions, 'signal' | 'onProgress' | 'allowKeys' | 'passphrase'>): Promise<Published> {
  const { content, head } = await publishContent(runtime, k, signer, name, async (onBlock) => {
    const imported = await importPath(path, runtime.store.blocks, { ...options, onBlock })
    options.signal?.throwIfAborted()
    return imported
  })
  const { lane, snapshot, records } = head
  const { ref, files, blocks, bytes } = content
  return { domain: k.domain, lane, snapshot, records, ref, name, files, blocks, bytes, ...reachOf(k, lane, snapshot) }
}

/** A key that only proposes, or that nobody with `federate` vouches for, has published nothing that others see (A2). */
function reachOf (k: DomainKnowledge, lane: Reference, snapshot: Reference): Pick<Published, 'visible' | 'exported'> {
  const size = k.lanes.get(lane)?.heads.get(snapshot)?.snapshot.log_size ?? Infinity
  const exported = (k.view().lanes.get(lane)?.exported ?? 0) >= size
  return { visible: exported || (visiblePrefixes(k.viewAll()).get(lane) ?? 0) >= size, exported }
}
