/**
 * What names a target file system can't keep apart or can't hold. A Tree may hold any bytes that are legal in SCHEMA (`/usr/include` alone has eight
 * case twins), so only the target can say no: it is probed in the fresh directory before the first file, and where it says anything at all, the whole
 * Tree is looked through before the first file is written. Source: DESIGN §3 Names, THREATS 30.
 */
import { closeSync, constants, lstatSync, openSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { showName } from '../../publication/names.js'
import { treeLeaves } from '../../publication/walk.js'
import { DiadError } from '../../substrate/errors.js'
import type { Reference } from '../../substrate/reference.js'
import type { BlockReader } from '../../substrate/store.js'
import { systemCode } from './failure.js'
import type { Pacer } from './pacer.js'

export interface NameRules {
  /** `a` and `A` are one file */
  ignoresCase: boolean
  /** composed and decomposed forms of a letter are one file */
  normalises: boolean
  /** DOS rules: no backslash, colon and the like, no reserved device names, no dot or space at the end */
  dos: boolean
}

const COMPOSED = 'diad-probe-\u00e9'
const DECOMPOSED = COMPOSED.normalize('NFD')
const LOWER = 'diad-probe-a'
const DOS_FORBIDDEN = 'diad-probe:?'

/** Tries the empty `directory` out; leaves nothing in it. */
export function probeNames (directory: string): NameRules {
  return {
    ignoresCase: seenAs(directory, LOWER, LOWER.toUpperCase()),
    normalises: seenAs(directory, COMPOSED, DECOMPOSED),
    dos: process.platform === 'win32' || !holds(directory, DOS_FORBIDDEN)
  }
}

function seenAs (directory: string, written: string, asked: string): boolean {
  const path = join(directory, written)
  create(path)
  const seen = lstatSync(join(directory, asked), { throwIfNoEntry: false }) !== undefined
  unlinkSync(path)
  return seen
}

function holds (directory: string, name: string): boolean {
  const path = join(directory, name)
  try {
    create(path)
  } catch (err) {
    if (systemCode(err) === 'EINVAL') return false
    throw err
  }
  unlinkSync(path)
  return true
}

function create (path: string): void {
  closeSync(openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600))
}

/** Throws `name-twins` or `name-unsupported` for the first name below the directory `ref` that `rules` don't allow. Reads Trees only. */
export async function checkNames (reader: BlockReader, ref: Reference, rules: NameRules, pacer: Pacer, path = ''): Promise<void> {
  if (!rules.ignoresCase && !rules.normalises && !rules.dos) return
  const seen = new Map<string, string>()
  for await (const entries of treeLeaves(reader, ref)) {
    for (const e of entries) {
      if (pacer.due()) await pacer.turn()
      const at = path === '' ? e.name : `${path}/${e.name}`
      if (rules.dos && isDosForbidden(e.name)) {
        throw new DiadError('name-unsupported', `this file system can't hold the name ${showName(at)}`, 'nothing was written; check out to another file system')
      }
      const folded = fold(e.name, rules)
      const twin = seen.get(folded)
      if (twin !== undefined) {
        throw new DiadError('name-twins', `this file system takes ${showName(twin)} and ${showName(e.name)} for one name (in ${path === '' ? 'the top directory' : showName(path)})`,
          'nothing was written; check out to another file system')
      }
      seen.set(folded, e.name)
      if (e.kind === 'dir') await checkNames(reader, e.ref, rules, pacer, at)
    }
  }
}

/** Folds at least as much as any file system does; folding too much refuses a checkout, too little is caught by O_EXCL. */
function fold (name: string, rules: NameRules): string {
  const form = rules.normalises ? name.normalize('NFD') : name
  return rules.ignoresCase ? form.toUpperCase().toLowerCase() : form
}

function isDosForbidden (name: string): boolean {
  // eslint-disable-next-line no-control-regex -- DOS forbids exactly these
  return /[\u0000-\u001f<>:"|?*\\]|[. ]$/.test(name) || /^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\.|$)/i.test(name)
}
