/**
 * RULES L4: a process may go on with a lane only if a marker outside the store, void after a reboot, equals the store's own last head of it. A store
 * that was rolled back in place differs from its marker; a copy, a clone or a restore elsewhere has no marker, for the store's path is in its key; and
 * after a reboot there is none. Each of them opens a new lane, so honest recovery never forks an old one.
 *
 * Not caught, and left to `diad recover`: a memory snapshot of a running machine (it holds the markers too), and a store rolled back after runs with
 * and without `DIAD_RUNTIME_DIR` were mixed: set it always or never.
 */
import { createHash, randomBytes } from 'node:crypto'
import { readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DiadError } from '../substrate/errors.js'
import type { Hash, Reference } from '../substrate/reference.js'
import { type RuntimeHost, runtimeDirs, thisHost } from './home/runtime-dir.js'

/** Size and root of a lane's last head. */
export interface Marker {
  readonly size: number
  readonly root: Hash
}

const TEXT = /^diad-marker 1 ([1-9][0-9]{0,15}) ([0-9a-f]{64})\n$/

/** Whether the lane whose last head in the store is `head` may be continued (RULES L4). */
export function mayContinueLane (storePath: string, lane: Reference, head: Marker, host: RuntimeHost = thisHost()): boolean {
  const marker = readMarker(storePath, lane, host)
  return marker !== undefined && marker.size === head.size && marker.root === head.root
}

/** The marker of `lane` for the store at `storePath`. One that is unreadable, garbled, or missing in one of several places counts as none. */
export function readMarker (storePath: string, lane: Reference, host: RuntimeHost = thisHost()): Marker | undefined {
  const paths = markerPaths(storePath, lane, host)
  let agreed: string | undefined
  for (const path of paths) {
    let text: string
    try {
      text = readFileSync(path, 'latin1')
    } catch {
      return undefined
    }
    if (agreed !== undefined && text !== agreed) return undefined
    agreed = text
  }
  const match = agreed === undefined ? null : TEXT.exec(agreed)
  if (match === null) return undefined
  const size = Number(match[1])
  return Number.isSafeInteger(size) ? { size, root: match[2] as Hash } : undefined
}

/**
 * Puts the marker in place of the one before; written before the head leaves the process. Returns whether one stands now: false where there is no
 * memory file system or it is full, and then the next process opens a new lane. Throws DiadError `marker-failed` when an older marker can be neither
 * replaced nor removed: it would vouch for an older state, so the head must not leave.
 */
export function writeMarker (storePath: string, lane: Reference, marker: Marker, host: RuntimeHost = thisHost()): boolean {
  const paths = markerPaths(storePath, lane, host)
  const text = `diad-marker 1 ${marker.size} ${marker.root}\n`
  if (!TEXT.test(text)) throw new RangeError(`not a marker: ${JSON.stringify(text)}`)
  let written = 0
  for (const path of paths) if (replaceOrRemove(path, text)) written++
  return written > 0 && written === paths.length
}

function replaceOrRemove (path: string, text: string): boolean {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`
  try {
    // Nothing is synced: the file must outlive the process, never the machine.
    writeFileSync(temporary, text, { flag: 'wx', mode: 0o600 })
    renameSync(temporary, path)
    return true
  } catch (cause) {
    try {
      rmSync(temporary, { force: true })
      rmSync(path, { force: true })
      return false
    } catch {
      throw new DiadError('marker-failed', `the lane marker ${path} can be neither written nor removed`, 'check the owner and permissions of its directory', { cause })
    }
  }
}

/** One path for each runtime directory. A store that isn't there has none. */
function markerPaths (storePath: string, lane: Reference, host: RuntimeHost): string[] {
  let store: string
  try {
    store = realpathSync.native(storePath)
  } catch {
    return []
  }
  const key = createHash('sha256').update(`${store}\0${lane}`).digest('hex')
  return runtimeDirs(host).map((directory) => join(directory, `lane-${key}`))
}
