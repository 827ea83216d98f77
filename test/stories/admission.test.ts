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
