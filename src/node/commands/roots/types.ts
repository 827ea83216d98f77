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

/** What this machine calls root keys, by public key. */
export type KeyNames = Record<string, string>

/** The set that is committed to: how many keys it has, and how many of them have to sign. */
export interface NextSetFacts { total: number, threshold: number }

export interface NewEpochArgs {
  domain?: string
  rootKey: 'new' | 'keep'
  /** absolute path of a policy file, or the hash of a policy that is held */
  policy?: string
  /** a manifest's version on chain, or its reference or the beginning of it */
  base?: string
  /** end the branches of a fork that `base` doesn't lie on, and records that count now */
  yes?: boolean
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
  'root move': Pick<RootSigning, 'roots' | 'keys' | 'request'> & { domain?: string, /** as typed */ to: string, yes: boolean }
  'root apply': Partial<Pick<RootSigning, 'offline' | 'peers'>> & { request: string, /** another machine made it, though this home made one for the same epoch */ elsewhere?: boolean, /** what has to open its commitment */ commitment?: string }
  sign: { request: string, key?: string, yes: boolean, /** though the key signed another entry of the epoch */ again?: boolean }
  'recover root-key': RootSigning & { domain?: string, base?: string, /** end records that count now */ yes?: boolean }
  'recover keys': RootSigning & { domain?: string, base?: string, /** principals to leave as they are: id or public key, or the beginning of one */ keep: string[], /** certify a new root_key though the old one is here */ stolen: boolean, /** close whom `keep` doesn't name, and end records that count now */ yes?: boolean }
  'recover roots': RootSigning & RotateArgs & { domain?: string, base?: string, yes?: boolean }
  'recover lane': Pick<RootSigning, 'offline' | 'peers'> & { lane?: string, /** heads of the histories to publish again; needed where two held ones say something */ branch?: string[] }
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
  /** of the keys in `summary` and `signed` */
  names?: KeyNames
  /** what became void by it, where something did */
  losses?: ShownLoss[]
}

/** A move that counts from now on, or the request for one. */
export interface MoveResult {
  domain: string
  /** the DomainID that its followers are told of */
  to: string
  move: string
  epoch: number
  /** what it does, in plain words */
  summary: string[]
  signed: string[]
  threshold: number
  /** the file, where a request was written or brought back */
  request: string | null
  /** whether it counts: its followers hear of it */
  done: boolean
  names?: KeyNames
}

export interface RotateResult extends EpochResult {
  /** where the next set's commitment lies */
  newRoots: string
  next: NextSetFacts
}

export interface RecoverResult extends EpochResult {
  /** the new principal's id, where one was made, and its key */
  principal: string | null
  publicKey: string | null
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
  'root drill': {
    domain: string
    commitment: string
    /** keys that signed in this run */
    signed: string[]
    /** those that signed in earlier ones only, and when they last did: ISO 8601, UTC */
    earlier: Array<{ key: string, at: string }>
    missing: string[]
    names: KeyNames
    total: number
    threshold: number
    /** whether enough have signed now or of late; `status` says it for the exit code */
    done: boolean
    status: 'accepted' | 'deferred'
  }
  'root move': MoveResult
  'root apply': EpochResult | MoveResult
  sign: {
    domain: string
    purpose: 'root-entry' | 'domain-moved'
    /** what is signed: a root entry, or a move */
    entry: string
    summary: string[]
    signed: string[]
    outstanding: string[]
    names: KeyNames
    threshold: number
    complete: boolean
    wrote: boolean
    file: string
    /** what `--key` is to the request, where nothing was signed and that can be told without opening it */
    key: { publicKey: string, may: 'sign' | 'nothing', signed: boolean } | null
    /** known where next-commitment.json lies beside the request or the key and opens what the entry commits to */
    next: NextSetFacts | null
  }
  'recover root-key': RecoverResult
  'recover keys': RecoverResult
  'recover roots': RotateResult
  'recover lane': { domain: string, lane: string, snapshot: string, manifest: string, version: number, republished: string[], /** names that a chosen history spoke of, and why not */ left: Array<{ name: string, code: string }> }
}

export interface ShownLoss { lane: string, from: number, to: number, names: string[] }
