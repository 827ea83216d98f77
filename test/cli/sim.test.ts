import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import type * as Explorer from '../../sim/explore/explore.js'
import type { Explored, ExploreInit } from '../../sim/explore/explore.js'
import { listScenarios } from '../../sim/library.js'
import { diad as run, type Outcome, type Setting } from './harness.js'

/** Stands in for the explorer where a test needs what it finds. */
const fake = vi.hoisted(() => ({ explore: undefined as ((init: ExploreInit) => Promise<Explored>) | undefined }))
vi.mock('../../sim/explore/explore.js', async (original) => {
  const real = await original<typeof Explorer>()
  return { ...real, explore: async (init: ExploreInit) => (fake.explore ?? real.explore)(init) }
})

const SMALL = `name: small
shows: One node publishes, and another one hears of it.
duration: 5s
domains: {alice: {}}
nodes:
  home: {domain: alice}
  bob: {follow: [alice], mode: mirror}
timeline:
  - {at: 1s, node: home, publish: {name: a, bytes: 1kB}}
expect:
  - {by: 4s, node: bob, holds: {domain: alice, name: a, content: true}}
`
const FAILING = SMALL.replace('{at: 1s, node: home, publish: {name: a, bytes: 1kB}}', '{at: 1s, crash: {node: home}}')

let dir: string
beforeAll(() => { dir = realpathSync(mkdtempSync(join(tmpdir(), 'diad-sim-'))) })
afterAll(() => { rmSync(dir, { recursive: true }) })
beforeEach(() => {
  fake.explore = undefined
  rmSync(dir, { recursive: true })
  mkdirSync(dir)
  writeFileSync(join(dir, 'small.yaml'), SMALL)
  writeFileSync(join(dir, 'failing.yaml'), FAILING)
})

const sim = async (line: string, setting: Setting = {}): Promise<Outcome> => run(['sim', ...line.split(' ')], undefined, { cwd: dir, ...setting })

describe('list', () => {
  test('names what comes with diad, and what each shows', async () => {
    const { exit, stdout, stderr, calls } = await sim('list --json')
    expect([exit, stderr, calls]).toEqual([0, '', []])
    expect(stdout).toMatch(/^\[\{[^\n]*\}\]\n$/)
    const all = JSON.parse(stdout) as Array<{ name: string, file: string, shows: string, threats: number[] }>
    expect(all.map((s) => s.name)).toContain('partition-heals')
    for (const { name, file, shows, threats } of all) {
      expect(readFileSync(file, 'utf8')).toMatch(new RegExp(`^name: ${name}$`, 'm'))
      expect(shows).toMatch(/\.$/)
      expect(threats.every(Number.isInteger)).toBe(true)
    }
    const words = (await sim('list')).stdout.replace(/\s+/g, ' ')
    for (const { name, shows } of all) expect(words).toContain(`${name} ${shows}`)
  })

  test('stands in the package', () => {
    const { files } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
    expect(files).toContain('sim/scenarios')
    expect(listScenarios().map((s) => `${s.name}.yaml`)).toEqual(readdirSync(new URL('../../sim/scenarios/', import.meta.url)).filter((f) => f.endsWith('.yaml')).sort())
  })
})

describe('run', () => {
  test('by file: passed, exit 0, the same digest again, another one with another seed', async () => {
    const { exit, stdout, stderr } = await sim('run small.yaml --seed 5 --json')
    expect([exit, stderr]).toEqual([0, ''])
    const result = JSON.parse(stdout)
    expect(result).toMatchObject({ status: 'passed', digest: expect.stringMatching(/^[0-9a-f]{64}$/), seed: 5, steps: expect.any(Number), violations: [], cost: { updates: 1 }, scenario: 'small', file: 'small.yaml', end: 5_000_000 })
    expect((await sim(`run ${join(dir, 'small.yaml')} --seed 5`)).stdout).toContain(result.digest)
    expect(JSON.parse((await sim('run small.yaml --json')).stdout)).toMatchObject({ seed: 1, digest: expect.not.stringContaining(result.digest) })
  })

  test('by name', async () => {
    expect(JSON.parse((await sim('run honest-twin --seed 3 --json')).stdout)).toMatchObject({ scenario: 'honest-twin', seed: 3, file: expect.stringMatching(/sim\/scenarios\/honest-twin\.yaml$/) })
  })

  test('that fails exits with 4 and says where, when and what', async () => {
    const json = await sim('run failing.yaml --json')
    expect(json.exit).toBe(4)
    expect(JSON.parse(json.stdout)).toMatchObject({ status: 'failed', violations: [{ invariant: 'expectation', t: 4_000_000, node: 'bob', line: 11, text: expect.stringContaining('bob holds') }] })
    const plain = await sim('run failing.yaml')
    expect([plain.exit, plain.stderr]).toEqual([4, ''])
    expect(plain.stdout).toMatch(/^failed {2}small\n.*\n\n1 thing did not hold\n {2}expectation {2}failing\.yaml:11 {2}at 0:00:04\.000\n {4}bob holds /)
  })

  test('writes its report, in place of an older one or of what a link names', async () => {
    await sim('run small.yaml --report real.html')
    symlinkSync('real.html', join(dir, 'out.html'))
    const { exit, stdout } = await sim('run failing.yaml --report out.html')
    expect([exit, stdout]).toEqual([4, expect.stringMatching(/^report +real\.html$/m)])
    // As it was typed.
    expect((await sim(`run small.yaml --report ${join(dir, 'real.html')}`)).stdout).toMatch(new RegExp(`^report +${join(dir, 'real.html')}$`, 'm'))
    await sim('run failing.yaml --report out.html')
    expect(readFileSync(join(dir, 'real.html'), 'utf8')).toMatch(/^<!doctype html>[^]*<title>small · failed[^]*<\/html>\n$/)
    expect(readdirSync(dir).sort()).toEqual(['failing.yaml', 'out.html', 'real.html', 'small.yaml'])
  })

  test('is ended by Ctrl-C', async () => {
    expect(await sim('run small.yaml', { signals: (press) => press() })).toMatchObject({ exit: 130, stdout: '', stderr: expect.stringMatching(/^diad: interrupted\n {2}nothing of the run is kept/) })
  })

  test('all mistakes of a file are told at once, each with its place', async () => {
    writeFileSync(join(dir, 'many.yaml'), SMALL.replace('publish:', 'publsh:').replace(/^shows: .*$/m, 'shows: 5').replace('nodes:', 'nodes:\n  more: {domain: alicia}'))
    const { exit, stdout } = await sim('run many.yaml --json')
    const { error } = JSON.parse(stdout)
    expect([exit, error.code, error.message, ...error.more]).toEqual([2, 'bad-scenario', expect.stringMatching(/^many\.yaml:2:8: .*5; expected one sentence/), expect.stringMatching(/^many\.yaml:\d+:18: .*"alicia"/), expect.stringMatching(/^many\.yaml:10:26: unknown action "publsh"/)])
    expect((await sim('run many.yaml')).stderr.split('\n').filter((line) => /^diad: many\.yaml:\d+:\d+: /.test(line))).toHaveLength(3)
  })

  test('so are the mistakes of one entry in its time, its node and its action', async () => {
    writeFileSync(join(dir, 'entry.yaml'), SMALL.replace('{at: 1s, node: home, publish: {name: a, bytes: 1kB}}', '{at: soon, node: hme, publish: {name: docs/a, bytes: 100kX}}').replace('by: 4s, node: bob', 'by: never, node: bbo, wihle: 1'))
    const { error } = JSON.parse((await sim('run entry.yaml --json')).stdout)
    expect([error.message, ...error.more]).toEqual([/:9:10: .*"soon"/, /:9:22: .*"hme"/, /:9:58: .*"100kX"/, /:11:10: .*"never"/, /:11:23: .*"bbo"/, /:11:28: .*"wihle"/].map((what) => expect.stringMatching(what)))
  })

  test.each<[string, string, RegExp]>([
    ['run honest-twn', 'unknown-scenario', /^there is no scenario "honest-twn"; did you mean "honest-twin"\?$/],
    ['run nothing-like-it', 'unknown-scenario', /^there is no scenario "nothing-like-it"$/],
    ['run ./gone.yaml', 'no-such-path', /"\.\/gone\.yaml" does not exist/],
    ['run small.yaml/x', 'no-such-path', /does not exist/],
    ['run ../', 'is-a-directory', /"\.\.\/" is a directory/],
    ['run bad.yaml', 'bad-scenario', /^bad\.yaml:9:26: unknown action "publsh"; expected .*did you mean "publish"\?$/],
    ['run bytes.yaml', 'bad-scenario', /^bytes\.yaml:1:1: the file is not text in UTF-8; expected YAML$/],
    ['run small.yaml --seed 1.5', 'usage', /whole number from 0 to 2\^53-1/],
    ['run small.yaml --seed -1', 'usage', /whole number|argument missing/],
    ['run small.yaml --seed 9007199254740992', 'usage', /whole number/],
    ['run small.yaml --report no/out.html', 'unwritable', /the folder ".*\/no" does not exist/],
    ['run small.yaml --report small.yaml/out.html', 'unwritable', /small\.yaml" is no folder/],
    ['run small.yaml --report .', 'is-a-directory', /is a directory/],
    ['run small.yaml --report small.yaml', 'file-exists', /small\.yaml" exists and is not a report/],
    ['run failing.yaml --report small.yaml', 'file-exists', /small\.yaml" exists and is not a report/],
    ['run small.yaml --report home/out.html', 'inside-home', /is inside the home .*home$/],
    ['run small.yaml --report /dev/null', 'unwritable', /no plain file/],
    ['run small.yaml --network tin', 'usage', /Allowed choices are sim, libp2p/],
    ['run', 'usage', /missing required argument/],
    ['rum small.yaml', 'usage', /unknown command 'rum'/],
    ['explore --runs 0', 'usage', /whole number from 1 to/],
    ['explore --minutes none', 'usage', /number of minutes above 0/],
    ['explore --seed 4294967296', 'usage', /whole number from 0 to 4294967295/],
    ['explore --runs 1 --keep small.yaml', 'unwritable', /can't be kept in ".*small\.yaml"/]
  ])('diad sim %s: %s, exit 2, one line', async (line, code, message) => {
    writeFileSync(join(dir, 'bad.yaml'), SMALL.replace('publish:', 'publsh:'))
    writeFileSync(join(dir, 'bytes.yaml'), Buffer.from([0xff, 0xfe, 0x00]))
    mkdirSync(join(dir, 'home'))
    writeFileSync(join(dir, 'home', 'home.json'), '{}')
    const { exit, stdout, calls } = await sim(`${line} --json`)
    expect(readFileSync(join(dir, 'small.yaml'), 'utf8')).toBe(SMALL)
    const { error } = JSON.parse(stdout)
    expect([exit, calls, error.code]).toEqual([2, [], code])
    expect(error.message).toMatch(message)
    expect(error.hint).not.toBe('')
  })

  test('sim alone says which commands there are', async () => {
    expect(await run(['sim'])).toMatchObject({ exit: 2, stderr: expect.stringContaining('list, run or explore') })
  })
})

describe('plug-ins of a user\'s own', () => {
  const withLiar = SMALL.replace('timeline:', '  liar: {adversary: mine, follow: [alice], with: {from: 2s}}\ntimeline:')
  const adversary = (create: string): string => `export default { kind: 'adversary', name: 'mine', summary: 'Mine.', schema: { type: 'object', properties: { from: { 'x-quantity': 'time' } } }, create: ${create} }\n`

  async function runWith (plugin: string, scenario = withLiar, file = 'mine.mjs'): Promise<Outcome> {
    // A module is loaded once for each path, so each gets a folder of its own.
    const folder = mkdtempSync(join(dir, 'p-'))
    writeFileSync(join(folder, file), plugin)
    writeFileSync(join(folder, 'own.yaml'), scenario)
    return sim(`run own.yaml --plugin ${file} --json`, { cwd: folder })
  }

  test('an adversary does its work', async () => {
    const { exit, stdout } = await runWith(adversary('({ node, world }, { from }) => ({ tick: () => { if (world.clock.now >= from) node.rawSend({ type: \'send\', peer: \'bob\', channel: \'sync\', direction: \'request\', bytes: new Uint8Array([0xff]) }) } })'),
      `${withLiar}  - {by: 5s, node: bob, refused: {peer: liar}}\n`)
    expect([exit, JSON.parse(stdout).violations]).toEqual([0, []])
  })

  test('actions, expectations and invariants work too, several in a file', async () => {
    const { exit, stdout } = await runWith(`
const shared = { summary: 'Of mine.' }
export default [{ ...shared, kind: 'action', name: 'shout', run: (world) => world.note('shout', '', 'aloud') }]
export const quiet = { ...shared, kind: 'expectation', name: 'quiet', check: () => ({ met: false, found: 'noise' }) }
export const calm = { ...shared, kind: 'invariant', name: 'calm', create: () => ({ atRest: () => 'not calm' }) }
export const broken = { ...shared, kind: 'invariant', name: 'broken', create: () => ({ changed () { throw new Error('oh') } }) }
`, SMALL.replace('expect:', '  - {at: 2s, shout: {}}\nexpect:\n  - {at: 3s, quiet: {}}'))
    expect(exit).toBe(4)
    const texts = (JSON.parse(stdout).violations as Array<{ invariant: string, text: string }>).map((v) => `${v.invariant}: ${v.text}`)
    expect(texts).toEqual(expect.arrayContaining([expect.stringMatching(/^expectation: quiet.*: noise$/), 'calm: not calm', 'broken: the invariant threw: oh']))
  })

  test.each([
    ['throws', '() => ({ tick () { throw new Error(\'oh\') } })', 'oh'],
    ['throws while it is made', '() => { throw new Error(\'oh\') }', 'oh'],
    ['rejects', '() => ({ async tick () { throw new Error(\'oh\') } })', 'oh'],
    ['returns what is no answer', '() => ({ send: () => 5 })', 'its hook send returned 5; expected a list of frames'],
    ['answers too late', '() => ({ send: async () => { throw new Error(\'late\') } })', 'its hook send returned a promise']
  ])('an adversary that %s fails the run with its name', async (_what, create, text) => {
    const { exit, stdout } = await runWith(adversary(create))
    expect(exit).toBe(4)
    const { violations } = JSON.parse(stdout)
    expect(violations).toHaveLength(1)
    expect(violations[0]).toMatchObject({ invariant: 'adversary', node: 'liar', text: expect.stringContaining(text) })
    expect(violations[0].text).toContain('adversary mine threw: ')
  })

  test.each<[string, string, RegExp]>([
    ['nothing', 'const x = 1\n', /^mine\.mjs: it exports no plug-in; expected/],
    ['a number', 'export default 5\n', /it exports no plug-in/],
    ['a list with a number', 'export default [5]\n', /entry 1 of the default export is no plug-in/],
    ['bad syntax', 'const a = 1\nexport default {{\n', /^mine\.mjs.*: it can't be loaded: /],
    ['what throws at load', 'const a = 1\nthrow new Error("no\\nluck")\n', /^mine\.mjs:2: it can't be loaded: Error: no luck$/],
    ['an import of nothing', 'import "./nowhere.mjs"\n', /^mine\.mjs.*: it can't be loaded: .*nowhere\.mjs/],
    ['an unknown kind', 'export const a = { kind: "adversry", name: "a", summary: "s" }\n', /export "a" is of kind "adversry"; expected action, expectation, adversary, invariant; did you mean "adversary"\?$/],
    ['no name', 'export default { kind: "action" }\n', /the default export has the name nothing; expected lower-case/],
    ['no summary', 'export default { kind: "action", name: "a" }\n', /\(a\) has no summary/],
    ['no work', 'export default { kind: "action", name: "a", summary: "s" }\n', /\(a\) has no function run/],
    ['a name that is taken', 'export default { kind: "action", name: "publish", summary: "s", run () {} }\n', /is called "publish", and there is such an action already/],
    ['a key of every entry', 'export default { kind: "action", name: "at", summary: "s", run () {} }\n', /can't be called "at"/],
    ['a schema that is none', 'export default { kind: "action", name: "a", summary: "s", run () {}, schema: { type: "txt" } }\n', /\(a\) has a schema that is none: /],
    ['a hook that is none', adversary('() => ({ sned () {} })'), /^mine\.mjs: the default export \(mine\): there is no hook "sned"; expected send/],
    ['a hook that is no function', adversary('() => ({ send: 5 })'), /^mine\.mjs: .*the hook send is 5; expected a function$/],
    ['an adversary that is nothing', adversary('() => 5'), /^mine\.mjs: .*create returned 5; expected an object of hooks$/],
    ['a schema of another kind', 'export default { kind: "action", name: "a", summary: "s", run () {}, schema: "txt" }\n', /\(a\) has a schema that is "txt"/]
  ])('%s in a file: bad-plugin, exit 2, one line', async (_what, text, message) => {
    const { exit, stdout } = await runWith(text)
    expect(exit).toBe(2)
    expect(JSON.parse(stdout).error).toMatchObject({ code: 'bad-plugin', message: expect.stringMatching(message), hint: expect.stringContaining('docs/simulator.md') })
    expect(JSON.parse(stdout).error.message).not.toContain('\n')
  })

  test('what did nothing is said', async () => {
    const silent = adversary('() => ({ blocks: () => undefined, start () {} })') + 'export const idle = { kind: "action", name: "idle", summary: "s", run () {} }\n'
    const { exit, stdout } = await runWith(silent)
    expect([exit, JSON.parse(stdout).unused]).toEqual([0, [{ kind: 'adversary', name: 'mine', node: 'liar', hooks: ['blocks'] }, { kind: 'action', name: 'idle' }]])
    const folder = mkdtempSync(join(dir, 'p-'))
    writeFileSync(join(folder, 'mine.mjs'), silent)
    writeFileSync(join(folder, 'own.yaml'), withLiar)
    expect((await sim('run own.yaml --plugin mine.mjs', { cwd: folder })).stdout).toMatch(/^adversary mine: asked 0 times at the node liar \(blocks\)\naction idle: not used in this scenario$/m)
    expect(JSON.parse((await runWith(adversary('() => ({ tick () {} })'))).stdout).unused).toEqual([])
    expect(JSON.parse((await sim('run own.yaml --json', { cwd: folder })).stdout).error).toMatchObject({ message: expect.stringContaining('unknown adversary "mine"'), hint: expect.stringContaining('--plugin FILE') })
  })

  test('a file that isn\'t there', async () => {
    expect(await sim('run small.yaml --plugin gone.mjs')).toMatchObject({ exit: 2, stderr: expect.stringMatching(/^diad: the plug-in file "gone\.mjs" does not exist\n/) })
  })
})

describe('explore', () => {
  const nothing: Explored = { runs: 0, failures: [], virtualSeconds: 0, steps: 0 }

  test('runs random scenarios, the same for a seed, and leaves nothing behind', async () => {
    const { exit, stdout, stderr } = await sim('explore --runs 1 --seed 7 --json')
    expect([exit, stderr]).toEqual([0, 'diad: exploring with seed 7\n'])
    expect(stdout).toMatch(/^\{"seed":7,"runs":1,"failures":\[\],"virtualSeconds":\d+,"steps":\d+\}\n$/)
    expect((await sim('explore --runs 1 --seed 7 --json')).stdout).toBe(stdout)
    expect(existsSync(join(dir, 'sim-failures'))).toBe(false)
  })

  test.each([
    ['explore', { runs: 100 }, ['ms']],
    ['explore --minutes 0.5', { ms: 30_000 }, ['runs']],
    ['explore --minutes 2 --runs 9', { ms: 120_000, runs: 9 }, []]
  ])('%s is given %j', async (line, has, lacks) => {
    fake.explore = async (init) => {
      expect(init).toMatchObject({ ...has, keepIn: join(dir, 'sim-failures') })
      for (const key of lacks) expect(init).not.toHaveProperty(key)
      return nothing
    }
    expect((await sim(line)).exit).toBe(0)
  })

  test('takes a new seed each time, and says it first', async () => {
    const seeds = new Set<number>()
    for (let i = 0; i < 2; i++) {
      fake.explore = async ({ seed }) => {
        seeds.add(seed)
        return nothing
      }
      const { stdout, stderr } = await sim('explore --json')
      expect(seeds).toContain(JSON.parse(stdout).seed)
      expect(stderr).toBe(`diad: exploring with seed ${JSON.parse(stdout).seed}\n`)
    }
    expect(seeds.size).toBe(2)
  })

  const found = async ({ keepIn = '' }: ExploreInit): Promise<Explored> => {
    const file = join(keepIn, 'expectation-9.yaml')
    writeFileSync(file, FAILING)
    return { runs: 12, failures: [{ seed: 9, file, invariant: 'expectation', text: 'bob holds' }], virtualSeconds: 60, steps: 5 }
  }

  test('keeps what fails as a file that fails again, and exits with 4', async () => {
    fake.explore = found
    const { exit, stdout } = await sim('explore --keep kept --json')
    const { runs, failures } = JSON.parse(stdout)
    expect([exit, runs, failures]).toEqual([4, 12, [{ seed: 9, file: 'kept/expectation-9.yaml', invariant: 'expectation', text: 'bob holds' }]])
    expect((await sim(`run ${failures[0].file}`)).exit).toBe(4)
    expect((await sim('explore')).stdout).toMatch(/^failed {2}1 of 12 runs.*\n {2}expectation {2}sim-failures\/expectation-9\.yaml .*\n {4}bob holds\n\nlook at one again: diad sim run sim-failures\/expectation-9\.yaml /)
  })

  test('Ctrl-C: what was found so far, and 130', async () => {
    fake.explore = async (init) => {
      expect(init.signal?.aborted).toBe(true)
      return found(init)
    }
    const { exit, stdout } = await sim('explore --json', { signals: (press) => press() })
    expect([exit, JSON.parse(stdout)]).toEqual([130, expect.objectContaining({ runs: 12, interrupted: true, failures: [expect.anything()] })])
  })

  test('a simulator that breaks names the run', async () => {
    fake.explore = async (init) => {
      init.onRun?.(3, { status: 'passed' } as never)
      throw new RangeError('oh')
    }
    const { exit, stderr } = await sim('explore --seed 4')
    expect([exit, stderr]).toEqual([1, expect.stringContaining('run 4 of the exploration with seed 4 broke the simulator: oh\n  diad sim explore --seed 4 --runs 4 shows it again')])
  })
})

describe('as a process', () => {
  const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))

  async function start (words: string[], ...imports: string[]): Promise<{ exit: unknown, printed: string }> {
    const child = spawn(process.execPath, [...['tsx', ...imports].flatMap((name) => ['--import', name === 'tsx' ? import.meta.resolve(name) : name]), main, 'sim', ...words], { cwd: dir })
    let printed = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (b: Buffer) => { printed += b.toString() })
    const [exit] = await once(child, 'close')
    return { exit, printed }
  }

  test('it touches neither a home, nor its store, nor libp2p', async () => {
    const hooks = 'export async function resolve (name, context, next) { if (/^(@libp2p|@chainsafe|libp2p|classic-level|cli-progress)/.test(name)) throw new Error(`loads ${name}`); return next(name, context) }'
    const register = `import { register } from 'node:module'; register('data:text/javascript,${encodeURIComponent(hooks)}')`
    expect(await start(['run', 'small.yaml', '--home', join(dir, 'home')], `data:text/javascript,${encodeURIComponent(register)}`)).toEqual({ exit: 0, printed: expect.stringMatching(/^passed {2}small\n/) })
    expect(existsSync(join(dir, 'home'))).toBe(false)
  })

  test('a plug-in with bad syntax is told with its line', async () => {
    writeFileSync(join(dir, 'mine.mjs'), 'const a = 1\nexport default {{\n')
    expect(await start(['run', 'small.yaml', '--plugin', 'mine.mjs'])).toEqual({ exit: 2, printed: expect.stringMatching(/^diad: mine\.mjs:2: it can't be loaded: /) })
  })
})
