/**
 * Random federations, each with a phase of chaos and one of peace. The seed is fresh in each run and printed; DIAD_SEED repeats one,
 * DIAD_EXPLORE_SECONDS makes it longer. What was found once is in sim/regressions.
 */
import { randomInt } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { explore, runDraft } from '../../sim/explore/explore.js'
import { randomScenario } from '../../sim/explore/grammar.js'
import { shrink } from '../../sim/explore/shrink.js'
import { PLUGINS } from '../../sim/plugins.js'
import { runScenario } from '../../sim/run.js'
import { loadScenario } from '../../sim/scenario/load.js'
import { Random } from '../../sim/world/random.js'

const SECONDS = Number(process.env['DIAD_EXPLORE_SECONDS'] ?? 20)
const SEED = Number(process.env['DIAD_SEED'] ?? randomInt(1_000_000))
const regressions = join(import.meta.dirname, '../../sim/regressions')

test(`random federations, seed ${SEED}`, async () => {
  const { failures, runs } = await explore({ plugins: PLUGINS, seed: SEED, ms: SECONDS * 1000, shrinkRuns: 0 })
  console.log(`explored ${runs} federations from seed ${SEED}`)
  expect(failures, `repeat it with DIAD_SEED=${SEED}, or \`diad sim explore --seed ${SEED} --runs ${runs}\``).toEqual([])
  expect(runs).toBeGreaterThan(0)
}, (SECONDS + 60) * 1000)

const saved = existsSync(regressions) ? readdirSync(regressions).filter((f) => f.endsWith('.yaml')) : []
test.each(saved)('regression %s', async (file) => {
  const result = await runScenario(loadScenario(readFileSync(join(regressions, file), 'utf8'), file, PLUGINS), PLUGINS)
  expect(result.violations).toEqual([])
}, 60_000)

test('a failure is shrunk to what it needs', async () => {
  const draft = randomScenario(Random.from(5).fork('grammar'), 5, { adversaries: [] })
  // Its publisher must be there when it is needed.
  draft.timeline = draft.timeline.filter((e) => 'publish' in e || 'tombstone' in e || 'put' in e || 'carry' in e)
  draft.ending = []
  draft.timeline.push({ at: '119s', node: Object.keys(draft.nodes)[0], publish: { name: 'the/one', bytes: '1kB' } })
  const needsTheOne = async (candidate: typeof draft): Promise<boolean> => {
    const result = await runDraft(candidate, { ...PLUGINS, invariants: [{ name: 'not-the-one', summary: '', create: () => ({ changed: (_n, k) => k.view().current.has('the/one') ? 'there it is' : undefined }) }] })
    return result.violations[0]?.invariant === 'not-the-one'
  }
  expect(await needsTheOne(draft)).toBe(true)
  const small = await shrink(draft, needsTheOne, 200)
  expect(small.timeline).toHaveLength(1)
  expect(Object.keys(small.nodes).length).toBeLessThan(Object.keys(draft.nodes).length + 1)
}, 60_000)
