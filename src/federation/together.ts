/**
 * Many lanes' logs, asked for one after the other and taken in some at a time. Whatever changes what is held makes the next look at it cost as much as the
 * domain has lanes; this way the view, hellos, upkeep and the disk hear of it once for all of them.
 */
import type { Asking, Working } from './asking.js'

/** Answers after which what came is taken in: few at first, so that something shows at once, and never so many that losing them with the peer would hurt. */
const FIRST = 16
const MOST = 128
/** the same where whoever answers is at hand: a bound for memory alone */
const AT_HAND = 4096
/** bytes that wait to be taken in, about; a log that is longer alone is taken in at once */
const MAX_BYTES = 4 * 1024 * 1024

export class Together {
  private waiting: Array<Working<void>> = []
  private bytes = 0
  /** answers since something was taken in last */
  private answers = 0
  private settling = false
  private room: number

  constructor (private readonly patient: boolean) {
    this.room = patient ? AT_HAND : FIRST
  }

  /** Runs `work` until it has something to take in, or is done. */
  * add (work: Working<void>): Asking<void> {
    yield * this.run(work)
    if (this.bytes >= MAX_BYTES) yield * this.settle()
  }

  private * run (work: Working<void>): Asking<void> {
    for (let step = work.next(); step.done !== true;) {
      if (typeof step.value === 'number') {
        this.waiting.push(work)
        this.bytes += step.value
        return
      }
      const got = yield step.value
      // One long log doesn't keep the others waiting.
      if (++this.answers >= this.room && !this.settling) yield * this.settle()
      step = work.next(got)
    }
  }

  /** Lets all go on that wait, each until it waits again, until all are done. */
  * settle (): Asking<void> {
    this.settling = true
    while (this.waiting.length > 0) {
      const ready = this.waiting
      this.waiting = []
      this.bytes = 0
      for (const work of ready) yield * this.run(work)
    }
    this.settling = false
    this.answers = 0
    if (!this.patient) this.room = Math.min(2 * this.room, MOST)
  }
}
