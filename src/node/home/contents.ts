/** What diad itself makes in a home, by name: all that may be wiped with one. Whatever else lies there was put there by somebody. */
import { lstatSync, readdirSync, rmdirSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { homePaths } from './paths.js'

/** `true`: with all that is below it. */
type Made = true | ReadonlyMap<string, Made>

const whole = (...names: string[]): Map<string, Made> => new Map(names.map((name) => [name, true]))

const PATHS = homePaths('/')
const NAMES: ReadonlyMap<string, Made> = new Map<string, Made>([
  ...whole(...[PATHS.config, PATHS.keys, PATHS.offline, PATHS.petnames, PATHS.principals].map((path) => basename(path))),
  ...whole(`${PATHS.nodeKeyName}.key`, `${PATHS.nodeKeyName}.pub`, 'diad.sock', 'rescue.json', 'seals'),
  ...whole('last-signed.json', 'made-requests.json', 'root-drills.json', 'root-names.json', 'signed-entries.json', 'admission-nonces.json', 'admission-requests'),
  [basename(PATHS.store), whole('FORMAT', 'FORMAT.new', 'index', 'packs', 'reserve')],
  [basename(PATHS.domain), whole('domain.id', 'domain.pubkey', 'authorities', 'policies', 'attestations')]
])
/** What an interrupted write leaves (atomic-file.ts, projection.ts). */
const UNFINISHED = /^(.+)\.[0-9a-f]{12}\.(?:tmp|old)$/

const madeBy = (names: ReadonlyMap<string, Made>, name: string): Made | undefined => names.get(name) ?? (names.has(UNFINISHED.exec(name)?.[1] ?? '') ? true : undefined)

/** Removes what diad made in the home at `root`, `last` at the very end, and the directory where nothing else is in it. Returns the paths of what is left. */
export function removeHome (root: string, last: string): string[] {
  const left = removeMade(root, NAMES, last)
  rmSync(join(root, last), { force: true })
  removeEmpty(root)
  return left
}

function removeMade (folder: string, names: ReadonlyMap<string, Made>, last?: string): string[] {
  const left: string[] = []
  for (const name of readdirSync(folder).sort()) {
    if (name === last) continue
    const path = join(folder, name)
    const made = madeBy(names, name)
    if (made === undefined) left.push(path)
    // A link goes by itself, and what it leads to stays.
    else if (made === true || !lstatSync(path).isDirectory()) rmSync(path, { recursive: true, force: true })
    else {
      left.push(...removeMade(path, made))
      removeEmpty(path)
    }
  }
  return left
}

function removeEmpty (folder: string): void {
  try {
    rmdirSync(folder)
  } catch { /* a mount point, or something is in it: it stays */ }
}
