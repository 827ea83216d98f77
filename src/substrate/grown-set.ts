/**
 * Sets that grow along a chain and of which every step keeps its own: each shares with the one it grew from all but the few nodes above what is new.
 * Whoever makes the chain chooses the keys, the steps and where it branches, so the cost may rest on none of them: a weight-balanced tree (Adams; the
 * weights are those that Hirai and Yamamoto proved) holds n keys in a depth of 2.4 log n whatever they are. Source: THREATS 3.
 */
interface Branch {
  readonly key: string
  readonly size: number
  readonly left: Branch | undefined
  readonly right: Branch | undefined
}

const weight = (b: Branch | undefined): number => (b?.size ?? 0) + 1
/** a side may weigh so many times the other */
const UNEVEN = 3
/** an inner grandchild that weighs less than so many times the outer one stays where it is */
const INNER = 2

function branch (key: string, left: Branch | undefined, right: Branch | undefined): Branch {
  return { key, size: weight(left) + weight(right) - 1, left, right }
}

/** As {@link branch}, where one side may have grown by one key too many. */
function balanced (key: string, left: Branch | undefined, right: Branch | undefined): Branch {
  if (right !== undefined && weight(right) > UNEVEN * weight(left)) {
    const inner = right.left
    if (inner === undefined || weight(inner) < INNER * weight(right.right)) return branch(right.key, branch(key, left, inner), right.right)
    return branch(inner.key, branch(key, left, inner.left), branch(right.key, inner.right, right.right))
  }
  if (left !== undefined && weight(left) > UNEVEN * weight(right)) {
    const inner = left.right
    if (inner === undefined || weight(inner) < INNER * weight(left.left)) return branch(left.key, left.left, branch(key, inner, right))
    return branch(inner.key, branch(left.key, left.left, inner.left), branch(key, inner.right, right))
  }
  return branch(key, left, right)
}

/** `key` isn't there yet. */
function added (at: Branch | undefined, key: string): Branch {
  if (at === undefined) return branch(key, undefined, undefined)
  return key < at.key ? balanced(at.key, added(at.left, key), at.right) : balanced(at.key, at.left, added(at.right, key))
}

function holds (top: Branch | undefined, key: string): boolean {
  let at = top
  while (at !== undefined && at.key !== key) at = key < at.key ? at.left : at.right
  return at !== undefined
}

/** Never changes; `with` gives another. Texts in ascending order. */
export class GrownSet<T extends string> implements Iterable<T> {
  private constructor (private readonly top: Branch | undefined) {}

  static empty<T extends string> (): GrownSet<T> {
    return new GrownSet<T>(undefined)
  }

  get size (): number {
    return this.top?.size ?? 0
  }

  has (key: T): boolean {
    return holds(this.top, key)
  }

  /** Itself where nothing is new. */
  with (keys: Iterable<T>): GrownSet<T> {
    let { top } = this
    for (const key of keys) if (!holds(top, key)) top = added(top, key)
    return top === this.top ? this : new GrownSet<T>(top)
  }

  * [Symbol.iterator] (): Generator<T, void> {
    const above: Branch[] = []
    for (let at = this.top; at !== undefined || above.length > 0;) {
      for (; at !== undefined; at = at.left) above.push(at)
      const next = above.pop() as Branch
      yield next.key as T
      at = next.right
    }
  }
}
