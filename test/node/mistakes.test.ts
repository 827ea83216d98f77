/** Plain mistakes at the command line: the wrong place, the wrong file, the wrong half of a key. Each is told in one line that says what to do, and changes nothing. */
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openBackend } from '../../src/cli/backend.js'
import { vectorsAt } from '../../src/node/commands/conformance/read-vectors.js'
import { wireError } from '../../src/node/control/frames.js'
import { createFile, replaceFile } from '../../src/node/home/atomic-file.js'
import { makeDirectory } from '../../src/node/home/make-directory.js'
import { demandOutside } from '../../src/node/home/outside.js'
import { summaryAfter } from '../../src/node/roots/summary.js'
import { codeThrown } from '../helpers/code-of.js'
import { diad } from '../cli/harness.js'

let dir: string
const before = process.env['DIAD_RUNTIME_DIR']
const path = (...parts: string[]): string => join(dir, ...parts)
const NO = '--no-passphrase'
const OFFLINE = '--offline-authority'

interface Said { exit: number, stderr: string, code: string | undefined }

async function say (words: string[]): Promise<Said> {
  const { exit, stdout, stderr } = await diad([...words, '--json'], undefined, { cwd: dir, openBackend })
  const { error } = stdout === '' ? { error: undefined } : JSON.parse(stdout.split('\n')[0] ?? '') as { error?: { code: string, hint: string } }
  return { exit, stderr: `${stderr}${error?.hint ?? ''}`, code: error?.code }
}

const manifestOf = async (home: string): Promise<string> => (await diad(['role', 'list', '--home', home], undefined, { cwd: dir, openBackend })).stdout

beforeAll(async () => {
  dir = realpathSync(mkdtempSync(join(tmpdir(), 'diad-mistakes-')))
  mkdirSync(path('rt'))
  process.env['DIAD_RUNTIME_DIR'] = path('rt')
  for (const home of ['alice', 'bob']) expect(await say(['init', '--home', home, '--name', home, NO])).toMatchObject({ exit: 0 })
  mkdirSync(path('web'))
  writeFileSync(path('web', 'index.html'), 'hello')
  writeFileSync(path('plain'), '')
  expect(await say(['publish', 'web', '--as', 'www', '--home', 'alice'])).toMatchObject({ exit: 0 })
  expect(await say(['admit', 'nonce', '--out', 'nonce', '--home', 'bob'])).toMatchObject({ exit: 0 })
  expect(await say(['bundle', 'export', 'alice', 'whole.car', '--home', 'alice'])).toMatchObject({ exit: 0 })
  writeFileSync(path('cut.car'), readFileSync(path('whole.car')).subarray(0, 1200))
  cpSync(path('alice', 'keys'), path('stick'), { recursive: true })
})

afterAll(() => {
  if (before === undefined) delete process.env['DIAD_RUNTIME_DIR']
  else process.env['DIAD_RUNTIME_DIR'] = before
  rmSync(dir, { recursive: true, force: true })
})

describe('nothing that a person names is written into a home', () => {
  const receiver = (): string => readFileSync(path('bob', 'domain', 'domain.id'), 'utf8').trim()

  test.each<[string, () => string[]]>([
    ['checkout, into another home', () => ['checkout', 'alice/www', 'bob/store/x', '--home', 'alice']],
    ['checkout, into the own one', () => ['checkout', 'alice/www', 'alice/x', '--home', 'alice']],
    ['checkout, by way of a link', () => ['checkout', 'alice/www', 'link/x', '--home', 'alice']],
    ['a nonce', () => ['admit', 'nonce', '--out', 'bob/n', '--home', 'alice']],
    ['a request for admission', () => ['admit', 'request', '--to', receiver(), '--nonce', 'nonce', '--scope', '/', '--out', 'bob/r', '--home', 'alice']],
    ['a signing request', () => ['root', 'renew', '--request', 'alice/x.json', OFFLINE, '--home', 'alice']],
    ['a founding', () => ['init', '--root-pub', 'stick/root_key.pub', '--next-root-pub', 'stick/principal.pub', '--request', 'bob/f.json', NO, '--home', 'fresh']],
    ['a key, at the top', () => ['key', 'new', 'k', '--out', 'bob', NO]],
    ['a key, among blocks', () => ['key', 'new', 'k', '--out', 'bob/store/new', NO]],
    ['roots of another domain', () => ['init', '--roots', 'bob/cold', NO, '--home', 'fresh']],
    ['next roots', () => ['root', 'rotate', '--new-roots', 'bob/cold', NO, OFFLINE, '--home', 'alice']],
    ['a home', () => ['init', '--home', 'bob/store/y', NO]],
    ['a rescue\'s home', () => ['rescue', 'start', '--bundle', 'whole.car', '--domain', readFileSync(path('alice', 'domain', 'domain.id'), 'utf8').trim(), '--key', 'stick/principal.key', '--dir', 'bob/y']],
    ['failures of the simulator', () => ['sim', 'explore', '--runs', '1', '--keep', 'bob/failures']]
  ])('%s', async (_what, words) => {
    if (!existsSync(path('link'))) symlinkSync(path('bob', 'store'), path('link'))
    const tree = (): string[] => ['alice', 'bob'].flatMap((home) => readdirSync(path(home), { recursive: true }).map(String).filter((f) => !f.startsWith('store'))).sort()
    const there = tree()
    expect(await say(words())).toMatchObject({ exit: 2, code: 'inside-home', stderr: expect.stringContaining('nothing was written') })
    expect(tree()).toEqual(there)
    expect(existsSync(path('fresh'))).toBe(false)
  })

  test('but keys may lie in its folders for keys, and beside it anything', async () => {
    expect(await say(['key', 'new', 'k', '--out', 'bob/keys', NO])).toMatchObject({ exit: 0 })
    expect(await say(['key', 'new', 'k', '--out', 'new/stick', NO])).toMatchObject({ exit: 0 })
    expect(await say(['checkout', 'alice/www', 'out', '--home', 'alice'])).toMatchObject({ exit: 0 })
    expect(codeThrown(() => demandOutside(path('no', 'such', 'folder')))).toBe('unwritable')
  })
})

describe('roots have a directory of their own', () => {
  test.each(['init', 'root rotate'])('%s refuses one that holds something else', async (command) => {
    const words = command === 'init' ? ['init', '--home', 'fresh', '--roots', 'web'] : ['root', 'rotate', '--home', 'alice', '--new-roots', 'web', OFFLINE]
    expect(await say([...words, NO])).toMatchObject({ exit: 2, code: 'not-empty', stderr: expect.stringMatching(/"index\.html".*with --(new-)?roots$/s) })
    expect([readdirSync(path('web')), existsSync(path('fresh'))]).toEqual([['index.html'], false])
  })

  test('a stick as its file system made it will do', async () => {
    mkdirSync(path('usb', 'lost+found'), { recursive: true })
    expect(await say(['init', '--home', 'onstick', '--roots', 'usb', NO])).toMatchObject({ exit: 0 })
  })
})

test.each<[string, string[], number, string, RegExp]>([
  ['a file for a folder of keys', ['key', 'new', 'z', '--out', 'plain', NO], 2, 'unwritable', /plain is a file/],
  ['a file for the roots', ['init', '--home', 'f', '--roots', 'plain', NO], 2, 'unwritable', /plain is a file.*with --roots$/s],
  ['a file for next roots', ['root', 'rotate', '--home', 'alice', '--new-roots', 'plain', NO, OFFLINE], 2, 'unwritable', /plain is a file.*with --new-roots$/s],
  ['a file for a home', ['init', '--home', 'plain', NO], 2, 'not-a-home', /plain is a file/],
  ['a folder for a passphrase', ['key', 'new', 'z', '--out', 'f', '--passphrase-file', 'web'], 2, 'passphrase-file', /web is a directory/],
  ['a folder for a policy', ['policy', 'check', 'web'], 2, 'policy-unreadable', /web is a directory/],
  ['a folder for a signing request', ['sign', '--request', 'web'], 2, 'request-missing', /web is a directory/],
  ['a folder for a request', ['admit', 'review', './web', '--home', 'alice'], 2, 'is-a-directory', /web is a directory/],
  ['no policy', ['policy', 'check', 'none'], 2, 'policy-unreadable', /there is no file .*none/],
  ['no signing request', ['sign', '--request', 'none'], 2, 'request-missing', /there is no file .*none/],
  ['no request', ['admit', 'review', './none', '--home', 'alice'], 2, 'no-such-path', /there is no file .*none/],
  ['no bundle', ['bundle', 'inspect', 'none'], 2, 'no-such-path', /there is no file .*none/],
  ['nothing to publish', ['publish', 'none', '--as', 'x', '--home', 'alice'], 2, 'no-such-path', /nothing at .*none/],
  ['no vectors', ['conformance', 'none'], 2, 'no-such-path', /there is no file .*none/],
  ['a public key that isn\'t there', ['role', 'grant', 'none.pub', '--role', 'produce', '--home', 'alice'], 2, 'key-missing', /there is no file .*none\.pub/],
  ['a root key that isn\'t there', ['init', '--root-pub', 'none', '--next-root-pub', 'none', '--request', 'r.json', NO, '--home', 'f'], 2, 'key-missing', /there is no file .*none/],
  ['the private half', ['role', 'grant', 'stick/principal.key', '--role', 'produce', '--home', 'bob'], 2, 'bad-key-spec', /private half.*stick\/principal\.pub$/s],
  ['the private half, for a root', ['init', '--root-pub', 'stick/principal.key', '--next-root-pub', 'none', '--request', 'r.json', NO, '--home', 'f'], 2, 'bad-key-spec', /private half/],
  ['a file that is no key', ['role', 'grant', './plain', '--role', 'produce', '--home', 'bob'], 2, 'key-unrecorded', /plain holds no public key/]
])('%s is told as what it is', async (_what, words, exit, code, text) => {
  expect(await say(words)).toMatchObject({ exit, code, stderr: expect.stringMatching(text) })
  expect([existsSync(path('f')), existsSync(path('r.json')), readFileSync(path('plain'), 'utf8')]).toEqual([false, false, ''])
})

test('a bundle that was cut off says once where', async () => {
  const domain = readFileSync(path('alice', 'domain', 'domain.id'), 'utf8').trim()
  const { exit, stderr } = await say(['rescue', 'start', '--bundle', 'cut.car', '--domain', domain, '--key', 'stick/principal.key', '--dir', 'r'])
  expect([exit, stderr.match(/at byte \d+/g)?.length], stderr).toEqual([2, 1])
})

describe('a root_key is no principal', () => {
  test.each(['alice/keys/root_key.pub', 'root_key', 'digits'])('granted as %s', async (who) => {
    const key = readFileSync(path('alice', 'keys', 'root_key.pub'), 'utf8').trim()
    const there = await manifestOf('alice')
    expect(await say(['role', 'grant', who === 'digits' ? key : who, '--role', 'produce', '--home', 'alice', OFFLINE])).toMatchObject({ exit: 2, code: 'root-key-reused', stderr: expect.stringContaining('the root_key of this domain') })
    expect(await manifestOf('alice')).toBe(there)
  })

  test('nor one that was renewed, and nobody closes it', async () => {
    const old = readFileSync(path('bob', 'keys', 'root_key.pub'), 'utf8').trim()
    expect(await say(['root', 'renew', '--root-key', 'new', NO, OFFLINE, '--home', 'bob'])).toMatchObject({ exit: 0 })
    expect(await say(['role', 'grant', old, '--role', 'produce', '--home', 'bob', OFFLINE])).toMatchObject({ exit: 2, code: 'root-key-reused', stderr: expect.stringContaining('former') })
    expect(await say(['key', 'close', 'root_key', '--home', 'bob', OFFLINE])).toMatchObject({ exit: 3, code: 'unknown-principal' })
  })
})

test('a lost principal: publish and doctor both name the way out', async () => {
  const key = path('onlost', 'keys', 'principal.key')
  expect(await say(['init', '--home', 'onlost', NO])).toMatchObject({ exit: 0 })
  renameSync(key, path('lost.key'))
  expect(await say(['publish', 'web', '--as', 'x', '--home', 'onlost'])).toMatchObject({ exit: 2, stderr: expect.stringContaining('`diad recover keys`') })
  expect((await diad(['doctor', '--home', 'onlost'], undefined, { cwd: dir, openBackend })).stdout).toContain('`diad recover keys`')
})

test('of an entry in force no file is spoken of', () => {
  const [line] = summaryAfter(['Every manifest after manifest 1 ends with this, also those that this file doesn\'t show: what they granted and what they took away.'], { principals: [], scope: [] } as never)
  expect(line).toBe('Every manifest after manifest 1 ends with this, also those that aren\'t held here: what they granted and what they took away.')
})

test('vectors are found one level deeper, beside what is none', () => {
  const release = new URL('../../protocols/vectors/', import.meta.url).pathname
  const names = (at: string): string[] => vectorsAt(at).map((v) => v.name)
  expect(names(release)).toEqual(names(join(release, 'verdicts')))
  expect(() => vectorsAt(join(release, 'ed25519'))).toThrow()
  expect(codeThrown(() => vectorsAt(path('web')))).toBe('vectors-none')
})

describe('a place without permission', () => {
  /** Root may write anywhere, so the tests stop being root for it. */
  function unprivileged (work: () => void): void {
    const root = process.geteuid?.() === 0
    if (root) process.seteuid?.(65534)
    try {
      work()
    } finally {
      if (root) process.seteuid?.(0)
    }
  }

  test.skipIf(process.platform === 'win32')('is unwritable, in one line, and no fault of diad\'s', () => {
    const shut = path('shut')
    mkdirSync(shut)
    chmodSync(shut, 0o555)
    chmodSync(dir, 0o755)
    unprivileged(() => {
      for (const work of [() => createFile(join(shut, 'k.pub'), ''), () => replaceFile(join(shut, 'k.pub'), ''), () => { makeDirectory(join(shut, 'x')) }]) {
        expect(work).toThrow(expect.objectContaining({ code: 'unwritable', message: expect.stringMatching(/^no permission to (write|make) [^\n]*shut/) as unknown }) as Error)
      }
    })
    expect(readdirSync(shut)).toEqual([])
  })

  test.each([['mkdir', 'unwritable'], ['rename', 'unwritable'], ['open', 'unreadable'], ['scandir', 'unreadable']])('wherever else it comes up: %s is %s', (syscall, code) => {
    for (const error of ['EACCES', 'EPERM']) expect(wireError(Object.assign(new Error('x'), { code: error, syscall, path: '/p' }))).toMatchObject({ code, message: expect.stringContaining('/p') as unknown })
    expect(wireError(Object.assign(new Error('x'), { code: 'ENOENT', syscall, path: '/p' }))).toMatchObject({ code: 'internal' })
  })
})
