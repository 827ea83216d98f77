/**
 * Plants one bug at a time and runs what has to catch it: of those below the tests of the simulator, of the rules (mutants/rules.ts) vectors and properties.
 * `npm run mutants`; with names for some of them; `rules` for all rules. Works on a copy; nothing here is changed.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Mutant } from './mutants/mutant.js'
import { RULE_MUTANTS } from './mutants/rules.js'

const MUTANTS: readonly Mutant[] = [
  {
    name: 'skip the signature check',
    file: 'src/authority/lane-knowledge.ts',
    find: 'principalId(signature.public_key) === this.lane.principal && signatureHolds(signature)',
    replace: 'signature.signature !== \'\''
  },
  {
    name: 'skip the role check',
    file: 'src/authority/leaf-rules.ts',
    find: 'const fitting = rights.principal.roles.filter((r) => rule.roles === \'any\' || rule.roles.includes(r))',
    replace: 'const fitting = [\'federate\', \'produce\', \'publish\'] as typeof rights.principal.roles'
  },
  {
    name: 'skip the scope check',
    file: 'src/authority/leaf-rules.ts',
    find: 'if (!rights.scope.prefixes.some((p) => pathWithin(p, path))) return',
    replace: 'if (rights.scope.prefixes.length > 1e9) return'
  },
  {
    name: 'accept a shorter log as newer',
    file: 'src/authority/lane-view.ts',
    find: 'Math.min(branch.head.snapshot.log_size, forked,',
    replace: 'Math.min(Math.min(...[...k.heads.values()].map((h) => h.snapshot.log_size)), forked,'
  },
  {
    name: 'forward before judging',
    file: 'src/federation/replica.ts',
    find: '      return judgeGossip(k, message, {',
    replace: '      if (message.t === \'head\') this.effects.push({ type: \'gossip\', domain, bytes })\n      return judgeGossip(k, message, {'
  },
  {
    name: 'drop evidence',
    file: 'src/authority/lane-knowledge.ts',
    find: 'if (!evidenceHolds(e)) return false',
    replace: 'if (e.index >= 0) return false'
  },
  {
    name: 'believe any evidence',
    file: 'src/authority/lane-knowledge.ts',
    find: 'if (!evidenceHolds(e)) return false',
    replace: ''
  },
  {
    name: 'publish before durable',
    file: 'src/federation/append.ts',
    find: '    await engine.durable(async () => {',
    replace: '    engine.step({ type: \'published\', domain: k.domain, lane: laneRef, from })\n    await engine.durable(async () => {'
  },
  {
    name: 'no marker',
    file: 'src/federation/append.ts',
    find: 'if (ports.markers.mayContinue(v.knowledge.ref, { size: head.log_size, root: head.log_root })) return',
    replace: 'if (ports.markers !== undefined) return'
  },
  {
    name: 'commit without the head',
    file: 'src/federation/ledger.ts',
    find: "  out.push({ type: 'put', key: key(KEYSPACE.tip,",
    replace: "  if (from > 0) return out\n  out.push({ type: 'put', key: key(KEYSPACE.tip,"
  },
  {
    name: 'no second pull',
    file: 'src/federation/peer.ts',
    find: 'if (pair.theirs !== pair.ours && !samePair(quiet, pair) && !past(heard.digest)) return',
    replace: 'if (this.greeted && quiet === undefined && k.authority().tip === undefined) return'
  }
]

/** Nothing is changed: if this is caught, what catches the others may be no bug of theirs. */
const CONTROL: Mutant = { name: 'no bug at all', file: 'package.json', find: '"name": "diad"', replace: '"name": "diad"' }

const SIMULATOR_TESTS = ['test/sim/run.test.ts', 'test/sim/explore.test.ts']
const PARTS = ['src', 'sim', 'test', 'config', 'scripts', 'protocols', 'package.json', 'vitest.config.ts', 'tsconfig.json']

const root = join(import.meta.dirname, '..')
const wanted = process.argv.slice(2)
const all = [...MUTANTS, ...RULE_MUTANTS].filter((m) => wanted.length === 0 || wanted.includes(m.name) || (wanted.includes('rules') && RULE_MUTANTS.includes(m)))
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
