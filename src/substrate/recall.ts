/**
 * Pure functions that remember. Decoding, encoding, hashing and verifying depend on nothing but the bytes, so where many nodes live in one process (the
 * simulator) the second need not do again what the first did, nor hold a copy of its own. Off unless asked for: one node sees the same bytes once.
 */
let on = false

/** From now on, for the whole process. What is remembered is frozen, so that no node can change another's. */
export function rememberPureResults (): void {
  on = true
}

/** `pure`, with a memory by the identity of its argument, which must never change. What it throws isn't remembered. */
export function recalled<K extends object, V extends object | string | boolean> (pure: (from: K) => V): (from: K) => V {
  const known = new WeakMap<K, V>()
  return (from) => {
    if (!on) return pure(from)
    let result = known.get(from)
    if (result === undefined) known.set(from, result = frozen(pure(from)))
    return result
  }
}

/** Deep, but for bytes, which can't be frozen. */
function frozen<V> (value: V): V {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array || Object.isFrozen(value)) return value
  for (const part of Object.values(value)) frozen(part)
  return Object.freeze(value)
}

const texts = new Map<string, string>()
const MAX_TEXTS = 2_000_000

/** One copy of `text` for all, where results are remembered: the same references and digests come to every node. */
export function oneCopy<T extends string> (text: T): T {
  if (!on) return text
  const known = texts.get(text)
  if (known !== undefined) return known as T
  if (texts.size < MAX_TEXTS) texts.set(text, text)
  return text
}
