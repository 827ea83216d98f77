/** Small files that are there whole or not at all: written beside their place, made durable, then put there by one operation of the file system. */
import { randomBytes } from 'node:crypto'
import { closeSync, existsSync, fsyncSync, linkSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { writeFailure } from '../files/failure.js'

/** What a file system without hard links (FAT on a stick) says to link(). */
const NO_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EXDEV'])

/** The `code` of a system error, or ''. */
export function errorCode (err: unknown): string {
  return err instanceof Error && 'code' in err && typeof err.code === 'string' ? err.code : ''
}

/** Puts `data` at `path`, over whatever file is there. Durable on return. Throws what {@link writeFailure} makes of system errors. */
export function replaceFile (path: string, data: Uint8Array | string, mode = 0o600): void {
  inWords(path, () => { replace(path, data, mode) })
}

function replace (path: string, data: Uint8Array | string, mode: number): void {
  const temporary = writeBeside(path, data, mode)
  try {
    renameSync(temporary, path)
  } catch (err) {
    rmSync(temporary, { force: true })
    throw err
  }
  syncDirectory(dirname(path))
}

/** Puts `data` at `path` if nothing is there. Durable on return. Throws the system error `EEXIST` when something is; of others what {@link writeFailure} makes. */
export function createFile (path: string, data: Uint8Array | string, mode = 0o600): void {
  inWords(path, () => { create(path, data, mode) })
}

function create (path: string, data: Uint8Array | string, mode: number): void {
  const temporary = writeBeside(path, data, mode)
  try {
    // rename() would replace a file that another process put there meanwhile; link() refuses.
    linkSync(temporary, path)
  } catch (err) {
    if (!NO_LINKS.has(errorCode(err))) throw err
    if (existsSync(path)) throw Object.assign(new Error(`${path} exists`, { cause: err }), { code: 'EEXIST' })
    renameSync(temporary, path)
  } finally {
    rmSync(temporary, { force: true })
  }
  syncDirectory(dirname(path))
}

/** Whoever reads it knows `path`, not the file beside it. */
function inWords (path: string, work: () => void): void {
  try {
    work()
  } catch (err) {
    throw errorCode(err) === 'EEXIST' ? err : writeFailure(err, path)
  }
}

function writeBeside (path: string, data: Uint8Array | string, mode: number): string {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`
  const fd = openSync(temporary, 'wx', mode)
  try {
    writeFileSync(fd, data)
    fsyncSync(fd)
  } catch (err) {
    rmSync(temporary, { force: true })
    throw err
  } finally {
    closeSync(fd)
  }
  return temporary
}

/** Makes the names in a directory durable. Windows can't open a directory and needs no such call. */
export function syncDirectory (path: string): void {
  if (process.platform === 'win32') return
  const fd = openSync(path, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}
