/** N2: root keys among the hot ones, which every machine that publishes needs, would be stolen with them. */
import { relative, resolve, sep } from 'node:path'
import { DiadError } from '../../substrate/errors.js'
import { realOf } from './outside.js'
import { homePaths } from './paths.js'

/**
 * As demandFolderOutside (outside.ts) of a home that is still to be made, so that a refusal leaves none behind: of what is in `root`, root keys may go into
 * its offline folder alone. Neither has to be there. Throws DiadError `inside-home`.
 */
export function demandCold (root: string, folder: string): void {
  const { keys, offline } = homePaths(root)
  const at = realOf(resolve(folder))
  if (!isIn(realOf(resolve(root)), at) || isIn(realOf(resolve(offline)), at)) return
  const what = isIn(realOf(resolve(keys)), at) ? 'where the home keeps its hot keys: whoever steals those would have the roots too (N2)' : `inside the home ${root}`
  throw new DiadError('inside-home', `--roots ${folder} is ${what}`, `nothing was made; name a place outside of it, best on a stick, or ${offline}`)
}

function isIn (folder: string, at: string): boolean {
  const way = relative(folder, at)
  return way !== '..' && !way.startsWith(`..${sep}`)
}
