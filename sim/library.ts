/** Scenario files by name or by path. Those that come with the simulator lie in sim/scenarios of the package, beside the sources and never in dist/. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path'
import { systemCode } from '../src/node/files/failure.js'
import { DiadError } from '../src/substrate/errors.js'
import { isRecord, Source } from './scenario/source.js'
import { nearest, show } from './scenario/suggest.js'

export interface Listed {
  readonly name: string
  /** absolute */
  readonly file: string
  /** one sentence: what somebody learns from a run */
  readonly shows: string
  /** numbers of the threat list */
  readonly threats: readonly number[]
}

export interface Found {
  readonly text: string
  /** what messages call the file: a path that works from `cwd` */
  readonly label: string
}

const ENDING = '.yaml'
/** The loader takes 1 MB; what is much greater isn't even read. */
const MOST_BYTES = 4_000_000

/** The folder with the scenarios of the package. Throws DiadError `not-found` when the package was put together without them. */
export function scenarioFolder (): string {
  // The nearest that is there: from sim/ it is the folder beside this file, from dist/sim/ the one of the package.
  for (let dir = import.meta.dirname; dirname(dir) !== dir; dir = dirname(dir)) {
    for (const folder of [join(dir, 'scenarios'), join(dir, 'sim', 'scenarios')]) {
      if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true) return folder
    }
  }
  throw new DiadError('not-found', 'the scenarios that come with diad are not there', 'install diad again, or name a file of your own')
}

function names (folder: string): string[] {
  return readdirSync(folder).filter((file) => file.endsWith(ENDING)).map((file) => file.slice(0, -ENDING.length)).sort()
}

/** The scenarios of `folder` by name, as their files speak of themselves. Reads the head of each; whether it can be run, the loader says. */
export function listScenarios (folder = scenarioFolder()): Listed[] {
  return names(folder).map((name) => {
    const file = join(folder, name + ENDING)
    const { data } = new Source(readFileSync(file, 'utf8'), file)
    const head = isRecord(data) ? data : {}
    const threats: readonly unknown[] = Array.isArray(head['threats']) ? head['threats'] : []
    return {
      name,
      file,
      shows: typeof head['shows'] === 'string' ? head['shows'] : '',
      threats: threats.filter((threat) => typeof threat === 'number')
    }
  })
}

/**
 * The text of a scenario. `target` is a path (it has a separator, or ends in .yaml or .yml) or else a name of ours, or else a file in `cwd` all the same.
 * Throws DiadError `unknown-scenario`, `no-such-path`, `is-a-directory`, `unreadable`.
 */
export function findScenario (target: string, cwd: string): Found {
  const path = resolve(cwd, target)
  if (/[/\\]|\.ya?ml$/i.test(target)) return { text: readText(path, target), label: target }
  const folder = scenarioFolder()
  const known = names(folder)
  if (known.includes(target)) {
    const file = join(folder, target + ENDING)
    return { text: readText(file, file), label: shownPath(file, cwd) }
  }
  if (statSync(path, { throwIfNoEntry: false })?.isFile() === true) return { text: readText(path, target), label: target }
  const near = nearest(target, known)
  throw new DiadError('unknown-scenario', `there is no scenario ${show(target)}${near === undefined ? '' : `; did you mean ${show(near)}?`}`,
    'diad sim list names them; a file of your own is named by its path, such as my.yaml')
}

/** A path for people: from `cwd`, where the file is within it. */
export function shownPath (path: string, cwd: string): string {
  const from = relative(cwd, path)
  return from === '' || from === '..' || from.startsWith(`..${sep}`) || isAbsolute(from) ? path : from
}

function readText (path: string, shown: string): string {
  try {
    const stats = statSync(path)
    if (stats.isDirectory()) throw new DiadError('is-a-directory', `${show(shown)} is a directory`, 'name a scenario file in it')
    if (stats.size > MOST_BYTES) throw new DiadError('bad-scenario', `${shown}:1:1: the file is greater than 1 MB; expected a smaller one`, 'the format is explained in docs/sim-scenarios.md')
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path))
  } catch (err) {
    if (err instanceof DiadError) throw err
    if (err instanceof TypeError) throw new DiadError('bad-scenario', `${shown}:1:1: the file is not text in UTF-8; expected YAML`, 'the format is explained in docs/sim-scenarios.md', { cause: err })
    const code = systemCode(err)
    if (code === 'ENOENT' || code === 'ENOTDIR') throw new DiadError('no-such-path', `${show(shown)} does not exist`, 'check the path; diad sim list names the scenarios that come with diad', { cause: err })
    throw new DiadError('unreadable', `can't read ${show(shown)} (${code ?? String(err)})`, 'check its permissions', { cause: err })
  }
}
