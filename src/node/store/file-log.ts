/** The log port on files: packs/NNNNNN.pack. */
import * as fs from 'node:fs'
import { open as openFile, readdir, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { errorNumber } from '../../substrate/pack-failure.js'
import type { Log, Packs } from '../../substrate/ports.js'

// The callback functions on a descriptor: about a third cheaper a call than a FileHandle.
const open = promisify(fs.open)
const close = promisify(fs.close)
const fstat = promisify(fs.fstat)
const ftruncate = promisify(fs.ftruncate)
const fdatasync = promisify(fs.fdatasync)
const fileMode = 0o600

function write (fd: number, bytes: Uint8Array, from: number, position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.write(fd, bytes, from, bytes.length - from, position, (err, n) => { if (err === null) resolve(n); else reject(err) })
  })
}

function read (fd: number, bytes: Uint8Array, from: number, position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.read(fd, bytes, from, bytes.length - from, position, (err, n) => { if (err === null) resolve(n); else reject(err) })
  })
}

class FileLog implements Log {
  readonly #fd: number
  #size: number

  private constructor (fd: number, size: number) {
    this.#fd = fd
    this.#size = size
  }

  static async open (path: string, create: boolean): Promise<FileLog> {
    const fd = await open(path, fs.constants.O_RDWR | (create ? fs.constants.O_CREAT : 0), fileMode)
    try {
      return new FileLog(fd, (await fstat(fd)).size)
    } catch (err) {
      await close(fd)
      throw err
    }
  }

  get size (): number {
    return this.#size
  }

  async append (bytes: Uint8Array): Promise<void> {
    let done = 0
    try {
      while (done < bytes.length) done += await write(this.#fd, bytes, done, this.#size + done)
    } finally {
      // A full disk takes a part: that has to be known to be cut off.
      this.#size += done
    }
  }

  async read (offset: number, length: number): Promise<Uint8Array> {
    // Clamped first, so that a damaged index can't make us allocate more than the log holds.
    const bytes = new Uint8Array(Math.max(0, Math.min(length, this.#size - offset)))
    let done = 0
    while (done < bytes.length) {
      const n = await read(this.#fd, bytes, done, offset + done)
      if (n === 0) return bytes.subarray(0, done)
      done += n
    }
    return bytes
  }

  async sync (): Promise<void> {
    await fdatasync(this.#fd)
  }

  async truncate (size: number): Promise<void> {
    await ftruncate(this.#fd, size)
    this.#size = size
  }

  async close (): Promise<void> {
    await close(this.#fd)
  }
}

export class FilePacks implements Packs {
  readonly #folder: string

  constructor (folder: string) {
    this.#folder = folder
  }

  async list (): Promise<number[]> {
    const names = await readdir(this.#folder)
    return names.filter((n) => /^\d{6,10}\.pack$/.test(n)).map((n) => Number.parseInt(n, 10)).sort((a, b) => a - b)
  }

  async open (pack: number): Promise<Log | undefined> {
    try {
      return await FileLog.open(this.#path(pack), false)
    } catch (err) {
      if (errorNumber(err) === 'ENOENT') return undefined
      throw err
    }
  }

  async create (pack: number): Promise<Log> {
    const log = await FileLog.open(this.#path(pack), true)
    // A file is only there after a crash if its folder's entry is.
    await syncFolder(this.#folder)
    return log
  }

  async remove (pack: number): Promise<void> {
    try {
      await unlink(this.#path(pack))
    } catch (err) {
      if (errorNumber(err) === 'ENOENT') return
      throw err
    }
    await syncFolder(this.#folder)
  }

  #path (pack: number): string {
    return join(this.#folder, `${pack.toString().padStart(6, '0')}.pack`)
  }
}

/** Makes the names inside `folder` durable. */
export async function syncFolder (folder: string): Promise<void> {
  const handle = await openFile(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
