/** The timeline of one domain: a row for each node, with the moments at which it had each update. */
import type { Micros } from '../../trace.js'
import type { ReportData } from '../data.js'
import type { PageElement } from '../dom.js'
import type { Kit } from './kit.js'
import type { Knowledge } from './knowledge.js'

export interface Lanes {
  /** `span`: microseconds shown around t, 0 for the whole run; `delays`: the x axis is the delay and not the time */
  readonly draw: (t: Micros, domain: number, span: Micros, delays: boolean) => void
}

export function createLanes (
  kit: Kit, data: ReportData, knowledge: Knowledge, chart: PageElement, note: PageElement, table: PageElement, seek: (t: Micros) => void
): Lanes {
  const MOST_ROWS = 60
  const ROW = 26
  const TOP = 30
  interface Row { readonly node: number, readonly times: readonly Micros[], readonly missing: number, readonly worst: Micros }
  interface Scale { readonly x: (value: number) => number, readonly invert: (x: number) => number, readonly from: number, readonly to: number, readonly ticks: readonly number[] }
  let rows: Row[] = []
  let shape = ''
  let scale: Scale | undefined
  let playhead: PageElement | undefined

  const clip = (text: string, most: number): string => text.length > most ? `${text.slice(0, most - 1)}…` : text
  const collect = (domain: number): Row[] => {
    const updates = knowledge.published(domain)
    const all: Row[] = []
    data.nodes.forEach((node, i) => {
      if (node.owns !== domain && !node.follows.includes(domain) && !knowledge.domains(i).includes(domain)) return
      const times = knowledge.arrivals(i, domain)
      let [missing, worst] = [0, 0]
      updates.forEach((update, u) => {
        const arrived = times[u] ?? -1
        if (update[1] === i) return
        if (arrived < 0) missing += 1
        else worst = Math.max(worst, arrived - update[0])
      })
      all.push({ node: i, times, missing, worst })
    })
    return all.sort((a, b) => Number(data.nodes[b.node]?.owns === domain) - Number(data.nodes[a.node]?.owns === domain) ||
      b.missing - a.missing || b.worst - a.worst || a.node - b.node)
  }

  const linear = (from: number, to: number, left: number, right: number): Scale => {
    const wanted = (to - from) / Math.max(2, Math.floor((right - left) / 110))
    const steps = [1, 2, 5].flatMap(step => [0, 1, 2, 3, 4, 5, 6].map(power => step * 10 ** power))
      .concat([10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21_600, 43_200, 86_400, 172_800, 604_800].map(seconds => seconds * 1_000_000))
      .sort((a, b) => a - b)
    const step = steps.find(size => size >= wanted) ?? wanted
    const ticks: number[] = []
    for (let tick = Math.ceil(from / step) * step; tick <= to; tick += step) ticks.push(tick)
    return {
      from, to, ticks,
      x: value => left + (value - from) * (right - left) / (to - from),
      invert: x => from + (x - left) * (to - from) / (right - left)
    }
  }
  const logarithmic = (low: number, high: number, left: number, right: number): Scale => {
    const [from, to] = [10 ** Math.floor(Math.log10(Math.max(1, low))), 10 ** Math.ceil(Math.log10(Math.max(10, high)))]
    const width = Math.log10(to / from)
    const ticks: number[] = []
    for (let tick = from; tick <= to * 1.01; tick *= 10) ticks.push(Math.round(tick))
    return {
      from, to, ticks,
      x: value => left + Math.log10(Math.max(from, value) / from) * (right - left) / width,
      invert: x => from * 10 ** ((x - left) * width / (right - left))
    }
  }

  const build = (t: Micros, domain: number, span: Micros, delays: boolean): void => {
    const narrow = kit.narrow()
    const width = Math.max(300, chart.clientWidth)
    const [left, right] = [narrow ? 92 : 150, width - (narrow ? 26 : rows.some(row => row.missing > 0) ? 84 : 32)]
    const visible = rows.slice(0, MOST_ROWS)
    const height = TOP + visible.length * ROW + 8
    const updates = knowledge.published(domain)
    const info = data.domains[domain]
    const from = span === 0 ? 0 : Math.max(0, Math.min(data.end - span, t - span / 2))
    const spread = rows.flatMap(row => row.times.map((time, u) => time < 0 || updates[u]?.[1] === row.node ? -1 : time - (updates[u]?.[0] ?? 0)))
      .filter(delay => delay >= 0).sort((a, b) => a - b)
    const axis = delays
      ? logarithmic(spread[0] ?? 1, spread.at(-1) ?? 1000, left, right)
      : linear(from, span === 0 ? data.end : from + Math.min(span, data.end), left, right)
    scale = axis
    const inside = (value: number): boolean => value >= axis.from && value <= axis.to
    const px = (value: number): number => Math.round(axis.x(value) * 10) / 10
    const parts: PageElement[] = []
    for (const tick of axis.ticks) {
      const label = delays ? kit.formatSpan(tick).replace(/\.0+ /, ' ') : kit.formatClock(tick).replace(/\.000$/, '')
      parts.push(kit.svg('path', { class: 'axis', d: `M${px(tick)} ${TOP - 8}V${height}` }), kit.svg('text', { class: 'axis-label', x: px(tick), y: 14 }, label))
    }
    const upright = (name: string, values: readonly number[]): void => {
      const places = new Set(values.filter(inside).map(px))
      parts.push(kit.svg('path', { class: name, d: [...places].map(x => `M${x} ${TOP - 4}V${height}`).join('') }))
    }
    if (!delays) upright('lane-update', updates.map(row => row[0]))
    visible.forEach((row, i) => {
      const y = TOP + i * ROW + ROW / 2
      const node = data.nodes[row.node]
      parts.push(kit.svg('path', { class: 'lane', d: `M${left} ${y}H${right}` }),
        kit.svg('text', { class: 'lane-name', x: left - 10, y: y + 4 }, clip(node?.name ?? '', narrow ? 11 : 19)))
      if (row.missing > 0 && !narrow) parts.push(kit.svg('text', { class: 'lane-missing', x: right + 10, y: y + 4 }, `${kit.formatCount(row.missing)} missing`))
      const [dots, late, own] = [new Set<number>(), new Set<number>(), new Set<number>()]
      const waits: string[] = []
      row.times.forEach((time, u) => {
        const sent = updates[u]?.[0] ?? 0
        const mine = updates[u]?.[1] === row.node
        const value = delays ? time - sent : mine ? sent : time
        if ((time < 0 && !mine) || (delays && mine) || !inside(value)) return
        const slow = !mine && info !== undefined && time - sent > info.p95
        ;(mine ? own : slow ? late : dots).add(px(value))
        if (slow && !delays && waits.length < 500) waits.push(`M${px(Math.max(sent, axis.from))} ${y}H${px(value)}`)
      })
      const disc = (x: number, r: number): string => `M${x - r} ${y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0`
      for (const x of late) dots.delete(x)
      parts.push(kit.svg('path', { class: 'wait', d: waits.join('') }), kit.svg('path', { class: 'dot', d: [...dots].map(x => disc(x, 3.5)).join('') }),
        kit.svg('path', { class: 'dot-late', d: [...late].map(x => `M${x} ${y - 5}l5 9h-10z`).join('') }),
        kit.svg('path', { class: 'dot-own', d: [...own].map(x => `M${x} ${y - 6}l6 6l-6 6l-6 -6z`).join('') }))
    })
    // One line for the whole domain where the axis is the delay, else one for each update, where it stands clear of the publication.
    const each = delays ? [] : updates.map((update, u) => rows.map(row => row.times[u] ?? -1).filter((time, r) => time >= 0 && rows[r]?.node !== update[1]).sort((a, b) => a - b))
    for (const [name, thousandths, whole] of [['p50', 500, info?.p50 ?? -1], ['p95', 950, info?.p95 ?? -1]] as const) {
      const moments = each.map(times => kit.percentile(times, thousandths)).filter((time, u) => time >= 0 && px(time) - px(updates[u]?.[0] ?? 0) >= 3)
      upright(`line-${name}`, delays && whole >= 0 ? [whole] : moments)
      if (delays && inside(whole)) parts.push(kit.svg('text', { class: `line-label ${name}`, x: px(whole) + (name === 'p50' ? -4 : 4), y: 27 }, name))
    }
    playhead = kit.svg('path', { class: 'playhead', d: '' })
    parts.push(playhead)
    chart.setAttribute('viewBox', `0 0 ${width} ${height}`)
    chart.setAttribute('height', String(height))
    chart.setAttribute('aria-label', `${delays ? 'Delays' : 'Arrivals'} of ${updates.length} updates of ${info?.name ?? 'the domain'} at ${rows.length} nodes; the same figures stand in the table below`)
    chart.replaceChildren(...parts)
    const missing = rows.reduce((sum, row) => sum + row.missing, 0)
    note.textContent = updates.length === 0
      ? 'Nothing was published for this domain.'
      : `${kit.formatCount(updates.length)} ${updates.length === 1 ? 'update' : 'updates'}, ${info === undefined || info.p50 < 0 ? 'none arrived anywhere' : `half arrived within ${kit.formatSpan(info.p50)}, 95% within ${kit.formatSpan(info.p95)}`}` +
        `${missing > 0 ? `; ${kit.formatCount(missing)} never arrived during the run` : ''}.` +
        (rows.length > MOST_ROWS ? ` Shown are the ${MOST_ROWS} slowest of ${kit.formatCount(rows.length)} nodes.` : '')
    const cell = (text: string): PageElement => kit.element('td', { class: 'number' }, text)
    table.replaceChildren(...visible.map(row => {
      const delay = row.times.map((time, u) => time < 0 || updates[u]?.[1] === row.node ? -1 : time - (updates[u]?.[0] ?? 0)).filter(value => value >= 0).sort((a, b) => a - b)
      const span = (value: number): string => value < 0 ? '–' : kit.formatSpan(value)
      return kit.element('tr', {}, kit.element('th', { scope: 'row' }, data.nodes[row.node]?.name ?? ''), cell(kit.formatCount(delay.length)),
        cell(kit.formatCount(row.missing)), cell(span(kit.percentile(delay, 500))), cell(span(kit.percentile(delay, 950))), cell(span(delay.at(-1) ?? -1)))
    }))
  }

  chart.addEventListener('click', event => {
    if (scale === undefined || shape.endsWith('true')) return
    seek(scale.invert((event.clientX ?? 0) - chart.getBoundingClientRect().left))
  })
  return {
    draw (t, domain, span, delays) {
      const size = `${domain} ${chart.clientWidth} ${span} ${delays}`
      // A zoomed chart follows the time by half windows, so that it isn't built again for every frame.
      const outside = scale !== undefined && !delays && (t < scale.from || t > scale.to)
      if (size !== shape || outside) {
        if (shape.split(' ')[0] !== String(domain)) rows = collect(domain)
        shape = size
        build(t, domain, span, delays)
      }
      const visible = Math.min(MOST_ROWS, rows.length)
      if (!delays && scale !== undefined) playhead?.setAttribute('d', `M${Math.round(scale.x(t) * 10) / 10} ${TOP - 8}V${TOP + visible * ROW + 8}`)
    }
  }
}
