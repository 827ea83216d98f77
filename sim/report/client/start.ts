/** Puts the page's parts together. */
import type { Micros } from '../../trace.js'
import type { ReportData } from '../data.js'
import type { Page } from '../dom.js'
import type { createGraph } from './graph.js'
import type { createKit, Kit } from './kit.js'
import type { createKnowledge } from './knowledge.js'
import type { createLanes } from './lanes.js'
import type { createPanel } from './panel.js'
import type { createPlayer } from './player.js'
import type { createScrubber } from './scrubber.js'

export interface Parts {
  readonly figures: Parameters<typeof createKit>[1]
  readonly createKit: typeof createKit
  readonly createKnowledge: typeof createKnowledge
  readonly createPlayer: typeof createPlayer
  readonly createGraph: typeof createGraph
  readonly createPanel: typeof createPanel
  readonly createLanes: typeof createLanes
  readonly createScrubber: typeof createScrubber
}

export function startReport (page: Page, parts: Parts): void {
  const kit: Kit = parts.createKit(page, parts.figures)
  const copy = kit.byId('copy-digest')
  copy.addEventListener('click', () => {
    const said = (text: string): void => {
      copy.textContent = text
      page.setTimeout(() => { copy.textContent = 'Copy' }, 2000)
    }
    const { clipboard } = page.navigator
    if (clipboard === undefined) said('Not allowed')
    else clipboard.writeText(copy.getAttribute('data-copy') ?? '').then(() => said('Copied'), () => said('Not allowed'))
  })
  const source = page.document.getElementById('run-data')
  if (source === null) return

  const data = JSON.parse(source.textContent ?? '') as ReportData
  const knowledge = parts.createKnowledge(kit, data)
  const player = parts.createPlayer(kit, data.end)
  const panel = parts.createPanel(kit, data, knowledge)
  const [domains, nodes, span, delays] = [kit.byId('domain'), kit.byId('node'), kit.byId('span'), kit.byId('axis')]
  let [domain, chosen, hovered] = [data.opening, -1, -1]

  const choose = (node: number): void => {
    chosen = node
    nodes.value = String(node)
    draw()
  }
  const graph = parts.createGraph(kit, data, knowledge, kit.byId('graph'), {
    hover (node) {
      if (node === hovered) return
      hovered = node
      draw()
    },
    choose,
    describe: node => panel.describe(player.now(), domain, node)
  })
  const lanes = parts.createLanes(kit, data, knowledge, kit.byId('lanes'), kit.byId('lanes-note'), kit.byId('lanes-table'), t => {
    player.toggle(false)
    player.seek(t)
  })
  function draw (): void {
    const t: Micros = player.now()
    // Lit for about a third of a second of the reader's time, or a little of the run while it stands still.
    graph.draw(t, domain, hovered >= 0 ? hovered : chosen, Math.min(player.pace() * 350, data.end / 60))
    panel.draw(t, domain, hovered >= 0 ? hovered : chosen)
    span.disabled = delays.value === 'delay'
    lanes.draw(t, domain, Number(span.value), delays.value === 'delay')
  }
  domains.value = String(domain)
  domains.addEventListener('change', () => {
    domain = Number(domains.value)
    draw()
  })
  nodes.addEventListener('change', () => choose(Number(nodes.value)))
  for (const control of [span, delays]) control.addEventListener('change', draw)
  page.addEventListener('resize', () => {
    graph.place()
    draw()
  })
  page.document.addEventListener('click', event => {
    const jump = event.target?.closest('[data-seek]')
    if (jump === undefined || jump === null) return
    player.toggle(false)
    player.seek(Number(jump.getAttribute('data-seek')))
    const place = jump.getAttribute('data-domain')
    if (place !== null) {
      domain = Number(place)
      domains.value = place
      draw()
    }
    kit.byId('play').scrollIntoView({ block: 'start', behavior: kit.calm() ? 'auto' : 'smooth' })
    kit.byId('scrubber').focus({ preventScroll: true })
  })
  parts.createScrubber(kit, data, player)
  player.onChange(draw)
  draw()
  page.document.documentElement.classList.toggle('ready', true)
}
