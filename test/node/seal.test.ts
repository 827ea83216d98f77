/** Sealing, in this process: anchors in a new manifest, a read-only copy, tampering found, a pin given free while the anchors stay. */
import { createHash } from 'node:crypto'
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openBackend } from '../../src/cli/backend.js'
import { diad } from '../cli/harness.js'

let dir: string
let memory: string
let domain: string
let seal: any // eslint-disable-line @typescript-eslint/no-explicit-any
const before = process.env['DIAD_RUNTIME_DIR']

const stage = {
  path: (...parts: string[]): string => join(dir, ...parts),
  /** Runs the command line on `home` as it is, and gives what it printed. */
  async json (home: string, words: string[], exit = 0): Promise<any> { // eslint-disable-line @typescript-eslint/no-explicit-any
    const done = await diad([...words, '--home', join(dir, home), '--json'], undefined, { cwd: dir, openBackend })
    expect([words.join(' '), done.exit, done.exit === exit ? '' : done.stdout]).toEqual([words.join(' '), exit, ''])
    return JSON.parse(done.stdout)
  }
}

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'diad-seal-'))
  memory = process.platform === 'linux' ? mkdtempSync('/dev/shm/diad-seal-') : dir
  process.env['DIAD_RUNTIME_DIR'] = memory
  domain = (await stage.json('alice', ['init', '--name', 'alice', '--no-passphrase'])).domain
  writeFileSync(stage.path('hello'), 'hello\n')
  await stage.json('alice', ['publish', stage.path('hello'), '--as', 'hello'])
})
afterAll(() => {
  for (const folder of [memory, dir]) rmSync(folder, { recursive: true, force: true })
  if (before === undefined) delete process.env['DIAD_RUNTIME_DIR']
  else process.env['DIAD_RUNTIME_DIR'] = before
})

const run = async (...words: string[]) => await diad([...words, '--home', stage.path('alice')], undefined, { cwd: dir, openBackend })
const findings = async (exit = 0): Promise<Array<{ level: string, what: string, where: string }>> => (await stage.json('alice', ['doctor'], exit)).findings

test('show says what the domain is', async () => {
  const shown = await stage.json('alice', ['domain', 'show'])
  expect(shown).toMatchObject({ domain, name: 'alice', status: 'accepted', code: 'accepted', epoch: 0, manifestVersion: 1, lanes: 1, names: 1, seals: [], trusted: [], roots: { threshold: 1 } })
  expect(shown.principals).toEqual([{ id: expect.any(String), key: expect.any(String), name: 'principal', roles: ['federate', 'produce', 'publish'], prefixes: [''] }])
  const text = await run('domain', 'show')
  expect(text.stdout).toContain('federate produce publish  everything')
})

test('a seal anchors every lane in a new manifest and freezes the domain root', async () => {
  const head = (await stage.json('alice', ['status'])).domains[0].heads[0]
  seal = await stage.json('alice', ['domain', 'seal', '--pin', 'first'])
  expect(seal).toMatchObject({ domain, name: 'first', kind: 'copy', at: stage.path('alice', 'seals', '0001'), anchored: true, manifestVersion: 2, lanes: 1, state: 'sealed', manifest: expect.stringMatching(/^[0-9a-f]{68}$/) })
  const root = join(seal.at, 'root')
  expect(readdirSync(root).sort()).toEqual(['attestations', 'authorities', 'domain.id', 'domain.pubkey', 'policies'])
  const said = JSON.parse(readFileSync(join(root, 'attestations', 'seal-first.json'), 'utf8'))
  expect(said).toMatchObject({ seal: 'first', manifest: seal.manifest, manifest_version: 2, lanes: [{ lane: head.lane, snapshot: head.snapshot, log_size: 1 }] })
  expect(statSync(join(root, 'domain.id')).mode & 0o777).toBe(0o444)
  expect(await stage.json('alice', ['verify', seal.manifest])).toMatchObject({ status: 'accepted' })
  expect((await stage.json('alice', ['domain', 'seals'])).seals).toEqual([expect.objectContaining({ name: 'first', state: 'sealed' })])
  expect((await findings()).filter((f) => f.where.includes('seals')).map((f) => f.level)).toEqual(['ok'])
})

test('nothing new needs no new manifest; a name is taken once', async () => {
  expect(await stage.json('alice', ['domain', 'seal'])).toMatchObject({ name: 'v2', anchored: false, manifestVersion: 2, manifest: seal.manifest })
  expect(await stage.json('alice', ['domain', 'seal', '--pin', 'first'], 2)).toMatchObject({ error: { code: 'seal-exists' } })
  expect(await stage.json('alice', ['domain', 'seal', '--pin', '../x'], 2)).toMatchObject({ error: { code: 'malformed' } })
  expect((await stage.json('alice', ['domain', 'show'])).manifestVersion).toBe(2)
})

test('tampering with a sealed root is found', async () => {
  const root = join(seal.at, 'root')
  const path = join(root, 'domain.id')
  const before = readFileSync(path)
  chmodSync(path, 0o600)
  writeFileSync(path, 'dom1forged\n')
  chmodSync(path, 0o444)
  const found = await findings(4)
  expect(found).toContainEqual(expect.objectContaining({ level: 'bad', where: seal.at, what: expect.stringContaining('domain.id was changed') }))
  expect(found).toContainEqual(expect.objectContaining({ level: 'ok', where: stage.path('alice', 'seals', '0002') }))
  const text = await run('doctor')
  expect([text.exit, text.stdout]).toEqual([4, expect.stringContaining('something is wrong')])

  // Whoever also mends the list of digests and the record can't mend the signed manifest.
  const sums = join(seal.at, 'SHA256SUMS')
  const record = stage.path('alice', 'seals', '0001.json')
  const [list, text1] = [readFileSync(sums, 'utf8'), readFileSync(record, 'utf8')]
  const sha256 = (data: Uint8Array | string): string => createHash('sha256').update(data).digest('hex')
  const forged = list.replace(sha256(before), sha256(readFileSync(path)))
  chmodSync(sums, 0o600)
  writeFileSync(sums, forged)
  chmodSync(sums, 0o444)
  writeFileSync(record, text1.replace(sha256(before), sha256(readFileSync(path))).replace(sha256(list), sha256(forged)))
  expect(await findings(4)).toContainEqual(expect.objectContaining({ level: 'bad', where: seal.at, what: expect.stringContaining('domain.id says something else than manifest 2') }))

  for (const [file, was, mode] of [[path, before, 0o444], [sums, list, 0o444], [record, text1, 0o600]] as const) {
    chmodSync(file, 0o600)
    writeFileSync(file, was)
    chmodSync(file, mode)
  }
  expect((await findings()).every((f) => f.level !== 'bad')).toBe(true)
})

test('the working domain root is only drawn: a change shows, and the next seal draws it anew', async () => {
  const path = stage.path('alice', 'domain', 'policies', 'publish.policy')
  writeFileSync(path, readFileSync(path, 'utf8').replace('16', '17'))
  writeFileSync(stage.path('alice', 'domain', 'authorities', 'eve.pub'), 'ab'.repeat(32) + '\n')
  const found = (await findings()).filter((f) => f.where === stage.path('alice', 'domain'))
  expect(found.map((f) => f.level)).toEqual(['warn', 'warn'])
  await stage.json('alice', ['domain', 'seal', '--pin', 'third'])
  expect((await findings()).filter((f) => f.where === stage.path('alice', 'domain')).map((f) => f.level)).toEqual(['ok'])
})

test('an interrupted seal is found and can be taken away', async () => {
  const record = JSON.parse(readFileSync(stage.path('alice', 'seals', '0001.json'), 'utf8'))
  const { identity: _, ...pin } = record.pin
  writeFileSync(stage.path('alice', 'seals', '0009.json'), JSON.stringify({ ...record, name: 'half', pin: { ...pin, at: stage.path('alice', 'seals', '0009') } }))
  mkdirSync(stage.path('alice', 'seals', '0009.0123456789ab.tmp'))
  expect(await findings()).toContainEqual(expect.objectContaining({ level: 'warn', what: expect.stringContaining('half was interrupted') }))
  expect(await stage.json('alice', ['domain', 'unseal', 'half'])).toMatchObject({ left: 'removed' })
  expect(readdirSync(stage.path('alice', 'seals')).filter((n) => n.startsWith('0009'))).toEqual([])
})

test('a pin given free takes the copy away and says that the anchors stay', async () => {
  const done = await run('domain', 'unseal', 'first')
  expect(done).toMatchObject({ exit: 0, stdout: expect.stringContaining('manifest 2 anchors stays anchored') })
  expect(existsSync(seal.at)).toBe(false)
  expect(await stage.json('alice', ['domain', 'unseal', 'first'], 3)).toMatchObject({ error: { code: 'not-found' } })
  expect(await stage.json('alice', ['verify', seal.manifest])).toMatchObject({ status: 'accepted' })
})

test('a copy of the home may not sign without being told to (M8)', async () => {
  writeFileSync(stage.path('hello'), 'hello again\n')
  await stage.json('alice', ['publish', stage.path('hello'), '--as', 'hello'])
  cpSync(stage.path('alice'), stage.path('copy'), { recursive: true })
  expect(await stage.json('copy', ['domain', 'seal'], 2)).toMatchObject({ error: { code: 'authority-unsure' } })
  expect(await stage.json('copy', ['domain', 'seal', '--offline-authority'])).toMatchObject({ anchored: true, manifestVersion: 3 })
})

test('a reader has no domain to seal', async () => {
  mkdirSync(stage.path('reader'))
  await stage.json('reader', ['follow', domain])
  expect(await stage.json('reader', ['domain', 'seal'], 2)).toMatchObject({ error: { code: 'role-missing' } })
})
