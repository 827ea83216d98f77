/** What a command that can't be done leaves behind: nothing. And what is made for one that can. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Command, CommandIo, CommandName } from '../../src/node/command.js'
import { makeDirectory, removeMade } from '../../src/node/home/make-directory.js'
import { openLocalBackend } from '../../src/node/local-backend.js'
import { Homes } from '../helpers/homes.js'

const STRANGER = '0001' + '5a'.repeat(32)
let dir: string
let home: string
beforeEach(() => {
  dir = realpathSync(mkdtempSync(join(tmpdir(), 'diad-made-')))
  home = join(dir, 'deep', 'home')
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

async function run (command: CommandName, args: object, more: Partial<CommandIo> = {}): Promise<{ result: Awaited<ReturnType<Command>>, warnings: string[] }> {
  const warnings: string[] = []
  const io: CommandIo = { signal: new AbortController().signal, progress: () => undefined, event: () => undefined, warn: (line) => { warnings.push(line) }, write: async () => undefined, ...more }
  const backend = await openLocalBackend(home, { command, args, create: true })
  try {
    return { result: await backend.run(command, args, io), warnings }
  } finally {
    await backend.close()
  }
}

const NO_PASSPHRASE = { passphrase: { kind: 'none' } } as const

describe('nothing is left, not even the directory above, by', () => {
  test.each<[string, CommandName, object, Partial<CommandIo>, string, RegExp]>([
    ['a name with a slash', 'init', { name: 'bad/name' }, NO_PASSPHRASE, 'malformed', /bad\/name.*begin with a letter/],
    ['an empty name', 'init', { name: '' }, NO_PASSPHRASE, 'malformed', /empty/],
    ['a name like a DomainID', 'init', { name: 'dom1xyz' }, NO_PASSPHRASE, 'malformed', /dom1/],
    ['a name like a prefix', 'init', { name: 'abcdef123456' }, NO_PASSPHRASE, 'malformed', /12 or more hex digits/],
    ['a name that is too long', 'init', { name: 'x'.repeat(65) }, NO_PASSPHRASE, 'malformed', /64/],
    ['a passphrase that isn\'t there', 'init', { name: 'al' }, { passphrase: { kind: 'file', path: '/nowhere/at/all' } }, 'passphrase-file', /nowhere/],
    ['roots where nothing can be', 'init', { name: 'al', roots: '/dev/null/roots' }, NO_PASSPHRASE, 'unwritable', /roots/],
    ['a mistyped DomainID', 'sync', { domain: 'dom1qqqqqq', peers: [] }, {}, 'malformed', /checksum/],
    ['a CID that is none', 'sync', { domain: 'bafkreibad', peers: [] }, {}, 'malformed', /bafkreibad/],
    ['too short a prefix', 'sync', { domain: '1234', peers: [] }, {}, 'unknown-domain-name', /too short/],
    ['a prefix of nothing', 'follow', { domain: '0001deadbeef99', peers: [] }, {}, 'unknown-domain-name', /starts with 0001deadbeef99/],
    ['everything of nothing', 'sync', { peers: [] }, {}, 'not-found', /follows no domain/],
    ['an address that is none', 'follow', { domain: STRANGER, peers: ['/ip4/1.2.3.4/tcp/99999'] }, {}, 'malformed-address', /99999/],
    ['an endless address', 'sync', { domain: STRANGER, peers: [`/dns4/${'a'.repeat(300)}/tcp/1`] }, {}, 'malformed-address', /256/],
    ['a place to listen that is none', 'serve', { listen: ['/ip4/1.2.3.4/tcp/99999'], peers: [], mdns: false, dht: false }, {}, 'malformed-address', /99999/]
  ])('%s', async (_what, command, args, io, code, message) => {
    await expect(run(command, args, io)).rejects.toMatchObject({ code, message: expect.stringMatching(message) as unknown })
    expect(readdirSync(dir)).toEqual([])
  })
})

test.each([0, 1, 3])('nothing is left by an init that is interrupted before it runs, or after %i keys', async (after) => {
  const controller = new AbortController()
  const reason = new Error('interrupted')
  const backend = await openLocalBackend(home, { command: 'init', args: { name: 'al' }, create: true })
  if (after > 0) {
    const keys = (): number => ['keys', 'offline'].flatMap((f) => existsSync(join(home, f)) ? readdirSync(join(home, f)) : []).filter((f) => f.endsWith('.key')).length
    const signal = new Proxy(controller.signal, { get: (target, name) => { if (keys() >= after) controller.abort(reason); const value: unknown = Reflect.get(target, name); return typeof value === 'function' ? value.bind(target) as unknown : value } })
    await expect(backend.run('init', { name: 'al' }, { signal, progress: () => undefined, event: () => undefined, warn: () => undefined, write: async () => undefined, ...NO_PASSPHRASE })).rejects.toBe(reason)
  }
  await backend.close()
  expect(readdirSync(dir)).toEqual([])
})

test('an empty directory that was there stays, empty', async () => {
  mkdirSync(home, { recursive: true })
  await expect(run('init', { name: 'al' }, { passphrase: { kind: 'file', path: '/nowhere' } })).rejects.toMatchObject({ code: 'passphrase-file' })
  expect(readdirSync(home)).toEqual([])
})

test('a reader\'s home survives a failed init, and is told of when it is made', async () => {
  expect((await run('follow', { domain: STRANGER, peers: [], name: 'al' })).warnings).toEqual([`made a reader's home at ${home}`])
  const before = readdirSync(home).sort()
  await expect(run('init', { name: 'x y' }, NO_PASSPHRASE)).rejects.toMatchObject({ code: 'malformed' })
  await expect(run('init', { name: 'ok' }, { passphrase: { kind: 'file', path: '/nowhere' } })).rejects.toMatchObject({ code: 'passphrase-file' })
  expect(readdirSync(home).sort()).toEqual(before)
  expect((await run('follow', { domain: STRANGER, peers: [] })).warnings).toEqual([])
})

test('a home that nothing came into is taken back, whatever the command; one that was there isn\'t', async () => {
  const cut = join(dir, 'cut.car')
  writeFileSync(cut, '')
  expect(await run('bundle import', { file: cut, follow: false })).toMatchObject({ result: { status: 'rejected' }, warnings: [] })
  await expect(run('bundle import', { file: join(dir, 'none.car'), follow: false })).rejects.toMatchObject({ code: 'no-such-path' })
  await expect(run('serve', { listen: ['/ip4/203.0.113.7/tcp/1'], peers: [], mdns: false, dht: false, admissions: false })).rejects.toThrow()
  expect(readdirSync(dir)).toEqual(['cut.car'])
  await run('follow', { domain: STRANGER, peers: [] })
  const before = readdirSync(home).sort()
  await run('bundle import', { file: cut, follow: false })
  expect(readdirSync(home).sort()).toEqual(before)
})

test('what came stays, though the command failed', async () => {
  const homes = new Homes('kept')
  try {
    await homes.run('alice', 'init', { name: 'alice' })
    const { domain } = await homes.run('alice', 'status', {})
    const file = homes.at('alice.car')
    await homes.run('alice', 'bundle export', { domain: 'alice', file, prefixes: [], all: false, restricted: false })
    const warn = (line: string): void => { if (line.includes('not followed')) throw new Error('the terminal went away') }
    await expect(run('bundle import', { file, follow: false }, { warn })).rejects.toThrow('went away')
    expect(existsSync(join(home, 'home.json'))).toBe(true)
    expect((await run('status', {})).result).toMatchObject({ held: [{ domain }] })
  } finally {
    homes.remove()
  }
})

test('directories are made and taken back; a place that takes none is told at once', () => {
  const first = makeDirectory(home)
  expect([first, existsSync(home), makeDirectory(home)]).toEqual([join(dir, 'deep'), true, undefined])
  writeFileSync(join(dir, 'deep', 'note'), '')
  removeMade(home, first)
  expect(readdirSync(join(dir, 'deep'))).toEqual(['note'])
  const file = join(dir, 'deep', 'note')
  for (const path of [file, join(file, 'below'), ...process.platform === 'linux' ? ['/proc/diad/home', '/proc/self/x'] : []]) {
    expect(() => makeDirectory(path), path).toThrow(expect.objectContaining({ code: 'unwritable', message: expect.stringContaining(path) as unknown }) as Error)
  }
})
