/** `diad bundle export`: what a domain exports, as one CAR file. Source: RULES B3, A2. */
import { lstatSync } from 'node:fs'
import { scopeHolds } from '../../../authority/admission-objects.js'
import { exportBundle, type HeldHeads, type InternalAmount } from '../../../federation/bundle.js'
import { isPublic } from '../../../federation/visibility.js'
import { NONE, type Reference } from '../../../substrate/reference.js'
import { DiadError, MalformedError } from '../../../substrate/errors.js'
import { pathFault } from '../../../publication/names.js'
import type { CommandArgs, CommandIo, CommandResults } from '../../command.js'
import { type Context, domainOf, heldDomain } from '../context.js'
import { demandNothingLost } from './earlier.js'
import { writeBundle } from './file.js'
import { headsFrom } from './heads.js'
import { demandFree, demandPlace, isBundleOf } from './target.js'

export async function bundleExport (context: Context, args: CommandArgs['bundle export'], io: CommandIo): Promise<CommandResults['bundle export']> {
  const domain = domainOf(context, args.domain)
  const k = await heldDomain(context, domain)
  const own = context.runtime.records.get(domain)?.own === true
  if (args.all && !own) throw new DiadError('not-ours', '--all is for a domain of this home: of others only what they export is passed on', 'leave it out')
  if (args.internal === true && !own) throw new DiadError('not-ours', '--internal is for a domain of this home: what others decide is their own affair', 'leave it out')
  if (!isPublic(k)) checkRestricted(own, args.restricted === true, io)
  const { state } = k.authority()
  if (state === 'authority-forked' || state === 'root-forked') {
    io.warn(`${state === 'root-forked' ? 'the root chain' : 'authority'} is forked: the bundle carries every branch, and for whoever takes it in none counts until ${own ? 'your' : 'its owner\'s'} roots choose`)
  }
  for (const p of args.prefixes) {
    const fault = p === '' ? undefined : pathFault(p)
    if (fault !== undefined) throw new MalformedError(`"${p}" can't be the beginning of a name: ${fault}`)
  }
  const since = args.since === undefined ? undefined : await headsFrom(args.since, domain, io)
  const names = [...(args.all ? k.viewAll() : k.view()).current.values()].filter((e) => e.ref !== NONE)
  for (const p of args.prefixes) if (!names.some((e) => scopeHolds([p], e.name))) io.warn(`no name of the domain is ${p}, or stands below it: --prefix ${p} adds no content`)
  return await writeDomain(context, domain, { file: args.file, since, prefixes: args.prefixes, proposals: args.all, internal: args.internal === true }, io)
}

/** V1, V6: nothing guards a file. The owner may hand it to whom he likes; who was only let in mustn't let others in by mistake. */
function checkRestricted (own: boolean, meant: boolean, io: CommandIo): void {
  if (own) io.warn('the policy shows this domain to its trusted domains alone, and whoever gets the file can read it: hand it to nobody else')
  else if (!meant) throw new DiadError('restricted-domain', 'the owner of this domain shows it to its trusted domains alone, and whoever gets the file can read it', 'to hand it to one of them all the same: --restricted')
}

interface What { file: string, since?: HeldHeads | undefined, prefixes: string[], proposals: boolean, internal?: boolean, /** nothing may be called so yet */ fresh?: boolean }

/** Writes a bundle to a file, or to standard output for `-`; undefined then. */
export async function writeDomain (context: Context, domain: Reference, what: What, io: CommandIo): Promise<CommandResults['bundle export']> {
  let blocks = 0
  let internal: InternalAmount | undefined
  let bytes = 0
  const missing = new Set<Reference>()
  const pieces = counted(exportBundle(context.runtime, domain, {
    since: what.since,
    prefixes: what.prefixes,
    proposals: what.proposals,
    internal: what.internal,
    onInternal: (amount) => { internal = amount },
    signal: io.signal,
    onProgress: (done, total) => {
      blocks = done
      io.progress({ phase: 'exporting', done, unit: 'blocks', bytes: total })
    },
    onMissing: (ref) => { missing.add(ref) }
  }), (n) => { bytes += n })
  if (what.file === '-') for await (const piece of pieces) await io.write(piece)
  else {
    const place = (): void => {
      if (what.fresh === true) demandFree(what.file)
      else demandPlace(what.file, 'bundle', (path) => isBundleOf(path, domain))
    }
    place()
    await writeBundle(what.file, pieces, async (written) => {
      if (lstatSync(what.file, { throwIfNoEntry: false }) !== undefined && what.fresh !== true) await demandNothingLost(what.file, written, await namesOf(context, domain, what), await context.runtime.knowledge(domain), what.since !== undefined, io)
      place()
    })
  }
  if (missing.size > 0) io.warn(`${missing.size} blocks of content that names need aren't held here and aren't in the bundle`)
  if (what.internal === true) io.warn('whoever reads the file sees whom this domain admitted and whom it turned away: it is for your own machines alone')
  return what.file === '-' ? undefined : { domain, file: what.file, blocks, bytes, missing: missing.size, ...(internal === undefined ? {} : { internal }) }
}

/** What the domain's names stand for. */
async function namesOf (context: Context, domain: Reference, { proposals }: What): Promise<Map<Reference, string>> {
  const k = await context.runtime.knowledge(domain)
  return new Map([...(proposals ? k.viewAll() : k.view()).current.values()].filter((e) => e.ref !== NONE).map((e) => [e.ref, e.name]))
}

async function * counted (pieces: AsyncIterable<Uint8Array>, add: (n: number) => void): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const piece of pieces) {
    add(piece.length)
    yield piece
  }
}
