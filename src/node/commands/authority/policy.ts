/** `diad policy show|check|set`: what a domain allows, as people write it. */
import type { ChainManifest } from '../../../authority/manifest-chain.js'
import { type DomainPolicy, policyHash } from '../../../authority/policy.js'
import { DiadError } from '../../../substrate/errors.js'
import type { CommandArgs, CommandIo, CommandResults } from '../../command.js'
import { policyText } from '../../policy/policy-text.js'
import { type Context, heldDomain, namedOrOwn, ownDomain } from '../context.js'
import type { EpochResult } from '../roots/types.js'

export async function policyShow (context: Context, args: CommandArgs['policy show'], _io: CommandIo): Promise<CommandResults['policy show']> {
  const k = await heldDomain(context, await namedOrOwn(context, args.domain))
  const { onChain, policyOf } = k.authority()
  const { ref, manifest } = onChain.at(-1) as ChainManifest
  const policy = policyOf(ref) as DomainPolicy
  return { domain: k.domain, policyHash: manifest.policy_hash, manifest: ref, version: manifest.version, policy, text: policyText(policy) }
}

/** The line of the first mistake, or whether the own domain has this very policy already. */
export async function policyCheck (context: Context | undefined, args: CommandArgs['policy check'], _io: CommandIo): Promise<CommandResults['policy check']> {
  const { readPolicyFile } = await import('../../policy/policy-file.js')
  const hash = policyHash(readPolicyFile(args.path))
  const own = context?.runtime.own()
  const tip = context === undefined || own === undefined ? undefined : (await context.runtime.knowledge(own)).authority().onChain.at(-1)
  return { path: args.path, policyHash: hash, inForce: tip === undefined ? null : tip.manifest.policy_hash === hash }
}

/** T2: the certificate of the epoch holds the policy, so a new one takes a new epoch, and the roots have to sign that. */
export async function policySet (context: Context, args: CommandArgs['policy set'], io: CommandIo): Promise<CommandResults['policy set']> {
  const { policyHash, inForce } = await policyCheck(context, args, io)
  if (inForce === null) ownDomain(context)
  if (inForce === true) throw new DiadError('nothing-to-change', 'that is the policy in force', 'see `diad policy show`')
  const { path, ...signing } = args
  const result = await context.run('root renew', { ...signing, rootKey: 'keep', policy: path }, io) as EpochResult
  return { ...result, policyHash }
}
