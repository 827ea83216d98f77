/**
 * A scenario as the simulator runs it: everything written out, every quantity a whole number, frozen. The file format is in docs/sim-scenarios.md.
 * Where a description stands instead of a list (random topology, random follow), draw.ts draws it from the seed.
 */
import type { Micros } from '../trace.js'

export const ROLES = ['produce', 'execute', 'publish', 'federate', 'audit'] as const
export type Role = typeof ROLES[number]

export const MODES = ['follow', 'mirror', 'witness', 'reader'] as const
/** What a node does with the domains it follows; its own domain it always holds whole. */
export type Mode = typeof MODES[number]

/** A plug-in as the loader sees it: its name and the schema of its arguments (vocabulary.ts says which keywords there are). */
export interface Described {
  readonly name: string
  /** one sentence for `diad sim list` and for editors */
  readonly summary: string
  /** JSON schema (draft 7) of the arguments, with `x-quantity`, `x-names` and `x-disjoint`; write it with schema-parts.ts */
  readonly schema: object
  /** whether an entry needs `node` beside the plug-in's key; default `optional`; of no meaning for adversaries */
  readonly node?: 'required' | 'optional' | 'none'
}

export interface Registry {
  readonly actions: ReadonlyMap<string, Described>
  readonly expectations: ReadonlyMap<string, Described>
  readonly adversaries: ReadonlyMap<string, Described>
}

/** Arguments after their schema accepted them: quantities are integers, lists of names are written out, defaults are filled in. */
export type Args = unknown

export interface PrincipalSpec {
  readonly name: string
  readonly roles: readonly Role[]
  /** prefixes; '' = the whole domain */
  readonly scope: readonly string[]
  /** no manifest lists it until a `grant` does; these are what that gives by default */
  readonly later: boolean
}

export interface DomainSpec {
  readonly name: string
  /** the name that stands in the file with `count`, or '' */
  readonly group: string
  readonly principals: readonly PrincipalSpec[]
  /** how many offline root keys it has, and how many of them have to agree */
  readonly roots: { readonly count: number, readonly threshold: number }
  /** names of domains; empty = public (T2) */
  readonly trusted: readonly string[]
  readonly line: number
}

export interface RandomFollow {
  readonly count: number
  readonly of: readonly string[]
}

export interface NodeSpec {
  readonly name: string
  /** the name that stands in the file with `count`, or '' */
  readonly group: string
  /** the domain it is a node of, or '' */
  readonly domain: string
  /** principals of `domain` whose keys it holds */
  readonly keys: readonly string[]
  /** domains besides its own; empty where `random` says how many to draw */
  readonly follow: readonly string[]
  readonly random: RandomFollow | undefined
  readonly mode: Mode
  /** it isn't started with the others */
  readonly later: boolean
  /** name of the adversary plug-in, or '' */
  readonly adversary: string
  /** the adversary's arguments; {} without one */
  readonly with: Args
  readonly line: number
}

export interface LinkProps {
  readonly latency: Micros
  /** a message takes latency + a draw from 0 … jitter */
  readonly jitter: Micros
  /** bytes a second, at least 1 */
  readonly bandwidth: number
  /** parts per million of messages, as are duplicate and reorder */
  readonly loss: number
  readonly duplicate: number
  readonly reorder: number
  /** nothing passes until it is healed */
  readonly cut: boolean
}

export type Topology =
  | { readonly kind: 'full' | 'ring' | 'line' | 'none' }
  | { readonly kind: 'star', readonly hub: string }
  | { readonly kind: 'random', readonly degree: number }

/** What one line of `links.list` says of every edge from one of `from` to one of `to`; a later one wins, property by property. */
export interface LinkOverride {
  readonly from: readonly string[]
  readonly to: readonly string[]
  readonly bothWays: boolean
  readonly props: Partial<LinkProps>
  readonly line: number
}

export interface Links {
  readonly default: LinkProps
  readonly topology: Topology
  /** nodes look for peers that hold what they follow, and dial some, besides the links of the topology */
  readonly discover: boolean
  /** whether the file says so, either way */
  readonly discoverSaid: boolean
  readonly list: readonly LinkOverride[]
}

export interface ActionEntry {
  readonly at: Micros
  readonly line: number
  readonly action: string
  /** '' where the action names no node */
  readonly node: string
  readonly args: Args
}

export interface ExpectationEntry {
  /** `end` = after everything that happens at `duration` */
  readonly at: Micros | 'end'
  /** true: it must hold at some moment not later than `at`; false: at that moment */
  readonly by: boolean
  readonly line: number
  readonly expectation: string
  /** '' where the expectation names no node */
  readonly node: string
  readonly args: Args
}

export interface Scenario {
  readonly name: string
  readonly file: string
  readonly shows: string
  /** numbers of the threat list */
  readonly threats: readonly number[]
  readonly seed: number
  readonly duration: Micros
  readonly tick: Micros
  /** in the order of the file, as are nodes and groups */
  readonly domains: readonly DomainSpec[]
  readonly nodes: readonly NodeSpec[]
  /** groups of nodes, with `all` and `honest` */
  readonly groups: ReadonlyArray<{ readonly name: string, readonly members: readonly string[] }>
  readonly links: Links
  /** by time; equal times in the order of the file */
  readonly timeline: readonly ActionEntry[]
  /** in the order of the file */
  readonly expectations: readonly ExpectationEntry[]
}
