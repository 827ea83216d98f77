import fc from 'fast-check'
import { expect, test } from 'vitest'
import { referenceOf } from '../../src/substrate/artifact.js'
import { writeU32 } from '../../src/substrate/bytes.js'
import { PackStore } from '../../src/substrate/pack-store.js'
import type { Packs } from '../../src/substrate/ports.js'
import type { Reference } from '../../src/substrate/reference.js'
import { PowerCut, SimDisk } from '../../sim/world/disk.js'

/** Small enough that a test crosses every boundary. */
const TINY = { packBytes: 1500, bufferBytes: 300, waitingBytes: 600, barrierBytes: 1200, barrierEntries: 10 }
const always = { signal: { throwIfAborted: () => undefined } }

function payload (n: number): Uint8Array {
  const out = new Uint8Array(4 + (n * 37) % 400).fill(n & 0xff)
  writeU32(out, 0, n)
  return out
}

const refOf = (n: number): Reference => referenceOf(1, payload(n))
const sizeOf = (disk: SimDisk): number => [...disk.files.values()].reduce((sum, f) => sum + f.size, 0)

async function storeWith (disk: SimDisk, numbers: readonly number[], packs: Packs = disk.packs): Promise<PackStore> {
  const store = await PackStore.open(disk.kv, packs, TINY)
  for (const n of numbers) await store.put(1, payload(n))
  await store.commit()
  return store
}

async function discard (store: PackStore, numbers: readonly number[]): Promise<void> {
  await store.commit(numbers.map((n) => store.discardOp(refOf(n))))
}

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i)

/** Each of `kept` can be read and none of `gone` is held. */
async function check (store: PackStore, kept: readonly number[], gone: readonly number[]): Promise<void> {
  for (const n of kept) expect([n, (await store.get(refOf(n)))?.payload]).toEqual([n, payload(n)])
  expect(gone.filter((n) => store.has(refOf(n)))).toEqual([])
  expect((await store.getMany(kept.map(refOf))).map((a) => a?.payload.length)).toEqual(kept.map((n) => payload(n).length))
}

test('what is discarded takes no room afterwards, and everything else is where it can be read', async () => {
  const disk = new SimDisk()
  const store = await storeWith(disk, range(60))
  const gone = range(60).filter((n) => n % 3 === 1)
  const kept = range(60).filter((n) => n % 3 !== 1)
  await discard(store, gone)
  const wasted = await store.wasted()
  expect(wasted).toBe(gone.reduce((sum, n) => sum + 36 + 13 + payload(n).length, 0))
  const before = sizeOf(disk)
  const { freed, stuck } = await store.compact(always)
  expect([freed, stuck, before - sizeOf(disk), await store.wasted()]).toEqual([wasted, [], wasted, 0])
  await check(store, kept, gone)
  // Nothing is left to do, and what goes may come again.
  expect(await store.compact(always)).toEqual({ packs: 0, freed: 0, stuck: [] })
  await store.put(1, payload(1))
  await store.commit()
  await store.close()
  const again = await PackStore.open(disk.kv, disk.packs, TINY)
  await check(again, [1, ...kept], gone.filter((n) => n !== 1))
})

test('everything may go: the packs are gone, and the store goes on', async () => {
  const disk = new SimDisk()
  const store = await storeWith(disk, range(20))
  await discard(store, range(20))
  await store.compact(always)
  expect(disk.files.size).toBe(0)
  await store.put(1, payload(7))
  await store.commit()
  await store.close()
  const again = await PackStore.open(disk.kv, disk.packs, TINY)
  await check(again, [7], [1, 2, 3])
  await again.put(1, payload(8))
  await again.commit()
  await check(again, [7, 8], [])
})

test('whatever the power does, what was not discarded is there, and the next run frees the rest', async () => {
  await fc.assert(fc.asyncProperty(fc.integer({ min: 1, max: 45 }), fc.array(fc.nat(2), { maxLength: 30 }), fc.uniqueArray(fc.nat(24), { minLength: 1 }), async (cutAt, choices, gone) => {
    let at = 0
    const disk = new SimDisk({ choose: (n) => Math.min(n - 1, choices[at++] ?? 0) })
    const store = await storeWith(disk, range(25))
    await discard(store, gone)
    const kept = range(25).filter((n) => !gone.includes(n))
    disk.cutAt = disk.steps + cutAt
    try {
      await store.compact(always)
    } catch (err) {
      expect(err instanceof PowerCut || (err as { code?: string }).code === 'disk-error').toBe(true)
    }
    const next = disk.restart()
    const again = await PackStore.open(next.kv, next.packs, TINY)
    await check(again, kept, gone)
    const { stuck } = await again.compact(always)
    expect([stuck, await again.wasted(), again.damaged.size]).toEqual([[], 0, 0])
    await check(again, kept, gone)
  }), { numRuns: 150 })
})

test('others read and write meanwhile, also where it is about to move or remove', async () => {
  const disk = new SimDisk({ wait: async () => { for (let i = 0; i < 5; i++) await Promise.resolve() } })
  // A read that takes its time, so that its pack may go under it.
  const packs: Packs = {
    ...disk.packs,
    open: async (pack) => {
      const log = await disk.packs.open(pack)
      return log === undefined ? undefined : Object.create(log, { read: { value: async (o: number, n: number) => { for (let i = 0; i < 40; i++) await Promise.resolve(); return await log.read(o, n) } } }) as typeof log
    }
  }
  const store = await storeWith(disk, range(40), packs)
  const gone = range(40).filter((n) => n % 2 === 0)
  const kept = range(40).filter((n) => n % 2 === 1)
  await discard(store, gone)
  let done = false
  const compacting = store.compact(always).then((c) => { done = true; return c })
  let rounds = 0
  while (!done) {
    await store.put(1, payload(100 + rounds))
    await check(store, kept, gone)
    rounds++
  }
  expect((await compacting).stuck).toEqual([])
  expect(rounds).toBeGreaterThan(1)
  expect(store.damaged.size).toBe(0)
  await store.commit()
  await check(store, [...kept, ...range(rounds).map((n) => 100 + n)], gone)
})

test('a damaged block is set aside, and the others of its pack move', async () => {
  const disk = new SimDisk()
  const store = await storeWith(disk, range(6))
  await discard(store, [0])
  // Number 1 lies behind number 0, whose record takes 36 + 13 + 4 bytes.
  disk.flip(1, 53 + 36 + 20)
  const { stuck } = await store.compact(always)
  expect([stuck, [...store.damaged]]).toEqual([[], [refOf(1)]])
  await check(store, [2, 3, 4, 5], [0, 1])
  expect(await store.wasted()).toBe(0)
})

test('a pack whose records can\'t be walked stays, with all that is behind the damage', async () => {
  const disk = new SimDisk()
  const store = await storeWith(disk, range(6))
  await discard(store, [0])
  // The length of number 1's record.
  disk.flip(1, 53)
  expect((await store.compact(always)).stuck).toEqual([1])
  await check(store, [1, 2, 3, 4, 5], [0])
  await store.close()
  await check(await PackStore.open(disk.kv, disk.packs, TINY), [1, 2, 3, 4, 5], [0])
})

test('called off, or on a full disk, it has lost nothing and goes on the next time', async () => {
  const disk = new SimDisk()
  const gone = range(30).filter((n) => n % 2 === 0)
  const kept = range(30).filter((n) => n % 2 === 1)
  let store = await storeWith(disk, range(30))
  await discard(store, gone)
  let looks = 0
  await expect(store.compact({ signal: { throwIfAborted: () => { if (++looks > 12) throw new Error('called off') } } })).rejects.toThrow('called off')
  await check(store, kept, gone)
  await store.close()
  store = await PackStore.open(disk.kv, disk.packs, TINY)
  disk.failing.set('append', 'ENOSPC')
  await expect(store.compact(always)).rejects.toMatchObject({ code: 'disk-full' })
  await check(store, kept, gone)
  disk.failing.clear()
  await store.close()
  store = await PackStore.open(disk.kv, disk.packs, TINY)
  expect((await store.compact(always)).stuck).toEqual([])
  expect(await store.wasted()).toBe(0)
  await check(store, kept, gone)
})

test.each([[[0]], [[0, 1, 2]]])('what is put while it looks around survives, whether or not it is committed at once (of %j one was discarded)', async (numbers) => {
  for (const atOnce of [false, true]) {
    const disk = new SimDisk()
    const store = await PackStore.open(disk.kv, disk.packs)
    for (const n of numbers) await store.put(1, payload(n))
    await store.commit()
    await discard(store, [0])
    const compacting = store.compact(always)
    for (let i = 0; i < 50; i++) {
      await store.put(1, payload(100 + i))
      if (atOnce) await store.commit()
    }
    expect((await compacting).stuck).toEqual([])
    await store.commit()
    await check(store, range(50).map((n) => 100 + n), [0])
    await store.close()
    await check(await PackStore.open(disk.kv, disk.packs), [...range(50).map((n) => 100 + n), ...numbers.slice(1)], [0])
  }
})
