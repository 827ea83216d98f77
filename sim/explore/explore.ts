/** Runs random scenarios until a budget is spent; what fails is shrunk and saved. */
import { join } from 'node:path'
import { stringify } from 'yaml'
import { replaceFile } from '../../src/node/home/atomic-file.js'
import type { Plugins } from '../plugin.js'
import { runScenario } from '../run.js'
import { loadScenario } from '../scenario/load.js'
import type { RunResult } from '../trace.js'
import { Random } from '../world/random.js'
import { type Draft, randomScenario, written } from './grammar.js'
import { shrink } from './shrink.js'

export interface ExploreInit {
  readonly plugins: Plugins
  readonly seed: number
  /** ends after so many runs */
  readonly runs?: number
  /** or after so many milliseconds */
  readonly ms?: number
  /** where failing scenarios go; nothing is written without */
  readonly keepIn?: string
  readonly onRun?: (n: number, result: RunResult) => void
  /** runs that may be spent on making one failure small */
  readonly shrinkRuns?: number
  readonly clock?: () => number
  readonly signal?: { readonly aborted: boolean }
}

export interface Failure {
  readonly seed: number
  /** where the shrunk scenario lies; '' when nothing was written */
  readonly file: string
  readonly invariant: string
  readonly text: string
}

export interface Explored {
  readonly runs: number
  readonly failures: readonly Failure[]
  /** of all runs, in virtual seconds and scheduler steps */
  readonly virtualSeconds: number
  readonly steps: number
}

/** seeds of runs differ by this, so that runs of one exploration don't repeat those of the next */
const SEED_SPREAD = 1_000_003
const MAX_SEED = 0xffff_ffff
const SHRINK_RUNS = 120

export async function explore (init: ExploreInit): Promise<Explored> {
  const clock = init.clock ?? (() => performance.now())
  const start = clock()
  const failures: Failure[] = []
  let runs = 0
  let steps = 0
  let virtual = 0
  while ((init.runs === undefined || runs < init.runs) && (init.ms === undefined || clock() - start < init.ms) && init.signal?.aborted !== true) {
    const seed = (init.seed * SEED_SPREAD + runs) % MAX_SEED
    const draft = randomScenario(Random.from(seed).fork('grammar'), seed, { adversaries: [...init.plugins.adversaries.keys()] })
    const result = await runDraft(draft, init.plugins)
    runs++
    steps += result.steps
    virtual += result.end
    init.onRun?.(runs, result)
    if (result.status === 'failed') failures.push(await keep(draft, result, init))
  }
  return { runs, failures, virtualSeconds: Math.floor(virtual / 1_000_000), steps }
}

export async function runDraft (draft: Draft, plugins: Plugins): Promise<RunResult> {
  return await runScenario(loadScenario(stringify(written(draft)), `${draft.name}.yaml`, plugins), plugins)
}

async function keep (draft: Draft, result: RunResult, init: ExploreInit): Promise<Failure> {
  const first = result.violations[0]
  const invariant = first?.invariant ?? 'unknown'
  // Who ends the exploration gets the failure as large as it is by then.
  const fails = async (candidate: Draft): Promise<boolean> => init.signal?.aborted !== true && (await runDraft(candidate, init.plugins)).violations[0]?.invariant === invariant
  const small = await shrink(draft, fails, init.shrinkRuns ?? SHRINK_RUNS)
  let file = ''
  if (init.keepIn !== undefined) {
    file = join(init.keepIn, `${invariant}-${draft.seed}.yaml`)
    replaceFile(file, `# Found by \`diad sim explore\`: ${invariant}. ${(first?.text ?? '').split('\n')[0] ?? ''}\n${stringify(written(small))}`, 0o644)
  }
  return { seed: draft.seed, file, invariant, text: first?.text ?? '' }
}
