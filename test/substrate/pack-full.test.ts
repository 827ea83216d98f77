/** A full disk beside work that is under way: nothing is acknowledged that was dropped, and nothing is cut that another store wrote. */
import { expect, test } from 'vitest'
import { PackStore } from '../../src/substrate/pack-store.js'
import type { Kv, KvOp, Log, Packs } from '../../src/substrate/ports.js'
import { SimDisk } from '../../sim/world/disk.js'

const LIM = { packBytes: 1e6, bufferBytes: 300, waitingBytes: 300, barrierBytes: 1e9, barrierEntries: 1e9 }
const full = (): Error => Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
/** Everything on a simulated disk has come to rest. */
const tick = async (): Promise<void> => { await new Promise<void>((resolve) => { setImmediate(resolve) }) }

/** Appends fail while `state.full`. */
function faulty (packs: Packs, state: { full: boolean }): Packs {
  const wrap = (log: Log): Log => ({
    get size () { return log.size },
    append: async (b) => { if (state.full) throw full(); await log.append(b) },
    read: (o, n) => log.read(o, n),
    sync: () => log.sync(),
    truncate: (n) => log.truncate(n),
    close: () => log.close()
  })
  return {
    list: () => packs.list(),
    open: async (p) => { const l = await packs.open(p); return l === undefined ? undefined : wrap(l) },
    create: async (p) => wrap(await packs.create(p)),
    remove: (p) => packs.remove(p)
  }
}
const block = (n: number): Uint8Array => new Uint8Array(250).fill(n)

test('a commit that waits behind a running barrier fails when what it was to write was dropped', async () => {
  const disk = new SimDisk()
  const state = { full: false }
  let release: () => void = () => undefined
  const gate = new Promise<void>((resolve) => { release = resolve })
  let held = false
  const kv: Kv = {
    get: (k) => disk.kv.get(k),
    entries: (a, b) => disk.kv.entries(a, b),
    close: () => disk.kv.close(),
    batch: async (ops: readonly KvOp[], sync: boolean) => { if (held) await gate; await disk.kv.batch(ops, sync) }
  }
  const store = await PackStore.open(kv, faulty(disk.packs, state), LIM)
  store.putNow(1, block(1))
  held = true
  const first = store.commit() // its pack is synced, its index batch is under way
  await tick()
  const ref = store.putNow(1, block(2))
  const key = new Uint8Array([0x7f, 1])
  const second = store.commit([{ type: 'put', key, value: new Uint8Array([1]) }])
  state.full = true
  for (let n = 3; n < 9; n++) store.putNow(1, block(n))
  await expect(store.room()).rejects.toMatchObject({ code: 'disk-full' })
  release()
  await first
  await expect(second).rejects.toMatchObject({ code: 'disk-full' })
  expect([store.has(ref), kv.get(key)]).toEqual([false, undefined])
})

test('a closed store cuts nothing of what the next one committed', async () => {
  const disk = new SimDisk()
  const state = { full: false }
  const old = await PackStore.open(disk.kv, faulty(disk.packs, state), LIM)
  await old.put(1, block(1))
  await old.commit()
  state.full = true
  for (let n = 3; n < 9; n++) old.putNow(1, block(n))
  await tick()
  await old.close()
  state.full = false
  const next = await PackStore.open(disk.kv, disk.packs, LIM)
  const ref = await next.put(1, block(50))
  await next.commit()
  await old.room()?.catch(() => undefined)
  await tick()
  await next.close()
  const again = await PackStore.open(disk.kv, disk.packs, LIM)
  expect((await again.get(ref).catch((e: unknown) => e))).toMatchObject({ typeTag: 1 })
})
