/** Attacks on homes: what ending a rescue would wipe, whom a bundle makes a key act for, requests that were put off, and forged domain roots. */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openBackend } from '../../src/cli/backend.js'
import type { AdmissionRecord } from '../../src/authority/admission-objects.js'
import type { Reference } from '../../src/substrate/reference.js'
import { finallyDecided } from '../../src/node/commands/admission/review.js'
import { diad } from '../cli/harness.js'

let dir: string
let memory: string
const before = process.env['DIAD_RUNTIME_DIR']
const path = (...parts: string[]): string => join(dir, ...parts)

/** Runs the command line on `home` as it is, and gives what it printed. */
async function json (home: string, words: string[], exit = 0): Promise<any> { // eslint-disable-line @typescript-eslint/no-explicit-any
  const done = await diad([...words, '--home', path(home), '--json'], undefined, { cwd: dir, openBackend })
  expect([done.exit, words.join(' '), done.exit === exit ? '' : done.stdout], done.stderr).toEqual([exit, words.join(' '), ''])
  return JSON.parse(done.stdout)
}

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'diad-attacks-homes-'))
  memory = process.platform === 'linux' ? mkdtempSync('/dev/shm/diad-attacks-homes-') : dir
  process.env['DIAD_RUNTIME_DIR'] = memory
  mkdirSync(path('site'))
  writeFileSync(path('site', 'page'), 'one\n')
})
afterAll(() => {
  for (const folder of [memory, dir]) rmSync(folder, { recursive: true, force: true })
  if (before === undefined) delete process.env['DIAD_RUNTIME_DIR']
  else process.env['DIAD_RUNTIME_DIR'] = before
})

describe('rescue', () => {
  let domain: string
  const start = (...more: string[]): string[] => ['rescue', 'start', '--bundle', path('main.car'), '--key', path('main', 'keys', 'principal.key'), '--dir', path('rescue'), ...more]

  beforeAll(async () => {
    domain = (await json('main', ['init', '--name', 'main', '--no-passphrase'])).domain
    await json('main', ['publish', path('site'), '--as', 'www'])
    await json('main', ['bundle', 'export', domain, path('main.car')])
    await json('main', ['bundle', 'heads', domain, path('main.heads')])
  })

  test('the domain is said by who starts it, not by the bundle', async () => {
    expect(await json('nobody', start(), 2)).toMatchObject({ error: { code: 'usage' } })
    const other = (await json('other', ['init', '--name', 'other', '--no-passphrase'])).domain
    expect(await json('nobody', start('--domain', other), 2)).toMatchObject({ error: { code: 'bundle-refused', message: expect.stringContaining('other-domain') } })
    expect(existsSync(path('rescue'))).toBe(false)
  })

  test('ending it wipes no key that was made there, and no home but that one', async () => {
    await json('nobody', start('--domain', domain))
    writeFileSync(path('site', 'page'), 'two\n')
    await json('rescue', ['rescue', 'publish', path('site'), '--as', 'www'])
    const end = ['rescue', 'end', '--out', path('done.car'), '--since', path('main.heads')]
    for (const key of [['keys', 'root_key.key'], ['keys', 'principal-2.key.age'], ['offline', 'root-1.key']]) {
      mkdirSync(path('rescue', key[0] as string), { recursive: true })
      writeFileSync(path('rescue', ...key), 'the only copy')
      expect(await json('rescue', end, 2)).toMatchObject({ error: { code: 'keys-here' } })
      expect(readFileSync(path('rescue', ...key), 'utf8')).toBe('the only copy')
      rmSync(path('rescue', ...key))
    }
    // A note that was copied, or a home that was moved, isn't the home that was made to be wiped.
    cpSync(path('rescue', 'rescue.json'), path('other', 'rescue.json'))
    expect(await json('other', end, 2)).toMatchObject({ error: { code: 'not-a-rescue' } })
    renameSync(path('rescue'), path('moved'))
    expect(await json('moved', end, 2)).toMatchObject({ error: { code: 'not-a-rescue' } })
    renameSync(path('moved'), path('rescue'))
    expect(existsSync(path('other', 'home.json'))).toBe(true)

    await json('rescue', end)
    expect(existsSync(path('rescue'))).toBe(false)
    expect(await json('main', ['bundle', 'import', path('done.car')])).toMatchObject({ status: 'accepted', missing: 0 })
  })
})

describe('a request that was put off', () => {
  test('is judged again by what is known now before it is accepted by the name of its domain', async () => {
    const alice = (await json('alice', ['init', '--name', 'alice', '--no-passphrase'])).domain
    const bob = (await json('bob', ['init', '--name', 'bob', '--no-passphrase'])).domain
    await json('bob', ['admit', 'nonce', '--out', path('nonce')])
    await json('alice', ['admit', 'request', '--to', bob, '--nonce', path('nonce'), '--scope', '/', '--out', path('request')])
    await json('bob', ['admit', 'defer', path('request')])
    // Nothing is known of it but what the file brought.
    expect(await json('bob', ['admit', 'accept', alice], 3)).toMatchObject({ error: { code: 'unknown-domain' } })
    await json('alice', ['bundle', 'export', alice, path('alice.car')])
    await json('bob', ['bundle', 'import', path('alice.car'), '--follow'])
    // The key that asked was a thief's.
    await json('alice', ['root', 'renew', '--roots', path('alice', 'offline')])
    await json('alice', ['bundle', 'export', alice, path('later.car')])
    await json('bob', ['bundle', 'import', path('later.car')])
    for (const words of [['accept', alice], ['limit', alice, '--scope', 'docs']]) expect(await json('bob', ['admit', ...words], 4)).toMatchObject({ error: { code: 'root-orphaned' } })
    expect(await json('bob', ['admit', 'reject', alice])).toMatchObject({ decision: 'REJECTED' })
  })

  test('D2: is decided for good by whichever home of ours decided it', () => {
    const record = (decision: AdmissionRecord['decision']): AdmissionRecord => ({ request: 'R', decision }) as unknown as AdmissionRecord
    const records = new Map([['a', record('REJECTED')], ['b', record('DEFERRED')]]) as unknown as ReadonlyMap<Reference, AdmissionRecord>
    expect(finallyDecided(records, 'R' as Reference)).toBe(true)
  })
})

test('a domain root with keys exchanged, a seal\'s claims changed or a file too many is told', async () => {
  await json('sealed', ['init', '--name', 'sealed', '--no-passphrase'])
  await json('sealed', ['publish', path('site'), '--as', 'www'])
  await json('sealed', ['domain', 'seal'])
  const root = path('sealed', 'domain')
  const said = async (): Promise<string[]> => (await json('sealed', ['doctor'])).findings.filter((f: { where: string, level: string }) => f.where === root && f.level !== 'ok').map((f: { what: string }) => f.what)
  expect(await said()).toEqual([])
  const [seal] = readdirSync(join(root, 'attestations')) as [string]
  const files = ['authorities/root.pub', 'authorities/principal.pub', `attestations/${seal}`]
  const texts = files.map((f) => readFileSync(join(root, f), 'utf8')) as [string, string, string]
  const put = (i: number, text: string): void => { writeFileSync(join(root, files[i] as string), text) }

  put(0, texts[1])
  put(1, texts[0])
  expect(await said()).toContainEqual(expect.stringContaining('authorities/root.pub'))
  put(0, texts[0])
  put(1, texts[1])
  const fields = JSON.parse(texts[2])
  const [lane, ...lanes] = fields.lanes
  for (const change of [{ view: '00'.repeat(32) }, { manifest_version: 99 }, { seal: 'another' }, { more: 1 }, { lanes: [] }, { lanes: [{ ...lane, log_size: 1e6 }, ...lanes] }, { lanes: [{ ...lane, log_root: 'ff'.repeat(32) }, ...lanes] }]) {
    put(2, JSON.stringify({ ...fields, ...change }))
    expect(await said(), JSON.stringify(change)).toEqual([expect.stringContaining(`attestations/${seal}`)])
  }
  put(2, texts[2])
  for (const extra of ['attestations/audited-by-somebody.json', 'policies/other.policy', 'authorities/readme']) {
    writeFileSync(join(root, extra), '{}')
    expect(await said()).toEqual([expect.stringContaining(extra)])
    rmSync(join(root, extra))
  }
  expect(await said()).toEqual([])
})
