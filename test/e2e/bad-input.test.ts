/** What goes wrong is told in one line, with an exit code, and changes nothing. Wants a build. */
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openHome } from '../../src/node/home/home.js'
import { Runtime } from '../../src/node/runtime.js'
import type { Reference } from '../../src/substrate/reference.js'
import { type Daemon, inventory, Stage } from '../helpers/cli.js'

let stage: Stage
let domain: string
let alice: Daemon
/** a port that is taken by somebody else, one that answers nobody, and a PeerId that nobody has here */
let taken: Server | undefined
const NOBODY = '/ip4/127.0.0.1/tcp/1/p2p/12D3KooWGatU7DHBbb7uoxSGcx4J3qSCs2bwGHC5Nr4BNf1nEFEH'
/** a DomainID that no domain has */
let stranger: string

beforeAll(async () => {
  stage = new Stage()
  domain = await stage.init('alice')
  stranger = domain.slice(0, 4) + '5a'.repeat(32)
  const files = stage.path('files')
  mkdirSync(files)
  writeFileSync(stage.path('files', 'one'), '1')
  mkdirSync(stage.path('pipes'))
  spawnSync('mkfifo', [stage.path('pipes', 'fifo')])
  mkdirSync(stage.path('full'))
  writeFileSync(stage.path('full', 'mine'), 'keep')
  mkdirSync(stage.path('target'))
  symlinkSync(stage.path('target'), stage.path('planted'))
  mkdirSync(stage.path('occupied-home'))
  writeFileSync(stage.path('occupied-home', 'letter.txt'), 'keep')
  writeFileSync(stage.path('right'), 'correct horse\n')
  writeFileSync(stage.path('wrong'), 'battery staple\n', { mode: 0o600 })
  await Promise.all([
    stage.json('alice', ['publish', files, '--as', 'docs']).then(async () => { alice = await stage.serve('alice') }),
    stage.json('reader', ['follow', stranger, '--name', 'nowhere']),
    stage.json('locked', ['init', '--name', 'locked', '--passphrase-file', stage.path('right')]),
    stage.init('newer-store').then(() => writeFileSync(stage.path('newer-store', 'store', 'FORMAT'), '{"format":"diad-store","version":2}\n')),
    stage.init('newer-home').then(() => {
      const config = stage.path('newer-home', 'home.json')
      writeFileSync(config, JSON.stringify({ ...JSON.parse(readFileSync(config, 'utf8')), version: 2 }))
    })
  ])
  taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
})
afterAll(async () => {
  taken?.close()
  await stage.close()
})

const takenPort = (): number => (taken?.address() as { port: number }).port

/** what is typed (after a home), exit code, code, and what the one line names */
type Row = [what: string, home: string, words: () => string[], exit: number, code: string, line: RegExp]

const ROWS: Row[] = [
  ['a path that isn\'t below a name', 'alice', () => ['verify', `${domain}/docs/two`], 3, 'not-found', /two/],
  ['a port that is none, of a follower', 'reader', () => ['follow', stranger, '--peer', '/ip4/1.2.3.4/tcp/99999'], 2, 'malformed-address', /99999/],
  ['a name with a slash', 'fresh', () => ['init', '--no-passphrase', '--name', 'bad/name'], 2, 'malformed', /bad\/name/],
  ['a home where none can be', '/proc/diad/home', () => ['init', '--no-passphrase'], 2, 'unwritable', /proc/],
  ['serve with a wrong passphrase', 'locked', () => ['serve', '--listen', '/ip4/127.0.0.1/tcp/0', '--passphrase-file', stage.path('wrong')], 2, 'wrong-passphrase', /passphrase/],
  ['malformed reference', 'reader', () => ['verify', domain.slice(0, 67) + 'g'], 2, 'malformed', /g/],
  ['a domain that is no domain', 'reader', () => ['sync', 'f155' + '00'.repeat(32)], 2, 'malformed', /./],
  ['an unknown petname', 'reader', () => ['ls', 'bob'], 3, 'unknown-domain-name', /bob/],
  ['a followed domain of which nothing is held', 'reader', () => ['ls', stranger], 3, 'unknown-domain', /./],
  ['an unknown name', 'alice', () => ['cat', `${domain}/nothing`], 3, 'not-found', /nothing/],
  ['an unknown path', 'alice', () => ['cat', `${domain}/docs/two`], 3, 'not-found', /two/],
  ['a wrong passphrase', 'locked', () => ['publish', stage.path('files'), '--as', 'x', '--passphrase-file', stage.path('wrong')], 2, 'wrong-passphrase', /passphrase/],
  ['no passphrase and no terminal', 'locked', () => ['publish', stage.path('files'), '--as', 'x'], 2, 'passphrase-needed', /passphrase/],
  ['a newer store', 'newer-store', () => ['status'], 6, 'store-newer', /version 2/],
  ['a newer home', 'newer-home', () => ['status'], 6, 'home-newer', /newer/],
  ['a second serve on one home', 'alice', () => ['serve', '--listen', '/ip4/127.0.0.1/tcp/0'], 6, 'store-busy', /alice/],
  ['a second init', 'alice', () => ['init', '--no-passphrase'], 2, 'domain-exists', /alice/],
  ['a home that is none', 'occupied-home', () => ['init', '--no-passphrase'], 2, 'not-a-home', /occupied-home/],
  ['no home', 'missing', () => ['status'], 2, 'home-missing', /missing/],
  ['a port in use', 'reader', () => ['serve', '--listen', `/ip4/127.0.0.1/tcp/${takenPort()}`], 2, 'port-in-use', /in use/],
  ['an address that is none', 'reader', () => ['sync', stranger, '--peer', '/ip4/999/tcp/x'], 2, 'malformed-address', /999/],
  ['publishing from a reader', 'reader', () => ['publish', stage.path('files'), '--as', 'x'], 2, 'role-missing', /reader/],
  ['a name that can\'t be published', 'alice', () => ['publish', stage.path('files'), '--as', '../up'], 2, 'malformed', /\.\.\/up/],
  ['a path that doesn\'t exist', 'alice', () => ['publish', stage.path('gone'), '--as', 'x'], 2, 'no-such-path', /gone/],
  ['a published name with a slash in front', 'alice', () => ['publish', stage.path('files'), '--as', '/letters/two'], 2, 'malformed', /no slash in front/],
  ['a pipe in the directory', 'alice', () => ['publish', stage.path('pipes'), '--as', 'x'], 2, 'unsupported-file', /pipes\/fifo/],
  ['checkout into a directory with something in it', 'alice', () => ['checkout', `${domain}/docs`, stage.path('full')], 2, 'dest-not-empty', /full/],
  ['checkout through a planted link', 'alice', () => ['checkout', `${domain}/docs`, stage.path('planted')], 2, 'dest-not-empty', /planted/],
  ['checkout to nowhere', 'alice', () => ['checkout', `${domain}/docs`, stage.path('no', 'parent')], 2, 'unwritable', /no/],
  ['cat of a directory', 'alice', () => ['cat', `${domain}/docs`], 2, 'is-a-directory', /docs/],
  ['unfollow of a domain not followed', 'alice', () => ['unfollow', stranger], 3, 'not-found', /./],
  ['witness mode', 'reader', () => ['follow', stranger, '--mode', 'witness'], 2, 'mode-unavailable', /comes with audits/],
  ['an unknown command', 'reader', () => ['fetch'], 2, 'usage', /fetch/],
  ['an unknown option', 'reader', () => ['status', '--frobnicate'], 2, 'usage', /frobnicate/]
]

/** Everything that a mistake could have changed: published names, followed domains, files outside of the homes. */
async function state (): Promise<unknown> {
  const [own, reader] = [await stage.json('alice', ['status']), await stage.json('reader', ['status'])]
  const files = ['files', 'full', 'target', 'occupied-home'].map((d) => inventory(stage.path(d)))
  return { own: own.domains, reader: reader.domains, files, planted: inventory(stage.root, 'planted'), names: readdirSync(stage.root).sort() }
}

describe('one clear line and nothing changed', () => {
  let before: unknown
  beforeAll(async () => { before = await state() })
  afterAll(async () => { expect(await state()).toEqual(before) })

  // One home at a time where this process would own the store: rows of one home come one after the other.
  const homes = [...new Set(ROWS.map(([, home]) => home))].filter((home) => process.platform === 'linux' || !home.startsWith('/proc'))
  test.concurrent.each(homes)('%s', async (home) => {
    for (const [what, of, words, exit, code, line] of ROWS) {
      if (of !== home) continue
      const done = await stage.run(...words(), '--home', home.startsWith('/') ? home : stage.path(home), '--json')
      expect([done.exit, done.stdout], what).toEqual([exit, expect.stringMatching(/^[^\n]+\n$/)])
      const { error, ...rest } = JSON.parse(done.stdout)
      expect(rest, what).toEqual({})
      expect(error, what).toEqual({ code, message: expect.stringMatching(line), hint: expect.any(String) })
      // The same sentence for people, and no stack.
      expect(done.stderr, what).toBe(`diad: ${error.message}\n`)
      expect(error.message, what).not.toContain('\n')
    }
  })
})

test('without --json the line and a hint go to standard error, nothing to standard output', async () => {
  const done = await stage.run('checkout', `${domain}/docs`, stage.path('full'), '--home', stage.path('alice'))
  expect([done.exit, done.stdout]).toEqual([2, ''])
  expect(done.stderr).toMatch(/^diad: [^\n]+full[^\n]+\n {2}[^\n]+\n$/)
})

test.concurrent('a domain that nobody holds, and a bootstrap address that doesn\'t answer', async () => {
  const done = await stage.run('sync', stranger, '--peer', NOBODY, '--home', stage.path('lonely'), '--json')
  expect([done.exit, JSON.parse(done.stdout)]).toEqual([3, {
    domain: stranger, status: 'deferred', code: 'unknown-domain', snapshot: null, heads: [], names: 0, blocks: 0, bytes: 0, asked: 0, refused: [{ peer: NOBODY, code: 'peer-unreachable', ref: null }]
  }])
  expect(done.stderr).toMatch(/^diad: warning: .*does not answer .*\n$/)
  expect(existsSync(stage.path('lonely'))).toBe(false)
})

test.concurrent('a peer that isn\'t the one that the address names', async () => {
  const done = await stage.run('sync', stranger, '--peer', alice.address.replace(/[^/]+$/, NOBODY.slice(NOBODY.lastIndexOf('/') + 1)), '--home', stage.path('misled'), '--json')
  expect([done.exit, JSON.parse(done.stdout).refused]).toEqual([3, [expect.objectContaining({ code: 'peer-mismatch' })]])
  expect(done.stderr).toMatch(/another node answers at \/ip4/)
})

test.concurrent('a stored address that is none is skipped, and each domain has its line', async () => {
  const home = openHome(stage.path('mended'), { create: 'reader' })
  const runtime = await Runtime.open(home.paths.store, true)
  const other = stranger.slice(0, 4) + '6b'.repeat(32)
  for (const [d, address] of [[stranger, '/ip4/1.2.3.4/tcp/99999'], [other, NOBODY]] as const) await runtime.follow(d as Reference, 'mirror', [address])
  await runtime.close()
  const done = await stage.run('sync', '--home', stage.path('mended'), '--json')
  expect(done.exit).toBe(3)
  expect(done.stdout.trimEnd().split('\n').map((line) => JSON.parse(line).domain).sort()).toEqual([stranger, other].sort())
  expect(done.stderr).toMatch(/warning: the address \/ip4\/1\.2\.3\.4\/tcp\/99999 that is stored for dom1\S+ can't be used/)
})

test.concurrent('a peer that doesn\'t hold the domain', async () => {
  expect(await stage.json('other', ['sync', stranger, '--peer', alice.address], 3)).toMatchObject({ status: 'deferred', code: 'unknown-domain', snapshot: null, refused: [] })
})

test.concurrent('a serve whose bootstrap address doesn\'t answer serves all the same and says so', async () => {
  const daemon = await stage.serve('patient', ['--peer', NOBODY])
  expect(await daemon.next('what doesn\'t answer', (e) => e.event === 'log')).toMatchObject({ text: expect.stringContaining('does not answer') })
  expect(await daemon.stop()).toBe(0)
})

test.concurrent('a second process on one store', async () => {
  // The socket is out of the way, as when the daemon can't be reached: only the lock of the store is left.
  const holder = await stage.serve('held')
  unlinkSync(stage.path('held', 'diad.sock'))
  for (const command of ['status', 'serve']) {
    expect(await stage.json('held', [command], 6), command).toMatchObject({ error: { code: 'store-busy', message: expect.stringContaining('in use') } })
  }
  await holder.stop()
  expect(existsSync(stage.path('held', 'diad.sock'))).toBe(false)
})
