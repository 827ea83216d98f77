/** The asking end of /diad/block/1 on one stream to one peer: several fetches share it, a window of requests stays in flight. */
import { DiadError } from '../../substrate/errors.js'
import type { Reference } from '../../substrate/reference.js'
import { type HostLimits, Violation } from './budgets.js'
import { LAST, RECORD_HEAD, RESPONSE_HEAD, encodeCancel, encodeRequest, maxResponseBytes } from './block-wire.js'
import type { ByteQueue } from './byte-queue.js'
import type { Channel, Intake } from './channel.js'

/**
 * Gets each artifact as it arrives, in any order: the index into the references asked for, and ArtifactBytes **nobody has verified**. Put them
 * through the store, which hashes, and compare. The bytes are good until the call returns. A promise holds back the peer when 16 MiB are kept.
 */
export type OnBlock = (index: number, artifactBytes: Uint8Array) => void | Promise<void>

interface Fetch {
  readonly domain: Reference
  readonly refs: readonly Reference[]
  readonly onBlock: OnBlock
  readonly got: Uint8Array
  /** the first reference that hasn't been asked for */
  next: number
  /** requests in flight */
  open: number
  /** callbacks that haven't finished */
  busy: number
  over: boolean
  readonly resolve: (result: { missing: Reference[] }) => void
  readonly reject: (reason: unknown) => void
}

interface Flight {
  readonly fetch: Fetch
  readonly offset: number
  readonly count: number
}

export class BlockClient implements Intake {
  frames = 0
  #channel: Channel | undefined
  #fetches: Fetch[] = []
  readonly #flights = new Map<number, Flight>()
  #lastId = 0
  // --- where the parser stands
  #state: 'length' | 'head' | 'record' | 'artifact' = 'length'
  #remaining = 0
  #flight: Flight | undefined
  #id = 0
  #last = false
  #index = 0
  #length = 0

  constructor (private readonly peer: string, private readonly limits: HostLimits) {}

  start (channel: Channel): void {
    this.#channel = channel
  }

  owed (): boolean {
    return this.#flights.size > 0
  }

  /** Resolves when the peer has answered for every reference; `missing` are those it didn't give. Rejects `peer-gone`, or with the signal's reason. */
  fetch (domain: Reference, refs: readonly Reference[], onBlock: OnBlock, signal?: AbortSignal): Promise<{ missing: Reference[] }> {
    if (refs.length === 0) return Promise.resolve({ missing: [] })
    if (signal?.aborted === true) return Promise.reject(asError(signal.reason))
    return new Promise((resolve, reject) => {
      const onAbort = (): void => this.#fail(fetch, signal?.reason)
      const settled = (): void => signal?.removeEventListener('abort', onAbort)
      const fetch: Fetch = {
        domain,
        refs,
        onBlock,
        got: new Uint8Array(refs.length),
        next: 0,
        open: 0,
        busy: 0,
        over: false,
        resolve (result) {
          settled()
          resolve(result)
        },
        reject (reason) {
          settled()
          reject(asError(reason))
        }
      }
      signal?.addEventListener('abort', onAbort)
      this.#fetches.push(fetch)
      this.#ask()
    })
  }

  /** The channel has ended: nothing more will come. */
  end (error: Error | undefined): void {
    const why = error === undefined ? '' : ` (${error.message})`
    for (const fetch of new Set([...this.#fetches, ...[...this.#flights.values()].map((f) => f.fetch)])) {
      if (fetch.over) continue
      fetch.over = true
      fetch.reject(new DiadError('peer-gone', `${this.peer} closed the connection while blocks were outstanding${why}`, 'what has arrived is kept; ask another peer for the rest'))
    }
    this.#fetches = []
    this.#flights.clear()
  }

  read (queue: ByteQueue): boolean {
    for (;;) {
      switch (this.#state) {
        case 'length': {
          if (queue.length < 4) return queue.length > 0
          const length = queue.u32()
          if (length < RESPONSE_HEAD || length > maxResponseBytes(this.limits)) throw new Violation(`declared a block frame of ${length} bytes, ${maxResponseBytes(this.limits)} are allowed`)
          this.#remaining = length - RESPONSE_HEAD
          this.#state = 'head'
          break
        }
        case 'head': {
          if (queue.length < RESPONSE_HEAD) return true
          this.#id = queue.u32()
          const flags = queue.u8()
          this.#flight = this.#flights.get(this.#id)
          if (this.#flight === undefined || flags > LAST) throw new Violation('answered a block request that was never made')
          this.#last = flags === LAST
          this.#state = 'record'
          break
        }
        case 'record': {
          if (this.#remaining === 0) {
            this.#endFrame()
            break
          }
          if (this.#remaining < RECORD_HEAD) throw new Violation('sent a block frame that ends inside a record')
          if (queue.length < RECORD_HEAD) return true
          this.#index = queue.u16()
          this.#length = queue.u32()
          this.#remaining -= RECORD_HEAD
          if (this.#length > this.limits.artifactBytes || this.#length > this.#remaining) throw new Violation(`declared an artifact of ${this.#length} bytes`)
          this.#state = 'artifact'
          break
        }
        case 'artifact': {
          if (queue.length < this.#length) return true
          this.#remaining -= this.#length
          this.#state = 'record'
          this.#deliver(queue.take(this.#length, whole(this.#length)))
          break
        }
      }
    }
  }

  #deliver (bytes: Uint8Array): void {
    const { fetch, offset, count } = this.#flight as Flight
    const at = offset + this.#index
    if (this.#index >= count || fetch.got[at] === 1) throw new Violation('gave a block that was not asked for, or gave it twice')
    fetch.got[at] = 1
    if (fetch.over) return
    try {
      const result = fetch.onBlock(at, bytes)
      if (result === undefined) return
      fetch.busy++
      this.#channel?.hold(bytes.length, result)
      result.then(() => {
        fetch.busy--
        this.#settle(fetch)
      }, (err: unknown) => this.#fail(fetch, err))
    } catch (err) {
      this.#fail(fetch, err)
    }
  }

  #endFrame (): void {
    this.#state = 'length'
    this.frames++
    const { fetch } = this.#flight as Flight
    this.#flight = undefined
    if (!this.#last) return
    this.#flights.delete(this.#id)
    fetch.open--
    this.#settle(fetch)
    this.#ask()
  }

  /** Fills the window from the oldest fetch that still has something to ask for. */
  #ask (): void {
    const window = Math.max(1, this.limits.blockRequests / 2)
    while (this.#flights.size < window) {
      const fetch = this.#fetches[0]
      if (fetch === undefined) return
      if (fetch.over || fetch.next >= fetch.refs.length) {
        this.#fetches.shift()
        continue
      }
      const refs = fetch.refs.slice(fetch.next, fetch.next + this.limits.blockRefs)
      const id = this.#lastId = (this.#lastId + 1) >>> 0
      if (this.#flights.size === 0) this.#channel?.expect()
      this.#flights.set(id, { fetch, offset: fetch.next, count: refs.length })
      fetch.next += refs.length
      fetch.open++
      this.#channel?.send([encodeRequest({ id, domain: fetch.domain, refs })])
    }
  }

  #settle (fetch: Fetch): void {
    if (fetch.over || fetch.open > 0 || fetch.busy > 0 || fetch.next < fetch.refs.length) return
    fetch.over = true
    fetch.resolve({ missing: fetch.refs.filter((_, i) => fetch.got[i] === 0) })
  }

  /** The fetch is over for its caller; the peer is told to stop, and what is still under way is read and dropped. */
  #fail (fetch: Fetch, reason: unknown): void {
    if (fetch.over) return
    fetch.over = true
    for (const [id, flight] of this.#flights) {
      if (flight.fetch === fetch) this.#channel?.send([encodeCancel(id)])
    }
    fetch.reject(reason)
    this.#ask()
  }
}

/** Where the pieces of a large block are put together: one for all peers, since it is read before anything else runs. */
let assembly = new Uint8Array(0)

function whole (length: number): Uint8Array {
  if (assembly.length < length) assembly = new Uint8Array(length)
  return assembly
}

function asError (reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason))
}
