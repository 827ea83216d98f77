/** `diad conformance` as a process: this program against its vectors, another one over stdio, and what happens to one that is late, wrong or gone. */
import { spawn, spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Stage } from '../helpers/cli.js'

const MAIN = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url))
const VERDICTS = fileURLToPath(new URL('../../protocols/vectors/verdicts', import.meta.url))
const FORKS = `${VERDICTS}/forks.json`
let stage: Stage

beforeAll(() => { stage = new Stage() })
afterAll(() => stage.close())

/** A program that answers each line by what `body` returns; `line` and `asked` are what it got. */
function program (name: string, body: string): string {
  const path = stage.path(`${name}.mjs`)
  writeFileSync(path, `import { createInterface } from 'node:readline'\nlet n = 0\nfor await (const line of createInterface({ input: process.stdin })) { const asked = JSON.parse(line); n++; ${body} }\n`)
  return `"${process.execPath}" "${path}"`
}

const vectors = (): Array<{ name: string, expect: { status: string, code: string, view?: string } }> => JSON.parse(readFileSync(FORKS, 'utf8')).vectors

test('this program agrees with its own vectors, from a directory and from standard input', async () => {
  // Not all of them: test/conformance/verdicts.test.ts judges them in one process.
  mkdirSync(stage.path('some'))
  for (const name of ['forks.json', 'leaves.json', 'shapes.json']) copyFileSync(`${VERDICTS}/${name}`, stage.path('some', name))
  const whole = await stage.json('none', ['conformance', stage.path('some')])
  expect(whole).toMatchObject({ status: 'accepted', agreed: whole.vectors })
  expect(whole.vectors).toBeGreaterThan(200)
  const child = spawn(process.execPath, [MAIN, 'conformance'], { stdio: ['pipe', 'pipe', 'inherit'] })
  child.stdin.end(readFileSync(FORKS))
  let out = ''
  for await (const part of child.stdout) out += String(part)
  const lines = out.trimEnd().split('\n')
  expect(lines).toHaveLength(vectors().length + 1)
  expect(lines.at(-1)).toMatch(/ 0 differ; \d+ views compared$/)
})

test('a vector with another answer: exit 4, and the line says both', async () => {
  const [first] = vectors()
  const document = JSON.parse(readFileSync(FORKS, 'utf8'))
  document.vectors = [{ ...first, expect: { ...first?.expect, code: 'closed', status: 'void' } }]
  writeFileSync(stage.path('changed.json'), JSON.stringify(document))
  const result = await stage.json('none', ['conformance', stage.path('changed.json')], 4)
  expect(result).toMatchObject({ status: 'rejected', code: 'differs', vectors: 1, agreed: 0, results: [{ agrees: false, expected: 'void: closed', got: `${first?.expect.status ?? ''}: ${first?.expect.code ?? ''}` }] })
})

test('--against this program itself agrees, and the question doesn\'t hold the answer', async () => {
  const answer = `"${process.execPath}" "${MAIN}" conformance --answer`
  const result = await stage.json('none', ['conformance', FORKS, '--against', answer])
  expect(result).toMatchObject({ status: 'accepted', vectors: vectors().length, agreed: vectors().length })
  expect(result.views).toBeGreaterThan(10)
  const spy = program('spy', 'console.log(JSON.stringify({ id: asked.id, status: "rejected", code: Object.keys(asked).sort().join() }))')
  const seen = await stage.json('none', ['conformance', FORKS, '--against', spy], 4)
  expect(seen.results[0].got).toBe('rejected: artifacts,domain,id,logs,subject')
})

test('what enters a view is asked for and compared name by name', async () => {
  const file = `${VERDICTS}/admission.json`
  const result = await stage.json('none', ['conformance', file, '--against', `"${process.execPath}" "${MAIN}" conformance --answer`])
  expect(result).toMatchObject({ status: 'accepted', agreed: result.vectors })
  const document = JSON.parse(readFileSync(file, 'utf8'))
  document.vectors = document.vectors.filter((v: { subject: object }) => 'admission' in v.subject).slice(0, 1)
  writeFileSync(stage.path('admission.json'), JSON.stringify(document))
  const { status, code } = document.vectors[0].expect
  const silent = program('no names', `console.log(JSON.stringify({ status: '${status}', code: '${code}', view: Object.keys(asked).sort().join() }))`)
  const [first] = (await stage.json('none', ['conformance', stage.path('admission.json'), '--against', silent], 4)).results
  expect(first).toMatchObject({ agrees: false, got: expect.stringMatching(/, view artifacts,domain,id,logs,other,subject, no names$/), expected: expect.stringContaining('refused {"docs/a":"admission-missing"') })
})

test('a question that is none is told with its line', () => {
  for (const [asked, what] of [['{}{\n', 'not a line of JSON'], ['\n5\n', 'not an object of JSON']] as const) {
    const done = spawnSync(process.execPath, [MAIN, 'conformance', '--answer'], { input: asked, encoding: 'utf8' })
    expect([done.status, done.stderr]).toEqual([2, expect.stringMatching(new RegExp(`^diad: line ${asked.indexOf('\n') === 0 ? 2 : 1} of standard input is ${what}`))])
  }
})

test('one that is late, answers rubbish or ends fails that vector and is started afresh', async () => {
  const first = vectors().map((v) => v.expect)
  const some = { ...JSON.parse(readFileSync(FORKS, 'utf8')), vectors: JSON.parse(readFileSync(FORKS, 'utf8')).vectors.slice(0, 3) }
  writeFileSync(stage.path('three.json'), JSON.stringify(some))
  const right = `console.log(JSON.stringify(${JSON.stringify(first)}[asked.id]))`
  const gots = async (name: string, body: string, words: string[] = []): Promise<string[]> =>
    (await stage.json('none', ['conformance', stage.path('three.json'), '--against', program(name, body), ...words], 4)).results.map((r: { agrees: boolean, got: string }) => r.agrees ? 'agrees' : r.got)
  expect(await gots('late', `if (asked.id !== 1) ${right}`, ['--timeout', '3'])).toEqual(['agrees', 'no answer within 3 s', 'agrees'])
  expect(await gots('rubbish', `if (asked.id === 1) console.log('{'); else ${right}`)).toEqual(['agrees', 'no answer: not a line of JSON', 'agrees'])
  expect(await gots('ends', `if (asked.id === 1) process.exit(3); else ${right}`)).toEqual(['agrees', 'no answer: the program ended', 'agrees'])
  expect(await gots('mixed up', 'console.log(JSON.stringify({ id: asked.id + 1, status: "void", code: "cut" }))')).toEqual(['no answer: it answers number 1 instead of 0', 'no answer: it answers number 2 instead of 1', 'no answer: it answers number 3 instead of 2'])
  expect((await gots('gone', 'process.exit(1)')).at(-1)).toBe('no answer: the program ended')
})

test('what isn\'t a file of vectors is said in one line', async () => {
  const missing = await stage.run('conformance', stage.path('nowhere'))
  expect([missing.exit, missing.stderr.split('\n')[0]]).toEqual([2, `diad: there is no file ${stage.path('nowhere')}`])
  const other = await stage.run('conformance', fileURLToPath(new URL('../../protocols/vectors/objects.json', import.meta.url)))
  expect([other.exit, other.stderr.split('\n')[0]]).toEqual([2, 'diad: objects.json: its format is "diad-vectors/1", not "diad-verdicts/1"'])
})
