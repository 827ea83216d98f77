/** R5 for every single record, also those that no view shows. */
import type { ViewedLane } from '../../src/authority/domain-view.js'
import type { DomainKnowledge } from '../../src/authority/knowledge.js'
import type { Reference } from '../../src/substrate/reference.js'
import type { Invariant } from '../plugin.js'
import { authorityOf, Memory } from './memory.js'

interface Standing {
  /** what verdicts of the lane may change with: authority, evidence */
  readonly grounds: string
  /** leaves that counted */
  readonly limit: number
  readonly exported: number
  /** by leaf: a letter for its status; those beyond the limit keep what they had */
  readonly leaves: string
  /** from this leaf on there are two histories, and either may be in force */
  readonly forkedAt: number
}

export const verdictsStand: Invariant = {
  name: 'verdicts-stand',
  summary: 'What is rejected stays rejected; what is accepted changes only with authority, evidence or an erasure (R5).',
  create (world) {
    const memory = new Memory<ReadonlyMap<Reference, Standing>>()
    return {
      started: memory.started,

      changed (node, k) {
        const last = memory.last(node, k)
        const now = new Map<Reference, Standing>()
        const { lanes, erased } = k.view()
        const grounds = groundsOf(k)
        for (const [ref, v] of lanes) now.set(ref, standingOf(v, grounds, last?.get(ref)))
        const before = memory.note(node, k, now)
        if (before === undefined || world.oracle.setBack.has(node.name)) return undefined
        for (const [ref, was] of before) {
          const is = now.get(ref)
          const wrong = is === undefined ? undefined : changeOf(was, is, (i) => erased.has(`${ref}/${i}`))
          if (wrong !== undefined) return `${world.nameOf(k.domain)}, lane ${ref.slice(4, 16)}: ${wrong}`
        }
        return undefined
      }
    }
  }
}

/** All of the domain's: a vouch counts as far as its own lane does. */
function groundsOf (k: DomainKnowledge): string {
  const proven = [...k.lanes.values()].flatMap((l) => l.evidence === undefined ? [] : [`${l.ref}/${l.evidence.index}`])
  return [authorityOf(k), ...proven.sort()].join(' ')
}

function standingOf (v: ViewedLane, grounds: string, before: Standing | undefined): Standing {
  const leaves = v.judged.map((j) => j.status === 'accepted' ? 'a' : j.status === 'rejected' ? 'r' : j.status === 'deferred' ? 'd' : 'i').join('')
  return {
    grounds,
    limit: v.limit,
    exported: v.exported,
    // Behind a cut nobody judges; what was said stays said, for the day on which the cut is no more.
    leaves: leaves + (before?.leaves.slice(leaves.length) ?? ''),
    forkedAt: v.knowledge.evidence?.index ?? Infinity
  }
}

function changeOf (was: Standing, is: Standing, erased: (index: number) => boolean): string | undefined {
  for (let i = 0; i < Math.min(was.leaves.length, is.forkedAt); i++) {
    const [old, now] = [was.leaves[i], is.leaves[i]]
    if (old === now || erased(i)) continue
    if (old === 'r') return `leaf ${i} was rejected and isn't any more`
    if (old === 'a' && is.grounds === was.grounds && now !== 'i') return `leaf ${i} was accepted and is ${now === 'r' ? 'rejected' : 'deferred'}`
  }
  if (is.grounds !== was.grounds) return undefined
  if (is.limit < was.limit) return `it counted up to ${was.limit} and now up to ${is.limit}`
  return is.exported < was.exported ? `${was.exported} leaves were exported and now ${is.exported}` : undefined
}
