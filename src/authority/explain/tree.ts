/** The path of evidence behind a verdict, as a tree: each node says what was judged, how, by which checks, and on which others that rests. Plain JSON. */
import { type Check, type Status, VERDICT_CODES, type Verdict, type VerdictCode } from '../verdict.js'

export interface WayOut {
  /** one sentence: what ends this state, and who can */
  readonly why: string
  /** what to type; what the reader has to fill in stands in capitals */
  readonly command: string
}

export interface Explained {
  /** what it is, as a phrase for people: `manifest 2, position 2 of 3 on the accepted chain` */
  readonly what: string
  readonly ref?: string
  readonly verdict: { readonly status: Status, readonly code: VerdictCode, readonly meaning: string }
  readonly checks: readonly Check[]
  /** what it rests on */
  readonly because: readonly Explained[]
  /** references that would move a deferred verdict on */
  readonly missing?: readonly string[]
  readonly wayOut?: WayOut
  /** it stands earlier in the tree in full, or would lead too far: only its verdict is repeated */
  readonly brief?: true
}

export interface NodeParts {
  readonly ref?: string | undefined
  readonly checks?: readonly Check[]
  readonly because?: readonly Explained[]
  readonly wayOut?: WayOut | undefined
  readonly brief?: boolean
}

/** A node from a verdict: its checks stand first, then `parts.checks`. */
export function node (what: string, v: Pick<Verdict, 'code'> & Partial<Verdict>, parts: NodeParts = {}): Explained {
  const row = VERDICT_CODES.get(v.code)
  const { ref, wayOut } = parts
  return {
    what,
    ...(ref === undefined ? {} : { ref }),
    verdict: { status: v.status ?? row?.status ?? 'informational', code: v.code, meaning: row?.meaning ?? '' },
    checks: parts.brief === true ? [] : [...v.checks ?? [], ...parts.checks ?? []],
    because: parts.brief === true ? [] : parts.because ?? [],
    ...(v.missing === undefined || v.missing.length === 0 ? {} : { missing: v.missing }),
    ...(wayOut === undefined ? {} : { wayOut }),
    ...(parts.brief === true ? { brief: true } : {})
  }
}

export const check = (rule: string, ok: boolean, text: string): Check => ({ rule, ok, text })

export const short = (ref: string): string => `${ref.slice(0, 16)}…`

export const counted = (n: number, one: string, many = `${one}s`): string => `${n} ${n === 1 ? one : many}`
