/** What a follower accepted stays accepted, while the domain's own keys are honest and its authority doesn't change. */
import type { CurrentEntry } from '../../src/authority/domain-view.js'
import type { Reference } from '../../src/substrate/reference.js'
import type { Invariant } from '../plugin.js'
import { authorityOf, Memory } from './memory.js'

interface Seen { readonly authority: string, readonly current: ReadonlyMap<string, CurrentEntry>, readonly logseq: number }

export const noGoingBack: Invariant = {
  name: 'no-going-back',
  summary: 'A view never loses a name or replaces a record by an older one (S5, R4, R5).',
  create (world) {
    const memory = new Memory<Seen>()
    return {
      started: memory.started,

      changed (node, k) {
        const view = k.view()
        const authority = authorityOf(k)
        const before = memory.note(node, k, { authority, current: view.current, logseq: view.logseq })
        // A proof of equivocation takes back what lies behind the fork (E4); a node whose disk was set back starts from there.
        if (before?.authority !== authority || world.oracle.setBack.has(node.name) || tainted(k.lanes.values(), world.oracle.guilty)) return undefined
        if (view.logseq < before.logseq) return `${world.nameOf(k.domain)}: logseq fell from ${before.logseq} to ${view.logseq}`
        for (const [name, was] of before.current) {
          // Erased: what the name was before may show again (R7).
          if (view.erased.has(`${was.lane}/${was.index}`)) continue
          const now = view.current.get(name)
          if (now === undefined) return `${world.nameOf(k.domain)}/${name} is gone`
          if (older(now, was)) return `${world.nameOf(k.domain)}/${name} went back from logseq ${was.logseq} to ${now.logseq}`
        }
        return undefined
      }
    }
  }
}

const older = (a: CurrentEntry, b: CurrentEntry): boolean => a.logseq !== b.logseq ? a.logseq < b.logseq : a.ref !== b.ref ? a.ref < b.ref : a.leafHash < b.leafHash

function tainted (lanes: Iterable<{ lane: { principal: string }, ref: Reference }>, guilty: ReadonlySet<string>): boolean {
  for (const l of lanes) if (guilty.has(l.lane.principal)) return true
  return false
}
