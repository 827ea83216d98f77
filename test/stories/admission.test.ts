/** Admission over real processes: nonce, request, decision, and what of another domain therefore stands in our view. Wants a build. */
import { writeFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Daemon, Stage } from '../helpers/cli.js'

let stage: Stage
let alice: string
let bob: string
let serving: Daemon

const view = async (): Promise<string[]> => (await stage.json('bob', ['view'])).entries.map((e: { domain: string, name: string }) => `${e.domain === bob ? 'bob' : 'alice'}/${e.name}`).sort()

beforeAll(async () => {
  stage = new Stage();
  [alice, bob] = await Promise.all([stage.init('alice'), stage.init('bob')])
  writeFileSync(stage.path('file'), 'hello\n')
  await stage.json('alice', ['publish', stage.path('file'), '--as', 'docs/one'])
  await stage.json('alice', ['publish', stage.path('file'), '--as', 'private'])
  serving = await stage.serve('alice')
  await stage.json('bob', ['sync', alice, '--peer', serving.address])
})
afterAll(async () => { await stage.close() })

test('followed isn\'t admitted; a request by file is judged and decided; a withdrawal takes it out again', async () => {
  expect(await view()).toEqual([])
  const nonce = stage.path('nonce.json')
  const request = stage.path('request.json')
  await stage.json('bob', ['admit', 'nonce', '--out', nonce])
  // The daemon asks: root_key is where the home is.
  expect(await stage.json('alice', ['admit', 'request', '--to', bob, '--nonce', nonce, '--scope', '/', '--out', request])).toMatchObject({ applicant: alice, receiver: bob, scope: [''] })
  const review = await stage.run('admit', 'review', request, '--home', stage.path('bob'))
  expect(review).toMatchObject({ exit: 0, stdout: expect.stringContaining('asks for   everything') })
  expect(await stage.json('bob', ['admit', 'limit', request, '--scope', 'docs'])).toMatchObject({ decision: 'ACCEPTED_LIMITED', scope: ['docs'] })
  expect(await view()).toEqual(['alice/docs/one'])
  const status = (await stage.json('bob', ['status'])).domains.find((d: { domain: string }) => d.domain === alice)
  expect(status).toMatchObject({ status: 'accepted', admission: 'limited' })
  expect(await stage.json('bob', ['admit', 'reject', alice])).toMatchObject({ decision: 'REJECTED' })
  expect(await view()).toEqual([])
})

test('decisions are internal: a follower of ours hears nothing of them, though a seal anchors their lane', async () => {
  const bobServes = await stage.serve('bob')
  expect(await stage.json('bob', ['domain', 'seal'])).toMatchObject({ lanes: 1 })
  expect(await stage.json('carol', ['sync', bob, '--peer', bobServes.address])).toMatchObject({ status: 'accepted', code: 'accepted', names: 0, heads: [] })
  const [record] = (await stage.json('bob', ['admit', 'list'])).admissions[0].records
  expect(await stage.json('carol', ['verify', record], 3)).toMatchObject({ code: 'not-held' })
  expect(await bobServes.stop()).toBe(0)
})

test('over the network: asked with a challenge, waiting for a person, decided by its reference', async () => {
  const bobServes = await stage.serve('bob')
  const ask = async (scope: string, exit = 0): Promise<Record<string, unknown>> => await stage.json('alice', ['admit', 'request', '--to', bob, '--peer', bobServes.address, '--scope', scope], exit)
  // alice is served: her daemon asks.
  const first = await ask('private')
  expect(first).toMatchObject({ applicant: alice, receiver: bob, scope: ['private'], peer: bobServes.peer, answer: 'received' })
  expect(await bobServes.next('a request', (e) => e.event === 'admission-request')).toEqual({ event: 'admission-request', domain: alice, peer: serving.peer, request: first['request'], scope: ['private'] })
  expect(await stage.json('bob', ['admit', 'review'])).toEqual({ receiver: bob, waiting: [{ request: first['request'], domain: alice, scope: ['private'], peer: serving.peer }] })

  // Asked anew, the wider one takes the place of the first, which counts no more: nobody accepts by the domain's name what he didn't look at.
  const wider = await ask('/')
  expect(await stage.json('bob', ['admit', 'review', alice])).toMatchObject({ status: 'accepted', request: wider['request'], scope: [''], decided: false })
  expect(await stage.json('bob', ['admit', 'accept', alice], 2)).toMatchObject({ error: { code: 'admission-decided' } })
  expect(await stage.json('bob', ['admit', 'accept', first['request'] as string], 3)).toMatchObject({ error: { code: 'not-found' } })
  expect(await view()).toEqual([])
  expect(await stage.json('bob', ['admit', 'limit', wider['request'] as string, '--scope', 'docs'])).toMatchObject({ decision: 'ACCEPTED_LIMITED', scope: ['docs'], request: wider['request'] })
  expect(await view()).toEqual(['alice/docs/one'])
  expect(await stage.json('bob', ['admit', 'review'])).toMatchObject({ waiting: [] })
  expect((await stage.run('admit', 'review', '--home', stage.path('bob'))).stdout).toBe('no request waits\n')

  // Who asks learns nothing of what was decided, and a node that is told not to takes nothing.
  expect(await stage.json('bob', ['admit', 'reject', alice])).toMatchObject({ decision: 'REJECTED' })
  expect(await ask('docs')).toMatchObject({ answer: 'received' })
  expect(await bobServes.stop()).toBe(0)
  const silent = await stage.serve('bob', ['--no-admissions'])
  expect(await stage.json('alice', ['admit', 'request', '--to', bob, '--peer', silent.address, '--scope', 'docs'], 3)).toMatchObject({ error: { code: 'not-taken' } })
  // What waited goes on waiting, and without a daemon too it is decided.
  expect(await silent.stop()).toBe(0)
  const [left] = (await stage.json('bob', ['admit', 'review'])).waiting
  expect(await stage.json('bob', ['admit', 'accept', left.request])).toMatchObject({ decision: 'ACCEPTED', scope: ['docs'] })
  expect(await view()).toEqual(['alice/docs/one'])
})

test('without a daemon of its own the applicant dials by itself; where nobody answers it says so', async () => {
  await stage.init('dave')
  const bobServes = await stage.serve('bob')
  expect(await stage.json('dave', ['admit', 'request', '--to', bob, '--peer', bobServes.address, '--scope', '/'])).toMatchObject({ answer: 'received', peer: bobServes.peer })
  // Nothing was decided on dave yet: limited by his name, never accepted by it.
  const { domain: dave } = await stage.json('dave', ['status'])
  expect(await stage.json('bob', ['admit', 'accept', dave], 2)).toMatchObject({ error: { code: 'request-waiting' } })
  // Put off it waits on; bob holds nothing of dave but what came along.
  expect(await stage.json('bob', ['admit', 'defer', dave])).toMatchObject({ decision: 'DEFERRED' })
  expect(await stage.json('bob', ['admit', 'review', dave])).toMatchObject({ status: 'accepted', decision: 'DEFERRED', decided: false })
  expect(await stage.json('bob', ['admit', 'limit', dave, '--scope', 'music'])).toMatchObject({ scope: ['music'], decisionEpoch: expect.any(Number) })
  expect(await stage.json('bob', ['admit', 'review'])).toMatchObject({ waiting: [] })
  expect(await stage.json('dave', ['admit', 'request', '--to', alice, '--peer', bobServes.address, '--scope', '/'], 3)).toMatchObject({ error: { code: 'not-taken' } })
  expect(await bobServes.stop()).toBe(0)
  // What waits in a rescue home would go with it, so none takes anything.
  await stage.json('nobody', ['rescue', 'start', '--peer', serving.address, '--domain', alice, '--key', stage.path('alice', 'keys', 'principal.key'), '--dir', stage.path('rescue')])
  const rescue = await stage.serve('rescue')
  expect(await stage.json('dave', ['admit', 'request', '--to', alice, '--peer', rescue.address, '--scope', '/'], 3)).toMatchObject({ error: { code: 'not-taken' } })
  expect(await stage.json('dave', ['admit', 'request', '--to', bob, '--peer', bobServes.address, '--scope', '/'], 3)).toMatchObject({ error: { code: 'peer-unreachable' } })
  expect(await stage.json('dave', ['admit', 'request', '--to', bob, '--scope', '/'], 3)).toMatchObject({ error: { code: 'not-found', message: expect.stringContaining('no address') } })
})

test('another machine of the domain hears of decisions by a file, decides with its own key, and tells them at home; nobody else is told', async () => {
  const file = (name: string): string => stage.path(`${name}.car`)
  const carry = async (from: string, to: string, words: string[] = []): Promise<Record<string, unknown>> => {
    await stage.json(from, ['bundle', 'export', bob, file(from), '--internal'])
    return await stage.json(to, ['bundle', 'import', file(from), ...words])
  }
  type Listed = Record<'domain' | 'decision' | 'scope' | 'records', unknown>
  const decisions = async (home: string): Promise<Listed[]> => (await stage.json(home, ['admit', 'list'])).admissions.map(({ domain, decision, scope, records }: Listed) => ({ domain, decision, scope, records }))
  await stage.run('key', 'new', 'laptop', '--out', stage.path('stick'), '--no-passphrase', '--home', stage.path('bob'))
  await stage.json('bob', ['role', 'grant', stage.path('stick', 'laptop.pub'), '--role', 'publish', 'federate', '--name', 'laptop'])
  const exported = await stage.run('bundle', 'export', bob, file('bob'), '--internal', '--home', stage.path('bob'))
  expect([exported.exit, exported.stderr]).toEqual([0, expect.stringMatching(/whom it turned away: it is for your own machines alone/)])
  await stage.json('nobody', ['rescue', 'start', '--bundle', file('bob'), '--domain', bob, '--key', stage.path('stick', 'laptop.key'), '--dir', stage.path('laptop')])
  expect(await decisions('laptop')).toEqual(await decisions('bob'))

  // Put off at home by a request that came by file, let in on the way; and somebody else is turned away.
  const [{ domain: dave }] = [await stage.json('dave', ['status'])]
  await stage.json('bob', ['admit', 'nonce', '--out', stage.path('nonce-2.json')])
  await stage.json('dave', ['admit', 'request', '--to', bob, '--nonce', stage.path('nonce-2.json'), '--scope', 'books', '--out', stage.path('request-2.json')])
  await stage.json('bob', ['admit', 'defer', stage.path('request-2.json')])
  await stage.json('dave', ['bundle', 'export', dave, file('dave')])
  await stage.json('laptop', ['bundle', 'import', file('dave'), '--follow'])
  expect(await carry('bob', 'laptop')).toMatchObject({ status: 'accepted', refused: [], noted: [], internal: { records: expect.any(Number) } })
  expect(await decisions('laptop')).toEqual(await decisions('bob'))
  expect(await stage.json('laptop', ['admit', 'accept', dave])).toMatchObject({ decision: 'ACCEPTED', scope: ['books'] })
  expect(await stage.json('laptop', ['admit', 'reject', alice])).toMatchObject({ decision: 'REJECTED' })
  expect(await view()).toEqual(['alice/docs/one'])

  // What `rescue end` writes holds nothing internal, and it says so before it wipes what stands nowhere else.
  expect(await stage.json('laptop', ['rescue', 'end', '--out', file('done')], 2)).toMatchObject({ error: { code: 'not-confirmed', hint: expect.stringContaining('--internal') } })
  expect(await carry('laptop', 'bob')).toMatchObject({ status: 'accepted', refused: [], noted: [] })
  expect(await view()).toEqual([])
  expect((await decisions('bob')).map(({ domain, decision }) => [domain, decision]).sort()).toEqual([[alice, 'REJECTED'], [dave, 'ACCEPTED']].sort())
  expect(await decisions('laptop')).toEqual(await decisions('bob'))
  await stage.json('laptop', ['rescue', 'end', '--out', file('done'), '--yes'])
  expect((await stage.json('nobody', ['bundle', 'inspect', file('done')])).lanes).toEqual([])

  // For everybody else: looked at, and refused; nor can others write one.
  expect(await stage.json('nobody', ['bundle', 'inspect', file('laptop')])).toMatchObject({ status: 'accepted', internal: { lanes: expect.any(Number) }, lanes: expect.arrayContaining([expect.objectContaining({ visibility: 'internal', code: 'internal' })]) })
  expect((await stage.run('bundle', 'inspect', file('laptop'))).stdout).toMatch(/internal {2,}\d+ lanes, \d+ decisions on other domains: for the domain's own machines alone/)
  expect(await stage.json('carol', ['bundle', 'import', file('laptop')], 4)).toMatchObject({ status: 'rejected', code: 'internal-lane', reason: expect.stringContaining('only a home of that domain') })
  expect(await stage.json('carol', ['bundle', 'export', bob, file('carol'), '--internal'], 2)).toMatchObject({ error: { code: 'not-ours' } })
  // A bundle for everybody doesn't take the place of one that says more.
  expect(await stage.json('bob', ['bundle', 'export', bob, file('laptop')], 2)).toMatchObject({ error: { code: 'file-exists' } })
})
