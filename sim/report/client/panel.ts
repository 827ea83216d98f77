/** Beside the graph: the state of one node at the moment, what just happened, and how many know how much. */
import type { Micros } from '../../trace.js'
import type { ReportData } from '../data.js'
import type { PageElement } from '../dom.js'
import type { Kit } from './kit.js'
import type { Knowledge } from './knowledge.js'

export interface Panel {
  readonly draw: (t: Micros, domain: number, node: number) => void
  /** one sentence for a screen reader */
  readonly describe: (t: Micros, domain: number, node: number) => string
}

export function createPanel (kit: Kit, data: ReportData, knowledge: Knowledge): Panel {
  const [state, recent, tally] = [kit.byId('node-state'), kit.byId('recent'), kit.byId('tally')]
  const refusals = data.nodes.map((): Array<ReportData['refusals'][number]> => [])
  for (const row of data.refusals) refusals[row[1]]?.push(row)
  const word = (index: number): string => data.words[index] ?? ''
  const clip = (text: string): string => text.length > 40 ? `${text.slice(0, 39)}…` : text
  let drawn = ''
  let said = -1

  const standing = (node: number, domain: number, t: Micros): string => {
    const { view, held, published } = knowledge.at(node, domain, t)
    if (view === undefined) return 'no view'
    const behind = published - held
    return behind === 0 ? 'up to date' : `${kit.formatCount(behind)} behind`
  }
  const line = (node: number): string => {
    const { kind, adversary, owns } = data.nodes[node] ?? { kind: 'follower', adversary: '', owns: -1 }
    return `${kind}${adversary === '' ? '' : `: ${adversary}`}${owns < 0 ? '' : ` of ${data.domains[owns]?.name ?? ''}`}`
  }
  const drawNode = (t: Micros, domain: number, node: number): void => {
    const about = data.nodes[node]
    if (about === undefined) {
      state.replaceChildren(kit.element('p', { class: 'quiet' }, 'Point at a node, or choose one from the list, to see what it holds.'))
      return
    }
    const condition = knowledge.state(node, t)
    const parts = [kit.element('p', { class: 'node-title' }, kit.element('strong', {}, about.name), ' ',
      kit.element('span', { class: `condition ${condition === 'up' ? 'good' : 'bad'}` }, condition)), kit.element('p', { class: 'quiet' }, line(node))]
    const known = [...new Set([domain, ...knowledge.domains(node)])].filter(d => d === domain || knowledge.at(node, d, t).view !== undefined)
    const rows = known.slice(0, 6).map(d => {
      const { view } = knowledge.at(node, d, t)
      const cell = kit.element('td', {}, standing(node, d, t))
      if (view !== undefined) {
        cell.append(kit.element('span', { class: 'quiet' }, `${kit.formatCount(view[4])} ${view[4] === 1 ? 'name' : 'names'}, log ${view[3]}, `, kit.element('code', {}, word(view[5])),
          word(view[6]) === '' ? '' : `, by ${clip(word(view[6]))}`))
      }
      const name = data.domains[d]?.name ?? ''
      return kit.element('tr', {}, kit.element('th', { scope: 'row', title: name }, name), cell)
    })
    parts.push(kit.element('table', {}, kit.element('caption', { class: 'unseen' }, `Views held by ${about.name}`),
      kit.element('thead', {}, kit.element('tr', {}, ...['Domain', 'View'].map(text => kit.element('th', { scope: 'col' }, text)))), kit.element('tbody', {}, ...rows)))
    if (known.length > 6) parts.push(kit.element('p', { class: 'quiet' }, `and ${known.length - 6} domains more`))
    const own = refusals[node] ?? []
    const last = own.slice(0, kit.after(own, t)).slice(-3).reverse()
    parts.push(kit.element('h4', {}, 'Last refusals'))
    parts.push(last.length === 0
      ? kit.element('p', { class: 'quiet' }, 'none so far')
      : kit.element('ul', { class: 'plain' }, ...last.map(row => kit.element('li', {}, kit.element('span', { class: 'when' }, kit.formatClock(row[0])), ' ',
        kit.element('code', {}, word(row[3])), ` from ${clip(word(row[2]))}`))))
    state.replaceChildren(...parts)
  }
  const drawRecent = (t: Micros): void => {
    const count = kit.after(data.log, t)
    if (count === said) return
    said = count
    const rows = data.log.slice(Math.max(0, count - 7), count).reverse()
    recent.replaceChildren(...(rows.length === 0 ? [kit.element('li', { class: 'quiet' }, 'nothing yet')] : rows.map(([moment, kind, node, text]): PageElement =>
      kit.element('li', { class: `log-${data.logKinds[kind] ?? ''}` }, kit.element('span', { class: 'when' }, kit.formatClock(moment)), ' ',
        kit.element('strong', {}, data.nodes[node]?.name ?? ''), node < 0 ? '' : ' ', word(text)))))
  }
  const drawTally = (t: Micros, domain: number): void => {
    let [full, behind, none, down] = [0, 0, 0, 0]
    data.nodes.forEach((node, i) => {
      if (knowledge.state(i, t) !== 'up') down += 1
      if (node.owns !== domain && !node.follows.includes(domain)) return
      const { view, held, published } = knowledge.at(i, domain, t)
      if (view === undefined) none += 1
      else if (held >= published) full += 1
      else behind += 1
    })
    const published = kit.after(knowledge.published(domain), t)
    const text = `${kit.formatCount(published)} published · ${kit.formatCount(full)} ${full === 1 ? 'node' : 'nodes'} up to date, ${kit.formatCount(behind)} behind, ${kit.formatCount(none)} without a view` +
      (down > 0 ? ` · ${kit.formatCount(down)} down` : '')
    if (tally.textContent !== text) tally.textContent = text
  }
  return {
    draw (t, domain, node) {
      const { view, published } = node < 0 ? { view: undefined, published: 0 } : knowledge.at(node, domain, t)
      const own = refusals[node] ?? []
      // Built again only when something that it shows has changed.
      const now = [node, domain, published, knowledge.domains(node).map(d => knowledge.at(node, d, t).view?.[0] ?? 0).slice(0, 50).join(), view?.[0] ?? -1,
        kit.after(own, t), knowledge.state(node, t)].join(' ')
      if (now !== drawn) drawNode(t, domain, node)
      drawn = now
      drawRecent(t)
      drawTally(t, domain)
    },
    describe: (t, domain, node) =>
      `${data.nodes[node]?.name ?? ''}, ${line(node)}, ${knowledge.state(node, t)}, ${data.domains[domain]?.name ?? ''}: ${standing(node, domain, t)}`
  }
}
