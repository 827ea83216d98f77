/** `diad name`: what this home calls a domain (RULES N1). */
import { DiadError } from '../../substrate/errors.js'
import type { CommandArgs, CommandIo, CommandResults } from '../command.js'
import { petnameOf, readPetnames, removePetname, setPetname } from '../home/petnames.js'
import { type Context, domainOf } from './context.js'

export async function name (context: Context, args: CommandArgs['name'], _io: CommandIo): Promise<CommandResults['name']> {
  const { home } = context
  const domain = domainOf(context, args.domain)
  const before = petnameOf(readPetnames(home), domain)
  if (args.remove) {
    if (removePetname(home, domain) === undefined) throw new DiadError('not-found', 'that domain has no petname here', 'see `diad status`')
  } else if (args.petname !== undefined) setPetname(home, args.petname, domain)
  const now = petnameOf(readPetnames(home), domain)
  return { domain, name: now ?? null, ...(before === undefined || before === now ? {} : { before }) }
}
