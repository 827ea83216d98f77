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

test('2 of 3 founded with keys made elsewhere: what is open is said everywhere, and keys are called by their sticks', async () => {
  const usb = (n: string): string => stage.path(`usb-${n}`)
  const bare = async (...words: string[]): Promise<string> => {
    const { stdout, stderr } = await stage.run(...words)
    return stdout + stderr
  }
  for (const n of ['a', 'b', 'c']) {
    for (const name of ['greta', 'greta-next']) await bare('key', 'new', name, '--out', usb(n), NO)
  }
  const [file, home] = [stage.path('founding.json'), ['--home', stage.path('greta')]]
  const pubs = (option: string, name: string): string[] => ['a', 'b', 'c'].flatMap((n) => [option, join(usb(n), `${name}.pub`)])
  const todo = [`diad sign --request ${file} --key KEY --yes`, `diad init --finish ${file}`]
  const asked = await stage.run('init', ...home, ...pubs('--root-pub', 'greta'), ...pubs('--next-root-pub', 'greta-next'), '--threshold', '2', '--request', file, NO)
  expect([asked.exit, asked.stdout]).toEqual([0, expect.stringMatching(/^not founded yet[^]*\nname +home +\(.*--name[^]*\nnext roots +3 keys, of which 2 must sign\n/)])
  const finish = await stage.run('init', '--finish', file, ...home)
  expect([finish.exit, finish.stderr]).toEqual([3, expect.stringMatching(/pass it on: `diad sign --request .*founding\.json --key KEY --yes`\. Keys that can sign: (usb-[abc]\/greta \([0-9a-f]{12}\)(, |\n)){3}/)])
  for (const said of [asked.stdout, await bare('status', ...home), await bare('publish', stage.path('site'), '--as', 'www', ...home)]) for (const words of todo) expect(said).toContain(words)

  const sign = async (key: string, ...words: string[]): Promise<string> => await bare('sign', '--request', file, '--key', key, ...words, '--home', stage.path('nowhere'))
  expect(await sign(join(usb('a'), 'greta-next.key'))).toMatch(/is none of the keys that have to sign this\n$/)
  expect(await sign(join(usb('a'), 'greta.key'))).toMatch(/The file doesn't say how many[^]*usb-a\/greta \([0-9a-f]{12}\) may sign this/)
  copyFileSync(stage.path('greta', 'offline', 'next-commitment.json'), join(usb('a'), 'next-commitment.json'))
  expect(await sign(join(usb('a'), 'greta.key'), '--yes')).toMatch(/commits to: 3 keys, of which 2 must sign[^]*signed by 1 of the 2 keys that are needed/)
  expect(await sign(join(usb('a'), 'greta.key'))).toMatch(/usb-a\/greta \([0-9a-f]{12}\) has signed this already/)
  for (const [n, words] of [['b', 'signed by 2 of the 2 keys'], ['c', 'signed by 3 keys, more than the 2 that are needed']] as const) expect(await sign(join(usb(n), 'greta.key'), '--yes')).toContain(words)
  // Of a principal one form everywhere: what `key list` and `key close` know it by.
  const principal = (JSON.parse(readFileSync(file, 'utf8')) as { summary: string[] }).summary.map((line) => /Principal ([0-9a-f]{64})/.exec(line)?.[1]).find((id) => id !== undefined)
  await stage.json('greta', ['init', '--finish', file])
  expect((await stage.json('greta', ['key', 'list'])).keys).toContainEqual(expect.objectContaining({ name: 'principal', principal }))
  expect(await bare('status', ...home)).not.toContain('--finish')

  const drill = await stage.run('root', 'drill', '--roots', usb('a'), ...home)
  expect([drill.exit, drill.stdout]).toEqual([3, expect.stringMatching(/^1 of the 2 next keys that are needed signed now[^]*✓ usb-a\/greta-next[^\n]*signed now[^]*\? usb-[bc]\/greta-next[^\n]*never tried/)])
  const both = await stage.run('root', 'drill', '--roots', usb('b'), '--commitment', join(usb('a'), 'next-commitment.json'), ...home)
  expect([both.exit, both.stdout]).toEqual([0, expect.stringMatching(/^enough next roots work: 1 of the 2[^]*· usb-a\/greta-next[^\n]*not tried now, signed on \d{4}-\d\d-\d\d\n/)])
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
  const done = await stage.json('phoenix', ['recover', 'keys', ...roots, '--peer', bob.address, '--yes', NO])
  expect(done).toMatchObject({ domain, epoch: 3, closed: [expect.any(String)] })
  writeFileSync(stage.path('site', 'page'), 'back again\n')
  await stage.json('phoenix', ['publish', stage.path('site'), '--as', 'news'])

  const phoenix = await stage.serve('phoenix')
  expect(await stage.json('bob', ['sync', domain, '--peer', phoenix.address])).toMatchObject({ status: 'accepted', names: 2 })
  await Promise.all([phoenix.stop(), bob.stop()])
  const read = async (name: string): Promise<string> => (await stage.run('cat', `${domain}/${name}/page`, '--home', stage.path('bob'))).stdout
  expect([await read('www'), await read('news')]).toEqual(['hello\n', 'back again\n'])
})
