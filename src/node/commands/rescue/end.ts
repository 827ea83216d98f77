/**
 * `diad rescue end`: everything of the domain that is here, this node's own lanes too, as a bundle for the owner; then the home is wiped. Never before
 * the bundle lies there in full and was read back, never a home that `rescue start` didn't make, and nothing in it that diad didn't.
 */
import { existsSync, readdirSync, realpathSync } from 'node:fs'
import { basename, dirname, join, sep } from 'node:path'
import type { DomainKnowledge } from '../../../authority/knowledge.js'
import { inspectBundle } from '../../../federation/bundle.js'
import { principalId } from '../../../publication/evidence.js'
import { INTERNAL } from '../../../publication/lane.js'
import { domainText } from '../../../substrate/domain-id.js'
import { DiadError } from '../../../substrate/errors.js'
import type { PublicKey, Reference } from '../../../substrate/reference.js'
import type { CommandArgs, CommandIo, CommandResults } from '../../command.js'
import { bytesOf } from '../bundles/file.js'
import { writeDomain } from '../bundles/export.js'
import { readHeads } from '../bundles/heads.js'
import { removeHome } from '../../home/contents.js'
import type { Context } from '../context.js'
import { rescueNotePath } from './is-rescue.js'
import { readNote } from './note.js'

/** Paths that a warning names. */
const SHOWN = 8

export async function rescueEnd (context: Context, args: CommandArgs['rescue end'], io: CommandIo): Promise<CommandResults['rescue end']> {
  const { runtime, home: { paths: { root } } } = context
  const { domain, home: made, publicKey } = readNote(root)
  if (context.network !== undefined) throw new DiadError('store-busy', 'a daemon serves this rescue home', 'stop it first: what it does meanwhile would be lost')
  if (isInside(root, args.out)) throw new DiadError('usage', `${args.out} is in the home that is wiped`, 'write the bundle somewhere else, e.g. to the stick')
  demandFolder(args.out)
  checkWipe(context, domain, made)
  if (args.yes !== true) demandNoDecisions(await runtime.knowledge(domain), publicKey)
  const since = args.since === undefined ? undefined : readHeads(args.since, domain)
  const written = await writeDomain(context, domain, { file: args.out, since, prefixes: [], proposals: true, fresh: true }, io)
  if (written === undefined) throw new Error('the bundle was not written to a file')
  // What begins behind the receiver's heads can't be judged alone: it is read on top of what is here, and to its end all the same.
  const base = since === undefined ? undefined : await runtime.knowledge(domain)
  const read = await inspectBundle(bytesOf(args.out, io), { signal: io.signal, base })
  if (read.status === 'rejected') {
    throw new DiadError('bundle-refused', `${args.out} was written and can't be read back: ${read.text} (${read.code})`, 'nothing was wiped; write it to another place')
  }
  await runtime.close()
  // The note goes last: a wiping that is cut off can be told from somebody's home, and be done again by hand.
  const left = removeHome(root, basename(rescueNotePath(root)))
  if (left.length > 0) io.warn(`what diad didn't make in ${root} was left there: ${shownPaths(left)}; the store of this rescue is gone from it`)
  return { ...written, home: root, left }
}

/** What `make it first` would make here: a folder of the stick's name, on the disk of a borrowed machine. */
function demandFolder (out: string): void {
  const folder = dirname(out)
  if (existsSync(folder)) return
  throw new DiadError('unwritable', `can't write ${out}: the folder ${folder} does not exist`,
    'nothing was wiped. If it belongs to a stick, plug it in first: a folder made here under that name is on this machine\'s disk, and the file would be the only copy of this work')
}

function shownPaths (paths: readonly string[]): string {
  const more = paths.length - SHOWN
  return paths.slice(0, SHOWN).join(', ') + (more > 0 ? ` and ${more} more` : '')
}

/** Nothing is wiped that the bundle doesn't hold: keys that were made here, another domain of this home's own, a home that only looks like a rescue's. */
function checkWipe ({ runtime, home: { paths } }: Context, domain: Reference, made: string): void {
  const real = realpathSync(paths.root)
  if (real !== made) throw new DiadError('not-a-rescue', `rescue.json was made for ${made}, and this home is ${real}`, 'export with `diad bundle export DOMAIN FILE --all` and remove the directory by hand')
  for (const folder of [paths.keys, paths.offline]) {
    const names = existsSync(folder) ? readdirSync(folder, { recursive: true, withFileTypes: true }).filter((e) => !e.isDirectory() && !e.name.endsWith('.pub')) : []
    const [key] = names
    if (key !== undefined) throw new DiadError('keys-here', `${join(key.parentPath, key.name)} may be the only copy of a key`, 'move it to where it belongs, and end the rescue then')
  }
  const other = [...runtime.records].find(([d, r]) => r.own && d !== domain)
  if (other !== undefined) throw new DiadError('own-domain', `the domain ${domainText(other[0])} of this home's own is here, too`, 'export it with `diad bundle export DOMAIN FILE --all` and remove the directory by hand')
}

/** D3: the bundle goes through many hands, so it holds nothing internal. */
function demandNoDecisions (k: DomainKnowledge, key: PublicKey): void {
  const mine = [...k.viewAll().lanes.values()].filter((v) => v.knowledge.lane.principal === principalId(key) && v.knowledge.lane.visibility === INTERNAL)
  const made = mine.reduce((n, v) => n + v.judged.filter((j) => j.body?.kind === 'admit').length, 0)
  if (made === 0) return
  const many = made === 1 ? 'a decision on another domain was' : `${made} decisions on other domains were`
  throw new DiadError('not-confirmed', `${many} made with this home's key, and the bundle that is written now holds nothing internal`, `nothing was wiped; \`diad bundle export ${domainText(k.domain)} FILE --internal\` hands them to your other machines; then end with --yes`)
}

function isInside (root: string, file: string): boolean {
  const real = (path: string): string => {
    try {
      return realpathSync(path)
    } catch {
      return path
    }
  }
  const at = real(dirname(file))
  return at === real(root) || at.startsWith(real(root) + sep)
}
