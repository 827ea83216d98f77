/** Objects that wait for another one to make sense of them. Small, oldest out first: a peer must not fill memory with what may never come. */

const MAX_WAITING = 256

/** Values by their own key, found by what they wait for. */
export class WaitPool<K extends string, V> {
  private readonly held = new Map<K, { readonly on: string, readonly value: V }>()

  /** `bounded`: whether the pool drops what is too much just now. What was accepted once and is read back must not push itself out. */
  constructor (private readonly bounded: () => boolean = () => true) {}

  get size (): number {
    return this.held.size
  }

  has (key: K): boolean {
    return this.held.has(key)
  }

  get (key: K): V | undefined {
    return this.held.get(key)?.value
  }

  add (key: K, on: string, value: V): void {
    if (this.held.has(key)) return
    this.held.set(key, { on, value })
    if (!this.bounded()) return
    for (const oldest of this.held.keys()) {
      if (this.held.size <= MAX_WAITING) return
      this.held.delete(oldest)
    }
  }

  delete (key: K): void {
    this.held.delete(key)
  }

  /** Those that wait for `on`, oldest first. */
  waitingFor (on: string): Array<[K, V]> {
    if (this.held.size === 0) return []
    const out: Array<[K, V]> = []
    for (const [key, item] of this.held) if (item.on === on) out.push([key, item.value])
    return out
  }
}
