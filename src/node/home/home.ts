/** The home directory of one node: its configuration `home.json`, and making one. */
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { domainText, parseDomain } from '../../substrate/domain-id.js'
import { DiadError, MalformedError } from '../../substrate/errors.js'
import type { Reference } from '../../substrate/reference.js'
import { createFile, errorCode, replaceFile } from './atomic-file.js'
import { jsonFields } from './json-fields.js'
import { homeFailure, isThere, makeDirectory, removeMade } from './make-directory.js'
import { demandFolderOutside } from './outside.js'
import { type HomePaths, homePaths } from './paths.js'
import { checkPetname, isPetname } from './petname.js'

const FORMAT = 'diad-home'
/** The layout that this program writes. A newer one is refused, never guessed at. */
const VERSION = 1

export interface Home {
  readonly paths: HomePaths
  /** The domain whose keys are kept here; undefined for a reader. */
  readonly domain: Reference | undefined
  /** What the owner calls that domain. */
  readonly name: string | undefined
}

export interface OpenHome {
  /** `reader`: a home without a domain is made where there is none. false: a missing one is an error. */
  readonly create: 'reader' | false
}

/** Whether `root` holds a home. Throws DiadError `unreadable`. */
export function hasHome (root: string): boolean {
  return isThere(homePaths(root).config)
}

/**
 * Opens the home at `root` (see `resolveHome`), or makes it, all directories mode 0700. Throws DiadError `home-missing`, `not-a-home`, `home-newer`,
 * `home-damaged`, `unreadable` or `unwritable`.
 */
export function openHome (root: string, options: OpenHome): Home {
  const paths = homePaths(root)
  if (!isThere(paths.config)) {
    if (options.create === false) {
      throw new DiadError('home-missing', `there is no diad home at ${root}`, 'make one with `diad init --name NAME`, or name another with --home')
    }
    create(paths)
  }
  return { paths, ...readConfig(paths.config) }
}

/** Records whose home this is. Durable on return. */
export function setOwnDomain (home: Home, domain: Reference, name: string): Home {
  checkPetname(name)
  replaceFile(home.paths.config, configText(domain, name))
  return { ...home, domain, name }
}

function create (paths: HomePaths): void {
  // A directory with other things in it isn't taken over; what an interrupted attempt left behind is.
  const ours = new Set([paths.keys, paths.store].map((p) => basename(p)))
  demandFolderOutside(paths.root)
  if (isThere(paths.root) && !statSync(paths.root).isDirectory()) throw new DiadError('not-a-home', `${paths.root} is a file, and a home is a directory`, 'name an empty or a new directory with --home')
  if (isThere(paths.root) && !isDirectoryOf(paths.root, (name) => ours.has(name) || name.endsWith('.tmp'))) {
    throw new DiadError('not-a-home', `${paths.root} is not empty and not a diad home`, 'name an empty or a new directory')
  }
  for (const path of [paths.root, paths.keys, paths.store]) makeDirectory(path, '--home')
  try {
    // Last: with it the directory is a home.
    createFile(paths.config, configText(undefined, undefined))
  } catch (err) {
    if (errorCode(err) !== 'EEXIST') throw homeFailure(err, paths.root, 'write', '--home') // another process was quicker
  }
}

/**
 * Makes a home where there is none, for a command that may fail: what is returned takes it back, and all that the command put into it. undefined
 * when there is a home already, or something that an interrupted attempt left: that isn't ours to remove.
 */
export function makeHome (root: string): (() => void) | undefined {
  if (hasHome(root)) return undefined
  if (isThere(root) && !isDirectoryOf(root, () => false)) return undefined
  demandFolderOutside(root)
  const first = makeDirectory(root, '--home')
  const takeBack = (): void => {
    for (const name of readdirSync(root)) rmSync(join(root, name), { recursive: true, force: true })
    removeMade(root, first)
  }
  try {
    create(homePaths(root))
  } catch (err) {
    takeBack()
    throw err
  }
  return takeBack
}

function isDirectoryOf (path: string, allowed: (name: string) => boolean): boolean {
  try {
    return readdirSync(path).every(allowed)
  } catch (err) {
    if (errorCode(err) === 'ENOTDIR') return false
    throw homeFailure(err, path, 'read', '--home')
  }
}

function configText (domain: Reference | undefined, name: string | undefined): string {
  const own = domain === undefined ? {} : { domain: domainText(domain), name }
  return JSON.stringify({ format: FORMAT, version: VERSION, ...own }, null, 2) + '\n'
}

function readConfig (path: string): Pick<Home, 'domain' | 'name'> {
  const damaged = (why: string, cause?: unknown): DiadError =>
    new DiadError('home-damaged', `${path} is damaged: ${why}`, 'restore it from a backup, or make a new home and put the keys there', { cause })
  let fields: Map<string, unknown>
  try {
    fields = jsonFields(readFileSync(path, 'utf8'))
  } catch (err) {
    throw err instanceof MalformedError ? damaged(err.message, err) : homeFailure(err, path, 'read', '--home')
  }
  if (fields.get('format') !== FORMAT) throw damaged(`its format is not ${FORMAT}`)
  const version = fields.get('version')
  if (typeof version !== 'number' || !Number.isSafeInteger(version) || version < 1) throw damaged('it has no version')
  if (version > VERSION) {
    throw new DiadError('home-newer', `${path} was written by a newer diad (layout ${version}, this one knows ${VERSION})`, 'update diad')
  }
  for (const key of fields.keys()) if (!['format', 'version', 'domain', 'name'].includes(key)) throw damaged(`it has an unknown field ${JSON.stringify(key)}`)
  const domain = fields.get('domain')
  const name = fields.get('name')
  if (domain === undefined && name === undefined) return { domain: undefined, name: undefined }
  if (typeof domain !== 'string' || typeof name !== 'string' || !isPetname(name)) throw damaged('domain and name go together')
  try {
    return { domain: parseDomain(domain), name }
  } catch (err) {
    throw damaged('its domain is not a DomainID', err)
  }
}
