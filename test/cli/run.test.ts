import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { VERDICT_CODES } from '../../src/authority/verdict.js'
import { exitOfCode, exitOfResult } from '../../src/cli/exit-codes.js'
import { DiadError, MalformedError } from '../../src/substrate/errors.js'
import { diad } from './harness.js'

function fail (err: unknown): () => never {
  return () => { throw err }
}

describe('exit codes', () => {
  test.each<[unknown, number]>([
    [{}, 0],
    [undefined, 0],
    [{ status: 'accepted' }, 0],
    [{ status: 'informational' }, 0],
    [{ status: 'deferred' }, 3],
    [{ status: 'rejected' }, 4],
    [{ status: 'void' }, 4],
    [{ status: 'contested' }, 5],
    [{ status: 'constructor' }, 0],
    [[{ status: 'accepted' }, { status: 'deferred' }], 3],
    [[{ status: 'contested' }, { status: 'rejected' }, { status: 'accepted' }], 4]
  ])('result %j: %d', (result, exit) => expect(exitOfResult(result)).toBe(exit))

  test.each<[string, number]>([
    ['internal', 1], ['usage', 2], ['malformed', 2], ['role-missing', 2], ['port-in-use', 2], ['disk-full', 2], ['dest-not-empty', 2], ['wrong-passphrase', 2],
    ['never-heard-of', 2], ['unknown-domain', 3], ['not-found', 3], ['not-held', 3], ['body-missing', 3], ['bad-signature', 4], ['cut', 4], ['contested', 5],
    ['store-busy', 6], ['store-newer', 6], ['home-newer', 6], ['store-damaged', 6], ['interrupted', 130], ['cancelled', 130]
  ])('error %s: %d', (code, exit) => expect(exitOfCode(code)).toBe(exit))

  test('of verdict codes agree with their status, whatever road they come', () => {
    // Codes that are mistakes of the person when they come as errors.
    const asMistakes = new Set(['internal', 'malformed', 'role-missing', 'role-not-allowed', 'out-of-scope', 'policy-unsupported', 'principal-returns', 'root-key-reused'])
    for (const [code, { status }] of VERDICT_CODES) if (!asMistakes.has(code)) expect([code, exitOfCode(code)]).toEqual([code, exitOfResult({ status })])
  })
})

describe('errors', () => {
  test.each<[string, unknown, number, { code: string, message: string, hint: string }]>([
    ['a DiadError', new DiadError('no-such-path', '/x does not exist', 'check the path'), 2, { code: 'no-such-path', message: '/x does not exist', hint: 'check the path' }],
    ['bad bytes', new MalformedError('a reference has 34 bytes'), 2, { code: 'malformed', message: 'a reference has 34 bytes', hint: '' }],
    ['a full disk', Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' }), 2, { code: 'disk-full', message: 'the disk is full', hint: expect.stringContaining('make room') }],
    ['a bug', new TypeError('x is undefined'), 1, { code: 'internal', message: 'internal error: x is undefined', hint: expect.stringContaining('DIAD_DEBUG') }],
    ['a thrown text', 'oops', 1, { code: 'internal', message: 'internal error: oops', hint: expect.any(String) }]
  ])('%s', async (_name, thrown, exit, expected) => {
    const json = await diad(['put', 'x', '--json'], fail(thrown))
    expect(json.exit).toBe(exit)
    expect(JSON.parse(json.stdout)).toEqual({ error: expected })
    expect(json.stdout.indexOf('\n')).toBe(json.stdout.length - 1)
    expect(json.stderr).toBe(`diad: ${expected.message}\n`)
    const plain = await diad(['put', 'x'], fail(thrown))
    expect([plain.exit, plain.stdout, plain.closed]).toEqual([exit, '', 1])
    expect(plain.stderr.split('\n')[0]).toBe(`diad: ${expected.message}`)
    expect(plain.stderr).not.toMatch(/^ +at /m)
  })

  test('the stack shows only when asked for', async () => {
    expect((await diad(['put', 'x'], fail(new Error('bug')), { env: { DIAD_DEBUG: '1' } })).stderr).toContain('run.test.ts')
  })

  test('a home that can\'t be opened is an error like any other', async () => {
    const openBackend = async (): Promise<never> => { throw new DiadError('store-newer', 'the store is of format 9', 'upgrade diad') }
    expect(await diad(['status'], undefined, { openBackend })).toMatchObject({ exit: 6, stdout: '', stderr: 'diad: the store is of format 9\n  upgrade diad\n' })
  })

  test('hostile text is escaped everywhere', async () => {
    const evil = 'a\u001b[2Jb\u202ec\u0007\u009bd\nfake line\u{e0041}'
    const shown = 'a\\u{1b}[2Jb\\u{202e}c\\u{7}\\u{9b}d\\nfake line\\u{e0041}'
    const plain = await diad(['put', 'x'], ({ io }) => {
      io.warn(evil)
      throw new DiadError('not-found', evil, evil)
    })
    expect(plain.stderr).toBe(`diad: warning: ${shown}\ndiad: ${shown}\n  ${shown}\n`)
    const json = await diad(['put', 'x', '--json'], fail(new DiadError('not-found', evil)))
    expect(JSON.parse(json.stdout).error.message).toBe(evil)
    expect(json.stdout).toMatch(/^[\x20-\x7e]*\n$/)
    const listed = await diad(['ls', 'al'], () => ({ entries: [{ name: evil, kind: 'file', mode: 0o644, size: 1 }, { name: 'x'.repeat(1_000_000), kind: 'dir', mode: 0o755, size: null }] }))
    expect(listed.stdout).toContain(`  ${shown}\n`)
    expect(listed.stdout.length).toBeLessThan(2000)
  })
})

describe('output', () => {
  test('cat writes bytes and nothing else, with --json too', async () => {
    for (const more of [[], ['--json']]) {
      const { stdout, exit } = await diad(['cat', 'al/x', ...more], async ({ io }) => {
        await io.write(Buffer.from('one '))
        await io.write(Buffer.from('two'))
        return { bytes: 7 }
      })
      expect([stdout, exit]).toEqual(['one two', 0])
    }
  })

  test('serve prints its events, one JSON line each, in order, and no result', async () => {
    const { stdout } = await diad(['serve', '--json'], ({ io }) => {
      io.event({ event: 'listening', peer: 'p', addresses: ['/ip4/1.2.3.4/tcp/5/p2p/p'] })
      io.event({ event: 'stopped' })
      return {}
    })
    expect(stdout).toBe('{"event":"listening","peer":"p","addresses":["/ip4/1.2.3.4/tcp/5/p2p/p"]}\n{"event":"stopped"}\n')
    const human = await diad(['serve'], ({ io }) => io.event({ event: 'listening', peer: 'p', addresses: ['/ip4/1.2.3.4/tcp/5/p2p/p'] }))
    expect(human.stdout).toBe('listening as p\n  /ip4/1.2.3.4/tcp/5/p2p/p\n')
  })

  test('for people an event names domains short, and says the same thing once', async () => {
    const domains = ['0001' + '5a'.repeat(32), '0001' + '6b'.repeat(32)]
    const { stdout } = await diad(['serve'], ({ io }) => {
      for (let i = 0; i < 3; i++) io.event({ event: 'peer', peer: '12D3abc', domains })
      io.event({ event: 'refused', peer: '12D3abc', domain: null, code: 'malformed', ref: domains[0] })
      io.event({ event: 'peer', peer: '12D3abc', domains: [] })
    })
    expect(stdout.split('\n')).toEqual([
      expect.stringMatching(/^peer 12D3abc {2}domains dom1\w{4}…\w{4}, dom1\w{4}…\w{4}$/),
      `refused  peer 12D3abc  code malformed  ref ${domains[0] ?? ''}`,
      'peer 12D3abc  domains none',
      ''
    ])
  })

  test('other commands with --json print their object alone', async () => {
    const { stdout } = await diad(['sync', '--json'], ({ io }) => {
      io.event({ event: 'peer' })
      return [{ domain: 'a', status: 'accepted' }, { domain: 'b', status: 'deferred' }]
    })
    expect(stdout).toBe('{"domain":"a","status":"accepted"}\n{"domain":"b","status":"deferred"}\n')
  })

  test('a reader that goes away stops the command, quietly', async () => {
    let aborted = false
    const gone = await diad(['cat', 'al/x'], async ({ io }) => {
      try {
        for (;;) await io.write(new Uint8Array(1000))
      } finally {
        aborted = io.signal.aborted
      }
    }, { stdout: () => Object.assign(new Error('EPIPE'), { code: 'EPIPE' }) })
    expect(gone).toMatchObject({ exit: 0, stderr: '', closed: 1 })
    expect(aborted).toBe(true)
  })

  test('a full disk behind > is an error', async () => {
    const full = await diad(['ls', 'al'], () => ({ entries: [{ name: 'a', kind: 'file', mode: 0, size: 0 }] }),
      { stdout: () => Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' }) })
    expect(full).toMatchObject({ exit: 2, stderr: expect.stringContaining('the disk is full') })
  })

  test.each<[string, object, string]>([
    ['ls al', {
      entries: [
        { name: 'README', kind: 'file', mode: 0o644, size: 12345 },
        { name: 'bin', kind: 'dir', mode: 0o1777, size: null },
        { name: 'su', kind: 'file', mode: 0o4755, size: 7, code: 'contested' },
        { name: 'to', kind: 'link', mode: 0o777, size: null, target: '../x' }
      ]
    }, '-rw-r--r--  12345  README\ndrwxrwxrwt      -  bin/\n-rwsr-xr-x      7  su  [contested]\nlrwxrwxrwx      -  to -> ../x\n'],
    ['verify al/x', { status: 'deferred', code: 'body-missing', checks: [{ rule: 'R1', ok: false, text: 'x' }], missing: ['0001ff'] },
      'deferred: body-missing  the body of the leaf is not held\n  missing 0001ff\n'],
    ['verify al/x --explain', { status: 'accepted', code: 'accepted', checks: [{ rule: 'M1', ok: true, text: 'manifest' }, { rule: 'R2', ok: false, text: 'role' }] },
      'accepted\n  ✓  M1  manifest\n  ✗  R2  role\n'],
    ['put x', { ref: '0001aa' }, '0001aa\n'],
    ['sync al', { domain: 'd', status: 'accepted', code: 'accepted', heads: [{ log_size: 1 }], names: 1, blocks: 1, bytes: 2 },
      'd  accepted\n  heads    1 record\n  names    1\n  fetched  1 block, 2 B\n'],
    ['sync al', { domain: 'd', status: 'deferred', code: 'unknown-domain', heads: [], names: 0, blocks: 0, bytes: 0, refused: [{ peer: `/ip4/192.0.2.1/tcp/4001/p2p/${'1'.repeat(60)}`, code: 'peer-mismatch', ref: null }] },
      'd  deferred: unknown-domain  the genesis of the domain is not held, so nothing of it can be judged\n  names    0\n  fetched  0 blocks, 0 B\n' +
      `  nobody who was reached has it; give an address with --peer\n  refused  peer-mismatch  from /ip4/192.0.2.1/tcp/4001/p2p/${'1'.repeat(60)}\n`],
    ['sync', [], 'nothing is followed yet: diad follow DOMAIN\n']
  ])('diad %s for people', async (line, result, text) => {
    expect((await diad(line.split(' '), () => result)).stdout).toBe(text)
  })

  test('for people survives every result, even of another version', async () => {
    for (const name of ['init', 'put x', 'publish x --as y', 'follow d', 'unfollow d', 'status', 'sync', 'ls d', 'checkout d/x y', 'verify d --explain']) {
      for (const result of [undefined, null, {}, 5, [{}], { domain: 7, entries: 3, checks: [null], heads: {}, domains: ['x'], peers: [{ addresses: [1] }] }]) {
        expect([name, (await diad(name.split(' '), () => result)).exit]).toEqual([name, 0])
      }
    }
  })

  test('colours only where they are wanted', async () => {
    const work = (): object => ({ status: 'accepted', code: 'accepted', checks: [] })
    const escape = '\u001b['
    expect((await diad(['verify', 'x'], work)).stdout).not.toContain(escape)
    expect((await diad(['verify', 'x'], work, { tty: true, env: {} })).stdout).toContain(escape)
    expect((await diad(['verify', 'x'], work, { tty: true, env: { NO_COLOR: '1' } })).stdout).not.toContain(escape)
    expect((await diad(['verify', 'x'], work, { env: { FORCE_COLOR: '1' } })).stdout).toContain(escape)
  })
})

describe('signals', () => {
  async function interrupt (words: string[], presses: number, ending: unknown): Promise<Awaited<ReturnType<typeof diad>> & { cleaned: boolean }> {
    let press = (): void => {}
    let cleaned = false
    const outcome = await diad(words, async ({ io }) => {
      const stopped = new Promise((resolve) => io.signal.addEventListener('abort', resolve))
      for (let i = 0; i < presses; i++) press()
      await stopped
      await new Promise((resolve) => setImmediate(resolve))
      cleaned = true
      if (ending instanceof Error) throw ending
      return ending
    }, { signals: (p) => { press = p } })
    return { ...outcome, cleaned }
  }
  const abortError = new DOMException('aborted', 'AbortError')

  test.each<[string, string[], unknown, number]>([
    ['a command that stops', ['sync'], abortError, 130],
    ['a command that breaks while it stops', ['sync'], new Error('stream ended'), 130],
    ['a command that was done all the same', ['sync'], { status: 'accepted' }, 0],
    ['a command that has a reason of its own', ['sync'], new DiadError('store-damaged', 'x'), 6],
    ['serve', ['serve'], abortError, 0],
    ['serve that resolves', ['serve'], undefined, 0]
  ])('%s', async (_name, words, ending, exit) => {
    expect(await interrupt(words, 1, ending)).toMatchObject({ exit, cleaned: true, closed: 1, killed: [] })
  })

  test('the second one kills', async () => {
    const twice = await interrupt(['sync'], 2, abortError)
    expect([twice.killed, twice.stderr]).toEqual([[130], expect.stringContaining('interrupted at once')])
  })

  test('with --json the end is told', async () => {
    expect(JSON.parse((await interrupt(['sync', '--json'], 1, abortError)).stdout).error.code).toBe('interrupted')
  })
})

test('the start loads no network, no store and no rendering', () => {
  // --help has to answer in 150 ms; a clock in a test would be a coin toss, so what is loaded is checked instead.
  const seen = new Set<string>()
  const packages = new Set<string>()
  const visit = (file: URL): void => {
    if (seen.has(file.pathname)) return
    seen.add(file.pathname)
    for (const [, onlyType, name] of readFileSync(file, 'utf8').matchAll(/^import (?:(type )?[^'\n]*from )?'([^']+)'/gm)) {
      if (onlyType !== undefined || name === undefined) continue
      if (name.startsWith('.')) visit(new URL(name.replace(/\.js$/, '.ts'), file))
      else packages.add(name)
    }
  }
  visit(new URL('../../src/cli/main.ts', import.meta.url))
  expect([...packages].sort()).toEqual(['commander', 'node:fs', 'node:os', 'node:path', 'picocolors'])
})
