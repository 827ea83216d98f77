/** Arguments and results of admit: which other domains enter our view. Plain JSON: they cross the control socket. */
import type { Decision } from '../../../authority/admission-objects.js'
import type { Check } from '../../../authority/verdict.js'

export interface AdmissionArgs {
  'admit nonce': { /** absolute */ out: string }
  'admit request': { to: string, /** absolute */ nonce: string, scope: string[], /** absolute */ out: string, key?: string }
  'admit review': { /** absolute */ file: string }
  /** `target` is an absolute path of a request, or a domain as typed */
  'admit accept': { target: string, file: boolean }
  'admit limit': { target: string, file: boolean, scope: string[] }
  'admit defer': { target: string, file: boolean }
  'admit reject': { target: string, file: boolean }
  'admit list': Record<string, never>
  view: Record<string, never>
}

export interface Decided { domain: string, name?: string, decision: Decision, scope: string[], record: string, request: string, decisionEpoch: number, previous: string[], lane: string, snapshot: string }

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
  'admit request': { applicant: string, receiver: string, request: string, scope: string[], manifest: string, out: string }
  'admit review': {
    status: string
    code: string
    checks: readonly Check[]
    missing: string[]
    request: string
    domain: string
    name?: string
    authority: string
    scope: string[]
    /** what is in force for the domain */
    decision?: Decision
    /** whether a held record has finally decided this very request */
    decided: boolean
  }
  'admit accept': Decided
  'admit limit': Decided
  'admit defer': Decided
  'admit reject': Decided
  'admit list': { domain: string, admissions: ListedAdmission[], missing: string[] }
  view: { domain: string, entries: Array<{ domain: string, petname?: string, name: string, ref: string, mode: number, logseq: number, code?: string }>, refused: Array<{ domain: string, petname?: string, code: string, names: number }> }
}
