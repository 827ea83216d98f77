/** What a new epoch is made of, from what a person typed: the domain, the root_key, the policy, the manifest to go on from. */
import type { DomainKnowledge } from '../../../authority/knowledge.js'
import type { NewEpoch } from '../../../authority/renew.js'
import { DiadError } from '../../../substrate/errors.js'
import type { Hash, PublicKey, Reference } from '../../../substrate/reference.js'
import { checkMaySign } from '../../authority.js'
import type { CommandIo } from '../../command.js'
import { createKeyFile, findKeyFile, recordedPublicKey } from '../../keys/key-file.js'
import { choosePassphrase, type PassphraseSource } from '../../keys/passphrase.js'
import { readPolicyFile } from '../../policy/policy-file.js'
import { openFounding } from '../../roots/made-requests.js'
import { calledHere, type Context, domainOf, heldDomain, ownDomain } from '../context.js'
import { demandFree } from './root-signers.js'
import type { NewEpochArgs, RootSigning } from './types.js'

/** The domain that is meant, awake: the one named, the home's own, or the only one that a reader follows. */
export async function rootsDomain (context: Context, text: string | undefined): Promise<DomainKnowledge> {
  const active = context.runtime.active()
  const own = context.runtime.own()
  const only = own === undefined && active.length === 1 ? active[0] : undefined
  if (text === undefined && own === undefined && only === undefined) demandNamed(context)
  const domain = text === undefined ? only ?? ownDomain(context) : domainOf(context, text)
  await context.runtime.knowledge(domain)
  if (context.runtime.records.has(domain)) return await context.runtime.wake(domain)
  return await heldDomain(context, domain)
}

/** Whoever recovers a domain from a bundle mustn't be told to make another one. Throws DiadError `role-missing`. */
function demandNamed (context: Context): void {
  const held = [...context.runtime.records.keys()].sort()
  if (held.length === 0 || openFounding(context.home) !== undefined) return
  const some = held.slice(0, 5).map((d) => calledHere(context, d)).join(', ')
  throw new DiadError('role-missing', 'this home has no domain of its own, and nothing says which one is meant', `name it with --domain: held here ${held.length === 1 ? 'is' : 'are'} ${some}${held.length > 5 ? ` and ${held.length - 5} more` : ''}`)
}

/**
 * Whoever gets the hot keys of a domain is its home from then on, and one home has one: its live keys would be set aside for those of the other domain, and
 * it could sign for neither. To be called before anything is made or signed. Throws DiadError `own-domain`.
 */
export function demandHomeFor (context: Context, domain: Reference): void {
  const own = context.runtime.own()
  if (own === undefined || own === domain) return
  throw new DiadError('own-domain', `this home is that of ${calledHere(context, own)}: it can't get keys of ${calledHere(context, domain)}, too`, 'nothing was signed. Do this in a home without a domain: `diad bundle import FILE --home NEW`, or `diad sync DOMAIN --peer ADDRESS --home NEW`; then this command with --domain and --home NEW')
}

/**
 * M8, and that the request can be written. Where a person says from which manifest to go on, manifests that this home lacks don't matter; a root entry that
 * it lacks does: two entries after the same one fork the domain, unless they are forked already, which this command may settle.
 */
export async function checkMayGoOn (context: Context, k: DomainKnowledge, args: Pick<RootSigning, 'offline' | 'peers' | 'request'> & Pick<NewEpochArgs, 'base'>, io: CommandIo): Promise<void> {
  demandFree(args.request)
  const { state, rootChain } = k.authority()
  if (rootChain.state === 'root-forked') return
  await checkMaySign(context, k, io, { offline: args.offline, peers: args.peers }, args.base === undefined && state === 'ok' ? 'manifest' : 'entry')
}

/** Throws DiadError `malformed`, `not-found`, and what reading the policy and making the key throw. */
export async function epochFrom (context: Context, k: DomainKnowledge, args: Pick<NewEpochArgs, 'rootKey' | 'policy' | 'base'>, io: CommandIo, passphrase = askOnce(io, 'the new root_key'), stolen = false): Promise<NewEpoch> {
  const base = args.base === undefined ? undefined : baseFrom(k, args.base)
  const policy = args.policy === undefined ? undefined : /^[0-9a-f]{64}$/.test(args.policy) ? args.policy as Hash : readPolicyFile(args.policy)
  const rootKey = args.rootKey === 'new' ? await newHotKey(context, 'root_key', k.authority().rootChain.entries.length, passphrase, io, stolen) : undefined
  return { ...(base === undefined ? {} : { base }), ...(policy === undefined ? {} : { policy }), ...(rootKey === undefined ? {} : { rootKey }) }
}

/** A version on chain, a reference, or at least twelve digits of one. Throws DiadError `not-found`. */
export function baseFrom (k: DomainKnowledge, text: string): Reference {
  const { onChain, judged } = k.authority()
  const valid = [...judged.values()].filter((j) => j.verdict.status === 'accepted')
  const found = /^[0-9]{1,10}$/.test(text)
    ? [onChain.find((m) => m.manifest.version === Number(text))?.ref ?? valid.filter((j) => j.manifest.version === Number(text)).map((j) => j.ref)].flat()
    : /^[0-9a-f]{12,68}$/.test(text) ? valid.filter((j) => j.ref.startsWith(text)).map((j) => j.ref) : []
  const [only] = found
  if (only !== undefined && found.length === 1) return only
  throw new DiadError('not-found', found.length > 1 ? `there are ${found.length} manifests called ${text.slice(0, 80)}` : `no valid manifest ${text.slice(0, 80)} is held here`, 'see `diad root show`; name it by version or reference')
}

/** One question for all keys that a command makes, asked when the first of them is made. */
export function askOnce (io: CommandIo, what: string): () => Promise<PassphraseSource> {
  let answer: Promise<PassphraseSource> | undefined
  const ask = async (): Promise<PassphraseSource> => {
    const given = io.passphrase ?? { kind: 'none' as const }
    return given.kind === 'none' ? given : { kind: 'given', passphrase: await choosePassphrase(given, what, io.warn) as string }
  }
  return async () => await (answer ??= ask())
}

/**
 * A hot key for epoch `epoch`, under a name of its own until it is in force (place-key.ts). One that an earlier attempt left is used, unless `stolen`: who
 * took the keys may have taken that one too.
 */
export async function newHotKey (context: Context, role: 'root_key' | 'principal', epoch: number, passphrase: () => Promise<PassphraseSource>, io: CommandIo, stolen = false): Promise<PublicKey> {
  const directory = context.home.paths.keys
  let name = `${role}-e${epoch}`
  let left = findKeyFile(directory, name)
  for (let n = 2; stolen && left !== undefined; n++) left = findKeyFile(directory, name = `${role}-e${epoch}-${n}`)
  if (left === undefined) return (await createKeyFile({ directory, name, passphrase: await passphrase() })).publicKey
  io.warn(`${left} was made by an earlier attempt and is used`)
  return recordedPublicKey(left)
}
