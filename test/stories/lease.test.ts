/** A courtesy lease over real processes: some disk for a neighbour, a quota on it, and what doesn't fit. Wants a build. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Daemon, Stage } from '../helpers/cli.js'

let stage: Stage
let alice: string
let serving: Daemon

const KIB = 1024
/** What a file of n bytes is charged: ArtifactBytes begin with a flag and the length. */
const block = (n: number): number => n + 9

async function publish (name: string, bytes: number, fill: string): Promise<void> {
  writeFileSync(stage.path(name), fill.repeat(bytes))
  await stage.json('alice', ['publish', stage.path(name), '--as', name])
}

const ofAlice = async (home: string): Promise<Record<string, unknown>> => (await stage.json(home, ['status'])).domains.find((d: { domain: string }) => d.domain === alice)

beforeAll(async () => {
  stage = new Stage()
  alice = await stage.init('alice')
  await stage.init('bob')
  await publish('oldest', 50 * KIB, 'o')
  await publish('large', 200 * KIB, 'l')
  await publish('newest', 40 * KIB, 'n')
  serving = await stage.serve('alice')
})
afterAll(async () => { await stage.close() })

test('newest first, what doesn\'t fit is left out as a whole and named; a rerun fetches nothing; more room brings the rest', async () => {
  expect(await stage.json('bob', ['follow', alice, '--name', 'alice', '--quota', '100K', '--peer', serving.address])).toMatchObject({ domain: alice, quota: 100 * KIB, used: 0 })
  const used = block(40 * KIB) + block(50 * KIB)
  expect(await stage.json('bob', ['sync', 'alice'], 3)).toMatchObject({
    status: 'deferred', code: 'over-quota', names: 3, blocks: 2, bytes: used, quota: 100 * KIB, used, overQuota: [{ name: 'large', needs: block(200 * KIB) }]
  })
  expect(await stage.run('cat', 'alice/newest', '--home', stage.path('bob'))).toMatchObject({ exit: 0, stdout: 'n'.repeat(40 * KIB) })
  expect(await stage.run('cat', 'alice/large', '--home', stage.path('bob'))).toMatchObject({ exit: 3, stderr: expect.stringMatching(/leaves no room[^]*`diad follow DOMAIN --quota SIZE`/) })
  expect((await stage.run('ls', 'alice', '--home', stage.path('bob'))).stdout).toMatch(/large {2}\[over-quota\]/)
  expect(await stage.json('bob', ['sync', 'alice'], 3)).toMatchObject({ code: 'over-quota', blocks: 0, refused: [] })
  const status = await stage.run('status', '--home', stage.path('bob'))
  expect(status.stdout).toMatch(/content {2}90 KiB of 100 KiB, records [1-9][\d.]* (B|KiB)/)
  expect(status.stdout).toMatch(/over quota {2}large {2}takes 200 KiB or more/)
  // Followed isn't admitted, whatever is lent.
  expect(await stage.json('bob', ['view'])).toMatchObject({ entries: [] })

  // Below what is used: nothing goes, nothing comes, and it says so.
  const lowered = await stage.run('follow', 'alice', '--quota', '10K', '--home', stage.path('bob'))
  expect([lowered.exit, lowered.stderr]).toEqual([0, expect.stringContaining('nothing is deleted')])
  expect(await stage.json('bob', ['sync', 'alice'], 3)).toMatchObject({ code: 'over-quota', blocks: 0, used, quota: 10 * KIB })
  // It stays with the domain, followed or not, and so does what is held.
  await stage.json('bob', ['unfollow', 'alice'])
  expect(await stage.json('bob', ['follow', 'alice'])).toMatchObject({ quota: 10 * KIB, used })
  await stage.json('bob', ['follow', 'alice', '--quota', '1M'])
  expect(await stage.json('bob', ['sync', 'alice'])).toMatchObject({ code: 'accepted', blocks: 1, used: used + block(200 * KIB), overQuota: [] })
  expect(await stage.json('bob', ['follow', 'alice', '--quota', 'none'])).toMatchObject({ mode: 'mirror' })
  expect(await ofAlice('bob')).toMatchObject({ quota: null, used: used + block(200 * KIB), code: 'accepted' })
})

test('a daemon keeps to it, does nothing where nothing fits, and serves what it has', async () => {
  await stage.json('carol', ['follow', alice, '--name', 'alice', '--quota', '60K', '--peer', serving.address])
  const carol = await stage.serve('carol', ['--peer', serving.address])
  await carol.next('its content', (e) => e.event === 'content' && e['whole'] === 1)
  const from = carol.events.length
  expect(await stage.json('carol', ['sync', 'alice'], 3)).toMatchObject({ code: 'over-quota', blocks: 0, used: block(40 * KIB) })
  await stage.json('alice', ['publish', stage.path('newest'), '--as', 'again'])
  await carol.next('the new name', (e) => e.event === 'changed' && e['names'] === 4, from)
  expect(await stage.json('carol', ['sync', 'alice'], 3)).toMatchObject({ names: 4, used: block(40 * KIB), overQuota: [{ name: 'large' }, { name: 'oldest' }] })
  expect(carol.events.slice(from).filter((e) => e.event === 'content' && e['blocks'] !== 0)).toEqual([])
  // Who has it all would be found through carol's part of the DHT.
  expect(await serving.stop()).toBe(0)
  const dave = await stage.json('dave', ['sync', alice, '--peer', carol.address], 3)
  expect(dave).toMatchObject({ code: 'content-missing', names: 4, blocks: 1, bytes: block(40 * KIB) })
  expect(await carol.stop()).toBe(0)
})

test('a bundle keeps to it too', async () => {
  const car = stage.path('alice.car')
  mkdirSync(stage.path('dir'))
  for (const n of [1, 2, 3]) writeFileSync(stage.path('dir', `${n}`), `${n}`.repeat(60 * KIB))
  await stage.json('alice', ['publish', stage.path('dir'), '--as', 'dir'])
  await stage.json('alice', ['publish', stage.path('dir'), '--as', 'dir-too'])
  await stage.json('alice', ['bundle', 'export', alice, car])
  await stage.json('erin', ['follow', alice, '--name', 'alice', '--quota', '100K'])
  // The directory as a whole and the large file don't fit.
  expect(await stage.json('erin', ['bundle', 'import', car])).toMatchObject({ status: 'accepted', names: 6, blocks: 2, bytes: block(40 * KIB) + block(50 * KIB), overQuota: 2 })
  expect(await ofAlice('erin')).toMatchObject({ code: 'over-quota', used: block(40 * KIB) + block(50 * KIB), overQuota: [{ name: 'dir' }, { name: 'dir-too' }, { name: 'large' }] })
  await stage.json('erin', ['follow', alice, '--quota', 'none'])
  expect(await stage.json('erin', ['bundle', 'import', car])).toMatchObject({ overQuota: 0, missing: 0 })
  expect(await ofAlice('erin')).toMatchObject({ code: 'accepted' })
})

test.each([['-5'], ['1x'], ['0.5'], ['1e9'], [''], ['9999999999999T']])('--quota %j is refused, and leaves no home behind', async (size) => {
  expect(await stage.json('nobody', ['follow', alice, '--quota', size], 2)).toMatchObject({ error: { code: 'usage', message: expect.stringContaining('size such as 1024, 500M or 2G') as unknown } })
  expect((await stage.run('status', '--home', stage.path('nobody'))).exit).toBe(2)
})

test('a quota on a domain of which no content is kept is a mistake', async () => {
  expect(await stage.json('nobody', ['follow', alice, '--mode', 'follow', '--quota', '1M'], 2)).toMatchObject({ error: { code: 'usage' } })
})
