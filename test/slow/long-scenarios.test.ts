/** Scenarios that take too long for `npm test`, each with the seed that its file names and a fresh one. */
import { randomInt } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { PLUGINS } from '../../sim/plugins.js'
import { runScenario } from '../../sim/run.js'
import { loadScenario } from '../../sim/scenario/load.js'
import { scenarioFolder } from '../../sim/library.js'

const load = (name: string): ReturnType<typeof loadScenario> => loadScenario(readFileSync(join(scenarioFolder(), `${name}.yaml`), 'utf8'), `${name}.yaml`, PLUGINS)

const fresh = randomInt(2 ** 31)

test.each([['bad-week', undefined], ['bad-week', fresh], ['thousand-domains', undefined]] as const)('%s, seed %s', async (name, seed) => {
  const result = await runScenario(load(name), PLUGINS, seed === undefined ? {} : { seed })
  console.log(`${name}: seed ${result.seed}, ${result.steps} steps, digest ${result.digest}`)
  expect(result.violations).toEqual([])
})
