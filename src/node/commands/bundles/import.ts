/** `diad bundle import`: a bundle judged and taken in like a peer's word, all of it or nothing. Source: RULES B3, THREATS 31. */
import { shownNames } from '../../../authority/domain-view.js'
import { type Imported, importBundle } from '../../../federation/bundle.js'
import type { Hash, Reference } from '../../../substrate/reference.js'
import type { CommandArgs, CommandIo, CommandResults } from '../../command.js'
import { warnOfElsewhere } from '../../elsewhere.js'
import { checkPetname } from '../../home/petname.js'
import { demandFree, petnameOf, readPetnames, setPetname } from '../../home/petnames.js'
import { readPrincipalNames } from '../../home/principal-names.js'
import { type Context, domainOf, inTurn } from '../context.js'
import { bytesOf } from './file.js'
import type { BundleImported } from './types.js'

export async function bundleImport (context: Context, args: CommandArgs['bundle import'], io: CommandIo): Promise<CommandResults['bundle import']> {
  const { home, runtime } = context
  if (args.name !== undefined) checkPetname(args.name)
  // A name that is taken can be meant for its domain only.
  const domain = args.domain !== undefined ? domainOf(context, args.domain) : args.name === undefined ? undefined : readPetnames(home).get(args.name)
  const source = bytesOf(args.file, io)
  // Not while something is published: two exports of one domain at once would give up each other's marks.
  if (args.name !== undefined && domain !== undefined) demandFree(home, args.name, domain)
  const own = runtime.own()
  const before = own === undefined || (domain !== undefined && domain !== own) ? undefined : (await runtime.knowledge(own)).authority().tip
  const imported = await inTurn(context, async () => await importBundle(runtime, source, { domain, follow: args.follow, signal: io.signal, onProgress: (done, bytes) => { io.progress({ phase: 'importing', done, unit: 'blocks', bytes }) } }))
  // It was asked for only by the name, so the name is what is wrong.
  if (imported.code === 'other-domain' && args.domain === undefined && args.name !== undefined && imported.domain !== undefined) demandFree(home, args.name, imported.domain)
  if (imported.status === 'accepted' && imported.domain !== undefined && args.name !== undefined) setPetname(home, args.name, imported.domain)
  return await shown(context, imported, before, io)
}

async function shown (context: Context, imported: Imported, before: Reference | undefined, io: CommandIo): Promise<BundleImported> {
  const { domain, text, proposals, uncounted, ...rest } = imported
  const called = proposals.length + uncounted.length === 0 ? undefined : readPrincipalNames(context.home)
  const record = domain === undefined ? undefined : context.runtime.records.get(domain)
  const name = domain === undefined ? undefined : petnameOf(readPetnames(context.home), domain)
  if (record?.own === false && record.dormant && imported.status === 'accepted') io.warn('the domain is held and not followed: `diad follow` or --follow makes it take part')
  if (record?.own === true && domain !== undefined) warnOfElsewhere(context.home, context.runtime, await context.runtime.knowledge(domain), before, io.warn)
  if (imported.proposals.length > 0) io.warn('there are records that nobody exports yet: `diad ls DOMAIN --all` shows them, `diad vouch LANE` exports them')
  return {
    domain: domain ?? null,
    ...rest,
    proposals: proposals.map((p) => ({ ...p, ...principalNameOf(called?.get(p.principal as Hash)) })),
    uncounted: uncounted.map((u) => ({ ...u, names: [...u.names], ...principalNameOf(called?.get(u.principal)) })),
    ...(text === '' ? {} : { reason: text }),
    ...(name === undefined ? {} : { name }),
    ...(record === undefined ? {} : { following: !record.dormant }),
    names: domain === undefined || record === undefined ? 0 : await namesOf(context, domain)
  }
}

const principalNameOf = (principalName: string | undefined): { principalName?: string } => principalName === undefined ? {} : { principalName }

async function namesOf (context: Context, domain: Reference): Promise<number> {
  return shownNames((await context.runtime.knowledge(domain)).view()).length
}
