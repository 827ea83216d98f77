/**
 * Content that a domain has replaced or withdrawn long enough ago that nobody needs to keep it (RULES V5). The leaves stay for ever, and with them every
 * verdict; what goes is content that no other leaf reaches. Like an erasure (R7) a replacement, and whatever is counted after it, has to lie under an
 * anchor (K4): otherwise a stolen key could empty every mirror by writing over all names often enough. Records are counted and not heads, since old heads
 * needn't be kept: every node that holds the same records comes to the same answer.
 */
import { type CurrentEntry, entryOf, wins } from '../authority/domain-view.js'
import type { DomainKnowledge } from '../authority/knowledge.js'
import { firstDifference } from '../authority/lane-knowledge.js'
import { toHex } from '../substrate/bytes.js'
import { type Hash, NONE, type Reference } from '../substrate/reference.js'
import { contentOf } from './ledger.js'
import { type Going, hide, type Household, reachedOnly } from './reach.js'

export interface Replaced {
  /** content roots that go */
  readonly roots: readonly Reference[]
  /** blocks that only they reach */
  readonly blocks: ReadonlySet<Reference>
  /** records whose content may go once an anchor settles what replaced them, and more that came after it */
  readonly waiting: number
}

interface Places { readonly gone: ReadonlySet<string>, readonly roots: ReadonlySet<Reference>, readonly waiting: number }

/** The newest policy's word (M2); undefined while the domain can't say. */
function retention (k: DomainKnowledge): number | undefined {
  const { state, tip, policyOf } = k.authority()
  return state !== 'ok' || tip === undefined ? undefined : policyOf(tip)?.retention_policy.min_snapshot_retention
}

/** Places of exported records whose name was given something else, for good, more than the policy's number of records ago. */
function replacedPlaces (k: DomainKnowledge): Places {
  const gone = new Set<string>()
  const roots = new Set<Reference>()
  let waiting = 0
  const kept = retention(k)
  if (kept === undefined) return { gone, roots, waiting }
  const { current, lanes } = k.view()
  const byName = new Map<string, CurrentEntry[]>()
  const anchored: number[] = []
  for (const v of lanes.values()) {
    for (let i = 0; i < v.exported; i++) {
      const entry = entryOf(v, i)
      if (entry === undefined) continue
      if (i < v.anchored) anchored.push(entry.logseq)
      const others = byName.get(entry.name)
      if (others === undefined) byName.set(entry.name, [entry])
      else others.push(entry)
    }
  }
  // Whatever has a smaller logseq has more than so many behind it; -1: nothing has.
  const settled = anchored.sort((a, b) => b - a)[kept] ?? -1
  for (const [name, entries] of byName) {
    if (entries.length === 1 || current.get(name)?.code === 'contested') continue
    let replaced = false
    entries.sort((a, b) => wins(a, b) ? -1 : 1).forEach((entry, age) => {
      if (age > 0 && entry.ref !== NONE) {
        if (replaced) {
          gone.add(`${entry.lane}/${entry.index}`)
          roots.add(entry.ref)
        } else waiting++
      }
      replaced ||= entry.logseq < settled && entry.index < (lanes.get(entry.lane)?.anchored ?? 0)
    })
  }
  return { gone, roots, waiting }
}

/** What leaves name but those at `gone`, whatever is thought of them: on all branches that are held, shown or not. */
export function namedByLeaves (k: DomainKnowledge, gone: ReadonlySet<string> = new Set()): Set<Reference> {
  const out = new Set<Reference>()
  for (const [ref, { log: inForce, knowledge }] of k.viewAll().lanes) {
    for (const { log } of knowledge.branches) {
      const shared = inForce === undefined ? 0 : firstDifference(log, inForce)
      for (let i = 0; i < log.size; i++) {
        if (i < shared && gone.has(`${ref}/${i}`)) continue
        const leaf = log.leaf(i)
        const root = contentOf(leaf, knowledge.bodies.get(toHex(leaf.subarray(10)) as Hash))
        if (root !== undefined) out.add(root)
      }
    }
  }
  return out
}

/** V5: gives up what was replaced, or with `pretend` only says what that is. Call within `gate.aloneOfAll`. */
export async function giveUpReplaced (engine: Household, k: DomainKnowledge, pretend: boolean): Promise<Replaced> {
  const { domain } = k
  const { audience, blocks } = engine.ports
  const { gone, roots, waiting } = replacedPlaces(k)
  const elsewhere = namedByLeaves(k, gone)
  const going: Going = { hold: [], drop: [...roots].filter((r) => !elsewhere.has(r) && audience.noted(domain, r)) }
  const hidden = await reachedOnly<'hold' | 'drop'>(engine, domain, [['drop', going.drop]], elsewhere)
  // What a damaged Tree reaches nobody can say.
  if (blocks.damaged.size > 0) return { roots: [], blocks: new Set(), waiting: waiting + gone.size }
  if (!pretend) await hide(engine, domain, hidden, going, false)
  return { roots: going.drop, blocks: new Set(hidden.keys()), waiting }
}
