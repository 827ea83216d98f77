/** Standard output: writes that can be awaited, and a reader that goes away (`diad cat … | head`) is no fault of ours. */
import type { Writable } from 'node:stream'

export class Output {
  readonly #stream: Writable
  readonly #onClosed: () => void
  #closed = false
  #failure: Error | undefined

  /** `onClosed` is told once, when the reader has gone away. */
  constructor (stream: Writable, onClosed: () => void) {
    this.#stream = stream
    this.#onClosed = onClosed
    stream.on('error', this.#failed)
  }

  /** Whether the reader has gone away: nothing that we could still say is read. */
  get closed (): boolean {
    return this.#closed
  }

  /** What else went wrong, such as a full disk behind `> file`. */
  get failure (): Error | undefined {
    return this.#failure
  }

  /** Resolves when the stream has taken the bytes. Rejects when it can't, or with the signal's reason: a pager may not read for hours. */
  async write (data: Uint8Array | string, signal?: AbortSignal): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const stop = (): void => reject(signal?.reason instanceof Error ? signal.reason : new Error('aborted'))
      if (signal?.aborted === true) {
        stop()
        return
      }
      signal?.addEventListener('abort', stop, { once: true })
      this.#stream.write(data, (err) => {
        signal?.removeEventListener('abort', stop)
        if (err === null || err === undefined) {
          resolve()
        } else {
          this.#failed(err)
          reject(err)
        }
      })
    })
  }

  /** Writes without waiting; a failure is kept in `closed` or `failure`. */
  print (text: string): void {
    this.write(text).catch(() => { /* kept */ })
  }

  /** Resolves when everything written before has gone out. */
  async flush (): Promise<void> {
    await this.write('').catch(() => { /* kept */ })
  }

  release (): void {
    this.#stream.off('error', this.#failed)
  }

  readonly #failed = (err: Error): void => {
    const { code } = err as NodeJS.ErrnoException
    if (code === 'EPIPE' || code === 'ECONNRESET' || code === 'ERR_STREAM_DESTROYED') {
      if (this.#closed) return
      this.#closed = true
      this.#onClosed()
    } else {
      this.#failure ??= err
    }
  }
}
