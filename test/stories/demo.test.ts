/** The demo as `npm start -- DIR` runs it, on a small directory that holds one of everything. Wants a build. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'

const MAIN = fileURLToPath(new URL('../../dist/demo/main.js', import.meta.url))
/** demos that haven't ended, and what they have printed so far */
const running = new Map<ChildProcessWithoutNullStreams, () => string>()
let root: string
let files: string
/** TMPDIR of the demo: whatever it leaves behind is seen here */
let scratch: string

beforeAll(() => {
  if (!existsSync(MAIN)) throw new Error('there is no dist/demo/main.js: run `npm run build` first')
  root = mkdtempSync(join(tmpdir(), 'diad-e2e-'))
  files = join(root, 'files')
  scratch = join(root, 'scratch')
  for (const d of [scratch, files, join(files, 'empty'), join(files, 'a'), join(files, 'a', 'b')]) mkdirSync(d)
  writeFileSync(join(files, 'nothing'), '')
  writeFileSync(join(files, 'a', 'grüße.txt'), 'hallo\n')
  writeFileSync(join(files, 'a', 'b', 'big'), Array.from({ length: 100_000 }, (_, i) => `line ${i}\n`).join(''))
  for (let i = 0; i < 300; i++) writeFileSync(join(files, 'a', 'b', `small-${i}`), `${i}\n`)
  writeFileSync(join(files, 'run.sh'), '#!/bin/sh\n')
  chmodSync(join(files, 'run.sh'), 0o755)
  symlinkSync('a/grüße.txt', join(files, 'link'))
  symlinkSync('../nowhere', join(files, 'dangling'))
})
afterAll(async () => {
  // A test that failed mustn't leave its story running: the demo first, so that it starts nobody any more, then those that it had started.
  await Promise.all([...running].map(async ([child, printed]) => {
    const gone = once(child, 'close')
    child.kill('SIGKILL')
    for (const pid of alive(printed())) {
      try {
        process.kill(pid, 'SIGKILL')
      } catch { /* it has just ended by itself */ }
    }
    await gone
  }))
  rmSync(root, { recursive: true, force: true, maxRetries: 5 })
})

function demo (...words: string[]): ChildProcessWithoutNullStreams {
  return spawn(process.execPath, [MAIN, ...words], { env: { ...process.env, TMPDIR: scratch, NO_COLOR: '1' } })
}

/** Runs it to its end; `onText` sees all that was printed so far, whenever there is more. */
async function end (child: ChildProcessWithoutNullStreams, onText: (stdout: string) => void = () => {}): Promise<{ exit: number | null, stdout: string, stderr: string }> {
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => { onText(stdout += text) })
  child.stderr.setEncoding('utf8').on('data', (text: string) => { stderr += text })
  running.set(child, () => stdout)
  const [exit] = await once(child, 'close')
  running.delete(child)
  return { exit, stdout, stderr }
}

/** Processes of the story that are still there. */
function alive (stdout: string): number[] {
  return [...stdout.matchAll(/\(process (\d+)\)/g)].map((m) => Number(m[1])).filter((pid) => {
    try {
      return process.kill(pid, 0)
    } catch {
      return false
    }
  })
}

test('the whole story holds and leaves nothing behind', { timeout: 120_000 }, async () => {
  const { exit, stdout, stderr } = await end(demo(files))
  expect([exit, stderr], stdout).toEqual([0, ''])
  const told = ['refused: bad-signature', 'refused: reference-mismatch', 'holds the old head', 'overtook', 'informational: superseded', 'unharmed', 'identical', 'Everything held']
  expect(told.filter((t) => !stdout.includes(t))).toEqual([])
  expect(stdout.match(/\(process \d+\)/g)).toHaveLength(3)
  expect([alive(stdout), readdirSync(scratch)]).toEqual([[], []])
})

test('Ctrl-C in the middle ends every process and removes every file', { timeout: 120_000 }, async () => {
  const child = demo(files)
  let sent = false
  const { exit, stdout, stderr } = await end(child, (text) => {
    if (!sent && text.includes('Mallory gets ready')) sent = child.kill('SIGINT')
  })
  expect([exit, stderr], stdout).toEqual([130, ''])
  expect(stdout).not.toContain('Everything held')
  expect([alive(stdout), readdirSync(scratch)]).toEqual([[], []])
})

test.each([
  [['/no/such/directory'], /^demo: there is no \/no\/such\/directory\n$/],
  [[MAIN], /^demo: .*main\.js is not a directory\n$/],
  [['a', 'b'], /^demo: usage: /]
])('bad input %j is one line', async (words, line) => {
  const { exit, stdout, stderr } = await end(demo(...words))
  expect([exit, stdout]).toEqual([2, ''])
  expect(stderr).toMatch(line)
})
