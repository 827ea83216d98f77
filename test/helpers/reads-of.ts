/** `list`, and how many of its items were read so far: what a question costs, whatever the machine does meanwhile. */
export function readsOf<T> (list: readonly T[]): { watched: T[], reads: () => number } {
  let reads = 0
  const watched = new Proxy([...list], {
    get (target, key, receiver): unknown {
      if (typeof key === 'string' && /^\d+$/.test(key)) reads++
      return Reflect.get(target, key, receiver)
    }
  })
  return { watched, reads: () => reads }
}
