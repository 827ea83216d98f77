/** The command line as a process of its own, with a daemon in this one. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openBackend } from '../../src/cli/backend.js'
import type { CommandIo } from '../../src/node/command.js'
import { type ControlServer, startControlServer } from '../../src/node/control/server.js'
import { socketPath } from '../../src/node/home/paths.js'
import { DiadError } from '../../src/substrate/errors.js'

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
// By its address: the child works in another directory.
const TSX = import.meta.resolve('tsx')
let home: string
let daemon: ControlServer
let work: (command: string, args: object, io: CommandIo) => Promise<unknown>

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'diad-cli-'))
  daemon = await startControlServer({ path: socketPath(home), backend: { run: async (c, a, io) => work(c, a, io) }, health: () => ({}) })
})
afterAll(async () => {
  await daemon.close()
  rmSync(home, { recursive: true })
})

function diad (...words: string[]): ChildProcessWithoutNullStreams {
  return spawn(process.execPath, ['--import', TSX, MAIN, ...words, '--home', home], { cwd: home })
}

async function end (child: ChildProcessWithoutNullStreams): Promise<{ exit: number | null, stdout: string, stderr: string }> {
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (b: Buffer) => { stdout += b.toString() })
  child.stderr.on('data', (b: Buffer) => { stderr += b.toString() })
  const [exit] = await once(child, 'close')
  return { exit, stdout, stderr }
}

test('a command goes to the daemon, with absolute paths, and its error comes back', async () => {
  work = async (_command, args) => { throw new DiadError('no-such-path', JSON.stringify(args), 'look') }
  const { exit, stdout, stderr } = await end(diad('put', 'x', '--json'))
  const message = JSON.stringify({ path: join(home, 'x') })
  expect([exit, JSON.parse(stdout), stderr]).toEqual([2, { error: { code: 'no-such-path', message, hint: 'look' } }, `diad: ${message}\n`])
})

test('SIGINT stops the command in the daemon too, and its clean-up is waited for', async () => {
  let cleaned = false
  work = async (_command, _args, io) => {
    child.kill('SIGINT')
    await new Promise((resolve) => io.signal.addEventListener('abort', resolve))
    await new Promise((resolve) => setImmediate(resolve))
    cleaned = true
    throw new DOMException('stopped', 'AbortError')
  }
  const child = diad('sync')
  expect(await end(child)).toMatchObject({ exit: 130, stdout: '', stderr: expect.stringMatching(/^diad: interrupted\n/) })
  expect(cleaned).toBe(true)
})

test('cat streams whole, standard input too, and a reader that leaves early is no error', async () => {
  work = async (command, _args, io) => {
    let bytes = 0
    for await (const b of io.input ?? []) bytes += b.length
    for (let i = 0; command === 'cat' && i < 64; i++) await io.write(new Uint8Array(1 << 20))
    return { bytes }
  }
  const whole = diad('cat', 'a/b')
  let read = 0
  whole.stdout.on('data', (b: Buffer) => { read += b.length })
  const [exit] = await once(whole, 'close')
  expect([exit, read]).toEqual([0, 64 << 20])

  const early = diad('cat', 'a/b')
  early.stdout.once('data', () => early.stdout.destroy())
  expect(await end(early)).toMatchObject({ exit: 0, stderr: '' })

  const put = diad('put', '-', '--json')
  put.stdin.end(Buffer.alloc(5 << 20))
  expect(JSON.parse((await end(put)).stdout)).toEqual({ bytes: 5 << 20 })
})

test('a second serve on one home is refused', async () => {
  await expect(openBackend(home, 'serve', {})).rejects.toMatchObject({ code: 'store-busy' })
  const backend = await openBackend(home, 'status', {})
  await backend.close()
})
