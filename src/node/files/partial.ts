/**
 * The fresh directory beside a destination into which a checkout writes before it is renamed: `.<name>.diad-<process id>-<random>`, mode 0700, so that
 * nobody else can plant anything in it. One that a killed run left behind is removed by the next checkout to the same destination.
 */
import { createHash, randomBytes } from 'node:crypto'
import { chmodSync, type Dirent, lstatSync, mkdtempSync, readdirSync, rmdirSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { systemCode } from './failure.js'
import { Pacer } from './pacer.js'

/** Bytes of a destination's name that are kept; a longer one is replaced by its hash, since the whole must stay below 255. */
const NAME_KEPT = 200

/** Partial directories that checkouts of this process are writing. */
const active = new Set<string>()

/** A new empty directory in `parent`; throws the system's error. */
export function makePartial (parent: string, name: string): string {
  const path = mkdtempSync(join(parent, `${stem(name)}${process.pid}-`))
  active.add(path)
  return path
}

/** To be called when the partial directory or file was renamed or its removal is somebody else's. */
export function releasePartial (path: string): void {
  active.delete(path)
}

/**
 * Removes what killed checkouts to `name` left in `parent`: directories only (never a link), named by our pattern, owned by this user, and whose
 * process is gone. What can't be removed stays, it is in nobody's way.
 */
export async function removeLeftovers (parent: string, name: string): Promise<void> {
  const start = stem(name)
  for (const entry of entriesOf(parent)) {
    if (!entry.isDirectory() || !entry.name.startsWith(start)) continue
    const match = /^(?:([0-9]+)-)?[A-Za-z0-9]{6}$/.exec(entry.name.slice(start.length))
    const path = join(parent, entry.name)
    if (match === null || active.has(path) || isAlive(match[1])) continue
    try {
      const stats = lstatSync(path)
      if (stats.isDirectory() && (process.getuid === undefined || stats.uid === process.getuid())) await removeTree(path)
    } catch (err) {
      if (systemCode(err) === undefined) throw err
    }
  }
}

/** The path of a fresh partial file for `name` in `parent`, by the same pattern and with `.part` behind it. */
export function partialFile (parent: string, name: string): string {
  const path = join(parent, `${stem(name)}${process.pid}-${randomBytes(3).toString('hex')}.part`)
  active.add(path)
  return path
}

/** As {@link removeLeftovers}, of partial files. */
export function removeLeftFiles (parent: string, name: string): void {
  const start = stem(name)
  let entries: Dirent[]
  try {
    entries = entriesOf(parent)
  } catch {
    return // what writes there says what is wrong
  }
  for (const entry of entries) {
    const match = entry.isFile() && entry.name.startsWith(start) ? /^([0-9]+)-[0-9a-f]{6}\.part$/.exec(entry.name.slice(start.length)) : null
    const path = join(parent, entry.name)
    if (match === null || active.has(path) || isAlive(match[1])) continue
    try {
      if (process.getuid === undefined || lstatSync(path).uid === process.getuid()) unlinkSync(path)
    } catch (err) {
      if (systemCode(err) === undefined) throw err
    }
  }
}

/** Removes a directory of ours, whatever modes and names it holds, and never follows a link. */
export async function removeTree (path: string | Buffer, pacer = new Pacer(undefined)): Promise<void> {
  chmodSync(path, 0o700)
  // Names as bytes: somebody else may have put one there that is not UTF-8.
  for (const entry of readdirSync(path, { withFileTypes: true, encoding: 'buffer' })) {
    if (pacer.due()) await pacer.turn()
    const below = Buffer.concat([Buffer.from(path), Buffer.from('/'), entry.name])
    if (entry.isDirectory()) await removeTree(below, pacer)
    else unlinkSync(below)
  }
  rmdirSync(path)
}

/** None where the directory may be written and not listed: then nothing can be cleaned up, and a checkout is still fine. */
function entriesOf (directory: string): Dirent[] {
  try {
    return readdirSync(directory, { withFileTypes: true })
  } catch (err) {
    if (systemCode(err) === 'EACCES') return []
    throw err
  }
}

function stem (name: string): string {
  const short = Buffer.byteLength(name) <= NAME_KEPT ? name : createHash('sha256').update(name).digest('hex').slice(0, 32)
  return `.${short}.diad-`
}

function isAlive (pid: string | undefined): boolean {
  if (pid === undefined) return false
  // Our own number with a path that isn't active: an earlier process, in a container that counts from 1 at each start.
  if (Number(pid) === process.pid) return false
  try {
    process.kill(Number(pid), 0)
    return true
  } catch (err) {
    return systemCode(err) === 'EPERM'
  }
}
