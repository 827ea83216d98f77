/** Roots as an owner uses them: three sticks and a threshold of two, lost live roots, all hot keys gone. Wants a build. */
import { copyFileSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Stage } from '../helpers/cli.js'

const NO = '--no-passphrase'
let stage: Stage
let domain: string
const stick = (n: number): string => stage.path(`stick-${n}`)

beforeAll(async () => {
  stage = new Stage()
  for (const n of [1, 2, 3]) mkdirSync(stick(n))
  mkdirSync(stage.path('site'))
  writeFileSync(stage.path('site', 'page'), 'hello\n')
  domain = (await stage.json('alice', ['init', '--name', 'alice', NO, '--root-keys', '3', '--threshold', '2'])).domain
  const offline = stage.path('alice', 'offline')
  for (const name of readdirSync(offline)) {
    const n = /-(\d)\.(?:key|pub)$/.exec(name)?.[1]
    if (n !== undefined) renameSync(join(offline, name), join(stick(Number(n)), name))
  }
  for (const n of [1, 2, 3]) copyFileSync(join(offline, 'next-commitment.json'), join(stick(n), 'next-commitment.json'))
  rmSync(offline, { recursive: true })
  await stage.json('alice', ['publish', stage.path('site'), '--as', 'www'])
})
afterAll(async () => { await stage.close() })

test('2 of 3 by hand: a request goes from stick to stick and comes into force', async () => {
  const file = stage.path('renew.json')
  const asked = await stage.json('alice', ['root', 'renew', '--root-key', 'new', '--request', file, NO])
  expect(asked).toMatchObject({ epoch: 1, manifest: null, signed: [], threshold: 2, request: file })
  // Who signs has neither home nor store; the words come from the objects.
  const nowhere = ['--home', stage.path('nowhere')]
  const look = await stage.run('sign', '--request', file, '--json', ...nowhere)
  expect(JSON.parse(look.stdout)).toMatchObject({ wrote: false, signed: [], summary: asked.summary })
  const lie = stage.path('lie.json')
  writeFileSync(lie, readFileSync(file, 'utf8').replace('epoch 0 becomes epoch 1', 'epoch 0 stays epoch 0'))
  const refused = await stage.run('sign', '--request', lie, '--key', join(stick(1), 'root-1.key'), '--yes', ...nowhere)
  expect([refused.exit, refused.stdout, refused.stderr.split('\n')[0]]).toEqual([2, '', 'diad: this signing request is refused: its summary isn\'t what its objects say'])
  for (const [n, complete] of [[3, false], [1, true]] as const) {
    const done = await stage.run('sign', '--request', file, '--key', join(stick(n), `root-${n}.key`), '--yes', '--json', ...nowhere)
    expect(JSON.parse(done.stdout)).toMatchObject({ complete, wrote: true })
  }
  expect(await stage.json('alice', ['root', 'apply', file])).toMatchObject({ epoch: 1, version: 2 })
  expect(await stage.json('alice', ['root', 'show'])).toMatchObject({ epoch: 1, state: 'ok', root_key_here: true })
})

test('two live roots are lost: the next ones take over', async () => {
  for (const n of [1, 2]) rmSync(join(stick(n), `root-${n}.key`))
  const stuck = await stage.run('root', 'renew', '--home', stage.path('alice'), '--roots', stick(1), '--roots', stick(2), '--roots', stick(3))
  expect([stuck.exit, stuck.stderr.split('\n')[0]]).toEqual([3, 'diad: 1 of 2 needed root signatures were made'])
  const done = await stage.json('alice', ['recover', 'roots', '--roots', stick(1), '--roots', stick(2), '--new-roots', stage.path('next'), NO])
  expect(done).toMatchObject({ epoch: 2, version: 3, threshold: 2 })
})

test('THREATS 18: all hot keys are gone; a follower goes on without re-adding the domain', async () => {
  const first = await stage.serve('alice')
  expect(await stage.json('bob', ['sync', domain, '--peer', first.address])).toMatchObject({ status: 'accepted', names: 1 })
  await first.stop()
  // The machine burns down: what is left is the sticks, and what bob holds.
  rmSync(stage.path('alice'), { recursive: true })
  const bob = await stage.serve('bob')
  expect(await stage.json('phoenix', ['sync', domain, '--peer', bob.address])).toMatchObject({ names: 1 })
  const roots = ['--roots', stick(1), '--roots', stick(3)]
  const done = await stage.json('phoenix', ['recover', 'keys', ...roots, '--peer', bob.address, NO])
  expect(done).toMatchObject({ domain, epoch: 3, closed: [expect.any(String)] })
  writeFileSync(stage.path('site', 'page'), 'back again\n')
  await stage.json('phoenix', ['publish', stage.path('site'), '--as', 'news'])

  const phoenix = await stage.serve('phoenix')
  expect(await stage.json('bob', ['sync', domain, '--peer', phoenix.address])).toMatchObject({ status: 'accepted', names: 2 })
  await Promise.all([phoenix.stop(), bob.stop()])
  const read = async (name: string): Promise<string> => (await stage.run('cat', `${domain}/${name}/page`, '--home', stage.path('bob'))).stdout
  expect([await read('www'), await read('news')]).toEqual(['hello\n', 'back again\n'])
})
