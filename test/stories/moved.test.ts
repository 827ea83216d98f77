/** M8 as people meet it: the next root keys are lost, the domain goes on as another one, and each follower decides for itself. Wants a build. */
import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { domainText } from '../../src/substrate/domain-id.js'
import type { Reference } from '../../src/substrate/reference.js'
import { Stage } from '../helpers/cli.js'

let stage: Stage
let alice: Reference
let later: Reference

const publish = async (home: string, name: string): Promise<void> => {
  writeFileSync(stage.path(name), `${name}\n`)
  await stage.json(home, ['publish', stage.path(name), '--as', name])
}
const of = async (home: string, domain: string): Promise<Record<string, unknown>> => (await stage.json(home, ['status'])).domains.find((d: { domain: string }) => d.domain === domain)
const text = async (home: string, ...words: string[]): Promise<string> => {
  const { stdout, stderr } = await stage.run(...words, '--home', stage.path(home))
  return stdout + stderr
}

beforeAll(async () => {
  stage = new Stage()
  alice = await stage.init('alice') as Reference
  await publish('alice', 'old')
})
afterAll(async () => { await stage.close() })

test('next roots lost: a new domain, a move, a follower that accepts and one that doesn\'t', async () => {
  const offline = stage.path('alice', 'offline')
  for (const name of ['next-root-1.key', 'next-root-1.pub', 'next-commitment.json']) rmSync(join(offline, name))
  const stuck = await stage.run('root', 'rotate', '--new-roots', stage.path('fresh'), '--offline-authority', '--no-passphrase', '--home', stage.path('alice'))
  expect(stuck.exit).not.toBe(0)
  expect(await stage.json('alice', ['root', 'renew', '--root-key', 'new', '--no-passphrase'])).toMatchObject({ epoch: 1 })

  later = await stage.init('later') as Reference
  await publish('later', 'new')
  const [whole, to] = [domainText(alice), domainText(later)]
  const served = await stage.serve('alice')
  const servedLater = await stage.serve('later')
  for (const home of ['bob', 'carol']) await stage.json(home, ['follow', alice, '--name', 'photos', '--quota', '1M', '--peer', served.address])
  const [bob, carol] = [await stage.serve('bob'), await stage.serve('carol')]
  for (const daemon of [bob, carol]) await daemon.next('the old record', (e) => e.event === 'changed' && e['names'] === 1)

  // Nothing goes out by a slip of the hand.
  const asked = await stage.run('root', 'move', '--to', to, '--home', stage.path('alice'))
  expect([asked.exit, asked.stdout, asked.stderr]).toEqual([2, '', expect.stringMatching(new RegExp(`${to}\n +nothing was signed.*--yes`))])
  expect((await of('alice', alice))['moved']).toBeUndefined()
  const said = await stage.json('alice', ['root', 'move', '--to', to, '--yes'])
  expect(said).toMatchObject({ domain: alice, to: later, epoch: 1, done: true, request: null })
  expect(said.summary[0]).toBe(`Domain ${whole} says to all its followers that it goes on as ${to}.`)
  expect(await text('alice', 'doctor')).toContain(`roots say that it moved to ${to}`)

  // Both hear of it where they are, without a restart.
  for (const daemon of [bob, carol]) expect(await daemon.next('the move', (e) => e.event === 'moved')).toMatchObject({ domain: alice, moved: [{ to: later, followed: false }] })
  const line = `diad follow ${to} --moved-from photos`
  for (const words of [['status'], ['doctor'], ['sync', 'photos']]) expect(await text('bob', ...words)).toContain(to)
  expect(await text('bob', 'status')).toContain(line)
  for (const words of [['log', 'photos'], ['explain', 'photos']]) expect(await text('bob', ...words)).toContain(`its roots say that it moved to ${to}`)
  expect(await stage.json('bob', ['explain', said.move])).toMatchObject({ status: 'accepted', what: expect.stringContaining(to) })
  expect(JSON.parse((await text('bob', 'log', 'photos', '--json')).trim().split('\n').at(-1) ?? '')).toMatchObject({ event: 'moved', to: later, ref: said.move })

  // Another DomainID than the one that the roots name, however it came about, and a domain that says nothing.
  const wrong = await stage.run('follow', domainText(`0001${'11'.repeat(32)}` as Reference), '--moved-from', 'photos', '--home', stage.path('bob'))
  expect([wrong.exit, wrong.stderr]).toEqual([3, expect.stringMatching(/don't name .*\n +nothing was followed/)])
  expect((await stage.run('follow', 'photos', '--moved-from', 'photos', '--home', stage.path('bob'))).exit).toBe(2)

  const taken = await stage.json('bob', ['follow', to, '--moved-from', 'photos', '--peer', servedLater.address])
  expect(taken).toMatchObject({ domain: later, name: 'photos', mode: 'mirror', quota: 1024 * 1024, movedFrom: alice, before: 'photos-before' })
  // A second time changes nothing more.
  expect(await stage.json('bob', ['follow', to, '--moved-from', 'photos-before'])).toMatchObject({ name: 'photos', movedFrom: alice })
  expect(await stage.json('bob', ['sync', 'photos'])).toMatchObject({ domain: later, code: 'accepted', names: 1 })
  expect(await of('bob', alice)).toMatchObject({ name: 'photos-before', moved: [{ to: later, followed: true }] })
  expect(await text('bob', 'cat', 'photos/new')).toBe('new\n')

  // Whoever doesn't accept goes on with the old one, whose records mean what they meant.
  const from = carol.events.length
  await publish('alice', 'older')
  await carol.next('the next record', (e) => e.event === 'changed' && e['names'] === 2, from)
  expect((await stage.json('carol', ['status'])).domains.map((d: { domain: string, name: string }) => [d.domain, d.name])).toEqual([[alice, 'photos']])
  expect(await text('carol', 'cat', 'photos/older')).toBe('older\n')

  expect(await stage.json('bob', ['unfollow', 'photos-before'])).toMatchObject({ domain: alice })
  for (const daemon of [bob, carol, served, servedLater]) await daemon.stop()
})

test('a thief of retired roots moves nobody who knows of the rotation', async () => {
  const dora = await stage.init('dora') as Reference
  const stolen = stage.path('stolen')
  cpSync(stage.path('dora', 'offline'), stolen, { recursive: true })
  cpSync(stage.path('dora'), stage.path('thief'), { recursive: true })
  await publish('dora', 'page')
  await stage.json('dora', ['root', 'rotate', '--roots', stage.path('dora', 'offline'), '--new-roots', stage.path('dora-next'), '--no-passphrase'])
  // In a copy from before the rotation his word counts: such a node can't know.
  expect(await stage.json('thief', ['root', 'move', '--to', domainText(alice), '--roots', stolen, '--yes'])).toMatchObject({ done: true })
  const file = stage.path('thief.json')
  await stage.json('thief', ['root', 'move', '--to', domainText(alice), '--roots', stolen, '--yes', '--request', file])
  expect((await stage.run('root', 'apply', file, '--home', stage.path('dora'))).exit).toBe(4)
  await stage.json('dora', ['bundle', 'export', dora, stage.path('dora.car')])
  await stage.json('thief', ['bundle', 'export', dora, stage.path('thief.car')])
  // Whichever comes first.
  for (const [home, order] of [['eve', ['thief', 'dora']], ['finn', ['dora', 'thief']]] as const) {
    await stage.json(home, ['follow', dora, '--name', 'dora'])
    for (const car of order) await stage.json(home, ['bundle', 'import', stage.path(`${car}.car`)])
    expect((await of(home, dora))['moved']).toBeUndefined()
    expect(await stage.json(home, ['follow', domainText(alice), '--moved-from', 'dora'], 3)).toMatchObject({ error: { code: 'not-moved' } })
  }
})

test('2 of 3 by hand: the file says where the domain goes, whoever swaps that is found out, and no key signs two', async () => {
  await stage.json('greta', ['init', '--name', 'greta', '--no-passphrase', '--root-keys', '3', '--threshold', '2'])
  const away = stage.path('greta-roots')
  renameSync(stage.path('greta', 'offline'), away)
  const [file, other] = [stage.path('move.json'), stage.path('other.json')]
  const [to, elsewhere] = [domainText(later), domainText(alice)]
  expect(await stage.json('greta', ['root', 'move', '--to', to, '--request', file])).toMatchObject({ done: false, signed: [], threshold: 2, request: file })
  const nowhere = ['--home', stage.path('nowhere')]
  const sign = async (path: string, n: number, ...words: string[]): Promise<{ exit: number | null, stdout: string, stderr: string }> => await stage.run('sign', '--request', path, '--key', join(away, `root-${n}.key`), ...words, ...nowhere)
  expect((await sign(file, 1)).stdout).toContain(`says to all its followers that it goes on as ${to}.`)
  // A carrier with another home of the domain, or a program of his own, makes the same file with another name in it.
  mkdirSync(stage.path('carrier'))
  cpSync(stage.path('greta'), stage.path('carrier'), { recursive: true })
  await stage.json('carrier', ['root', 'move', '--to', elsewhere, '--request', other])
  for (const n of [1, 2]) expect((await sign(file, n, '--yes')).exit).toBe(0)
  const twice = await sign(other, 1, '--yes')
  expect([twice.exit, twice.stderr]).toEqual([2, expect.stringContaining(`has signed a move of this domain to ${to}`)])
  for (const n of [2, 3]) expect((await sign(other, n, '--yes', '--again')).exit).toBe(0)
  const swapped = await stage.run('root', 'apply', other, '--home', stage.path('greta'))
  expect([swapped.exit, swapped.stderr]).toEqual([2, expect.stringContaining('somebody changed it on the way')])
  const edited = readFileSync(file, 'utf8').replaceAll(to, elsewhere)
  writeFileSync(stage.path('edited.json'), edited)
  expect((await stage.run('root', 'apply', stage.path('edited.json'), '--home', stage.path('greta'))).stderr).toContain('isn\'t what its objects say')
  expect(await stage.json('greta', ['root', 'apply', file])).toMatchObject({ to: later, done: true })
  // Said on purpose, followers are told to trust neither.
  await stage.json('greta', ['root', 'apply', other, '--elsewhere'])
  const { stdout } = await stage.run('status', '--home', stage.path('greta'))
  expect(stdout).toMatch(/its roots name 2 different domains: trust none until you have asked/)
  for (const named of [to, elsewhere]) expect(stdout).toContain(named)
})
