/** Failures of the disk as DiadErrors with stable codes: `disk-full`, `disk-error`. */
import { DiadError } from './errors.js'

/** The operating system's name of what went wrong (`ENOSPC`), looked for along the causes. LevelDB says it in words only. */
export function errorNumber (err: unknown): string | undefined {
  for (let e: unknown = err, depth = 0; e instanceof Error && depth < 5; e = e.cause, depth++) {
    const code = (e as { code?: unknown }).code
    if (typeof code === 'string' && /^E[A-Z0-9]+$/.test(code)) return code
    for (const [words, name] of WORDS) if (words.test(e.message)) return name
  }
  return undefined
}

const WORDS: ReadonlyArray<readonly [RegExp, string]> = [
  [/no space left on device/i, 'ENOSPC'],
  [/file too large/i, 'EFBIG'],
  [/disk quota exceeded/i, 'EDQUOT'],
  [/read-only file system/i, 'EROFS'],
  [/permission denied/i, 'EACCES'],
  [/too many open files/i, 'EMFILE'],
  [/input\/output error/i, 'EIO']
]

const HINTS = new Map([
  ['EROFS', 'The file system is mounted read-only. Mount it read-write, then try again.'],
  ['EACCES', 'Check who owns the store and which rights you have there.'],
  ['EMFILE', 'Raise the limit of open files (ulimit -n).'],
  ['EIO', 'The disk reports an error. Look at the system log and make a copy of the store before anything else.']
])

/** `err` as a DiadError; `doing` completes "the disk failed while …". A DiadError passes unchanged. */
export function diskFailure (err: unknown, doing: string): DiadError {
  if (err instanceof DiadError) return err
  const number = errorNumber(err)
  if (number === 'ENOSPC' || number === 'EDQUOT') {
    return new DiadError('disk-full', `the disk is full: ${doing} failed`, 'Nothing that was acknowledged is lost. Free some space, then try again.', { cause: err })
  }
  if (number === 'EFBIG') {
    return new DiadError('disk-full', `a limit on the size of files was reached: ${doing} failed`, 'nothing that was acknowledged is lost; raise the limit (ulimit -f), then try again', { cause: err })
  }
  const why = number ?? (err instanceof Error ? err.message : String(err))
  return new DiadError('disk-error', `the disk failed while ${doing} (${why})`, HINTS.get(number ?? '') ?? 'Nothing that was acknowledged is lost. Look at the system log.', { cause: err })
}
