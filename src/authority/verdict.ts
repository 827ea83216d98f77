/**
 * Verdicts are data: a status, a stable code, every check that was made, and what is missing. The table below is the single source of all codes;
 * protocols/verdict-codes.md is made from it. Source: RULES R5.
 */
import type { Reference } from '../substrate/reference.js'

/**
 * `rejected` is final and rests on the bytes and what they name by hash alone; `void` rests on an authority state; `contested` on fork evidence;
 * `deferred` lists what is missing or waits for a named event; `informational` is valid and has no effect on a view; `accepted` has.
 */
export type Status = 'accepted' | 'informational' | 'deferred' | 'contested' | 'void' | 'rejected'

export interface CodeRow {
  readonly status: Status
  /** the numbered rule in RULES (S-n and N-n: substrate pages) */
  readonly rule: string
  readonly meaning: string
}

const CODES = {
  accepted: ['accepted', 'R5', 'valid, and in force under the printed authority state'],

  superseded: ['informational', 'R4', 'valid, but a greater record of the same name is in force'],
  'not-visible': ['informational', 'A2', 'a producer\'s proposal: no publisher has vouched for it'],
  'not-exported': ['informational', 'A3', 'valid, but no federate key has vouched for it'],
  internal: ['informational', 'L2', 'stands in an internal lane: never served and never in another domain\'s view'],
  unclaimed: ['informational', 'P1', 'a valid signature that no leaf of its own principal claims yet, or content that no exported record contains'],
  erased: ['informational', 'R7', 'erased: it has no effect on any view, whether or not its body is held'],
  'kind-unknown': ['informational', 'R6', 'a leaf of an unknown kind from 0x8000 on: kept and skipped'],
  'no-effect': ['informational', 'R2', 'a leaf that is valid and changes no view by itself (tick, close)'],
  'principal-certificate': ['informational', 'M1', 'a principal\'s certificate is shown; the manifest\'s list decides'],
  unreferenced: ['informational', 'M1', 'well formed, but nothing that is held names it'],
  'other-domain': ['informational', 'M1', 'well formed, but it belongs to another domain'],
  'not-authority': ['informational', 'M1', 'not one of the objects that make a domain\'s authority'],

  'unknown-domain': ['deferred', 'M5', 'the genesis of the domain is not held, so nothing of it can be judged'],
  'signature-missing': ['deferred', 'T1', 'too few valid signatures over it are held'],
  'root-entry-missing': ['deferred', 'M1', 'a root entry it rests on is not held'],
  'root-set-missing': ['deferred', 'M1', 'the offline root set of its root entry is not held'],
  'certificate-missing': ['deferred', 'M1', 'the certificate of its root entry is not held'],
  'policy-missing': ['deferred', 'M1', 'the policy it names is not held'],
  'manifest-missing': ['deferred', 'L1', 'a manifest it rests on is not held'],
  'cut-list-missing': ['deferred', 'M1', 'a cut list of the manifest is not held'],
  'previous-deferred': ['deferred', 'M1', 'what it follows can\'t be judged yet'],
  'root-entry-deferred': ['deferred', 'M1', 'its root entry can\'t be judged yet'],
  'base-missing': ['deferred', 'M7', 'the base manifest of the epoch in force is not held or can\'t be judged yet'],
  'base-invalid': ['deferred', 'M7', 'the base of the epoch in force is no valid manifest of an earlier epoch: authority waits for the next root entry'],
  'authority-forked': ['deferred', 'M7', 'two manifests follow one manifest in one epoch: waits for a root entry with a base'],
  'root-forked': ['deferred', 'M6', 'the root chain branches and no single branch holds the rotation that settles it'],
  'target-missing': ['deferred', 'T1', 'a valid signature over something that is not held'],
  'not-held': ['deferred', 'R5', 'it is not held here'],
  'lane-missing': ['deferred', 'L1', 'the lane it stands in is not held'],
  'head-missing': ['deferred', 'S1', 'no signed head covers it yet'],
  'log-missing': ['deferred', 'L3', 'the leaves or proofs that lead to it are not held'],
  'log-withheld': ['deferred', 'E2', 'a signed head whose log its server does not show: it has misled nobody'],
  'body-missing': ['deferred', 'R1', 'the body of the leaf is not held'],
  'content-missing': ['deferred', 'P5', 'an artifact it names is not held'],
  'needs-upgrade': ['deferred', 'R6', 'made under newer rules than this program knows'],
  'cut-unlinked': ['deferred', 'K4', 'a cut names a head that is not linked to the held log yet'],
  withheld: ['deferred', 'A3', 'a head that was vouched for can\'t be had and no cut ends the lane below it: the lane is incomplete'],
  'input-contested': ['deferred', 'S3', 'an input is bound through a contested leaf'],
  'input-unbound': ['deferred', 'P4', 'an input can\'t be shown to have been published as of the snapshot'],
  'admission-missing': ['deferred', 'D4', 'no admission of the domain is in force'],
  'admission-stale': ['deferred', 'D5', 'the lane stands under another policy than the admitted one'],

  contested: ['contested', 'E5', 'its principal equivocated and no cut has ended the forked lane: the name may be rolled back'],
  'lane-forked': ['contested', 'E4', 'the lane has fork evidence: it holds up to its greatest anchor or the smallest proven index'],

  orphaned: ['void', 'M7', 'a valid manifest off the accepted chain'],
  'root-orphaned': ['void', 'M6', 'a valid root entry on a branch that lost, or what its roots signed'],
  'roots-retired': ['void', 'M8', 'signed by roots that a rotation has replaced'],
  'manifest-off-chain': ['void', 'L1', 'its lane stands under a manifest that is not on the accepted chain'],
  cut: ['void', 'K3', 'beyond the head at which the domain cut its lane, or not on that head\'s log'],
  closed: ['void', 'K1', 'its principal was closed and the lane is not listed'],
  'not-admitted': ['void', 'D5', 'outside what we admitted of the domain'],

  malformed: ['rejected', 'S-4', 'the bytes break their declared shape'],
  'reference-mismatch': ['rejected', 'S-2', 'the bytes don\'t hash to the reference they came under'],
  'bad-signature': ['rejected', 'T1', 'the signature does not verify; it says nothing about its target'],
  'wrong-type': ['rejected', 'M1', 'a reference in it names an object of another type than the field demands'],
  'wrong-domain': ['rejected', 'M1', 'it belongs to another domain than its place demands'],
  'epoch-gap': ['rejected', 'M5', 'its epoch is not the previous entry\'s plus one'],
  'renew-changed': ['rejected', 'M5', 'a renew changed the commitment or carries a salt'],
  'commitment-mismatch': ['rejected', 'M5', 'the new root set does not open the commitment in force'],
  'commitment-reused': ['rejected', 'M5', 'a rotation must carry a commitment that this chain never had'],
  'certificate-mismatch': ['rejected', 'M5', 'the certificate is not the one this root entry needs'],
  'root-entry-rejected': ['rejected', 'M1', 'its root entry is rejected'],
  'root-key-mismatch': ['rejected', 'M1', 'its root_key is not the one its epoch\'s certificate names'],
  'policy-mismatch': ['rejected', 'M1', 'its policy_hash is not the certificate\'s'],
  'policy-unsupported': ['rejected', 'M9', 'the policy switches a safety rule off'],
  'version-gap': ['rejected', 'M1', 'its version is not the previous manifest\'s plus one'],
  'previous-out-of-place': ['rejected', 'M7', 'what it follows is neither of its own epoch nor the base of that epoch'],
  'previous-rejected': ['rejected', 'M1', 'what it follows is rejected'],
  'root-key-reused': ['rejected', 'M1', 'an offline root key stands as root_key or principal'],
  'principal-returns': ['rejected', 'M1', 'a principal that was dropped once is back'],
  'reduction-without-cut': ['rejected', 'M3', 'it takes a right away without closing the principal'],
  'cuts-unsorted': ['rejected', 'M4', 'the cuts don\'t ascend by lane over the whole chain of lists'],
  'lane-malformed': ['rejected', 'R3', 'the log breaks the rules of logseq from this leaf on'],
  'body-malformed': ['rejected', 'R6', 'the body of the leaf breaks its shape'],
  'not-a-principal': ['rejected', 'L1', 'the lane\'s principal is not in the lane\'s manifest'],
  'role-missing': ['rejected', 'R2', 'the principal has no role that allows this'],
  'role-not-allowed': ['rejected', 'T2', 'the domain\'s policy does not allow the role here'],
  'out-of-scope': ['rejected', 'T2', 'the name or program lies outside of the principal\'s scope'],
  'erase-refused': ['rejected', 'R7', 'the erase leaf may not erase this target'],
  'bad-range': ['rejected', 'E2', 'leaves or proofs that don\'t lead to the signed head they were sent for'],
  'wrong-answer': ['rejected', 'B5', 'an answer of another kind than the request asks for'],
  'bad-evidence': ['rejected', 'E1', 'the fork evidence proves nothing'],
  'receipt-invalid': ['rejected', 'P5', 'the receipt breaks one of its conditions'],
  'request-invalid': ['rejected', 'D1', 'the admission request is not for this receiver, nonce or key']
} as const satisfies Record<string, readonly [Status, string, string]>

export type VerdictCode = keyof typeof CODES

/** Every code there is: status, rule and meaning, in the order in which the page shows them. */
export const VERDICT_CODES: ReadonlyMap<VerdictCode, CodeRow> = new Map(
  (Object.keys(CODES) as VerdictCode[]).map((code) => [code, { status: CODES[code][0], rule: CODES[code][1], meaning: CODES[code][2] }]))

export interface Check {
  /** the numbered rule, e.g. `M1` */
  readonly rule: string
  readonly ok: boolean
  readonly text: string
}

export interface Verdict {
  readonly status: Status
  readonly code: VerdictCode
  readonly checks: readonly Check[]
  /** what has to be held before the verdict can move on; empty unless deferred */
  readonly missing: readonly Reference[]
}

const NO_CHECKS: readonly Check[] = []
const NOTHING: readonly Reference[] = []

/** The verdict that goes with `code`; its status comes from the table. */
export function verdict (code: VerdictCode, checks: readonly Check[] = NO_CHECKS, missing: readonly Reference[] = NOTHING): Verdict {
  return { status: CODES[code][0], code, checks, missing }
}

/** The failed check that a single-reason verdict stands on. */
export function failed (code: VerdictCode, text: string, missing: readonly Reference[] = NOTHING): Verdict {
  return verdict(code, [{ rule: CODES[code][1], ok: false, text }], missing)
}

/** Collects the checks of one judgement in their order; the first that fails decides. */
export class Checklist {
  private readonly checks: Check[] = []

  pass (rule: string, text: string): void {
    this.checks.push({ rule, ok: true, text })
  }

  fail (code: VerdictCode, text: string, missing: readonly Reference[] = NOTHING): Verdict {
    return verdict(code, [...this.checks, { rule: CODES[code][1], ok: false, text }], missing)
  }

  accept (): Verdict {
    return verdict('accepted', this.checks)
  }
}

/** `rejected: malformed`, for people. */
export function verdictText (v: Verdict): string {
  return v.code === v.status ? v.status : `${v.status}: ${v.code}`
}
