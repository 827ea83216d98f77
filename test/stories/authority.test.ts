/** Keys, roles and policy by real processes: granting, publishing with a granted key, revoking, closing, rotating, and when a manifest may be signed (M8). */
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Daemon, Stage } from '../helpers/cli.js'

const stage = new Stage()
const file = (name: string): string => stage.path(name)

/** The code of the error that this has to end with. */
async function errorOf (home: string, ...words: string[]): Promise<string> {
  const done = await stage.run(...words, '--home', stage.path(home), '--json')
  expect(done.exit).not.toBe(0)
  return JSON.parse(done.stdout).error.code
}

beforeAll(() => { writeFileSync(file('page.txt'), 'a page\n') })
afterAll(async () => { await stage.close() })

const principals = async (home: string, domain?: string): Promise<any[]> => // eslint-disable-line @typescript-eslint/no-explicit-any
  (await stage.json(home, ['role', 'list', ...domain === undefined ? [] : [domain]])).principals

describe('a key that is granted, used, and closed', () => {
  let domain: string
  let first: { lane: string, snapshot: string }
  let daemon: Daemon

  test('a granted key publishes in its scope, and nowhere else', async () => {
    domain = await stage.init('alice')
    const made = await stage.json('alice', ['key', 'new', 'ci', '--out', stage.path('stick'), '--no-passphrase'])
    const granted = await stage.json('alice', ['role', 'grant', file('stick/ci.pub'), '--role', 'publisher,federate', '--scope', 'builds'])
    expect(granted).toMatchObject({ principal: made.principal, name: 'ci', roles: ['federate', 'publish'], prefixes: ['builds'], version: 2, closed: [], losses: [] })
    const key = ['--key', file('stick/ci.key')]
    first = await stage.json('alice', ['publish', file('page.txt'), '--as', 'builds/1', ...key])
    await stage.json('alice', ['publish', file('page.txt'), '--as', 'builds/2', ...key])
    expect(await errorOf('alice', 'publish', file('page.txt'), '--as', 'other', ...key)).toBe('out-of-scope')
    expect(await errorOf('alice', 'role', 'grant', 'ci', '--role', 'publish')).toBe('nothing-to-change')
  })

  test('a follower that synced before a close learns of it: the lane is void, and its names are gone', async () => {
    daemon = await stage.serve('alice')
    await stage.json('bob', ['sync', domain, '--peer', daemon.address])
    expect((await stage.json('bob', ['verify', `${domain}/builds/1`])).code).toBe('accepted')
    // The daemon signs, asked over its socket.
    const { lane, snapshot } = first
    // With the digits that all references begin with, or without them.
    const upTo = ['--lane', lane.slice(4, 20), '--at', snapshot]
    const refused = await stage.json('alice', ['key', 'close', 'ci', ...upTo], 2)
    expect(refused.error).toMatchObject({ code: 'would-be-void', message: expect.stringContaining('1 record that counts now would become void: builds/2') })
    expect((await stage.json('alice', ['key', 'close', 'ci', ...upTo, '--yes'])).losses).toEqual([{ lane, from: 1, to: 2, names: ['builds/2'] }])
    await stage.json('bob', ['sync', domain, '--peer', daemon.address])
    expect((await stage.json('bob', ['ls', domain])).entries).toMatchObject([{ name: 'builds/1' }])
    // The theft turns out to be older.
    await stage.json('alice', ['key', 'close', 'ci', '--keep', 'nothing', '--yes'])
    await stage.json('bob', ['sync', domain, '--peer', daemon.address])
    expect(await stage.json('bob', ['verify', lane], 4)).toMatchObject({ status: 'void', code: 'closed' })
    expect((await stage.json('bob', ['ls', domain])).entries).toEqual([])
    expect(await errorOf('alice', 'publish', file('page.txt'), '--as', 'builds/3', '--key', file('stick/ci.key'))).toBe('role-missing')
    expect(await errorOf('alice', 'role', 'grant', file('stick/ci.pub'), '--role', 'publish')).toBe('principal-returns')
    await daemon.stop()
  })
})

describe('rotating and revoking keep what was published', () => {
  test('a rotated key goes on under the same name, and the old one stays as a file', async () => {
    await stage.init('carol')
    await stage.json('carol', ['publish', file('page.txt'), '--as', 'one'])
    const before = readFileSync(stage.path('carol/keys/principal.pub'), 'utf8')
    const rotated = await stage.json('carol', ['key', 'rotate'])
    expect(readFileSync(stage.path('carol/keys', `${String(rotated.retired)}.pub`), 'utf8')).toBe(before)
    await stage.json('carol', ['publish', file('page.txt'), '--as', 'two'])
    expect((await stage.json('carol', ['ls', 'carol'])).entries.map((e: { name: string }) => e.name)).toEqual(['one', 'two'])
    expect(await principals('carol')).toMatchObject([
      { principal: rotated.principal, name: 'principal', listed: true, roles: ['federate', 'produce', 'publish'], lanes: [{ valid: 1, code: 'accepted' }] },
      { name: 'principal.retired-1', listed: false, lanes: [{ valid: 1, code: 'accepted' }] }
    ])
    expect(readdirSync(stage.path('carol/domain/authorities')).sort()).toEqual(['principal.pub', 'root.pub'])
  })

  test('the last principal can\'t be revoked; a second one may be, by the first digits of its id', async () => {
    expect(await errorOf('carol', 'role', 'revoke', 'principal')).toBe('last-principal')
    const [only] = await principals('carol')
    await stage.json('carol', ['key', 'new', 'aide', '--no-passphrase'])
    const aide = await stage.json('carol', ['role', 'grant', 'aide', '--role', 'produce', 'audit'])
    const less = await stage.json('carol', ['role', 'revoke', aide.principal.slice(0, 10), '--role', 'auditor'])
    expect(less).toMatchObject({ principal: aide.principal, roles: ['produce'], closed: [aide.principal] })
    expect((await principals('carol')).filter((p) => p.listed).map((p) => p.principal).sort()).toEqual([aide.principal, only.principal].sort())
  })
})

describe('M8: when a manifest may be signed', () => {
  test('a copy of the home signs nothing by itself; --offline-authority does, or a peer that shows nothing newer', async () => {
    cpSync(stage.path('carol'), stage.path('copy'), { recursive: true })
    for (const name of ['node.key', 'node.pub']) rmSync(join(stage.path('copy'), name), { force: true })
    const refused = await stage.json('copy', ['role', 'revoke', 'aide'], 2)
    expect(refused.error).toMatchObject({ code: 'authority-unsure', message: expect.stringContaining('is a copy'), hint: expect.stringContaining('--offline-authority') })

    // What the original has newer comes with the question.
    await stage.json('carol', ['role', 'revoke', 'aide'])
    const daemon = await stage.serve('carol')
    expect(await errorOf('copy', 'role', 'grant', 'aide', '--role', 'publish', '--peer', daemon.address)).toBe('authority-newer')
    const made = await stage.json('copy', ['key', 'new', 'helper', '--no-passphrase'])
    const granted = await stage.json('copy', ['role', 'grant', 'helper', '--role', 'produce', '--peer', daemon.address])
    await daemon.stop()
    // It has signed now, so it knows.
    const left = await stage.json('copy', ['role', 'revoke', made.principal])
    expect(left.version).toBe(Number(granted.version) + 1)

    rmSync(stage.path('copy'), { recursive: true })
    cpSync(stage.path('carol'), stage.path('other'), { recursive: true })
    const done = await stage.run('role', 'grant', made.publicKey, '--role', 'audit', '--offline-authority', '--home', stage.path('other'))
    expect([done.exit, done.stderr]).toEqual([0, expect.stringContaining('warning: signing all the same')])
  })

  test('a peer that came by itself vouches for nothing: whoever wants a fork would show nothing newer; one that is named does', async () => {
    const domain = await stage.init('erin')
    await stage.json('erin', ['key', 'new', 'aide', '--no-passphrase'])
    const erin = await stage.serve('erin')
    await stage.json('mirror', ['sync', domain, '--peer', erin.address])
    await erin.stop()
    cpSync(stage.path('erin'), stage.path('restored'), { recursive: true })
    for (const name of ['node.key', 'node.pub']) rmSync(join(stage.path('restored'), name), { force: true })
    const restored = await stage.serve('restored')
    const mirror = await stage.serve('mirror', ['--peer', restored.address])
    await restored.next('the mirror', (e) => e.event === 'peer' && e['peer'] === mirror.peer && (e['domains'] as string[]).length === 1)
    const grant = ['role', 'grant', 'aide', '--role', 'execute', 'produce']
    expect((await stage.json('restored', grant, 2)).error).toMatchObject({ code: 'authority-unsure', hint: expect.stringMatching(/^a connected peer shows nothing newer, but anybody can connect/) })
    const done = await stage.run(...grant, '--peer', mirror.address, '--home', stage.path('restored'))
    expect([done.exit, done.stderr]).toEqual([0, expect.stringContaining(`asked ${mirror.address}, who showed nothing newer`)])
    await Promise.all([restored.stop(), mirror.stop()])
  })
})

test('a node that serves says so when its own domain comes back with a manifest that it didn\'t sign', async () => {
  await stage.init('dan')
  await stage.json('dan', ['key', 'new', 'aide', '--no-passphrase'])
  cpSync(stage.path('dan'), stage.path('thief'), { recursive: true })
  for (const name of ['node.key', 'node.pub']) rmSync(join(stage.path('thief'), name), { force: true })
  await stage.json('thief', ['role', 'grant', 'aide', '--role', 'publish', '--offline-authority'])
  const thief = await stage.serve('thief')
  const dan = await stage.serve('dan', ['--peer', thief.address])
  const event = await dan.next('the warning', (e) => e.event === 'signed-elsewhere')
  expect(event).toMatchObject({ manifests: [2], since: 1, changes: [expect.stringContaining('grants aide')], hint: expect.stringContaining('recover root-key --base 1') })
  await Promise.all([thief.stop(), dan.stop()])
  // And a node that starts with it.
  const again = await stage.serve('dan')
  await again.next('the warning', (e) => e.event === 'signed-elsewhere')
  await again.stop()
})

test('a policy file is checked by line, and one in force is known as such', async () => {
  const shown = await stage.json('carol', ['policy', 'show'])
  writeFileSync(file('publish.policy'), shown.text)
  expect(await stage.json('carol', ['policy', 'check', file('publish.policy')])).toMatchObject({ policyHash: shown.policyHash, inForce: true })
  writeFileSync(file('publish.policy'), shown.text.replace('trusted_domains: []', 'trusted_domains: [alice]'))
  const bad = await stage.json('carol', ['policy', 'check', file('publish.policy')], 2)
  expect(bad.error).toMatchObject({ code: 'bad-policy', message: expect.stringMatching(/^publish\.policy:\d+:21: "alice" is no DomainID/) })
  writeFileSync(file('publish.policy'), shown.text.replace('min_snapshot_retention: 16', 'min_snapshot_retention: 3'))
  const set = await stage.json('carol', ['policy', 'set', file('publish.policy')])
  expect((await stage.json('carol', ['policy', 'show'])).policyHash).toBe(set.policyHash)
  expect(readFileSync(stage.path('carol/domain/policies/publish.policy'), 'utf8')).toContain('min_snapshot_retention: 3')
})
