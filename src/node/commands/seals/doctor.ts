/** `diad doctor`: looks at everything that can go wrong in a home without anybody noticing. Changes nothing but marks of blocks that are lost. */
import { DiadError } from '../../../substrate/errors.js'
import { domainText } from '../../../substrate/domain-id.js'
import type { Reference } from '../../../substrate/reference.js'
import type { CommandIo } from '../../command.js'
import { checkDomain, checkElsewhere, checkMoved } from '../../doctor/domains.js'
import { type Finding, trouble } from '../../doctor/finding.js'
import { checkHome } from '../../doctor/home.js'
import { checkKeyRoles, checkKeys } from '../../doctor/keys.js'
import { checkProjection, checkSeals } from '../../doctor/seals.js'
import { checkStore } from '../../doctor/store.js'
import { petnameOf, readPetnames } from '../../home/petnames.js'
import type { Context } from '../context.js'
import { isRescue } from '../rescue/is-rescue.js'
import type { SealsArgs, SealsResults } from './types.js'

export async function doctor (context: Context, args: SealsArgs['doctor'], io: CommandIo): Promise<SealsResults['doctor']> {
  const { home, runtime } = context
  const findings: Finding[] = []
  /** One check that fails mustn't hide what the others would find. */
  const look = async (where: string, check: () => Finding[] | Promise<Finding[]>): Promise<void> => {
    try {
      findings.push(...await check())
    } catch (err) {
      io.signal.throwIfAborted()
      if (err instanceof DiadError && err.code === 'interrupted') throw err
      findings.push(trouble(err, where))
    }
  }
  const typed = (domain: Reference): string => {
    try {
      return petnameOf(readPetnames(home), domain) ?? domainText(domain)
    } catch {
      return domainText(domain)
    }
  }
  await look(home.paths.root, () => checkHome(home))
  await look(home.paths.keys, async () => await checkKeys(home, io.passphrase ?? { kind: 'none' }))
  await look(runtime.store.folder, async () => await checkStore(runtime, args.deep, io, typed))
  for (const domain of runtime.active()) {
    await look(typed(domain), async () => checkDomain(runtime, await runtime.knowledge(domain), typed(domain)))
    await look(typed(domain), async () => checkMoved(runtime, await runtime.knowledge(domain), typed(domain)))
  }
  const own = runtime.own()
  if (own !== undefined) {
    await look(typed(own), async () => checkElsewhere(home, runtime, await runtime.knowledge(own), typed(own)))
    await look(home.paths.keys, async () => checkKeyRoles(home, await runtime.knowledge(own)))
    // A rescue writes no readable domain root: nothing of it stays.
    if (!isRescue(home)) await look(home.paths.domain, async () => checkProjection(home, await runtime.knowledge(own)))
    await look(home.paths.root, async () => await checkSeals(home, await runtime.knowledge(own)))
  }
  const bad = findings.some((f) => f.level === 'bad')
  const warned = findings.some((f) => f.level === 'warn')
  return { status: bad ? 'rejected' : 'accepted', code: bad ? 'bad' : warned ? 'warn' : 'ok', findings }
}
