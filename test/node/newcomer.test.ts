/** What somebody new to it runs into: a home that was copied, a stick that isn't plugged in, a peer that is away, a name without its domain. Each in words that say what to do. */
import { cpSync, existsSync, linkSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openBackend } from '../../src/cli/backend.js'
import { diad } from '../cli/harness.js'
import { Homes } from '../helpers/homes.js'
import { talkTo } from '../helpers/talk.js'

type Json = Record<string, any> // eslint-disable-line @typescript-eslint/no-explicit-any

const homes = new Homes('newcomer')
const { at: path } = homes
const { json, run, said, told } = talkTo(homes)
let alice: string
const NO = '--no-passphrase'

beforeAll(async () => {
  writeFileSync(path('file'), 'text\n')
  alice = (await json('alice', ['init', '--name', 'alice', NO]))['domain'] as string
  for (const name of ['one', 'docs/two']) await json('alice', ['publish', 'file', '--as', name])
  await json('alice', ['bundle', 'export', alice, 'alice.car'])
  await json('reader', ['bundle', 'import', 'alice.car', '--follow'])
})
afterAll(() => { homes.remove() })

describe('a rescue\'s home', () => {
  const end = (out: string): string[] => ['rescue', 'end', '--out', out]

  beforeAll(async () => {
    mkdirSync(path('stick'))
    for (const suffix of ['key', 'pub']) cpSync(path('alice', 'keys', `principal.${suffix}`), path('stick', `principal.${suffix}`))
    await json('nobody', ['rescue', 'start', '--bundle', 'alice.car', '--domain', alice, '--key', path('stick', 'principal.key'), '--dir', path('away')])
  })

  test('lacks nothing that it is to have', async () => {
    const { findings, code } = await json('away', ['doctor'])
    expect([code, (findings as Json[]).filter((f) => f['level'] !== 'ok')]).toEqual(['ok', []])
  })

  test('says that the stick with the key isn\'t there', async () => {
    expect(await json('away', ['rescue', 'status'])).toMatchObject({ keyThere: true })
    renameSync(path('stick'), path('pulled-out'))
    expect(await json('away', ['rescue', 'status'])).toMatchObject({ keyThere: false })
    expect(await said('away', ['rescue', 'status'])).toMatch(/^key .*principal\.key {2}\(not there now: plug the stick in/m)
    // Nor is its folder made on this disk.
    const error = await told('away', end('stick/done.car'), 2)
    expect(error).toMatch(/stick does not exist\n {2}nothing was wiped.*plug it in/)
    expect([error.includes('make it first'), existsSync(path('away', 'rescue.json')), existsSync(path('stick'))]).toEqual([false, true, false])
    renameSync(path('pulled-out'), path('stick'))
  })

  test('is wiped of what diad made, and of nothing else', async () => {
    mkdirSync(path('away', 'photos'))
    mkdirSync(path('away', 'store', 'mine'))
    const mine = ['photos/one.jpg', 'store/mine/letter', 'notes.json', 'work.key', 'node.key.bak'].sort()
    for (const file of mine) writeFileSync(path('away', file), file)
    writeFileSync(path('away', 'petnames.json.0123456789ab.tmp'), 'cut off')
    const { stdout, stderr } = await run('away', [...end('stick/done.car'), '--json'], 0)
    const left = (JSON.parse(stdout) as Json)['left'] as string[]
    expect(left).toEqual(['node.key.bak', 'notes.json', 'photos', 'store/mine', 'work.key'].map((name) => path('away', name)))
    for (const one of left) expect(stderr).toContain(one)
    expect(readdirSync(path('away'), { recursive: true, withFileTypes: true }).filter((e) => e.isFile()).map((e) => join(e.parentPath, e.name)).sort()).toEqual(mine.map((file) => path('away', file)))
  })

  test('that has gone isn\'t to be made with `diad init`', async () => {
    for (const words of [['rescue', 'status'], end('stick/again.car'), ['rescue', 'publish', 'file', '--as', 'x']]) {
      const error = await told('away', words, 2)
      expect(error).toMatch(/no rescue home at .*\n {2}it has ended already/)
      expect(error).not.toContain('diad init')
    }
    writeFileSync(path('away', 'rescue.json'), '{}')
    expect(await json('away', ['rescue', 'status'], 2)).toMatchObject({ error: { code: 'home-missing', message: expect.stringContaining('was cut off') as unknown } })
  })
})

test('the passphrase file of the very command is guarded as keys are: by any name, and in a directory', async () => {
  writeFileSync(path('pass'), 'four random words here\n', { mode: 0o600 })
  writeFileSync(path('pass-too'), 'four other words here\n', { mode: 0o600 })
  mkdirSync(path('site'))
  linkSync(path('pass'), path('site', 'readme'))
  // Bare keys, so that nothing has to be guessed slowly: the file is the command's all the same.
  await json('locked', ['init', '--name', 'locked', NO])
  const publish = (what: string, ...files: string[]): string[] => ['publish', what, '--as', 'x', ...files.flatMap((f) => ['--passphrase-file', f])]
  for (const words of [publish('pass', 'pass'), publish('site', 'pass'), publish('pass-too', 'pass', 'pass-too')]) {
    expect(await json('locked', words, 2)).toMatchObject({ error: { code: 'private-key', message: expect.stringContaining('passphrase file') as unknown } })
  }
  expect((await json('locked', ['ls', 'locked']))['entries']).toEqual([])
  expect(await json('locked', publish('pass-too', 'pass'))).toMatchObject({ exported: true })
  expect(await json('locked', [...publish('site', 'pass'), '--allow-keys'])).toMatchObject({ exported: true })
})

describe('a home that was copied, and peers that are away', () => {
  const NOBODY = '/ip4/127.0.0.1/tcp/9/p2p/12D3KooWGzxzKZYveHXtpG6AsrUJBcWxHBFS2HsEoGTxrMLvKXtf'

  test('sync', async () => {
    let stop = (): void => undefined
    let address = ''
    const served = await new Promise<{ done: Promise<unknown> }>((resolve) => {
      const done: Promise<unknown> = diad(['serve', '--home', path('alice'), '--listen', '/ip4/127.0.0.1/tcp/0', '--no-mdns', '--no-dht', '--json'], undefined, {
        cwd: homes.root,
        openBackend,
        signals: (press) => { stop = press },
        stdout: (text) => {
          address = /"addresses":\["([^"]*)"/.exec(text)?.[1] ?? address
          if (address !== '') resolve({ done })
          return null
        }
      })
    })
    try {
      // One of several is enough.
      expect(await json('reader', ['sync', alice, '--peer', NOBODY, '--peer', address])).toMatchObject({ status: 'accepted', asked: 1, refused: [{ peer: NOBODY, code: 'peer-unreachable' }] })
      // So is another who has it, found at an address that was kept.
      expect(await json('reader', ['sync', alice, '--peer', NOBODY])).toMatchObject({ status: 'accepted', asked: 1 })
      // The daemon has made node.key.
      cpSync(path('alice'), path('copy'), { recursive: true, filter: (from) => !from.endsWith('.sock') && !from.endsWith('LOCK') })
      const copied = await run('copy', ['sync', 'alice', '--peer', address, '--json'], 3)
      expect(JSON.parse(copied.stdout)).toMatchObject({ status: 'deferred', code: 'peer-unreachable', names: 2, asked: 0, refused: [{ peer: address, code: 'peer-self' }] })
      expect(copied.stderr).toMatch(/copied.*remove node\.key and node\.pub in one of them/)
      // The public half alone is worth nothing.
      rmSync(path('copy', 'node.key'))
      expect(await json('copy', ['sync', 'alice', '--peer', address])).toMatchObject({ status: 'accepted', asked: 1 })
      expect(readFileSync(path('copy', 'node.pub'), 'utf8')).not.toBe(readFileSync(path('alice', 'node.pub'), 'utf8'))
    } finally {
      stop()
      await served.done
    }
    const { stdout } = await run('reader', ['sync', alice, '--peer', NOBODY], 3)
    expect(stdout).toMatch(/deferred: peer-unreachable[^]*names +2\n[^]*no --peer answered/)
  }, 60_000)
})

describe('what is missing is said', () => {
  test.each(['lanes', 'log', 'role list', 'policy show'])('%s in a reader\'s home: the domain', async (words) => {
    const error = await told('reader', words.split(' '), 2)
    expect(error).toContain('name one that is held here: dom1')
    expect(error).not.toContain('diad init')
  })

  test('a name with its domain, and without', async () => {
    for (const domain of ['alice', alice]) expect(await told('alice', ['tombstone', `${domain}/docs/two`], 3)).toContain('without the domain: `diad tombstone docs/two`')
    for (const name of ['one', 'docs/two']) expect(await told('alice', ['erase', name], 3)).toContain(`say whose it is: \`diad erase alice/${name}\``)
    expect(await told('alice', ['erase', 'abc'], 3)).toMatch(/\n {2}erase takes DOMAIN\/NAME or LANE:INDEX/)
    expect(await told('alice', ['erase', 'alice'], 2)).toContain('add the name behind a slash')
  })

  test('a home whose domain is still to be founded has nothing to serve', async () => {
    await json('founder', ['key', 'new', 'root', '--out', path('cold'), NO])
    await json('founder', ['key', 'new', 'next', '--out', path('cold-too'), NO])
    await json('founder', ['init', '--name', 'founder', '--root-pub', 'cold/root.pub', '--next-root-pub', 'cold-too/next.pub', '--request', 'found.json', NO])
    let stop = (): void => undefined
    const { stderr, exit } = await diad(['serve', '--home', path('founder'), '--listen', '/ip4/127.0.0.1/tcp/0', '--no-mdns', '--no-dht', '--json'], undefined, {
      cwd: homes.root, openBackend, signals: (press) => { stop = press }, stdout: (text) => { if (text.includes('"listening"')) stop(); return null }
    })
    expect([exit, stderr]).toEqual([0, expect.stringMatching(/still to be founded.*diad init --finish/)])
  })
})

test('what is admitted whole isn\'t to be accepted once more', async () => {
  const bob = (await json('bob', ['init', '--name', 'bob', NO]))['domain'] as string
  await json('bob', ['bundle', 'import', 'alice.car', '--follow'])
  const ask = async (name: string): Promise<string> => {
    await json('bob', ['admit', 'nonce', '--out', `${name}.nonce`])
    await json('alice', ['admit', 'request', '--to', bob, '--nonce', `${name}.nonce`, '--scope', 'docs', '--out', `./${name}.json`])
    return `./${name}.json`
  }
  const file = await ask('first')
  expect(await json('bob', ['admit', 'limit', file, '--scope', 'docs'], 2)).toMatchObject({ error: { code: 'nothing-to-change', hint: 'use `diad admit accept`' } })
  await json('bob', ['admit', 'defer', file])
  // What was put off is that very request (docs/cli.md).
  expect(await json('bob', ['admit', 'accept', alice])).toMatchObject({ decision: 'ACCEPTED', scope: ['docs'] })
  expect(await json('bob', ['admit', 'limit', alice, '--scope', 'docs'], 2)).toMatchObject({ error: { code: 'nothing-to-change', message: expect.stringContaining('admitted already') as unknown, hint: expect.not.stringContaining('admit accept') as unknown } })
})

test('the same bundle again: what was read, and what was new', async () => {
  expect(await said('again', ['bundle', 'import', 'alice.car', '--follow'])).toMatch(/2 names, 2 records read and 1 new block of content, .* from the file/)
  expect(await said('again', ['bundle', 'import', 'alice.car'])).toMatch(/2 names, 2 records read and 0 new blocks of content, 0 B from the file/)
})

test('a tombstone names nothing, and shows no reference of it', async () => {
  await json('alice', ['publish', 'file', '--as', 'hidden'])
  await json('alice', ['tombstone', 'hidden'])
  expect(await said('alice', ['explain', 'alice/hidden'])).not.toMatch(/0{64}/)
})
