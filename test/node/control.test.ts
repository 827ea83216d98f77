import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { connect, createServer } from 'node:net'
import { spawnSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { CommandEvent, CommandIo, Progress } from '../../src/node/command.js'
import { connectControl, ControlClient } from '../../src/node/control/client.js'
import { FRAME, FRAMES_TYPE, jsonFrame } from '../../src/node/control/frames.js'
import { type ControlServer, startControlServer } from '../../src/node/control/server.js'
import { socketState } from '../../src/node/control/socket.js'
import { choosePassphrase } from '../../src/node/keys/passphrase.js'
import type { Terminal } from '../../src/node/keys/terminal.js'
import { DiadError } from '../../src/substrate/errors.js'

type Run = (command: string, args: object, io: CommandIo) => Promise<unknown>

let dir: string
let path: string
let servers: ControlServer[]
let reported: unknown[]

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'diad-control-'))
  path = join(dir, 's')
  servers = []
  reported = []
})
afterEach(async () => {
  await Promise.all(servers.map(async (s) => s.close()))
  rmSync(dir, { recursive: true })
})

async function serve (run: Run): Promise<ControlServer> {
  const server = await startControlServer({ path, backend: { run }, health: () => ({ ok: true }), report: (e) => reported.push(e) })
  servers.push(server)
  return server
}

interface Seen { progress: Progress[], events: CommandEvent[], warnings: string[], bytes: number, io: CommandIo, controller: AbortController }
function caller (more: Partial<CommandIo> = {}): Seen {
  const controller = new AbortController()
  const seen: Seen = {
    progress: [],
    events: [],
    warnings: [],
    bytes: 0,
    controller,
    io: {
      signal: controller.signal,
      progress: (p) => { seen.progress.push(p) },
      event: (e) => { seen.events.push(e) },
      warn: (w) => { seen.warnings.push(w) },
      write: async (b) => { seen.bytes += b.length },
      ...more
    }
  }
  return seen
}

/** A command that never ends by itself; `started` and `ended` tell where it is. */
function endless (): { run: Run, started: Promise<void>, ended: Promise<string> } {
  let start = (): void => {}
  let end = (_why: string): void => {}
  const started = new Promise<void>((resolve) => { start = resolve })
  const ended = new Promise<string>((resolve) => { end = resolve })
  return {
    started,
    ended,
    run: async (_c, _a, io) => {
      start()
      await new Promise<void>((resolve) => io.signal.addEventListener('abort', () => resolve()))
      end((io.signal.reason as Error).message)
      throw new DOMException('stopped', 'AbortError')
    }
  }
}

describe('a round trip', () => {
  test('carries arguments, progress, events, warnings and the result', async () => {
    await serve(async (command, args, io) => {
      io.progress({ phase: 'importing', done: 1, unit: 'files' })
      io.progress({ phase: 'importing', done: 2, total: 2, unit: 'files' })
      io.event({ event: 'peer', peer: 'p' })
      io.warn('careful')
      return { command, args, passphrase: io.passphrase }
    })
    const seen = caller({ passphrase: { kind: 'file', path: '/secret' } })
    const result = await new ControlClient(path).run('publish', { path: '/a', as: 'ü' }, seen.io)
    expect(result).toEqual({ command: 'publish', args: { path: '/a', as: 'ü' }, passphrase: { kind: 'file', path: '/secret' } })
    expect(seen.progress.at(-1)).toEqual({ phase: 'importing', done: 2, total: 2, unit: 'files' })
    expect(seen.events).toEqual([{ event: 'peer', peer: 'p' }])
    expect(seen.warnings).toEqual(['careful'])
  })

  test('thins progress out, and the newest always arrives', async () => {
    await serve(async (_c, _a, io) => {
      for (let done = 1; done <= 100_000; done++) io.progress({ phase: 'p', done, unit: 'files' })
      return {}
    })
    const seen = caller()
    await new ControlClient(path).run('publish', {}, seen.io)
    expect(seen.progress.length).toBeLessThan(50)
    expect(seen.progress.at(-1)?.done).toBe(100_000)
  })

  test('streams 10 MB of raw output in order, and a slow reader slows the writer down', async () => {
    const block = new Uint8Array(100_000)
    let ahead = 0
    let read = 0
    await serve(async (_c, _a, io) => {
      for (let i = 0; i < 100; i++) {
        block.fill(i) // reused, as the contract of write allows
        await io.write(block)
        ahead = Math.max(ahead, (i + 1) * block.length - read)
      }
      return null
    })
    let wrong = 0
    const seen = caller({
      write: async (bytes) => {
        for (let at = 0; at < bytes.length; at += 997) if (bytes[at] !== Math.floor((read + at) / block.length)) wrong++
        read += bytes.length
        await new Promise((resolve) => setImmediate(resolve))
      }
    })
    expect(await new ControlClient(path).run('cat', {}, seen.io)).toBeNull()
    expect(read).toBe(10_000_000)
    expect(wrong).toBe(0)
    expect(ahead).toBeLessThan(4_000_000)
  })

  test('streams raw input, and a failing reader ends the command with its own error', async () => {
    await serve(async (_c, _a, io) => {
      let bytes = 0
      for await (const b of io.input ?? []) bytes += b.length
      return { bytes }
    })
    async function * ten (): AsyncGenerator<Uint8Array> { for (let i = 0; i < 10; i++) yield new Uint8Array(1_500_000) }
    expect(await new ControlClient(path).run('put', {}, caller({ input: ten() }).io)).toEqual({ bytes: 15_000_000 })
    async function * broken (): AsyncGenerator<Uint8Array> {
      yield new Uint8Array(10)
      throw new DiadError('unreadable', 'standard input broke')
    }
    await expect(new ControlClient(path).run('put', {}, caller({ input: broken() }).io)).rejects.toMatchObject({ code: 'unreadable' })
  })

  test('a passphrase asked for in the daemon is asked at the client', async () => {
    await serve(async (_c, _a, io) => choosePassphrase(io.passphrase ?? { kind: 'none' }, 'root'))
    const client = new ControlClient(path)
    expect(await client.run('init', {}, caller().io)).toBeNull()
    const typing = (...lines: string[]): { asked: string[], terminal: Terminal } => {
      const asked: string[] = []
      return {
        asked,
        terminal: {
          write: (text) => { asked.push(text) },
          listen: (onBytes) => {
            queueMicrotask(() => onBytes(Buffer.from(lines.shift() ?? '')))
            return () => {}
          },
          close: () => {}
        }
      }
    }
    const good = typing('correct\n', 'correct\n')
    expect(await client.run('init', {}, caller({ passphrase: { kind: 'prompt', terminal: good.terminal } }).io)).toBe('correct')
    expect(good.asked.filter((t) => t.trim() !== '')).toEqual(['New passphrase for root: ', 'The same again: '])
    const bad = typing('one\n', 'two\n')
    await expect(client.run('init', {}, caller({ passphrase: { kind: 'prompt', terminal: bad.terminal } }).io)).rejects.toMatchObject({ code: 'passphrase-mismatch' })
    const ctrlC = typing('\x03')
    await expect(client.run('init', {}, caller({ passphrase: { kind: 'prompt', terminal: ctrlC.terminal } }).io)).rejects.toMatchObject({ code: 'cancelled' })
  })
})

describe('errors', () => {
  test.each<[string, unknown, object]>([
    ['a DiadError crosses whole', new DiadError('no-such-path', 'gone', 'look again'), { code: 'no-such-path', message: 'gone', hint: 'look again' }],
    ['a full disk is told as such', Object.assign(new Error('ENOSPC: write'), { code: 'ENOSPC' }), { code: 'disk-full' }],
    ['a bug is internal', new TypeError('x is not a function'), { code: 'internal', message: 'x is not a function' }]
  ])('%s', async (_name, thrown, expected) => {
    await serve(async () => { throw thrown })
    await expect(new ControlClient(path).run('put', {}, caller().io)).rejects.toMatchObject(expected)
    expect(reported).toEqual(thrown instanceof TypeError ? [thrown] : [])
  })
})

describe('ends before the command does', () => {
  test('an abort reaches the command, and its end is awaited', async () => {
    const { run, started, ended } = endless()
    await serve(run)
    const seen = caller()
    const done = new ControlClient(path).run('sync', {}, seen.io)
    await started
    seen.controller.abort()
    await expect(done).rejects.toMatchObject({ code: 'interrupted' })
    expect(await ended).toBe('interrupted')
  })

  test('a client that goes away aborts its command, even one that waits for it to read', async () => {
    const { run, started, ended } = endless()
    await serve(async (c, a, io) => c === 'sync' ? run(c, a, io) : io.write(new Uint8Array(50_000_000)).catch((e: unknown) => { reported.push(e) }))
    for (const command of ['sync', 'cat']) {
      const request = httpRequest({ socketPath: path, method: 'POST', path: `/v1/commands/${command}`, headers: { 'content-type': FRAMES_TYPE }, agent: false })
      request.on('error', () => {})
      request.write(jsonFrame(FRAME.args, { args: {} }))
      await (command === 'sync' ? started : once(request, 'response'))
      request.destroy()
    }
    expect(await ended).toBe('the client went away')
    await servers[0]?.close()
    expect(reported).toMatchObject([{ code: 'interrupted' }])
  })

  test('closing the server aborts, waits, answers and removes the socket', async () => {
    const { run, started, ended } = endless()
    const server = await serve(run)
    const done = new ControlClient(path).run('sync', {}, caller().io)
    await started
    const closed = server.close()
    await expect(done).rejects.toMatchObject({ code: 'interrupted', message: 'the daemon is stopping' })
    await closed
    expect(await ended).toBe('the daemon is stopping')
    expect(existsSync(path)).toBe(false)
  })

  test('a daemon that dies is told from one that answers', async () => {
    const dying = createServer((socket) => socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n')))
    dying.listen(path)
    await once(dying, 'listening')
    await expect(new ControlClient(path).run('sync', {}, caller().io)).rejects.toMatchObject({ code: 'daemon-gone' })
    dying.close()
  })
})

describe('the socket', () => {
  test('is for its owner alone, and a second server is refused', async () => {
    await serve(async () => 1)
    expect(statSync(path).mode & 0o777).toBe(0o600)
    await expect(serve(async () => 2)).rejects.toMatchObject({ code: 'store-busy' })
    expect(await new ControlClient(path).health()).toEqual({ ok: true })
  })

  test('left behind by a process that was killed: the client finds no daemon, the server takes its place', async () => {
    expect(await connectControl(path)).toBeUndefined()
    spawnSync(process.execPath, ['-e', `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`])
    expect(await socketState(path)).toBe('stale')
    expect(await connectControl(path)).toBeUndefined()
    await serve(async () => 'fresh')
    const client = await connectControl(path)
    expect(await client?.run('status', {}, caller().io)).toBe('fresh')
  })

  test('a file in its place is never deleted; a path too long is said so', async () => {
    writeFileSync(path, 'mine')
    await expect(serve(async () => 1)).rejects.toMatchObject({ code: 'store-busy' })
    expect(statSync(path).size).toBe(4)
    path = join(dir, 'x'.repeat(200))
    await expect(serve(async () => 1)).rejects.toMatchObject({ code: 'malformed' })
  })
})

describe('refused', () => {
  async function post (headers: Record<string, string>, url = '/v1/commands/status', body: Buffer | string = ''): Promise<{ status: number | undefined, text: string }> {
    const request = httpRequest({ socketPath: path, method: 'POST', path: url, headers, agent: false })
    request.end(body)
    const [response] = await once(request, 'response')
    let text = ''
    for await (const chunk of response) text += String(chunk)
    return { status: response.statusCode, text }
  }
  const frames = { 'content-type': FRAMES_TYPE }

  test.each<[string, number, Record<string, string>, string | undefined]>([
    ['a web page', 403, { ...frames, origin: 'http://evil.example' }, undefined],
    ['a form', 415, { 'content-type': 'text/plain' }, undefined],
    ['an unknown path', 404, frames, '/v1/commands/../x'],
    ['the wrong method', 405, frames, '/v1/health']
  ])('%s: %d', async (_name, status, headers, url) => {
    await serve(async () => { throw new Error('must not run') })
    expect((await post(headers, url)).status).toBe(status)
  })

  test.each<[string, Buffer, RegExp]>([
    ['arguments longer than the limit, on their header alone', Buffer.from([FRAME.args, 0xff, 0xff, 0xff, 0xff]), /at most 1048576/],
    ['no arguments', Buffer.alloc(0), /ended before/],
    ['another frame first', jsonFrame(FRAME.answer, 'x'), /first frame/],
    ['something that is not JSON', Buffer.from([FRAME.args, 0, 0, 0, 1, 0x7b]), /not JSON/],
    ['arguments that are a list', jsonFrame(FRAME.args, { args: [] }), /right form/],
    ['an unknown passphrase source', jsonFrame(FRAME.args, { args: {}, passphrase: { kind: 'network' } }), /source of the passphrase/]
  ])('%s', async (_name, body, message) => {
    await serve(async () => { throw new Error('must not run') })
    const { text } = await post(frames, undefined, body)
    expect(text).toMatch(message)
    expect(text).toContain('"malformed"')
  })

  test('half a request does not stop the server from closing', async () => {
    const server = await serve(async () => 1)
    const socket = connect(path)
    socket.on('error', () => {})
    await once(socket, 'connect')
    await server.close()
    expect(existsSync(path)).toBe(false)
  })
})
