import { variables } from './palette.js'

/** The page's style sheet. Sizes go up by about 1.2 from 15 px; spaces are multiples of 4 px. */
export function styleSheet (): string {
  return `:root { color-scheme: light dark; ${variables(0)} --s0: 0.8125rem; --s1: 0.9375rem; --s2: 1.125rem; --s3: 1.375rem; --s4: 2rem; }
@media (prefers-color-scheme: dark) { :root { ${variables(1)} } }
${RULES}`
}

const RULES = `
*, *::before, *::after { box-sizing: border-box; }
html { scroll-padding: 1rem 0 7rem; -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--paper); color: var(--ink); font: var(--s1)/1.55 ui-sans-serif, system-ui, -apple-system, "Segoe UI", "Helvetica Neue", Arial, sans-serif;
  font-variant-numeric: tabular-nums; padding-bottom: 6.5rem; }
code, .when, .mono { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: 0.92em; }
h1, h2, h3, h4, p, dl, dd, ul, ol { margin: 0; }
h1 { font-size: var(--s4); line-height: 1.2; letter-spacing: -0.015em; font-weight: 650; overflow-wrap: anywhere; }
h2 { font-size: var(--s3); line-height: 1.3; letter-spacing: -0.01em; font-weight: 620; }
h3 { font-size: var(--s2); line-height: 1.35; font-weight: 620; }
h4 { font-size: var(--s0); font-weight: 620; color: var(--quiet); margin: 1rem 0 0.25rem; }
a { color: var(--accent); text-underline-offset: 0.2em; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 3px; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.skip:not(:focus) { position: absolute; left: -100rem; }
.quiet { color: var(--quiet); }
.good { color: var(--good); }
.bad { color: var(--bad); }
.page { max-width: 78rem; margin: 0 auto; padding: 0 1.5rem; }

.masthead { padding: 3rem 0 1.5rem; }
.kicker { color: var(--quiet); font-size: var(--s0); margin-bottom: 0.5rem; }
.title { display: flex; flex-wrap: wrap; align-items: center; gap: 0.5rem 1rem; }
.badge { display: inline-flex; align-items: center; gap: 0.4em; border: 1.5px solid currentColor; border-radius: 99px; padding: 0.1rem 0.8rem 0.15rem; font-weight: 620; font-size: var(--s1); }
.shows { font-size: var(--s2); color: var(--quiet); max-width: 46rem; margin-top: 0.5rem; overflow-wrap: anywhere; }
.facts { display: flex; flex-wrap: wrap; gap: 0.75rem 2.25rem; margin-top: 1.5rem; }
.facts dt { font-size: var(--s0); color: var(--quiet); }
.facts dd { font-size: var(--s1); font-weight: 550; overflow-wrap: anywhere; }
nav ul { display: flex; flex-wrap: wrap; gap: 0.25rem 1.5rem; list-style: none; padding: 0.75rem 0; border-block: 1px solid var(--line); }
section { padding: 2.5rem 0 0.5rem; }
section > .intro { color: var(--quiet); max-width: 46rem; margin: 0.25rem 0 1rem; }
.subhead { margin: 2rem 0 0.5rem; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 12px; }

button, select { font: inherit; font-size: var(--s0); color: var(--ink); background: var(--card); border: 1px solid var(--rule); border-radius: 7px; padding: 0.3rem 0.65rem; min-height: 2.1rem; max-width: 100%; }
button { cursor: pointer; }
button:hover, select:hover { border-color: var(--ink); }
.controls { display: flex; flex-wrap: wrap; gap: 0.75rem 1.25rem; align-items: end; margin: 0.75rem 0; }
.controls label { display: grid; gap: 0.15rem; font-size: var(--s0); color: var(--quiet); min-width: 0; }
.controls select { min-width: 9rem; max-width: 18rem; }
.seek { border: 0; background: none; padding: 0.1rem 0.2rem; margin: -0.1rem -0.2rem; min-height: 1.5rem; color: var(--accent); text-decoration: underline; text-underline-offset: 0.2em; font-size: inherit; white-space: nowrap; }

.stage { display: grid; grid-template-columns: minmax(0, 1fr) 21.5rem; align-items: start; gap: 1.25rem; }
.picture { padding: 0.75rem; }
#graph { display: block; width: 100%; height: auto; touch-action: manipulation; }
.stop-know { stop-color: var(--know); }
.stop-other { stop-color: var(--other); }
.stop-empty { stop-color: var(--card); }
.node { cursor: pointer; outline: none; }
.shape { stroke-width: 2.25; stroke-linejoin: round; stroke: var(--follower); }
.kind-publisher .shape { stroke: var(--publisher); }
.kind-mirror .shape { stroke: var(--mirror); }
.kind-reader .shape { stroke: var(--reader); }
.kind-witness .shape { stroke: var(--witness); }
.kind-adversary .shape { stroke: var(--adversary); }
#graph.compact .shape { stroke-width: 1.5; }
.node.apart:not(.chosen, :hover, :focus-visible) .shape { stroke-opacity: 0.45; }
.node.apart:not(.chosen, :hover, :focus-visible) .node-name { fill: var(--quiet); }
.node.down .shape { stroke-dasharray: 3 3; }
.node:hover .shape, .node.chosen .shape { stroke-width: 4; }
.node:focus-visible .shape { stroke: var(--accent); stroke-width: 5; }
.node-mark { text-anchor: middle; font-weight: 700; fill: var(--ink); paint-order: stroke; stroke: var(--card); stroke-width: 3px; }
.node-name { text-anchor: middle; font-size: 14px; fill: var(--ink); paint-order: stroke; stroke: var(--card); stroke-width: 4px; stroke-linejoin: round; }
.link-idle, .link-lit, .link-cut, .message-lost { fill: none; }
.link-idle { stroke: var(--line); stroke-width: 1.25; }
.link-cut { stroke: var(--bad); stroke-width: 1.75; stroke-dasharray: 5 5; opacity: 0.75; }
#graph.compact .link-cut { stroke-width: 0.75; opacity: 0.4; }
.link-lit { stroke-width: 2; opacity: 0.6; stroke: var(--rule); }
#graph.compact .link-lit { stroke-width: 1; opacity: 0.35; }
.lit-gossip { stroke: var(--know); }
.lit-sync { stroke: var(--publisher); }
.lit-block { stroke: var(--mirror); }
.message-dots { fill: var(--ink); }
.message-lost { stroke: var(--bad); stroke-width: 2; }

.legend { display: flex; flex-wrap: wrap; gap: 0.25rem 1.1rem; list-style: none; padding: 0.75rem 0.25rem 0; font-size: var(--s0); color: var(--quiet); border-top: 1px solid var(--line); margin-top: 0.5rem; }
.legend li { display: inline-flex; align-items: center; gap: 0.4rem; }
.legend svg { flex: none; }
.side { display: grid; gap: 1.25rem; font-size: var(--s0); }
.side .card { padding: 1rem 1.1rem; }
.side h3 { font-size: var(--s1); margin-bottom: 0.5rem; }
#node-state { min-height: 13.5rem; overflow-wrap: anywhere; }
.node-title { font-size: var(--s1); }
.condition { font-weight: 600; margin-left: 0.35rem; }
#node-state table { margin-top: 0.6rem; }
#node-state th, #node-state td { padding: 0.25rem 0.75rem 0.25rem 0; vertical-align: top; }
#node-state table { table-layout: fixed; width: 100%; }
#node-state thead th:first-child { width: 38%; }
#node-state tbody th { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
#node-state td .quiet { display: block; }
.plain { list-style: none; padding: 0; }
#recent { min-height: 12rem; overflow-wrap: anywhere; }
#recent li { padding: 0.2rem 0 0.2rem 0.6rem; border-left: 2px solid var(--line); }
#recent .log-evidence { border-color: var(--proof); }
#recent .log-violation, #recent .log-expectation { border-color: var(--bad); }
.when { color: var(--quiet); white-space: nowrap; }

.chart { padding: 0.75rem 0.75rem 0.25rem; overflow: hidden; }
#lanes { display: block; width: 100%; cursor: crosshair; }
.axis { stroke: var(--line); stroke-width: 1; stroke-dasharray: 1 3; }
.axis-label { font-size: 11px; fill: var(--quiet); text-anchor: middle; }
.lane { stroke: var(--line); stroke-width: 1; }
.lane-name { font-size: 12.5px; fill: var(--ink); text-anchor: end; }
.lane-missing { font-size: 11px; fill: var(--bad); }
.lane-update { stroke: var(--publisher); stroke-width: 1; opacity: 0.4; }
.dot { fill: var(--know); }
.dot-late { fill: var(--other); }
.dot-own { fill: var(--publisher); }
.line-p50, .line-p95 { stroke: var(--know); stroke-width: 1.5; }
.line-p95 { stroke: var(--other); stroke-dasharray: 4 3; }
.wait { stroke: var(--other); stroke-width: 3; opacity: 0.45; }
.line-label { font-size: 11px; font-weight: 600; fill: var(--quiet); }
.line-label.p50 { text-anchor: end; }
.playhead { stroke: var(--ink); stroke-width: 1.5; }

.scroll { overflow: auto; max-height: 36rem; border-radius: 12px; }
.scroll > table { min-width: 100%; }
table { border-collapse: collapse; text-align: left; }
.scroll th, .scroll td { padding: 0.45rem 0.9rem; border-top: 1px solid var(--line); vertical-align: top; max-width: 28rem; overflow-wrap: break-word; }
.scroll thead th { position: sticky; top: 0; background: var(--card); box-shadow: 0 1px var(--line); border-top: 0; font-size: var(--s0); font-weight: 550; color: var(--quiet); white-space: nowrap; }
tbody th { font-weight: 550; }
.scroll .wide { min-width: 15rem; }
.short { white-space: nowrap; }
#lanes-note { padding: 0.6rem 0.25rem 0; }
.number, .scroll th.number { text-align: right; white-space: nowrap; }
.bar rect { fill: var(--know); }
.verdict { font-weight: 620; white-space: nowrap; }
details > summary { cursor: pointer; color: var(--accent); padding: 0.75rem 0.25rem; font-size: var(--s0); width: fit-content; }
.columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 28rem), 1fr)); gap: 0 1.5rem; align-items: start; }
.figures { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 11rem), 1fr)); gap: 1.25rem 1.5rem; padding: 1.25rem 1.4rem; }
.figures dt { font-size: var(--s0); color: var(--quiet); }
.figures dd { font-size: var(--s3); font-weight: 600; letter-spacing: -0.01em; }
.left-out { color: var(--quiet); padding-left: 1.1rem; max-width: 46rem; }
footer { color: var(--quiet); font-size: var(--s0); padding: 2.5rem 0 2rem; }

.player { position: fixed; inset: auto 0 0; background: var(--card); border-top: 1px solid var(--line); z-index: 2; }
.player .page { display: grid; grid-template-columns: auto auto minmax(0, 1fr) auto; gap: 0.25rem 0.9rem; align-items: center; padding-block: 0.6rem 0.75rem; }
.buttons { display: flex; gap: 0.35rem; }
.buttons button { width: 2.4rem; padding: 0; display: grid; place-items: center; }
.buttons svg { fill: currentColor; }
#play-button { background: var(--ink); color: var(--card); border-color: var(--ink); }
#play-button .pause, #play-button.playing .start { display: none; }
#play-button.playing .pause { display: block; }
#clock { font-size: var(--s1); font-weight: 600; min-width: 7.5rem; }
.track { display: grid; }
#marks { width: calc(100% - 16px); margin: 0 8px; height: 14px; display: block; }
#marks path { stroke-width: 1.5; vector-effect: non-scaling-stroke; fill: none; }
.mark-action { stroke: var(--rule); }
.mark-evidence { stroke: var(--proof); }
.mark-violation { stroke: var(--bad); }
#scrubber { appearance: none; width: 100%; height: 1.25rem; margin: 0; background: none; cursor: pointer; }
#scrubber::-webkit-slider-runnable-track { height: 4px; border-radius: 2px; background: linear-gradient(to right, var(--ink) var(--done, 0%), var(--rule) var(--done, 0%)); }
#scrubber::-moz-range-track { height: 4px; border-radius: 2px; background: var(--rule); }
#scrubber::-moz-range-progress { height: 4px; border-radius: 2px; background: var(--ink); }
#scrubber::-webkit-slider-thumb { appearance: none; width: 16px; height: 16px; border-radius: 50%; background: var(--ink); border: 3px solid var(--card); outline: 1px solid var(--ink); margin-top: -6px; }
#scrubber::-moz-range-thumb { width: 12px; height: 12px; border-radius: 50%; background: var(--ink); border: 3px solid var(--card); }

@media (max-width: 960px) { .stage { grid-template-columns: minmax(0, 1fr); } }
@media (max-width: 640px) {
  :root { --s3: 1.25rem; --s4: 1.625rem; }
  body { padding-bottom: 8.5rem; }
  .page { padding: 0 1rem; }
  .masthead { padding-top: 1.75rem; }
  .picture { padding: 0.5rem; }
  .facts { gap: 0.6rem 1.5rem; }
  .controls label, .controls select { width: 100%; max-width: none; }
  .controls { display: grid; grid-template-columns: 1fr 1fr; gap: 0.6rem; }
  .node-name { font-size: 15px; }
  .scroll th, .scroll td { padding: 0.4rem 0.6rem; }
  .figures { grid-template-columns: 1fr 1fr; padding: 1rem; gap: 1rem; }
  .player .page { grid-template-columns: auto 1fr auto; }
  .player .track { grid-column: 1 / -1; grid-row: 1; }
  #clock { min-width: 0; }
  .pace select { max-width: 7.5rem; }
}
@media (prefers-reduced-motion: no-preference) { .shape { transition: stroke-width 0.15s; } .link-lit { transition: opacity 0.15s; } }
@media print { .player, nav, .controls { display: none; } body { padding: 0; } .scroll { max-height: none; } }
`
