/**
 * Nothing of a private key or a passphrase shows anywhere: not in what commands print when they succeed or fail, with DIAD_DEBUG=1 too, not in the
 * home outside of the key files, and not on the control socket. Wants a build.
 */
import { spawn } from 'node:child_process'
import { createPrivateKey, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { copyFileSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { Encrypter } from 'age-encryption'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { socketPath } from '../../src/node/home/paths.js'
import { utf8 } from '../../src/substrate/bytes.js'
import { Daemon, type Ended, Stage } from '../helpers/cli.js'

const MAIN = join(import.meta.dirname, '../../dist/src/cli/main.js')
const PASSPHRASE = `horse ${randomBytes(12).toString('hex')} staple`

let stage: Stage
/** everything that was printed */
let printed = ''
/** of the commands from now on */
let nodeOptions = ''
/** what must never show, and what it is */
const needles = new Map<string, string>()

function forbid (what: string, bytes: Uint8Array): void {
  const buffer = Buffer.from(bytes)
  for (const form of ['latin1', 'hex', 'base64url'] as const) needles.set(buffer.toString(form), `${what}, ${form}`)
  // Within longer base64 it may begin at any of three places; the digits at both ends share bits with their neighbours.
  for (const at of [0, 1, 2]) needles.set(buffer.subarray(at, at + Math.floor((buffer.length - at) / 3) * 3).toString('base64'), `${what}, base64 from ${at}`)
  needles.set(buffer.toString('hex').toUpperCase(), `${what}, HEX`)
  needles.set([...buffer.subarray(0, 8)].join(','), `${what}, numbers`)
}

function found (bytes: Uint8Array | string): string[] {
  const text = typeof bytes === 'string' ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
  return [...needles].filter(([needle]) => text.includes(needle)).map(([, what]) => what)
}

function filesBelow (folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)).filter((path) => statSync(path).isFile())
}

/** All bare keys of the home. */
function forbidKeys (): void {
  for (const path of ['keys', 'offline'].flatMap((folder) => filesBelow(join(home, folder))).filter((p) => p.endsWith('.key'))) {
    forbid(path, createPrivateKey(readFileSync(path)).export({ format: 'der', type: 'pkcs8' }).subarray(-32))
    needles.set(readFileSync(path, 'latin1').split('\n')[1] as string, `${path}, PEM`)
  }
}

function start (words: readonly string[]): ReturnType<typeof spawn> {
  return spawn(process.execPath, [MAIN, ...words], { cwd: stage.root, env: { ...process.env, DIAD_RUNTIME_DIR: stage.path('run'), DIAD_DEBUG: '1', SSH_AUTH_SOCK: '', NODE_OPTIONS: nodeOptions }, stdio: ['ignore', 'pipe', 'pipe'] })
}

/** Runs `diad`, which has to end with `exit`, as text and as JSON where it fails. */
async function diad (exit: number, ...words: string[]): Promise<Ended> {
  const child = start(words)
  let stdout = ''
  let stderr = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => { stdout += text })
  child.stderr?.setEncoding('utf8').on('data', (text: string) => { stderr += text })
  const [code] = await once(child, 'close') as [number | null]
  printed += stdout + stderr
  expect([code, words.join(' '), stdout + stderr]).toEqual([exit, words.join(' '), stdout + stderr])
  return { exit: code, stdout, stderr }
}

let home: string
let key: string
let pass: string
beforeAll(async () => {
  stage = new Stage()
  for (const name of ['run', 'stick']) mkdirSync(stage.path(name), { mode: 0o700 })
  home = stage.path('home')
  await diad(0, 'init', '--home', home, '--name', 'alice', '--no-passphrase', '--json')
  forbidKeys()
  // Without its end: a mistyped one is nobody's business either.
  forbid('the passphrase', utf8(PASSPHRASE.slice(0, -1)))
  pass = stage.path('passphrase')
  writeFileSync(pass, PASSPHRASE + '\n', { mode: 0o600 })
  // The principal's key goes to a stick, encrypted so weakly that it opens at once.
  const bare = join(home, 'keys', 'principal.key')
  const age = new Encrypter()
  age.setPassphrase(PASSPHRASE)
  age.setScryptWorkFactor(1)
  key = stage.path('stick', 'principal.key.age')
  writeFileSync(key, await age.encrypt(new Uint8Array(readFileSync(bare))), { mode: 0o600 })
  writeFileSync(stage.path('stick', 'principal.pub'), readFileSync(join(home, 'keys', 'principal.pub')))
  renameSync(bare, stage.path('bare'))
  writeFileSync(stage.path('file'), 'content\n')
})
afterAll(async () => { await stage.close() })

const publish = (as: string): string[] => ['publish', 'file', '--as', as, '--home', home]

test('the needles are found where they are', () => {
  expect(found(readFileSync(stage.path('bare'))).length).toBeGreaterThan(1)
  expect(found(readFileSync(pass)).length).toBeGreaterThan(0)
  expect(needles.size).toBeGreaterThan(40)
})

test('commands that succeed and commands that fail print none', async () => {
  await diad(0, ...publish('one'), '--key', key, '--passphrase-file', pass)
  writeFileSync(stage.path('wrong'), PASSPHRASE.slice(0, -1) + '\n')
  await diad(2, ...publish('x'), '--key', key, '--passphrase-file', stage.path('wrong'), '--json')
  for (const path of brokenKeys().slice(0, 2)) await diad(2, ...publish('x'), '--key', path, '--passphrase-file', pass)
  // Something that no command foresees, with a stack: signing itself breaks.
  const preload = stage.path('preload.mjs')
  writeFileSync(preload, `import crypto from 'node:crypto'
    import { syncBuiltinESMExports } from 'node:module'
    crypto.sign = (...given) => { throw new TypeError('broken', { cause: given }) }
    syncBuiltinESMExports()`)
  nodeOptions = `--import=${preload}`
  const { stderr } = await diad(1, ...publish('x'), '--key', key, '--passphrase-file', pass)
  nodeOptions = ''
  expect(stderr).toMatch(/internal error: broken[^]*\n {4}at /)
  expect(found(printed)).toEqual([])
})

/** Key files that are damaged in many ways. */
function brokenKeys (): string[] {
  const good = readFileSync(stage.path('bare'))
  const der = createPrivateKey(good).export({ format: 'der', type: 'pkcs8' })
  const body = good.toString('latin1').split('\n')[1] as string
  const broken: Array<[string, string | Uint8Array]> = [
    ['cut', good.subarray(0, 100)],
    ['seed', der.subarray(-32).toString('hex') + '\n'],
    ['der', der],
    ['label', good.toString('latin1').replaceAll('PRIVATE', 'PUBLIC')],
    ['openssh', `-----BEGIN OPENSSH PRIVATE KEY-----\n${body}\n-----END OPENSSH PRIVATE KEY-----\n`],
    ['age', `age-encryption.org/v1\n-> X25519 ${body}\n${body}\n--- ${body}\n`],
    ['other', good]
  ]
  return broken.map(([name, bytes]) => {
    const path = stage.path('stick', name)
    writeFileSync(path, bytes, { mode: 0o600 })
    writeFileSync(`${path}.pub`, 'ab'.repeat(32) + '\n')
    return path
  })
}

/** Puts itself between the daemon and its clients. */
async function tap (path: string, record: (bytes: Buffer) => void): Promise<Server> {
  renameSync(path, `${path}.real`)
  const server = createServer((client) => {
    const daemon = connect(`${path}.real`)
    client.on('data', record).pipe(daemon).on('error', () => client.destroy())
    daemon.on('data', record).pipe(client).on('error', () => daemon.destroy())
  })
  await new Promise<void>((resolve) => server.listen(path, resolve))
  return server
}

test('the control socket carries none, and the daemon says none', async () => {
  const child = start(['serve', '--home', home, '--listen', '/ip4/127.0.0.1/tcp/0', '--no-mdns', '--no-dht', '--json'])
  child.stderr?.setEncoding('utf8').on('data', (text: string) => { printed += text })
  const daemon = new Daemon(child)
  try {
    await daemon.start()
    const traffic: Buffer[] = []
    const server = await tap(socketPath(home), (bytes) => traffic.push(bytes))
    await diad(0, ...publish('two'), '--key', key, '--passphrase-file', pass, '--json')
    await diad(2, ...publish('x'), '--key', key, '--passphrase-file', stage.path('wrong'), '--json')
    const refused = [
      ['--key', key, '--passphrase-file', stage.path('none')],
      // A secret where another one is expected, or none.
      ['--key', key, '--passphrase-file', stage.path('bare')],
      ['--key', pass, '--passphrase-file', pass],
      ['--key', `pkcs11:/lib/x.so?pin-value=${encodeURIComponent(PASSPHRASE)}`],
      ...brokenKeys().map((path) => ['--key', path, '--passphrase-file', pass])
    ]
    await Promise.all(refused.map(async (words) => await diad(2, ...publish('x'), ...words, '--json')))
    server.close()
    const all = Buffer.concat(traffic)
    // That it did go through here.
    expect(all.includes(key)).toBe(true)
    expect(found(all)).toEqual([])
    renameSync(`${socketPath(home)}.real`, socketPath(home))
  } finally {
    await daemon.stop()
  }
  expect(found(JSON.stringify(daemon.events) + printed)).toEqual([])
})

test('keys that are made, granted and replaced show nothing', async () => {
  copyFileSync(stage.path('bare'), join(home, 'keys', 'principal.key'))
  const before = needles.size
  await diad(0, 'key', 'rotate', '--home', home, '--json')
  await diad(0, 'key', 'new', 'ci', '--no-passphrase', '--home', home)
  await diad(0, 'role', 'grant', join(home, 'keys', 'ci.pub'), '--role', 'produce', '--home', home, '--json')
  await diad(0, 'key', 'list', '--home', home, '--json')
  forbidKeys()
  expect(needles.size).toBeGreaterThan(before)
  expect(found(printed)).toEqual([])
})

test('the home holds none outside of its key files', () => {
  const suspects = [home, stage.path('run')].flatMap(filesBelow).filter((path) => !/\/(?:keys|offline)\/[^/]+\.key$/.test(path))
  expect(suspects.some((path) => path.includes('/store/'))).toBe(true)
  expect(suspects.flatMap((path) => found(readFileSync(path)).map((what) => `${path}: ${what}`))).toEqual([])
})
