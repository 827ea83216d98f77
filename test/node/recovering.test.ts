/** Recovering in the wrong home, twice, or by a word too few: what would be lost is said before anything is signed. On real homes, through the command line. */
import { cpSync, existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Homes } from '../helpers/homes.js'
import { talkTo } from '../helpers/talk.js'

const homes = new Homes('recovering')
const { at } = homes
const NO = '--no-passphrase'
afterAll(() => { homes.remove() })
const { say, json } = talkTo(homes)
const keysOf = (home: string): Record<string, string> => Object.fromEntries(readdirSync(at(home, 'keys')).sort().map((f) => [f, readFileSync(at(home, 'keys', f), 'utf8')]))

async function publish (home: string, name: string): Promise<void> {
  writeFileSync(at(`${name}.txt`), `this is ${name}`)
  await json(home, ['publish', at(`${name}.txt`), '--as', name])
}

beforeAll(async () => {
  await json('werk', ['init', '--name', 'werk', NO])
  renameSync(at('werk', 'offline'), at('stick'))
  await publish('werk', 'one')
  await json('werk', ['bundle', 'export', 'werk', at('werk.car')])
})

describe('in a home of another domain', () => {
  beforeAll(async () => {
    await json('reader', ['bundle', 'import', at('werk.car'), '--name', 'werk'])
    await json('other', ['init', '--name', 'other', NO])
    await json('other', ['bundle', 'import', at('werk.car'), '--name', 'werk'])
  })

  test.each([['recover', 'keys'], ['recover', 'root-key'], ['root', 'renew']])('%s %s without --domain asks for that, not for another domain', async (...words) => {
    const done = await say('reader', ...words, '--roots', at('stick'), NO)
    expect([done.exit, done.all]).toEqual([2, expect.stringMatching(/nothing says which one is meant[^]*--domain: held here is werk \(/)])
    expect(done.all).not.toContain('diad init')
  })

  test('a reader that follows one domain means that one', async () => {
    await json('follower', ['bundle', 'import', at('werk.car'), '--follow'])
    expect(await json('follower', ['root', 'show'])).toMatchObject({ epoch: 0 })
  })

  test.each([
    ['recover keys', ['recover', 'keys', '--yes']],
    ['recover keys --request', ['recover', 'keys', '--yes', '--request', at('r.json')]],
    ['recover keys --stolen', ['recover', 'keys', '--stolen', '--yes']],
    ['recover root-key', ['recover', 'root-key']],
    ['recover roots', ['recover', 'roots', '--new-roots', at('next')]],
    ['root renew --root-key new', ['root', 'renew', '--root-key', 'new']],
    ['root rotate --root-key new', ['root', 'rotate', '--root-key', 'new', '--new-roots', at('next')]]
  ])('%s makes and signs nothing', async (_what, words) => {
    const before = keysOf('other')
    const done = await json('other', [...words, '--domain', 'werk', '--roots', at('stick'), '--offline-authority', NO], 2)
    expect(done.error).toMatchObject({ code: 'own-domain', message: expect.stringMatching(/that of other \(.*keys of werk \(/), hint: expect.stringMatching(/nothing was signed.*home without a domain/) })
    expect([keysOf('other'), existsSync(at('next')), existsSync(at('r.json'))]).toEqual([before, false, false])
    expect(await json('other', ['root', 'show', '--domain', 'werk'])).toMatchObject({ epoch: 0 })
  })

  test('an epoch for the other domain whose root_key is here isn\'t brought into force there, nor its key renamed', async () => {
    // What signs for both lay in one folder once.
    const request = at('renew.json')
    await json('reader', ['root', 'renew', '--root-key', 'new', '--domain', 'werk', '--offline-authority', '--request', request, NO])
    await json('reader', ['sign', '--request', request, '--key', at('stick', 'root-1.key'), '--yes'])
    for (const suffix of ['.key', '.pub']) writeFileSync(at('other', 'keys', `werk${suffix}`), readFileSync(at('reader', 'keys', `root_key-e1${suffix}`)), { mode: 0o600 })
    const before = keysOf('other')
    expect((await json('other', ['root', 'apply', request, '--elsewhere'], 2)).error).toMatchObject({ code: 'own-domain' })
    expect(keysOf('other')).toEqual(before)
    expect(await json('other', ['root', 'show', '--domain', 'werk'])).toMatchObject({ epoch: 0 })
  })
})

describe('recover keys --keep', () => {
  test('takes the name that the command itself lists', async () => {
    await json('team', ['init', '--name', 'team', NO])
    await json('team', ['key', 'new', 'work', NO])
    await json('team', ['role', 'grant', 'work', '--role', 'produce'])
    const [work] = (await json('team', ['role', 'list'])).principals.filter((p: { name?: string }) => p.name === 'work')
    expect((await say('team', 'recover', 'keys', '--keep', 'principal', NO)).all).toMatch(/would close this principal for ever: work [0-9a-f]{16}…/)
    expect((await json('team', ['recover', 'keys', '--keep', 'wrok', '--yes', NO], 3)).error).toMatchObject({ code: 'unknown-principal', hint: expect.stringMatching(/known here: .*work/) })
    const done = await json('team', ['recover', 'keys', '--keep', 'work', '--yes', NO])
    expect([done.version, done.closed]).toEqual([3, [expect.not.stringContaining(work.principal)]])
    expect((await json('team', ['role', 'list'])).principals.filter((p: { roles: string[] }) => p.roles.length > 0).map((p: { name?: string }) => p.name).sort()).toEqual(['principal', 'work'])
  })
})

describe('the home\'s own principal', () => {
  beforeAll(async () => {
    await json('desk', ['init', '--name', 'desk', NO])
    await json('desk', ['key', 'new', 'ci', NO])
    await json('desk', ['role', 'grant', 'ci', '--role', 'publish,federate'])
  })

  test.each([
    ['role revoke', ['role', 'revoke', 'principal']],
    ['role revoke of every role that it has', ['role', 'revoke', 'principal', '--role', 'federate,produce,publish']],
    ['key close', ['key', 'close', 'principal']]
  ])('%s asks first', async (_what, words) => {
    expect((await json('desk', words, 2)).error).toMatchObject({ code: 'not-confirmed', message: expect.stringContaining('principal of this home'), hint: expect.stringMatching(/diad key rotate.*--yes/) })
    expect((await json('desk', ['role', 'list'])).version).toBe(2)
  })

  test('one role of several, and another key, go without a question', async () => {
    await json('desk', ['role', 'revoke', 'principal', '--role', 'produce'])
    await json('desk', ['role', 'revoke', 'ci', '--role', 'federate'])
  })

  test('with --yes it goes, and how to publish again is said', async () => {
    const done = await say('desk', 'role', 'revoke', 'principal', '--yes')
    expect([done.exit, done.stderr]).toEqual([0, expect.stringMatching(/this home can publish nothing now: `diad key new principal`/)])
  })
})

describe('recovering a second time, from the shell\'s history', () => {
  const again = ['recover', 'root-key', '--base', '1', '--roots', at('late', 'offline'), NO]

  beforeAll(async () => {
    await json('late', ['init', '--name', 'late', NO])
    await publish('late', 'before')
    await json('late', again)
    await publish('late', 'wichtig')
  })

  test.each([
    ['recover root-key', again],
    ['recover roots', ['recover', 'roots', '--base', '1', '--new-roots', at('late-next'), NO]],
    ['recover keys --stolen', ['recover', 'keys', '--stolen', '--base', '1', NO, '--keep', 'principal']],
    ['root renew', ['root', 'renew', '--base', '1']],
    ['root rotate', ['root', 'rotate', '--base', '1', '--new-roots', at('late-next'), NO]]
  ])('%s says what would be void, and asks', async (_what, words) => {
    const before = keysOf('late')
    const done = await say('late', ...words)
    expect([done.exit, done.all]).toEqual([2, expect.stringMatching(/would be void: 1 record of principal .*wichtig[^]*1 record that counts now, of keys that manifest 1 lists, would become void: they stand under manifest 2[^]*Add --yes/)])
    expect([keysOf('late'), (await json('late', ['root', 'show'])).epoch, existsSync(at('late-next'))]).toEqual([before, 1, false])
  })

  test('after a restart, too, when nothing shows whose the later manifests are', async () => {
    homes.reboot()
    expect((await json('late', [...again, '--offline-authority'], 2)).error).toMatchObject({ code: 'would-be-void' })
  })

  test('going on from the newest loses nothing, and isn\'t asked', async () => {
    expect(await json('late', ['root', 'renew', '--base', '2', '--offline-authority'])).toMatchObject({ epoch: 2 })
    expect(await json('late', ['ls', 'late'])).toMatchObject({ entries: [{ name: 'before' }, { name: 'wichtig' }] })
  })

  test('with --yes it goes back', async () => {
    expect(await json('late', [...again, '--yes'])).toMatchObject({ epoch: 3, losses: [{ names: ['wichtig'] }] })
  })
})

describe('manifests of another machine (M8)', () => {
  const elsewhere = async (home: string): Promise<{ text: string, hint: string }> => (await json(home, ['status'])).domains[0].elsewhere

  beforeAll(async () => {
    await json('desktop', ['init', '--name', 'desktop', NO])
    cpSync(at('desktop'), at('signer'), { recursive: true })
    cpSync(at('desktop'), at('renewer'), { recursive: true })
    cpSync(at('desktop'), at('rotator'), { recursive: true })
    await json('signer', ['key', 'new', 'x', NO])
    await json('signer', ['role', 'grant', 'x', '--role', 'produce', '--offline-authority'])
    await json('signer', ['bundle', 'export', 'desktop', at('signed.car')])
    await json('renewer', ['bundle', 'import', at('signed.car')])
    await json('renewer', ['root', 'renew', '--root-key', 'new', '--offline-authority', NO])
    await json('renewer', ['bundle', 'export', 'desktop', at('renewed.car')])
    await json('rotator', ['root', 'rotate', '--new-roots', at('rotated-next'), '--offline-authority', NO])
    await json('rotator', ['bundle', 'export', 'desktop', at('rotated.car')])
    cpSync(at('desktop'), at('three'), { recursive: true })
  })

  test('of the same epoch: the root_key, and another one ends it', async () => {
    await json('desktop', ['bundle', 'import', at('signed.car')])
    expect(await elsewhere('desktop')).toMatchObject({ text: expect.stringMatching(/^manifest 2 is signed by this domain's own root_key, and not by this machine, which last signed manifest 1/), hint: expect.stringMatching(/root_key is stolen: `diad recover root-key --base 1`/) })
  })

  test('of an epoch that the roots began: whoever did that has the roots', async () => {
    await json('desktop', ['bundle', 'import', at('renewed.car')])
    const { text, hint } = await elsewhere('desktop')
    expect(text).toMatch(/^manifests 2 to 3 are signed by its root_key, from 3 on by that of epoch 1, which this domain's offline roots began with another root_key, and not by this machine, which last signed manifest 1/)
    expect(hint).toMatch(/manifests are signed where the new root_key is\. If none of you did, a thief has the roots, and another root_key wouldn't stop him: `diad recover roots --base 1 --new-roots DIR`/)
    expect(hint).not.toContain('root-key --base')
    const refused = await json('desktop', ['role', 'grant', 'principal', '--role', 'audit'], 2)
    expect(refused.error).toMatchObject({ code: 'authority-unsure', message: expect.stringMatching(/signed by the root_key of epoch 1, which/), hint: expect.stringContaining('diad recover roots') })
  })

  test('of one that the next roots began: nothing takes the domain back, and going on is as before', async () => {
    // A copy has no marker: what it signed last is noted where an alarm was raised.
    cpSync(at('desktop', 'last-signed.json'), at('three', 'last-signed.json'))
    await json('three', ['bundle', 'import', at('rotated.car')])
    const { text, hint } = await elsewhere('three')
    expect(text).toMatch(/^manifest 2 is signed by its root_key of epoch 1, which the roots that this domain was committed to began, and not by/)
    expect(hint).toMatch(/go on with --offline-authority\. If none of you did, a thief has the roots that were next as well/)
  })
})

describe('root entries that fork', () => {
  beforeAll(async () => {
    for (const home of ['one', 'other-one']) {
      await json(home, ['bundle', 'import', at('werk.car'), '--name', 'werk'])
      await json(home, ['recover', 'keys', '--domain', 'werk', '--roots', at('stick'), '--offline-authority', '--yes', NO])
    }
    await json('other-one', ['bundle', 'export', 'werk', at('other-one.car')])
    await json('one', ['bundle', 'import', at('other-one.car')])
  })

  test('a rotation that would leave this home without a root_key is not signed', async () => {
    for (const words of [['status'], ['explain', 'werk']]) expect((await say('one', ...words)).all).toContain('diad root rotate --root-key new --new-roots DIR')
    const rotate = ['root', 'rotate', '--roots', at('stick'), '--new-roots', at('forked-next'), '--offline-authority', NO]
    expect((await json('one', rotate, 2)).error).toMatchObject({ code: 'role-missing', message: expect.stringMatching(/root_key of before the fork, [0-9a-f]{16}…, is not in/), hint: expect.stringContaining('--root-key new') })
    expect(existsSync(at('forked-next'))).toBe(false)
    await json('one', [...rotate, '--root-key', 'new'])
    await json('one', ['role', 'grant', 'principal', '--role', 'publish,federate'])
    await publish('one', 'two')
  })
})

test('what renew and recover list has the names that this home gives', async () => {
  await json('lists', ['init', '--name', 'lists', NO])
  await json('lists', ['key', 'new', 'ci', NO])
  await json('lists', ['role', 'grant', 'ci', '--role', 'produce'])
  expect((await say('lists', 'root', 'renew', NO)).stdout).toMatch(/Principal ci \([0-9a-f]{12}\): produce/)
  expect((await say('lists', 'recover', 'keys', '--keep', 'ci', '--yes', NO)).stdout).toMatch(/Principal ci \([0-9a-f]{12}\): produce[^]*Principal principal \(|Principal principal \([^]*Principal ci \(/)
})

test('digits that are no public key are called so', async () => {
  await json('digits', ['init', '--name', 'digits', NO])
  for (const key of [`${'0'.repeat(63)}1`, 'f'.repeat(64)]) {
    const done = await say('digits', 'role', 'grant', key, '--role', 'produce')
    expect([done.exit, done.all]).toEqual([2, expect.stringMatching(/is no public key that anybody could sign with\n.*\.pub file/)])
  }
})
