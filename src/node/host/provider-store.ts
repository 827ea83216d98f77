/**
 * The datastore that kad-dht writes to, with a bound on what strangers can put there: a node must store any provider record that is sent to it,
 * and libp2p sets no limit (THREATS 27, record flood).
 */
import type { Batch, Datastore, Key, KeyQuery, Pair, Query } from 'interface-datastore'
import type { HostLimits } from './budgets.js'

const PROVIDERS = '/dht/provider/'

export class ProviderStore implements Datastore {
  /** records of each peer; ours are never refused */
  readonly #counts = new Map<string, number>()
  #total = 0
  #counted: Promise<void> | undefined

  constructor (private readonly inner: Datastore, private readonly self: string, private readonly limits: HostLimits) {}

  async put (...[key, value, options]: Parameters<Datastore['put']>): Promise<Key> {
    const peer = providerOf(key)
    if (peer !== undefined && peer !== this.self) {
      await (this.#counted ??= this.#count())
      if (!await this.inner.has(key)) this.#admit(peer)
    }
    return this.inner.put(key, value, options)
  }

  async delete (...[key, options]: Parameters<Datastore['delete']>): Promise<void> {
    const peer = providerOf(key)
    if (peer !== undefined && this.#counted !== undefined && await this.inner.has(key)) this.#release(peer)
    await this.inner.delete(key, options)
  }

  get (...args: Parameters<Datastore['get']>): ReturnType<Datastore['get']> {
    return this.inner.get(...args)
  }

  has (...args: Parameters<Datastore['has']>): ReturnType<Datastore['has']> {
    return this.inner.has(...args)
  }

  query (query: Query): ReturnType<Datastore['query']> {
    return this.inner.query(query)
  }

  queryKeys (query: KeyQuery): ReturnType<Datastore['queryKeys']> {
    return this.inner.queryKeys(query)
  }

  getMany (...args: Parameters<Datastore['getMany']>): ReturnType<Datastore['getMany']> {
    return this.inner.getMany(...args)
  }

  // kad-dht 16 writes one by one. What goes around the bound is refused, so that an update of it can't open the gate unseen.
  putMany (source: Iterable<Pair> | AsyncIterable<Pair>): ReturnType<Datastore['putMany']> {
    return this.#each(source, (pair) => this.put(pair.key, pair.value).then(() => pair.key))
  }

  deleteMany (source: Iterable<Key> | AsyncIterable<Key>): ReturnType<Datastore['deleteMany']> {
    return this.#each(source, (key) => this.delete(key).then(() => key))
  }

  batch (): Batch {
    throw new Error('provider records are written one by one')
  }

  async * #each<T> (source: Iterable<T> | AsyncIterable<T>, act: (item: T) => Promise<Key>): AsyncGenerator<Key> {
    for await (const item of source) yield await act(item)
  }

  #admit (peer: string): void {
    const held = this.#counts.get(peer) ?? 0
    if (held >= this.limits.providersPerPeer) throw new Error(`${peer} has ${held} provider records here already`)
    if (this.#total >= this.limits.providers) throw new Error('the table of provider records is full')
    this.#counts.set(peer, held + 1)
    this.#total++
  }

  #release (peer: string): void {
    const held = this.#counts.get(peer) ?? 0
    if (held === 0) return
    if (held === 1) this.#counts.delete(peer)
    else this.#counts.set(peer, held - 1)
    this.#total--
  }

  /** What an earlier run left. */
  async #count (): Promise<void> {
    for await (const key of this.inner.queryKeys({ prefix: PROVIDERS })) {
      const peer = providerOf(key)
      if (peer === undefined || peer === this.self) continue
      this.#counts.set(peer, (this.#counts.get(peer) ?? 0) + 1)
      this.#total++
    }
  }
}

/** The peer in /dht/provider/CID/PEER. */
function providerOf (key: Key): string | undefined {
  const text = key.toString()
  return text.startsWith(PROVIDERS) ? text.slice(text.lastIndexOf('/') + 1) : undefined
}
