/** `--network libp2p`: a scenario on real hosts, in real time. */
import type { Plugins } from '../plugin.js'
import { type RunOptions, runScenario } from '../run.js'
import type { Scenario } from '../scenario/types.js'
import type { RunResult } from '../trace.js'
import { HostWire } from './host-wire.js'
import { RealClock } from './real-clock.js'

/** As `runScenario`; takes as long as the scenario says. Digests of two runs differ: reality isn't drawn from a seed. */
export async function runForReal (scenario: Scenario, plugins: Plugins, options: RunOptions = {}): Promise<RunResult> {
  const clock = new RealClock()
  return await runScenario(scenario, plugins, { ...options, real: { clock, wire: (listener) => new HostWire(listener, () => clock.now) } })
}
