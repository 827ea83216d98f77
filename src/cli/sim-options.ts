/** `diad sim`: its command line, parsed without loading the simulator. */
import { isAbsolute, resolve } from 'node:path'
import { type Command, Help, InvalidArgumentError, Option } from 'commander'
import { DiadError } from '../substrate/errors.js'

const NETWORKS = ['sim', 'libp2p'] as const

export interface RunArgs {
  verb: 'run'
  /** a name or a path, as typed */
  target: string
  seed?: number
  /** absolute, as are plugins and keep */
  report?: string
  /** whether it was typed so: then it is shown so */
  reportAbsolute?: boolean
  plugins: string[]
  network: typeof NETWORKS[number]
}

export interface ExploreArgs {
  verb: 'explore'
  runs?: number
  minutes?: number
  seed?: number
  keep: string
}

export type SimArgs = { verb: 'list' } | RunArgs | ExploreArgs

/** The seed of an exploration: each run's seed is made from it, and has to stay a whole number. */
export const MAX_EXPLORE_SEED = 0xffff_ffff
export const DEFAULT_RUNS = 100
export const KEEP = 'sim-failures'

const MAX_RUNS = 1_000_000_000
/** ten weeks */
const MAX_MINUTES = 100_000

export function addSimCommand (program: Command, cwd: string, accept: (args: SimArgs) => void): void {
  const help = Object.assign(new Help(), { showGlobalOptions: true })
  const sim = program.command('sim').description('try a federation before you run it: whole networks in virtual time')
    // It knows of no home.
    .configureHelp({ ...program.configureHelp(), visibleGlobalOptions: (of) => help.visibleGlobalOptions(of).filter((o) => o.long !== '--home') })
    .addHelpText('after', '\nExit codes: 0 passed, 2 usage or bad input, 4 something didn\'t hold, 130 interrupted')
  const command = (usage: string, what: string, example: string): Command =>
    sim.command(usage).description(what).addHelpText('after', `\nExample:\n  $ diad sim ${example}`)
  const path = (text: string): string => {
    if (text === '') throw new InvalidArgumentError('a path can\'t be empty.')
    return resolve(cwd, text)
  }
  const paths = (text: string, before: string[]): string[] => [...before, path(text)]

  command('list', 'the scenarios that come with diad, and what each shows', 'list')
    .action(() => accept({ verb: 'list' }))

  command('run <FILE|NAME>', 'run a scenario: a file, or one that comes with diad', 'run partition-heals --report out.html')
    .option('--seed <N>', 'decides what is left to chance; default: the scenario\'s own', whole(0, Number.MAX_SAFE_INTEGER))
    .option('--report <OUT.html>', 'write a page that shows the run, playable through time')
    .addOption(new Option('--plugin <FILE.js>', 'actions, expectations, adversaries or invariants of your own; may be repeated').argParser(paths).default([], 'none'))
    .addOption(new Option('--network <KIND>', 'sim, or libp2p: the same over real hosts').choices(NETWORKS).default('sim'))
    .action((target: string, o: { seed?: number, report?: string, plugin: string[], network: typeof NETWORKS[number] }) => {
      accept({
        verb: 'run', target, plugins: o.plugin, network: o.network,
        ...(o.seed === undefined ? {} : { seed: o.seed }),
        ...(o.report === undefined ? {} : { report: path(o.report), reportAbsolute: isAbsolute(o.report) })
      })
    })

  command('explore', 'run random scenarios until one fails to hold; each failure is made small and kept as a file', 'explore --minutes 20')
    .option('--runs <N>', `end after so many runs; default ${DEFAULT_RUNS}, unless --minutes is given`, whole(1, MAX_RUNS))
    .option('--minutes <M>', 'end after so many minutes', minutes)
    .option('--seed <N>', 'explore the same again; default: a new one, which is printed', whole(0, MAX_EXPLORE_SEED))
    .option('--keep <DIR>', `where failures go; default: ./${KEEP}, made when it is needed`, path)
    .action((o: { runs?: number, minutes?: number, seed?: number, keep?: string }) => {
      const { keep = resolve(cwd, KEEP), ...rest } = o
      accept({ verb: 'explore', keep, ...rest })
    })
}

function whole (least: number, most: number): (text: string) => number {
  return (text) => {
    const n = Number(text)
    if (!/^\d{1,16}$/.test(text) || n < least || n > most) throw new InvalidArgumentError(`It has to be a whole number from ${least} to ${most === Number.MAX_SAFE_INTEGER ? '2^53-1' : most}.`)
    return n
  }
}

function minutes (text: string): number {
  const n = Number(text)
  if (!/^\d{1,9}(\.\d{1,9})?$/.test(text) || n <= 0 || n > MAX_MINUTES) throw new InvalidArgumentError('It has to be a number of minutes above 0.')
  return n
}

/** What `diad sim` without a verb is told. */
export function noVerb (): DiadError {
  return new DiadError('usage', 'diad sim: no command given', 'say list, run or explore; see diad sim --help')
}
