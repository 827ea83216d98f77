/** The progress line: on standard error, on a terminal only, and only for what takes longer than a second. */
import type { Options, Params, SingleBar } from 'cli-progress'
import type { Progress } from '../node/command.js'
import { formatBytes, group, safe } from './text.js'

/** A command's progress, or that of something that counts other things. */
export type Amount = Omit<Progress, 'unit'> & { unit: string }

export interface ProgressLine {
  update: (progress: Amount) => void
  /** Takes the line away, so that other text can be written; the next update brings it back. */
  hide: () => void
  stop: () => void
}

export const NO_PROGRESS: ProgressLine = { update: () => {}, hide: () => {}, stop: () => {} }

/** What is shorter than this many milliseconds needs no bar: it would only flicker. */
const QUIET_MS = 1000

export function progressLine (stream: NodeJS.WritableStream): ProgressLine {
  let latest: Amount | undefined
  let bar: SingleBar | undefined
  let shown = false
  let stopped = false
  let phaseStart = 0

  const show = (): void => {
    if (bar === undefined || latest === undefined || stopped) return
    const total = latest.total ?? 0
    if (!shown) {
      bar.start(total, latest.done, payload())
      shown = true
    } else {
      bar.setTotal(total)
      bar.update(latest.done, payload())
    }
  }
  const payload = (): Shown => ({ progress: latest as Amount, seconds: (performance.now() - phaseStart) / 1000 })
  const timer = setTimeout(() => {
    // Loaded here: most commands are done by now and never need it.
    void import('cli-progress').then(({ default: { SingleBar } }) => {
      if (stopped) return
      bar = new SingleBar({ stream, format: formatLine, clearOnComplete: true, hideCursor: true, fps: 10, noTTYOutput: false, linewrap: false, gracefulExit: false })
      show()
    })
  }, QUIET_MS)
  timer.unref()

  const hide = (): void => {
    if (shown) bar?.stop()
    shown = false
  }
  return {
    update (progress) {
      if (progress.phase !== latest?.phase) phaseStart = performance.now()
      latest = progress
      show()
    },
    hide,
    stop () {
      stopped = true
      clearTimeout(timer)
      hide()
    }
  }
}

interface Shown { progress: Amount, seconds: number }

const BAR_WIDTH = 24

function formatLine (_options: Options, params: Params, payload: unknown): string {
  return progressText(payload as Shown, params.progress)
}

/** `fetching  ████████░░░░  42%  8,400/20,000 files  120 MB  41 MB/s` */
export function progressText ({ progress, seconds }: Shown, fraction: number): string {
  const { phase, done, total, unit } = progress
  const bytes = unit === 'bytes' ? done : progress.bytes
  const parts = [safe(phase, 40)]
  if (total !== undefined && total > 0) {
    const part = Math.min(1, Math.max(0, Number.isFinite(fraction) ? fraction : 0))
    const full = Math.floor(part * BAR_WIDTH)
    parts.push('█'.repeat(full) + '░'.repeat(BAR_WIDTH - full), `${Math.floor(part * 100)}%`.padStart(4))
  }
  const of = (n: number): string => unit === 'bytes' ? formatBytes(n) : group(n)
  const amount = total === undefined ? of(done) : `${of(done)}/${of(total)}`
  parts.push(unit === 'bytes' ? amount : `${amount} ${done === 1 && total === undefined ? unit.replace(/s$/, '') : unit}`)
  if (bytes !== undefined && unit !== 'bytes') parts.push(formatBytes(bytes))
  if (bytes !== undefined && bytes > 0 && seconds > 0.5) parts.push(`${formatBytes(bytes / seconds)}/s`)
  return parts.join('  ')
}
