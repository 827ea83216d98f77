/** The federation at a moment: one shape a node, filled as far as it knows the chosen domain; links light up while messages run. */
import type { Micros } from '../../trace.js'
import type { NodeKind, Placement, ReportData } from '../data.js'
import type { PageElement } from '../dom.js'
import type { Kit } from './kit.js'
import type { Knowledge } from './knowledge.js'

export interface Graph {
  /** `glow`: microseconds that a message stays lit after it arrived */
  readonly draw: (t: Micros, domain: number, selected: number, glow: Micros) => void
  /** the other layout, when the page becomes narrow or wide */
  readonly place: () => void
  readonly focus: (node: number) => void
}

export function createGraph (
  kit: Kit, data: ReportData, knowledge: Knowledge, root: PageElement,
  on: { readonly hover: (node: number) => void, readonly choose: (node: number) => void, readonly describe: (node: number) => string }
): Graph {
  const LEVELS = 8
  const MOST_LIT = data.compact ? 150 : 1500
  const MOST_LOST = data.compact ? 40 : 300
  const LIT = ['gossip', 'sync', 'block', 'other']
  let placement: Placement = data.wide
  const longest = data.messages.reduce((most, row) => Math.max(most, row[1] - row[0]), 0)

  const outline = (kind: NodeKind, r: number): string => {
    const ring = (...corners: Array<readonly [number, number]>): string =>
      `M${corners.map(([x, y]) => `${Math.round(x * r * 10) / 10} ${Math.round(y * r * 10) / 10}`).join('L')}Z`
    switch (kind) {
      case 'publisher': return ring([1.05, 0], [0.53, 0.92], [-0.53, 0.92], [-1.05, 0], [-0.53, -0.92], [0.53, -0.92])
      case 'mirror': return ring([0.88, 0.88], [-0.88, 0.88], [-0.88, -0.88], [0.88, -0.88])
      case 'witness': return ring([1.15, 0], [0, 1.15], [-1.15, 0], [0, -1.15])
      case 'reader': return ring([0, -1.12], [1.08, 0.82], [-1.08, 0.82])
      case 'adversary': return ring([0, -1.2], [0.34, -0.46], [1.14, -0.37], [0.55, 0.18], [0.7, 0.97], [0, 0.57], [-0.7, 0.97], [-0.55, 0.18], [-1.14, -0.37], [-0.34, -0.46])
      default: return `M${r} 0A${r} ${r} 0 1 1 ${-r} 0A${r} ${r} 0 1 1 ${r} 0Z`
    }
  }
  const gradients = ['know', 'other'].flatMap(name => Array.from({ length: LEVELS + 1 }, (_, level) => kit.svg('linearGradient',
    { id: `${name}-${level}`, x1: 0, y1: 1, x2: 0, y2: 0 },
    kit.svg('stop', { offset: level / LEVELS, class: `stop-${name}` }), kit.svg('stop', { offset: level / LEVELS, class: 'stop-empty' }))))
  const path = (name: string): PageElement => kit.svg('path', { class: name, d: '' })
  const [idle, cut, dots, lost] = [path('link-idle'), path('link-cut'), path('message-dots'), path('message-lost')]
  const lit = LIT.map(name => path(`link-lit lit-${name}`))
  const shapes: PageElement[] = []
  const marks: PageElement[] = []
  const names: PageElement[] = []
  const groups = data.nodes.map((node, i) => {
    const shape = kit.svg('path', { class: 'shape' })
    const mark = kit.svg('text', { class: 'node-mark', 'aria-hidden': 'true' })
    shapes.push(shape)
    marks.push(mark)
    const short = node.name.length > 18 ? `${node.name.slice(0, 17)}…` : node.name
    const group = kit.svg('g', { class: `node kind-${node.kind}`, tabindex: i === 0 ? 0 : -1, role: 'button', 'aria-label': node.name, 'data-node': i }, shape, mark)
    const name = kit.svg('text', { class: 'node-name', 'aria-hidden': 'true' }, short)
    names.push(name)
    if (!data.compact) group.append(name)
    return group
  })
  root.replaceChildren(kit.svg('defs', {}, ...gradients), idle, ...lit, cut, dots, lost, kit.svg('g', {}, ...groups))

  const at = (node: number): readonly [number, number] => placement.points[node] ?? [0, 0]
  const line = (from: number, to: number): string => {
    const [[x1, y1], [x2, y2]] = [at(from), at(to)]
    return `M${x1} ${y1}L${x2} ${y2}`
  }
  const dot = (from: number, to: number, share: number, r: number): string => {
    const [[x1, y1], [x2, y2]] = [at(from), at(to)]
    const [x, y] = [Math.round(x1 + (x2 - x1) * share), Math.round(y1 + (y2 - y1) * share)]
    return `M${x - r} ${y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0`
  }
  const place = (): void => {
    placement = kit.narrow() ? data.narrow : data.wide
    const r = placement.radius
    root.setAttribute('viewBox', `0 0 ${placement.box.width} ${placement.box.height}`)
    groups.forEach((group, i) => {
      const [x, y] = at(i)
      group.setAttribute('transform', `translate(${x} ${y})`)
      shapes[i]?.setAttribute('d', outline(data.nodes[i]?.kind ?? 'follower', r))
      marks[i]?.setAttribute('y', String(Math.round(r * 0.36)))
      marks[i]?.setAttribute('font-size', String(r))
      names[i]?.setAttribute('y', String(r + 17))
    })
    idle.setAttribute('d', data.links.map(([from, to]) => line(from, to)).join(''))
  }

  /** What is cut at t: both ways the whole line is dashed, one way the half at the sender that is not heard. */
  const cuts = (t: Micros): string => {
    const state = new Map<number, readonly [number, number]>()
    for (const [moment, from, to, up] of data.linkStates) {
      if (moment > t) break
      const key = from * data.nodes.length + to
      if (up === 1) state.delete(key)
      else state.set(key, [from, to])
    }
    return [...state.values()].map(([from, to]) => {
      if (state.has(to * data.nodes.length + from)) return from < to ? line(from, to) : ''
      const [[x1, y1], [x2, y2]] = [at(from), at(to)]
      return `M${x1} ${y1}L${Math.round((x1 + x2) / 2)} ${Math.round((y1 + y2) / 2)}`
    }).join('')
  }

  const messages = (t: Micros, glow: Micros): void => {
    const lines = LIT.map((): string[] => [])
    const moving: string[] = []
    let count = 0
    for (let i = kit.after(data.messages, t) - 1; i >= 0 && count < MOST_LIT; i--) {
      const row = data.messages[i]
      if (row === undefined || row[0] < t - glow - longest) break
      const [sent, arrives, from, to, what] = row
      if (arrives + glow < t) continue
      count += 1
      const kind = LIT.indexOf(data.words[what] ?? '')
      lines[kind < 0 ? 3 : kind]?.push(line(from, to))
      if (arrives > t && !kit.calm()) moving.push(dot(from, to, (t - sent) / Math.max(1, arrives - sent), data.compact ? 2 : 4))
    }
    lit.forEach((element, i) => element.setAttribute('d', (lines[i] ?? []).join('')))
    dots.setAttribute('d', moving.join(''))
    const crosses: string[] = []
    for (let i = kit.after(data.lost, t) - 1; i >= 0 && crosses.length < MOST_LOST; i--) {
      const row = data.lost[i]
      if (row === undefined || row[0] + glow < t) break
      const [[x1, y1], [x2, y2]] = [at(row[1]), at(row[2])]
      const [x, y] = [Math.round((x1 + x2) / 2), Math.round((y1 + y2) / 2)]
      crosses.push(`M${x - 5} ${y - 5}l10 10m0 -10l-10 10`)
    }
    lost.setAttribute('d', crosses.join(''))
  }

  const nodes = (t: Micros, domain: number, selected: number): void => {
    const stands = data.nodes.map((_, i) => knowledge.at(i, domain, t))
    // Those who hold everything published should show one view: the most common one counts, another is marked.
    const shown = new Map<number, number>()
    for (const { view, held, published } of stands) if (view !== undefined && held === published) shown.set(view[5], (shown.get(view[5]) ?? 0) + 1)
    const common = [...shown].sort((a, b) => b[1] - a[1])[0]?.[0]
    stands.forEach(({ view, held, published }, i) => {
      const group = groups[i]
      const level = view === undefined ? 0 : published === 0 || held >= published ? LEVELS : Math.floor(held * LEVELS / published)
      const differs = view !== undefined && held >= published && view[5] !== common
      const state = knowledge.state(i, t)
      const node = data.nodes[i]
      shapes[i]?.setAttribute('fill', `url(#${differs ? 'other' : 'know'}-${level})`)
      group?.classList.toggle('differs', differs)
      group?.classList.toggle('apart', node !== undefined && view === undefined && node.owns !== domain && !node.follows.includes(domain))
      group?.classList.toggle('down', state !== 'up')
      group?.classList.toggle('chosen', i === selected)
      const mark = marks[i]
      const sign = state !== 'up' ? '×' : differs ? '≠' : ''
      if (mark !== undefined && mark.textContent !== sign) mark.textContent = sign
    })
  }

  const nodeOf = (target: PageElement | null): number => Number(target?.closest('[data-node]')?.getAttribute('data-node') ?? -1)
  let home = 0
  const focus = (node: number): void => {
    groups[home]?.setAttribute('tabindex', '-1')
    home = node
    const group = groups[node]
    group?.setAttribute('tabindex', '0')
    group?.setAttribute('aria-label', on.describe(node))
    group?.focus()
  }
  root.addEventListener('pointerover', event => on.hover(nodeOf(event.target)))
  root.addEventListener('pointerleave', () => on.hover(-1))
  root.addEventListener('click', event => { if (nodeOf(event.target) >= 0) on.choose(nodeOf(event.target)) })
  root.addEventListener('focusin', event => {
    const node = nodeOf(event.target)
    if (node >= 0) on.choose(node)
  })
  root.addEventListener('keydown', event => {
    const way = new Map([['ArrowLeft', [-1, 0]], ['ArrowRight', [1, 0]], ['ArrowUp', [0, -1]], ['ArrowDown', [0, 1]]]).get(event.key ?? '')
    const from = nodeOf(event.target)
    if (way === undefined || from < 0) return
    event.preventDefault()
    // The nearest node within the quarter that the arrow points to.
    let [best, distance] = [-1, Infinity]
    data.nodes.forEach((_, i) => {
      const [dx, dy] = [at(i)[0] - at(from)[0], at(i)[1] - at(from)[1]]
      const along = dx * (way[0] ?? 0) + dy * (way[1] ?? 0)
      const across = Math.abs(dx * (way[1] ?? 0)) + Math.abs(dy * (way[0] ?? 0))
      if (i === from || along <= 0 || across > along * 1.2) return
      if (along + across < distance) [best, distance] = [i, along + across]
    })
    if (best >= 0) focus(best)
  })
  place()
  return {
    draw (t, domain, selected, glow) {
      nodes(t, domain, selected)
      messages(t, glow)
      cut.setAttribute('d', cuts(t))
    },
    place,
    focus
  }
}
