/** What several expectations need. */
import type { DomainKnowledge } from '../../src/authority/knowledge.js'
import { principalId } from '../../src/publication/evidence.js'
import type { Hash, Reference } from '../../src/substrate/reference.js'
import { DiadError } from '../../src/substrate/errors.js'
import type { Finding } from '../plugin.js'
import { type Bounds, sayBounds, sayName } from '../scenario/say.js'
import { DOMAIN, map, named, NODE, type Schema, text, whole } from '../scenario/schema-parts.js'
import type { SimNode } from '../world/node.js'
import type { Refusal, World } from '../world/world.js'

// ── arguments ──

export const CODE = text('a code such as reference-mismatch', { most: 64 })
export const STATUSES = ['accepted', 'informational', 'deferred', 'contested', 'void', 'rejected'] as const
export type Status = typeof STATUSES[number]

/** `{min, max}`, at least one of them; `of` makes the schema of each. */
export function bounds (of: (description: string) => Schema): Schema {
  return map({ min: of('at least this much'), max: of('at most this much') }, [], { minProperties: 1 })
}

export const count = (description: string): Schema => whole(description, 0, Number.MAX_SAFE_INTEGER)

export const EVIDENCE = map({ domain: DOMAIN, against: named('principal', 'the principal who signed both') }, ['domain'])
export interface EvidenceArgs { readonly domain: string, readonly against?: string }

export const REFUSED = map({ code: CODE, peer: NODE, domain: DOMAIN, count: bounds(count) }, [], { minProperties: 1 })
export interface RefusedArgs { readonly code?: string, readonly peer?: string, readonly domain?: string, readonly count?: Bounds }

export function sayEvidence ({ domain, against }: EvidenceArgs): string {
  return `holds a proof against ${against === undefined ? `a key of ${domain}` : `${against} of ${domain}`}`
}

export function sayRefused ({ code, peer, domain, count: often }: RefusedArgs): string {
  return ['refused', code === undefined ? 'something' : sayName(code), peer === undefined ? '' : `from ${peer}`, domain === undefined ? '' : `in ${domain}`,
    often === undefined ? '' : `${sayBounds(often)} times`].filter((part) => part !== '').join(' ')
}

// ── findings ──

/** `accepted`, `void: cut`: a code that says no more than the status isn't said again. */
export const sayVerdict = (...said: ReadonlyArray<string | undefined>): string => [...new Set(said.filter((one) => one !== undefined))].join(': ')

export const met = (found: string): Finding => ({ met: true, found })
export const unmet = (found: string): Finding => ({ met: false, found })
export const found = (isMet: boolean, text: string): Finding => ({ met: isMet, found: text })

/** What the node holds of a domain, or why not. */
export function heldBy (world: World, node: SimNode | undefined, domain: string): { node: SimNode, k: DomainKnowledge } | string {
  if (node === undefined) throw new DiadError('bad-scenario', 'this expectation needs a node')
  if (node.engine === undefined) return `${node.name} is down`
  const k = node.engine.replica.domains.get(world.domain(domain).id)
  return k === undefined ? `${node.name} doesn't follow ${domain}` : { node, k }
}

export function within (value: number, { min, max }: Bounds): boolean {
  return value >= (min ?? 0) && value <= (max ?? Number.MAX_SAFE_INTEGER)
}

/** The ids of all keys that a principal ever had. */
export function principalsCalled (world: World, domain: string, name: string): ReadonlySet<Hash> {
  const keys = world.domain(domain).keys.of(name)
  if (keys.length === 0) throw new DiadError('bad-scenario', `the domain ${domain} has no principal "${name}"`)
  return new Set(keys.map((s) => principalId(s.publicKey)))
}

/** Lanes of the domain that the node holds a proof against; of one principal, if it is named. */
export function provenLanes (world: World, k: DomainKnowledge, domain: string, against?: string): Reference[] {
  const ids = against === undefined ? undefined : principalsCalled(world, domain, against)
  return [...k.lanes.values()].filter((l) => l.evidence !== undefined && (ids === undefined || ids.has(l.lane.principal))).map((l) => l.ref)
}

export function refusalsLike (all: readonly Refusal[], { code, peer, domain }: RefusedArgs): Refusal[] {
  return all.filter((r) => (code === undefined || r.code === code) && (peer === undefined || r.peer === peer) && (domain === undefined || r.domain === domain))
}
