/** Every ```sh test block of the README and of docs/ runs as it stands, against the built CLI, in bash. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'

const root = resolve(import.meta.dirname, '../..')
const cli = join(root, 'dist/src/cli/main.js')
const pages = ['README.md', ...readdirSync(join(root, 'docs')).filter((f) => f.endsWith('.md')).map((f) => join('docs', f))]

/** What a reader's shell is told before the block: stop at the first failure, `diad` is the built CLI, nothing outlives the block. */
const PRELUDE = `set -eu
set -o pipefail
diad () { "${process.execPath}" "${cli}" "$@"; }
trap 'kill $(jobs -p) 2>/dev/null || true' EXIT
`

for (const page of pages) {
  const blocks = [...readFileSync(join(root, page), 'utf8').matchAll(/^```sh test\n([\s\S]*?)^```/gm)].map((m) => m[1] ?? '')
  if (blocks.length === 0) continue
  describe(page, () => {
    blocks.forEach((block, i) => {
      test(`block ${i + 1}`, () => {
        const dir = mkdtempSync(join(tmpdir(), 'diad-docs-'))
        try {
          const { status, stdout, stderr } = spawnSync('bash', ['-c', PRELUDE + block], { cwd: dir, env: { ...process.env, TMPDIR: dir, DIAD_HOME: join(dir, 'home') }, encoding: 'utf8', timeout: 55_000 })
          expect(status, `${stdout}\n${stderr}`).toBe(0)
          if (page === 'README.md') expect(stdout).toContain('identical')
        } finally {
          rmSync(dir, { recursive: true, force: true })
        }
      }, 60_000)
    })
  })
}

test('every command of the CLI has a line in docs/cli.md or the README', () => {
  const text = pages.map((p) => readFileSync(join(root, p), 'utf8')).join('\n')
  const help = spawnSync(process.execPath, [cli, '--help'], { encoding: 'utf8' }).stdout
  const commands = [...help.matchAll(/^ {2}([a-z]+)\b.* {2,}/gm)].map((m) => m[1]).filter((c) => c !== 'help')
  expect(commands.length).toBeGreaterThan(10)
  for (const c of commands) expect(text, `${c} is not documented`).toMatch(new RegExp(`\\b${c}\\b`))
})

test('every dependency has its reason in the README', () => {
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { dependencies: Record<string, string> }
  const [, table = ''] = readFileSync(join(root, 'README.md'), 'utf8').split('## Built on')
  for (const name of Object.keys(dependencies)) expect(table, name).toContain(name)
})
