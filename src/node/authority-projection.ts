/** The readable domain root after a change of authority: written from what is in force, never read back (home/projection.ts). */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DomainKnowledge } from '../authority/knowledge.js'
import type { PublicKey } from '../substrate/reference.js'
import type { Context } from './commands/context.js'
import { readPrincipalNames } from './home/principal-names.js'
import { writeProjection } from './home/projection.js'
import { policyText } from './policy/policy-text.js'

/** Hex digits that stand for a principal that nobody has named. */
const DIGITS = 16

/** Only the own domain has one. What stands under `attestations/` stays. */
export function refreshProjection (context: Context, k: DomainKnowledge): void {
  const { home } = context
  if (home.domain !== k.domain) return
  const { onChain, policyOf } = k.authority()
  const last = onChain.at(-1)
  const policy = last === undefined ? undefined : policyOf(last.ref)
  if (last === undefined || policy === undefined) return
  const names = readPrincipalNames(home)
  const authorities = new Map<string, PublicKey>([['root', last.manifest.root_key]])
  for (const p of last.manifest.principals) {
    const name = names.get(p.principal_id) ?? p.principal_id.slice(0, DIGITS)
    authorities.set(authorities.has(name) ? p.principal_id : name, p.public_key)
  }
  writeProjection(home, { domain: k.domain, rootKey: last.manifest.root_key, authorities, policy: policyText(policy), attestations: attestationsOf(home.paths.domain) })
}

function attestationsOf (root: string): Map<string, Uint8Array> {
  const folder = join(root, 'attestations')
  try {
    return new Map(readdirSync(folder).map((name) => [name, new Uint8Array(readFileSync(join(folder, name)))]))
  } catch {
    return new Map()
  }
}
