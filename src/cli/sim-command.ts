/**
 * `diad sim`: carries out what sim-options.ts has parsed. It opens no home and no store, and is loaded by `sim` alone, since the simulator is great and
 * every other command starts without it. libp2p isn't loaded.
 */
import { randomInt } from 'node:crypto'
import { accessSync, closeSync, constants, lstatSync, mkdirSync, openSync, readdirSync, readSync, realpathSync, rmdirSync, statSync, type Stats } from 'node:fs'
import { dirname } from 'node:path'
import { demandFolderOutside, demandOutside } from '../node/home/outside.js'
import { replaceFile } from '../node/home/atomic-file.js'
import { writeFailure } from '../node/files/failure.js'
import { showName } from '../publication/names.js'
import { DiadError } from '../substrate/errors.js'
import { REPORT_HEAD } from '../../sim/report/head.js'
import { findScenario, listScenarios, shownPath } from '../../sim/library.js'
import { EXIT, type Exit } from './exit-codes.js'
import { DEFAULT_RUNS, type ExploreArgs, MAX_EXPLORE_SEED, type RunArgs, type SimArgs } from './sim-options.js'
import { exploreLines, listLines, runLines, type Unused } from './sim-render.js'
import type { Amount } from './progress.js'
import type { Style } from './style.js'
import { count } from './text.js'

export interface SimIo {
  readonly cwd: string
  /** columns of the terminal */
  readonly width: number
  readonly style: Style
  readonly signal: AbortSignal
  readonly progress: (amount: Amount) => void
  /** one line for the person, on standard error */
  readonly note: (line: string) => void
}

export interface SimOutcome {
  /** for scripts */
  readonly result: unknown
  /** for people */
  readonly lines: string[]
  readonly exit: Exit
}

/** Throws DiadError for bad input, with one line and a hint; `interrupted` where `signal` ended a run. */
export async function simCommand (args: SimArgs, io: SimIo): Promise<SimOutcome> {
  switch (args.verb) {
    case 'list': {
      const scenarios = listScenarios()
      return { result: scenarios, lines: listLines(scenarios, io.style, io.width), exit: EXIT.done }
    }
    case 'run': return await runOne(args, io)
    case 'explore': return await exploreAll(args, io)
  }
}

async function runOne (args: RunArgs, io: SimIo): Promise<SimOutcome> {
  const { text, label } = findScenario(args.target, io.cwd)
  const report = args.report === undefined ? undefined : demandPlace(writable(args.report))
  const [{ PLUGINS }, { loadScenario }, { runScenario }] = await Promise.all([import('../../sim/plugins.js'), import('../../sim/scenario/load.js'), import('../../sim/run.js')])
  let plugins = PLUGINS
  if (args.plugins.length > 0) {
    const { withUserPlugins } = await import('../../sim/user-plugins.js')
    plugins = await withUserPlugins(PLUGINS, args.plugins.map((path) => ({ path, label: shownPath(path, io.cwd) })))
  }
  const scenario = loadScenario(text, label, plugins)
  io.signal.throwIfAborted()
  // Real hosts are loaded only where they are asked for.
  const runner = args.network === 'libp2p' ? (await import('../../sim/real/index.js')).runForReal : runScenario
  const run = await runner(scenario, plugins, {
    ...(args.seed === undefined ? {} : { seed: args.seed }),
    keepTrace: report !== undefined,
    onProgress: (now, end) => {
      io.signal.throwIfAborted()
      io.progress({ phase: `running ${scenario.name}`, done: Math.floor(now / SECOND), total: Math.floor(end / SECOND), unit: 's of virtual time' })
    }
  })
  if (report !== undefined) {
    const { renderReport } = await import('../../sim/report/report.js')
    const page = renderReport(run)
    demandPlace(report)
    try {
      replaceFile(report, page, 0o644)
    } catch (err) {
      throw writeFailure(err, report)
    }
  }
  const { status, digest, seed, steps, violations, cost, scenario: name, file, end, notes } = run
  const unused = [
    ...run.unused.map(({ node, adversary, hooks }) => ({ kind: 'adversary', name: adversary, node, hooks: [...hooks] })),
    ...[...plugins.adversaries.keys()].filter((own) => !PLUGINS.adversaries.has(own) && !scenario.nodes.some((n) => n.adversary === own)).map((own) => ({ kind: 'adversary', name: own })),
    ...[...plugins.actions.keys()].filter((own) => !PLUGINS.actions.has(own) && !scenario.timeline.some((e) => e.action === own)).map((own) => ({ kind: 'action', name: own })),
    ...[...plugins.expectations.keys()].filter((own) => !PLUGINS.expectations.has(own) && !scenario.expectations.some((e) => e.expectation === own)).map((own) => ({ kind: 'expectation', name: own }))
  ] satisfies Unused[]
  const shown = report === undefined ? undefined : args.reportAbsolute === true ? report : shownPath(report, io.cwd)
  return {
    result: { status, digest, seed, steps, violations, cost, scenario: name, file, end, unused, notes: [...notes], ...(shown === undefined ? {} : { report: shown }) },
    lines: runLines(run, unused, shown, io.style, io.width),
    exit: status === 'passed' ? EXIT.done : EXIT.rejected
  }
}

const SECOND = 1_000_000

async function exploreAll (args: ExploreArgs, io: SimIo): Promise<SimOutcome> {
  const seed = args.seed ?? randomInt(MAX_EXPLORE_SEED + 1)
  const { runs = args.minutes === undefined ? DEFAULT_RUNS : undefined, minutes, keep } = args
  io.note(`exploring with seed ${seed}`)
  const made = makeFolder(keep)
  const [{ PLUGINS }, { explore }] = await Promise.all([import('../../sim/plugins.js'), import('../../sim/explore/explore.js')])
  const start = performance.now()
  let failures = 0
  let ran = 0
  const phase = (): string => `exploring, ${failures === 0 ? 'all well' : `${failures} failed`}`
  try {
    const found = await explore({
      plugins: PLUGINS,
      seed,
      ...(runs === undefined ? {} : { runs }),
      ...(minutes === undefined ? {} : { ms: minutes * 60_000 }),
      keepIn: keep,
      signal: io.signal,
      onRun: (n, result) => {
        ran = n
        if (result.status === 'failed') {
          failures++
          io.note(`run ${n} failed: ${result.violations[0]?.invariant ?? 'unknown'} (seed ${result.seed}); making it small`)
        }
        if (runs === undefined) io.progress({ phase: `${phase()}, ${count(n, 'run')}`, done: Math.floor((performance.now() - start) / 1000), total: Math.ceil((minutes ?? 0) * 60), unit: 's' })
        else io.progress({ phase: phase(), done: n, total: runs, unit: 'runs' })
      }
    })
    const interrupted = io.signal.aborted
    const shown = { ...found, failures: found.failures.map((one) => ({ ...one, file: shownPath(one.file, io.cwd) })) }
    return {
      result: { seed, ...shown, ...(interrupted ? { interrupted } : {}) },
      lines: exploreLines(shown, seed, interrupted, io.style),
      exit: interrupted ? EXIT.interrupted : found.failures.length > 0 ? EXIT.rejected : EXIT.done
    }
  } catch (err) {
    if (err instanceof DiadError) throw err
    throw new DiadError('internal', `run ${ran + 1} of the exploration with seed ${seed} broke the simulator: ${err instanceof Error ? err.message : String(err)}`,
      `diad sim explore --seed ${seed} --runs ${ran + 1} shows it again; DIAD_DEBUG=1 shows where`, { cause: err })
  } finally {
    if (made) removeIfEmpty(keep)
  }
}

/** Asked before the run, which may take long: where the report can be put. Follows a link to what it stands for, since writing would replace the link. */
function writable (path: string): string {
  const at = lookAt(path)
  if (at?.isSymbolicLink() === true && statSync(path, { throwIfNoEntry: false }) !== undefined) return writable(realpathSync(path))
  const refuse = (what: string, hint: string): DiadError => new DiadError('unwritable', `the report can't be written to ${showName(path)}: ${what}`, hint)
  if (at?.isDirectory() === true) throw new DiadError('is-a-directory', `the report can't be written to ${showName(path)}: it is a directory`, 'name a file, such as out.html')
  if (at !== undefined && !at.isFile() && !at.isSymbolicLink()) throw refuse('it is no plain file', 'name a file, such as out.html')
  const folder = dirname(path)
  if (lookAt(folder) === undefined) throw refuse(`the folder ${showName(folder)} does not exist`, 'make it first')
  try {
    if (!statSync(folder).isDirectory()) throw refuse(`${showName(folder)} is no folder`, 'name a file in a folder')
    accessSync(folder, constants.W_OK)
  } catch (err) {
    throw err instanceof DiadError ? err : refuse(`no permission to write in ${showName(folder)}`, 'name a place that you may write to')
  }
  return path
}

/** Only an earlier report is replaced: anything else may be the only copy of something, a key or the scenario itself. Throws DiadError `file-exists`, `inside-home`. */
function demandPlace (path: string): string {
  demandOutside(path)
  if (lookAt(path)?.isFile() === true && !isReport(path)) {
    throw new DiadError('file-exists', `${showName(path)} exists and is not a report of diad sim`, 'nothing was written; name another file, or move this one away')
  }
  return path
}

/** By its beginning, which says what made it. */
function isReport (path: string): boolean {
  const head = Buffer.alloc(REPORT_HEAD.length)
  let fd: number | undefined
  try {
    fd = openSync(path, 'r')
    return readSync(fd, head, 0, head.length, 0) === head.length && head.toString('latin1') === REPORT_HEAD
  } catch {
    // What can't be read is nobody's report.
    return false
  } finally {
    if (fd !== undefined) closeSync(fd)
  }
}

function lookAt (path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false })
  } catch {
    // Something on the way isn't a folder.
    return undefined
  }
}

/** Before an exploration, not when after an hour something is found that can't be kept. Returns whether it was made just now. */
function makeFolder (path: string): boolean {
  demandFolderOutside(path)
  try {
    const made = mkdirSync(path, { recursive: true }) !== undefined
    accessSync(path, constants.W_OK)
    return made
  } catch (err) {
    throw new DiadError('unwritable', `failures can't be kept in ${showName(path)} (${err instanceof Error && 'code' in err ? String(err.code) : String(err)})`, 'name another folder with --keep', { cause: err })
  }
}

function removeIfEmpty (path: string): void {
  try {
    if (readdirSync(path).length === 0) rmdirSync(path)
  } catch { /* somebody else's by now */ }
}
