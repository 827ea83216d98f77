/** What was turned away doesn't come back unnoticed when the key that turned it away is closed (D4, D5, K1). On real homes, through the command line. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Homes } from '../helpers/homes.js'
import { talkTo } from '../helpers/talk.js'

const homes = new Homes('withdrawal')
const { at } = homes
afterAll(() => { homes.remove() })

const { say, json } = talkTo(homes)
const decisions = async (): Promise<unknown> => (await json('a', ['admit', 'list'])).admissions.map((x: { decision: string }) => x.decision)

/** the principal that turned x away */
let who: string

beforeAll(async () => {
  for (const name of ['a', 'x']) await json(name, ['init', '--name', name, '--no-passphrase'])
  const [a, x] = [(await json('a', ['status'])).domain, (await json('x', ['status'])).domain]
  await json('a', ['admit', 'nonce', '--out', at('n.json')])
  await json('x', ['admit', 'request', '--to', a, '--scope', 'docs', '--nonce', at('n.json'), '--out', at('r.json')])
  await json('a', ['admit', 'accept', at('r.json')])
  await json('a', ['name', x, 'xaver'])
  await json('a', ['key', 'rotate'])
  await json('a', ['admit', 'reject', x])
  who = (await json('a', ['role', 'list'])).principals[0].principal
  await json('a', ['key', 'rotate'])
})

test('closing the key says so before, and again when it is done', async () => {
  expect(await decisions()).toEqual(['REJECTED'])
  const { error } = await json('a', ['key', 'close', who, '--keep', 'nothing'], 2)
  expect(error).toMatchObject({ code: 'would-be-void', message: expect.stringMatching(/decisions on other domains would change with them: xaver \(REJECTED → ACCEPTED\)/) })
  const { stderr } = await say('a', 'key', 'close', who, '--keep', 'nothing', '--yes')
  expect(stderr).toMatch(/older ones are in force again: xaver \(REJECTED → ACCEPTED\)/)
  expect(await decisions()).toEqual(['ACCEPTED'])
})
