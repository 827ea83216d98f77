/** Arguments and results of admit: which other domains enter our view. Plain JSON: they cross the control socket. */
import type { Decision } from '../../../authority/admission-objects.js'
import type { Check } from '../../../authority/verdict.js'
import type { Listed } from '../../listed.js'

export interface AdmissionArgs {
  'admit nonce': { /** absolute */ out: string }
  /** with `nonce` and `out`, both absolute, by file; else over the network */
  'admit request': { to: string, scope: string[], nonce?: string, out?: string, key?: string, peers?: string[], timeoutSeconds?: number }
  /** without a target: what waits */
  'admit review': { target?: string, file: boolean }
  /** `target` is an absolute path of a request, the reference of one that waits, or a domain as typed */
  'admit accept': { target: string, file: boolean }
  'admit limit': { target: string, file: boolean, scope: string[] }
  'admit defer': { target: string, file: boolean }
  'admit reject': { target: string, file: boolean }
  'admit list': Record<string, never>
  view: Record<string, never>
}

/** `not-followed`: its state is held, and it takes no part here */
export type AbsentCode = 'not-followed' | 'not-held'

export interface Decided {
  domain: string
  name?: string
  decision: Decision
  scope: string[]
  record: string
  request: string
  decisionEpoch: number
  /** records that this one replaces */
  previous: string[]
  lane: string
  snapshot: string
  /** of the domain in our view now, as far as it is held and followed */
  names: number
  /** what was in force before */
  before?: InForce
  /** another request of the domain, which still waits */
  waiting?: string
  /** something was admitted, and none of it can be in our view yet */
  absent?: AbsentCode
}

/** `names`: how many of the domain's are in our view by that */
export interface InForce { decision: Decision, scope: string[], names: number }

/** A request that came over the network. */
export interface WaitingListed { request: string, domain: string, name?: string, scope: string[], /** who brought it */ peer?: string }

export interface ReviewedRequest {
  status: string
  code: string
  checks: readonly Check[]
  missing: string[]
  request: string
  domain: string
  name?: string
  authority: string
  scope: string[]
  /** who brought it, where it came over the network */
  peer?: string
  /** what is in force for the domain */
  decision?: Decision
  /** what of it is admitted by that: prefixes of names, none where nothing is */
  admittedScope?: string[]
  /** whether a held record has finally decided this very request */
  decided: boolean
}

export interface ListedAdmission {
  domain: string
  name?: string
  decision: Decision
  scope: string[]
  /** records in force: more than one were decided apart */
  records: string[]
  /** names of the domain that enter our view, and those that don't */
  names: number
  refused: number
  /** why something doesn't, the gravest */
  code?: string
}

export interface AdmissionResults {
  'admit nonce': { receiver: string, nonce: string, out: string }
  /** `out` by file; else who took it */
  'admit request': { applicant: string, receiver: string, request: string, scope: string[], manifest: string } & ({ out: string } | { peer: string, answer: 'received' })
  'admit review': ReviewedRequest | { receiver: string, waiting: WaitingListed[] }
  'admit accept': Decided
  'admit limit': Decided
  'admit defer': Decided
  'admit reject': Decided
  'admit list': { domain: string, admissions: ListedAdmission[], missing: string[] }
  view: { domain: string, entries: Array<{ domain: string, petname?: string, name: string, ref: string, kind: Listed['kind'], size: number | null, mode: number, logseq: number, code?: string }>, refused: Array<{ domain: string, petname?: string, code: string, /** where one is in force */ decision?: Decision, names: number }> }
}
