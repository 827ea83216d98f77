/** Collects the trace of a run and its digest. Keeping the events is optional: a long run of many nodes has millions. */
import { createHash } from 'node:crypto'
import type { TraceEvent } from '../trace.js'

/** `Omit` that keeps the cases of a union apart. */
export type Untimed = TraceEvent extends infer E ? E extends TraceEvent ? Omit<E, 't'> : never : never

const FLUSH_AT = 512

export class Tracer {
  readonly events: TraceEvent[] = []
  private readonly hash = createHash('sha256')
  private waiting: string[] = []

  constructor (private readonly now: () => number, private readonly keep: boolean) {}

  add (event: Untimed): void {
    const timed = { t: this.now(), ...event } as TraceEvent
    if (this.keep) this.events.push(timed)
    this.waiting.push(JSON.stringify(timed))
    if (this.waiting.length >= FLUSH_AT) this.flush()
  }

  private flush (): void {
    if (this.waiting.length === 0) return
    this.hash.update(this.waiting.join('\n') + '\n')
    this.waiting = []
  }

  digest (): string {
    this.flush()
    return this.hash.copy().digest('hex')
  }
}
