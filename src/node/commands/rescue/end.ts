/**
 * `diad rescue end`: everything of the domain that is here, this node's own lanes too, as a bundle for the owner; then the home is wiped. Never before
 * the bundle lies there in full and was read back, and never a home that `rescue start` didn't make.
 */
import { readdirSync, realpathSync, rmdirSync, rmSync } from 'node:fs'
import { dirname, join, sep } from 'node:path'
import { inspectBundle } from '../../../federation/bundle.js'
import { DiadError } from '../../../substrate/errors.js'
import type { CommandArgs, CommandIo, CommandResults } from '../../command.js'
import { bytesOf } from '../bundles/file.js'
import { writeDomain } from '../bundles/export.js'
import { readHeads } from '../bundles/heads.js'
import type { Context } from '../context.js'
import { readNote } from './note.js'

export async function rescueEnd (context: Context, args: CommandArgs['rescue end'], io: CommandIo): Promise<CommandResults['rescue end']> {
  const { runtime, home: { paths: { root } } } = context
  const { domain } = readNote(root)
  if (context.network !== undefined) throw new DiadError('store-busy', 'a daemon serves this rescue home', 'stop it first: what it does meanwhile would be lost')
  if (isInside(root, args.out)) throw new DiadError('usage', `${args.out} is in the home that is wiped`, 'write the bundle somewhere else, e.g. to the stick')
  const since = args.since === undefined ? undefined : readHeads(args.since, domain)
  const written = await writeDomain(context, domain, { file: args.out, since, prefixes: [], proposals: true }, io)
  if (written === undefined) throw new Error('the bundle was not written to a file')
  const read = await inspectBundle(bytesOf(args.out, io), { signal: io.signal })
  // What begins behind the receiver's heads can't be judged alone, but it was read to where that shows.
  if (read.status === 'rejected' && !(since !== undefined && read.code === 'range-gap')) {
    throw new DiadError('bundle-refused', `${args.out} was written and can't be read back: ${read.text} (${read.code})`, 'nothing was wiped; write it to another place')
  }
  await runtime.close()
  wipe(root)
  return { ...written, home: root }
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

/** The note goes last: a wiping that is cut off can be told from somebody's home, and be done again by hand. */
function wipe (root: string): void {
  const last = 'rescue.json'
  for (const name of readdirSync(root)) if (name !== last) rmSync(join(root, name), { recursive: true, force: true })
  rmSync(join(root, last), { force: true })
  try {
    rmdirSync(root)
  } catch { /* a mount point, or something was put there meanwhile: it stays */ }
}
