/** Bundles as files of this machine: read as a stream, written beside their place and then renamed, so that a stick holds the old one or the new one. */
import { constants, rmSync } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { DiadError } from '../../../substrate/errors.js'
import type { CommandIo } from '../../command.js'
import { inputFailure, writeFailure } from '../../files/failure.js'
import { partialFile, releasePartial, removeLeftFiles } from '../../files/partial.js'
import { syncDirectory } from '../../home/atomic-file.js'

const READ_BYTES = 256 * 1024
/** pieces smaller than a block of the disk are gathered to this many bytes */
const WRITE_BYTES = 256 * 1024

/** The bytes of `file`, or of standard input for `-`. Throws DiadError `no-input`, `no-such-path`, `is-a-directory`, `unreadable`. */
export function bytesOf (file: string, io: CommandIo): AsyncIterable<Uint8Array> {
  if (file !== '-') return bytesOfFile(file)
  if (io.input === undefined) throw new DiadError('no-input', 'there is nothing on standard input', 'pipe the bundle in, or name a file')
  return io.input
}

async function * bytesOfFile (path: string): AsyncGenerator<Uint8Array, void, undefined> {
  const handle = await opened(path)
  try {
    for (;;) {
      // A buffer of its own each time: what was read from it may still be looked at.
      const buffer = new Uint8Array(READ_BYTES)
      const { bytesRead } = await handle.read(buffer, 0, READ_BYTES, null).catch((err: unknown) => { throw inputFailure(err, path) })
      if (bytesRead === 0) return
      yield buffer.subarray(0, bytesRead)
    }
  } finally {
    await handle.close()
  }
}

async function opened (path: string): ReturnType<typeof open> {
  try {
    return await open(path, constants.O_RDONLY)
  } catch (err) {
    throw inputFailure(err, path, 'name a bundle, or - for standard input')
  }
}

/**
 * Durable on return; on any failure what was at `path` is still there. `check` is asked before the file takes its place, with what was
 * written. Throws DiadError `disk-full`, `unwritable`, and what `pieces` and `check` throw.
 */
export async function writeBundle (path: string, pieces: AsyncIterable<Uint8Array>, check: (written: string) => Promise<void>): Promise<void> {
  removeLeftFiles(dirname(path), basename(path))
  const temporary = partialFile(dirname(path), basename(path))
  // Ctrl-C twice ends the process without another turn of the loop.
  const atExit = (): void => { rmSync(temporary, { force: true }) }
  process.once('exit', atExit)
  const failed = (err: unknown): never => { throw writeFailure(err, path) }
  try {
    const handle = await open(temporary, 'wx', 0o600).catch(failed)
    try {
      const gathered = new Uint8Array(WRITE_BYTES)
      let length = 0
      const flush = async (): Promise<void> => {
        if (length > 0) await handle.writeFile(gathered.subarray(0, length)).catch(failed)
        length = 0
      }
      for await (const piece of pieces) {
        if (length + piece.length > WRITE_BYTES) await flush()
        if (piece.length > WRITE_BYTES) await handle.writeFile(piece).catch(failed)
        else {
          gathered.set(piece, length)
          length += piece.length
        }
      }
      await flush()
      await handle.sync().catch(failed)
    } finally {
      await handle.close()
    }
    await check(temporary)
    await rename(temporary, path).catch(failed)
    syncDirectory(dirname(path))
  } catch (err) {
    await rm(temporary, { force: true })
    throw err
  } finally {
    releasePartial(temporary)
    process.off('exit', atExit)
  }
}
