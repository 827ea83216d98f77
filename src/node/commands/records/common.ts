/** What the commands on single records ask for: a signer, a lane or a principal as people write them. */
import type { DomainKnowledge } from '../../../authority/knowledge.js'
import type { ViewedLane } from '../../../authority/domain-view.js'
import { shortDomain } from '../../../substrate/domain-id.js'
import { DiadError, MalformedError } from '../../../substrate/errors.js'
import type { Hash, Reference } from '../../../substrate/reference.js'
import type { Signer } from '../../../substrate/signature.js'
import type { CommandIo } from '../../command.js'
import { openSigner } from '../../keys/open-signer.js'
import { type Context, principalSigner } from '../context.js'

/** hex digits that are enough for a lane (its constant beginning among them) or a principal */
export const LEAST_DIGITS = { lane: 12, principal: 8 } as const
/** of the hash id in front of a Reference's digest */
const HASH_ID_DIGITS = 4

/** Runs `work` with the key that was named, which is let go of afterwards, or with the home's own. */
export async function withSigner<T> (context: Context, io: CommandIo, key: string | undefined, work: (signer: Signer) => Promise<T>): Promise<T> {
  const opened = key === undefined ? undefined : await openSigner(key, io.passphrase ?? { kind: 'none' }, { signal: io.signal })
  try {
    return await work(opened ?? await principalSigner(context, io))
  } finally {
    opened?.close()
  }
}

export interface FoundLane { readonly k: DomainKnowledge, readonly lane: Reference }

/** Whether `text` is a Reference or the beginning of it, with the hash id that all of them begin with or without. */
export function beginsWith (ref: Reference, text: string): boolean {
  return ref.startsWith(text) || ref.slice(HASH_ID_DIGITS).startsWith(text)
}

/** The lanes of all domains here whose Reference is, or begins with, `text`; none for fewer digits than are enough. */
export async function lanesNamed (context: Context, text: string): Promise<FoundLane[]> {
  const out: FoundLane[] = []
  if (text.length < LEAST_DIGITS.lane) return out
  for (const domain of [...context.runtime.records.keys()].sort()) {
    const k = await context.runtime.knowledge(domain)
    for (const lane of k.order()) if (beginsWith(lane, text)) out.push({ k, lane })
  }
  return out
}

/** One lane of a domain here, by its Reference or enough of its digits. Throws `MalformedError`, DiadError `not-held`. */
export async function laneNamed (context: Context, text: string): Promise<FoundLane> {
  if (!/^[0-9a-f]{12,68}$/.test(text)) throw new MalformedError(`${JSON.stringify(text.slice(0, 80))} is not a lane: give its reference, or the first ${LEAST_DIGITS.lane} digits of it`)
  const [only, ...others] = await lanesNamed(context, text)
  if (only === undefined) throw new DiadError('not-held', `no lane held here begins with ${text}`, '`diad lanes` lists them')
  if (others.length > 0) throw new MalformedError(`${text} begins ${others.length + 1} lanes: give more digits`)
  return only
}

/** Principals of `k` that some manifest held lists, by their id, their public key, or enough digits of the id. */
export function principalsNamed (k: DomainKnowledge, text: string): Set<Hash> {
  const out = new Set<Hash>()
  for (const { manifest } of k.authority().judged.values()) {
    for (const p of manifest.principals) if (p.public_key === text || p.principal_id.startsWith(text)) out.add(p.principal_id)
  }
  return out
}

/** Not of a domain of which this home holds nothing. */
export function viewedLane (k: DomainKnowledge, lane: Reference): ViewedLane {
  const v = k.viewAll().lanes.get(lane)
  if (v === undefined) throw new DiadError('not-held', `the lane ${lane} isn't held here`, '`diad lanes` lists them')
  return v
}

/** Whether the holder of `signer` may act in the domain of `k`. Throws DiadError `wrong-domain`. */
export function checkOurs (k: DomainKnowledge, signer: Signer, what: string): void {
  const tip = k.authority().onChain.at(-1)
  if (tip?.manifest.principals.some((p) => p.public_key === signer.publicKey) === true) return
  throw new DiadError('wrong-key', `${what} belongs to ${shortDomain(k.domain)}, whose newest manifest doesn't name this key`, 'use a key of that domain: --key KEY')
}
