/**
 * Room kept for a full disk, as a file in the store's folder. LevelDB writes when it opens (measured: four blocks of the file system, and a table where
 * the last process left a log), so without it a full disk could not even be read from, nor what a killed process left in the packs be given back.
 */
import { randomBytes } from 'node:crypto'
import { open, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'

const NAME = 'reserve'
/** bytes; the smaller one where there is no room for more */
const SIZES = [256 * 1024, 64 * 1024] as const

/** Sees to it that the reserve is there, as large as there is room for. A store without one is as good as any until the disk is full. */
export async function keepReserve (folder: string): Promise<void> {
  const path = join(folder, NAME)
  if (await sizeOf(path) >= SIZES[0]) return
  const file = await open(path, 'a', 0o600).catch(() => undefined)
  if (file === undefined) return
  try {
    const { size } = await file.stat()
    for (const wanted of SIZES) {
      if (size >= wanted) return
      try {
        // Random, so that no file system stores it in less.
        await file.appendFile(randomBytes(wanted - size))
        await file.sync()
        return
      } catch {
        await file.truncate(size)
      }
    }
  } catch {
    // The disk has worse troubles, of which whoever reads or writes the store hears.
  } finally {
    await file.close().catch(() => undefined)
  }
}

/** Gives the reserve up. Returns whether there was any. */
export async function freeReserve (folder: string): Promise<boolean> {
  const path = join(folder, NAME)
  if (await sizeOf(path) === 0) return false
  await rm(path, { force: true })
  return true
}

async function sizeOf (path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.size ?? 0
}
