/**
 * One long-lived stream to one peer: frames in through an `Intake`, bytes out through an `Outbox`, both held back when the other side of them is
 * slow. A stream costs a peer 25 times a pipelined request (measured), so each peer, protocol and initiator has exactly one.
 */
import type { Stream } from '@libp2p/interface'
import type { Uint8ArrayList } from 'uint8arraylist'
import { type HostLimits, Violation } from './budgets.js'
import { ByteQueue } from './byte-queue.js'
import { Outbox } from './outbox.js'

/** Parses the bytes of one stream. */
export interface Intake {
  /** frames completed so far: tells the deadline that another frame began */
  readonly frames: number
  /** Takes every whole item from `queue`. True when it stopped inside a frame. Throws `Violation` when the peer breaks the protocol. */
  read: (queue: ByteQueue) => boolean
  /** Whether the peer owes us bytes, so that silence counts against it. */
  owed?: () => boolean
}

/** bytes handed to the stream at a time: with more, a slow peer's share would lie in the stream's own buffer, out of our sight */
const SEND_AT_ONCE = 256 * 1024

export interface ChannelInit {
  readonly limits: HostLimits
  readonly intake: Intake
  /** This end answers requests: it stops reading them while its answers pile up. */
  readonly answers: boolean
  readonly now: () => number
  /** Called once, when nothing more can be sent or received; `error` is undefined when the peer simply closed. */
  readonly onEnd: (error: Error | undefined) => void
}

export class Channel {
  readonly #init: ChannelInit
  readonly #in = new ByteQueue()
  readonly #out = new Outbox()
  #stream: Stream | undefined
  #ended = false
  #flushing = false
  #paused = false
  #held = 0
  /** when the unfinished frame began; 0 = none */
  #frameSince = 0
  #heardAt: number
  #sentAt: number
  #waiting: Array<() => void> = []

  constructor (init: ChannelInit) {
    this.#init = init
    this.#heardAt = this.#sentAt = init.now()
  }

  get ended (): boolean {
    return this.#ended
  }

  /** The stream has been negotiated; what was sent meanwhile goes out now. */
  attach (stream: Stream): void {
    if (this.#ended) {
      stream.abort(new Error('no longer needed'))
      return
    }
    this.#stream = stream
    this.#sentAt = this.#heardAt = this.#init.now()
    stream.addEventListener('message', this.#onMessage)
    stream.addEventListener('drain', this.#onDrain)
    stream.addEventListener('close', this.#onClose)
    stream.addEventListener('remoteCloseWrite', this.#onRemoteClose)
    this.#flushSoon()
  }

  /** Queues the parts as one piece. False when the peer's queue is full (nothing queued) or the channel has ended. */
  send (parts: readonly Uint8Array[]): boolean {
    if (this.#ended) return false
    let size = 0
    for (const p of parts) size += p.length
    if (this.#out.bytes + size > this.#init.limits.queueBytes) return false
    if (this.#out.bytes === 0) this.#sentAt = this.#init.now()
    for (const p of parts) this.#out.add(p)
    this.#flushSoon()
    return true
  }

  /** Resolves when little enough is waiting to be sent, or the channel has ended. */
  ready (): Promise<void> {
    if (this.#ended || this.#out.bytes <= this.#low()) return Promise.resolve()
    return new Promise((resolve) => { this.#waiting.push(resolve) })
  }

  /** The callback keeps `bytes` bytes until the promise settles; reading stops while it keeps too many. */
  hold (bytes: number, until: Promise<unknown>): void {
    this.#held += bytes
    const release = (): void => {
      this.#held -= bytes
      this.#pace()
    }
    until.then(release, release)
    this.#pace()
  }

  /** From now on the peer owes us an answer. */
  expect (): void {
    this.#heardAt = this.#init.now()
  }

  /** Looks at the deadlines; called a few times a minute. */
  sweep (now: number): void {
    const { limits, intake } = this.#init
    if (this.#ended || this.#stream === undefined) return
    if (this.#out.bytes > 0 && now - this.#sentAt > limits.stallMs) this.cut(new Violation(`took nothing for ${limits.stallMs / 1000} s of what it asked for`))
    else if (this.#paused) return
    else if (this.#frameSince > 0 && now - this.#frameSince > limits.frameMs) this.cut(new Violation(`didn't finish a frame within ${limits.frameMs / 1000} s`))
    else if (intake.owed?.() === true && now - this.#heardAt > limits.blockIdleMs) this.cut(new Violation(`sent nothing for ${limits.blockIdleMs / 1000} s of what it owes`))
  }

  /** Ends the channel at once; what waits is dropped and the peer sees a reset. */
  cut (error: Error): void {
    const stream = this.#stream
    if (this.#ended) return
    this.#end(error)
    stream?.abort(error)
  }

  /** A stop of our own: like `cut`, without the blame. */
  drop (): void {
    const stream = this.#stream
    if (this.#ended) return
    this.#end(undefined)
    stream?.abort(new Error('closed'))
  }

  readonly #onMessage = (event: { data: Uint8Array | Uint8ArrayList }): void => {
    if (this.#ended) return
    const { data } = event
    if (data instanceof Uint8Array) this.#in.push(data)
    else for (const chunk of data) this.#in.push(chunk)
    const { intake, now } = this.#init
    const before = intake.frames
    this.#heardAt = now()
    try {
      const inside = intake.read(this.#in)
      if (!inside) this.#frameSince = 0
      else if (this.#frameSince === 0 || intake.frames !== before) this.#frameSince = this.#heardAt
    } catch (err) {
      this.cut(err instanceof Error ? err : new Error(String(err)))
    }
  }

  readonly #onDrain = (): void => this.#flushSoon()

  readonly #onClose = (event: { error?: Error }): void => this.#end(event.error)

  /** Our protocols never half-close: a peer that stops writing has gone. */
  readonly #onRemoteClose = (): void => {
    const stream = this.#stream
    this.#end(undefined)
    stream?.close().catch((err: unknown) => stream.abort(err instanceof Error ? err : new Error(String(err))))
  }

  /** One flush for everything that is sent within one turn, so that small frames leave together. */
  #flushSoon (): void {
    if (this.#flushing || this.#ended || this.#stream === undefined) return
    this.#flushing = true
    queueMicrotask(() => {
      this.#flushing = false
      this.#flush()
    })
  }

  #flush (): void {
    const stream = this.#stream
    if (stream === undefined) return
    while (!this.#ended && !stream.writableNeedsDrain) {
      const bytes = this.#out.take(SEND_AT_ONCE)
      if (bytes === undefined) break
      this.#sentAt = this.#init.now()
      try {
        stream.send(bytes)
      } catch (err) {
        this.cut(err instanceof Error ? err : new Error(String(err)))
      }
    }
    if (this.#out.bytes <= this.#low()) this.#wake()
    this.#pace()
  }

  #low (): number {
    return this.#init.limits.pauseBytes / 4
  }

  #wake (): void {
    const waiting = this.#waiting
    if (waiting.length === 0) return
    this.#waiting = []
    for (const resolve of waiting) resolve()
  }

  /** Stops or goes on reading, with a gap between the two marks so that it doesn't flutter. */
  #pace (): void {
    const { limits, answers } = this.#init
    const stream = this.#stream
    if (this.#ended || stream === undefined) return
    const waiting = answers ? this.#out.bytes : 0
    if (!this.#paused && (this.#held > limits.holdBytes || waiting > limits.pauseBytes)) {
      this.#paused = true
      stream.pause()
    } else if (this.#paused && this.#held <= limits.holdBytes / 2 && waiting <= limits.pauseBytes / 2) {
      this.#paused = false
      // The peer isn't to blame for the time in which we didn't read.
      this.#heardAt = this.#init.now()
      if (this.#frameSince > 0) this.#frameSince = this.#heardAt
      if (stream.readStatus === 'paused') stream.resume()
    }
  }

  #end (error: Error | undefined): void {
    if (this.#ended) return
    this.#ended = true
    const stream = this.#stream
    this.#stream = undefined
    this.#in.clear()
    this.#out.clear()
    stream?.removeEventListener('message', this.#onMessage)
    stream?.removeEventListener('drain', this.#onDrain)
    stream?.removeEventListener('close', this.#onClose)
    stream?.removeEventListener('remoteCloseWrite', this.#onRemoteClose)
    this.#wake()
    this.#init.onEnd(error)
  }
}
