/**
 * Plants one bug at a time and runs what has to catch it: of those in mutants/simulator.ts the tests of the simulator, of the rules (mutants/rules.ts) vectors and properties.
 * `npm run mutants`; with names for some of them; `rules` for all rules. Works on a copy; nothing here is changed.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Mutant } from './mutants/mutant.js'
import { RULE_MUTANTS } from './mutants/rules.js'
import { SIMULATOR_MUTANTS } from './mutants/simulator.js'

/** Nothing is changed: if this is caught, what catches the others may be no bug of theirs. */
const CONTROL: Mutant = { name: 'no bug at all', file: 'package.json', find: '"name": "diad"', replace: '"name": "diad"' }

const SIMULATOR_TESTS = ['test/sim/run.test.ts', 'test/sim/explore.test.ts']
const PARTS = ['src', 'sim', 'test', 'config', 'scripts', 'protocols', 'package.json', 'vitest.config.ts', 'tsconfig.json']

const root = join(import.meta.dirname, '..')
const wanted = process.argv.slice(2)
const all = [...SIMULATOR_MUTANTS, ...RULE_MUTANTS].filter((m) => wanted.length === 0 || wanted.includes(m.name) || (wanted.includes('rules') && RULE_MUTANTS.includes(m)))
let missed = 0
for (const tests of new Set(all.map((m) => m.tests ?? SIMULATOR_TESTS))) {
  const control = caughtBy({ ...CONTROL, tests })
  if (control !== undefined) throw new Error(`without any bug the tests fail: ${control}`)
}
for (const mutant of all) {
  const started = performance.now()
  const by = caughtBy(mutant)
  const seconds = Math.round((performance.now() - started) / 1000)
  if (by === undefined) missed++
  console.log(`${by === undefined ? 'MISSED' : 'caught'}  ${mutant.name} (${seconds} s)${by === undefined ? '' : `: ${by}`}`)
}
console.log(`${all.length - missed} of ${all.length} caught`)
process.exitCode = missed === 0 ? 0 : 1

/** The first complaint of the tests, or undefined when they passed. */
function caughtBy ({ file, find, replace, name, tests = SIMULATOR_TESTS }: Mutant): string | undefined {
  const copy = mkdtempSync(join(tmpdir(), 'diad-mutant-'))
  try {
    for (const part of PARTS) cpSync(join(root, part), join(copy, part), { recursive: true })
    symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
    const before = readFileSync(join(copy, file), 'utf8')
    if (before.split(find).length !== 2) throw new Error(`${name}: ${file} doesn't hold exactly one "${find}"`)
    writeFileSync(join(copy, file), before.replace(find, () => replace))
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--bail', '1', '--no-color', ...tests], { cwd: copy, encoding: 'utf8' })
    if (status === 0) return undefined
    const said = stdout + stderr
    return /"text": "((?:[^"\\]|\\.)*)"/.exec(said)?.[1] ?? /FAIL .*/.exec(said)?.[0] ?? 'the tests failed'
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
}
