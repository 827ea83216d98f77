/** Virtual time: a queue of what shall happen, by time and then by order of asking. Between two events everything that is asynchronous comes to rest. */
import type { Micros } from '../trace.js'

/** steps after which the process looks up, so that it can be interrupted */
const BREATH = 256

interface Planned { readonly t: Micros, readonly order: number, readonly run: () => void }

export class Clock {
  private reached: Micros = 0
  /** events carried out */
  steps = 0
  private order = 0
  private readonly heap: Planned[] = []

  get now (): Micros {
    return this.reached
  }

  /** Runs `what` after `delay`; at the same moment in the order of asking. */
  after (delay: Micros, what: () => void): void {
    this.at(this.now + Math.max(0, delay), what)
  }

  at (t: Micros, what: () => void): void {
    if (!Number.isSafeInteger(t)) throw new RangeError(`not a virtual time: ${t}`)
    push(this.heap, { t: Math.max(t, this.now), order: this.order++, run: what })
  }

  async sleep (delay: Micros): Promise<void> {
    await new Promise<void>((resolve) => { this.after(delay, resolve) })
  }

  /** Carries out everything up to and including `until`. `rest` is called after each event has come to rest; false ends the run early. */
  async run (until: Micros, rest: () => boolean): Promise<void> {
    for (;;) {
      const at = this.nextAt()
      const due = this.takeDue(until)
      if (at === undefined || due === undefined) break
      this.reached = at
      due()
      await (this.steps % BREATH === 0 ? quiet() : still())
      if (!rest()) return
    }
    this.reached = Math.max(this.reached, until)
  }

  protected nextAt (): Micros | undefined {
    return this.heap[0]?.t
  }

  /** The next thing planned for a time up to `until`. */
  protected takeDue (until: Micros): (() => void) | undefined {
    const next = this.heap[0]
    if (next === undefined || next.t > until) return undefined
    pop(this.heap)
    this.steps++
    return next.run
  }
}

/** Resolves when no promise has anything left to do: of the process' own queues, this one's turn comes when there are no microtasks left. */
async function still (): Promise<void> {
  await new Promise<void>((resolve) => { process.nextTick(resolve) })
}

/** As {@link still}, and lets the process look at its signals and sockets: three times as dear. */
export async function quiet (): Promise<void> {
  await new Promise<void>((resolve) => { setImmediate(resolve) })
}

const earlier = (a: Planned, b: Planned): boolean => a.t < b.t || (a.t === b.t && a.order < b.order)

function push (heap: Planned[], item: Planned): void {
  let at = heap.length
  heap.push(item)
  while (at > 0) {
    const up = (at - 1) >> 1
    const parent = heap[up] as Planned
    if (!earlier(item, parent)) break
    heap[at] = parent
    at = up
  }
  heap[at] = item
}

function pop (heap: Planned[]): void {
  const last = heap.pop() as Planned
  const size = heap.length
  if (size === 0) return
  let at = 0
  for (;;) {
    let child = 2 * at + 1
    if (child >= size) break
    if (child + 1 < size && earlier(heap[child + 1] as Planned, heap[child] as Planned)) child++
    if (!earlier(heap[child] as Planned, last)) break
    heap[at] = heap[child] as Planned
    at = child
  }
  heap[at] = last
}
