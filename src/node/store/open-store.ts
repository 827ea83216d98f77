/**
 * The store on disk. Layout of its folder (mode 0700):
 *
 *   FORMAT              {"format":"diad-store","version":1}
 *   index/              LevelDB; its lock is what makes one process own the store (THREATS 29)
 *   packs/NNNNNN.pack   the bytes of blocks, append-only
 *   reserve             room for a full disk; may be missing
 */
import { chmod, mkdir, open, readdir, readFile, rename } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { AudienceIndex } from '../../federation/audience.js'
import { DiadError } from '../../substrate/errors.js'
import { diskFailure, errorNumber } from '../../substrate/pack-failure.js'
import type { Compacted, CompactOptions } from '../../substrate/pack-compact.js'
import { PackStore, type PackStoreLimits } from '../../substrate/pack-store.js'
import type { Kv } from '../../substrate/ports.js'
import { FilePacks, syncFolder } from './file-log.js'
import { LevelKv } from './level-kv.js'
import { freeReserve, keepReserve } from './reserve.js'

const FORMAT = 'diad-store'
const VERSION = 1
const FOLDER_MODE = 0o700
/** FORMAT before its rename: all that an interrupted creation can leave in a folder without FORMAT */
const FRESH = 'FORMAT.new'

export interface StoreInit {
  /** make the store when there is none */
  readonly create?: boolean
  readonly limits?: Partial<PackStoreLimits>
}

/** An open store. One process at a time. */
export interface Store {
  /** absolute path */
  readonly folder: string
  readonly blocks: PackStore
  /** the map under the blocks. Write to it through `blocks.commit` or `blocks.enqueue` whatever must not be visible before the blocks are. */
  readonly kv: Kv
  readonly audience: AudienceIndex
  /** Gives back what discarded blocks and deleted entries take on the disk. As `PackStore.compact`. */
  compact: (options: CompactOptions) => Promise<Compacted>
  /** Gives the store free. What was not committed is gone. */
  close: () => Promise<void>
}

/**
 * Opens the store in `folder`. Throws DiadError: `no-store` (and not `create`), `not-a-store` (create in a folder that holds something else),
 * `store-newer`, `store-busy`, `store-damaged`, `disk-full`, `disk-error`.
 */
export async function openStore (folder: string, init: StoreInit = {}): Promise<Store> {
  const at = resolve(folder)
  try {
    await checkFormat(at, init.create === true)
    const packs = join(at, 'packs')
    const index = join(at, 'index')
    const made = [packs, index].map((path) => mkdir(path, { recursive: true, mode: FOLDER_MODE }))
    if ((await Promise.all(made)).some((path) => path !== undefined)) await syncFolder(at)
    // Asked before LevelDB is: without its CURRENT it would start anew and delete the tables that are still there.
    if ((await namesIn(packs)).length > 0 && !(await namesIn(index)).includes('CURRENT')) throw damaged(at, 'its index is missing or not whole')
    const kv = await openIndex(index, at)
    try {
      const blocks = await PackStore.open(kv, new FilePacks(packs), init.limits)
      await keepReserve(at)
      return new OpenStore(at, blocks, kv)
    } catch (err) {
      await kv.close()
      throw err
    }
  } catch (err) {
    throw diskFailure(err, `opening the store at ${at}`)
  }
}

/** On a full disk with the room of the reserve, so that what is held can be read and what was left in the packs is given back. */
async function openIndex (index: string, at: string): Promise<LevelKv> {
  try {
    return await LevelKv.open(index, at)
  } catch (err) {
    if (!(err instanceof DiadError) || err.code !== 'disk-full' || !(await freeReserve(at))) throw err
    return await LevelKv.open(index, at)
  }
}

class OpenStore implements Store {
  readonly audience: AudienceIndex
  #closing: Promise<void> | undefined

  constructor (readonly folder: string, readonly blocks: PackStore, readonly kv: LevelKv) {
    this.audience = new AudienceIndex(kv)
  }

  async compact (options: CompactOptions): Promise<Compacted> {
    const compacted = await this.blocks.compact(options)
    await this.kv.compact()
    return compacted
  }

  close (): Promise<void> {
    this.#closing ??= this.blocks.close().finally(() => this.kv.close())
    return this.#closing
  }
}

/** FORMAT is looked at before anything of the store is touched, so that an older program can't harm a newer store. */
async function checkFormat (folder: string, create: boolean): Promise<void> {
  const text = await readIfThere(join(folder, 'FORMAT'))
  if (text === undefined) {
    const names = await namesIn(folder)
    if (names.includes('index') || names.includes('packs')) throw damaged(folder, 'its file FORMAT is missing')
    if (!create) throw new DiadError('no-store', `there is no store at ${folder}`, 'make one with `diad init --name NAME`, or say where it is')
    await makeFormat(folder, names)
    return
  }
  const version = formatVersion(text)
  if (version === undefined) throw damaged(folder, 'its file FORMAT says something else than the format of a store')
  if (version > VERSION) {
    throw new DiadError('store-newer', `the store at ${folder} has format version ${version}, this program knows up to ${VERSION}`, 'use a newer diad. Nothing was changed.')
  }
}

async function makeFormat (folder: string, names: string[]): Promise<void> {
  const foreign = names.find((name) => name !== FRESH)
  if (foreign !== undefined) {
    throw new DiadError('not-a-store', `${folder} is not a store and not empty (it holds "${foreign}")`, 'choose an empty folder, or one that does not exist yet')
  }
  await mkdir(folder, { recursive: true, mode: FOLDER_MODE })
  await chmod(folder, FOLDER_MODE) // it may have been there, open to everyone
  const fresh = join(folder, FRESH)
  const file = await open(fresh, 'w', 0o600)
  try {
    await file.writeFile(`${JSON.stringify({ format: FORMAT, version: VERSION })}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(fresh, join(folder, 'FORMAT'))
  await syncFolder(folder)
  await syncFolder(dirname(folder))
}

function formatVersion (text: string): number | undefined {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null || !('format' in value) || !('version' in value)) return undefined
    const { format, version } = value
    return format === FORMAT && typeof version === 'number' && Number.isSafeInteger(version) && version >= 1 ? version : undefined
  } catch {
    return undefined
  }
}

function damaged (folder: string, why: string): DiadError {
  return new DiadError('store-damaged', `the store at ${folder} is damaged: ${why}`, 'restore that file or the whole folder from a backup, or set the folder aside')
}

async function readIfThere (path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (err) {
    const number = errorNumber(err)
    if (number === 'ENOENT' || number === 'ENOTDIR') return undefined
    throw err
  }
}

async function namesIn (folder: string): Promise<string[]> {
  try {
    return await readdir(folder)
  } catch (err) {
    if (errorNumber(err) === 'ENOENT') return []
    if (errorNumber(err) === 'ENOTDIR') throw new DiadError('not-a-store', `${folder} is a file, not a folder`, 'say where the store is', { cause: err })
    throw err
  }
}
