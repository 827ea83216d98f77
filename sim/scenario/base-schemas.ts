/**
 * What the actions, expectations and adversaries that come with the simulator take. Each is carried out by the file of its name in sim/actions,
 * sim/expectations or sim/adversaries; their types here are what `args` is after loading.
 */
import { choice, flag, list, map, named, quantity, text, whole, type Schema } from './schema-parts.js'
import type { Described, Registry } from './types.js'

const DOMAIN = named('domain', 'the name of a domain')
const NODE = named('node', 'the name of a node')
const CODE = text('a code such as reference-mismatch', { most: 64 })
const PUBLISHED: Schema = { ...text('a name to publish under, such as docs/a', { most: 1024 }), not: { pattern: '(^|/)\\.{0,2}(/|$)|\\u0000' } }
const STATUSES = ['accepted', 'informational', 'deferred', 'contested', 'void', 'rejected'] as const

/** Bounds of a figure; in arguments of any figure both are whole numbers of its unit. */
export interface Bounds { readonly min?: number, readonly max?: number }

export interface PublishArgs { readonly name: string, readonly bytes: number, readonly key?: string }
export interface TombstoneArgs { readonly name: string, readonly key?: string }
/** sides; nodes that stand in none form one more side together */
export type PartitionArgs = ReadonlyArray<readonly string[]>
export type HealArgs = 'all' | { readonly from: readonly string[], readonly to: readonly string[] }
export interface CutArgs { readonly from: readonly string[], readonly to: readonly string[], readonly bothWays: boolean }
export interface CrashArgs { readonly node: string, readonly torn: boolean }
export interface RestartArgs { readonly node: string, readonly empty: boolean }
export interface BackupArgs { readonly node: string, readonly as: string }
export interface RestoreArgs { readonly node: string, readonly from: string }
export interface CloneArgs { readonly node: string, readonly to: string }
export interface CarryArgs { readonly from: string, readonly to: readonly string[], readonly domain: string }

const SNAPSHOT = text('a name for the backup, such as monday', { most: 64 })
const KEY = named('principal', 'the principal of the node\'s domain that signs; without it, the first key that may')

const ACTIONS: readonly Described[] = [
  { name: 'publish', node: 'required', summary: 'The node publishes new content under a name of its domain.', schema: map({ name: PUBLISHED, bytes: quantity('bytes', 'the size of the content', { range: [0, 1e10], default: '1kB' }), key: KEY }, ['name']) },
  { name: 'tombstone', node: 'required', summary: 'The node takes a name of its domain out of the view.', schema: map({ name: PUBLISHED, key: KEY }, ['name']) },
  {
    name: 'partition',
    node: 'none',
    summary: 'Nothing passes between the sides any more; nodes that stand in no side form one more together. Replaces an earlier partition.',
    schema: list(named('nodes'), 'a list of sides, such as [[home, bob], [laptop]]', { minItems: 1, 'x-disjoint': 'nodes' })
  },
  {
    name: 'heal',
    node: 'none',
    summary: 'Ends the partition and every cut (`all`), or the cuts from some nodes to others.',
    schema: { anyOf: [{ const: 'all' }, map({ from: named('nodes'), to: named('nodes') }, ['from', 'to'])], description: 'all, or {from: NODES, to: NODES}' }
  },
  { name: 'cut', node: 'none', summary: 'Nothing passes from some nodes to others; the way back stays open unless bothWays.', schema: map({ from: named('nodes'), to: named('nodes'), bothWays: flag('true: the way back is cut too') }, ['from', 'to']) },
  { name: 'crash', node: 'none', summary: 'The node stops at once; what it had not synced is lost, and with torn its last write is left half done.', schema: map({ node: NODE, torn: flag('true: the last write is torn') }, ['node']) },
  { name: 'restart', node: 'none', summary: 'A node that is down starts again on its disk, or on an empty one; a node that is up stops first.', schema: map({ node: NODE, empty: flag('true: with an empty store') }, ['node']) },
  { name: 'backup', node: 'none', summary: 'Keeps a copy of the node\'s disk under a name.', schema: map({ node: NODE, as: SNAPSHOT }, ['node', 'as']) },
  { name: 'restore', node: 'none', summary: 'The node starts again on a copy that `backup` kept.', schema: map({ node: NODE, from: SNAPSHOT }, ['node', 'from']) },
  { name: 'clone', node: 'none', summary: 'Another node of the same domain starts on a copy of this node\'s disk.', schema: map({ node: NODE, to: NODE }, ['node', 'to']) },
  { name: 'carry', node: 'none', summary: 'What a node holds of a domain is carried to others by hand, as a bundle on a stick is.', schema: map({ from: NODE, to: named('nodes'), domain: DOMAIN }, ['from', 'to', 'domain']) }
]

export interface HoldsArgs { readonly domain: string, readonly name: string, readonly content: boolean }
export interface ViewArgs { readonly domain: string, readonly names?: Bounds, readonly logseq?: Bounds, readonly has?: readonly string[], readonly lacks?: readonly string[], readonly as?: string }
export type ConvergedArgs = readonly string[]
export interface VerdictArgs { readonly domain: string, readonly name?: string, readonly status?: typeof STATUSES[number], readonly code?: string }
export interface EvidenceArgs { readonly domain: string, readonly against?: string }
/** exactly one of them */
export interface NobodyArgs { readonly holds?: { readonly domain: string, readonly name: string }, readonly evidence?: EvidenceArgs, readonly refused?: RefusedArgs, readonly status?: { readonly domain: string, readonly status: typeof STATUSES[number] } }
export interface RefusedArgs { readonly code?: string, readonly peer?: string, readonly domain?: string, readonly count?: Bounds }
export type CostArgs = Readonly<Partial<Record<keyof typeof FIGURES, Bounds>>>

function bounds (of: (description: string) => Schema): Schema {
  return map({ min: of('at least this much'), max: of('at most this much') }, [], { minProperties: 1 })
}
const number = (description: string): Schema => whole(description, 0, Number.MAX_SAFE_INTEGER)

// The names are those of Cost in trace.ts, without their unit.
const FIGURES = {
  messages: bounds(number),
  bytes: bounds((d) => quantity('bytes', d)),
  lost: bounds(number),
  updates: bounds(number),
  messagesPerDelivery: bounds((d) => quantity('milli', d)),
  bytesPerDelivery: bounds((d) => quantity('milli', d)),
  redundancy: bounds((d) => quantity('milli', d)),
  maxHops: bounds(number),
  delayMedian: bounds((d) => quantity('time', d)),
  delayP95: bounds((d) => quantity('time', d)),
  delayMax: bounds((d) => quantity('time', d))
}

const NAMES = list(PUBLISHED, 'a list of published names', { minItems: 1, uniqueItems: true })
const EVIDENCE = map({ domain: DOMAIN, against: named('principal', 'the principal who signed both') }, ['domain'])
const REFUSED = map({ code: CODE, peer: NODE, domain: DOMAIN, count: bounds(number) }, [], { minProperties: 1 })

const EXPECTATIONS: readonly Described[] = [
  { name: 'holds', node: 'required', summary: 'The node\'s view of the domain has the name; with content, its bytes are held too.', schema: map({ domain: DOMAIN, name: PUBLISHED, content: flag('true: the bytes are held too') }, ['domain', 'name']) },
  {
    name: 'view',
    node: 'required',
    summary: 'The node\'s view of the domain is as large, as far, or as equal to another node\'s as is said.',
    schema: map({ domain: DOMAIN, names: bounds(number), logseq: bounds(number), has: NAMES, lacks: NAMES, as: named('node', 'a node whose view is the same') }, ['domain'], { minProperties: 2 })
  },
  { name: 'converged', node: 'none', summary: 'All honest nodes that are up and hold one of the domains have the same view of it.', schema: named('domains', 'a domain, a group or a list of both') },
  { name: 'verdict', node: 'required', summary: 'The node judges the newest record of the name, or the domain as a whole, as is said.', schema: map({ domain: DOMAIN, name: PUBLISHED, status: choice(STATUSES), code: CODE }, ['domain'], { anyOf: [{ required: ['status'] }, { required: ['code'] }], description: 'domain, and status or code' }) },
  { name: 'evidence', node: 'required', summary: 'The node holds a proof that a key of the domain signed two histories.', schema: EVIDENCE },
  {
    name: 'nobody',
    node: 'none',
    summary: 'No honest node did so at any time until then.',
    schema: map({ holds: map({ domain: DOMAIN, name: PUBLISHED }, ['domain', 'name']), evidence: EVIDENCE, refused: REFUSED, status: map({ domain: DOMAIN, status: choice(STATUSES) }, ['domain', 'status']) }, [], { minProperties: 1, maxProperties: 1, description: 'one of holds, evidence, refused and status' })
  },
  { name: 'refused', node: 'required', summary: 'The node refused something of a peer\'s, with that code, from that peer, or that often.', schema: REFUSED },
  { name: 'cost', node: 'none', summary: 'The figures of the whole run lie within bounds.', schema: map(FIGURES, [], { minProperties: 1 }) }
]

const FROM = { start: quantity('time', 'when it begins', { default: 0 }) }
const TARGET = { of: named('domain', 'the domain it works against; without it, all that it follows') }

const ADVERSARIES: readonly Described[] = [
  { name: 'forger', summary: 'Answers with objects of its own making: wrong bytes under a right reference, signatures by the wrong key.', schema: map({ ...FROM, ...TARGET }) },
  { name: 'equivocator', summary: 'Holds a key of its domain and shows two histories of one lane to two halves of its peers.', schema: map({ ...FROM, names: list(PUBLISHED, 'the names it publishes twice', { minItems: 1, default: ['forked'] }) }) },
  { name: 'replayer', summary: 'Sends again what it once received, much later and to everybody.', schema: map({ ...FROM, delay: quantity('time', 'how long it waits', { default: '30s' }) }) },
  { name: 'withholder', summary: 'Announces heads and never gives the log or the content.', schema: map({ ...FROM, ...TARGET }) },
  { name: 'staller', summary: 'Takes every request and answers byte by byte, or never.', schema: map({ ...FROM, rate: quantity('rate', 'how fast it answers', { range: [1, 1e12], default: '1B/s' }) }) },
  { name: 'flooder', summary: 'Sends hellos, gossip and badly signed heads as fast as its links carry them.', schema: map({ ...FROM, rate: whole('messages a second, a whole number from 1 to 100000', 1, 100_000, 500), until: quantity('time', 'when it stops') }) },
  { name: 'sybil', summary: 'One of many identities of one operator; together they push forged heads and each other\'s addresses.', schema: map({ ...FROM, ...TARGET }) },
  { name: 'eclipser', summary: 'Wants to be the victim\'s only peer and shows it a world of its own choice.', schema: map({ ...FROM, victim: NODE }, ['victim']) },
  { name: 'stale-mirror', summary: 'Freezes: serves what it held at a moment for ever, and says that it is the newest.', schema: map({ freeze: quantity('time', 'the moment it stays at', { default: '30s' }), ...TARGET }) },
  { name: 'malformed', summary: 'Sends bytes that break their shape: cut, bit-flipped, too long, too deep, with lying lengths.', schema: map({ ...FROM, rate: whole('messages a second, a whole number from 1 to 100000', 1, 100_000, 50) }) }
]

const byName = (described: readonly Described[]): ReadonlyMap<string, Described> => new Map(described.map((one) => [one.name, one]))

export const baseActions = byName(ACTIONS)
export const baseExpectations = byName(EXPECTATIONS)
export const baseAdversaries = byName(ADVERSARIES)
export const baseRegistry: Registry = { actions: baseActions, expectations: baseExpectations, adversaries: baseAdversaries }
