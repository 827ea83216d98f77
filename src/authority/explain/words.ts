/** What manifests and root entries say, in words: who was granted what, who was closed, what was cut where. */
import { domainText } from '../../substrate/domain-id.js'
import type { Hash, Reference } from '../../substrate/reference.js'
import type { DomainKnowledge } from '../knowledge.js'
import { type DomainAuthorityManifest, type Principal, type Scope, scopeCovers } from '../manifest.js'
import type { ChainManifest } from '../manifest-chain.js'
import { counted, short } from './tree.js'

/** How a person knows a principal. */
export type Calling = (id: Hash) => string | undefined

/** `ci (ab12cd34ef56…)`, or the digits alone. */
export function calledBy (calling: Calling, id: Hash): string {
  const name = calling(id)
  const digits = `${id.slice(0, 12)}…`
  return name === undefined ? digits : `${name} (${digits})`
}

export function scopeWords (scope: Scope): string {
  if (scope.prefixes.includes('')) return 'the whole domain'
  return scope.prefixes.length === 0 ? 'no name' : scope.prefixes.map((p) => `${p}/`).join(', ')
}

export function rightsWords (p: Principal, scope: Scope): string {
  return `${p.roles.join(', ')} on ${scopeWords(scope)}`
}

interface Rights { readonly principal: Principal, readonly scope: Scope }

function rightsIn (m: DomainAuthorityManifest | undefined): Map<Hash, Rights> {
  return new Map(m?.principals.map((principal, i) => [principal.principal_id, { principal, scope: m.scope[i] as Scope }]) ?? [])
}

/** M8: where the roots say that the domain goes on; none where they say nothing. The DomainIDs in full: a person decides by them whom to trust. */
export function moveWords (k: DomainKnowledge): string[] {
  const to = k.authority().moves.map((m) => domainText(m.move.to))
  const [only] = to
  if (only === undefined) return []
  if (to.length === 1) return [`its roots say that it moved to ${only}`]
  return [`its roots name ${to.length} different domains: trust none until you have asked`, ...to.map((text) => `its roots say that it moved to ${text}`)]
}

/** What `entry` changes, against the manifest that it follows; one sentence each. */
export function manifestWords (k: DomainKnowledge, entry: Pick<ChainManifest, 'manifest' | 'cuts'>, before: DomainAuthorityManifest | undefined, calling: Calling): string[] {
  const { manifest } = entry
  const [was, is] = [rightsIn(before), rightsIn(manifest)]
  const out: string[] = []
  if (before !== undefined && before.root_entry !== manifest.root_entry) out.push(`the first of its epoch: root_key is ${short(manifest.root_key)}`)
  if (before !== undefined && before.policy_hash !== manifest.policy_hash) out.push(`under another policy (${manifest.policy_hash.slice(0, 12)}…)`)
  for (const [id, { principal, scope }] of is) {
    const old = was.get(id)
    const rights = rightsWords(principal, scope)
    if (old === undefined) out.push(`grants ${calledBy(calling, id)}: ${rights}`)
    else if (rights !== rightsWords(old.principal, old.scope) || !scopeCovers(old.scope, scope) || !scopeCovers(scope, old.scope)) out.push(`changes ${calledBy(calling, id)} to ${rights} (before: ${rightsWords(old.principal, old.scope)})`)
  }
  for (const id of was.keys()) if (!is.has(id)) out.push(`drops ${calledBy(calling, id)}`)
  for (const id of manifest.closed) out.push(`closes ${calledBy(calling, id)}: of its earlier lanes only what is listed stays`)
  for (const { lane, snapshot, ends } of entry.cuts.values()) out.push(cutWords(k, lane, snapshot, ends || closes(k, manifest, lane)))
  return out
}

/** M4: a cut of a lane whose principal the manifest closes ends it, whatever it says. */
function closes (k: DomainKnowledge, manifest: DomainAuthorityManifest, lane: Reference): boolean {
  const principal = k.lanes.get(lane)?.lane.principal
  return principal !== undefined && manifest.closed.includes(principal)
}

export function cutWords (k: DomainKnowledge, lane: Reference, snapshot: Reference, ends: boolean): string {
  const size = k.lanes.get(lane)?.heads.get(snapshot)?.snapshot.log_size
  const where = size === undefined ? `at a head that isn't held (${short(snapshot)})` : `after ${counted(size, 'record')}`
  return ends ? `ends the lane ${short(lane)} ${where}` : `anchors the lane ${short(lane)} ${where}`
}
