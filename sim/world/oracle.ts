/**
 * What really happened, which no node can see: who published what, whose key was used for two histories, what was meant to stay internal. Invariants
 * compare what nodes believe with this.
 */
import { type AdmissionRecord, admissionRecordCodec } from '../../src/authority/admission-objects.js'
import type { Artifact } from '../../src/substrate/artifact.js'
import type { Hash, Reference } from '../../src/substrate/reference.js'
import type { Micros } from '../trace.js'

export interface Acknowledged {
  readonly node: string
  readonly domain: Reference
  readonly lane: Reference
  readonly head: Reference
  /** leaves of the lane with this head */
  readonly size: number
  readonly at: Micros
}

/** A manifest or root entry that an owner was told is durable. */
export interface Decreed { readonly node: string, readonly domain: Reference, readonly ref: Reference }

/** Where and when a leaf was durable first, and the number of the publication it came with. */
export interface Birth { readonly node: string, readonly at: Micros, readonly update: number }

export class Oracle {
  /** `domain|name|ref` of everything that a key of the domain was asked to publish, tombstones with the NONE reference */
  private readonly intended = new Set<string>()
  /** everything that a key of a domain put its signature under */
  readonly signed = new Set<Reference>()
  /** lane → leaf hashes by index as first seen at the publisher */
  readonly logs = new Map<Reference, Hash[]>()
  /** lane/index → when its head was durable at the publisher */
  private readonly births = new Map<string, Birth>()
  readonly acknowledged: Acknowledged[] = []
  readonly decreed: Decreed[] = []
  /** heads that were acknowledged, with their signatures: what somebody at the node could have written down */
  readonly heads = new Map<Reference, readonly Artifact[]>()
  /** principal ids whose key was used for two histories, or by a thief */
  readonly guilty = new Set<string>()
  /** blocks that were stored and never published */
  readonly internal = new Set<Reference>()
  /** those of them whose reference a stranger published: it is spoken of, and still nobody's to give */
  readonly fished = new Set<Reference>()
  /** by node and domain, what may be in force of it there: the last decision that was acknowledged, and those that were begun since */
  private readonly decisions = new Map<string, AdmissionRecord[]>()
  readonly records = new Map<Reference, Artifact>()
  /** `who whom ref`: who asked an adversary for a block, where that takes note */
  readonly asked = new Set<string>()
  /** nodes whose disk was set back, or lies: what they acknowledged may be gone from them */
  readonly setBack = new Set<string>()

  /** The node is about to decide. */
  decides (node: string, record: AdmissionRecord): void {
    const key = `${node} ${record.domain_id}`
    this.decisions.set(key, [...this.decisions.get(key) ?? [], record])
    this.records.set(admissionRecordCodec.reference(record), admissionRecordCodec.artifact(record))
  }

  /** It is durable, so whatever was decided before it isn't in force any more. */
  decided (node: string, record: AdmissionRecord): void {
    const key = `${node} ${record.domain_id}`
    const held = this.decisions.get(key) ?? []
    this.decisions.set(key, held.slice(held.indexOf(record)))
  }

  /** What may be in force at the node, for {@link hears}. */
  decisionsAt (node: string): readonly AdmissionRecord[] {
    return [...this.decisions].flatMap(([key, records]) => key.startsWith(`${node} `) ? records : [])
  }

  /** The node is told what was decided elsewhere: it may be in force there, too, until it decides itself. */
  hears (node: string, records: readonly AdmissionRecord[]): void {
    for (const record of records) {
      const key = `${node} ${record.domain_id}`
      const held = this.decisions.get(key) ?? []
      if (!held.includes(record)) this.decisions.set(key, [...held, record])
    }
  }

  /** Names of `domain` that may stand in the view of `node`, as prefixes. */
  admitted (node: string, domain: Reference): readonly string[] {
    return (this.decisions.get(`${node} ${domain}`) ?? []).flatMap((r) => r.admitted_scope)
  }

  /** Whether any node decided on any domain. */
  get deciding (): boolean {
    return this.decisions.size > 0
  }

  intend (domain: Reference, name: string, ref: Reference): void {
    this.intended.add(`${domain}|${name}|${ref}`)
  }

  wasIntended (domain: Reference, name: string, ref: Reference): boolean {
    return this.intended.has(`${domain}|${name}|${ref}`)
  }

  born (lane: Reference, index: number, birth: Birth): void {
    const key = `${lane}/${index}`
    if (!this.births.has(key)) this.births.set(key, birth)
  }

  birth (lane: Reference, index: number): Birth | undefined {
    return this.births.get(`${lane}/${index}`)
  }
}
