/**
 * Sets of names written as prefixes by whole segments ('' = everything). A list of prefixes is bounded only by the payload that holds it, 200,000 in one
 * object, and is asked about as many names: no question may cost a walk over it. Source: RULES T2, M3, D5; THREATS 3, 23.
 */
import { pathWithin } from './names.js'

/** Up to so many a walk is as fast as a search, and most scopes have one. */
const FEW = 8

// Nothing sorts before NUL and no name holds one, so by this key a prefix stands right before all that it covers.
const keyOf = (path: string): string => path.replaceAll('/', '\0')

class PrefixSet {
  /** none covers another; ascending by their keys */
  readonly outermost: string[] = []
  private readonly keys: string[] = []

  constructor (prefixes: Iterable<string>) {
    const byKey = Array.from(prefixes, (p): [string, string] => [keyOf(p), p]).sort(([a], [b]) => a < b ? -1 : a > b ? 1 : 0)
    for (const [key, p] of byKey) {
      const last = this.outermost.at(-1)
      if (last !== undefined && pathWithin(last, p)) continue
      this.outermost.push(p)
      this.keys.push(key)
    }
  }

  /** Between a prefix and what it covers stands only what it covers, so the greatest that isn't beyond `name` decides. */
  covers (name: string): boolean {
    const key = keyOf(name)
    let low = 0
    let high = this.keys.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.keys[middle] as string) <= key) low = middle + 1
      else high = middle
    }
    return low > 0 && pathWithin(this.outermost[low - 1] as string, name)
  }
}

// By the list, which is part of a decoded object and never changes: a manifest's scope is asked about every leaf of its lanes.
const sets = new WeakMap<readonly string[], PrefixSet>()

/** Whether one of `prefixes` covers `name`. The list must not change afterwards. */
export function prefixesCover (prefixes: readonly string[], name: string): boolean {
  if (prefixes.length <= FEW) return prefixes.some((p) => pathWithin(p, name))
  let set = sets.get(prefixes)
  if (set === undefined) sets.set(prefixes, set = new PrefixSet(prefixes))
  return set.covers(name)
}

/** Those that no other covers, each once, in no order that matters. */
export function outermost (prefixes: Iterable<string>): string[] {
  return new PrefixSet(prefixes).outermost
}
