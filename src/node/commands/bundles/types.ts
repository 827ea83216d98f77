/** Arguments and results of bundle: a domain's state as one file. Plain JSON: they cross the control socket. */

/** `file`: absolute, or `-` for standard input or output */
export interface BundlesArgs {
  /**
   * `since`: absolute path of a file that `bundle heads` wrote. `all`: lanes that nobody vouched for yet, too. `internal`: and internal ones, for the owner's
   * other machines. `restricted`: though it is another's domain that is shown to few.
   */
  'bundle export': { domain: string, file: string, since?: string, prefixes: string[], all: boolean, internal?: boolean, restricted?: boolean }
  'bundle import': { file: string, domain?: string, follow: boolean, name?: string }
  'bundle inspect': { file: string }
  'bundle heads': { domain: string, file: string }
}

/** Where in a file something was refused, or had no effect. `offset` 0: when it was taken in, as of a peer. */
export interface BundleFaultResult { code: string, offset: number, ref: string | null }

export interface ProposalResult { lane: string, principal: string, /** what this home calls it */ principalName?: string, records: number, snapshot: string }

/** `adoptable`: the home's own domain, and `diad adopt` can publish them again under a living key */
export interface UncountedResult { lane: string, principal: string, /** what this home calls it */ principalName?: string, from: number, records: number, code: string, names: string[], adoptable: boolean }

/** What of a file is internal to its domain: lanes, and decisions on other domains (admission). */
export interface InternalResult { lanes: number, records: number }

export interface BundleImported {
  /** null when the file doesn't even say */
  domain: string | null
  status: string
  code: string
  /** what is wrong, in words; absent when nothing is */
  reason?: string
  name?: string
  following?: boolean
  names: number
  leaves: number
  blocks: number
  bytes: number
  /** content blocks that names need and that are neither in the file nor held */
  missing: number
  /** content blocks that nothing in the file names; they are not kept */
  unreachable: number
  /** content blocks beyond the domain's quota; neither they nor what only they name is kept */
  overQuota: number
  refused: BundleFaultResult[]
  noted: BundleFaultResult[]
  proposals: ProposalResult[]
  /** of the home's own domain, and where there is any: what is held of it now */
  internal?: InternalResult
  /** records of the file that count for nothing here, and why */
  uncounted: UncountedResult[]
}

export interface BundleInspected {
  domain: string | null
  status: string
  code: string
  reason?: string
  refused: BundleFaultResult[]
  /** `epoch 0, manifest 3 (…)` */
  authority?: string
  objects: number
  evidence: number
  lanes: Array<{ lane: string, principal: string, visibility: 'internal' | 'published', status: string, code: string, records: number, exported: number }>
  /** where there is any */
  internal?: InternalResult
  leaves: number
  names: Array<{ name: string, ref: string, code: string }>
  blocks: number
  bytes: number
}

/** What a receiver has; the file that `bundle export --since` reads. */
export interface BundleHeads {
  format: 'diad-heads'
  version: 1
  domain: string
  /** whether all content that CURRENT names was held, too */
  whole: boolean
  lanes: Array<{ lane: string, size: number, root: string }>
}

export interface BundlesResults {
  /** undefined where the file went to standard output */
  'bundle export': { domain: string, file: string, blocks: number, bytes: number, /** content that is named and not held here */ missing: number, /** where it was asked for */ internal?: InternalResult } | undefined
  'bundle import': BundleImported
  'bundle inspect': BundleInspected
  'bundle heads': BundleHeads | undefined
}
