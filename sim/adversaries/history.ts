/** One of several histories that a publisher tells of one lane: well-formed, well signed, and contradicted by the others. */
import type { DomainKnowledge } from '../../src/authority/knowledge.js'
import { type Lane, laneCodec, type Snapshot, snapshotCodec } from '../../src/publication/lane.js'
import { encodeLeaf, LEAF_BYTES, type NewLeaf, readLeaf } from '../../src/publication/leaf.js'
import { LeafLog } from '../../src/publication/leaf-log.js'
import { signArtifact, type Signer, signatureCodec } from '../../src/substrate/signature.js'
import { knowledgeOf, type SimDomain } from '../world/domains.js'

export class History {
  /** what a node holds that was told this history only */
  readonly k: DomainKnowledge
  private readonly log = new LeafLog()
  private readonly bodies: Array<Uint8Array | undefined> = []

  constructor (private readonly domain: SimDomain, private readonly signer: Signer, readonly lane: Lane) {
    this.k = knowledgeOf(domain)
    this.k.admit(laneCodec.artifact(lane))
  }

  get size (): number {
    return this.log.size
  }

  get logseq (): number {
    return this.size === 0 ? 0 : readLeaf(this.log.leaf(this.size - 1))?.logseq ?? 0
  }

  /** Another history with the same first `size` leaves. */
  fork (size: number): History {
    const other = new History(this.domain, this.signer, this.lane)
    other.log.append(this.log.leaves(0, size))
    other.bodies.push(...this.bodies.slice(0, size))
    return other
  }

  /** Appends a leaf and signs the new head. */
  async add ({ leaf, body }: NewLeaf): Promise<void> {
    this.log.append(encodeLeaf(leaf))
    this.bodies.push(body)
    const { size } = this
    const snapshot: Snapshot = { lane: laneCodec.reference(this.lane), log_size: size, log_root: this.log.root(), logseq: leaf.logseq }
    const held = this.k.lanes.get(snapshot.lane)!
    const before = held.branches[0]?.log.size ?? 0
    const head = held.head(snapshot, signatureCodec.from(await signArtifact(this.signer, 'snapshot', snapshotCodec.reference(snapshot))))
    if (head === 'bad-signature') throw new Error('a history signs with a key that isn\'t its lane\'s')
    const leaves = this.log.leaves(before, size)
    const grown = held.extend(head, before, leaves, held.branches[0])
    if (grown.result !== 'extended') throw new Error(`a history can't be told further: ${grown.result} at ${leaves.length / LEAF_BYTES} leaves`)
    for (let i = before; i < size; i++) {
      const bytes = this.bodies[i]
      if (bytes !== undefined) held.addBody(grown.branch, i, bytes)
    }
    this.k.touch()
  }
}
