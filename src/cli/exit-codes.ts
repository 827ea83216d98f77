/**
 * What the process ends with, in one table. Part of the contract for scripts:
 *
 *     0 done · 1 internal · 2 usage or bad input · 3 deferred or not found · 4 rejected or void · 5 contested
 *     6 store busy, newer or damaged · 130 interrupted
 */
import { type Status, VERDICT_CODES, type VerdictCode } from '../authority/verdict.js'

export const EXIT = {
  done: 0,
  internal: 1,
  usage: 2,
  notFound: 3,
  rejected: 4,
  contested: 5,
  store: 6,
  interrupted: 130
} as const
export type Exit = typeof EXIT[keyof typeof EXIT]

const BY_STATUS: Readonly<Record<Status, Exit>> = {
  accepted: EXIT.done,
  informational: EXIT.done,
  deferred: EXIT.notFound,
  rejected: EXIT.rejected,
  void: EXIT.rejected,
  contested: EXIT.contested
}

/** Codes of errors. What stands neither here nor among the verdict codes is the person's to mend: 2. */
const BY_CODE: ReadonlyMap<string, Exit> = new Map<string, Exit>([
  ...row(EXIT.internal, 'internal', 'daemon-gone', 'already-started', 'not-started'),
  // These are verdict codes as well; as an error they say that the request can't be carried out.
  ...row(EXIT.usage, 'malformed', 'role-missing', 'role-not-allowed', 'out-of-scope', 'policy-unsupported', 'principal-returns', 'root-key-reused'),
  ...row(EXIT.notFound, 'deferred', 'not-found', 'not-held', 'over-quota', 'unknown-domain-name', 'peer-timeout', 'peer-unreachable', 'peer-self', 'peer-gone', 'timeout', 'busy', 'not-taken', 'not-moved', 'unknown-principal'),
  ...row(EXIT.rejected, 'rejected', 'void', 'content-malformed'),
  ...row(EXIT.store, 'store-busy', 'store-newer', 'store-damaged', 'store-closed', 'home-newer', 'home-damaged', 'petnames-damaged', 'names-damaged', 'commitment-damaged', 'drills-damaged', 'block-damaged', 'disk-error'),
  ...row(EXIT.interrupted, 'interrupted', 'cancelled')
])

function row (exit: Exit, ...codes: string[]): Array<[string, Exit]> {
  return codes.map((code) => [code, exit])
}

/** The exit code of an error's code. */
export function exitOfCode (code: string): Exit {
  const known = BY_CODE.get(code)
  if (known !== undefined) return known
  const verdict = VERDICT_CODES.get(code as VerdictCode)
  return verdict === undefined ? EXIT.usage : BY_STATUS[verdict.status]
}

/** From harmless to grave; of several results the gravest counts. */
const GRAVITY: readonly Exit[] = [EXIT.done, EXIT.notFound, EXIT.contested, EXIT.rejected]

/** The exit code of a result: by its `status`, where it has one; of a list, the gravest. */
export function exitOfResult (result: unknown): Exit {
  const all = Array.isArray(result) ? result as unknown[] : [result]
  let worst: Exit = EXIT.done
  for (const one of all) {
    const status = typeof one === 'object' && one !== null && 'status' in one ? one.status : undefined
    if (typeof status !== 'string' || !Object.hasOwn(BY_STATUS, status)) continue
    const exit = BY_STATUS[status as Status]
    if (GRAVITY.indexOf(exit) > GRAVITY.indexOf(worst)) worst = exit
  }
  return worst
}
