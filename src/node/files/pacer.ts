/**
 * Lets long synchronous work share its thread: synchronous file calls cost a fraction of asynchronous ones for small files, but the event loop must
 * turn now and then, for the network, for progress and for the AbortSignal.
 */

/** Milliseconds of work between two turns: short against what a person or a peer notices, long against what a turn costs. */
const SLICE_MS = 12

export class Pacer {
  #since = performance.now()
  readonly #signal: AbortSignal | undefined
  readonly #onTurn: (() => void) | undefined

  /** `onTurn` is called at each turn, for progress. */
  constructor (signal: AbortSignal | undefined, onTurn?: () => void) {
    this.#signal = signal
    this.#onTurn = onTurn
    signal?.throwIfAborted()
  }

  /** Whether it is time to `await turn()`. */
  due (): boolean {
    return performance.now() - this.#since >= SLICE_MS
  }

  /** Gives way to the event loop once. Throws the signal's reason when it was aborted. */
  async turn (): Promise<void> {
    this.#onTurn?.()
    await new Promise<void>((resolve) => { setImmediate(resolve) })
    this.#signal?.throwIfAborted()
    this.#since = performance.now()
  }
}
