/** The rescue story with the verbs that are here: a key on a stick, a bundle beside it, a machine of nobody's, and the way home (THREATS 17). Wants a build. */
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Stage } from '../helpers/cli.js'

let stage: Stage
let domain: string
let stick: string

beforeAll(async () => {
  stage = new Stage()
  domain = await stage.init('main')
  stick = stage.path('stick')
  mkdirSync(stick)
  writeFileSync(stage.path('work'), 'from the main node\n')
  await stage.json('main', ['publish', stage.path('work'), '--as', 'work'])
  for (const suffix of ['key', 'pub']) cpSync(stage.path('main', 'keys', `principal.${suffix}`), join(stick, `rescue.${suffix}`))
  await stage.json('main', ['bundle', 'export', domain, join(stick, 'home.car')])
})
afterAll(async () => { await stage.close() })

test('a stick, a borrowed machine, and home again', async () => {
  const before = readdirSync(stick)
  const started = await stage.json('nobody', ['rescue', 'start', '--bundle', join(stick, 'home.car'), '--domain', domain, '--key', join(stick, 'rescue.key')])
  expect(started).toMatchObject({ domain, names: 1, missing: 0, exports: true, roles: ['federate', 'produce', 'publish'], prefixes: [''], manifest: 1, key: join(stick, 'rescue.key') })
  const home = started.home as string
  expect(existsSync(stage.path('nobody'))).toBe(false)
  // The key stays where it is.
  const secret = readFileSync(join(stick, 'rescue.key'), 'utf8').split('\n')[1] as string
  const files = readdirSync(home, { recursive: true, withFileTypes: true }).filter((e) => e.isFile()).map((e) => readFileSync(join(e.parentPath, e.name), 'latin1'))
  expect(files.length).toBeGreaterThan(3)
  expect(files.some((text) => text.includes(secret))).toBe(false)
  expect(readdirSync(stick)).toEqual(before)

  writeFileSync(stage.path('saved'), 'from the rescue node\n')
  const published = await stage.json(relative(stage.root, home), ['rescue', 'publish', stage.path('saved'), '--as', 'saved'])
  expect(published).toMatchObject({ domain, name: 'saved', exported: true })
  expect(await stage.json(relative(stage.root, home), ['rescue', 'status'])).toMatchObject({ domain, names: 2, lanes: expect.arrayContaining([{ lane: published.lane, records: 1, exported: 1, names: ['saved'] }]) })

  // Meanwhile the main node worked on.
  writeFileSync(stage.path('work'), 'later, at home\n')
  await stage.json('main', ['publish', stage.path('work'), '--as', 'work'])

  // Nothing is wiped for an export that fails, nor into the home itself.
  chmodSync(stick, 0o500)
  if (process.getuid?.() !== 0) expect((await stage.run('rescue', 'end', '--out', join(stick, 'done.car'), '--home', home)).exit).toBe(2)
  chmodSync(stick, 0o700)
  expect((await stage.run('rescue', 'end', '--out', join(stick, 'no', 'where.car'), '--home', home)).exit).toBe(2)
  expect((await stage.run('rescue', 'end', '--out', join(home, 'done.car'), '--home', home)).exit).toBe(2)
  expect(existsSync(join(home, 'rescue.json'))).toBe(true)
  const ended = await stage.json(relative(stage.root, home), ['rescue', 'end', '--out', join(stick, 'done.car')])
  expect(ended).toMatchObject({ domain, home, missing: 0 })
  expect(existsSync(home)).toBe(false)

  // Home again: both sides' work stands, without a fork.
  expect(await stage.json('main', ['bundle', 'import', join(stick, 'done.car')])).toMatchObject({ domain, status: 'accepted', names: 2, refused: [], proposals: [] })
  expect((await stage.run('cat', `${domain}/saved`, '--home', stage.path('main'))).stdout).toBe('from the rescue node\n')
  expect((await stage.run('cat', `${domain}/work`, '--home', stage.path('main'))).stdout).toBe('later, at home\n')
  expect(await stage.json('main', ['verify', `${domain}/saved`])).toMatchObject({ status: 'accepted' })
})

test('a key that may only propose: home again, vouched for, retired, and what was done stays', async () => {
  const key = await stage.json('main', ['key', 'new', 'field', '--out', stick, '--no-passphrase'])
  await stage.json('main', ['role', 'grant', join(stick, 'field.pub'), '--role', 'produce', 'publish', '--scope', 'reports', '--name', 'field'])
  await stage.json('main', ['bundle', 'export', domain, join(stick, 'home.car')])
  const start = ['rescue', 'start', '--bundle', join(stick, 'home.car'), '--domain', domain, '--key', join(stick, 'field.key'), '--dir', stage.path('field')]
  expect(await stage.json('nobody', start)).toMatchObject({ exports: false, roles: ['produce', 'publish'], prefixes: ['reports'], principal: key.principal })
  expect((await stage.run('rescue', 'publish', stage.path('saved'), '--as', 'elsewhere', '--home', stage.path('field'))).exit).toBe(2)
  expect(await stage.json('field', ['rescue', 'publish', stage.path('saved'), '--as', 'reports/today'])).toMatchObject({ exported: false })
  await stage.json('field', ['rescue', 'end', '--out', join(stick, 'field.car')])
  expect(existsSync(stage.path('field'))).toBe(false)

  // To a stranger the proposal is nothing.
  expect(await stage.json('stranger', ['bundle', 'import', join(stick, 'field.car'), '--follow'])).toMatchObject({ status: 'accepted', names: 2, proposals: [], noted: [{ code: 'not-exported' }] })
  const home = await stage.json('main', ['bundle', 'import', join(stick, 'field.car')])
  expect(home).toMatchObject({ status: 'accepted', names: 2, missing: 0, proposals: [{ principal: key.principal, records: 1 }] })
  const names = async (words: string[] = []): Promise<string[]> => ((await stage.json('main', ['ls', domain, ...words])).entries as Array<{ name: string }>).map((e) => e.name)
  expect(await names()).not.toContain('reports/today')
  expect(await names(['--all'])).toContain('reports/today')
  await stage.json('main', ['vouch', home.proposals[0].lane])
  expect(await names()).toContain('reports/today')
  await stage.json('main', ['key', 'close', key.principal, '--yes'])
  expect(await stage.json('main', ['verify', `${domain}/reports/today`])).toMatchObject({ status: 'accepted' })
  // Now the stranger may have it, content and all.
  await stage.json('main', ['bundle', 'export', domain, join(stick, 'after.car')])
  expect(await stage.json('stranger', ['bundle', 'import', join(stick, 'after.car')])).toMatchObject({ status: 'accepted', names: 3, missing: 0 })
  expect((await stage.run('cat', `${domain}/reports/today`, '--home', stage.path('stranger'))).stdout).toBe('from the rescue node\n')
  // The retired key starts nothing any more where its end is known.
  const again = await stage.run('rescue', 'start', '--bundle', join(stick, 'after.car'), '--domain', domain, '--key', join(stick, 'field.key'), '--dir', stage.path('field'))
  expect([again.exit, again.stderr]).toEqual([2, expect.stringMatching(/doesn't name this key/)])
})

test('a key that the domain doesn\'t name, a bad bundle, a home of somebody\'s: refused, and nothing stays behind', async () => {
  await stage.init('other')
  const dir = stage.path('nothing-stays')
  const bundle = ['--bundle', join(stick, 'home.car'), '--domain', domain, '--dir', dir]
  const foreign = await stage.run('rescue', 'start', ...bundle, '--key', stage.path('other', 'keys', 'principal.key'))
  expect([foreign.exit, foreign.stderr]).toEqual([2, expect.stringMatching(/doesn't name this key/)])
  const bytes = readFileSync(join(stick, 'home.car'))
  writeFileSync(stage.path('cut.car'), bytes.subarray(0, bytes.length - 10))
  const cut = await stage.run('rescue', 'start', '--bundle', stage.path('cut.car'), '--domain', domain, '--dir', dir, '--key', join(stick, 'rescue.key'))
  expect([cut.exit, cut.stderr]).toEqual([2, expect.stringMatching(/cut-off/)])
  // Another domain than the bundle's, or a petname: the copy is fine.
  const { domain: second } = await stage.json('other', ['status'])
  for (const [named, words] of [[second, /is about dom1\S+, and --domain names dom1/], ['nora', /^diad: "nora" is no DomainID.*\n.*dom1…/]] as const) {
    const wrong = await stage.run('rescue', 'start', '--bundle', join(stick, 'home.car'), '--domain', named as string, '--dir', dir, '--key', join(stick, 'rescue.key'))
    expect([wrong.stderr, wrong.stderr.includes('another copy')]).toEqual([expect.stringMatching(words), false])
  }
  expect(existsSync(dir)).toBe(false)
  expect((await stage.run('rescue', 'start', '--bundle', join(stick, 'home.car'), '--domain', domain, '--dir', stage.path('main'), '--key', join(stick, 'rescue.key'))).exit).toBe(2)
  for (const words of [['status'], ['end', '--out', stage.path('x.car')]]) {
    const done = await stage.run('rescue', ...words, '--home', stage.path('main'))
    expect([done.exit, done.stderr]).toEqual([2, expect.stringMatching(/not a rescue home/)])
  }
  expect(existsSync(stage.path('main', 'home.json'))).toBe(true)
})

test('with the network instead of a bundle, and home again through the daemon', async () => {
  const daemon = await stage.serve('main')
  const started = await stage.json('nobody', ['rescue', 'start', '--peer', daemon.address, '--domain', domain, '--key', join(stick, 'rescue.key'), '--dir', stage.path('online')])
  expect(started).toMatchObject({ domain, names: 3, missing: 0, home: stage.path('online') })
  const online = ['--home', stage.path('online')]
  expect(await stage.run('publish', stage.path('saved'), '--as', 'again', ...online)).toMatchObject({ exit: 2, stderr: expect.stringContaining('diad rescue publish') as unknown })
  // The lane, too, is what `key close --lane` wants when this key turns out to be stolen; and `lanes` shows where each one ends.
  const [, lane = '', snapshot = ''] = /\nlane +(\w{68})\nsnapshot +(\w{68})\n/.exec((await stage.run('rescue', 'publish', stage.path('saved'), '--as', 'again', ...online)).stdout) ?? []
  expect((await stage.run('lanes', ...online)).stdout).toMatch(new RegExp(`^${lane.slice(0, 16)}  [^\\n]*\\n[^\\n]*\\n +head +${snapshot}$`, 'm'))
  expect((await stage.run('rescue', 'end', '--out', join(stick, 'again.car'), ...online)).stdout).toMatch(/unset DIAD_HOME\n$/)
  expect(await stage.json('main', ['bundle', 'import', join(stick, 'again.car')])).toMatchObject({ status: 'accepted', names: 4 })
  expect(await daemon.stop()).toBe(0)
})
