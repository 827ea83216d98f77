/**
 * Blocks → real files and directories. Whatever a Tree says, nothing is written outside of one fresh directory beside the destination, where each path
 * is made by us (mkdir; open with O_CREAT, O_EXCL and O_NOFOLLOW), and nothing is visible before it is complete and renamed. Links are written last in
 * their directory, as they are stored, and never followed. The umask doesn't matter. Source: DESIGN §3 Names, THREATS 30.
 */
import { chmodSync, closeSync, constants, copyFileSync, fchmodSync, linkSync, lstatSync, mkdirSync, openSync, readdirSync, realpathSync, renameSync, symlinkSync, writeSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { showName } from '../../publication/names.js'
import type { Entry, FileEntry, LinkEntry } from '../../publication/tree.js'
import { checkChild, contentChunks, readBlock, rootEntry, treeLeaves } from '../../publication/walk.js'
import type { Artifact } from '../../substrate/artifact.js'
import { DiadError } from '../../substrate/errors.js'
import type { Reference } from '../../substrate/reference.js'
import type { BlockReader } from '../../substrate/store.js'
import { systemCode, writeFailure } from './failure.js'
import { checkNames, type NameRules, probeNames } from './name-rules.js'
import { Pacer } from './pacer.js'
import { makePartial, releasePartial, removeLeftovers, removeTree } from './partial.js'

export interface CheckoutProgress {
  /** files and links written so far */
  files: number
  /** bytes of content written so far */
  bytes: number
}

export interface CheckoutOptions {
  signal?: AbortSignal | undefined
  onProgress?: ((progress: CheckoutProgress) => void) | undefined
  /** restore setuid, setgid and sticky too */
  specialModes?: boolean | undefined
  /** says what the target can hold; the default tries it out */
  probe?: ((directory: string) => NameRules) | undefined
}

export interface CheckedOut extends CheckoutProgress {
  /** where it stands now, absolute, without links in front of the last segment */
  path: string
  kind: 'file' | 'tree'
}

/** A store that reads many blocks at once does so for neighbouring small files. */
export interface CheckoutReader extends BlockReader {
  getMany?: (refs: readonly Reference[]) => Promise<Array<Artifact | undefined>>
}

/**
 * Writes what `root` names to `dest`, which must not exist or, for a directory, be an empty one.
 * Throws `dest-not-empty`, `not-found` (no parent directory), `content-malformed`, `content-missing`, `name-twins`, `name-unsupported`, `path-too-long`,
 * `disk-full`, `unwritable`; the signal's reason when aborted. Then `dest` is as it was and the partial directory is removed.
 */
export async function checkout (reader: CheckoutReader, root: { ref: Reference, mode: number }, dest: string, options: CheckoutOptions = {}): Promise<CheckedOut> {
  const top = await rootEntry(reader, root.ref, root.mode)
  const { parent, name, path } = place(dest)
  refuseOccupied(path, dest, top.kind)
  let partial: string
  try {
    await removeLeftovers(parent, name)
    partial = makePartial(parent, name)
  } catch (err) {
    throw writeFailure(err, dest)
  }
  try {
    // Whoever reads a message knows the destination; the partial directory is gone by then.
    const run = new CheckoutRun(reader, options, top.kind === 'dir' ? { from: partial, to: dest } : { from: join(partial, 'content'), to: dest })
    if (top.kind === 'dir') await run.intoDirectory(top.ref, top.mode, partial, options.probe ?? probeNames)
    else await run.file(join(partial, 'content'), top)
    options.signal?.throwIfAborted()
    if (top.kind === 'dir') move(partial, path, dest)
    else {
      moveFile(join(partial, 'content'), path, dest)
      await removeTree(partial)
    }
    return { path, kind: top.kind === 'dir' ? 'tree' : 'file', ...run.report() }
  } catch (err) {
    await removeTree(partial).catch(() => undefined)
    throw err
  } finally {
    releasePartial(partial)
  }
}

/** Files up to here are read ahead together, at most this many: what a lying Tree can make us hold is 64 blocks of 1 MiB. */
const AHEAD_SIZE = 64 * 1024
const AHEAD_FILES = 64

const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW

class CheckoutRun {
  readonly #reader: CheckoutReader
  readonly #pacer: Pacer
  readonly #modeBits: number
  readonly #onProgress: CheckoutOptions['onProgress']
  #files = 0
  #bytes = 0

  constructor (reader: CheckoutReader, { signal, onProgress, specialModes = false }: CheckoutOptions, private readonly place: { from: string, to: string }) {
    this.#reader = reader
    this.#onProgress = onProgress
    this.#modeBits = specialModes ? 0o7777 : 0o777
    this.#pacer = new Pacer(signal, () => this.report())
  }

  report (): CheckoutProgress {
    const progress = { files: this.#files, bytes: this.#bytes }
    this.#onProgress?.(progress)
    return progress
  }

  async intoDirectory (ref: Reference, mode: number, path: string, probe: (directory: string) => NameRules): Promise<void> {
    await checkNames(this.#reader, ref, this.#attempt(path, () => probe(path)), this.#pacer)
    await this.#fill(path, ref)
    this.#attempt(path, () => chmodSync(path, mode & this.#modeBits))
  }

  /** Writes the entries of `ref` into the empty directory `path`, which keeps mode 0700 until its caller gives it the real one. */
  async #fill (path: string, ref: Reference): Promise<void> {
    let links = false
    for await (const entries of treeLeaves(this.#reader, ref)) {
      const ahead = new Map<Entry, Artifact | undefined>()
      for (let i = 0; i < entries.length; i++) {
        if (this.#pacer.due()) await this.#pacer.turn()
        const e = entries[i] as Entry
        const at = `${path}/${e.name}`
        if (e.kind === 'link') {
          links = true
        } else if (e.kind === 'dir') {
          this.#attempt(at, () => mkdirSync(at, 0o700))
          await this.#fill(at, e.ref)
          this.#attempt(at, () => chmodSync(at, e.mode & this.#modeBits))
        } else {
          if (this.#reader.getMany !== undefined && e.size <= AHEAD_SIZE && !ahead.has(e)) await this.#readAhead(this.#reader.getMany.bind(this.#reader), entries, i, ahead)
          await this.file(at, e, ahead.get(e))
          ahead.delete(e)
        }
      }
    }
    // A second pass instead of a list: memory stays flat, and directories with links are small.
    if (links) await this.#links(path, ref)
  }

  async #readAhead (getMany: NonNullable<CheckoutReader['getMany']>, entries: readonly Entry[], from: number, ahead: Map<Entry, Artifact | undefined>): Promise<void> {
    const files: FileEntry[] = []
    for (let i = from; i < entries.length && files.length < AHEAD_FILES; i++) {
      const e = entries[i] as Entry
      if (e.kind === 'file' && e.size <= AHEAD_SIZE) files.push(e)
    }
    const found = await getMany(files.map((e) => e.ref))
    files.forEach((e, i) => ahead.set(e, found[i]))
  }

  async #links (path: string, ref: Reference): Promise<void> {
    for await (const entries of treeLeaves(this.#reader, ref)) {
      for (const e of entries) {
        if (e.kind !== 'link') continue
        if (this.#pacer.due()) await this.#pacer.turn()
        const at = `${path}/${e.name}`
        const target = targetOf(e, this.#shown(at))
        this.#attempt(at, () => symlinkSync(target, at))
        this.#files++
      }
    }
  }

  /** Writes a new file; `artifact` when its block was read already. */
  async file (path: string, e: FileEntry, artifact?: Artifact): Promise<void> {
    const block = artifact ?? await readBlock(this.#reader, e.ref)
    const expected = { type: 'content', size: e.size } as const
    // Before the file is made, so that a lie costs nothing.
    checkChild(block, expected)
    const fd = this.#attempt(path, () => openSync(path, NEW_FILE, 0o600))
    try {
      if (block.typeTag === undefined) {
        this.#write(fd, path, block.payload)
      } else {
        for await (const chunk of contentChunks(this.#reader, block, expected)) {
          this.#write(fd, path, chunk)
          if (this.#pacer.due()) await this.#pacer.turn()
        }
      }
      // Last, since writing to a file takes setuid and setgid away from it.
      this.#attempt(path, () => fchmodSync(fd, e.mode & this.#modeBits))
    } finally {
      closeSync(fd)
    }
    this.#files++
  }

  #write (fd: number, path: string, bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) at += this.#attempt(path, () => writeSync(fd, bytes, at, bytes.length - at))
    this.#bytes += bytes.length
  }

  #attempt<T> (path: string, call: () => T): T {
    try {
      return call()
    } catch (err) {
      throw writeFailure(err, this.#shown(path))
    }
  }

  /** Where `path` will stand. */
  #shown (path: string): string {
    const { from, to } = this.place
    return path.startsWith(from) ? to + path.slice(from.length) : path
  }
}

/** The destination with the links in front of it resolved once. */
function place (dest: string): { parent: string, name: string, path: string } {
  const absolute = resolve(dest)
  const name = basename(absolute)
  if (name === '') throw occupied(dest)
  let parent: string
  try {
    parent = realpathSync(dirname(absolute))
  } catch (err) {
    if (systemCode(err) === 'ENOENT') throw new DiadError('not-found', `can't write ${showName(dest)}: there is no directory to put it in`, `make ${showName(dirname(absolute))} first`, { cause: err })
    throw writeFailure(err, dest)
  }
  return { parent, name, path: join(parent, name) }
}

function refuseOccupied (path: string, dest: string, kind: 'file' | 'dir'): void {
  let free: boolean
  try {
    const stats = lstatSync(path, { throwIfNoEntry: false })
    free = stats === undefined || (kind === 'dir' && stats.isDirectory() && readdirSync(path).length === 0)
  } catch (err) {
    throw writeFailure(err, dest)
  }
  if (!free) throw occupied(dest)
}

function occupied (path: string): DiadError {
  return new DiadError('dest-not-empty', `${showName(path)} exists already`, 'name a path that does not exist, or, for a directory, an empty one')
}

/** The kernel refuses to rename over anything but an empty directory, so what came there meanwhile is safe. */
function move (from: string, to: string, dest: string): void {
  try {
    renameSync(from, to)
  } catch (err) {
    throw ['ENOTEMPTY', 'EEXIST', 'ENOTDIR'].includes(systemCode(err) ?? '') ? occupied(dest) : writeFailure(err, dest)
  }
}

/** A rename would replace a file that came there meanwhile; a hard link doesn't, nor does an exclusive copy where there are no hard links. */
function moveFile (from: string, to: string, dest: string): void {
  try {
    try {
      linkSync(from, to)
    } catch (err) {
      if (systemCode(err) === 'EEXIST') throw err
      copyFileSync(from, to, constants.COPYFILE_EXCL)
    }
  } catch (err) {
    throw systemCode(err) === 'EEXIST' ? occupied(dest) : writeFailure(err, dest)
  }
}

function targetOf (e: LinkEntry, path: string): Buffer {
  if (e.target.includes(0)) throw new DiadError('content-malformed', `the target of the link ${showName(path)} holds a NUL`, 'no system can make such a link; ask its publisher')
  return Buffer.from(e.target.buffer, e.target.byteOffset, e.target.length)
}
