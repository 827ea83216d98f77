/** Arguments and results of domain seal and doctor: anchoring, pinning and looking after a home. Plain JSON: they cross the control socket. */
import type { Garbage } from '../../../federation/garbage.js'
import type { Finding } from '../../doctor/finding.js'

export interface SealsArgs {
  'domain show': Record<string, never>
  'domain seal': { pin?: string, offlineAuthority: boolean, peers: string[], /** a file, agent: or pkcs11: */ key?: string }
  'domain seals': Record<string, never>
  'domain unseal': { name: string, destroy: boolean }
  doctor: { deep: boolean }
  gc: { replaced: boolean, unpublished: boolean, unfollowed: boolean, dryRun: boolean }
}

export interface ShownPrincipal { id: string, key: string, name?: string, roles: string[], prefixes: string[] }

export interface ShownSeal {
  name: string
  kind: 'zfs' | 'copy'
  /** `dataset@snapshot` or a directory */
  at: string
  manifest: string
  manifestVersion: number
  lanes: number
  state: 'sealed' | 'interrupted'
}

export interface SealsResults {
  'domain show': {
    domain: string
    name?: string
    status: string
    code: string
    /** `epoch 0, manifest 2 (…)` */
    authority: string
    epoch: number
    manifest?: string
    manifestVersion?: number
    rootKey?: string
    roots: { keys: string[], threshold: number }
    principals: ShownPrincipal[]
    policyHash?: string
    /** empty = public */
    trusted: string[]
    lanes: number
    names: number
    /** digest of the exported view */
    view: string
    root: string
    seals: ShownSeal[]
  }
  'domain seal': ShownSeal & { domain: string, /** whether a new manifest was needed */ anchored: boolean, /** digest of the exported view */ view: string, files: number }
  'domain seals': { domain: string, seals: ShownSeal[] }
  'domain unseal': { domain: string, name: string, kind: 'zfs' | 'copy', at: string, left: 'removed' | 'kept', manifest: string, manifestVersion: number }
  /** status `rejected` when something is bad, so that scripts see it in the exit code (4) */
  doctor: { status: 'accepted' | 'rejected', code: string, findings: Finding[] }
  /** `removed`: blocks that are held no more, or wouldn't be; `freed`: bytes by which the store is smaller; `wasted`: bytes in it that belong to no block */
  gc: Garbage & { dryRun: boolean, removed: Garbage['givenUp'], freed: number, wasted: number, stuck: number[] }
}
