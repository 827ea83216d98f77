/** Publishing with a key that isn't in the home: on a stick, in an ssh-agent, in a token. Real processes; wants a build. */
import { execFileSync } from 'node:child_process'
import { createPrivateKey } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createKeyFile } from '../../src/node/keys/key-file.js'
import { HEX_REFERENCE, inventory, Stage } from '../helpers/cli.js'
import { NO_TOKEN, PIN, SOFTHSM, Tokens } from '../helpers/softhsm.js'
import { NO_SSH, type RealAgent, startAgent, writeOpenSsh } from '../helpers/ssh.js'

const ENV = ['SSH_AUTH_SOCK', 'SOFTHSM2_CONF'] as const
const before = ENV.map((name) => process.env[name])

function setEnv (name: string, value: string | undefined): void {
  if (value === undefined) Reflect.deleteProperty(process.env, name)
  else process.env[name] = value
}

let stage: Stage
let key: string
let file: string
let agent: RealAgent | undefined

beforeAll(async () => {
  for (const name of ENV) setEnv(name, undefined)
  stage = new Stage()
  await stage.init('alice')
  file = stage.path('file')
  writeFileSync(file, 'content\n')
  mkdirSync(stage.path('stick'))
  for (const name of ['principal.key', 'principal.pub']) renameSync(stage.path('alice', 'keys', name), stage.path('stick', name))
  key = stage.path('stick', 'principal.key')
})
afterAll(async () => {
  ENV.forEach((name, i) => setEnv(name, before[i]))
  await agent?.close()
  await stage.close()
})

const publish = async (as: string, words: readonly string[], exit = 0): Promise<any> => stage.json('alice', ['publish', file, '--as', as, ...words], exit) // eslint-disable-line @typescript-eslint/no-explicit-any

test('a key on a stick is used where it lies, and nothing of it stays', async () => {
  expect(await publish('a', [], 2)).toMatchObject({ error: { code: 'role-missing', hint: expect.stringContaining('--key') as unknown } })
  chmodSync(key, 0o400)
  chmodSync(stage.path('stick'), 0o500)
  const had = inventory(stage.path('stick'))
  const keys = readdirSync(stage.path('alice', 'keys'))
  expect(await publish('a', ['--key', 'stick/principal.key'])).toMatchObject({ name: 'a', snapshot: expect.stringMatching(HEX_REFERENCE) as unknown })
  expect(inventory(stage.path('stick'))).toEqual(had)
  expect(readdirSync(stage.path('alice', 'keys'))).toEqual(keys)
  chmodSync(stage.path('stick'), 0o700)

  chmodSync(key, 0o644)
  expect(await publish('b', ['--key', key], 2)).toMatchObject({ error: { code: 'key-mode', hint: expect.stringContaining('umask=077') as unknown } })
  chmodSync(key, 0o600)
  renameSync(stage.path('stick'), stage.path('unplugged'))
  expect(await publish('b', ['--key', key], 2)).toMatchObject({ error: { code: 'key-missing', hint: expect.stringContaining('stick') as unknown } })
  renameSync(stage.path('unplugged'), stage.path('stick'))
})

test('a key that the domain doesn\'t name signs nothing', async () => {
  const other = await createKeyFile({ directory: stage.path('other'), name: 'mallory', passphrase: { kind: 'none' } })
  expect(await publish('b', ['--key', other.path], 2)).toMatchObject({ error: { code: 'role-missing' } })
  expect((await stage.json('alice', ['ls', 'alice'])).entries).toMatchObject([{ name: 'a' }])
})

test.skipIf(NO_SSH !== undefined)('a key in an ssh-agent, here and through a daemon that has another environment', async () => {
  writeOpenSsh(stage.path('ssh-key'), createPrivateKey(readFileSync(key)), 'alice@stick')
  agent = await startAgent(stage.path('agent'))
  expect(await publish('c', ['--key', 'agent:'], 2)).toMatchObject({ error: { code: 'agent-unreachable' } })
  process.env['SSH_AUTH_SOCK'] = agent.socket
  expect(await publish('c', ['--key', 'agent:'], 2)).toMatchObject({ error: { code: 'key-missing' } })
  agent.add(stage.path('ssh-key'))
  const one = await publish('c', ['--key', 'agent:'])
  delete process.env['SSH_AUTH_SOCK']
  const daemon = await stage.serve('alice')
  process.env['SSH_AUTH_SOCK'] = agent.socket
  const two = await publish('d', ['--key', 'agent:alice@stick'])
  expect(await daemon.stop()).toBe(0)
  expect(two.lane).toBe(one.lane)
  expect(await stage.json('alice', ['verify', two.snapshot])).toMatchObject({ status: 'accepted' })
  expect(await publish('e', ['--key', stage.path('ssh-key')])).toMatchObject({ lane: one.lane })
})

test.skipIf(NO_TOKEN !== undefined)('a key in a token, and its PIN', async () => {
  const tokens = new Tokens(stage.path('softhsm'))
  process.env['SOFTHSM2_CONF'] = tokens.env.SOFTHSM2_CONF
  tokens.token('stick')
  execFileSync('softhsm2-util', ['--import', key, '--token', 'stick', '--label', 'alice', '--id', '01', '--pin', PIN], { stdio: 'pipe' })
  const spec = `pkcs11:${SOFTHSM}?token=stick&object=alice`
  const done = await publish('f', ['--key', spec, '--passphrase-file', tokens.pinFile()])
  expect(await stage.json('alice', ['verify', done.snapshot])).toMatchObject({ status: 'accepted' })
  expect(await publish('g', ['--key', spec, '--passphrase-file', tokens.pinFile('0000-pin')], 2)).toMatchObject({ error: { code: 'wrong-passphrase' } })
  const daemon = await stage.serve('alice')
  expect(await publish('g', ['--key', spec, '--passphrase-file', tokens.pinFile()])).toMatchObject({ lane: done.lane })
  expect(await daemon.stop()).toBe(0)
  expect(existsSync(stage.path('alice', 'keys', 'principal.key'))).toBe(false)
})
