/** What several adversaries need: guarded timers, the wire by hand, and copies of what the honest core knows. */
import { named, quantity } from '../scenario/schema-parts.js'
import type { DomainKnowledge } from '../../src/authority/knowledge.js'
import { answerWire, type Gossip, gossipWire, type Hello, helloWire, requestWire, type SyncAnswer, type SyncRequest } from '../../src/federation/messages.js'
import { answer } from '../../src/federation/serve-sync.js'
import { MalformedError } from '../../src/substrate/errors.js'
import type { Hash, Reference } from '../../src/substrate/reference.js'
import type { Signer } from '../../src/substrate/signature.js'
import type { AdversaryKit } from '../plugin.js'
import type { Micros } from '../trace.js'
import type { GossipMessage } from '../world/gossip.js'
import { signerFrom } from '../world/keys.js'
import type { SendEffect } from '../world/wire.js'
import type { Random } from '../world/random.js'

/** Arguments that most adversaries take. */
export const FROM = { start: quantity('time', 'when it begins', { default: 0 }) }
export const UNTIL = { until: quantity('time', 'when it ends; without it, never') }
export const TARGET = { of: named('domain', 'the domain it works against; without it, all that it follows') }

/** While nobody is connected (all have banned us), timers look only so often. */
const LONELY: Micros = 10_000_000

/** `period`, or longer where nodes look after themselves less often: a week is told in minutes. */
export function paced ({ world }: AdversaryKit, period: Micros): Micros {
  return Math.max(period, 2 * world.scenario.tick)
}

/** Calls `work` after `delay`, if the node is up then; what it throws fails the run under the adversary's name. */
export function later ({ node, world }: AdversaryKit, delay: Micros, work: () => void | Promise<void>): void {
  world.clock.after(delay, () => { if (node.up) void node.guard.run(work, () => undefined) })
}

/** Calls `work` at `start` and then every `period`, while the node is up and has neighbours, until `until`. */
export function every (kit: AdversaryKit, { start, period, until = Infinity }: { readonly start: Micros, readonly period: Micros, readonly until?: Micros | undefined }, work: () => void | Promise<void>): void {
  const { node, world } = kit
  const again = (): void => {
    if (world.clock.now >= until) return
    const lonely = neighbours(kit).length === 0
    if (node.up && !lonely) void node.guard.run(work, () => undefined)
    world.clock.after(lonely ? Math.max(period, LONELY) : period, again)
  }
  world.clock.at(Math.max(start, 1), again)
}

/** Honest nodes it is connected to now: liars leave each other alone. */
export function neighbours ({ node, world }: AdversaryKit): string[] {
  return world.network.neighbours(node.name).filter((peer) => world.node(peer).honest)
}

/** The domains it works against: the one it is told, or its own and all that it follows. */
export function targets ({ node, world }: AdversaryKit, of?: string): Reference[] {
  if (of !== undefined) return [world.domain(of).id]
  const own = node.spec.domain === '' ? [] : [node.spec.domain]
  return [...new Set([...own, ...world.followsOf(node)])].map((name) => world.domain(name).id)
}

/** What the honest core holds of a domain. */
export function known ({ node }: AdversaryKit, domain: Reference): DomainKnowledge | undefined {
  return node.engine?.replica.domains.get(domain)
}

/** A key that has no say in any domain. */
export function strangersKey ({ node, world }: AdversaryKit, label = node.name): Signer {
  return signerFrom(world.seed, `adversary ${label}`)
}

export const madeUpHash = (random: Random): Hash => random.hex(32) as Hash

// ── frames ──

export function requestOf (effect: SendEffect): SyncRequest | undefined {
  return effect.channel === 'sync' && effect.direction === 'request' ? decoded(() => requestWire.decode(effect.bytes)) : undefined
}

export function helloOf (effect: SendEffect): Hello | undefined {
  return effect.channel === 'hello' ? decoded(() => helloWire.decode(effect.bytes)) : undefined
}

export function gossipOf (message: GossipMessage): Gossip | undefined {
  return decoded(() => gossipWire.decode(message.bytes))
}

function decoded<T> (read: () => T): T | undefined {
  try {
    return read()
  } catch (err) {
    if (err instanceof MalformedError) return undefined
    throw err
  }
}

export function reply ({ node }: AdversaryKit, peer: string, got: SyncAnswer): void {
  node.rawSend({ type: 'send', peer, channel: 'sync', direction: 'response', bytes: answerWire.encode(got) })
}

/** Says hello to `peer`, with `digests` as the state of each domain. */
export function sayHello ({ node }: AdversaryKit, peer: string, digests: ReadonlyMap<Reference, Hash>): void {
  const domains = [...digests].map(([domain, digest]) => ({ domain, digest })).sort((a, b) => (a.domain < b.domain ? -1 : 1))
  node.rawSend({ type: 'send', peer, channel: 'hello', direction: 'request', bytes: helloWire.encode({ t: 'hello', version: 1, agent: 'diad-sim', domains }) })
}

/** The core's hello with other digests; undefined where the effect is no hello. */
export function withDigests (effect: SendEffect, digestOf: (domain: Reference) => Hash | undefined): SendEffect | undefined {
  const hello = helloOf(effect)
  if (hello === undefined) return undefined
  const domains = hello.domains.map(({ domain, digest }) => ({ domain, digest: digestOf(domain) ?? digest }))
  return { ...effect, bytes: helloWire.encode({ ...hello, domains }) }
}

/**
 * A `frame` hook that answers what honest nodes ask about `domains`. `lie` gets the honest answer and may change it; undefined = never answer; 'honest' =
 * leave it to the core. Requests that don't decode go to the core.
 */
export function answering (kit: AdversaryKit, domains: ReadonlySet<Reference>, lie: (request: SyncRequest, honest: SyncAnswer, peer: string) => SyncAnswer | 'honest' | undefined): (effect: SendEffect) => boolean {
  return (effect) => {
    const request = requestOf(effect)
    if (request === undefined || !domains.has(request.domain) || !kit.world.node(effect.peer).honest) return true
    const got = lie(request, answer(known(kit, request.domain), request), effect.peer)
    if (got === 'honest') return true
    if (got !== undefined) reply(kit, effect.peer, got)
    return false
  }
}

// ── gossip ──

/** Those of them that hear gossip about `domain`. */
export function listeners (kit: AdversaryKit, domain: Reference): string[] {
  return neighbours(kit).filter((peer) => kit.world.network.follows(peer, domain))
}

/** Gossips to chosen peers only. Bytes that were gossiped before are judged again: the memory of what was seen fades within minutes on a real network. */
export function whisper ({ node }: AdversaryKit, peers: readonly string[], domain: Reference, message: Gossip | Uint8Array): void {
  const bytes = message instanceof Uint8Array ? message : gossipWire.encode(message)
  for (const to of peers) node.sendGossip(to, { domain, bytes, hops: 1 })
}

/** Lets the core learn from gossip without passing it on. For a `gossip` hook: `return swallow(…)`. */
export function swallow ({ node }: AdversaryKit, from: string, { domain, bytes }: GossipMessage): false {
  node.engine?.step({ type: 'gossip', from, domain, bytes })
  return false
}

// ── bytes ──

/** A copy with one bit flipped. */
export function flipped (random: Random, bytes: Uint8Array): Uint8Array {
  const out = bytes.slice()
  if (out.length > 0) {
    const at = random.below(out.length)
    out[at] = (out[at] as number) ^ (1 << random.below(8))
  }
  return out
}
