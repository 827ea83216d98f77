/** Tables of the page: findings, verdicts and evidence, cost. They are in the page as it is, and need no script. */
import type { Cost, RunResult, Violation } from '../trace.js'
import { html, plain, trusted, type Html, type Piece } from './escape.js'
import { formatBytes, formatClock, formatCount, formatMilli, formatSpan } from './format.js'
import type { DomainTotals, Summary } from './summarise.js'

const MOST_ROWS = 200
const NOTHING = trusted('')

export interface Column { readonly title: string, readonly number?: boolean, readonly wide?: boolean }
type Cell = Piece

/** The first column is each row's header; `all` is the number of rows that there are. */
export function table (caption: string, columns: readonly Column[], rows: ReadonlyArray<readonly Cell[]>, all = rows.length): Html {
  // A name, a code or a moment stays on one line; what is long may break.
  const style = (column: Column | undefined, cell: Cell = ''): Html =>
    trusted(column?.number === true ? ' class="number"' : column?.wide === true ? ' class="wide"' : typeof cell === 'string' && cell.length <= 24 ? ' class="short"' : '')
  const head = columns.map(column => html`<th scope="col"${style(column)}>${column.title}</th>`)
  const body = rows.map(cells => html`<tr>${cells.map((cell, i) => i === 0
    ? html`<th scope="row"${style(columns[i], cell)}>${cell}</th>`
    : html`<td${style(columns[i], cell)}>${cell}</td>`)}</tr>\n`)
  return html`<div class="card scroll" tabindex="0" role="region" aria-label="${caption}"><table><caption class="unseen">${caption}</caption>
<thead><tr>${head}</tr></thead><tbody>
${body}</tbody></table></div>${all > rows.length ? html`<p class="quiet">${formatCount(rows.length)} of ${formatCount(all)} rows are shown.</p>` : NOTHING}\n`
}

/** A long text without its middle: what was asked stands at the front, what was found at the end. */
function middle (text: string): string {
  return text.length <= 420 ? text : `${plain(text.slice(0, 220), 400)} … ${plain(text.slice(-180), 400)}`
}

export function seek (t: number, playable: boolean, text = formatClock(t)): Html {
  return playable ? html`<button type="button" class="seek" data-seek="${t}" aria-label="Go to ${text}">${text}</button>` : html`${text}`
}

export function findings (result: RunResult, summary: Summary, playable: boolean): Html {
  const place = (line: number): string => line > 0 ? `line ${line}` : '–'
  const violations = result.violations.filter(violation => violation.invariant !== 'expectation')
  // An expectation that failed may stand in both lists: it is shown once.
  const said = new Set(summary.gathered.expectations.filter(event => !event.met).map(event => `${event.t} ${event.line}`))
  const alone = result.violations.filter(violation => violation.invariant === 'expectation' && !said.has(`${violation.t} ${violation.line}`))
  const expectations = [
    ...alone.map((violation): Row => ({ t: violation.t, line: violation.line, text: violation.text, met: false, found: '' })),
    ...summary.gathered.expectations
  ].sort((a, b) => Number(a.met) - Number(b.met) || a.t - b.t)
  const broken = violations.length === 0
    ? html`<p>${result.status === 'passed' || expectations.some(event => !event.met) ? 'Every invariant held for the whole run.' : 'No invariant was broken.'}</p>`
    : table('Violations', [{ title: 'Invariant' }, { title: 'When' }, { title: 'Node' }, { title: 'What happened', wide: true }, { title: 'Scenario' }],
      violations.slice(0, MOST_ROWS).map((violation: Violation) => [html`<span class="bad verdict">✗ ${violation.invariant}</span>`, seek(violation.t, playable), violation.node, middle(violation.text), place(violation.line)]), violations.length)
  const met = expectations.length === 0
    ? html`<p>The scenario expects nothing, or the trace was not kept.</p>`
    : table('Expectations', [{ title: 'Expectation', wide: true }, { title: 'Result' }, { title: 'When' }, { title: 'Scenario' }, { title: 'Found', wide: true }],
      expectations.slice(0, MOST_ROWS).map(event => [middle(event.text), event.met ? html`<span class="good verdict">✓ met</span>` : html`<span class="bad verdict">✗ not met</span>`,
        seek(event.t, playable), place(event.line), event.found === '' ? '–' : middle(event.found)]), expectations.length)
  return html`<section id="findings" aria-labelledby="findings-title"><h2 id="findings-title">Expectations and violations</h2>
<p class="intro">What the scenario asked for, and what the invariants that always hold had to say.</p>
<h3 class="subhead">Violations</h3>${broken}<h3 class="subhead">Expectations</h3>${met}</section>\n`
}

interface Row { readonly t: number, readonly line: number, readonly text: string, readonly met: boolean, readonly found: string }

export function verdicts (summary: Summary, playable: boolean): Html {
  const { refusalTotals, evidence } = summary.gathered
  const some = (names: ReadonlySet<string>): string => {
    const shown = [...names].slice(0, 3).map(name => plain(name, 60)).join(', ')
    return names.size > 3 ? `${shown} and ${formatCount(names.size - 3)} more` : shown
  }
  const refused = refusalTotals.length === 0
    ? html`<p>Nothing was refused.</p>`
    : table('Refusals', [{ title: 'Node' }, { title: 'Result' }, { title: 'Code' }, { title: 'From' }, { title: 'Domains' }, { title: 'Count', number: true }, { title: 'First' }],
      refusalTotals.slice(0, MOST_ROWS).map(entry => [entry.node, entry.kind, html`<code>${entry.code}</code>`, entry.peer, some(entry.domains), formatCount(entry.count), seek(entry.first, playable)]), refusalTotals.length)
  const proofs = evidence.length === 0
    ? html`<p>No equivocation came to light.</p>`
    : table('Evidence', [{ title: 'Domain' }, { title: 'Lane' }, { title: 'Record', number: true }, { title: 'Nodes that know', number: true }, { title: 'First' }, { title: 'Last' }],
      evidence.slice(0, MOST_ROWS).map(entry => [entry.domain, html`<code>${plain(entry.lane, 24)}</code>`, formatCount(entry.smallest), formatCount(entry.nodes.size), seek(entry.first, playable), seek(entry.last, playable)]), evidence.length)
  return html`<section id="verdicts" aria-labelledby="verdicts-title"><h2 id="verdicts-title">Verdicts and evidence</h2>
<p class="intro">What nodes refused, or took note of without effect, by node, peer and code; and the proofs of equivocation that they took up.</p>
<h3 class="subhead">Evidence</h3>${proofs}<h3 class="subhead">Refused and noted</h3>${refused}</section>\n`
}

export function domainTable (domains: readonly DomainTotals[], playable: boolean): Html {
  const span = (value: number): string => value < 0 ? '–' : formatSpan(value)
  const shown = domains.map((domain, i) => ({ domain, i }))
  // Where not all fit, the ones worth a look come first.
  if (shown.length > MOST_ROWS) shown.sort((a, b) => b.domain.missing - a.domain.missing || b.domain.p95 - a.domain.p95 || a.i - b.i)
  return table('Domains', [{ title: 'Domain' }, { title: 'Publishers', number: true }, { title: 'Followers', number: true }, { title: 'Updates', number: true }, { title: 'Deliveries', number: true },
    { title: 'Missing', number: true }, { title: 'Median', number: true }, { title: 'p95', number: true }, { title: 'Longest', number: true }],
  shown.slice(0, MOST_ROWS).map(({ domain, i }) => [
    playable ? html`<button type="button" class="seek" data-seek="0" data-domain="${i}" aria-label="Show ${domain.name} from the start">${domain.name}</button>` : domain.name,
    formatCount(domain.publishers), formatCount(domain.followers), formatCount(domain.updates), formatCount(domain.arrived),
    domain.missing > 0 ? html`<span class="bad">${formatCount(domain.missing)}</span>` : '0', span(domain.p50), span(domain.p95), span(domain.max)]), domains.length)
}

/** A bar of a hundred units; the figure beside it says the same. */
function bar (share: number): Html {
  return html`<svg class="bar" width="80" height="8" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true"><rect width="${Math.max(1, Math.round(share * 100))}" height="8" rx="2"/></svg>`
}

export function cost (cost: Cost, summary: Summary): Html {
  const figure = (title: string, value: string): Html => html`<div><dt>${title}</dt><dd>${value}</dd></div>`
  const most = Math.max(1, ...cost.byKind.map(entry => entry.bytes))
  const nodes = [...cost.byNode].sort((a, b) => (b.bytesSent + b.bytesReceived) - (a.bytesSent + a.bytesReceived) || (a.node < b.node ? -1 : 1))
  const kinds = [...cost.byKind].sort((a, b) => b.bytes - a.bytes || (a.what < b.what ? -1 : 1))
  const { losses, content } = summary.gathered
  const count = { number: true }
  return html`<section id="cost" aria-labelledby="cost-title"><h2 id="cost-title">Cost</h2>
<p class="intro">Whole numbers, equal for equal scenario and seed. Delay runs from durable at the publisher to held at a follower.</p>
<dl class="card figures">${[
    figure('Messages', formatCount(cost.messages)), figure('Bytes', formatBytes(cost.bytes)), figure('Lost', formatCount(cost.lost)), figure('Updates', formatCount(cost.updates)),
    figure('Delay, median', formatSpan(cost.delayMedian)), figure('Delay, p95', formatSpan(cost.delayP95)), figure('Delay, longest', formatSpan(cost.delayMax)),
    figure('Most hops', formatCount(cost.maxHops)), figure('Messages a delivery', formatMilli(cost.messagesPerDeliveryMilli)),
    figure('Bytes a delivery', formatBytes(Math.round(cost.bytesPerDeliveryMilli / 1000))), figure('Copies of a gossip message', formatMilli(cost.redundancyMilli))
  ]}</dl>
<div class="columns"><div><h3 class="subhead">By kind of message</h3>
${table('Cost by kind of message', [{ title: 'Kind' }, { title: 'Messages', ...count }, { title: 'Bytes', ...count }, { title: 'Share' }],
  kinds.slice(0, 30).map(entry => [entry.what, formatCount(entry.messages), formatBytes(entry.bytes), bar(entry.bytes / most)]), kinds.length)}
${losses.size === 0 ? NOTHING : html`<h3 class="subhead">Lost, by cause</h3>${table('Lost messages by cause', [{ title: 'Cause' }, { title: 'Messages', ...count }],
  [...losses].sort((a, b) => b[1] - a[1]).slice(0, 20).map(([why, lost]) => [why, formatCount(lost)]), losses.size)}`}
${content.length === 0 ? NOTHING : html`<h3 class="subhead">Content fetched</h3>${table('Content fetched by domain', [{ title: 'Domain' }, { title: 'Fetches', ...count }, { title: 'Blocks', ...count }, { title: 'Bytes', ...count }, { title: 'Missing', ...count }],
  content.slice(0, 20).map(entry => [entry.domain, formatCount(entry.fetches), formatCount(entry.blocks), formatBytes(entry.bytes), formatCount(entry.missing)]), content.length)}`}
</div><div><h3 class="subhead">Nodes that moved most</h3>
${table('Cost by node', [{ title: 'Node' }, { title: 'Sent', ...count }, { title: 'Received', ...count }, { title: 'Bytes out', ...count }, { title: 'Bytes in', ...count }],
  nodes.slice(0, 20).map(entry => [entry.node, formatCount(entry.sent), formatCount(entry.received), formatBytes(entry.bytesSent), formatBytes(entry.bytesReceived)]), nodes.length)}
</div></div></section>\n`
}
