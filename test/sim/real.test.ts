/** The simulator against reality: one file, one set of expectations, simulated and over real hosts. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { PLUGINS } from '../../sim/plugins.js'
import { runForReal } from '../../sim/real/index.js'
import { runScenario } from '../../sim/run.js'
import { loadScenario } from '../../sim/scenario/load.js'

const file = join(import.meta.dirname, '../../sim/scenarios/reality-check.yaml')

test('the same scenario holds in virtual time and over real sockets', async () => {
  const scenario = loadScenario(readFileSync(file, 'utf8'), 'reality-check.yaml', PLUGINS)
  const [real, simulated] = await Promise.all([runForReal(scenario, PLUGINS), runScenario(scenario, PLUGINS)])
  expect(real.violations).toEqual([])
  expect(simulated.violations).toEqual([])
  expect(real.cost.updates).toBe(simulated.cost.updates)
  // What it costs is of one kind: neither floods where the other is quiet.
  expect(real.cost.messages).toBeLessThan(4 * simulated.cost.messages)
  expect(simulated.cost.messages).toBeLessThan(4 * real.cost.messages)
}, 60_000)
