/** Real time behind the simulator's clock: a scenario's second is a second. */
import { Clock, quiet } from '../world/clock.js'
import type { Micros } from '../trace.js'

export class RealClock extends Clock {
  private readonly start = performance.now()
  private wake: () => void = () => undefined

  override get now (): Micros {
    return Math.floor((performance.now() - this.start) * 1000)
  }

  override at (t: Micros, what: () => void): void {
    super.at(t, what)
    this.wake()
  }

  override async run (until: Micros, rest: () => boolean): Promise<void> {
    while (this.now < until) {
      const due = this.takeDue(this.now)
      if (due === undefined) {
        await this.pause(Math.min(this.nextAt() ?? until, until) - this.now)
        continue
      }
      due()
      await quiet()
      if (!rest()) return
    }
  }

  /** Until the time has come, or something earlier was planned. */
  private async pause (micros: Micros): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, Math.max(0, Math.ceil(micros / 1000)))
      this.wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}
