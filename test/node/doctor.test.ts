/** `diad doctor` in this process: what it says of keys and directories. Damage in the store: test/stories/doctor.test.ts; seals: seal.test.ts. */
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
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
