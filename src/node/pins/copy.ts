/**
 * Pins where there is no ZFS: a read-only copy of the domain root, `HOME/seals/NNNN/root`, with its digests in `SHA256SUMS` beside it, put into place as a
 * whole. Against accidents, and so that a change is found; its owner can make it writable again.
 */
import { randomBytes } from 'node:crypto'
import { chmodSync, closeSync, copyFileSync, existsSync, fsyncSync, lstatSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { DiadError } from '../../substrate/errors.js'
import { syncDirectory } from '../home/atomic-file.js'
import { PIN_NAME, type Pin, type PinDriver, type PlannedPin } from './driver.js'
import { differences, formatSums, sha256, sumsOf, walkFiles } from './sums.js'

const ROOT = 'root'
const SUMS = 'SHA256SUMS'
const FILE_MODE = 0o444
const FOLDER_MODE = 0o555

export class CopyPins implements PinDriver {
  readonly kind = 'copy'

  /** `domainRoot` = what is copied, `folder` = where the copies stand. */
  constructor (private readonly domainRoot: string, private readonly folder: string) {}

  plan (name: string, number: number): PlannedPin {
    if (!PIN_NAME.test(name)) throw new DiadError('malformed', `${JSON.stringify(name)} can't be the name of a pin`, 'use up to 64 letters, digits, dots, dashes and underscores')
    return { kind: 'copy', at: join(this.folder, String(number).padStart(4, '0')), tag: '', inside: ROOT }
  }

  async pin (planned: PlannedPin): Promise<Pin> {
    const target = this.ours(planned)
    if (existsSync(target)) throw new DiadError('seal-exists', `${target} is there already`, 'give it free with `diad domain unseal`, or move it away')
    this.sweep(target)
    const fresh = `${target}.${randomBytes(6).toString('hex')}.tmp`
    try {
      mkdirSync(fresh, { mode: 0o700 })
      const wanted = sumsOf(this.domainRoot)
      copyTree(this.domainRoot, join(fresh, ROOT))
      const list = formatSums(wanted)
      writeFileSync(join(fresh, SUMS), list)
      sealTree(fresh)
      // What was written is read back: a copy that isn't one must not be called sealed.
      const wrong = differences(join(fresh, ROOT), wanted)
      if (wrong.length > 0) throw new DiadError('seal-failed', `the copy differs from the domain root: ${wrong[0] ?? ''}`, 'nothing else may write to the domain root meanwhile; run the command again')
      renameSync(fresh, target)
      syncDirectory(this.folder)
      return { ...planned, identity: sha256(list) }
    } catch (err) {
      removeTree(fresh)
      throw err
    }
  }

  async check (pin: Pin): Promise<string[]> {
    const target = this.ours(pin)
    let list: string
    try {
      list = readFileSync(join(target, SUMS), 'utf8')
    } catch {
      return [existsSync(target) ? `${target} has no ${SUMS}` : `${target} is gone`]
    }
    if (sha256(list) !== pin.identity) return [`${SUMS} was changed`]
    const sums = new Map(list.split('\n').filter((l) => l !== '').map((l) => [l.slice(68), l.slice(0, 64)]))
    const out = differences(join(target, ROOT), sums)
    for (const name of readdirSync(target)) if (name !== ROOT && name !== SUMS) out.push(`${name} was added beside the root`)
    const open: string[] = []
    const look = (path: string): void => { if ((lstatSync(join(target, path)).mode & 0o222) !== 0) open.push(path === '' ? '.' : path) }
    if (out.length === 0) walkFiles(target, look, look)
    if (open.length > 0) out.push(`it is writable again: ${open.slice(0, 5).join(', ')}${open.length > 5 ? ` and ${open.length - 5} more` : ''}`)
    return out
  }

  readable (pin: Pin): string | undefined {
    const path = join(this.ours(pin), ROOT)
    return existsSync(path) ? path : undefined
  }

  async release (pin: PlannedPin): Promise<'removed' | 'kept'> {
    const target = this.ours(pin)
    this.sweep(target)
    if (existsSync(target)) {
      // Renamed first: half a copy must not look like a whole one.
      const gone = `${target}.${randomBytes(6).toString('hex')}.tmp`
      renameSync(target, gone)
      removeTree(gone)
      syncDirectory(this.folder)
    }
    return 'removed'
  }

  /** What a killed process left while it made this one. */
  private sweep (target: string): void {
    for (const name of readdirSync(this.folder)) {
      if (name.startsWith(`${basename(target)}.`) && name.endsWith('.tmp')) removeTree(join(this.folder, name))
    }
  }

  /** The place comes from a record on disk: looked at before anything is removed there. */
  private ours (pin: PlannedPin): string {
    const at = join(this.folder, basename(pin.at))
    if (!/^\d{4,8}$/.test(basename(at))) throw new DiadError('seal-damaged', 'the record of a seal names no copy of ours', `look into ${dirname(at)}; the record can be deleted by hand`)
    return at
  }
}

function copyTree (from: string, to: string): void {
  walkFiles(from,
    (path) => copyFileSync(join(from, path), join(to, path)),
    (path) => { mkdirSync(join(to, path), { mode: 0o700 }) })
}

/** Durable, then read-only, the inner folders before the outer ones. */
function sealTree (root: string): void {
  const folders: string[] = []
  walkFiles(root, (path) => {
    const fd = openSync(join(root, path), 'r')
    try {
      fsyncSync(fd)
    } finally {
      closeSync(fd)
    }
    chmodSync(join(root, path), FILE_MODE)
  }, (path) => folders.push(join(root, path)))
  for (const folder of folders.reverse()) {
    syncDirectory(folder)
    chmodSync(folder, FOLDER_MODE)
  }
}

/** Whatever its modes; nothing where there is nothing. Links in it aren't followed. */
function removeTree (root: string): void {
  if (lstatSync(root, { throwIfNoEntry: false })?.isDirectory() === true) openUp(root)
  rmSync(root, { recursive: true, force: true })
}

function openUp (folder: string): void {
  chmodSync(folder, 0o700)
  for (const entry of readdirSync(folder, { withFileTypes: true })) if (entry.isDirectory()) openUp(join(folder, entry.name))
}
