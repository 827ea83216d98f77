/** Time on the page: where we are in the run, and how fast it goes on. */
import type { Micros } from '../../trace.js'
import type { Kit } from './kit.js'

export interface Player {
  readonly now: () => Micros
  readonly playing: () => boolean
  /** virtual microseconds per millisecond of the reader's time */
  readonly pace: () => number
  readonly setPace: (pace: number) => void
  readonly seek: (t: Micros) => void
  readonly toggle: (on?: boolean) => void
  /** called after every change of time, pace or play */
  readonly onChange: (listener: () => void) => void
}

export function createPlayer (kit: Kit, end: Micros): Player {
  const listeners: Array<() => void> = []
  let [now, playing, pace, last, owed, told] = [0, false, end / 30_000, 0, 0, false]
  const tell = (): void => { for (const listener of listeners) listener() }
  // Several changes within one frame are drawn once.
  const tellSoon = (): void => {
    if (told) return
    told = true
    kit.page.requestAnimationFrame(() => {
      told = false
      tell()
    })
  }
  const frame = (moment: number): void => {
    if (!playing) return
    // A tab that slept doesn't jump; with reduced motion the picture changes twice a second.
    owed += Math.min(200, moment - last)
    last = moment
    if (!kit.calm() || owed >= 500) {
      now = Math.min(end, now + owed * pace)
      owed = 0
      if (now >= end) playing = false
      tell()
    }
    if (playing) kit.page.requestAnimationFrame(frame)
  }
  return {
    now: () => Math.round(now),
    playing: () => playing,
    pace: () => pace,
    setPace (value) {
      pace = value
      tellSoon()
    },
    seek (t) {
      now = Math.max(0, Math.min(end, t))
      tellSoon()
    },
    toggle (on = !playing) {
      if (on === playing) return
      playing = on
      if (on) {
        if (now >= end) now = 0
        owed = 0
        kit.page.requestAnimationFrame(moment => {
          last = moment
          frame(moment)
        })
      }
      tellSoon()
    },
    onChange: listener => { listeners.push(listener) }
  }
}
