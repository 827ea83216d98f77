/**
 * The page's script as text. Its functions live in client/ as ordinary TypeScript, checked and linted like the rest; none uses anything of its
 * module, so that the source text of each is whole. The build needs no bundler and copies nothing.
 */
import { arrivalTimes, percentile } from './arrivals.js'
import { createGraph } from './client/graph.js'
import { createKit } from './client/kit.js'
import { createKnowledge } from './client/knowledge.js'
import { createLanes } from './client/lanes.js'
import { createPanel } from './client/panel.js'
import { createPlayer } from './client/player.js'
import { createScrubber } from './client/scrubber.js'
import { startReport } from './client/start.js'
import { formatClock, formatCount, formatSpan } from './format.js'

const FIGURES = [formatClock, formatCount, formatSpan, arrivalTimes, percentile]
const PARTS = [createKit, createKnowledge, createPlayer, createGraph, createPanel, createLanes, createScrubber]

/** A classic script without `</`, so that it can stand in the page as it is. */
export function clientSource (): string {
  const functions = [...FIGURES, ...PARTS, startReport]
  const names = (list: ReadonlyArray<{ readonly name: string }>): string => list.map(({ name }) => name).join(', ')
  return [
    "'use strict';",
    '(function () {',
    // Tools that run TypeScript directly give inner functions their names by a helper of this name.
    'const __name = function (f) { return f };',
    ...functions.map(f => f.toString()),
    `startReport(window, { figures: { ${names(FIGURES)} }, ${names(PARTS)} });`,
    '})();',
    ''
  ].join('\n').replaceAll('</', '<\\/').replaceAll('<!--', '<\\!--')
}
