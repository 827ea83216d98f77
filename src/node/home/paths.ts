/** Where everything stands in a home directory. One table, so that the guide, `doctor` and the code can't differ. */
import { createHash } from 'node:crypto'
import { lstatSync, mkdirSync, realpathSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join, resolve } from 'node:path'
import { DiadError } from '../../substrate/errors.js'
import { runtimeDir, type RuntimeHost, thisHost } from './runtime-dir.js'

export interface HomePaths {
  readonly root: string
  /** `home.json`: what this directory is; see home.ts. */
  readonly config: string
  /** Name of the libp2p node key in `root` (`node.key`, `node.pub`): never encrypted, for a daemon starts unattended and a PeerId proves nothing. */
  readonly nodeKeyName: string
  /** Hot keys: `root_key`, `principal`, … */
  readonly keys: string
  /** Cold keys, until they are moved to where they belong. */
  readonly offline: string
  /** Artifacts, lanes and indexes; one process owns it. */
  readonly store: string
  /** The readable projection of the own domain; see projection.ts. */
  readonly domain: string
  readonly petnames: string
  /** names of principals; see principal-names.ts */
  readonly principals: string
}

export function homePaths (root: string): HomePaths {
  return {
    root,
    config: join(root, 'home.json'),
    nodeKeyName: 'node',
    keys: join(root, 'keys'),
    offline: join(root, 'offline'),
    store: join(root, 'store'),
    domain: join(root, 'domain'),
    petnames: join(root, 'petnames.json'),
    principals: join(root, 'principals.json')
  }
}

/** `sun_path` has 108 bytes on Linux and 104 on macOS, the zero at its end included. */
const MAX_SOCKET_BYTES = 103

/**
 * The control socket of the daemon of `home`: `diad.sock` in it, or, where that path is too long for a socket, a name derived from it in the runtime
 * directory or the temp directory. Any way of writing the home's path gives the same socket. Throws DiadError `socket-path`.
 */
export function socketPath (home: string, host: RuntimeHost = thisHost()): string {
  let real: string
  try {
    real = realpathSync.native(home)
  } catch {
    real = resolve(home)
  }
  const name = createHash('sha256').update(real).digest('hex').slice(0, 32)
  if (host.platform === 'win32') return `\\\\.\\pipe\\diad-${name}`
  const candidates = [join(real, 'diad.sock')]
  if (Buffer.byteLength(candidates[0]!) > MAX_SOCKET_BYTES) {
    candidates.shift()
    for (const directory of [runtimeDir(host), privateTemporary()]) if (directory !== undefined) candidates.push(join(directory, `${name}.sock`))
  }
  const fitting = candidates.find((path) => Buffer.byteLength(path) <= MAX_SOCKET_BYTES)
  if (fitting === undefined) {
    throw new DiadError('socket-path', `no place for the control socket: every path is longer than ${MAX_SOCKET_BYTES} bytes or not ours`, 'give the home directory a shorter path')
  }
  return fitting
}

/** A directory in the temp directory that nobody else can put a socket into. */
function privateTemporary (): string | undefined {
  const uid = userInfo().uid
  const path = join(tmpdir(), `diad-${uid}`)
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 })
    const info = lstatSync(path)
    return info.isDirectory() && info.uid === uid && (info.mode & 0o077) === 0 ? path : undefined
  } catch {
    return undefined
  }
}
