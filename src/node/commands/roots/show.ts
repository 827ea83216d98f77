/** `diad root show`: the roots of a domain, what they certify, and where authority stands. */
import type { AuthorityCertificate } from '../../../authority/certificate.js'
import { DiadError } from '../../../substrate/errors.js'
import { findKeysOf } from '../../keys/find-keys.js'
import { drilledAt, isDrilled, readDrills } from '../../roots/drills.js'
import type { Context } from '../context.js'
import { rootsDomain } from './new-epoch.js'
import type { RootsArgs, RootsResults } from './types.js'

export async function rootShow (context: Context, args: RootsArgs['root show']): Promise<RootsResults['root show']> {
  const k = await rootsDomain(context, args.domain)
  const authority = k.authority()
  const last = authority.rootChain.entries.at(-1)
  const j = last === undefined ? undefined : authority.rootChain.judged.get(last.ref)
  if (last === undefined || j?.rootSet === undefined) throw new DiadError('unknown-domain', 'nothing of this domain\'s roots is held here', 'sync the domain first')
  const certificate = j.certificate as AuthorityCertificate
  const rootKey = certificate.subject_pubkey
  const drill = readDrills(context.home).get(last.entry.next_commitment)
  return {
    domain: k.domain,
    epoch: last.entry.epoch,
    entry: last.ref,
    state: authority.state === 'ok' ? 'ok' : authority.reason,
    root_keys: j.rootSet.root_keys,
    threshold: j.rootSet.threshold,
    commitment: last.entry.next_commitment,
    root_key: rootKey,
    root_key_here: findKeysOf([context.home.paths.keys], [rootKey]).size > 0,
    policy: certificate.policy_hash,
    manifests: authority.onChain.map(({ ref, manifest }) => ({
      version: manifest.version,
      ref,
      epoch: authority.rootChain.judged.get(manifest.root_entry)?.entry.epoch ?? -1,
      principals: manifest.principals.length
    })),
    fork: [...authority.forkChildren],
    drill: { signed: drill?.signed.size ?? 0, needed: drill?.threshold ?? null, at: drill === undefined ? null : drilledAt(drill) ?? [...drill.signed.values()].sort().at(-1) ?? null, done: isDrilled(drill) }
  }
}
