/** No file that a person names an output goes into a home: what lies there is known by its place, is wiped or copied with the rest, or is a key. */
import { realpathSync, type Stats, statSync } from 'node:fs'
import { basename, dirname, join, relative, resolve, sep } from 'node:path'
import { DiadError } from '../../substrate/errors.js'
import { isThere } from './make-directory.js'
import { homePaths } from './paths.js'

/** Folders of a home that keys may be written to: hot ones, and cold ones until they are moved to where they belong. */
export const KEY_FOLDERS = ['keys', 'offline'].map((name) => basename(homePaths('/')[name as 'keys' | 'offline']))
export const OFFLINE_FOLDER = basename(homePaths('/').offline)

/** For a file or a new folder: that it is in no home, and that the folder above is there. Throws DiadError `inside-home`, `unwritable`. */
export function demandOutside (path: string): void {
  refuseInside(path, [])
  const folder = dirname(resolve(path))
  if (look(folder, path) === undefined) throw new DiadError('unwritable', `can't write ${path}: the folder ${folder} does not exist`, 'make it first')
}

/** For a folder that files are put into, which needn't be there yet: that it is in no home, but in one of its folders `allowed`. Throws DiadError `inside-home`. */
export function demandFolderOutside (path: string, allowed: readonly string[] = []): void {
  refuseInside(join(path, 'file'), allowed, path)
}

function refuseInside (path: string, allowed: readonly string[], shown = path): void {
  const { home, below } = homeAround(path) ?? {}
  if (home === undefined || below === undefined || allowed.includes(below)) return
  throw new DiadError('inside-home', `${shown} is ${resolve(shown) === home ? 'a diad home itself' : `inside the home ${home}`}`, `nothing was written; name a place outside of it${allowed.length === 0 ? '' : `, or ${allowed.map((name) => join(home, name)).join(' or ')}`}`)
}

/** The nearest directory above `path` that is a home, and the first name below it on the way to `path`. */
function homeAround (path: string): { home: string, below: string } | undefined {
  const real = realOf(dirname(resolve(path)))
  for (let at = real; ; at = dirname(at)) {
    if (isHome(at)) return { home: at, below: join(relative(at, real), basename(path)).split(sep)[0] ?? '' }
    if (dirname(at) === at) return undefined
  }
}

/** What we may not look into is nothing that we could write into either; whoever tries says so. */
function isHome (directory: string): boolean {
  try {
    return isThere(homePaths(directory).config)
  } catch (err) {
    if (err instanceof DiadError) return false
    throw err
  }
}

/** An absolute path without links, also where its last folders aren't there yet. */
export function realOf (directory: string): string {
  try {
    return realpathSync(directory)
  } catch {
    const above = dirname(directory)
    return above === directory ? directory : join(realOf(above), basename(directory))
  }
}

function look (folder: string, path: string): Stats | undefined {
  try {
    return statSync(folder, { throwIfNoEntry: false })
  } catch (err) {
    throw new DiadError('unwritable', `can't write ${path}: no way to the folder ${folder}`, 'check the path and its permissions', { cause: err })
  }
}
