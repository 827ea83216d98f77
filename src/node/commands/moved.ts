/** Where a followed domain's roots say that it goes on, and following it there. Nothing is followed by itself: a person accepts it by hand (RULES M8). */
import { moveWords } from '../../authority/explain/words.js'
import type { DomainKnowledge } from '../../authority/knowledge.js'
import { domainText } from '../../substrate/domain-id.js'
import { DiadError } from '../../substrate/errors.js'
import type { Reference } from '../../substrate/reference.js'
import type { CommandArgs, CommandIo, Moved } from '../command.js'
import { demandFree, isWholeDomain, passPetname } from '../home/petnames.js'
import type { Runtime } from '../runtime.js'
import { calledHere, type Context, domainOf, heldDomain } from './context.js'

/** As results hold it; nothing where the roots say nothing. */
export function movedField (runtime: Runtime, k: DomainKnowledge): { moved?: Moved[] } {
  const moved = k.authority().moves.map(({ ref, move: { to } }) => {
    const record = runtime.records.get(to)
    return { to, move: ref, followed: record !== undefined && !record.dormant }
  })
  return moved.length === 0 ? {} : { moved }
}

/** What following the new domain takes over from the old one. */
export interface Inherited {
  readonly args: CommandArgs['follow']
  readonly from: Reference
  /** To be called once the new domain is followed: the petname goes over, unless another one was given. What the old one is called from now on. */
  readonly rename: () => string | undefined
}

/**
 * `--moved-from`: checks that a held move says so, and takes over mode, quota, addresses and petname as far as `args` says nothing else. Throws DiadError
 * `usage`, `not-moved`, and what finding and naming throw.
 */
export async function inherited (context: Context, args: CommandArgs['follow'], movedFrom: string, io: CommandIo): Promise<Inherited> {
  const { runtime, home } = context
  if (!isWholeDomain(args.domain)) throw new DiadError('usage', 'the domain that another one moved to has to be named in full', 'write its whole DomainID (dom1…), as its people gave it to you')
  const [to, from] = [domainOf(context, args.domain), domainOf(context, movedFrom)]
  // After the first time the petname means the new one.
  if (from === to) throw new DiadError('usage', `a domain can't go on from itself: ${calledHere(context, to)} is both`, 'name the old one with --moved-from; see `diad status`')
  const k = await heldDomain(context, from)
  demandMoved(context, k, to)
  if (k.authority().moves.length > 1) io.warn(`the roots of ${calledHere(context, from)} name ${k.authority().moves.length} different domains: whoever signed the others has its root keys, too`)
  if (args.name !== undefined) demandFree(home, args.name, to)
  const [old, now] = [runtime.records.get(from), runtime.records.get(to)]
  const known = now === undefined || now.dormant ? old : now
  const mode = args.mode ?? known?.mode ?? 'mirror'
  const quota = args.quota ?? (mode === 'mirror' ? known?.quota : undefined)
  return {
    args: { ...args, mode, peers: [...new Set([...args.peers, ...old?.peers ?? []])], ...(quota === undefined ? {} : { quota }) },
    from,
    rename: () => args.name === undefined ? passPetname(home, from, to) : undefined
  }
}

function demandMoved (context: Context, k: DomainKnowledge, to: Reference): void {
  const { moves } = k.authority()
  if (moves.some((m) => m.move.to === to)) return
  const called = calledHere(context, k.domain)
  if (moves.length === 0) throw new DiadError('not-moved', `nothing held here says that ${called} moved`, 'nothing was followed; `diad sync` asks for news of it. Plain `diad follow` follows any domain, as one of its own')
  throw new DiadError('not-moved', `the roots of ${called} don't name ${domainText(to)}: ${moveWords(k).join('; ')}`, 'nothing was followed; compare the DomainIDs, letter by letter')
}
