/** `diad bundle import`: a bundle judged and taken in like a peer's word, all of it or nothing. Source: RULES B3, THREATS 31. */
import { type Imported, importBundle } from '../../../federation/bundle.js'
import { NONE, type Reference } from '../../../substrate/reference.js'
import type { CommandArgs, CommandIo, CommandResults } from '../../command.js'
import { checkPetname } from '../../home/petname.js'
import { petnameOf, readPetnames, setPetname } from '../../home/petnames.js'
import { type Context, domainOf } from '../context.js'
import { bytesOf } from './file.js'
import type { BundleImported } from './types.js'

export async function bundleImport (context: Context, args: CommandArgs['bundle import'], io: CommandIo): Promise<CommandResults['bundle import']> {
  const { home, runtime } = context
  if (args.name !== undefined) checkPetname(args.name)
  // A name that is taken can be meant for its domain only.
  const domain = args.domain !== undefined ? domainOf(context, args.domain) : args.name === undefined ? undefined : readPetnames(home).get(args.name)
  const source = bytesOf(args.file, io)
  const run = async (): Promise<Imported> => await importBundle(runtime, source, { domain, follow: args.follow, signal: io.signal, onProgress: (done, bytes) => { io.progress({ phase: 'importing', done, unit: 'blocks', bytes }) } })
  // Not while something is published: two exports of one domain at once would give up each other's marks.
  const mine = context.publishing.then(run, run)
  context.publishing = mine.catch(() => undefined)
  const imported = await mine
  await runtime.settled()
  if (imported.status === 'accepted' && imported.domain !== undefined && args.name !== undefined) setPetname(home, args.name, imported.domain)
  return await shown(context, imported, io)
}

async function shown (context: Context, imported: Imported, io: CommandIo): Promise<BundleImported> {
  const { domain, text, ...rest } = imported
  const record = domain === undefined ? undefined : context.runtime.records.get(domain)
  const name = domain === undefined ? undefined : petnameOf(readPetnames(context.home), domain)
  if (record?.own === false && record.dormant && imported.status === 'accepted') io.warn('the domain is held and not followed: `diad follow` or --follow makes it take part')
  if (imported.proposals.length > 0) io.warn('there are records that nobody exports yet: `diad ls DOMAIN --all` shows them, `diad vouch LANE` exports them')
  return {
    domain: domain ?? null,
    ...rest,
    ...(text === '' ? {} : { reason: text }),
    ...(name === undefined ? {} : { name }),
    ...(record === undefined ? {} : { following: !record.dormant }),
    names: domain === undefined || record === undefined ? 0 : await namesOf(context, domain)
  }
}

async function namesOf (context: Context, domain: Reference): Promise<number> {
  return [...(await context.runtime.knowledge(domain)).view().current.values()].filter((e) => e.ref !== NONE).length
}
