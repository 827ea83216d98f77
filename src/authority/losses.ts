/** What a manifest that isn't signed yet would make void: asked before a person signs it. Judged by the rules themselves. Source: RULES K1-K4, R5. */
import type { Reference } from '../substrate/reference.js'
import type { Amended } from './amend.js'
import { cutListCodec } from './cut-list.js'
import type { DomainKnowledge } from './knowledge.js'
import { nameOf } from './lane-reach.js'
import { type LaneView, viewLane } from './lane-view.js'
import type { Authority } from './manifest-chain.js'

export interface Loss {
  readonly lane: Reference
  /** leaves from `from` up to `to` count now and wouldn't any more */
  readonly from: number
  readonly to: number
  /** the published names that the accepted ones among them speak of, sorted */
  readonly names: readonly string[]
  /** the decisions on other domains (AdmissionRecords) that they bring into force */
  readonly admits: readonly Reference[]
}

/** By lane, ascending; lanes that lose nothing are left out. For a manifest that follows the tip. */
export function lossesOf (k: DomainKnowledge, amended: Amended): Loss[] {
  const before = k.authority()
  const cuts = new Map(amended.artifacts.filter((a) => a.typeTag === cutListCodec.tag).flatMap((a) => cutListCodec.from(a).cuts).map((c) => [c.lane, c]))
  const { ref, manifest } = amended
  const after: Authority = { ...before, tip: ref, onChain: [...before.onChain, { ref, manifest, cuts }], position: new Map([...before.position, [ref, before.onChain.length]]) }
  return lossesSince(k, lanesUnder(k, before), after)
}

/** Every held lane as `authority` has it. */
export function lanesUnder (k: DomainKnowledge, authority: Authority): Map<Reference, LaneView> {
  return new Map([...k.lanes].map(([ref, held]) => [ref, viewLane(held, authority)]))
}

/** What counted in `before` and doesn't under `after`: for authority that doesn't go on from the tip (M7), the lanes are viewed before it changes. */
export function lossesSince (k: DomainKnowledge, before: ReadonlyMap<Reference, LaneView>, after: Authority): Loss[] {
  const out: Loss[] = []
  for (const lane of k.order()) {
    const [held, now] = [k.lanes.get(lane), before.get(lane)]
    if (held === undefined || now === undefined) continue
    const then = viewLane(held, after)
    // Another branch may be as long: where the logs part is what counts.
    const from = then.log === now.log ? then.limit : 0
    if (from >= now.limit) continue
    const names = new Set<string>()
    const admits = new Set<Reference>()
    for (const j of now.judged.slice(from)) {
      if (j.status === 'accepted' && j.body?.kind === 'admit') admits.add(j.body.ref)
      const name = j.status === 'accepted' ? nameOf(j) : undefined
      if (name !== undefined) names.add(name)
    }
    out.push({ lane, from, to: now.limit, names: [...names].sort(), admits: [...admits].sort() })
  }
  return out
}
