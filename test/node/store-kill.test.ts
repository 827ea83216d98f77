import { spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { openStore } from '../../src/node/store/open-store.js'
import { referenceOf } from '../../src/substrate/artifact.js'
import { readU32, utf8 } from '../../src/substrate/bytes.js'
import type { Reference } from '../../src/substrate/reference.js'

const CHILD = fileURLToPath(new URL('store-kill-child.ts', import.meta.url))
const ROUNDS = 4

/** Runs the publisher until it has promised `lines` times, kills it where it just is, and returns every promise it made. */
async function publishUntilKilled (folder: string, lines: number): Promise<string[]> {
  const child = spawn(process.execPath, ['--import', 'tsx', CHILD, folder], { stdio: ['ignore', 'pipe', 'inherit'] })
  const closed = once(child, 'close')
  const promised: string[] = []
  let busy: unknown
  for await (const line of createInterface({ input: child.stdout })) {
    promised.push(line)
    if (promised.length === 1) busy = await openStore(folder).catch((err: unknown) => err)
    if (promised.length === lines) child.kill('SIGKILL')
  }
  await closed
  expect(child.signalCode).toBe('SIGKILL')
  expect(busy).toMatchObject({ code: 'store-busy', message: `the store at ${folder} is in use by another process` })
  return promised
}

it('kill -9 at any moment loses nothing that was acknowledged, and a second process is refused (THREATS 28, 29)', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'diad-store-kill-'))
  try {
    const domain = referenceOf(undefined, utf8('the domain'))
    for (let round = 0; round < ROUNDS; round++) {
      const promised = await publishUntilKilled(folder, randomInt(1, 40))
      const store = await openStore(folder)
      let last = -1
      for (const line of promised) {
        const [n, ...refs] = line.split(' ')
        last = Number(n)
        const got = await store.blocks.getMany(refs as Reference[])
        expect(got.every((artifact) => artifact?.typeTag === last)).toBe(true)
        expect(refs.every((ref) => store.audience.heldFor(domain, ref as Reference))).toBe(true)
      }
      // At most the one export that was under way when the process died can have become durable unannounced.
      const head = store.kv.get(utf8('head'))
      expect([last, last + 1]).toContain(head === undefined ? -1 : readU32(head, 0))
      let blocks = 0
      for await (const [ref] of store.blocks.blocks()) {
        blocks++
        expect(await store.blocks.get(ref)).toBeDefined()
      }
      expect(blocks).toBeGreaterThan(0)
      await store.close()
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}, 30_000)
