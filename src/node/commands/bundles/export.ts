/** `diad bundle export`: what a domain exports, as one CAR file. Source: RULES B3, A2. */
import { exportBundle } from '../../../federation/bundle.js'
import type { Reference } from '../../../substrate/reference.js'
import { DiadError, MalformedError } from '../../../substrate/errors.js'
import { pathFault } from '../../../publication/names.js'
import type { CommandArgs, CommandIo, CommandResults } from '../../command.js'
import { type Context, domainOf, heldDomain } from '../context.js'
import { writeBundle } from './file.js'
import { readHeads } from './heads.js'

export async function bundleExport (context: Context, args: CommandArgs['bundle export'], io: CommandIo): Promise<CommandResults['bundle export']> {
  const domain = domainOf(context, args.domain)
  await heldDomain(context, domain)
  const own = context.runtime.records.get(domain)?.own === true
  if (args.all && !own) throw new DiadError('not-ours', '--all is for a domain of this home: of others only what they export is passed on', 'leave it out')
  for (const p of args.prefixes) {
    const fault = p === '' ? undefined : pathFault(p)
    if (fault !== undefined) throw new MalformedError(`"${p}" can't be the beginning of a name: ${fault}`)
  }
  const since = args.since === undefined ? undefined : readHeads(args.since, domain)
  return await writeDomain(context, domain, { file: args.file, since, prefixes: args.prefixes, proposals: args.all }, io)
}

interface What { file: string, since?: ReturnType<typeof readHeads> | undefined, prefixes: string[], proposals: boolean }

/** Writes a bundle to a file, or to standard output for `-`; undefined then. */
export async function writeDomain (context: Context, domain: Reference, what: What, io: CommandIo): Promise<{ domain: string, file: string, blocks: number, bytes: number, missing: number } | undefined> {
  let blocks = 0
  let bytes = 0
  const missing = new Set<Reference>()
  const pieces = counted(exportBundle(context.runtime, domain, {
    since: what.since,
    prefixes: what.prefixes,
    proposals: what.proposals,
    signal: io.signal,
    onProgress: (done, total) => {
      blocks = done
      io.progress({ phase: 'exporting', done, unit: 'blocks', bytes: total })
    },
    onMissing: (ref) => { missing.add(ref) }
  }), (n) => { bytes += n })
  if (what.file === '-') for await (const piece of pieces) await io.write(piece)
  else await writeBundle(what.file, pieces)
  if (missing.size > 0) io.warn(`${missing.size} blocks of content that names need aren't held here and aren't in the bundle`)
  return what.file === '-' ? undefined : { domain, file: what.file, blocks, bytes, missing: missing.size }
}

async function * counted (pieces: AsyncIterable<Uint8Array>, add: (n: number) => void): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const piece of pieces) {
    add(piece.length)
    yield piece
  }
}
