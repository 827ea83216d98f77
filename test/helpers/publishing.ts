/** An owner at work on an engine: publishing, erasing, anchoring. */
import type { DomainKnowledge } from '../../src/authority/knowledge.js'
import { appendRecord } from '../../src/federation/append.js'
import type { Engine } from '../../src/federation/engine.js'
import { unpersistedOps } from '../../src/federation/ledger.js'
import { publishContent } from '../../src/federation/publish.js'
import { treeCodec } from '../../src/publication/tree.js'
import { utf8 } from '../../src/substrate/bytes.js'
import type { Reference } from '../../src/substrate/reference.js'
import { type TestDomain, type TestKey, testSigner } from './authority-fixtures.js'
import { tended } from './engines.js'

export interface Published { readonly root: Reference, readonly files: Reference[], readonly index: number, readonly lane: Reference }

/** A directory of files with these texts, which are their names too. */
export async function publishTexts (engine: Engine, k: DomainKnowledge, key: TestKey, name: string, ...texts: string[]): Promise<Published> {
  const { blocks } = engine.ports
  const files: Reference[] = []
  const { content, head } = await publishContent(engine, k, testSigner(key), name, async (onBlock) => {
    const entries = []
    for (const t of [...texts].sort()) {
      const ref = await blocks.put(undefined, utf8(t))
      files.push(ref)
      onBlock(ref)
      entries.push({ kind: 'file' as const, name: t, mode: 0o644, size: utf8(t).length, ref })
    }
    const tree = treeCodec.artifact({ level: 0, entries })
    const ref = await blocks.put(tree.typeTag, tree.payload)
    onBlock(ref)
    return { ref, mode: 0o755 }
  })
  await tended(engine)
  return { root: content.ref, files, lane: head.lane, index: (k.lanes.get(head.lane)?.held ?? 0) - 1 }
}

export async function erasePublished (engine: Engine, k: DomainKnowledge, key: TestKey, p: Published): Promise<void> {
  const leafHash = k.lanes.get(p.lane)?.branches[0]?.log.leafHash(p.index)
  if (leafHash === undefined) throw new Error('no such leaf')
  await appendRecord(engine, k, testSigner(key), { kind: 'erase', lane: p.lane, index: p.index, leaf_hash: leafHash })
  await tended(engine)
}

/** As a pull would bring it. */
export async function bringAuthority (engine: Engine, k: DomainKnowledge, items: ReturnType<TestDomain['manifest']>['items']): Promise<void> {
  for (const { artifact } of items) k.admit(artifact)
  await engine.commit(unpersistedOps(k))
  engine.upkeep.start(k)
  await tended(engine)
}

/** A manifest that anchors the lane where it ends now. */
export async function anchorLane (engine: Engine, k: DomainKnowledge, domain: TestDomain, lane: Reference): Promise<void> {
  const snapshot = k.lanes.get(lane)?.branches[0]?.head.ref as Reference
  await bringAuthority(engine, k, domain.manifest({ cuts: [{ lane, snapshot, ends: false }] }).items)
}
