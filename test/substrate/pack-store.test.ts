import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeArtifact, referenceOf, referenceOfArtifactBytes } from '../../src/substrate/artifact.js'
import { equalBytes, readU32, utf8, writeU32 } from '../../src/substrate/bytes.js'
import { LIMITS } from '../../src/substrate/limits.js'
import { PackStore } from '../../src/substrate/pack-store.js'
import type { Kv, KvOp, Log, Packs } from '../../src/substrate/ports.js'
import type { Reference } from '../../src/substrate/reference.js'
import { SimDisk } from '../../sim/world/disk.js'

/** Small enough that a test crosses every boundary: several buffers a pack, several packs, barriers of its own. */
const TINY = { packBytes: 1500, bufferBytes: 300, waitingBytes: 600, barrierBytes: 1200, barrierEntries: 10 }

/** A payload of up to 400 bytes that is different for each number. */
function payload (n: number): Uint8Array {
  const out = new Uint8Array(4 + (n * 37) % 400).fill(n & 0xff)
  writeU32(out, 0, n)
  return out
}

const tagOf = (n: number): number | undefined => n % 3 === 0 ? undefined : n

const refOf = (n: number): Reference => referenceOf(tagOf(n), payload(n))

async function collect<T> (items: AsyncIterable<T>): Promise<T[]> {
  const out: T[] = []
  for await (const item of items) out.push(item)
  return out
}

describe('put and get', () => {
  const cases: Array<[string, number | undefined, number]> = [
    ['untagged, empty', undefined, 0],
    ['tag 0 is not untagged', 0, 0],
    ['tagged', 0x0d1a0011, 5],
    ['larger than the buffer', undefined, 700],
    ['larger than a pack', 7, 2000],
    ['the largest block', undefined, LIMITS.payloadBytes]
  ]
  it.each(cases)('%s: the same before the commit, after it and after reopening', async (_, typeTag, length) => {
    const disk = new SimDisk()
    const store = await PackStore.open(disk.kv, disk.packs, TINY)
    const bytes = new Uint8Array(length).fill(9)
    await store.put(1, utf8('something in front'))
    const ref = await store.put(typeTag, bytes)
    expect(ref).toBe(referenceOf(typeTag, bytes))
    const check = async (s: PackStore): Promise<void> => {
      expect(s.has(ref)).toBe(true)
      expect(s.stat(ref)).toEqual({ typeTag, length })
      const got = await s.get(ref)
      expect(got?.typeTag).toBe(typeTag)
      expect(equalBytes(got?.payload ?? new Uint8Array(1), bytes)).toBe(true) // toEqual takes seconds for a megabyte
    }
    await check(store)
    await store.commit()
    await check(store)
    await store.close()
    await check(await PackStore.open(disk.kv, disk.packs, TINY))
  })

  it('stores a block once, whether the first is pending, being committed, committed or of an earlier run', async () => {
    const disk = new SimDisk()
    const size = (): number => [...disk.files.values()].reduce((n, f) => n + f.size, 0)
    let store = await PackStore.open(disk.kv, disk.packs)
    await store.put(1, payload(300))
    await store.put(1, payload(300))
    const committed = store.commit()
    for (let tick = 0; tick < 20; tick++) {
      store.putNow(1, payload(300))
      await Promise.resolve()
    }
    await committed
    const once = size()
    await store.put(1, payload(300))
    await store.commit()
    await store.close()
    store = await PackStore.open(disk.kv, disk.packs)
    await store.put(1, payload(300))
    expect(store.putArtifactBytes(referenceOf(1, payload(300)), encodeArtifact({ typeTag: 1, payload: payload(300) }))).toBe(true)
    await store.commit()
    expect(size()).toBe(once)
    expect(once).toBe(36 + 13 + payload(300).length)
  })

  it('keeps what was hashed when the caller changes its array afterwards', async () => {
    const disk = new SimDisk()
    const store = await PackStore.open(disk.kv, disk.packs)
    const bytes = new Uint8Array([1, 2, 3])
    const ref = await store.put(undefined, bytes)
    bytes.fill(0)
    expect((await store.get(ref))?.payload).toEqual(new Uint8Array([1, 2, 3]))
  })

  it('refuses a payload above the block limit', async () => {
    const disk = new SimDisk()
    const store = await PackStore.open(disk.kv, disk.packs)
    await expect(store.put(undefined, new Uint8Array(LIMITS.payloadBytes + 1))).rejects.toMatchObject({ code: 'malformed' })
  })

  it('getMany gives each its own, in the order asked, from buffer and disk, and undefined for strangers', async () => {
    const disk = new SimDisk()
    const store = await PackStore.open(disk.kv, disk.packs, { ...TINY, barrierBytes: 1e9, barrierEntries: 1e9 })
    for (let n = 0; n < 20; n++) await store.put(tagOf(n), payload(n))
    await store.commit()
    for (let n = 20; n < 30; n++) await store.put(tagOf(n), payload(n))
    const order = [25, 3, 99, 0, 29, 28, 3, 19, 12, 13, 14, 20]
    const got = await store.getMany(order.map(refOf))
    expect(got).toEqual(order.map((n) => n === 99 ? undefined : { typeTag: tagOf(n), payload: payload(n) }))
  })
})

describe('bytes from elsewhere (THREATS 1)', () => {
  const good = encodeArtifact({ typeTag: 5, payload: utf8('good') })
  const notAnArtifact = utf8('no artifact at all')
  const cases: Array<[string, Reference, Uint8Array, boolean]> = [
    ['their own name', referenceOfArtifactBytes(good), good, true],
    ['another name', referenceOf(5, utf8('other')), good, false],
    ['the same payload under another tag', referenceOf(6, utf8('good')), good, false],
    ['one byte more', referenceOfArtifactBytes(good), new Uint8Array([...good, 0]), false],
    ['the right name of bytes that are no artifact', referenceOfArtifactBytes(notAnArtifact), notAnArtifact, false]
  ]
  it.each(cases)('%s', async (_, name, bytes, kept) => {
    const disk = new SimDisk()
    const store = await PackStore.open(disk.kv, disk.packs)
    expect(store.putArtifactBytes(name, bytes)).toBe(kept)
    expect(store.has(name)).toBe(kept)
    await store.commit()
    expect((await collect(store.blocks())).map(([ref]) => ref)).toEqual(kept ? [name] : [])
  })
})

describe('a disk that lies', () => {
  it('finds a flipped bit on reading, sets the block aside, takes it again', async () => {
    const disk = new SimDisk()
    let store = await PackStore.open(disk.kv, disk.packs)
    const refs = [1, 2, 3].map((n) => store.putNow(tagOf(n), payload(n)))
    const [, bad] = refs as [Reference, Reference, Reference]
    await store.commit()
    disk.flip(1, 36 + 13 + payload(1).length + 36 + 20)

    await expect(store.get(bad)).rejects.toMatchObject({ code: 'block-damaged', message: expect.stringContaining(bad) as string })
    expect([store.has(bad), store.stat(bad), await store.get(bad)]).toEqual([false, undefined, undefined])
    expect(await store.getMany(refs)).toMatchObject([{ typeTag: 1 }, undefined, { typeTag: undefined }])
    await store.close()

    store = await PackStore.open(disk.kv, disk.packs)
    expect([...store.damaged]).toEqual([bad])
    expect(store.has(bad)).toBe(false)
    await store.put(tagOf(2), payload(2))
    await store.commit()
    expect((await store.get(bad))?.payload).toEqual(payload(2))
    await store.close()

    store = await PackStore.open(disk.kv, disk.packs)
    expect(store.damaged.size).toBe(0)
    expect((await store.get(bad))?.payload).toEqual(payload(2))
  })

  it('getMany sets aside the damaged one and gives the others', async () => {
    const disk = new SimDisk()
    const store = await PackStore.open(disk.kv, disk.packs)
    const refs = [1, 2, 3].map((n) => store.putNow(tagOf(n), payload(n)))
    await store.commit()
    disk.flip(1, 36 + 2)
    expect((await store.getManyBytes(refs)).map((b) => b?.length)).toEqual([undefined, 13 + payload(2).length, 9 + payload(3).length])
    expect(refs.map((r) => store.has(r))).toEqual([false, true, true])
  })

  it('replaces a damaged block put again before its removal was written', async () => {
    const disk = new SimDisk()
    const store = await PackStore.open(disk.kv, disk.packs)
    const ref = await store.put(1, payload(1))
    await store.commit()
    disk.flip(1, 40)
    // Another barrier is being written, so that the removal and the new entry meet in the next one.
    await store.put(1, payload(2))
    const other = store.commit()
    await store.getMany([ref])
    await store.put(1, payload(1))
    await Promise.all([other, store.commit()])
    expect((await store.get(ref))?.payload).toEqual(payload(1))
    expect((await (await PackStore.open(disk.kv, disk.packs)).get(ref))?.payload).toEqual(payload(1))
  })

  it('goes on in a new pack when the last one lost synced bytes', async () => {
    const disk = new SimDisk()
    let store = await PackStore.open(disk.kv, disk.packs)
    const lost = await store.put(1, payload(11))
    await store.commit()
    await store.close()
    const log = await disk.packs.open(1)
    await log?.truncate(10)
    store = await PackStore.open(disk.kv, disk.packs)
    const fresh = await store.put(1, payload(12))
    await store.commit()
    await expect(store.get(lost)).rejects.toMatchObject({ code: 'block-damaged' })
    expect((await store.get(fresh))?.payload).toEqual(payload(12))
    expect([...disk.files.keys()]).toEqual([1, 2])
  })

  it('refuses packs that the index has never heard of, and leaves them alone', async () => {
    const disk = new SimDisk()
    const store = await PackStore.open(disk.kv, disk.packs)
    await store.put(1, payload(1))
    await store.commit()
    disk.map.clear()
    await expect(PackStore.open(disk.kv, disk.packs)).rejects.toMatchObject({ code: 'store-damaged' })
    expect(disk.files.get(1)?.size).toBeGreaterThan(0)
  })
})

describe('a disk that refuses', () => {
  const cases: Array<['append' | 'sync' | 'batch' | 'create', string, string]> = [
    ['append', 'ENOSPC', 'disk-full'], ['sync', 'EIO', 'disk-error'], ['batch', 'ENOSPC', 'disk-full'], ['create', 'EROFS', 'disk-error']
  ]
  it.each(cases)('%s fails with %s: %s, nothing half-visible, reads go on, reopening is clean', async (kind, number, code) => {
    const disk = new SimDisk()
    const store = await PackStore.open(disk.kv, disk.packs, TINY)
    const before = await store.put(1, payload(200))
    await store.commit([{ type: 'put', key: utf8('head'), value: utf8('old') }])

    disk.failing.set(kind, number)
    // Enough bytes to reach the next pack, so that `create` is asked too.
    const lost: Reference[] = []
    const work = async (): Promise<void> => {
      for (let n = 0; n < 40; n++) lost.push(await store.put(n, new Uint8Array(100)))
      await store.commit([{ type: 'put', key: utf8('head'), value: utf8('new') }])
    }
    await expect(work()).rejects.toMatchObject({ code })
    expect(store.failure?.code).toBe(code)
    disk.failing.clear()
    await expect(store.put(1, payload(5))).rejects.toMatchObject({ code })
    await expect(store.commit()).rejects.toMatchObject({ code })
    expect(() => store.enqueue({ type: 'del', key: utf8('head') })).toThrow(store.failure)
    expect((await store.get(before))?.payload).toEqual(payload(200))
    const durable = new Set((await collect(store.blocks())).map(([ref]) => ref))
    expect(lost.filter((ref) => store.has(ref))).toEqual(lost.filter((ref) => durable.has(ref)))
    expect(lost.every((ref) => durable.has(ref))).toBe(false)
    await store.close()

    const again = await PackStore.open(disk.kv, disk.packs, TINY)
    expect(disk.kv.get(utf8('head'))).toEqual(utf8('old'))
    await again.put(1, payload(5))
    await again.commit()
    for (const [ref] of await collect(again.blocks())) expect(await again.get(ref)).toBeDefined()
  })
})

describe('a disk that is full gets back what no index names', () => {
  const sizes = (disk: SimDisk): number[] => [...disk.files.values()].map((f) => f.size)
  const key = utf8('head')

  async function filled (disk: SimDisk, kv = disk.kv, packs = disk.packs): Promise<{ store: PackStore, before: Reference, durable: number[] }> {
    const store = await PackStore.open(kv, packs, { ...TINY, barrierBytes: 1e9, barrierEntries: 1e9 })
    const before = await store.put(1, payload(200))
    await store.commit()
    return { store, before, durable: sizes(disk) }
  }

  async function overfill (store: PackStore): Promise<void> {
    for (let n = 0; n < 40; n++) await store.put(n, new Uint8Array(100))
    await store.commit([{ type: 'put', key, value: utf8('new') }])
  }

  it.each(['append', 'create', 'sync'] as const)('%s fails, after several packs began: cut to what was durable, without opening again', async (kind) => {
    const disk = new SimDisk()
    const { store, before, durable } = await filled(disk)
    // Some goes well first.
    for (let n = 100; n < 106; n++) await store.put(n, new Uint8Array(100))
    disk.failing.set(kind, 'ENOSPC')
    await expect(overfill(store)).rejects.toMatchObject({ code: 'disk-full' })
    await store.close()
    expect(sizes(disk).reduce((a, b) => a + b)).toBe(durable[0])
    disk.failing.clear()
    const again = await PackStore.open(disk.kv, disk.packs, TINY)
    expect((await again.get(before))?.payload).toEqual(payload(200))
    await overfill(again)
    for (const [ref] of await collect(again.blocks())) expect(await again.get(ref)).toBeDefined()
  })

  it('a batch that was written although it failed keeps every byte that it names', async () => {
    const disk = new SimDisk()
    let full = false
    const kv: Kv = {
      ...disk.kv,
      batch: async (ops, sync) => {
        await disk.kv.batch(ops, sync)
        if (full) throw Object.assign(new Error('the sync failed'), { code: 'ENOSPC' })
      }
    }
    const { store } = await filled(disk, kv)
    full = true
    await expect(overfill(store)).rejects.toMatchObject({ code: 'disk-full' })
    await store.close()
    const again = await PackStore.open(disk.kv, disk.packs, TINY)
    expect(again.failure).toBeUndefined()
    const refs = (await collect(again.blocks())).map(([ref]) => ref)
    expect([disk.kv.get(key), refs.length]).toEqual([utf8('new'), 41])
    for (const ref of refs) expect(await again.get(ref)).toBeDefined()
    expect(again.damaged.size).toBe(0)
  })

  it.each(['sync', 'batch'] as const)('a barrier in its %s while a later append fails is kept, and only what comes after it goes', async (held) => {
    const disk = new SimDisk()
    let holding = false
    let isHeld = false
    let go = (): void => undefined
    const hold = async (step: typeof held): Promise<void> => {
      if (!holding || step !== held) return
      holding = false
      await new Promise<void>((resolve) => { go = resolve; isHeld = true })
    }
    const kv: Kv = { ...disk.kv, batch: async (ops, sync) => { await hold('batch'); await disk.kv.batch(ops, sync) } }
    const packs: Packs = {
      ...disk.packs,
      create: async (pack) => {
        const log = await disk.packs.create(pack)
        return Object.create(log, { sync: { value: async () => { await hold('sync'); await log.sync() } } }) as Log
      }
    }
    const { store } = await filled(disk, kv, packs)
    const kept = await store.put(2, payload(201))
    holding = true
    const committed = store.commit([{ type: 'put', key, value: utf8('one') }])
    while (!isHeld) await Promise.resolve()
    const durable = sizes(disk)
    // Some of what comes after it is appended, then no more.
    store.putNow(3, new Uint8Array(150))
    store.putNow(3, new Uint8Array(160))
    while (sizes(disk).join() === durable.join()) await Promise.resolve()
    disk.failing.set('append', 'ENOSPC')
    const later = async (): Promise<void> => { for (let n = 0; n < 40; n++) await store.put(n, new Uint8Array(100)) }
    await expect(later()).rejects.toMatchObject({ code: 'disk-full' })
    // Time enough for a cut that doesn't wait.
    for (let turn = 0; turn < 100; turn++) await Promise.resolve()
    go()
    await committed
    await store.close()
    expect(sizes(disk)).toEqual(durable)
    disk.failing.clear()
    const again = await PackStore.open(disk.kv, disk.packs, TINY)
    expect((await again.get(kept))?.payload).toEqual(payload(201))
    expect(disk.kv.get(key)).toEqual(utf8('one'))
  })

  it('a cut that fails harms nothing: the next open makes it', async () => {
    const disk = new SimDisk()
    const { store, before, durable } = await filled(disk)
    await store.put(50, new Uint8Array(100))
    await store.put(51, new Uint8Array(200))
    disk.failing.set('sync', 'ENOSPC').set('truncate', 'EIO')
    await expect(overfill(store)).rejects.toMatchObject({ code: 'disk-full' })
    await store.close()
    expect(sizes(disk).reduce((a, b) => a + b)).toBeGreaterThan(durable[0] as number)
    disk.failing.clear()
    const again = await PackStore.open(disk.kv, disk.packs, TINY)
    expect(sizes(disk).reduce((a, b) => a + b)).toBe(durable[0])
    expect((await again.get(before))?.payload).toEqual(payload(200))
  })

  it('whatever step the power goes at, the cut included, what was promised is there', async () => {
    let begun = 0
    const run = async (disk: SimDisk, cutAt: number): Promise<Reference> => {
      const { store, before } = await filled(disk)
      begun = disk.steps
      disk.failing.set('sync', 'ENOSPC')
      disk.cutAt = cutAt
      await overfill(store).catch(() => undefined)
      await store.close()
      return before
    }
    const whole = new SimDisk()
    await run(whole, Infinity)
    for (let at = begun + 1; at <= whole.steps; at++) {
      for (const way of [0, 1, 2]) {
        const disk = new SimDisk({ choose: (n) => way % n })
        const before = await run(disk, at)
        expect(disk.crashed).toBe(true)
        const after = disk.restart()
        after.failing.clear()
        const again = await PackStore.open(after.kv, after.packs, TINY)
        expect((await again.get(before))?.payload).toEqual(payload(200))
        await overfill(again)
        for (const [ref] of await collect(again.blocks())) expect(await again.get(ref)).toBeDefined()
        expect(again.damaged.size).toBe(0)
      }
    }
  })
})

describe('barriers', () => {
  it('commits that wait together share one batch, and each settles with its own ops on disk', async () => {
    const disk = new SimDisk()
    const store = await PackStore.open(disk.kv, disk.packs)
    const before = disk.steps
    await Promise.all([1, 2, 3].map(async (n) => {
      await store.put(1, payload(n))
      await store.commit([{ type: 'put', key: new Uint8Array([n]), value: payload(n) }])
      expect(disk.kv.get(new Uint8Array([n]))).toEqual(payload(n))
    }))
    expect(disk.steps - before).toBe(4) // create, append, sync, batch
  })

  it('a pack that grows while it is being synced is synced again by the next barrier', async () => {
    const disk = new SimDisk()
    let duringSync = (): void => undefined
    let appended = (): void => undefined
    const packs: Packs = {
      ...disk.packs,
      create: async (pack) => {
        const log = await disk.packs.create(pack)
        const watched: Log = {
          ...log,
          append: async (bytes) => { await log.append(bytes); appended() },
          sync: async () => {
            const covered = log.sync()
            const more = new Promise<void>((resolve) => { appended = resolve })
            duringSync()
            await more
            await covered
          }
        }
        return watched
      }
    }
    const store = await PackStore.open(disk.kv, packs, { bufferBytes: 100 })
    duringSync = () => {
      duringSync = () => appended()
      store.putNow(2, new Uint8Array(50))
      store.putNow(2, new Uint8Array(50)) // doesn't fit in the buffer: the one before goes to the disk. Nothing new, so the next commit appends nothing
    }
    await store.put(1, payload(1))
    await store.commit()
    await store.commit()
    const after = disk.restart()
    const again = await PackStore.open(after.kv, after.packs)
    expect(await again.get(referenceOf(2, new Uint8Array(50)))).toBeDefined()
  })

  it('a long import writes barriers of its own, with the enqueued ops, and keeps its order', async () => {
    const disk = new SimDisk()
    const store = await PackStore.open(disk.kv, disk.packs, TINY)
    const key = utf8('mark')
    for (let n = 0; n < 50; n++) {
      await store.put(1, payload(n))
      store.enqueue({ type: 'put', key, value: payload(n) })
    }
    expect(disk.kv.get(key)).toBeDefined()
    await store.commit()
    expect(disk.kv.get(key)).toEqual(payload(49))
  })
})

/** One run up to a power cut. After it, exactly what was promised must be there. */
interface Run {
  /** number of the last commit that was acknowledged, and of the last that was asked for */
  acknowledged: number
  asked: number
  /** highest block put before commit n was asked for */
  blocksOf: number[]
}

const HEAD = utf8('head')

function headOp (n: number): KvOp {
  const value = new Uint8Array(4)
  writeU32(value, 0, n)
  return { type: 'put', key: HEAD, value }
}

/** Puts blocks 0, 1, 2, … as often as `script` says, with a commit after each number; `undefined` where it doesn't wait for the commit. */
async function runUntilCut (disk: SimDisk, script: ReadonlyArray<{ puts: number, wait: boolean }>): Promise<Run> {
  const run: Run = { acknowledged: 0, asked: 0, blocksOf: [0] }
  const commits: Array<Promise<void>> = []
  try {
    const store = await PackStore.open(disk.kv, disk.packs, TINY)
    let block = 0
    for (const { puts, wait } of script) {
      for (let i = 0; i < puts; i++, block++) await store.put(tagOf(block), payload(block))
      const n = ++run.asked
      run.blocksOf.push(block)
      const commit = store.commit([headOp(n)]).then(() => { run.acknowledged = Math.max(run.acknowledged, n) })
      commits.push(commit)
      commit.catch(() => undefined)
      if (wait) await commit
    }
    await Promise.all(commits)
    await store.close()
  } catch (err) {
    if (!disk.crashed) throw err
  }
  await Promise.allSettled(commits)
  return run
}

async function checkAfterCut (crashed: SimDisk, run: Run, cutInRecovery: number): Promise<void> {
  let disk = crashed.restart()
  disk.cutAt = cutInRecovery
  await PackStore.open(disk.kv, disk.packs, TINY).catch(() => undefined)
  disk = disk.restart()

  const store = await PackStore.open(disk.kv, disk.packs, TINY)
  const value = disk.kv.get(HEAD)
  const head = value === undefined ? 0 : readU32(value, 0)
  expect(head).toBeGreaterThanOrEqual(run.acknowledged)
  expect(head).toBeLessThanOrEqual(run.asked)
  const promised = run.blocksOf[head] as number
  for (let n = 0; n < promised; n++) expect((await store.get(refOf(n)))?.payload).toEqual(payload(n))
  for (const [ref] of await collect(store.blocks())) expect(await store.get(ref)).toBeDefined()

  // And life goes on: new blocks don't land on top of old ones.
  for (let n = 1000; n < 1010; n++) await store.put(tagOf(n), payload(n))
  await store.commit()
  for (const [ref] of await collect(store.blocks())) expect(await store.get(ref)).toBeDefined()
  expect((await store.get(refOf(1009)))?.payload).toEqual(payload(1009))
  expect(store.damaged.size).toBe(0)
}

describe('power cuts (THREATS 28)', () => {
  it('at every single step of an import with three heads', async () => {
    const script = [{ puts: 3, wait: true }, { puts: 25, wait: false }, { puts: 4, wait: true }]
    const whole = new SimDisk()
    expect((await runUntilCut(whole, script)).acknowledged).toBe(3)
    expect(whole.steps).toBeGreaterThan(30)
    for (let at = 1; at <= whole.steps; at++) {
      for (const way of [0, 1, 2]) {
        const disk = new SimDisk({ choose: (n) => way % n })
        disk.cutAt = at
        const run = await runUntilCut(disk, script)
        expect(disk.crashed).toBe(true)
        await checkAfterCut(disk, run, Infinity)
      }
    }
  })

  it('at any step of any import, and again while recovering', async () => {
    const step = fc.record({ puts: fc.nat(20), wait: fc.boolean() })
    await fc.assert(fc.asyncProperty(
      fc.array(step, { minLength: 1, maxLength: 6 }), fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 4 }), fc.array(fc.nat(5000), { minLength: 1, maxLength: 30 }),
      async (script, cutAt, cutInRecovery, choices) => {
        let at = 0
        const disk = new SimDisk({ choose: (n) => (choices[at++ % choices.length] as number) % n })
        disk.cutAt = cutAt
        const run = await runUntilCut(disk, script)
        await checkAfterCut(disk, run, cutInRecovery)
      }
    ), { numRuns: 300 })
  })
})
