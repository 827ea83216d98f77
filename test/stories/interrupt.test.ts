/** Ctrl-C and kill in the middle of publish, sync and checkout; and a copied home (RULES L4). Wants a build. */
import type { ChildProcess } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Daemon, ended, inventory, manyFiles, Stage } from '../helpers/cli.js'

let stage: Stage
let big: string
let domain: string
let alice: Daemon
/** Large enough that a twentieth of it is on disk long before the command is over. */
const FILES = 2000
const SIZE = 20_000
const content = FILES * SIZE

beforeAll(async () => {
  stage = new Stage()
  big = manyFiles(stage.path('big'), FILES, SIZE)
  domain = await stage.init('alice')
  await stage.json('alice', ['publish', big, '--as', 'big'])
  alice = await stage.serve('alice')
})
afterAll(async () => { await stage.close() })

/** Bytes in the packs of a home's store: what says, from outside, that a command is in the middle of its work. */
function packed (home: string): number {
  const folder = stage.path(home, 'store', 'packs')
  if (!existsSync(folder)) return 0
  return readdirSync(folder).reduce((sum, name) => sum + (statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0), 0)
}

/** Sends `signal` as soon as `middle` holds. False when the command was over before. */
async function signalWhen (child: ChildProcess, signal: NodeJS.Signals, middle: () => boolean): Promise<boolean> {
  while (child.exitCode === null && child.signalCode === null) {
    if (middle()) return child.kill(signal)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
  return false
}

test.concurrent.each(['SIGINT', 'SIGKILL'] as const)('%s in the middle of publish: nothing is published, and a rerun does it', async (signal) => {
  const home = `publisher-${signal}`
  const own = await stage.init(home)
  const words = ['publish', big, '--as', 'big', '--home', stage.path(home), '--json']
  const child = stage.spawn(words)
  const end = ended(child)
  expect(await signalWhen(child, signal, () => packed(home) > content / 20)).toBe(true)
  const { exit, stdout } = await end
  if (signal === 'SIGINT') expect([exit, JSON.parse(stdout)]).toEqual([130, { error: { code: 'interrupted', message: 'interrupted', hint: expect.any(String) } }])
  else expect([exit, stdout]).toEqual([null, ''])
  expect(packed(home)).toBeLessThan(content)
  expect((await stage.json(home, ['status'])).domains).toMatchObject([{ domain: own, heads: [], names: 0 }])

  expect(await stage.json(home, ['publish', big, '--as', 'big'])).toMatchObject({ records: 1, files: FILES, bytes: content })
})

test.concurrent.each(['SIGINT', 'SIGKILL'] as const)('%s in the middle of sync: a rerun fetches the rest', async (signal) => {
  const home = `reader-${signal}`
  const child = stage.spawn(['sync', domain, '--peer', alice.address, '--home', stage.path(home), '--json'])
  const end = ended(child)
  expect(await signalWhen(child, signal, () => packed(home) > content / 20)).toBe(true)
  const { exit, stdout } = await end
  if (signal === 'SIGINT') expect([exit, stdout]).toEqual([130, expect.stringContaining('"code":"interrupted"')])
  else expect([exit, stdout]).toEqual([null, ''])
  // Incomplete content is no content: it says what is missing and leaves nothing.
  const dest = stage.path(`${home}-out`)
  const early = await stage.run('checkout', `${domain}/big`, dest, '--home', stage.path(home), '--json')
  expect([early.exit, JSON.parse(early.stdout).error.code, existsSync(dest)]).toEqual([3, 'content-missing', false])

  const rest = await stage.json(home, ['sync', domain, '--peer', alice.address])
  expect(rest).toMatchObject({ status: 'accepted', names: 1 })
  // A killed process may lose what waited for the next barrier of the store; one that was told to stop writes it.
  if (signal === 'SIGINT') expect(rest.bytes).toBeLessThan(content)
})

/** holds the whole of `big` when the tests before have run */
const CHECKER = 'reader-SIGINT'

/** What a checkout to `name` has under way beside it. */
function partials (folder: string, name: string): string[] {
  return readdirSync(folder).filter((entry) => entry.startsWith(`.${name}.diad-`))
}

test.each(['SIGINT', 'SIGKILL'] as const)('%s in the middle of checkout: no destination, and in the end no partial directory', async (signal) => {
  const folder = stage.path(`checkouts-${signal}`)
  mkdirSync(folder)
  const home = stage.path(CHECKER)
  const dest = join(folder, 'out')
  const child = stage.spawn(['checkout', `${domain}/big`, dest, '--home', home, '--json'])
  const end = ended(child)
  const begun = (): boolean => partials(folder, 'out').some((p) => readdirSync(join(folder, p)).length > 3)
  expect(await signalWhen(child, signal, begun)).toBe(true)
  const { exit, stdout } = await end
  if (signal === 'SIGINT') {
    expect([exit, JSON.parse(stdout).error.code]).toEqual([130, 'interrupted'])
    expect(readdirSync(folder)).toEqual([])
  } else {
    expect([exit, existsSync(dest)]).toEqual([null, false])
  }
  // The next one starts anew and clears what was left.
  await stage.json(CHECKER, ['checkout', `${domain}/big`, dest])
  expect(readdirSync(folder)).toEqual(['out'])
  expect(inventory(dest)).toEqual(inventory(big))
})

test.concurrent('Ctrl-C of a client stops its publish in the daemon, which goes on', async () => {
  const own = await stage.init('busy')
  const daemon = await stage.serve('busy')
  const child = stage.spawn(['publish', big, '--as', 'big', '--home', stage.path('busy'), '--json'])
  const end = ended(child)
  expect(await signalWhen(child, 'SIGINT', () => packed('busy') > content / 20)).toBe(true)
  expect(await end).toMatchObject({ exit: 130 })
  expect((await stage.json('busy', ['ls', own])).entries).toEqual([])
  expect(await stage.json('busy', ['publish', big, '--as', 'big'])).toMatchObject({ records: 1, files: FILES })
  expect(await daemon.stop()).toBe(0)
})

test.concurrent('a copied home opens a lane of its own, and a follower merges both', async () => {
  writeFileSync(stage.path('first'), 'first')
  const own = await stage.init('original')
  const publish = async (home: string, name: string): Promise<Record<string, string>> => await stage.json(home, ['publish', stage.path('first'), '--as', name])
  const one = await publish('original', 'one')
  cpSync(stage.path('original'), stage.path('copy'), { recursive: true })

  const two = await publish('copy', 'two')
  expect(two['lane']).not.toBe(one['lane'])
  expect(await publish('original', 'three')).toMatchObject({ lane: one['lane'] })
  expect(await publish('copy', 'four')).toMatchObject({ lane: two['lane'] })

  // One after the other, the one that is behind first: asked second, its older head would be noted as superseded, which is true and no fault.
  const copy = await stage.serve('copy')
  expect(await stage.json('merger', ['sync', own, '--peer', copy.address])).toMatchObject({ status: 'accepted', code: 'accepted', names: 3, refused: [] })
  await copy.stop()
  const original = await stage.serve('original')
  const synced = await stage.json('merger', ['sync', own, '--peer', original.address])
  expect(synced).toMatchObject({ status: 'accepted', code: 'accepted', names: 4, refused: [] })
  expect(synced.heads.map((h: { lane: string, log_size: number }) => [h.lane, h.log_size]).sort()).toEqual([[one['lane'], 2], [two['lane'], 2]].sort())
})
