/** The daemon's Unix socket as a file: who answers there, and how it is bound so that only its owner may connect. */
import { lstat, unlink } from 'node:fs/promises'
import { connect } from 'node:net'
import type { Server } from 'node:http'
import { DiadError } from '../../substrate/errors.js'

/** `absent`: no file; `stale`: left behind by a process that died; `live`: somebody accepts connections. */
export type SocketState = 'absent' | 'stale' | 'live'

/** Bytes of a socket's path: sun_path has 108 on Linux and 104 elsewhere, one of them for the closing NUL. */
const PATH_BYTES = process.platform === 'linux' ? 107 : 103

/** Throws DiadError `unreadable` when the socket belongs to somebody else. */
export async function socketState (path: string): Promise<SocketState> {
  // Node.js 20 cuts a longer path off without a word, and two homes would meet at one socket.
  if (Buffer.byteLength(path) > PATH_BYTES) {
    throw new DiadError('malformed', `the path of the daemon's socket has more than ${PATH_BYTES} bytes: ${path}`, 'choose a home with a shorter path')
  }
  // connect() succeeds as soon as the kernel queues us, so a daemon that is busy still counts as live.
  const code = await new Promise<string | undefined>((resolve) => {
    const probe = connect(path)
    probe.once('connect', () => {
      probe.destroy()
      resolve(undefined)
    })
    probe.once('error', (err: NodeJS.ErrnoException) => resolve(err.code ?? err.message))
  })
  switch (code) {
    case undefined:
    case 'EAGAIN': // its queue is full: very much alive
      return 'live'
    case 'ENOENT':
    case 'ENOTDIR':
      return 'absent'
    case 'ECONNREFUSED':
    case 'ENOTSOCK':
      return 'stale'
    case 'EACCES':
    case 'EPERM':
      throw new DiadError('unreadable', `the daemon's socket ${path} belongs to another user`, 'run the command as the user who owns this home')
    default:
      throw new DiadError('store-busy', `the daemon's socket ${path} can't be reached: ${code}`, 'stop the daemon and try again')
  }
}

/**
 * Binds `server` to `path` with mode 0600, in the place of a stale socket if there is one. Call it only while holding the store's lock: of two
 * daemons that start at once the lock lets one through, so nobody's fresh socket is taken for a stale one.
 *
 * Throws DiadError `store-busy` when a live daemon answers there or something other than a socket stands there.
 */
export async function listenOnSocket (server: Server, path: string): Promise<void> {
  const state = await socketState(path)
  if (state === 'live') {
    throw new DiadError('store-busy', `another daemon already serves ${path}`, 'stop it first, or give this one a --home of its own')
  }
  if (state === 'stale') {
    if (!(await lstat(path)).isSocket()) {
      throw new DiadError('store-busy', `${path} is in the way of the daemon's socket and isn't one`, 'move that file away')
    }
    await unlink(path)
  }
  await new Promise<void>((resolve, reject) => {
    server.once('error', (err: NodeJS.ErrnoException) => {
      if (err.code === 'EADDRINUSE') reject(new DiadError('store-busy', `another daemon already serves ${path}`, 'stop it first, or give this one a --home of its own'))
      else reject(new DiadError('store-busy', `the daemon's socket ${path} can't be made: ${err.code ?? err.message}`, 'see that the home can be written', { cause: err }))
    })
    // bind() happens inside of listen(), before it returns, so the mask holds for the socket file alone and there is no moment at which
    // somebody else could connect, as there would be between listen() and chmod().
    const mask = process.umask(0o177)
    try {
      server.listen(path, resolve)
    } finally {
      process.umask(mask)
    }
  })
}
