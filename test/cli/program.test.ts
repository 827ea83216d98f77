import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { ROOT, sourceFiles } from '../../scripts/source-files.js'
import { diad } from './harness.js'

/** Options of every command. */
const GENERAL = ['--home', '--json', '--help', '--version']

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
    ['serve', 'serve', { listen: [], peers: [], mdns: true, dht: true, admissions: true }],
    [`serve --listen ${P1} --listen ${P2} --peer ${P2} --no-mdns --no-dht --no-admissions`, 'serve', { listen: [P1, P2], peers: [P2], mdns: false, dht: false, admissions: false }],
    ['follow dom1x', 'follow', { domain: 'dom1x', peers: [] }],
    [`follow dom1x --mode follow --peer ${P1} --name al`, 'follow', { domain: 'dom1x', mode: 'follow', peers: [P1], name: 'al' }],
    ['unfollow al', 'unfollow', { domain: 'al' }],
    ['name dom1x al', 'name', { domain: 'dom1x', petname: 'al', remove: false }],
    ['name al --remove', 'name', { domain: 'al', remove: true }],
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

  test.each<[string, 'key' | 'keys']>([
    ['publish . --as docs --key agent:x', 'key'], ['root renew --key agent:x', 'keys'], ['policy set p --key agent:x', 'keys']
  ])('diad %s: the agent is that of whoever typed it, also where a daemon does the work', async (line, field) => {
    const { calls } = await diad(line.split(' '), undefined, { env: { SSH_AUTH_SOCK: '/s' } })
    expect(calls.map(({ args }) => [(args as Record<string, unknown>)[field]].flat())).toEqual([['agent:x?socket=/s']])
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
    ['publish x --as y --passphrase-file p --passphrase-file q', { kind: 'file', path: '/some dir/p', others: ['/some dir/q'] }],
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
    ['admit request --to bob --scope docs --nonce n', 'usage', /--nonce and --out go together/],
    ['admit request --to bob --scope docs --out o', 'usage', /--nonce and --out go together/],
    [`admit request --to bob --scope docs --nonce n --out o --peer ${P1}`, 'usage', /exclude --peer/],
    ['cat al', 'usage', /names no content/],
    ['checkout al/ x', 'usage', /names no content/],
    ['init --no-passphrase --passphrase-file p', 'usage', /exclude each other/],
    ['publish x --as y --key agnet:work', 'bad-key-spec', /no kind of key called agnet:$/],
    ['sign --request x --key pkcs12:/m?pin=1', 'bad-key-spec', /no kind of key called pkcs12:$/],
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
    for (const [typed, meant] of [['pubilsh', 'publish'], ['stauts', 'status'], ['ket', 'key'], ['rooot', 'root']] as const) expect((await diad([typed])).stderr).toContain(`Did you mean ${meant}?`)
    for (const word of ['foo', 'bar', 'install', 'help-me']) expect((await diad([word])).stderr, word).not.toContain('mean')
  })
})

describe('help', () => {
  const commands = ['init', 'put', 'publish', 'serve', 'follow', 'unfollow', 'name', 'status', 'sync', 'ls', 'cat', 'checkout', 'verify']

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

describe('commands that hints and messages in the source name', () => {
  /** `diad WORDS …` in back quotes, or a text that begins with it; what stands behind the words is the options. */
  const named = new Map<string, Set<string>>()
  for (const file of sourceFiles('src')) {
    for (const [, quoted, plain] of readFileSync(join(ROOT, file), 'utf8').matchAll(/\\?`diad ([^`\n]+?)\\?`|'diad ((?:[^'\\\n]|\\.)+)'/g)) {
      // One text may name several.
      for (const line of (quoted ?? plain ?? '').split(/\bdiad /)) {
        const words = /^[a-z][a-z-]*(?: [a-z][a-z-]*)?(?![\w/.=])/.exec(line)?.[0]
        if (words === undefined) continue
        const options = named.get(words) ?? new Set<string>()
        named.set(words, options)
        for (const [option] of line.matchAll(/(?<![\w-])--[a-z][a-z-]*/g)) options.add(option)
      }
    }
  }

  test('are many', () => { expect(named.size).toBeGreaterThan(30) })

  test.each([...named].sort())('diad %s', async (words, options) => {
    const { stdout } = await diad([...words.split(' '), '--help'])
    const usage = /^Usage: diad ([a-z-]+(?: [a-z-]+)?)/i.exec(stdout)?.[1]
    // A word in small letters behind a command without groups is its argument.
    expect([words, words.split(' ')[0]]).toContain(usage)
    if (usage !== words) expect(stdout).not.toContain('Commands:')
    expect([...options].filter((o) => !new RegExp(`${o}(?![a-z-])`).test(stdout) && !GENERAL.includes(o))).toEqual([])
  })
})
