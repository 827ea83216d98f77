/** Arguments and results of root, sign and recover: the root chain and what is signed offline. Plain JSON: they cross the control socket. */

/** Who signs for the roots: at once with keys that are at hand, or by a file that is carried around. Paths are absolute. */
export interface RootSigning {
  /** directories with root keys, found by their public keys; none of these two and no request: the home's offline/ */
  roots: string[]
  /** keys used where they are: files, `agent:…`, `pkcs11:…` */
  keys: string[]
  /** write a signing request there instead of putting the entry into force */
  request?: string
  /** M8: go on from the newest manifest held here, though nothing says that it is the newest; or ask these first */
  offline: boolean
  peers: string[]
}

export interface NewEpochArgs {
  domain?: string
  rootKey: 'new' | 'keep'
  /** absolute path of a policy file, or the hash of a policy that is held */
  policy?: string
  /** a manifest's version on chain, or its reference or the beginning of it */
  base?: string
}

export interface RotateArgs {
  /** directory of the next set's keys and next-commitment.json, to be made */
  newRoots: string
  /** public keys of the next set, made elsewhere; none: made here */
  nextRootPubs: string[]
  /** size and threshold of the next set; default: those of the set that takes over */
  rootKeys?: number
  threshold?: number
  /** next-commitment.json; default: the one in the first of `roots` */
  commitment?: string
}

export interface RootsArgs {
  'root show': { domain?: string }
  'root renew': RootSigning & NewEpochArgs
  'root rotate': RootSigning & NewEpochArgs & RotateArgs
  'root drill': { domain?: string, roots: string[], keys: string[], commitment?: string }
  'root apply': Partial<Pick<RootSigning, 'offline' | 'peers'>> & { request: string, /** another machine made it, though this home made one for the same epoch */ elsewhere?: boolean, /** what has to open its commitment */ commitment?: string }
  sign: { request: string, key?: string, yes: boolean }
  'recover root-key': RootSigning & { domain?: string, base?: string }
  'recover keys': RootSigning & { domain?: string, base?: string, /** principals to leave as they are: id or public key, or the beginning of one */ keep: string[], /** certify a new root_key though the old one is here */ stolen: boolean }
  'recover roots': RootSigning & RotateArgs & { domain?: string, base?: string }
  'recover lane': Pick<RootSigning, 'offline' | 'peers'> & { lane?: string }
}

/** A root entry that came into force, or the request for one. */
export interface EpochResult {
  domain: string
  epoch: number
  entry: string
  /** what it does, in plain words */
  summary: string[]
  /** of both, the keys that signed and how many have to */
  signed: string[]
  threshold: number
  /** null while the entry isn't in force, or where this home can't sign manifests */
  manifest: string | null
  version: number | null
  /** the file, where a request was written */
  request: string | null
}

export interface RotateResult extends EpochResult {
  /** where the next set's commitment lies */
  newRoots: string
}

export interface RecoverResult extends EpochResult {
  /** the new principal's public key, where one was made */
  principal: string | null
  /** principal ids that were closed */
  closed: string[]
}

export interface RootsResults {
  'root show': {
    domain: string
    epoch: number
    entry: string
    state: string
    root_keys: string[]
    threshold: number
    commitment: string
    /** signs manifests in this epoch, and whether its key file lies in this home */
    root_key: string
    root_key_here: boolean
    policy: string
    manifests: Array<{ version: number, ref: string, epoch: number, principals: number }>
    /** manifests or root entries among which the rules can't choose */
    fork: string[]
    drill: { signed: number, needed: number | null, at: string | null, done: boolean }
  }
  'root renew': EpochResult
  'root rotate': RotateResult
  'root drill': { domain: string, commitment: string, signed: string[], missing: string[], total: number, threshold: number, done: boolean }
  'root apply': EpochResult
  sign: { domain: string, entry: string, summary: string[], signed: string[], outstanding: string[], threshold: number, complete: boolean, wrote: boolean, file: string }
  'recover root-key': RecoverResult
  'recover keys': RecoverResult
  'recover roots': RotateResult
  'recover lane': { domain: string, lane: string, snapshot: string, manifest: string, version: number, republished: string[] }
}
