/** The answering end of /diad/block/1 on one stream of one peer. */
import type { Reference } from '../../substrate/reference.js'
import { type HostLimits, Violation } from './budgets.js'
import { type BlockRequest, RECORD_HEAD, decodeRequest, maxRequestBytes, recordHead, responseHead } from './block-wire.js'
import type { Channel } from './channel.js'
import { FrameIntake } from './frame-intake.js'

/**
 * ArtifactBytes for each reference, or undefined for what is absent **or may not be given to this peer for this domain** (RULES V1-V6: the
 * source asks the audience index before the store). At most 32 references a call; one call at a time for one peer.
 */
export type BlockSource = (peer: string, domain: Reference, refs: readonly Reference[]) => Promise<ReadonlyArray<Uint8Array | undefined>>

export interface BlockServerInit {
  readonly peer: string
  readonly limits: HostLimits
  readonly source: () => BlockSource | undefined
  /** Counts a request against the peer's budgets; throws `Violation`. */
  readonly spend: (bytes: number) => void
  readonly log: (message: string) => void
}

export class BlockServer {
  readonly intake: FrameIntake
  #channel: Channel | undefined
  #queue: BlockRequest[] = []
  readonly #cancelled = new Set<number>()
  #serving: number | undefined

  constructor (private readonly init: BlockServerInit) {
    this.intake = new FrameIntake(maxRequestBytes(init.limits), (bytes) => this.#onRequest(bytes))
  }

  /** The channel that `intake` reads from. */
  start (channel: Channel): void {
    this.#channel = channel
  }

  #onRequest (bytes: Uint8Array): void {
    this.init.spend(bytes.length)
    const request = decodeRequest(bytes)
    if (typeof request === 'number') {
      if (request === this.#serving || this.#queue.some((r) => r.id === request)) this.#cancelled.add(request)
      return
    }
    if (this.#queue.length >= this.init.limits.blockRequests) throw new Violation(`has more than ${this.init.limits.blockRequests} block requests waiting`)
    this.#queue.push(request)
    if (this.#serving === undefined) void this.#run()
  }

  async #run (): Promise<void> {
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      this.#serving = next.id
      try {
        await this.#serve(next)
      } catch (err) {
        // The source failed: what it would have given is absent, by the one path there is.
        this.init.log(`serving blocks to ${this.init.peer} failed: ${err instanceof Error ? err.message : String(err)}`)
        this.#send(next.id, true, [], 0)
      }
      this.#cancelled.delete(next.id)
      this.#serving = undefined
      if (this.#channel?.ended !== false) {
        this.#queue = []
        return
      }
    }
  }

  async #serve ({ id, domain, refs }: BlockRequest): Promise<void> {
    const { limits, peer } = this.init
    const source = this.init.source()
    const read = (at: number): ReturnType<BlockSource> => {
      const found = source === undefined ? Promise.resolve([]) : source(peer, domain, refs.slice(at, at + limits.blockReads))
      // It is awaited one turn of the loop later; until then a failure isn't unhandled.
      found.catch(() => undefined)
      return found
    }
    let parts: Uint8Array[] = []
    let size = 0
    let found = read(0)
    for (let at = 0; at < refs.length; at += limits.blockReads) {
      const artifacts = await found
      if (this.#channel?.ended !== false || this.#cancelled.has(id)) break
      // The next reading runs while this one is being sent.
      if (at + limits.blockReads < refs.length) found = read(at + limits.blockReads)
      for (const [i, bytes] of artifacts.entries()) {
        if (bytes === undefined) continue
        parts.push(recordHead(at + i, bytes.length), bytes)
        size += RECORD_HEAD + bytes.length
        if (size < limits.blockFrameBytes) continue
        this.#send(id, false, parts, size)
        parts = []
        size = 0
        await this.#channel.ready()
        if (this.#channel.ended || this.#cancelled.has(id)) break
      }
    }
    this.#send(id, true, parts, size)
    await this.#channel?.ready()
  }

  #send (id: number, last: boolean, parts: Uint8Array[], size: number): void {
    this.#channel?.send([responseHead(id, last, size), ...parts])
  }
}
