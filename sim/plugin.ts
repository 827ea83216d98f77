/** What a plug-in of the simulator is. Each stands in one small file of its folder and is listed in that folder's index; docs/sim-plugins.md shows how. */
import type { Described } from './scenario/types.js'
import type { Hooks, SimNode } from './world/node.js'
import type { Random } from './world/random.js'
import type { Watch } from './world/watch.js'
import type { World } from './world/world.js'

/** Something that the timeline can do. */
export interface Action<A> extends Described {
  /** What it does, for people, to stand behind the name of the entry's node: `publishes docs/a (100 kB)`. Default: its arguments, one by one. */
  readonly words?: (args: A) => string
  /**
   * Carries it out at its time; what takes virtual time goes on after the promise of the first step. `node` is undefined where the entry names none.
   * Throws DiadError for what can't be done: that fails the run, unless the explorer made the entry.
   */
  readonly run: (world: World, args: A, node: SimNode | undefined) => void | Promise<void>
}

export interface Finding {
  readonly met: boolean
  /** what was found instead, or what was found */
  readonly found: string
}

/** Something that can be demanded of a run. */
export interface Expectation<A> extends Described {
  /** What is demanded, for people, to stand behind the name of the entry's node: `holds alice/docs/a with its content`. Default: its arguments, one by one. */
  readonly words?: (args: A) => string
  /** asked at every tick until its time, not only at it */
  readonly always?: boolean
  readonly check: (world: World, args: A, node: SimNode | undefined) => Finding | Promise<Finding>
}

/** What an adversary works with: an honest core to learn from and to lie over, its own chance, and the raw wire. */
export interface AdversaryKit {
  readonly world: World
  readonly node: SimNode
  readonly random: Random
}

export interface Adversary<A> extends Described {
  readonly create: (kit: AdversaryKit, args: A) => Hooks
}

/** Something that must hold in every run, whatever happens in it. */
export interface Invariant {
  readonly name: string
  /** what it says, and the rule it rests on */
  readonly summary: string
  /** A new one for each run: state in closures. */
  readonly create: (world: World) => Watch
}

/** Keeps the type of the arguments inside the plug-in's file. */
export const action = <A>(a: Action<A>): Action<unknown> => a as Action<unknown>
export const expectation = <A>(e: Expectation<A>): Expectation<unknown> => e as Expectation<unknown>
export const adversary = <A>(a: Adversary<A>): Adversary<unknown> => a as Adversary<unknown>

export interface Plugins {
  readonly actions: ReadonlyMap<string, Action<unknown>>
  readonly expectations: ReadonlyMap<string, Expectation<unknown>>
  readonly adversaries: ReadonlyMap<string, Adversary<unknown>>
  readonly invariants: readonly Invariant[]
}
