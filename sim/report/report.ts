/**
 * The report of a run: one HTML page that loads nothing, works from a file and from a stick, and can be played through time.
 *
 * @example
 * writeFileSync('out.html', renderReport(result))
 */
import { createHash } from 'node:crypto'
import type { RunResult } from '../trace.js'
import { clientSource } from './client-source.js'
import { html, jsonForScript, plain, trusted, type Html } from './escape.js'
import { REPORT_HEAD } from './head.js'
import { formatCount, formatSpan } from './format.js'
import { player, playground, timelines } from './stage.js'
import { styleSheet } from './style.js'
import { summarise, type Summary } from './summarise.js'
import { cost, domainTable, findings, verdicts } from './tables.js'

/**
 * The page as text, to be written as UTF-8. Equal runs give equal pages. Up to 1,000 nodes and 200,000 events it stays below 8 MB; what was left out
 * for that stands on the page. Texts of the run are shown, never run: everything is escaped, and the policy in the page allows its own script only.
 */
export function renderReport (result: RunResult): string {
  const summary = summarise(result)
  const playable = result.trace.length > 0 && result.nodes.length > 0 && result.domains.length > 0
  const script = clientSource()
  const style = styleSheet()
  const policy = `default-src 'none'; script-src ${hash(script)}; style-src ${hash(style)}; base-uri 'none'; form-action 'none'`
  const sections: ReadonlyArray<readonly [string, string]> = [...playable ? [['play', 'Graph'], ['timelines', 'Timelines']] as const : [],
    ['findings', 'Expectations'], ['verdicts', 'Verdicts'], ['cost', 'Cost']]
  return html`${trusted(REPORT_HEAD)}<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${plain(result.scenario, 80)} · ${result.status} · diad sim</title>
<style>${trusted(style)}</style></head>
<body><a class="skip" href="#findings">Skip to the tables</a>
<div class="page">${header(result)}
<nav aria-label="Sections"><ul>${sections.map(([id, title]) => html`<li><a href="#${id}">${title}</a></li>`)}</ul></nav>
<main>${playable ? [playground(result, summary), timelines(summary)] : [unplayable(result, summary)]}
${notes(result)}${findings(result, summary, playable)}${verdicts(summary, playable)}${cost(result.cost, summary)}${leftOut(summary)}</main>
<footer><p>Made by diad sim from the trace of one run. The page holds the whole of what it shows and loads nothing.</p></footer></div>
${playable ? player() : trusted('')}
${playable ? html`<script type="application/json" id="run-data">${trusted(jsonForScript(summary.data))}</script>` : trusted('')}
<script>${trusted(script)}</script></body></html>
`.markup
}

function header (result: RunResult): Html {
  const passed = result.status === 'passed'
  const fact = (title: string, value: string | Html): Html => html`<div><dt>${title}</dt><dd>${value}</dd></div>\n`
  return html`<header class="masthead"><p class="kicker">diad sim report</p>
<div class="title"><h1>${plain(result.scenario, 120)}</h1><span class="badge ${passed ? 'good' : 'bad'}"><span aria-hidden="true">${passed ? '✓' : '✗'}</span> ${passed ? 'Passed' : 'Failed'}</span></div>
<p class="shows">${plain(result.shows, 600)}</p>
<dl class="facts">${[
    fact('Seed', String(result.seed)),
    fact('Digest', html`<code title="${result.digest}">${result.digest.slice(0, 16)}</code> <button type="button" id="copy-digest" class="seek" data-copy="${result.digest}" aria-live="polite">Copy</button>`),
    fact('Virtual time', formatSpan(result.end)),
    fact('Steps', formatCount(result.steps)),
    fact('Nodes', formatCount(result.nodes.length)),
    fact('Domains', formatCount(result.domains.length)),
    fact('Violations', formatCount(result.violations.length)),
    fact('Scenario file', html`<code>${plain(result.file, 120)}</code>`)
  ]}</dl></header>`
}

function unplayable (result: RunResult, summary: Summary): Html {
  return html`<section aria-labelledby="domains-title"><h2 id="domains-title">Domains</h2>
<p class="intro">${result.trace.length === 0 ? 'This run kept the digest of its trace only, so there is no graph and there are no timelines.' : 'The run has no nodes or no domains: there is nothing to draw.'}</p>${domainTable(summary.domains, false)}</section>\n`
}

/** What the run shows to whoever wrote its scenario, as the text output does. */
function notes (result: RunResult): Html {
  if (result.notes.length === 0) return trusted('')
  return html`<section aria-labelledby="notes-title"><h2 id="notes-title">Notes</h2>
<p class="intro">What happened and no expectation asks for.</p>
<ul class="left-out">${result.notes.map(note => html`<li>${plain(note, 400)}</li>\n`)}</ul></section>\n`
}

function leftOut (summary: Summary): Html {
  if (summary.leftOut.length === 0) return trusted('')
  return html`<section aria-labelledby="left-out-title"><h2 id="left-out-title">What this page leaves out</h2>
<p class="intro">The tables count everything; the graph and the timelines were cut down so that the page stays small.</p>
<ul class="left-out">${summary.leftOut.map(sentence => html`<li>${sentence}</li>\n`)}</ul></section>\n`
}

function hash (text: string): string {
  return `'sha256-${createHash('sha256').update(text, 'utf8').digest('base64')}'`
}
