/** Arguments and results of rescue: a transient node that acts under a domain. Plain JSON: they cross the control socket. */

export interface RescueArgs {
  /** `bundle`: absolute or `-`; `dir`: absolute, new or empty; `key`: as `openSigner` takes it; `domain`: a whole DomainID; refused without */
  'rescue start': { bundle?: string, peers: string[], key: string, dir?: string, domain?: string }
  /** `path`: absolute */
  'rescue publish': { path: string, as: string, allowKeys?: boolean }
  'rescue status': Record<string, never>
  /** `out`: absolute; `since`: absolute path of a file that `bundle heads` wrote; `yes`: decisions that were made here may go */
  'rescue end': { out: string, since?: string, yes?: boolean }
}

/** What the key may do, by the newest manifest held here. */
export interface RescueKey {
  /** the file or URI, as it was named; the key itself is never copied */
  key: string
  publicKey: string
  principal: string
  manifest: number
  roles: string[]
  /** name prefixes; `''` is the whole domain */
  prefixes: string[]
  programs: string[]
  /** whether what it publishes is exported at once; otherwise it is a proposal until somebody vouches for it */
  exports: boolean
}

export interface RescueResults {
  'rescue start': RescueKey & { domain: string, home: string, names: number, missing: number }
  'rescue publish': { domain: string, lane: string, snapshot: string, ref: string, name: string, records: number, files: number, blocks: number, bytes: number, visible: boolean, exported: boolean }
  'rescue status': RescueKey & { domain: string, home: string, /** whether the key's file is where it was; null for agents and tokens, which aren't asked */ keyThere: boolean | null, names: number, lanes: Array<{ lane: string, records: number, exported: number, names: string[] }> }
  'rescue end': { domain: string, home: string, file: string, blocks: number, bytes: number, missing: number, /** paths in the home that diad didn't make */ left: string[] }
}
