/** Two manifests on one: what the owner is told, and that nobody is led to a thief's branch (M7, M8). On real homes, through the command line. */
import { cpSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Homes } from '../helpers/homes.js'
import { talkTo } from '../helpers/talk.js'

const homes = new Homes('authority-fork')
const { at } = homes
afterAll(() => { homes.remove() })
const { say, json } = talkTo(homes)
const OWN = /manifest 2 \([0-9a-f]{16}…\), this machine's own: grants ours \([0-9a-f]{12}…\): produce on the whole domain/
const OTHER = /manifest 2 \([0-9a-f]{16}…\), another branch: grants [0-9a-f]{12}…: federate, publish on the whole domain/
const READY = /--base +[0-9a-f]/
let branches: { own: string, thief: string }

beforeAll(async () => {
  await json('owner', ['init', '--name', 'rr', '--no-passphrase'])
  cpSync(at('owner'), at('copy'), { recursive: true })
  await json('copy', ['key', 'new', 'th', '--no-passphrase'])
  await json('copy', ['role', 'grant', 'th', '--role', 'publish,federate', '--offline-authority'])
  await json('owner', ['key', 'new', 'ours', '--no-passphrase'])
  const own = (await json('owner', ['role', 'grant', 'ours', '--role', 'produce'])).manifest
  const thief = (await json('copy', ['root', 'show'])).manifests.at(-1).ref
  branches = { own, thief }
  await json('copy', ['bundle', 'export', 'rr', at('t.car')])
})

test('import says that authority has forked, with each branch in words', async () => {
  const { exit, all } = await say('owner', 'bundle', 'import', at('t.car'))
  expect([exit, all]).toEqual([0, expect.stringMatching(/authority has FORKED: 2 manifests follow manifest 1 .*one branch is this machine's own/)])
  for (const text of [OWN, OTHER, /diad root renew --base MANIFEST/, /diad recover root-key --base MANIFEST/]) expect(all).toMatch(text)
  expect(all).not.toMatch(/manifest 2 → 1|restarted/)
  expect(all).not.toMatch(READY)
})

describe('while it is forked', () => {
  test('a bundle of it says that it settles nothing', async () => {
    const { exit, stderr } = await say('owner', 'bundle', 'export', 'rr', at('forked.car'))
    expect([exit, stderr]).toEqual([0, expect.stringMatching(/authority is forked: the bundle carries every branch, .* until your roots choose/)])
  })

  test.each([
    ['status', ['status'], 0],
    ['doctor', ['doctor'], 4]
  ])('%s shows both branches, this machine\'s own marked, and no base that is ready to be pasted', async (_what, words, exit) => {
    const said = await say('owner', ...words)
    expect([said.exit, said.all]).toEqual([exit, expect.stringMatching(/has FORKED/)])
    for (const text of [OWN, OTHER, /--base MANIFEST/]) expect(said.all).toMatch(text)
    expect(said.all).not.toMatch(READY)
    // Nothing stands behind a command but its own words.
    expect(said.all).not.toMatch(/--base +(rr|dom1)/)
    expect(said.all.match(/root renew/g)).toHaveLength(1)
  })

  test('explain marks them, of the domain and of one manifest', async () => {
    for (const target of ['rr', branches.own, branches.thief]) {
      const { all } = await say('owner', 'explain', target)
      expect(all).toMatch(/--base MANIFEST/)
      expect(all).not.toMatch(READY)
    }
    const { all } = await say('owner', 'explain', 'rr')
    expect(all).toMatch(/this machine's own/)
    expect(all).toMatch(/not signed by this machine/)
  })

  test('status has it as data', async () => {
    const [domain] = (await json('owner', ['status'])).domains
    expect(domain.elsewhere).toMatchObject({ forked: true, since: 2, manifests: [2], changes: [expect.stringMatching(OWN), expect.stringMatching(OTHER)] })
    expect(domain.wayOut.command).toBe('diad root renew --base MANIFEST')
  })

  test.each([
    ['role grant', ['role', 'grant', 'ours', '--role', 'audit']],
    ['role grant --offline-authority', ['role', 'grant', 'ours', '--role', 'audit', '--offline-authority']],
    ['key rotate', ['key', 'rotate']],
    ['recover keys', ['recover', 'keys', '--yes', '--no-passphrase']],
    ['domain seal', ['domain', 'seal']]
  ])('%s says so at once, and makes nothing', async (_what, words) => {
    const before = readdirSync(at('owner', 'keys'))
    const done = await say('owner', ...words)
    expect([done.exit, done.all]).toEqual([3, expect.stringContaining('authority has FORKED')])
    expect(done.all).not.toMatch(/set back|offline-authority/)
    expect(readdirSync(at('owner', 'keys'))).toEqual(before)
  })

  test('recover root-key is truthful about what this machine signed', async () => {
    const done = await say('owner', 'recover', 'root-key', '--roots', at('owner', 'offline'), '--no-passphrase')
    expect([done.exit, done.all]).toEqual([2, expect.stringMatching(/one branch is this machine's own/)])
    for (const text of [OWN, OTHER]) expect(done.all).toMatch(text)
    expect(done.all).not.toMatch(/nothing here shows/)
    // What its own branch follows is in no question.
    expect(done.all.match(/warning: manifest/g)).toHaveLength(2)
  })

  test.each([
    ['root renew', ['root', 'renew', '--yes']],
    ['root rotate', ['root', 'rotate', '--new-roots', 'next', '--yes', '--no-passphrase']]
  ])('%s without --base would end both, and demands a choice', async (_what, words) => {
    const done = await json('owner', words, 2)
    expect(done.error).toMatchObject({ code: 'base-needed', message: expect.stringMatching(/names no base would end every branch/) })
    expect(existsSync(at('next'))).toBe(false)
  })

  test.each([
    ['the thief\'s branch', () => branches.thief, OTHER, OWN, /all this machine's own/],
    ['the own branch', () => branches.own, OWN, OTHER, /none of them this machine's own/],
    ['before the fork', () => '1', /manifest 1 /, OWN, /2 manifests for ever: 1 of them this machine's own/]
  ])('root renew from %s says what it drops, and asks', async (_what, base, goesOn, drops, whose) => {
    const done = await say('owner', 'root', 'renew', '--base', base(), '--roots', at('owner', 'offline'))
    expect([done.exit, done.all]).toEqual([2, expect.stringMatching(whose)])
    expect(done.all).toMatch(new RegExp(`goes on from ${goesOn.source}`))
    expect(done.all).toMatch(new RegExp(`drops ${drops.source}`))
    expect((await json('owner', ['root', 'show'])).epoch).toBe(0)
  })

  test('a signing request says to every signer which branch ends', async () => {
    const file = at('renew.json')
    await json('owner', ['root', 'renew', '--base', branches.own, '--request', file, '--yes'])
    const { summary } = JSON.parse(readFileSync(file, 'utf8')) as { summary: string[] }
    expect(summary).toContainEqual(expect.stringMatching(new RegExp(`goes on from manifest 2 \\(${branches.own}\\), which is on one branch of a fork`)))
    expect(summary).toContainEqual(expect.stringMatching(new RegExp(`^A branch of the fork ends: manifest 2 \\(${branches.thief}\\).*grants [0-9a-f]{12}…: federate, publish`)))
    expect((await json('owner', ['sign', '--request', file])).summary).toEqual(summary)
  })

  test('which branch is its own is known after a restart still; where nothing was noted, that is said', async () => {
    // No marker speaks for a copy, as none does after a restart.
    cpSync(at('owner'), at('restarted'), { recursive: true })
    expect((await say('restarted', 'status')).all).toMatch(OWN)
    rmSync(at('restarted', 'last-signed.json'))
    const { all } = await say('restarted', 'status')
    expect(all).toMatch(/which of them this machine signed isn't known here/)
    expect(all.match(/, a branch: grants/g)).toHaveLength(2)
    const asked = await say('restarted', 'recover', 'root-key', '--no-passphrase')

    expect(asked.all.match(/warning: manifest [12] /g)).toHaveLength(3)
  })

  test('a recovery says what its base drops', async () => {
    cpSync(at('owner'), at('recovered'), { recursive: true })
    const done = await say('recovered', 'recover', 'root-key', '--base', branches.own, '--offline-authority', '--no-passphrase')
    expect([done.exit, done.all]).toEqual([0, expect.stringMatching(new RegExp(`drops ${OTHER.source}`))])
  })

  test('the request settles it where this machine knows the newest entry, and nothing more is said of it', async () => {
    const file = at('renew.json')
    await json('owner', ['sign', '--request', file, '--key', at('owner', 'offline', 'root-1.key'), '--yes'])
    expect(await json('owner', ['root', 'apply', file])).toMatchObject({ epoch: 1, version: 3 })
    const [domain] = (await json('owner', ['status'])).domains
    expect([domain.code, domain.elsewhere, domain.wayOut]).toEqual(['accepted', undefined, undefined])
    await json('owner', ['role', 'grant', 'ours', '--role', 'audit'])
    expect((await say('owner', 'bundle', 'import', at('t.car'))).all).not.toMatch(/FORKED|authority:/)
  })
})

test('moved back by a root entry, authority says what counts no longer', async () => {
  await json('moved', ['init', '--name', 'moved', '--no-passphrase'])
  await json('moved', ['key', 'new', 'one', '--no-passphrase'])
  await json('moved', ['role', 'grant', 'one', '--role', 'produce'])
  cpSync(at('moved'), at('far'), { recursive: true })
  await json('far', ['root', 'renew', '--base', '1', '--offline-authority'])
  await json('far', ['bundle', 'export', 'moved', at('far.car')])
  expect((await say('moved', 'bundle', 'import', at('far.car'))).all).toMatch(/authority: manifest 2 → 2: what came after manifest 1 before counts no longer; the first of its epoch/)
})
