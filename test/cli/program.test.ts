import { homedir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { diad } from './harness.js'

const P1 = '/ip4/127.0.0.1/tcp/1'
const P2 = '/dns4/example.org/tcp/2/p2p/Q'

describe('what a command line becomes', () => {
  test.each<[string, string, object]>([
    ['init --name alice --roots cold --no-passphrase', 'init', { name: 'alice', roots: '/some dir/cold' }],
    ['init', 'init', {}],
    ['put a/../b', 'put', { path: '/some dir/b' }],
    ['put -', 'put', { path: '-' }],
    ['put -- -x', 'put', { path: '/some dir/-x' }],
    ['publish . --as docs/a', 'publish', { path: '/some dir', as: 'docs/a' }],
    ['serve', 'serve', { listen: [], peers: [], mdns: true, dht: true }],
    [`serve --listen ${P1} --listen ${P2} --peer ${P2} --no-mdns --no-dht`, 'serve', { listen: [P1, P2], peers: [P2], mdns: false, dht: false }],
    ['follow dom1x', 'follow', { domain: 'dom1x', peers: [] }],
    [`follow dom1x --mode follow --peer ${P1} --name al`, 'follow', { domain: 'dom1x', mode: 'follow', peers: [P1], name: 'al' }],
    ['unfollow al', 'unfollow', { domain: 'al' }],
    ['status', 'status', {}],
    ['sync', 'sync', { peers: [] }],
    [`sync al --peer ${P1} --peer ${P2} --mode mirror --timeout 1.5`, 'sync', { domain: 'al', peers: [P1, P2], mode: 'mirror', timeoutSeconds: 1.5 }],
    ['ls al', 'ls', { target: 'al', all: false }],
    ['ls al/www --all', 'ls', { target: 'al/www', all: true }],
    ['cat al/www/x', 'cat', { target: 'al/www/x', acceptContested: false }],
    ['checkout al/www out --special-modes --accept-contested', 'checkout', { target: 'al/www', dest: '/some dir/out', specialModes: true, acceptContested: true }],
    ['verify 0001ab --explain', 'verify', { target: '0001ab', explain: true }]
  ])('diad %s', async (line, command, args) => {
    const { exit, calls, closed } = await diad(line.split(' '))
    expect(calls.map((c) => [c.command, c.args])).toEqual([[command, args]])
    expect([exit, closed]).toEqual([0, 1])
  })

  test.each<[string[], Record<string, string>, string]>([
    [['--home', 'h', 'status'], {}, '/some dir/h'],
    [['status', '--home', 'h'], { DIAD_HOME: '/other' }, '/some dir/h'],
    [['status'], { DIAD_HOME: '/other' }, '/other'],
    [['status'], { DIAD_HOME: '' }, join(homedir(), '.diad')]
  ])('the home of %j with %j is %s', async (words, env, home) => {
    expect((await diad(words, undefined, { env })).calls[0]?.home).toBe(home)
  })

  test.each([['--json status'], ['status --json']])('%s gives one line of JSON', async (line) => {
    expect((await diad(line.split(' '), () => ({ home: 'ä' }))).stdout).toBe('{"home":"ä"}\n')
  })

  test.each<[string, object | undefined]>([
    ['init', { kind: 'prompt' }],
    ['init --no-passphrase', { kind: 'none' }],
    ['publish x --as y --passphrase-file p', { kind: 'file', path: '/some dir/p' }],
    ['serve', { kind: 'prompt' }],
    ['sync', undefined]
  ])('diad %s takes the passphrase from %j', async (line, source) => {
    expect((await diad(line.split(' '))).calls[0]?.io.passphrase).toEqual(source)
  })

  test('put - hands standard input over', async () => {
    const { stdout } = await diad(['put', '-', '--json'], async ({ io }) => {
      let text = ''
      for await (const bytes of io.input ?? []) text += Buffer.from(bytes).toString()
      return { text }
    }, { stdin: 'hello' })
    expect(JSON.parse(stdout)).toEqual({ text: 'hello' })
  })
})

describe('mistakes', () => {
  test.each<[string, string, RegExp]>([
    ['', 'usage', /no command/],
    ['frobnicate', 'usage', /unknown command 'frobnicate'/],
    ['statos', 'usage', /unknown command 'statos'/],
    ['status more', 'usage', /too many arguments/],
    ['ls', 'usage', /missing required argument/],
    ['ls al --alll', 'usage', /unknown option '--alll'/],
    ['publish x', 'usage', /required option '--as <NAME>'/],
    ['publish x --as', 'usage', /argument missing/],
    ['sync --timeout -1', 'usage', /seconds above 0/],
    ['sync --timeout 1e3', 'usage', /seconds above 0/],
    ['sync al --mode loud', 'usage', /choices are/],
    ['follow al --mode witness', 'mode-unavailable', /^witness mode comes with audits$/],
    ['sync --peer localhost:4001', 'malformed-address', /not a multiaddr/],
    ['cat al', 'usage', /names no content/],
    ['checkout al/ x', 'usage', /names no content/],
    ['init --no-passphrase --passphrase-file p', 'usage', /exclude each other/],
    ['--home= status', 'usage', /--home is empty/]
  ])('diad %s: %s, exit 2, one line, nothing run', async (line, code, message) => {
    const words = line === '' ? [] : line.split(' ')
    const plain = await diad(words)
    expect([plain.exit, plain.stdout, plain.calls]).toEqual([2, '', []])
    const json = await diad([...words, '--json'])
    expect([json.exit, json.calls]).toEqual([2, []])
    if (line === '') return
    const { error } = JSON.parse(json.stdout)
    expect(error).toMatchObject({ code, message: expect.stringMatching(message), hint: expect.stringMatching(/./) })
    expect(json.stderr).toBe(`diad: ${error.message}\n`)
    expect(plain.stderr).toBe(`diad: ${error.message}\n  ${error.hint}\n`)
  })

  test('a near miss is suggested', async () => {
    expect((await diad(['statos'])).stderr).toContain('Did you mean status?')
  })
})

describe('help', () => {
  const commands = ['init', 'put', 'publish', 'serve', 'follow', 'unfollow', 'status', 'sync', 'ls', 'cat', 'checkout', 'verify']

  test('lists every command, the options for all and the exit codes', async () => {
    const { exit, stdout, stderr } = await diad(['--help'])
    expect([exit, stderr]).toEqual([0, ''])
    for (const name of commands) expect(stdout).toMatch(new RegExp(`^ +${name}\\b`, 'm'))
    expect(stdout).toContain('130 interrupted')
  })

  test.each(commands)('of %s ends with an example that is a good command line', async (name) => {
    const { exit, stdout } = await diad([name, '--help'])
    expect(exit).toBe(0)
    expect(stdout).toContain('--json')
    const example = /Example:\n {2}\$ diad (.*)\n$/.exec(stdout)?.[1] ?? ''
    expect((await diad(example.split(' '))).calls[0]?.command).toBe(name)
  })

  test('of sim, which knows no home, names none', async () => {
    for (const words of [['sim', '--help'], ['sim', 'run', '--help']]) {
      const { stdout } = await diad(words)
      expect(stdout).toContain('--json')
      expect(stdout).not.toContain('--home')
    }
  })

  test('--version', async () => {
    expect(await diad(['--version'])).toMatchObject({ exit: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/), calls: [] })
  })
})
