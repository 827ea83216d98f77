/**
 * The seam between the faces and the work. A face (the CLI, the control socket, a dashboard) turns what a person asked for into a command's name,
 * plain JSON arguments and a `CommandIo`; a `Backend` runs it, here or in the daemon, and resolves with the JSON object that scripts get.
 *
 * Arguments and results cross a socket, so both are plain JSON: no Map, Uint8Array or undefined that matters. Local paths are absolute, since the
 * daemon has another working directory.
 */
import type { AdmissionArgs, AdmissionResults } from './commands/admission/types.js'
import type { AuthorityArgs, AuthorityResults } from './commands/authority/types.js'
import type { BundlesArgs, BundlesResults } from './commands/bundles/types.js'
import type { ConformanceArgs, ConformanceResults } from './commands/conformance/types.js'
import type { RecordsArgs, RecordsResults } from './commands/records/types.js'
import type { RescueArgs, RescueResults } from './commands/rescue/types.js'
import type { NextSetFacts, RootsArgs, RootsResults } from './commands/roots/types.js'
import type { SealsArgs, SealsResults } from './commands/seals/types.js'
import type { PassphraseSource } from './keys/passphrase.js'
import type { Listed } from './listed.js'

/** How far a long command is. Sent as often as the command likes; faces thin it out. */
export interface Progress {
  /** what is being done, in a word or two: `importing`, `fetching` */
  phase: string
  done: number
  /** absent while nobody knows */
  total?: number
  unit: 'files' | 'bytes' | 'blocks'
  /** bytes so far, where `unit` counts something else */
  bytes?: number
}

/** What a command may use of the face that called it. */
export interface CommandIo {
  /** aborted by Ctrl-C, by a client that went away, or when the daemon stops; a command then cleans up and rejects with `interrupted` */
  readonly signal: AbortSignal
  progress: (progress: Progress) => void
  /** something that happened, as one JSON object: `serve` reports what it does by these alone. None is dropped. */
  event: (event: CommandEvent) => void
  /** one line for the person */
  warn: (line: string) => void
  /** raw output (`cat`); resolves when the reader can take more. `bytes` may be reused afterwards. */
  write: (bytes: Uint8Array) => Promise<void>
  /** raw input (`put -`), where there is one */
  readonly input?: AsyncIterable<Uint8Array>
  /** for keys that are encrypted or to be; in the daemon a `prompt` asks at the client's terminal. Absent: the command needs none. */
  readonly passphrase?: PassphraseSource
}

export interface CommandEvent {
  event: string
  [key: string]: unknown
}

/** One command's work. Resolves with the object (or one object per domain) of the contract for scripts; rejects with a `DiadError`. */
export type Command = (args: unknown, io: CommandIo) => Promise<unknown>

/** Runs commands on one home, in this process or in the daemon that owns the home's store. */
export interface Backend {
  run: (command: string, args: object, io: CommandIo) => Promise<unknown>
  /** Releases what the backend holds; after it no command may be run. */
  close: () => Promise<void>
}

/** Given to `openLocalBackend(home, options)`. */
export interface LocalBackendOptions {
  /** the command that will be run: the backend loads what this one needs */
  command: CommandName
  /** its arguments, checked before a home is made for it */
  args: object
  /** whether this command may make a home where there is none (`init`: a domain's, `serve`, `sync`, `follow`: a reader's) */
  create: boolean
}

export type Mode = 'follow' | 'mirror'

/** The arguments of every command as the CLI sends them. Lists are always there; what the person left out is absent. */
export interface CommandArgs extends AuthorityArgs, RootsArgs, BundlesArgs, RecordsArgs, AdmissionArgs, SealsArgs, RescueArgs, ConformanceArgs {
  init: {
    name?: string
    /** absolute, as all paths here */
    roots?: string
    /** of each root set, default 1 */
    rootKeys?: number
    /** default 1 */
    threshold?: number
    /** root keys made elsewhere: then the genesis goes out as `request`, and `finish` founds the domain */
    rootPubs?: string[]
    nextRootPubs?: string[]
    /** how many of the next set have to sign; default: `threshold` */
    nextThreshold?: number
    request?: string
    finish?: string
  }
  /** `allowKeys`: also what is a private key, or a directory of them */
  put: { /** absolute, or `-` for `io.input` */ path: string, allowKeys?: boolean }
  publish: { /** absolute */ path: string, as: string, /** as `openSigner` takes it */ key?: string, allowKeys?: boolean }
  serve: { listen: string[], peers: string[], mdns: boolean, dht: boolean, /** whether requests for admission are taken */ admissions: boolean }
  follow: { domain: string, mode?: Mode, peers: string[], name?: string, /** bytes of content; absent: as it was */ quota?: number | 'none', /** M8: the domain whose roots say that it goes on as this one */ movedFrom?: string }
  unfollow: { domain: string }
  /** without `petname` and `remove`: what it is */
  name: { domain: string, petname?: string, remove: boolean }
  status: Record<string, never>
  sync: { domain?: string, peers: string[], mode?: Mode, timeoutSeconds?: number }
  /** `target` is DOMAIN, DOMAIN/NAME or DOMAIN/NAME/PATH as typed */
  ls: { target: string, all: boolean }
  cat: { target: string, acceptContested: boolean }
  checkout: { target: string, /** absolute */ dest: string, specialModes: boolean, acceptContested: boolean }
  /** `target` is a reference, DOMAIN, DOMAIN/NAME or DOMAIN/NAME/PATH as typed */
  verify: { target: string, explain: boolean }
}

export type CommandName = keyof CommandArgs

/**
 * The fields of each result that the CLI shows to people; a result may hold more. The first lines are the contract for scripts. Fields typed here
 * are read with care all the same: the daemon may be of another version.
 */
export interface CommandResults extends AuthorityResults, RootsResults, BundlesResults, RecordsResults, AdmissionResults, SealsResults, RescueResults, ConformanceResults {
  init: { domain: string, home: string, name?: string, principal?: string, roots?: string, /** the file, where the roots are still to sign: so many of them; and what the set committed to is */ request?: string, needed?: NextSetFacts, next?: NextSetFacts }
  put: { ref: string, files?: number, blocks?: number, bytes?: number }
  /** `visible`, `exported`: whether it counts in the domain, and for everybody, without a vouch of another key */
  publish: { domain: string, lane: string, snapshot: string, ref: string, name: string, records: number, files: number, blocks: number, bytes: number, visible: boolean, exported: boolean }
  serve: undefined
  follow: { domain: string, mode: Mode, name?: string, moved?: Moved[], /** the domain that it goes on from, and what that is called here now */ movedFrom?: string, before?: string } & Pick<LeaseResult, 'quota' | 'used'>
  unfollow: { domain: string, name?: string }
  /** null: it has none */
  name: { domain: string, name: string | null, /** the name it had before, where that was another */ before?: string }
  status: {
    home: string
    /** this node's PeerId */
    peer?: string
    /** this home's own domain; absent for a reader */
    domain?: string
    daemon?: boolean
    /** a domain that this home shall found once its roots have signed `file` */
    founding?: { domain: string, file?: string }
    domains: Array<{ domain: string, name?: string, own?: boolean, mode?: Mode, status?: string, code?: string, heads?: Head[], names?: number, moved?: Moved[], /** own domain: what another machine signed (M8) */ elsewhere?: Elsewhere } & LeaseResult>
    /** domains whose state is held, that take no part: nothing new of them is asked for, and nothing of them served */
    held: Array<{ domain: string, name?: string, used: number, recordBytes: number }>
    peers: Array<{ peer: string, addresses?: string[] }>
  }
  sync: SyncResult | SyncResult[]
  ls: { domain: string, entries: Listed[] }
  cat: undefined
  checkout: { domain: string, name: string, ref: string, dest: string, files: number, bytes: number }
  verify: { status: string, code: string, checks: Check[], ref?: string, missing?: string[] }
}

/** Manifests of the home's own domain that another machine signed, and what to do about it. */
export interface Elsewhere {
  /** versions that came since this machine last signed, ascending */
  readonly manifests: number[]
  /** the newest version that this machine signed; null where only a fork is known */
  readonly since: number | null
  /** they stand beside others: no manifest after the fork counts until the roots choose */
  readonly forked?: true
  /** what happened, in one line */
  readonly text: string
  /** what each of them changed, newest last; of a fork, what each manifest on each branch did */
  readonly changes: string[]
  /** the two ways out */
  readonly hint: string
}

/** Where a domain's roots say that it goes on (M8). Two name different domains: then nobody is to be trusted before its people were asked. */
export interface Moved {
  to: string
  /** the object that says so */
  move: string
  /** whether that domain is followed here already */
  followed: boolean
}

export interface Head { lane: string, snapshot: string, log_size: number }

/** What a followed domain takes of this disk. Absent for the home's own domain. */
export interface LeaseResult {
  /** bytes of content that the domain may be charged; null: any */
  quota?: number | null
  /** bytes of content that it is charged: each block whole, whoever else it is held for */
  used?: number
  /** bytes of leaves and bodies, which no quota limits */
  recordBytes?: number
  /** names whose content doesn't fit, at most 100, newest first; `needs`: bytes that are lacking at least, on top of those used */
  overQuota?: Array<{ name: string, ref: string, needs: number }>
}

export interface SyncResult extends LeaseResult {
  domain: string
  status: string
  code: string
  snapshot: string | null
  heads: Head[]
  names: number
  moved?: Moved[]
  blocks: number
  bytes: number
  /** how many peers that have it were asked */
  asked: number
  refused: Array<{ peer: string, code: string, ref: string | null }>
}

/** One check of a verdict, in the order in which it was made. */
export interface Check { rule: string, ok: boolean, text: string }
