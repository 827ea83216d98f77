/** The parts of the page that the script brings to life: the graph, the timeline and the player. */
import type { RunResult } from '../trace.js'
import { html, plain, trusted, type Html } from './escape.js'
import { formatSpan } from './format.js'
import type { Summary } from './summarise.js'
import { domainTable } from './tables.js'

const icon = (markup: string, name = ''): Html => trusted(`<svg width="14" height="14" viewBox="0 0 14 14" aria-hidden="true"${name === '' ? '' : ` class="${name}"`}>${markup}</svg>`)

const SHAPES: ReadonlyArray<readonly [kind: string, path: string]> = [
  ['publisher', 'M7.5 0L3.8 6.5L-3.8 6.5L-7.5 0L-3.8 -6.5L3.8 -6.5Z'],
  ['mirror', 'M6 6L-6 6L-6 -6L6 -6Z'],
  ['follower', 'M7 0A7 7 0 1 1 -7 0A7 7 0 1 1 7 0Z'],
  ['reader', 'M0 -7L7 6L-7 6Z'],
  ['witness', 'M7.5 0L0 7.5L-7.5 0L0 -7.5Z'],
  ['adversary', 'M0 -8L2.4 -3.2L8 -2.6L3.9 1.3L4.9 6.8L0 4L-4.9 6.8L-3.9 1.3L-8 -2.6L-2.4 -3.2Z']
]

function legend (result: RunResult): Html {
  const swatch = (markup: string): Html => trusted(`<svg width="22" height="20" viewBox="-11 -10 22 20" aria-hidden="true">${markup}</svg>`)
  const kinds = SHAPES.filter(([kind]) => result.nodes.some(node => node.kind === kind))
  return html`<ul class="legend" aria-label="Legend">
${kinds.map(([kind, path]) => html`<li>${swatch(`<g class="kind-${kind}"><path class="shape" fill="none" d="${path}"/></g>`)}${kind}</li>\n`)}
<li>${swatch('<circle class="shape" r="7" fill="var(--card)"/><path fill="var(--know)" d="M-6 3A7 7 0 0 0 6 3Z"/>')}filled as far as it got the domain's updates</li>
<li>${swatch('<circle class="shape" r="7" fill="var(--other)"/>')}≠ all of it, but another view than most</li>
<li>${swatch('<path class="link-lit lit-gossip" d="M-10 0H10"/>')}gossip</li>
<li>${swatch('<path class="link-lit lit-sync" d="M-10 0H10"/>')}sync</li>
<li>${swatch('<path class="link-lit lit-block" d="M-10 0H10"/>')}block</li>
<li>${swatch('<path class="link-lit" d="M-10 0H10"/>')}other</li>
<li>${swatch('<path class="link-cut" d="M-10 0H10"/>')}cut (half a line: one way)</li>
<li>${swatch('<path class="message-lost" d="M-5 -5L5 5M5 -5L-5 5"/>')}lost</li>
</ul>`
}

const options = (rows: ReadonlyArray<readonly [value: string | number, text: string]>, chosen?: string | number): Html[] =>
  rows.map(([value, text]) => html`<option value="${value}"${value === chosen ? trusted(' selected') : trusted('')}>${text}</option>\n`)

export function playground (result: RunResult, summary: Summary): Html {
  const { data } = summary
  return html`<section id="play" aria-labelledby="play-title"><h2 id="play-title">Who knew what, when</h2>
<p class="intro">Choose a domain and play the run with the bar at the foot of the page. <span class="keys">Space plays and pauses, ← and → move through time (with Shift, further), comma and full stop jump from mark to mark.</span></p>
<noscript><p>The graph and the timelines need JavaScript; the tables below don't.</p></noscript>
<div class="controls"><label>Domain<select id="domain">${options(data.domains.map((domain, i) => [i, domain.name]), data.opening)}</select></label>
<label>Node<select id="node"><option value="-1">none chosen</option>${options(data.nodes.map((node, i) => [i, node.name]))}</select></label></div>
<div class="stage"><div class="card picture"><svg id="graph"${data.compact ? trusted(' class="compact"') : trusted('')} role="group" aria-label="The federation, ${data.nodes.length} nodes. Arrow keys go from node to node." viewBox="0 0 ${data.wide.box.width} ${data.wide.box.height}"></svg>${legend(result)}</div>
<div class="side"><div class="card"><h3>At this moment</h3><p id="tally" class="quiet"></p><h4>Node</h4><div id="node-state"></div></div>
<div class="card"><h3>Just before</h3><ol id="recent" class="plain"></ol></div></div></div></section>\n`
}

export function timelines (summary: Summary): Html {
  const { data } = summary
  const spans = [3_600_000_000, 600_000_000, 60_000_000, 10_000_000, 1_000_000, 100_000].filter(span => span * 2 <= data.end).map((span): readonly [number, string] => [span, formatSpan(span)])
  const name = plain(data.domains[data.opening]?.name ?? '', 60)
  return html`<section id="timelines" aria-labelledby="timelines-title"><h2 id="timelines-title">Timelines</h2>
<p class="intro">One row for each node, the publishers first, then the slowest. A diamond is an update published there, a dot the moment at which its records first stood at the node, a triangle one later than 95% of all, with the wait before it. Lines show when half (p50) and 95% of the nodes that got an update had it, where they stand clear of its publication. The domain is the one chosen above.</p>
<div class="controls"><label>Drawn by<select id="axis"><option value="time">time in the run</option><option value="delay">delay since published</option></select></label>
<label>Window<select id="span"><option value="0">whole run</option>${options(spans)}</select></label></div>
<div class="card chart"><svg id="lanes" role="img" aria-label="Timeline of ${name}"></svg></div>
<p id="lanes-note" class="quiet"></p>
<details><summary>The timeline as a table</summary><div class="card scroll" tabindex="0" role="region" aria-label="Arrivals by node"><table><caption class="unseen">Arrivals of the chosen domain by node</caption>
<thead><tr><th scope="col">Node</th><th scope="col" class="number">Arrived</th><th scope="col" class="number">Missing</th><th scope="col" class="number">Median</th><th scope="col" class="number">p95</th><th scope="col" class="number">Longest</th></tr></thead><tbody id="lanes-table"></tbody></table></div></details>
<h3 class="subhead">All domains</h3>${domainTable(summary.domains, true)}</section>\n`
}

export function player (): Html {
  return html`<div class="player" role="region" aria-label="Player"><div class="page">
<div class="buttons"><button type="button" id="mark-before" aria-label="Mark before">${icon('<path d="M11 1v12L4 7zM2 1h2v12H2z"/>')}</button>
<button type="button" id="play-button" aria-label="Play">${icon('<path d="M3 1l9 6-9 6z"/>', 'start')}${icon('<path d="M2 1h3.5v12H2zM8.5 1H12v12H8.5z"/>', 'pause')}</button>
<button type="button" id="mark-next" aria-label="Next mark">${icon('<path d="M3 1v12l7-6zM10 1h2v12h-2z"/>')}</button></div>
<span id="clock" class="mono">0:00:00.000</span>
<div class="track"><svg id="marks" preserveAspectRatio="none" aria-hidden="true"></svg><input type="range" id="scrubber" min="0" max="1000" value="0" step="1" aria-label="Time in the run"></div>
<label class="pace"><span class="unseen">Speed</span><select id="pace">${options([
    ['fit:120', 'run in 2 min'], ['fit:30', 'run in 30 s'], ['fit:10', 'run in 10 s'], ['rate:1', 'real time'], ['rate:0.1', '1/10 speed'], ['rate:0.01', '1/100 speed']
  ], 'fit:30')}</select></label>
</div></div>\n`
}
