/**
 * Calling `zfs`: an argument list and never a shell, fixed language and time zone, a time limit on each call. OpenZFS and zfs-fuse word the heads of
 * their messages differently, so the ends are matched.
 */
import { execFile } from 'node:child_process'
import { DiadError } from '../../substrate/errors.js'

export interface ZfsAnswer {
  /** exit code; -1 when it was ended by a signal */
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs `zfs` with these words. Throws DiadError `zfs-missing`, `zfs-timeout`. */
export type RunZfs = (words: readonly string[]) => Promise<ZfsAnswer>

/** 12 ms a command here; a pool that scrubs or resilvers can take seconds. */
const TIMEOUT_MS = 60_000
const MAX_OUTPUT_BYTES = 16 * 1024 * 1024
/** Where `zfs` lies on the systems that have it; a person's PATH may lack them. */
const PLACES = ['/usr/local/sbin', '/usr/sbin', '/sbin']

export const runZfs: RunZfs = async (words) => await new Promise((resolve, reject) => {
  const path = [process.env['PATH'], ...PLACES].filter((p) => p !== undefined && p !== '').join(':')
  const env = { PATH: path, LC_ALL: 'C', TZ: 'UTC' }
  const child = execFile('zfs', words, { env, encoding: 'utf8', maxBuffer: MAX_OUTPUT_BYTES, windowsHide: true }, (err, stdout, stderr) => {
    clearTimeout(timer)
    if (err !== null && typeof err.code === 'string') reject(new DiadError('zfs-missing', `zfs can't be run (${err.code})`, 'install the ZFS tools, or put the home on another file system', { cause: err }))
    else resolve({ code: err === null ? 0 : typeof err.code === 'number' ? err.code : -1, stdout, stderr })
  })
  // The process may hang in the kernel, where no signal reaches it: then nobody waits for it any longer.
  const timer = setTimeout(() => {
    child.kill('SIGKILL')
    child.unref()
    reject(new DiadError('zfs-timeout', `zfs ${words[0] ?? ''} gave no answer in ${TIMEOUT_MS / 1000} s`, 'look at `zpool status` and the system log'))
  }, TIMEOUT_MS)
})

export type ZfsFault = 'snapshot-exists' | 'tag-exists' | 'tag-missing' | 'missing' | 'busy' | 'denied' | 'full' | 'backend-gone' | 'other'

const TAILS: ReadonlyArray<readonly [string, ZfsFault]> = [
  ['dataset already exists', 'snapshot-exists'],
  ['tag already exists on this dataset', 'tag-exists'],
  ['no such tag on this dataset', 'tag-missing'],
  ['dataset does not exist', 'missing'],
  ['could not find any snapshots to destroy; check snapshot names.', 'missing'],
  ['dataset is busy', 'busy'],
  ['permission denied', 'denied'],
  ['out of space', 'full'],
  ['failed to initialize ZFS library', 'backend-gone'],
  ['The ZFS modules are not loaded.', 'backend-gone']
]

/** What went wrong, by how one of the lines ends: usage may follow the message. */
export function zfsFault (stderr: string): ZfsFault {
  const lines = stderr.split('\n').map((line) => line.trimEnd())
  for (const [tail, fault] of TAILS) if (lines.some((line) => line === tail || line.endsWith(`: ${tail}`))) return fault
  return 'other'
}

/** As an error for the person; `doing` completes "zfs can't …". */
export function zfsError (doing: string, answer: ZfsAnswer): DiadError {
  const fault = zfsFault(answer.stderr)
  const said = answer.stderr.split('\n').find((line) => line.trim() !== '')?.trim() ?? `exit code ${answer.code}`
  const hint = HINTS.get(fault) ?? 'look at `zpool status`'
  return new DiadError(`zfs-${fault}`, `zfs can't ${doing}: ${said.slice(0, 300)}`, hint)
}

const HINTS: ReadonlyMap<ZfsFault, string> = new Map<ZfsFault, string>([
  ['denied', 'run as root, or let root delegate it: zfs allow USER snapshot,hold,release,mount,destroy DATASET'],
  ['backend-gone', 'start ZFS (its kernel module or its daemon) and run the command again'],
  ['full', 'make room in the pool'],
  ['snapshot-exists', 'choose another name with --pin'],
  ['busy', 'somebody else holds it too: zfs holds shows who']
])

/** Rows of `-H` output: one line each, columns separated by tabs. */
export function zfsRows (stdout: string): string[][] {
  return stdout.split('\n').filter((line) => line !== '').map((line) => line.split('\t'))
}
