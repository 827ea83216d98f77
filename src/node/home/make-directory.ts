/** Making the directories of a home, telling what went wrong in one line, and taking back what was made. */
import { lstatSync, mkdirSync, rmdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { DiadError } from '../../substrate/errors.js'
import { errorCode } from './atomic-file.js'

/**
 * Makes `path` and what is missing above it, mode 0700. Returns the first directory that was made, undefined when `path` was there. `option` is how the
 * person named it, for the hint. Throws DiadError `unwritable`. Not `mkdir -p` of Node.js: that one goes round for ever where a directory is there and
 * takes none (below /proc).
 */
export function makeDirectory (path: string, option?: string): string | undefined {
  const missing: string[] = []
  try {
    for (let at = path; !isDirectory(at) && dirname(at) !== at; at = dirname(at)) missing.push(at)
    for (const at of missing.reverse()) makeOne(at)
  } catch (err) {
    throw homeFailure(err, path, 'make', option)
  }
  return missing[0]
}

/** Removes the directories that {@link makeDirectory} made, from `path` up to `first`, as far as they are empty. */
export function removeMade (path: string, first: string | undefined): void {
  if (first === undefined) return
  try {
    for (let at = path; ; at = dirname(at)) {
      rmdirSync(at)
      if (at === first) return
    }
  } catch { /* somebody put something there: it stays */ }
}

/** Whether there is anything at `path`. Throws DiadError `unreadable` where that can't be found out. */
export function isThere (path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) !== undefined
  } catch (err) {
    if (errorCode(err) === 'ENOTDIR') return false
    throw homeFailure(err, path, 'read')
  }
}

/** What to throw when a directory of the home can't be made, or something in it can't be read. What is no system error stays as it is. */
export function homeFailure (err: unknown, path: string, doing: 'make' | 'read' | 'write', option?: string): Error {
  if (err instanceof DiadError) return err
  const code = errorCode(err)
  const options = { cause: err }
  const elsewhere = `name another place${option === undefined ? '' : ` with ${option}`}`
  switch (code) {
    case '': return err instanceof Error ? err : new Error(String(err), options)
    case 'ENOSPC':
    case 'EDQUOT': return new DiadError('disk-full', `no room left to write ${path}`, 'make room and try again', options)
    case 'EACCES':
    case 'EPERM': return new DiadError(doing === 'read' ? 'unreadable' : 'unwritable', `no permission to ${doing} ${path}`, `give yourself the permission, or ${elsewhere}`, options)
    case 'EROFS': return new DiadError('unwritable', `can't ${doing} ${path}: the file system is read-only`, elsewhere, options)
    case 'EEXIST':
    case 'ENOTDIR': return new DiadError('unwritable', `can't make the directory ${path}: ${fileOnTheWay(path)} is a file`, elsewhere, options)
    default: return new DiadError(doing === 'read' ? 'unreadable' : 'unwritable', `can't ${doing} ${path} (${code})`, `check the path, or ${elsewhere}`, options)
  }
}

/** The first thing on the way to `path` that is no directory. */
function fileOnTheWay (path: string): string {
  for (let at = path; dirname(at) !== at; at = dirname(at)) {
    try {
      lstatSync(at)
      return at
    } catch { /* not even that one is there */ }
  }
  return path
}

function isDirectory (path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
  } catch (err) {
    if (errorCode(err) === 'ENOTDIR') return false
    throw err
  }
}

function makeOne (path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (err) {
    // Another process was quicker.
    if (errorCode(err) !== 'EEXIST' || !isDirectory(path)) throw err
  }
}
