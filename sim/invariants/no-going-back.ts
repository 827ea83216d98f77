/** What a follower accepted stays accepted, while the domain's own keys are honest and its authority doesn't change. */
import type { CurrentEntry } from '../../src/authority/domain-view.js'
import type { Reference } from '../../src/substrate/reference.js'
import type { Invariant } from '../plugin.js'

interface Seen { readonly authority: string, readonly current: ReadonlyMap<string, CurrentEntry>, readonly logseq: number }

const NOTHING: Seen = { authority: '', current: new Map(), logseq: 0 }

export const noGoingBack: Invariant = {
  name: 'no-going-back',
  summary: 'A view never loses a name or replaces a record by an older one (S5, R4, R5).',
  create (world) {
    const seen = new Map<string, Seen>()
    /** the last of it that was durable for certain: what a power cut leaves behind must be at least that */
    const safe = new Map<string, Seen>()
    return {
      started (node) {
        for (const key of seen.keys()) if (key.startsWith(`${node.name} `)) seen.set(key, safe.get(key) ?? NOTHING)
        return Promise.resolve(undefined)
      },

      changed (node, k) {
        const key = `${node.name} ${k.domain}`
        const view = k.view()
        const authority = k.authority().tip ?? ''
        const before = seen.get(key)
        const now = { authority, current: view.current, logseq: view.logseq }
        seen.set(key, now)
        if ((node.engine?.unsettled ?? 0) <= 1) safe.set(key, now)
        // A proof of equivocation takes back what lies behind the fork (E4); a node whose disk was set back starts from there.
        if (before?.authority !== authority || world.oracle.setBack.has(node.name) || tainted(k.lanes.values(), world.oracle.guilty)) return undefined
        if (view.logseq < before.logseq) return `${world.nameOf(k.domain)}: logseq fell from ${before.logseq} to ${view.logseq}`
        for (const [name, was] of before.current) {
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
