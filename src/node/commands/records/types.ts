/** Arguments and results of vouch, erase, adopt, explain and log: single records and what is known of them. Plain JSON: they cross the control socket. */
import type { Explained } from '../../../authority/explain/tree.js'

export interface RecordsArgs {
  /** `target` is a lane or a principal as typed; `key` a path or URI */
  vouch: { target: string, at?: string, key?: string, dryRun: boolean }
  lanes: { domain?: string }
  /** `target` is DOMAIN/NAME or LANE:INDEX as typed; without `yes` nothing is erased */
  erase: { target: string, yes: boolean, key?: string }
  tombstone: { name: string, key?: string }
  adopt: { lane: string, only: string[], key?: string, dryRun: boolean }
  explain: { target: string }
  /** `last`: only so many events */
  log: { domain?: string, all: boolean, last?: number }
}

export interface RecordsResults {
  vouch: Vouched
  lanes: ListedLane[]
  erase: Erased
  tombstone: { domain: string, name: string, lane: string, snapshot: string }
  adopt: Adopted
  explain: Explained & { target: string, status: string, code: string }
  log: LogEvent[]
}

export interface Reach { lane: string, from: number, to: number, names: string[] }

export interface Vouched {
  domain: string
  /** what stood in the vouches; empty where all of it was vouched for before */
  vouches: Array<{ lane: string, snapshot: string, size: number, principal: string, called?: string }>
  /** leaves and names that become visible in the domain, and exported to everybody */
  visible: Reach[]
  exported: Reach[]
  /** names among the exported ones whose content isn't complete here */
  missing: string[]
  /** whether the vouches were made */
  done: boolean
  /** the new head of our lane */
  lane?: string
  snapshot?: string
}

export interface ListedLane {
  domain: string
  lane: string
  principal: string
  /** the principal's petname */
  called?: string
  roles: string[]
  /** version of the manifest it stands under; null where that isn't on the accepted chain */
  manifest: number | null
  visibility: 'internal' | 'published'
  /** leaves held, and how many of them count (L3) */
  size: number
  valid: number
  visible: number
  exported: number
  contested: boolean
  /** the index at which equivocation is proven */
  forkedAt?: number
  /** the size at which a manifest ends it */
  cutAt?: number
  /** a verdict code */
  code: string
  /** the greatest head that could be vouched for */
  head: string | null
}

export interface ErasedLeaf { lane: string, index: number, kind: string, name?: string }

export interface Erased {
  domain: string
  erased: ErasedLeaf[]
  /** names that show an older record afterwards */
  older: string[]
  /** the new head of our lane */
  lane: string
  snapshot: string
}

export interface Adopted {
  domain: string
  /** the lane that was adopted from, and whose it was */
  from: string
  principal: string
  called?: string
  code: string
  adopted: Array<{ name: string, ref: string }>
  /** what stays behind, and why: a code */
  left: Array<{ name: string, code: string }>
  receipts: number
  done: boolean
  lane?: string
  snapshot?: string
}

/** One line of a domain's history. `event` says which other fields there are; `code` is a verdict code where it isn't `accepted`. */
export interface LogEvent {
  event: 'epoch' | 'manifest' | 'record' | 'head' | 'fork' | 'moved'
  domain: string
  /** of the manifest on the accepted chain, from 0; null off the chain */
  position: number | null
  logseq?: number
  ref?: string
  code?: string
  /** sentences for people */
  words: string[]
  epoch?: number
  version?: number
  kind?: string
  name?: string
  content?: string
  size?: number
  lane?: string
  index?: number
  principal?: string
  called?: string
  /** the DomainID that the roots name */
  to?: string
}