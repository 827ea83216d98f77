/** A producer's work is vouched for, shown, explained, erased and adopted, by the built CLI. Wants a build. */
import { writeFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { HEX_REFERENCE, Stage } from '../helpers/cli.js'

let stage: Stage
let domain: string
let ci: string
let lane: string

const ref = expect.stringMatching(HEX_REFERENCE) as unknown
type Json = Record<string, any> // eslint-disable-line @typescript-eslint/no-explicit-any

const alice = async (words: string[], exit = 0): Promise<Json> => await stage.json('alice', words, exit) as Json

/** Of commands that answer with a list. */
async function lines (...words: string[]): Promise<Json[]> {
  const { exit, stdout, stderr } = await stage.run(...words, '--home', stage.path('alice'), '--json')
  if (exit !== 0) throw new Error(`${words.join(' ')} ended with ${String(exit)}: ${stderr}`)
  return stdout.trim().split('\n').map((line) => JSON.parse(line) as Json)
}

function file (name: string): string {
  writeFileSync(stage.path(name), `${name}\n`)
  return stage.path(name)
}

beforeAll(async () => {
  stage = new Stage()
  domain = await stage.init('alice')
  ci = stage.path('alice', 'keys', 'ci.key')
  await alice(['key', 'new', 'ci', '--no-passphrase'])
  await alice(['role', 'grant', stage.path('alice', 'keys', 'ci.pub'), '--role', 'produce', '--scope', 'builds'])
  expect(await alice(['publish', file('site'), '--as', 'site'])).toMatchObject({ visible: true, exported: true })
  const proposed = await alice(['publish', file('one'), '--as', 'builds/one', '--key', ci])
  expect(proposed).toMatchObject({ visible: false, exported: false })
  lane = proposed['lane'] as string
})
afterAll(async () => { await stage.close() })

test('a proposal shows nowhere until it is vouched for; a dry run shows what that would do', async () => {
  expect((await alice(['ls', domain]))['entries']).toMatchObject([{ name: 'site' }])
  expect((await lines('lanes')).find((l) => l['lane'] === lane)).toMatchObject({ called: 'ci', roles: ['produce'], size: 1, valid: 1, visible: 0, exported: 0, contested: false, code: 'accepted', head: ref })
  expect(await alice(['explain', `${domain}/builds/one`])).toMatchObject({ status: 'informational', code: 'not-visible' })
  const dry = await alice(['vouch', 'ci', '--dry-run'])
  expect(dry).toMatchObject({ done: false, vouches: [{ lane, size: 1, called: 'ci' }], exported: [{ lane, from: 0, to: 1, names: ['builds/one'] }], missing: [] })
  expect((await alice(['ls', domain]))['entries']).toHaveLength(1)
  const shown = await stage.run('vouch', lane.slice(4, 18), '--home', stage.path('alice'))
  expect([shown.exit, shown.stdout]).toEqual([0, expect.stringMatching(/vouched for the lane .* of ci .* up to 1 record\n.*visible +builds\/one\n.*exported +builds\/one/)])
  // What went well says nothing on stderr; who wants to see it before asks for a dry run.
  expect(shown.stderr).toBe('')
  expect(await alice(['vouch', 'ci'])).toMatchObject({ done: false, vouches: [] })
  expect((await alice(['ls', domain]))['entries']).toMatchObject([{ name: 'builds/one' }, { name: 'site' }])
})

test('what can\'t be vouched for says why', async () => {
  const { principal } = (await lines('lanes')).find((l) => l['lane'] !== lane) as Json
  const refused = async (...words: string[]): Promise<[number | null, string]> => {
    const { exit, stdout } = await stage.run('vouch', ...words, '--home', stage.path('alice'), '--json')
    return [exit, (JSON.parse(stdout) as Json)['error'].code as string]
  }
  expect(await refused('0001000000000000')).toEqual([3, 'not-held'])
  expect(await refused('nobody')).toEqual([2, 'malformed'])
  expect(await refused(lane, '--at', lane)).toEqual([3, 'not-held'])
  expect(await refused(principal as string, '--key', ci)).toEqual([2, 'role-missing'])
})

test('a reader on another machine gets what was vouched for, with its content, and the same explanation', async () => {
  const daemon = await stage.serve('alice')
  expect(await stage.json('bob', ['sync', domain, '--peer', daemon.address])).toMatchObject({ status: 'accepted', names: 2 })
  expect((await stage.run('cat', `${domain}/builds/one`, '--home', stage.path('bob'))).stdout).toBe('one\n')
  const [mine, theirs] = [await alice(['explain', `${domain}/builds/one`]), await stage.json('bob', ['explain', `${domain}/builds/one`]) as Json]
  expect(theirs['status']).toBe('accepted')
  // Names of principals are local.
  expect(JSON.stringify(theirs)).toBe(JSON.stringify(mine).replace(/(ci|principal) \(([0-9a-f]{12}…)\)/g, '$2'))
  expect(await daemon.stop()).toBe(0)
})

test('the tree goes from the name to the genesis, in text as in JSON', async () => {
  const kinds: string[] = []
  for (let at: Json | undefined = await alice(['explain', `${domain}/builds/one`]); at !== undefined; at = (at['because'] as Json[]).find((n) => n['brief'] !== true && !(n['what'] as string).startsWith('a head'))) {
    kinds.push((at['what'] as string).replace(/^the /, '').split(' ')[0] as string)
  }
  expect(kinds.slice(1)).toEqual(['name', 'record', 'lane', 'manifest', 'root'])
  const text = await stage.run('explain', `${domain}/builds/one`, '--home', stage.path('alice'))
  expect(text.stdout).toMatch(/[├└]─ root entry of epoch 0 \(genesis\)/)
  for (const target of ['ci', `${lane.slice(0, 12)}:0`, 'alice']) {
    expect(await alice(['explain', target]), target).toMatchObject({ status: 'accepted', target })
  }
  expect(await alice(['explain', 'f'.repeat(64)], 3)).toMatchObject({ status: 'deferred', code: 'not-held' })
})

test('erasing wants a yes, takes all records of the name, and is told in the log', async () => {
  await alice(['publish', file('site2'), '--as', 'site'])
  const asked = await stage.run('erase', `${domain}/site`, '--home', stage.path('alice'))
  expect([asked.exit, asked.stderr]).toEqual([2, expect.stringMatching(/would erase 2 records for ever.*can't be called back[^]*--yes/)])
  expect(await alice(['erase', `${domain}/site`, '--yes'])).toMatchObject({ erased: [{ name: 'site' }, { name: 'site' }], older: [] })
  expect((await alice(['ls', domain, '--all']))['entries']).toMatchObject([{ name: 'builds/one' }])
  // It is told from what never was: by the name, and by whom.
  const by = expect.stringMatching(/^record \d+ of the lane 0001[0-9a-f]{12}…, which published "site", was erased by record \d+ of the lane/) as unknown
  expect(await alice(['erase', `${domain}/site`, '--yes'], 2)).toMatchObject({ error: { code: 'already-erased', message: expect.stringMatching(/^it is erased already: record .* by record/) as unknown } })
  for (const verb of ['explain', 'verify']) expect(await alice([verb, `${domain}/site`]), verb).toMatchObject({ status: 'informational', code: 'erased', checks: expect.arrayContaining([{ rule: 'R7', ok: false, text: by }]) as unknown })
  const told = (await lines('log')).filter((e) => e['event'] === 'record').map((e) => [e['kind'], e['name'], e['code']])
  expect(told).toEqual([['publish', 'site', 'erased'], ['publish', 'builds/one', undefined], ['vouch', undefined, undefined], ['publish', 'site', 'erased'], ['erase', undefined, undefined], ['erase', undefined, undefined]])
  expect((await lines('log', '--last', '1'))).toHaveLength(1)
})

test('a name is hidden by a tombstone, and not twice', async () => {
  const daemon = await stage.serve('alice')
  const names = async (): Promise<number> => (await alice(['ls', domain]))['entries'].length as number
  const changed = async (from: number): Promise<unknown> => (await daemon.next('a change of our own', (e) => e.event === 'changed' && e['by'] === 'own', from))['names']
  await alice(['publish', file('note'), '--as', 'note'])
  const shown = await names()
  expect(await changed(0)).toBe(shown)
  const from = daemon.events.length
  expect(await alice(['tombstone', 'note'])).toMatchObject({ domain, name: 'note', snapshot: ref })
  expect([await changed(from), await names()]).toEqual([shown - 1, shown - 1])
  expect(await daemon.stop()).toBe(0)
  expect(await alice(['unpublish', 'note'], 3)).toMatchObject({ error: { code: 'not-found' } })
})

test('work of a closed key is adopted under a living one, which shows whose it was', async () => {
  await alice(['publish', file('two'), '--as', 'builds/two', '--key', ci])
  await alice(['key', 'close', 'ci', '--keep', 'nothing', '--yes'])
  expect(await alice(['explain', lane], 4)).toMatchObject({ status: 'void', code: 'closed', wayOut: { command: `diad adopt ${lane.slice(0, 16)}` } })
  expect(await alice(['adopt', lane, '--only', 'builds/two', '--dry-run'])).toMatchObject({ done: false, from: lane, called: 'ci', adopted: [{ name: 'builds/two' }] })
  expect(await alice(['adopt', lane])).toMatchObject({ done: true, adopted: [{ name: 'builds/one' }, { name: 'builds/two' }], receipts: 0 })
  expect(await alice(['adopt', lane])).toMatchObject({ done: false, adopted: [], left: [{ code: 'in-force' }, { code: 'in-force' }] })
  const daemon = await stage.serve('alice')
  await stage.json('dora', ['sync', domain, '--peer', daemon.address])
  expect((await stage.run('cat', `${domain}/builds/two`, '--home', stage.path('dora'))).stdout).toBe('two\n')
  expect(await daemon.stop()).toBe(0)
  expect((await lines('log')).some((e) => e['kind'] === 'statement' && (e['words'] as string[])[0] === `says "adopted" of ${lane.slice(0, 16)}…`)).toBe(true)
})

test('a key that doesn\'t export is told what is missing before others see its records', async () => {
  const keyed = async (name: string, ...roles: string[]): Promise<string> => {
    await alice(['key', 'new', name, '--no-passphrase'])
    await alice(['role', 'grant', stage.path('alice', 'keys', `${name}.pub`), '--role', ...roles, '--scope', name])
    const { stdout } = await stage.run('publish', file(name), '--as', `${name}/x`, '--key', stage.path('alice', 'keys', `${name}.key`), '--home', stage.path('alice'))
    return stdout
  }
  expect(await keyed('tess', 'produce')).toMatch(/^proposed tess\/x [\s\S]*a proposal: nobody else sees it until .*\n {2}diad vouch 0001[0-9a-f]{64}\n$/)
  expect(await keyed('paul', 'publish')).toMatch(/^published paul\/x [\s\S]*not exported: nobody else sees it until .*\n {2}diad vouch 0001[0-9a-f]{64}\n$/)
  expect(await keyed('fred', 'publish', 'federate')).not.toContain('vouch')
})
