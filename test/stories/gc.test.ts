/** `diad gc` over real processes and real files: what it frees is really gone, and nothing else is. RULES R7, V5. Wants a build. */
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Daemon, Stage } from '../helpers/cli.js'

let stage: Stage
let domain: string
let alice: Daemon

const SECRET = 'words that somebody took back for ever'
const NAME = 'a-name-that-was-taken-back'

/** Every file of a home's store in which `text` can be found. */
function foundIn (home: string, text: string): string[] {
  const store = stage.path(home, 'store')
  return readdirSync(store, { recursive: true, encoding: 'utf8' }).filter((f) => statSync(join(store, f)).isFile() && readFileSync(join(store, f)).includes(text))
}

async function publish (name: string, text: string): Promise<void> {
  writeFileSync(stage.path('file'), text)
  await stage.json('alice', ['publish', stage.path('file'), '--as', name])
}

const packBytes = (home: string): number => readdirSync(stage.path(home, 'store', 'packs')).reduce((n, f) => n + statSync(stage.path(home, 'store', 'packs', f)).size, 0)
const packed = (home: string, text: string): string[] => foundIn(home, text).filter((f) => f.startsWith('packs'))

beforeAll(async () => {
  stage = new Stage()
  domain = await stage.init('alice')
  await publish(NAME, SECRET)
  await publish('stays', 'what stays')
  alice = await stage.serve('alice')
  await stage.json('bob', ['sync', domain, '--peer', alice.address])
})
afterAll(async () => { await stage.close() })

test('what was erased is on the disk until an anchor settles it and somebody collects; then neither bytes nor name can be found', async () => {
  await stage.json('alice', ['erase', `${domain}/${NAME}`, '--yes'])
  expect(await stage.json('alice', ['gc'])).toMatchObject({ removed: { blocks: 0 } })
  expect(packed('alice', SECRET)).toHaveLength(1)
  await stage.json('alice', ['domain', 'seal'])
  expect(await stage.json('alice', ['gc', '--dry-run'])).toMatchObject({ dryRun: true, removed: { blocks: 1 }, freed: 0 })
  expect(packed('alice', SECRET)).toHaveLength(1)
  // While it is served.
  const { freed, removed } = await stage.json('alice', ['gc']) as { freed: number, removed: { blocks: number } }
  expect([removed.blocks, freed > 0]).toEqual([1, true])
  expect(foundIn('alice', SECRET)).toEqual([])
  expect((await stage.run('gc', '--home', stage.path('alice'))).stdout).toBe('nothing to collect\n')
  // A mirror's disk is its owner's: it follows suit when it is told to.
  await stage.json('bob', ['sync', domain, '--peer', alice.address])
  expect(packed('bob', SECRET)).toHaveLength(1)
  expect(await stage.json('bob', ['gc'])).toMatchObject({ givenUp: { blocks: 1 } })
  expect(foundIn('bob', SECRET)).toEqual([])
  await alice.stop()
  await stage.json('alice', ['gc'])
  // With the process that wrote them LevelDB's own log is gone, too.
  for (const home of ['alice', 'bob']) expect([home, foundIn(home, SECRET), foundIn(home, NAME)]).toEqual([home, [], []])
  for (const home of ['alice', 'bob']) {
    expect((await stage.run('cat', `${domain}/stays`, '--home', stage.path(home))).stdout).toBe('what stays')
    expect(await stage.json(home, ['doctor', '--deep'])).toMatchObject({ status: 'accepted' })
  }
  alice = await stage.serve('alice')
})

test('what was only put goes when it is asked for, and not where the policy keeps it', async () => {
  writeFileSync(stage.path('file'), 'put by hand '.repeat(1000))
  await stage.json('alice', ['put', stage.path('file')])
  expect(await stage.json('alice', ['gc'])).toMatchObject({ removed: { blocks: 0 }, kept: { unpublished: { blocks: 1 } } })
  const before = packBytes('alice')
  expect(await stage.json('alice', ['gc', '--unpublished'])).toMatchObject({ unpublished: { blocks: 1 } })
  expect(before - packBytes('alice')).toBeGreaterThan(12_000)
  const policy = (await stage.run('policy', 'show', '--home', stage.path('alice'))).stdout.replace('gc_unpublished_allowed: true', 'gc_unpublished_allowed: false')
  writeFileSync(stage.path('policy'), policy)
  await stage.json('alice', ['policy', 'set', stage.path('policy'), '--roots', stage.path('alice', 'offline'), '--offline-authority'])
  await stage.json('alice', ['put', stage.path('file')])
  expect((await stage.json('alice', ['gc', '--unpublished'], 2)).error).toMatchObject({ code: 'policy-keeps' })
  expect(await stage.json('alice', ['gc'])).toMatchObject({ removed: { blocks: 0 }, kept: { unpublished: { blocks: 1 } } })
})

test('what was replaced goes once enough has come since and is sealed, on a mirror as at home', async () => {
  const policy = (await stage.run('policy', 'show', '--home', stage.path('alice'))).stdout.replace(/min_snapshot_retention: \d+/, 'min_snapshot_retention: 1')
  writeFileSync(stage.path('policy'), policy)
  await stage.json('alice', ['policy', 'set', stage.path('policy'), '--roots', stage.path('alice', 'offline'), '--offline-authority'])
  for (const n of [1, 2, 3]) {
    await publish('often', `version ${n} of it`)
    await stage.json('bob', ['sync', domain, '--peer', alice.address])
  }
  for (const home of ['alice', 'bob']) expect(await stage.json(home, ['gc', '--replaced'])).toMatchObject({ replaced: { roots: 0, waiting: 2 } })
  await publish('other', 'something else')
  await stage.json('alice', ['domain', 'seal'])
  await stage.json('bob', ['sync', domain, '--peer', alice.address])
  for (const home of ['alice', 'bob']) {
    expect(await stage.json(home, ['gc', '--replaced'])).toMatchObject({ replaced: { roots: 1, waiting: 1 }, givenUp: { blocks: 1 } })
    expect([1, 2, 3].map((n) => packed(home, `version ${n} of it`).length)).toEqual([0, 1, 1])
    expect((await stage.run('cat', `${domain}/often`, '--home', stage.path(home))).stdout).toBe('version 3 of it')
  }
})

test('what a domain left that is followed no more goes when it is asked for, and comes again with it', async () => {
  await stage.json('bob', ['unfollow', domain])
  expect(await stage.json('bob', ['gc'])).toMatchObject({ removed: { blocks: 0 } })
  expect((await stage.json('bob', ['gc', '--unfollowed']) as { removed: { blocks: number } }).removed.blocks).toBeGreaterThan(2)
  expect(packBytes('bob')).toBe(0)
  await stage.json('bob', ['follow', domain, '--peer', alice.address])
  await stage.json('bob', ['sync', domain])
  expect((await stage.run('cat', `${domain}/stays`, '--home', stage.path('bob'))).stdout).toBe('what stays')
})
