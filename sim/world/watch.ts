/** What watches a run while it goes on: the living side of an invariant. */
import type { DomainKnowledge } from '../../src/authority/knowledge.js'
import type { Reference } from '../../src/substrate/reference.js'
import type { SimNode } from './node.js'

/** Each returns what is wrong, or undefined. Nodes that lie aren't asked. */
export interface Watch {
  /** what `node` holds of a domain changed */
  changed?: (node: SimNode, k: DomainKnowledge) => string | undefined
  /** `node` came up again */
  started?: (node: SimNode) => Promise<string | undefined>
  /** an honest node sends a frame, gossip, or blocks */
  frame?: (node: SimNode, channel: 'hello' | 'sync' | 'admit', direction: 'request' | 'response', bytes: Uint8Array) => string | undefined
  gossip?: (node: SimNode, domain: Reference, bytes: Uint8Array, hops: number) => string | undefined
  blocks?: (node: SimNode, refs: readonly Reference[], answer: ReadonlyArray<Uint8Array | undefined>) => string | undefined
  /** at the end, and whenever a run demands it */
  atRest?: () => string | undefined
}
