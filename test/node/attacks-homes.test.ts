/** Attacks on homes: what ending a rescue would wipe, whom a bundle makes a key act for, requests that were put off, and forged domain roots. */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openBackend } from '../../src/cli/backend.js'
import type { AdmissionRecord } from '../../src/authority/admission-objects.js'
import type { Reference } from '../../src/substrate/reference.js'
import { finallyDecided } from '../../src/authority/admission.js'
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

/** The markers are gone. */
function reboot (): void {
  if (memory !== dir) for (const name of readdirSync(memory)) rmSync(join(memory, name), { recursive: true })
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
    expect(await json('nobody', start('--domain', other), 2)).toMatchObject({ error: { code: 'bundle-refused', message: expect.stringContaining('--domain names') } })
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

    // What lies there may be day one, which nobody has brought home yet.
    await json('main', ['bundle', 'export', domain, path('done.car')])
    const first = readFileSync(path('done.car'))
    expect(await json('rescue', end, 2)).toMatchObject({ error: { code: 'file-exists', hint: expect.stringContaining('another file') } })
    expect([readFileSync(path('done.car')).equals(first), existsSync(path('rescue'))]).toEqual([true, true])
    expect((await json('rescue', [...end, '--out', path('nowhere', 'done.car')], 2)).error).toMatchObject({ code: 'unwritable', message: expect.stringMatching(/the folder .*nowhere does not exist$/) })
    rmSync(path('done.car'))

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
    expect(finallyDecided({ records }, 'R' as Reference)).toBe(true)
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
  for (const text of ['[]', '{"domain":']) {
    put(2, text)
    expect(await said(), text).toEqual([expect.stringContaining(`attestations/${seal}`)])
  }
  put(2, texts[2])
  for (const extra of ['attestations/audited-by-somebody.json', 'policies/other.policy', 'authorities/readme']) {
    writeFileSync(join(root, extra), '{}')
    expect(await said()).toEqual([expect.stringContaining(extra)])
    rmSync(join(root, extra))
  }
  expect(await said()).toEqual([])
})

test('V6: a domain that is shown to few gets into no file by mistake', async () => {
  const member = (await json('member', ['init', '--name', 'member', '--no-passphrase'])).domain
  const few = (await json('few', ['init', '--name', 'few', '--no-passphrase'])).domain
  await json('few', ['publish', path('site'), '--as', 'www'])
  const exported = async (home: string, file: string, ...more: string[]): Promise<{ exit: number, stderr: string }> =>
    await diad(['bundle', 'export', few, path(file), ...more, '--home', path(home)], undefined, { cwd: dir, openBackend })
  expect((await exported('few', 'open.car')).stderr).not.toContain('warning')
  const text = readFileSync(path('few', 'domain', 'policies', 'publish.policy'), 'utf8')
  writeFileSync(path('few.policy'), text.replace(/(trusted_domains"?: )\[\]/, `$1[${member}]`))
  await json('few', ['policy', 'set', path('few.policy')])
  expect((await exported('few', 'few.car')).stderr).toMatch(/warning: .*trusted domains alone/)
  await json('member', ['bundle', 'import', path('few.car')])
  const refused = await exported('member', 'passed.car')
  expect([refused.exit, existsSync(path('passed.car'))]).toEqual([2, false])
  expect(refused.stderr).toContain('--restricted')
  expect(await exported('member', 'passed.car', '--restricted')).toMatchObject({ exit: 0 })
})

describe('M8: a manifest that a thief of the root_key signed', () => {
  let domain: string
  const said = async (...words: string[]): Promise<string> => {
    const done = await diad([...words, '--home', path('owner')], undefined, { cwd: dir, openBackend })
    return done.stdout + done.stderr
  }

  beforeAll(async () => {
    domain = (await json('owner', ['init', '--name', 'owner', '--no-passphrase'])).domain
    await json('owner', ['key', 'new', 'ci', '--no-passphrase'])
    await json('owner', ['role', 'grant', 'ci', '--role', 'produce'])
    cpSync(path('owner'), path('thief'), { recursive: true })
    await json('thief', ['key', 'new', 'mallory', '--no-passphrase'])
    await json('thief', ['role', 'grant', 'mallory', '--role', 'publish,federate', '--offline-authority'])
    await json('thief', ['bundle', 'export', domain, path('th.car')])
  })

  test('is taken in, and said loudly: what it changes, and both ways out', async () => {
    expect((await json('owner', ['doctor'])).code).not.toBe('bad')
    const [loud, ways] = [/manifest 3 is signed by this domain's own root_key, and not by this machine, which last signed manifest 2/, /another machine of yours .*--offline-authority.*`diad recover root-key --base 2`/]
    const imported = await said('bundle', 'import', path('th.car'))
    for (const text of [loud, ways, /manifest 3 \(.*\): grants .*federate, publish on the whole domain/]) expect(imported).toMatch(text)
    const status = await said('status')
    for (const text of [loud, ways, /grants/]) expect(status).toMatch(text)
    expect((await json('owner', ['status'])).domains[0].elsewhere).toMatchObject({ manifests: [3], since: 2 })
    const doctor = await json('owner', ['doctor'], 4)
    expect(doctor.findings).toContainEqual(expect.objectContaining({ level: 'bad', what: expect.stringMatching(loud), do: expect.stringMatching(ways) }))
    // A copy of somebody else's domain, and a machine that doesn't know what it signed, have nothing to say.
    expect((await json('thief', ['status'])).domains[0]).not.toHaveProperty('elsewhere')
    const refused = await json('owner', ['role', 'grant', 'ci', '--role', 'audit'], 2)
    expect(refused.error).toMatchObject({ code: 'authority-unsure', message: expect.stringContaining('manifest 3 came from elsewhere'), hint: expect.stringMatching(ways) })
  })

  test('is said when something is published, and after a restart, too', async () => {
    for (const _restart of [1, 2]) {
      expect(await said('publish', path('site'), '--as', 'www')).toMatch(/manifest 3 is signed .*`diad recover root-key --base 2`/)
      reboot()
    }
    expect((await json('owner', ['status'])).domains[0].elsewhere).toMatchObject({ manifests: [3], since: 2, text: expect.stringMatching(/known since 20..-..-.. ..:.. UTC/) })
    expect((await json('owner', ['role', 'grant', 'ci', '--role', 'audit'], 2)).error).toMatchObject({ code: 'authority-unsure', message: expect.stringContaining('last signed (manifest 2)') })
  })

  test('that authority moved is said also where nobody knows who signed', async () => {
    await json('blank', ['init', '--name', 'blank', '--no-passphrase'])
    cpSync(path('blank'), path('blank-thief'), { recursive: true })
    await json('blank-thief', ['key', 'new', 'mallory', '--no-passphrase'])
    await json('blank-thief', ['role', 'grant', 'mallory', '--role', 'publish', '--offline-authority'])
    await json('blank-thief', ['bundle', 'export', 'blank', path('bt.car')])
    reboot()
    const imports = ['bundle', 'import', path('bt.car'), '--home', path('blank')]
    const first = await diad(imports, undefined, { cwd: dir, openBackend })
    expect(first.stderr.match(/authority: .*/g)).toEqual([expect.stringMatching(/^authority: manifest 1 → 2: grants [0-9a-f…()]+: publish on the whole domain \(who signed that/)])
    expect((await diad(imports, undefined, { cwd: dir, openBackend })).stderr).not.toContain('authority:')
    expect((await json('blank', ['status'])).domains[0]).not.toHaveProperty('elsewhere')
  })

  test('is forgotten when the owner goes on from it', async () => {
    const done = await said('role', 'grant', 'ci', '--role', 'audit', '--offline-authority')
    expect(done.match(/going on from .*/g)).toEqual([expect.stringMatching(/going on from manifest 3 .*: grants .*federate, publish on the whole domain/)])
    reboot()
    expect(existsSync(path('owner', 'last-signed.json'))).toBe(false)
    expect((await json('owner', ['status'])).domains[0]).not.toHaveProperty('elsewhere')
    expect((await json('owner', ['doctor'])).code).not.toBe('bad')
  })

  test('an export takes no other file\'s place, and goes into no home', async () => {
    const kept = path('owner', 'offline', 'root-1.key')
    const key = readFileSync(kept, 'utf8')
    cpSync(kept, path('stick.key'))
    writeFileSync(path('thesis.txt'), 'years of work')
    for (const words of [['bundle', 'export', domain], ['bundle', 'heads', domain]]) {
      for (const [file, code] of [['thesis.txt', 'file-exists'], ['stick.key', 'file-exists'], [join('owner', 'offline', 'root-1.key'), 'inside-home'], [join('owner', 'new'), 'inside-home'], ['site', 'file-exists']] as const) {
        expect([file, (await json('owner', [...words, path(file)], 2)).error]).toMatchObject([file, { code }])
      }
    }
    expect([readFileSync(path('thesis.txt'), 'utf8'), readFileSync(kept, 'utf8'), readFileSync(path('stick.key'), 'utf8')]).toEqual(['years of work', key, key])
    // Another domain's export and heads are somebody's work, too; one's own is written anew.
    const other = (await json('another', ['init', '--name', 'another', '--no-passphrase'])).domain
    for (const what of ['export', 'heads']) {
      await json('owner', ['bundle', what, domain, path(`week.${what}`)])
      await json('owner', ['bundle', what, domain, path(`week.${what}`)])
      expect((await json('another', ['bundle', what, other, path(`week.${what}`)], 2)).error.code).toBe('file-exists')
    }
    writeFileSync(path('.week.export.diad-999999999-abcdef.part'), 'left by a killed export')
    await json('owner', ['bundle', 'export', domain, path('week.export')])
    expect(readdirSync(dir).filter((f) => f.endsWith('.part'))).toEqual([])
  })
})

test('a bundle never takes the place of one that holds more', async () => {
  const domain = (await json('weekly', ['init', '--name', 'weekly', '--no-passphrase'])).domain
  const to = (file: string, ...more: string[]): string[] => ['bundle', 'export', domain, path(file), ...more]
  await json('weekly', ['publish', path('site'), '--as', 'docs/a'])
  await json('weekly', to('old.car'))
  cpSync(path('weekly'), path('backup'), { recursive: true })
  await json('weekly', ['bundle', 'heads', domain, path('weekly.heads')])
  writeFileSync(path('site', 'page'), 'another\n')
  await json('weekly', ['publish', path('site'), '--as', 'docs/a'])
  writeFileSync(path('site', 'page'), 'of next week\n')
  await json('weekly', ['publish', path('site'), '--as', 'blog/b'])
  await json('weekly', to('old.car'))
  await json('weekly', to('part.car', '--prefix', 'docs'))
  await json('weekly', to('rest.car', '--since', path('weekly.heads')))
  const refused = async (home: string, words: string[], what: RegExp): Promise<void> => {
    const file = words[3] as string
    const held = readFileSync(file)
    expect((await json(home, words, 2)).error).toMatchObject({ code: 'file-exists', message: expect.stringMatching(what), hint: expect.stringContaining('another file') })
    expect(readFileSync(file).equals(held)).toBe(true)
  }
  await refused('weekly', to('old.car', '--prefix', 'docs'), /the content of "?blog\/b"?, which the new one lacks/)
  await refused('weekly', to('old.car', '--since', path('weekly.heads')), /holds earlier records, which/)
  await refused('backup', to('old.car'), /3 records of the lane/)
  // What a closed key wrote isn't exported any more, and that was decided.
  await json('weekly', ['key', 'new', 'ci', '--no-passphrase'])
  await json('weekly', ['role', 'grant', 'ci', '--role', 'federate,produce,publish'])
  await json('weekly', ['publish', path('site'), '--as', 'ci', '--key', path('weekly', 'keys', 'ci.key')])
  await json('weekly', to('old.car'))
  await json('weekly', ['key', 'close', 'ci', '--keep', 'nothing', '--yes'])
  await json('weekly', to('old.car'))
  // As narrow as it was, or wider, it is what a weekly export does.
  await json('weekly', to('part.car', '--prefix', 'docs'))
  await json('weekly', to('rest.car', '--since', path('weekly.heads')))
  for (const file of ['part.car', 'rest.car', 'old.car']) await json('weekly', to(file))
  expect((await json('weekly', to(join('nodir', 'b.car')), 2)).error).toMatchObject({ code: 'unwritable', message: expect.stringMatching(/the folder .*nodir does not exist$/) })
  expect(readdirSync(dir).filter((f) => f.endsWith('.part'))).toEqual([])
})

describe('a home\'s own key', () => {
  const error = async (...words: string[]): Promise<{ code: string, message: string, hint: string }> => (await json('keys', words, 2)).error
  const publish = ['publish', 'site', '--as', 'www']
  const way = /`diad key new principal`.*`diad role grant principal --role federate,produce,publish`/

  beforeAll(async () => {
    await json('keys', ['init', '--name', 'keys', '--no-passphrase'])
    await json('keys', ['key', 'new', 'helper', '--no-passphrase'])
    await json('keys', ['role', 'grant', 'helper', '--role', 'produce'])
  })

  test('recovery that has nothing to recover asks first', async () => {
    expect(await error('recover', 'keys', '--no-passphrase')).toMatchObject({ code: 'not-confirmed', message: expect.stringContaining('nothing is missing'), hint: expect.stringContaining('key rotate') })
    expect((await json('keys', ['role', 'list'])).version).toBe(2)
  })

  test('is closed only with --yes, and every refusal then names the way to another one', async () => {
    for (const yes of [[], ['--yes']]) expect((await json('another', ['key', 'close', 'principal', ...yes], 2)).error).toMatchObject({ code: 'last-principal', message: expect.stringContaining('only principal'), hint: expect.stringContaining('key rotate') })
    expect(await error('key', 'close', 'principal')).toMatchObject({ code: 'not-confirmed', hint: expect.stringContaining('key rotate') })
    await json('keys', publish)
    await json('keys', ['key', 'close', 'principal', '--yes'])
    const closed = (await json('keys', ['role', 'list'])).principals.find((p: { listed: boolean }) => !p.listed).principal
    expect(await error('key', 'close', closed, '--yes')).toMatchObject({ code: 'nothing-to-change', message: expect.stringContaining('manifest 3 closed this key') })
    expect(await error(...publish)).toMatchObject({ code: 'role-missing', message: expect.stringContaining('manifest 3 dropped this key'), hint: expect.stringMatching(way) })
    expect(await error('role', 'grant', 'principal', '--role', 'publish')).toMatchObject({ code: 'principal-returns', hint: expect.stringMatching(way) })
    expect((await json('keys', ['key', 'rotate'], 3)).error).toMatchObject({ code: 'unknown-principal', hint: expect.stringMatching(way) })
    expect((await json('keys', ['doctor'])).findings).toContainEqual(expect.objectContaining({ level: 'warn', what: expect.stringContaining('this home can publish nothing'), do: expect.stringMatching(way) }))
    expect(await json('keys', ['key', 'new', 'principal', '--no-passphrase'])).toMatchObject({ name: 'principal', retired: 'principal.retired-1' })
    expect(await error(...publish)).toMatchObject({ code: 'role-missing', message: expect.stringContaining('doesn\'t name this key'), hint: expect.stringContaining('`diad role grant principal --role') })
    await json('keys', ['role', 'grant', 'principal', '--role', 'federate,produce,publish'])
    expect(await json('keys', publish)).toMatchObject({ exported: true })
    // A key that is in force is never written over.
    expect((await error('key', 'new', 'principal', '--no-passphrase')).code).toBe('key-exists')
  })

  test('a rotation that was cut off is gone on with, and only with a passphrase that opens its key', async () => {
    for (const [name, text] of [['old', 'the one of then'], ['now', 'the one of today']] as const) writeFileSync(path(name), text, { mode: 0o600 })
    await json('rotating', ['init', '--name', 'rotating', '--passphrase-file', path('now')])
    await json('rotating', ['key', 'new', 'principal.next', '--passphrase-file', path('old')])
    const before = readdirSync(path('rotating', 'keys'))
    const refused = await json('rotating', ['key', 'rotate', '--passphrase-file', path('now')], 2)
    expect(refused.error).toMatchObject({ code: 'wrong-passphrase', hint: expect.stringMatching(/nothing was signed.*principal\.next\.key\.age/) })
    expect([readdirSync(path('rotating', 'keys')), (await json('rotating', ['role', 'list'])).version]).toEqual([before, 1])
    for (const end of ['.key.age', '.pub']) rmSync(path('rotating', 'keys', `principal.next${end}`))
    await json('rotating', ['key', 'new', 'principal.next', '--passphrase-file', path('now')])
    const done = await diad(['key', 'rotate', '--passphrase-file', path('now'), '--home', path('rotating')], undefined, { cwd: dir, openBackend })
    expect([done.exit, done.stderr]).toEqual([0, expect.stringContaining('which an interrupted rotation left')])
  })
})

test('rescue with a bundle from before the grant says so', async () => {
  const domain = (await json('late', ['init', '--name', 'late', '--no-passphrase'])).domain
  await json('late', ['bundle', 'export', domain, path('early.car')])
  await json('late', ['key', 'new', 'stick', '--out', path('usb'), '--no-passphrase'])
  await json('late', ['role', 'grant', path('usb', 'stick.pub'), '--role', 'publish'])
  const start = (file: string, exit: number): Promise<any> => json('nobody', ['rescue', 'start', '--bundle', path(file), '--domain', domain, '--key', path('usb', 'stick.key'), '--dir', path('late-rescue')], exit) // eslint-disable-line @typescript-eslint/no-explicit-any
  expect((await start('early.car', 2)).error).toMatchObject({ code: 'role-missing', message: expect.stringContaining('manifest 1'), hint: expect.stringContaining('newer bundle') })
  await json('late', ['key', 'close', 'stick'])
  await json('late', ['bundle', 'export', domain, path('after.car')])
  expect((await start('after.car', 2)).error).toMatchObject({ code: 'role-missing', message: expect.stringContaining('dropped'), hint: expect.stringContaining('another key') })
})
