/**
 * The directory that is gone after a reboot and that no disk image or backup holds (RULES L4): lane markers stand there, and sockets whose own path
 * would be too long. On Linux it lies on a memory file system. macOS and Windows have none that every user can write to: there it is a directory
 * named after this boot in the temp directory.
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { lstatSync, mkdirSync, realpathSync, statfsSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { errorCode } from './atomic-file.js'

/** What `statfs` says for tmpfs (linux/magic.h). */
const TMPFS_MAGIC = 0x01021994

/** What the choice of a directory depends on; tests put their own in. */
export interface RuntimeHost {
  readonly platform: NodeJS.Platform
  /** -1 where users have no numbers. */
  readonly uid: number
  /** Overrides the others when it is on a memory file system. */
  readonly chosen: string | undefined
  /** Places to look at, the best first. */
  readonly places: readonly string[]
  /** Something that is the same until the next reboot, or undefined when nobody can say. */
  readonly bootId: () => string | undefined
}

export function thisHost (env: NodeJS.ProcessEnv = process.env): RuntimeHost {
  const uid = userInfo().uid
  const { platform } = process
  const places = platform === 'linux' ? [env['XDG_RUNTIME_DIR'], `/run/user/${uid}`, '/dev/shm'] : [tmpdir()]
  return { platform, uid, chosen: env['DIAD_RUNTIME_DIR'], places: places.filter((p): p is string => p !== undefined && p !== ''), bootId }
}

/** Our own directory in the first usable place, made if missing, or undefined: then each process opens lanes of its own. */
export function runtimeDir (host: RuntimeHost = thisHost()): string | undefined {
  return runtimeDirs(host)[0]
}

/**
 * Our directories in every usable place. Which places are usable changes with the session (`/run/user/UID` comes and goes with a login), and a marker
 * must not be believed that another session would contradict: so markers are written to all of them and have to agree in all.
 */
export function runtimeDirs (host: RuntimeHost = thisHost()): string[] {
  const chosen = host.chosen === undefined || host.chosen === '' ? undefined : ownDirectory(host, host.chosen)
  if (chosen !== undefined) return [chosen]
  const found = new Set<string>()
  for (const place of host.places) {
    const own = ownDirectory(host, place)
    if (own !== undefined) found.add(own)
  }
  return [...found]
}

function ownDirectory (host: RuntimeHost, place: string): string | undefined {
  try {
    const parent = realpathSync.native(place)
    const name = host.uid < 0 ? 'diad' : `diad-${host.uid}`
    if (host.platform === 'linux') {
      return statfsSync(parent).type === TMPFS_MAGIC ? makeOwn(host, join(parent, name)) : undefined
    }
    const boot = host.bootId()
    const own = boot === undefined ? undefined : makeOwn(host, join(parent, name))
    return own === undefined ? undefined : makeOwn(host, join(own, createHash('sha256').update(boot!).digest('hex').slice(0, 16)))
  } catch {
    return undefined // not there, or not ours to write
  }
}

/** The place may be open to everybody, like /dev/shm: a directory or link that somebody else put under our name is not used. */
function makeOwn (host: RuntimeHost, path: string): string | undefined {
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (err) {
    if (errorCode(err) !== 'EEXIST') throw err
  }
  const info = lstatSync(path)
  if (!info.isDirectory()) return undefined
  if (host.uid >= 0 && (info.uid !== host.uid || (info.mode & 0o077) !== 0)) return undefined
  return path
}

let knownBoot: { id: string | undefined } | undefined

function bootId (): string | undefined {
  knownBoot ??= { id: askBootId() }
  return knownBoot.id
}

function askBootId (): string | undefined {
  const ask = (command: string, ...args: string[]): string | undefined => {
    const answer = execFileSync(command, args, { encoding: 'utf8', timeout: 10_000, stdio: ['ignore', 'pipe', 'ignore'], windowsHide: true }).trim()
    return answer === '' ? undefined : answer
  }
  try {
    if (process.platform === 'darwin') return ask('/usr/sbin/sysctl', '-n', 'kern.bootsessionuuid')
    if (process.platform === 'win32') {
      return ask('powershell.exe', '-NoProfile', '-NonInteractive', '-Command', '(Get-CimInstance Win32_OperatingSystem).LastBootUpTime.Ticks')
    }
    return undefined
  } catch {
    return undefined
  }
}
