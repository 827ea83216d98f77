/** The verbs of admission on homes of their own, in this process and without a network: what is refused, decided, narrowed, and who counts (D1, D2, D4, D5). */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openBackend } from '../../src/cli/backend.js'
import { diad } from '../cli/harness.js'

let dir: string
let alice: string
let bob: string
const path = (name: string): string => join(dir, name)
const before = process.env['DIAD_RUNTIME_DIR']

/** Runs the command line on `home` as it is, and gives what it printed. */
async function json (home: string, words: string[], exit = 0): Promise<any> { // eslint-disable-line @typescript-eslint/no-explicit-any
  const done = await diad([...words, '--home', path(home), '--json'], undefined, { cwd: dir, openBackend })
  expect([done.exit, words.join(' '), done.exit === exit ? '' : done.stdout], done.stderr).toEqual([exit, words.join(' '), ''])
  return JSON.parse(done.stdout)
}

async function ask (name: string, ...scope: string[]): Promise<string> {
  await json('bob', ['admit', 'nonce', '--out', `${name}.nonce`])
  await json('alice', ['admit', 'request', '--to', bob, '--nonce', `${name}.nonce`, '--out', `${name}.json`, ...scope.flatMap((s) => ['--scope', s])])
  return path(`${name}.json`)
}

const listed = async (): Promise<Array<Record<string, unknown>>> => (await json('bob', ['admit', 'list'])).admissions

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'diad-admission-'))
  process.env['DIAD_RUNTIME_DIR'] = process.platform === 'linux' ? mkdtempSync('/dev/shm/diad-admission-') : dir
  for (const home of ['alice', 'bob', 'carol']) await json(home, ['init', '--name', home, '--no-passphrase'])
  alice = (await json('alice', ['status'])).domain
  bob = (await json('bob', ['status'])).domain
})
afterAll(() => {
  rmSync(process.env['DIAD_RUNTIME_DIR'] as string, { recursive: true, force: true })
  rmSync(dir, { recursive: true, force: true })
  if (before === undefined) delete process.env['DIAD_RUNTIME_DIR']
  else process.env['DIAD_RUNTIME_DIR'] = before
})

describe('a request', () => {
  test('a file that says a field twice is refused: a person reads the one, a program the other', async () => {
    const request = await ask('twice', 'docs')
    for (const [name, verb, field] of [['twice.nonce', ['request', '--to', bob, '--scope', 'docs', '--out', 'never.json', '--nonce'], 'receiver'], ['twice.json', ['review'], 'applicant']] as const) {
      const text = readFileSync(path(name), 'utf8')
      writeFileSync(path(`lying-${name}`), text.replace('{', `{ "${field}": "dom1somebodyelse",`))
      expect((await json('alice', ['admit', ...verb, path(`lying-${name}`)], 2)).error).toMatchObject({ code: 'malformed', message: expect.stringContaining('a field twice') })
      // Space between the parts is no lie.
      writeFileSync(path(`plain-${name}`), JSON.stringify(JSON.parse(text)))
    }
    expect((await json('bob', ['admit', 'review', path('plain-twice.json')])).request).toBe((await json('bob', ['admit', 'review', request])).request)
  })

  test('brings along all that it is judged by', async () => {
    const file = await ask('first', 'docs/', 'docs/one', 'private')
    const review = await json('bob', ['admit', 'review', file])
    expect(review).toMatchObject({ status: 'accepted', domain: alice, scope: ['docs', 'private'], decided: false })
    expect(review.checks.map((c: { ok: boolean }) => c.ok)).not.toContain(false)
  })

  test('THREATS 19: made for somebody else, changed or made up it is refused, and decides nothing', async () => {
    const file = path('first.json')
    expect(await json('carol', ['admit', 'review', file], 4)).toMatchObject({ status: 'rejected', code: 'request-invalid' })
    expect(await json('carol', ['admit', 'accept', file], 4)).toMatchObject({ error: { code: 'request-invalid' } })
    expect(await json('alice', ['admit', 'request', '--to', 'alice', '--nonce', 'first.nonce', '--scope', '/', '--out', 'x.json'], 4)).toMatchObject({ error: { code: 'request-invalid' } })
    const fields = JSON.parse(readFileSync(file, 'utf8'))
    const spoil = async (change: object | string, exit: number): Promise<any> => { // eslint-disable-line @typescript-eslint/no-explicit-any
      writeFileSync(path('bad.json'), typeof change === 'string' ? change : JSON.stringify({ ...fields, ...change }))
      return await json('bob', ['admit', 'review', './bad.json'], exit)
    }
    expect(await spoil({ signature: fields.signature.replace(/..$/, (d: string) => d === '00' ? '01' : '00') }, 4)).toMatchObject({ code: 'bad-signature' })
    expect(await spoil({ objects: [] }, 3)).toMatchObject({ code: 'unknown-domain' })
    for (const change of ['{', '[]', 'null', '{"format":"diad-admission-request","version":1}', { request: 'zz' }, { objects: [7] }]) expect(await spoil(change, 2)).toMatchObject({ error: { code: 'malformed' } })
    expect(await spoil({ version: 2 }, 3)).toMatchObject({ error: { code: 'needs-upgrade' } })
    expect(await listed()).toEqual([])
  })

  test('is never written over a file that is there', async () => {
    expect(await json('bob', ['admit', 'nonce', '--out', 'first.nonce'], 2)).toMatchObject({ error: { code: 'file-exists' } })
  })
})

describe('decisions', () => {
  test('deferred and then limited, each record names the one that it replaces', async () => {
    const file = path('first.json')
    const deferred = await json('bob', ['admit', 'defer', file])
    expect(deferred).toMatchObject({ decision: 'DEFERRED', scope: [], decisionEpoch: 1, previous: [] })
    expect(await json('bob', ['admit', 'limit', file, '--scope', 'else'], 2)).toMatchObject({ error: { code: 'scope-too-wide' } })
    expect(await json('bob', ['admit', 'limit', file, '--scope', 'private', '--scope', 'docs'], 2)).toMatchObject({ error: { code: 'nothing-to-change' } })
    const limited = await json('bob', ['admit', 'limit', file, '--scope', 'docs'])
    expect(limited).toMatchObject({ decision: 'ACCEPTED_LIMITED', scope: ['docs'], decisionEpoch: 2, previous: [deferred.record], lane: deferred.lane })
    expect(await listed()).toEqual([{ domain: alice, decision: 'ACCEPTED_LIMITED', scope: ['docs'], records: [limited.record], names: 0, refused: 0, code: 'not-held' }])
  })

  test('D2: a final one is only narrowed; more needs a new request with a new nonce', async () => {
    const file = path('first.json')
    expect(await json('bob', ['admit', 'review', file])).toMatchObject({ decided: true, decision: 'ACCEPTED_LIMITED' })
    for (const words of [['accept', file], ['limit', file, '--scope', 'docs/one'], ['accept', alice]]) expect(await json('bob', ['admit', ...words], 2)).toMatchObject({ error: { code: 'admission-decided' } })
    expect(await json('bob', ['admit', 'limit', alice, '--scope', 'private'], 2)).toMatchObject({ error: { code: 'scope-too-wide' } })
    expect(await json('bob', ['admit', 'limit', alice, '--scope', 'docs/two'])).toMatchObject({ scope: ['docs/two'] })
    expect(await json('bob', ['admit', 'accept', await ask('second', '/')])).toMatchObject({ decision: 'ACCEPTED', scope: [''] })
    expect(await json('bob', ['admit', 'accept', alice], 2)).toMatchObject({ error: { code: 'nothing-to-change' } })
    // A nonce that stands for one request stands for no other.
    expect(await json('alice', ['admit', 'request', '--to', bob, '--nonce', 'second.nonce', '--scope', 'x', '--out', 'third.json'])).toMatchObject({ scope: ['x'] })
    expect(await json('bob', ['admit', 'review', 'third.json'], 4)).toMatchObject({ code: 'request-invalid' })
  })

  test('withdrawn, and said of whom nothing was decided', async () => {
    expect(await json('bob', ['admit', 'reject', alice])).toMatchObject({ decision: 'REJECTED', scope: [] })
    expect(await json('bob', ['admit', 'reject', alice], 2)).toMatchObject({ error: { code: 'nothing-to-change' } })
    expect(await json('bob', ['admit', 'accept', alice], 2)).toMatchObject({ error: { code: 'admission-decided' } })
    expect(await json('carol', ['admit', 'reject', alice], 3)).toMatchObject({ error: { code: 'not-found' } })
  })

  test('what is admitted and not there says what is lacking, and what to type', async () => {
    const said = async (...words: string[]): Promise<string> => (await diad([...words, '--home', path('dave')], undefined, { cwd: dir, openBackend })).stdout
    await json('dave', ['init', '--name', 'dave', '--no-passphrase'])
    await json('dave', ['admit', 'nonce', '--out', 'dave.nonce'])
    await json('alice', ['admit', 'request', '--to', (await json('dave', ['status'])).domain, '--nonce', 'dave.nonce', '--out', 'dave.json', '--scope', '/'])
    expect(await said('admit', 'accept', 'dave.json')).toMatch(/nothing of dom1\S+ is held yet, so nothing of it is in our view: diad sync dom1\w{58,} --peer ADDRESS/)
    expect(await said('admit', 'list')).toContain('nothing of it is held yet')
    writeFileSync(path('text'), 'hello')
    await json('alice', ['publish', 'text', '--as', 'docs/one'])
    await json('alice', ['bundle', 'export', 'alice', 'alice.car'])
    await json('dave', ['bundle', 'import', 'alice.car', '--name', 'ann'])
    expect(await json('dave', ['status'])).toMatchObject({ domains: [{ own: true }], held: [{ domain: alice, name: 'ann', used: expect.any(Number), recordBytes: expect.any(Number) }] })
    expect(await said('status')).toMatch(/held, not followed: ann \(dom1\S+\) \d+ B$/m)
    expect((await json('dave', ['admit', 'list'])).admissions).toMatchObject([{ domain: alice, names: 0, code: 'not-followed' }])
    expect(await said('admit', 'list')).toMatch(/ann \(dom1\S+\) is held but not followed, so nothing of it is in our view: diad follow ann$/m)
    expect(await json('dave', ['view'])).toMatchObject({ entries: [], refused: [{ domain: alice, petname: 'ann', code: 'not-followed', names: 0 }] })
    expect(await said('view')).toMatch(/held but not followed.*: diad follow ann$/m)
    await json('dave', ['follow', 'ann'])
    expect((await json('dave', ['admit', 'list'])).admissions).toMatchObject([{ domain: alice, names: 1 }])
    expect(await json('dave', ['view'])).toMatchObject({ entries: [{ name: 'docs/one' }], refused: [] })
    expect((await json('dave', ['status'])).held).toEqual([])
  })

  test('a petname is given, changed and taken away', async () => {
    await json('carol', ['follow', alice, '--name', 'al'])
    expect(await json('carol', ['follow', 'al', '--name', 'ann'])).toMatchObject({ domain: alice, name: 'ann' })
    expect(await json('carol', ['name', 'ann', 'anna'])).toEqual({ domain: alice, name: 'anna', before: 'ann' })
    expect(await json('carol', ['name', alice])).toEqual({ domain: alice, name: 'anna' })
    expect(await json('carol', ['name', bob, 'anna'], 2)).toMatchObject({ error: { code: 'petname-taken', hint: expect.stringContaining('diad name anna --remove') } })
    // Before the file is read: it is asked for a domain that it isn't about.
    expect(await json('carol', ['bundle', 'import', 'alice.car', '--name', 'carol'], 2)).toMatchObject({ error: { code: 'petname-taken' } })
    expect(await json('carol', ['name', 'anna', '--remove'])).toEqual({ domain: alice, name: null, before: 'anna' })
    expect(await json('carol', ['name', alice, '--remove'], 3)).toMatchObject({ error: { code: 'not-found' } })
    expect(await json('carol', ['name', 'carol', 'c'], 2)).toMatchObject({ error: { code: 'own-domain' } })
    expect(await json('carol', ['name', 'carol', '--remove'], 2)).toMatchObject({ error: { code: 'own-domain' } })
  })

  test('one that can\'t be read lets nobody in: it may be a withdrawal', async () => {
    await json('bob', ['admit', 'accept', await ask('again', '/')])
    expect(await listed()).toMatchObject([{ decision: 'ACCEPTED' }])
    const packs = path('bob/store/packs/000001.pack')
    const bytes = readFileSync(packs)
    const at = bytes.lastIndexOf('REJECTED')
    expect(at).toBeGreaterThan(0)
    bytes[at] = (bytes[at] as number) ^ 1
    writeFileSync(packs, bytes)
    expect(await json('bob', ['admit', 'list'])).toMatchObject({ admissions: [], missing: [expect.any(String)] })
    expect(await json('bob', ['admit', 'reject', alice], 3)).toMatchObject({ error: { code: 'content-missing' } })
  })
})
