/**
 * Where an export may be written. It takes the place of an earlier one, so that a weekly one needs no new name; anything else that lies there may be the
 * only copy of a key, or somebody's work. What an earlier one may hold that the new one lacks: earlier.ts.
 */
import { closeSync, lstatSync, openSync, readSync, statSync } from 'node:fs'
import { carHeader } from '../../../substrate/car.js'
import { equalBytes } from '../../../substrate/bytes.js'
import { DiadError } from '../../../substrate/errors.js'
import type { Reference } from '../../../substrate/reference.js'
import { systemCode, writeFailure } from '../../files/failure.js'
import { demandOutside } from '../../home/outside.js'

/**
 * Whether `path` may be written: nothing is there, or `what`, as `fits` says. Throws DiadError `file-exists`, and `inside-home` for a place in any home's
 * directory.
 */
export function demandPlace (path: string, what: string, fits: (path: string) => boolean): void {
  demandOutside(path)
  if (!isTaken(path)) return
  // Looked at before it is opened: opening a named pipe waits for its other end.
  if (statSync(path, { throwIfNoEntry: false })?.isFile() === true && fits(path)) return
  throw new DiadError('file-exists', `${path} exists and is not a ${what} of this domain`, 'nothing was written; name another file, or move this one away')
}

/** That nothing is called `path` yet. Throws as {@link demandPlace}. */
export function demandFree (path: string): void {
  demandOutside(path)
  if (isTaken(path)) throw new DiadError('file-exists', `${path} exists already, and may be the only copy of somebody's work`, 'nothing was written; name another file')
}

/** Whether anything is called so. Throws what {@link writeFailure} makes of a place that can't be looked at. */
function isTaken (path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined
  } catch (err) {
    throw writeFailure(err, path)
  }
}

/** By its header, which names the domain: one that was cut off may be written anew. */
export function isBundleOf (path: string, domain: Reference): boolean {
  const wanted = carHeader(domain)
  const found = new Uint8Array(wanted.length)
  let fd: number | undefined
  try {
    fd = openSync(path, 'r')
    return readSync(fd, found, 0, found.length, 0) === found.length && equalBytes(found, wanted)
  } catch (err) {
    if (systemCode(err) === undefined) throw err
    return false
  } finally {
    if (fd !== undefined) closeSync(fd)
  }
}
