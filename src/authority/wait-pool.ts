/** Objects that wait for another one to make sense of them. Small, oldest out first: a peer must not fill memory with what may never come. */

const MAX_WAITING = 256

/** Values by their own key, found by what they wait for. */
export class WaitPool<K extends string, V> {
  private readonly held = new Map<K, { readonly on: string, readonly value: V }>()
  /** keys by what they wait for, oldest first: where a whole file is read, nothing bounds how many there are */
  private readonly waiting = new Map<string, Set<K>>()

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
    const others = this.waiting.get(on)
    if (others === undefined) this.waiting.set(on, new Set([key]))
    else others.add(key)
    if (!this.bounded()) return
    for (const oldest of this.held.keys()) {
      if (this.held.size <= MAX_WAITING) return
      this.delete(oldest)
    }
  }

  delete (key: K): void {
    const on = this.held.get(key)?.on
    if (on === undefined) return
    this.held.delete(key)
    const others = this.waiting.get(on)
    others?.delete(key)
    if (others?.size === 0) this.waiting.delete(on)
  }

  /** Those that wait for `on`, oldest first. */
  waitingFor (on: string): Array<[K, V]> {
    return [...this.waiting.get(on) ?? []].map((key) => [key, (this.held.get(key) as { value: V }).value])
  }
}
