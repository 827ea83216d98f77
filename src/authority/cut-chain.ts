/**
 * The cuts of manifests. Manifests name their cuts by reference and may all name the same lists, or lists of their own that lead to the same ones; so what is
 * kept of a list is kept once, by the list, and no manifest has a table of its own. Source: RULES M4, SCHEMA [06]; THREATS 3.
 */
import { NONE, type Reference } from '../substrate/reference.js'
import type { Cut, CutList } from './cut-list.js'
import type { HeldObjects } from './held-objects.js'

/** By lane, ascending. */
export interface Cuts extends Iterable<[Reference, Cut]> {
  readonly size: number
  get: (lane: Reference) => Cut | undefined
  keys: () => Iterable<Reference>
  values: () => Iterable<Cut>
}

export const NO_CUTS: Cuts = new Map<Reference, Cut>()

const firstLane = (list: CutList): Reference => (list.cuts[0] as Cut).lane
const lastLane = (list: CutList): Reference => (list.cuts.at(-1) as Cut).lane

/** One list and those after it. */
class CutChain implements Cuts {
  readonly size: number
  /** lists after this one */
  private readonly depth: number
  /** A list further on: following these where they don't go too far, a lane is found in so many steps as the number of lists has binary digits. */
  private readonly jump: CutChain | undefined
  private byLane: Map<Reference, Cut> | undefined

  constructor (readonly list: CutList, readonly next: CutChain | undefined) {
    this.size = list.cuts.length + (next?.size ?? 0)
    this.depth = next === undefined ? 0 : next.depth + 1
    const far = next?.jump
    this.jump = next !== undefined && far?.jump !== undefined && next.depth - far.depth === far.depth - far.jump.depth ? far.jump : next
  }

  get (lane: Reference): Cut | undefined {
    const on = goesTo(this.jump, lane) ?? goesTo(this.next, lane)
    if (on !== undefined) return on.get(lane)
    this.byLane ??= new Map(this.list.cuts.map((cut) => [cut.lane, cut]))
    return this.byLane.get(lane)
  }

  * values (): Generator<Cut, void> {
    yield * this.list.cuts
    for (let at = this.next; at !== undefined; at = at.next) yield * at.list.cuts
  }

  * keys (): Generator<Reference, void> {
    for (const cut of this.values()) yield cut.lane
  }

  * [Symbol.iterator] (): Generator<[Reference, Cut], void> {
    for (const cut of this.values()) yield [cut.lane, cut]
  }
}

const goesTo = (to: CutChain | undefined, lane: Reference): CutChain | undefined => to !== undefined && firstLane(to.list) <= lane ? to : undefined

/** Of many manifests, what each list says once; in no order that matters. */
export function * cutsOnce (all: Iterable<Cuts>): Generator<Cut, void> {
  const seen = new Set<Cuts>()
  for (const cuts of all) {
    if (!(cuts instanceof CutChain)) yield * cuts.values()
    else {
      for (let at: CutChain | undefined = cuts; at !== undefined && !seen.has(at); at = at.next) {
        seen.add(at)
        yield * at.list.cuts
      }
    }
  }
}

export interface WalkedCuts {
  /** empty where there is a fault */
  readonly cuts: Cuts
  /** the first on the way: the list `at` isn't held as one, or doesn't go on `after` the last lane before it */
  readonly fault: { readonly at: Reference, readonly after: Reference | undefined } | undefined
  /** the first that isn't held as a list, beyond faults too; NONE where the last is */
  readonly end: Reference
}

const NOTHING: WalkedCuts = { cuts: NO_CUTS, fault: undefined, end: NONE }

interface Walks {
  /** by their first list; those that go to the last can't change until a list is dropped */
  whole: Map<Reference, WalkedCuts>
  broken: Map<Reference, WalkedCuts>
  revision: number
  dropped: number
}

const walks = new WeakMap<HeldObjects, Walks>()
/** A list that was dropped and came back, or whose walk was forgotten with another's, keeps its table. */
const chains = new WeakMap<CutList, CutChain>()

function walksOf (objects: HeldObjects): Walks {
  const { revision, listsDropped: dropped } = objects
  let held = walks.get(objects)
  if (held?.dropped !== dropped) walks.set(objects, held = { whole: new Map<Reference, WalkedCuts>(), broken: new Map<Reference, WalkedCuts>(), revision, dropped })
  if (held.revision !== revision) {
    held.broken = new Map<Reference, WalkedCuts>()
    held.revision = revision
  }
  return held
}

/** M4: the chain of lists that starts with `first`, which may be NONE. Each list is looked at once, however many lead to it. */
export function walkCuts (objects: HeldObjects, first: Reference): WalkedCuts {
  const { whole, broken } = walksOf(objects)
  const { cutLists } = objects
  const way: Array<[Reference, CutList]> = []
  let rest: WalkedCuts | undefined
  for (let at = first; rest === undefined;) {
    const list = cutLists.get(at)
    rest = at === NONE ? NOTHING : whole.get(at) ?? broken.get(at) ?? (list === undefined ? { cuts: NO_CUTS, fault: { at, after: undefined }, end: at } : undefined)
    if (rest !== undefined || list === undefined) break
    way.push([at, list])
    at = list.next
  }
  let out = rest as WalkedCuts
  for (const [ref, list] of way.reverse()) {
    out = joined(list, cutLists.get(list.next), out)
    ;(out.end === NONE ? whole : broken).set(ref, out)
  }
  return out
}

function joined (list: CutList, next: CutList | undefined, rest: WalkedCuts): WalkedCuts {
  const after = lastLane(list)
  if (next !== undefined && after >= firstLane(next)) return { cuts: NO_CUTS, fault: { at: list.next, after }, end: rest.end }
  if (rest.fault !== undefined) return rest
  const below = rest.cuts instanceof CutChain ? rest.cuts : undefined
  let cuts = chains.get(list)
  if (cuts === undefined || cuts.next !== below) chains.set(list, cuts = new CutChain(list, below))
  return { cuts, fault: undefined, end: NONE }
}
