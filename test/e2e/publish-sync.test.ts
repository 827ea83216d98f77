/** The main job over real processes: publish, sync, check out; and the shapes of what scripts get. Wants a build. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Daemon, HEX_REFERENCE, inventory, sampleTree, Stage } from '../helpers/cli.js'

let stage: Stage
let files: string
let domain: string
let init: Record<string, unknown>
let published: Record<string, unknown>
let alice: Daemon

const ref = expect.stringMatching(HEX_REFERENCE) as unknown
const keys = (o: object): string[] => Object.keys(o).sort()

beforeAll(async () => {
  stage = new Stage()
  files = sampleTree(stage.path('files'))
  init = await stage.json('alice', ['init', '--name', 'alice', '--no-passphrase'])
  domain = init['domain'] as string
  published = await stage.json('alice', ['publish', files, '--as', 'docs/all'])
  alice = await stage.serve('alice')
})
afterAll(async () => { await stage.close() })

test('init and publish answer in the shape of the contract', () => {
  expect(init).toMatchObject({ domain: ref, name: 'alice', home: stage.path('alice') })
  expect(published).toEqual({ domain, lane: ref, snapshot: ref, ref, name: 'docs/all', records: 1, files: 8, blocks: expect.any(Number), bytes: expect.any(Number), visible: true, exported: true })
})

test('a reader who knows the DomainID and an address gets an identical tree, and can verify it', async () => {
  const synced = await stage.json('carol', ['sync', domain, '--peer', alice.address])
  expect(synced).toEqual({
    domain,
    status: 'accepted',
    code: 'accepted',
    snapshot: published['snapshot'],
    heads: [{ lane: published['lane'], snapshot: published['snapshot'], log_size: 1, logseq: expect.any(Number) }],
    names: 1,
    blocks: expect.any(Number),
    bytes: expect.any(Number),
    asked: 1,
    refused: []
  })
  expect(synced.bytes).toBeGreaterThanOrEqual(published['bytes'] as number)

  const out = await stage.json('carol', ['checkout', `${domain}/docs/all`, stage.path('out')])
  expect(out).toMatchObject({ domain, name: 'docs/all', ref: published['ref'], dest: stage.path('out'), files: 8, bytes: published['bytes'] })
  expect(inventory(stage.path('out'))).toEqual(inventory(files))

  const name = await stage.json('carol', ['verify', `${domain}/docs/all`, '--explain'])
  expect(name).toMatchObject({ status: 'accepted', code: 'accepted' })
  expect(name.checks.length).toBeGreaterThan(3)
  for (const check of name.checks) expect([keys(check), check.ok], check.text).toEqual([['ok', 'rule', 'text'], true])
  for (const what of [domain, published['lane'], published['snapshot'], published['ref']] as string[]) {
    expect(await stage.json('carol', ['verify', what]), what).toMatchObject({ status: 'accepted', code: 'accepted', ref: what })
  }
  // 12 digits of something held are enough; 68 of something unknown are deferred.
  expect(await stage.json('carol', ['verify', domain.slice(0, 16)])).toMatchObject({ status: 'accepted', ref: domain })
  const unknown = domain.slice(0, 4) + 'ab'.repeat(32)
  expect(await stage.json('carol', ['verify', unknown], 3)).toMatchObject({ status: 'deferred', code: 'not-held', ref: unknown })
})

test('ls and cat see what was published; put alone claims nothing', async () => {
  expect((await stage.json('alice', ['ls', domain])).entries).toMatchObject([{ name: 'docs/all', kind: 'dir', ref: published['ref'] }])
  const listed = (await stage.json('alice', ['ls', `${domain}/docs/all`])).entries as Array<Record<string, unknown>>
  expect(listed.map((e) => e['name'])).toEqual(['a', 'closed', 'dangling', 'empty', 'link', 'nothing', 'run.sh', 'имя'])
  expect(listed.find((e) => e['name'] === 'link')).toMatchObject({ kind: 'link', target: 'a/grüße 日本.txt' })
  expect(await stage.run('cat', `${domain}/docs/all/имя/🦆`, '--home', stage.path('alice'))).toEqual({ exit: 0, stdout: 'quack\n', stderr: '' })
  const put = await stage.json('alice', ['put', files + '/run.sh'])
  expect(put.ref).toMatch(HEX_REFERENCE)
  const bare = await stage.json('alice', ['put', new URL(import.meta.url).pathname])
  expect(await stage.json('alice', ['verify', bare.ref])).toMatchObject({ status: 'informational', code: 'unclaimed' })
})

test('a daemon told to stop ends with 0', async () => {
  expect(await (await stage.serve('dave')).stop()).toBe(0)
})
