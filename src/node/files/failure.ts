/** System errors of walking and writing directories as one clear line each: what, where, and what to do about it. */
import { showName } from '../../publication/names.js'
import { DiadError } from '../../substrate/errors.js'

/** The code of a system error (`ENOENT`), undefined for every other error. */
export function systemCode (err: unknown): string | undefined {
  return err instanceof Error && 'code' in err && 'syscall' in err && typeof err.code === 'string' ? err.code : undefined
}

/** What to throw when reading `path` failed: `unreadable`, `file-changed` (it went away under us), `path-too-long`; not a system error: itself. */
export function readFailure (err: unknown, path: string): Error {
  const code = systemCode(err)
  const options = { cause: err }
  switch (code) {
    case undefined: return err instanceof Error ? err : new Error(String(err), options)
    case 'EACCES':
    case 'EPERM': return new DiadError('unreadable', `no permission to read ${showName(path)}`, 'give yourself the permission, or leave it out', options)
    case 'ENOENT':
    case 'ENOTDIR':
    case 'ELOOP':
    case 'EISDIR': return fileChanged(path, 'was replaced or removed while it was read', options)
    case 'ENAMETOOLONG': return new DiadError('path-too-long', `the system can't open a path as long as ${showName(path)}`, 'start nearer to it', options)
    default: return new DiadError('unreadable', `can't read ${showName(path)} (${code})`, 'check the disk', options)
  }
}

/** What to throw when a file that a person named as input can't be read: `no-such-path`, `is-a-directory`, `unreadable`; not a system error: itself. */
export function inputFailure (err: unknown, path: string, hint = 'check the path'): Error {
  const options = { cause: err }
  switch (systemCode(err)) {
    case 'EISDIR': return new DiadError('is-a-directory', `${path} is a directory, not a file`, 'name the file itself', options)
    case 'ENOENT':
    case 'ENOTDIR': return new DiadError('no-such-path', `there is no file ${path}`, hint, options)
    default: return readFailure(err, path)
  }
}

/** {@link inputFailure} under the code that a command has for its own kind of file. */
export function inputFailureAs (code: string, err: unknown, path: string, what: string): DiadError {
  const failure = inputFailure(err, path)
  if (!(failure instanceof DiadError)) throw failure
  return new DiadError(code, `${what} can't be read: ${failure.message}`, failure.hint, { cause: err })
}

export function fileChanged (path: string, what: string, options?: ErrorOptions): DiadError {
  return new DiadError('file-changed', `${showName(path)} ${what}`, 'nothing was published; try again when nobody writes to it', options)
}

/** What to throw when writing `path` failed: `unwritable`, `disk-full`, `name-twins`, `name-unsupported`, `path-too-long`; not a system error: itself. */
export function writeFailure (err: unknown, path: string): Error {
  const code = systemCode(err)
  const options = { cause: err }
  switch (code) {
    case undefined: return err instanceof Error ? err : new Error(String(err), options)
    case 'EACCES':
    case 'EPERM': return new DiadError('unwritable', `no permission to write ${showName(path)}`, 'give yourself the permission, or name another place', options)
    case 'ENOENT': return new DiadError('unwritable', `can't write ${showName(path)}: its folder isn't there`, 'make it first', options)
    case 'ENOTDIR': return new DiadError('unwritable', `can't write ${showName(path)}: something above it is a file, not a directory`, 'name a place in a directory', options)
    case 'ENOSPC':
    case 'EDQUOT': return new DiadError('disk-full', `no room left to write ${showName(path)}`, 'nothing was left behind; make room and try again', options)
    case 'EFBIG': return new DiadError('disk-full', `${showName(path)} would be larger than a file may be here`, 'raise the size limit of files (ulimit -f), or check out to a file system without one', options)
    case 'EEXIST': return new DiadError('name-twins', `${showName(path)} is there already under a name that this file system takes for the same`, 'check out to another file system', options)
    case 'EINVAL': return new DiadError('name-unsupported', `this file system can't hold the name ${showName(path)}`, 'check out to another file system', options)
    case 'ENAMETOOLONG': return new DiadError('path-too-long', `the system can't hold a path as long as ${showName(path)}`, 'check out nearer to the root', options)
    default: return new DiadError('unwritable', `can't write ${showName(path)} (${code})`, 'check permissions and the disk', options)
  }
}
