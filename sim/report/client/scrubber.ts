/** The bar at the foot of the page: play, pace, and the run as a line with marks on it. */
import type { Micros } from '../../trace.js'
import type { ReportData } from '../data.js'
import type { Kit } from './kit.js'
import type { Player } from './player.js'

export function createScrubber (kit: Kit, data: ReportData, player: Player): void {
  const STEPS = 1000
  const [range, marks, play, time] = [kit.byId('scrubber'), kit.byId('marks'), kit.byId('play-button'), kit.byId('clock')]
  const [pace, before, next] = [kit.byId('pace'), kit.byId('mark-before'), kit.byId('mark-next')]
  const kinds = [[0, 'mark-action'], [1, 'mark-action'], [3, 'mark-evidence'], [4, 'mark-violation'], [5, 'mark-violation']] as const

  marks.setAttribute('viewBox', `0 0 ${STEPS} 14`)
  for (const name of ['mark-action', 'mark-evidence', 'mark-violation']) {
    const bins = new Set<number>()
    for (const [t, kind] of data.log) if (kinds.some(([k, mark]) => k === kind && mark === name)) bins.add(Math.round(t * STEPS / data.end))
    const height = name === 'mark-action' ? 6 : 13
    marks.append(kit.svg('path', { class: name, d: [...bins].map(x => `M${x} 14v${-height}`).join('') }))
  }
  const moments = [...new Set(data.log.filter(row => row[1] !== 2).map(row => row[0]))].sort((a, b) => a - b)
  const jump = (way: 1 | -1): void => {
    const now = player.now()
    const found = way === 1 ? moments.find(t => t > now) : moments.findLast(t => t < now)
    player.toggle(false)
    player.seek(found ?? (way === 1 ? data.end : 0))
  }
  const step = (share: number): void => player.seek(player.now() + data.end * share)

  range.setAttribute('max', String(STEPS))
  range.addEventListener('input', () => player.seek(Number(range.value) * data.end / STEPS))
  play.addEventListener('click', () => player.toggle())
  before.addEventListener('click', () => jump(-1))
  next.addEventListener('click', () => jump(1))
  const choose = (): void => {
    const [kind, value] = pace.value.split(':')
    // Either the whole run in so many seconds, or a factor of real time (1,000 µs in a millisecond).
    player.setPace(kind === 'fit' ? data.end / (Number(value) * 1000) : Number(value) * 1000)
  }
  pace.addEventListener('change', choose)
  choose()

  kit.page.document.addEventListener('keydown', event => {
    if (event.ctrlKey === true || event.altKey === true || event.metaKey === true) return
    const target = event.target
    const onControl = target?.matches('button, a, select, summary, [role="button"]') ?? false
    const inGraph = target?.closest('#graph') ?? null
    const onSelect = target?.matches('select, input:not(#scrubber)') ?? false
    const far = event.shiftKey === true ? 10 : 1
    if (event.key === ' ' && (!onControl || inGraph !== null)) player.toggle()
    else if (onSelect || inGraph !== null) return
    else if (event.key === 'ArrowRight') step(0.005 * far)
    else if (event.key === 'ArrowLeft') step(-0.005 * far)
    else if (event.key === '.') jump(1)
    else if (event.key === ',') jump(-1)
    else if (target === range && event.key === 'PageUp') step(0.1)
    else if (target === range && event.key === 'PageDown') step(-0.1)
    else if (target === range && event.key === 'Home') player.seek(0)
    else if (target === range && event.key === 'End') player.seek(data.end)
    else return
    event.preventDefault()
  })
  const draw = (): void => {
    const now: Micros = player.now()
    range.value = String(Math.round(now * STEPS / data.end))
    range.setAttribute('aria-valuetext', `${kit.formatClock(now)} of ${kit.formatClock(data.end)}`)
    range.style.setProperty('--done', `${now * 100 / data.end}%`)
    time.textContent = kit.formatClock(now)
    const label = player.playing() ? 'Pause' : 'Play'
    if (play.getAttribute('aria-label') !== label) {
      play.setAttribute('aria-label', label)
      play.classList.toggle('playing', player.playing())
    }
  }
  player.onChange(draw)
  draw()
}
