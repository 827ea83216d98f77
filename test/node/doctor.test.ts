/** `diad doctor` in this process: what it says of keys and directories. Damage in the store: test/stories/doctor.test.ts; seals: seal.test.ts. */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openBackend } from '../../src/cli/backend.js'
import { diad } from '../cli/harness.js'

interface Finding { level: string, what: string, where: string, do: string }

let dir: string
let memory: string
const before = process.env['DIAD_RUNTIME_DIR']
const stage = { path: (...parts: string[]): string => join(dir, ...parts) }

async function run (words: string[], exit = 0): Promise<any> { // eslint-disable-line @typescript-eslint/no-explicit-any
  const done = await diad([...words, '--home', stage.path('alice'), '--json'], undefined, { cwd: dir, openBackend })
  expect([done.exit, done.stderr], done.stdout).toEqual([exit, expect.any(String)])
  return JSON.parse(done.stdout)
}
const doctor = async (exit = 0, ...words: string[]): Promise<Finding[]> => (await run(['doctor', ...words], exit)).findings
const bad = (findings: Finding[]): Finding[] => findings.filter((f) => f.level === 'bad')

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'diad-doctor-'))
  memory = process.platform === 'linux' ? mkdtempSync('/dev/shm/diad-doctor-') : dir
  process.env['DIAD_RUNTIME_DIR'] = memory
  await run(['init', '--name', 'alice', '--no-passphrase'])
})
afterAll(() => {
  for (const folder of [memory, dir]) rmSync(folder, { recursive: true, force: true })
  if (before === undefined) delete process.env['DIAD_RUNTIME_DIR']
  else process.env['DIAD_RUNTIME_DIR'] = before
})

test('roots that lie beside root_key and next roots that nobody tried are worth a warning (N2)', async () => {
  const warned = async (): Promise<string[]> => (await doctor()).filter((f) => f.level === 'warn').map((f) => f.what)
  expect(await warned()).toEqual([expect.stringContaining('on the same disk'), expect.stringContaining('never tried')])
  await run(['root', 'drill', '--roots', stage.path('alice', 'offline')])
  expect(await warned()).toEqual([expect.stringContaining('on the same disk')])
  rmSync(stage.path('alice', 'offline'), { recursive: true })
  expect(await warned()).toEqual([])
})

test('next roots alone beside root_key are worth one, too, and rotated-away ones a milder one (N2)', async () => {
  const at = stage.path('bob', 'offline')
  const warned = async (): Promise<Finding[]> => {
    const done = await diad(['doctor', '--home', stage.path('bob'), '--json'], undefined, { cwd: dir, openBackend })
    return (JSON.parse(done.stdout).findings as Finding[]).filter((f) => f.level === 'warn' && !f.what.includes('never tried'))
  }
  const bob = async (...words: string[]): Promise<number> => (await diad([...words, '--home', stage.path('bob'), '--no-passphrase'], undefined, { cwd: dir, openBackend })).exit
  expect(await bob('init')).toBe(0)
  expect(await warned()).toEqual([expect.objectContaining({ what: expect.stringContaining('a live root key lies, with next ones, on the same disk'), where: `${join(at, 'root-1.key')}, ${join(at, 'next-root-1.key')}` })])
  const away = stage.path('stick')
  mkdirSync(away)
  for (const name of ['root-1.key', 'root-1.pub']) renameSync(join(at, name), join(away, name))
  expect(await warned()).toEqual([expect.objectContaining({ what: expect.stringMatching(/^a next root key lies on the same disk as root_key: .*can replace the live roots/), where: join(at, 'next-root-1.key') })])
  // What can't be told to be next from a damaged or a foreign file is no alarm.
  const commitment = readFileSync(join(at, 'next-commitment.json'))
  writeFileSync(join(at, 'next-commitment.json'), '{}')
  expect(await warned()).toEqual([])
  writeFileSync(join(at, 'next-commitment.json'), commitment)
  expect(await bob('root', 'rotate', '--roots', at, '--new-roots', stage.path('other'))).toBe(0)
  for (const name of ['root-1.key', 'root-1.pub']) renameSync(join(away, name), join(at, name))
  const after = await warned()
  expect(after.map((f) => [f.what.slice(0, 15), f.where])).toEqual([['a live root key', join(at, 'next-root-1.key')], ['an old root key', join(at, 'root-1.key')]])
  expect(after[1]?.what).toContain('no longer in force')
})

test('root keys are never written among the hot ones', async () => {
  const keys = stage.path('carol', 'keys')
  const said = async (...words: string[]): Promise<string> => {
    const done = await diad([...words, '--home', stage.path('carol'), '--no-passphrase'], undefined, { cwd: dir, openBackend })
    return `${done.exit} ${done.stderr.split('\n')[0]}`
  }
  for (const place of [keys, join(keys, 'roots'), join(keys, '..', 'keys', 'a', 'b')]) {
    expect(await said('init', '--roots', place)).toMatch(/^2 diad: --roots .*keys.* is where the home keeps its hot keys/)
    expect(existsSync(stage.path('carol'))).toBe(false)
  }
  expect(await said('init', '--roots', stage.path('carol', 'store'))).toMatch(/^2 diad: --roots .* is inside the home/)
  expect(existsSync(stage.path('carol'))).toBe(false)
  expect(await said('init', '--roots', stage.path('carol', 'offline', 'first'))).toMatch(/^0/)
  symlinkSync(keys, stage.path('link'))
  const files = readdirSync(keys)
  for (const place of [keys, join(keys, 'next'), stage.path('link'), join(stage.path('link'), 'next')]) {
    for (const verb of [['root', 'rotate'], ['recover', 'roots']]) {
      expect(await said(...verb, '--roots', stage.path('carol', 'offline', 'first'), '--new-roots', place)).toMatch(/^2 diad: .* inside the home/)
    }
  }
  expect(readdirSync(keys)).toEqual(files)
})

test('keys that others can read, that aren\'t what their record says, or that are gone', async () => {
  const keys = stage.path('alice', 'keys')
  chmodSync(join(keys, 'principal.key'), 0o644)
  const record = readFileSync(join(keys, 'root_key.pub'))
  writeFileSync(join(keys, 'root_key.pub'), '11'.repeat(32) + '\n')
  const found = bad(await doctor(4))
  expect(found.map((f) => f.where).sort()).toEqual([join(keys, 'principal.key'), join(keys, 'root_key.key')])
  expect(found.map((f) => f.do)).toContainEqual(expect.stringContaining('chmod 600'))
  chmodSync(join(keys, 'principal.key'), 0o600)
  writeFileSync(join(keys, 'root_key.pub'), record)
  chmodSync(stage.path('alice', 'keys'), 0o755)
  expect(bad(await doctor(4)).map((f) => f.do)).toEqual([`chmod 700 ${keys}`])
  chmodSync(stage.path('alice', 'keys'), 0o700)
  rmSync(join(keys, 'principal.key'))
  expect(await doctor()).toContainEqual(expect.objectContaining({ level: 'warn', what: 'there is no principal here' }))
})
