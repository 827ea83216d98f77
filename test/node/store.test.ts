import { mkdir, mkdtemp, open, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openStore } from '../../src/node/store/open-store.js'
import { utf8 } from '../../src/substrate/bytes.js'
import type { Reference } from '../../src/substrate/reference.js'

let base: string
let folder: string

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'diad-store-'))
  folder = join(base, 'deep', 'store')
})
afterEach(() => rm(base, { recursive: true, force: true }))

/** Makes a store with two blocks and closes it. */
async function makeStore (): Promise<[Reference, Reference]> {
  const store = await openStore(folder, { create: true })
  const refs: [Reference, Reference] = [await store.blocks.put(undefined, utf8('first')), await store.blocks.put(7, utf8('second'))]
  await store.blocks.commit([{ type: 'put', key: utf8('head'), value: utf8('one') }])
  await store.close()
  return refs
}

async function damage (file: string, change: (bytes: Buffer) => void): Promise<void> {
  const bytes = await readFile(file)
  change(bytes)
  await writeFile(file, bytes)
}

const PACK = (): string => join(folder, 'packs', '000001.pack')

describe('openStore', () => {
  it('makes the layout, private to its owner, and finds everything again', async () => {
    await mkdir(folder, { recursive: true, mode: 0o755 })
    const [first, second] = await makeStore()
    expect((await readdir(folder)).sort()).toEqual(['FORMAT', 'index', 'packs', 'reserve'])
    expect(JSON.parse(await readFile(join(folder, 'FORMAT'), 'utf8'))).toEqual({ format: 'diad-store', version: 1 })
    for (const path of [folder, join(folder, 'index'), join(folder, 'packs')]) expect((await stat(path)).mode & 0o777).toBe(0o700)
    expect((await stat(PACK())).mode & 0o777).toBe(0o600)

    const store = await openStore(folder)
    expect(await store.blocks.get(first)).toEqual({ typeTag: undefined, payload: utf8('first') })
    expect(await store.blocks.get(second)).toEqual({ typeTag: 7, payload: utf8('second') })
    expect(store.kv.get(utf8('head'))).toEqual(utf8('one'))
    expect(store.kv.get(utf8('head'))?.constructor).toBe(Uint8Array) // no Buffer leaves the adapter
    await store.close()
    await store.close()
  })

  it('forgets what was not committed, also in the pack', async () => {
    const [first] = await makeStore()
    const size = (await stat(PACK())).size
    let store = await openStore(folder, { limits: { bufferBytes: 100 } })
    const refs: Reference[] = []
    for (let i = 0; i < 20; i++) refs.push(await store.blocks.put(i, new Uint8Array(80).fill(i)))
    await store.close()
    expect((await stat(PACK())).size).toBeGreaterThan(size)
    store = await openStore(folder)
    expect((await stat(PACK())).size).toBe(size)
    expect(refs.some((ref) => store.blocks.has(ref))).toBe(false)
    expect(store.blocks.has(first)).toBe(true)
    await store.close()
  })

  it('goes on with a creation that was cut off', async () => {
    await mkdir(folder, { recursive: true })
    await writeFile(join(folder, 'FORMAT.new'), '{"form')
    await (await openStore(folder, { create: true })).close()
    await rm(join(folder, 'index'), { recursive: true })
    await rm(join(folder, 'packs'), { recursive: true })
    await (await openStore(folder)).close()
  })

  const refusals: Array<[string, () => Promise<unknown>, boolean, string]> = [
    ['no folder', async () => undefined, false, 'no-store'],
    ['an empty folder, without create', () => mkdir(folder, { recursive: true }), false, 'no-store'],
    ['a folder with other things in it', async () => { await mkdir(folder, { recursive: true }); await writeFile(join(folder, 'letter.txt'), 'Dear') }, true, 'not-a-store'],
    ['a file', async () => { await mkdir(join(base, 'deep')); await writeFile(folder, '') }, true, 'not-a-store'],
    ['a newer format', async () => { await makeStore(); await writeFile(join(folder, 'FORMAT'), '{"format":"diad-store","version":2}') }, true, 'store-newer'],
    ['another format', async () => { await makeStore(); await writeFile(join(folder, 'FORMAT'), '{"format":"else","version":1}') }, false, 'store-damaged'],
    ['a FORMAT that is no JSON', async () => { await makeStore(); await writeFile(join(folder, 'FORMAT'), 'x') }, false, 'store-damaged'],
    ['a lost FORMAT', async () => { await makeStore(); await rm(join(folder, 'FORMAT')) }, true, 'store-damaged'],
    ['a lost index', async () => { await makeStore(); await rm(join(folder, 'index'), { recursive: true }) }, false, 'store-damaged'],
    ['a lost table of contents of the index', async () => { await makeStore(); await rm(join(folder, 'index', 'CURRENT')) }, false, 'store-damaged'],
    ['a CURRENT that points nowhere', async () => { await makeStore(); await writeFile(join(folder, 'index', 'CURRENT'), 'MANIFEST-999999\n') }, false, 'store-damaged']
  ]
  it.each(refusals)('%s: refused', async (_, prepare, create, code) => {
    await prepare()
    await expect(openStore(folder, { create })).rejects.toMatchObject({ name: 'DiadError', code, message: expect.stringContaining('store') })
  })

  it('leaves a newer store untouched', async () => {
    await makeStore()
    await writeFile(join(folder, 'FORMAT'), '{"format":"diad-store","version":2}')
    const before = await readdir(folder, { recursive: true })
    await openStore(folder).catch(() => undefined)
    expect(await readdir(folder, { recursive: true })).toEqual(before)
  })

  it('is refused while open, and opens again when closed', async () => {
    await makeStore()
    const store = await openStore(folder)
    await expect(openStore(folder)).rejects.toMatchObject({ code: 'store-busy' })
    await store.close()
    await (await openStore(folder)).close()
  })
})

describe('damage on disk', () => {
  it('finds a flipped bit, keeps the rest, takes the block again', async () => {
    const [first, second] = await makeStore()
    await damage(PACK(), (bytes) => { bytes[36 + 9 + 1]! ^= 4 })
    let store = await openStore(folder)
    await expect(store.blocks.get(first)).rejects.toMatchObject({ code: 'block-damaged' })
    expect([store.blocks.has(first), store.blocks.has(second)]).toEqual([false, true])
    await store.blocks.commit()
    await store.close()

    store = await openStore(folder)
    expect([...store.blocks.damaged]).toEqual([first])
    await store.blocks.put(undefined, utf8('first'))
    await store.blocks.commit()
    expect((await store.blocks.get(first))?.payload).toEqual(utf8('first'))
    expect(store.blocks.damaged.size).toBe(0)
    await store.close()
  })

  it('a shortened and a lost pack are damage of their blocks, not of the store', async () => {
    for (const harm of [() => truncate(PACK(), 60), () => rm(PACK())]) {
      const [, second] = await makeStore()
      await harm()
      const store = await openStore(folder)
      await expect(store.blocks.get(second)).rejects.toMatchObject({ code: 'block-damaged' })
      await store.blocks.put(7, utf8('second'))
      await store.blocks.commit()
      expect((await store.blocks.get(second))?.payload).toEqual(utf8('second'))
      await store.close()
      await rm(folder, { recursive: true })
    }
  })

  it('torn bytes after the durable end of a pack are cut off', async () => {
    const [first] = await makeStore()
    const size = (await stat(PACK())).size
    const file = await open(PACK(), 'a')
    await file.write(new Uint8Array(1000))
    await file.close()
    const store = await openStore(folder)
    expect((await stat(PACK())).size).toBe(size)
    expect(store.blocks.has(first)).toBe(true)
    await store.close()
  })
})

it('lists blocks in order, over more than one page of the index', async () => {
  const store = await openStore(folder, { create: true })
  const refs = new Set<string>()
  for (let i = 0; i < 2500; i++) refs.add(await store.blocks.put(i, new Uint8Array(0)))
  await store.blocks.commit()
  const listed: string[] = []
  for await (const [ref] of store.blocks.blocks()) listed.push(ref)
  expect(listed).toEqual([...refs].sort())
  await store.close()
})
