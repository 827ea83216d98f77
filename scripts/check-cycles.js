/**
 * Exits 1 when files of src/ or sim/ import each other in a circle, and prints the shortest circle.
 * Type-only and dynamic imports count: a circle of types is a circle of ideas too.
 */
import { readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import ts from 'typescript'
import { ROOT, sourceFiles } from './source-files.js'

/** @typedef {Map<string, string[]>} Graph  file → the files that it imports */

/** @param {string[]} files paths from the root @returns {Graph} */
function importGraph (files) {
  const known = new Set(files)
  return new Map(files.map(file => {
    const { importedFiles } = ts.preProcessFile(readFileSync(join(ROOT, file), 'utf8'), true, true)
    const targets = importedFiles.map(i => i.fileName)
      .filter(name => name.startsWith('.'))
      .map(name => posix.join(posix.dirname(file), name).replace(/\.([cm]?)js(x?)$/, '.$1ts$2'))
    return [file, [...new Set(targets)].filter(target => known.has(target))]
  }))
}

/**
 * The shortest way from `start` back to itself, breadth first.
 * @param {Graph} graph @param {string} start @returns {string[] | undefined}
 */
function circleThrough (graph, start) {
  /** @type {string[][]} */
  let paths = [[start]]
  const seen = new Set()
  while (paths.length > 0) {
    /** @type {string[][]} */
    const longer = []
    for (const path of paths) {
      for (const next of graph.get(path.at(-1) ?? '') ?? []) {
        if (next === start) return [...path, next]
        if (seen.has(next)) continue
        seen.add(next)
        longer.push([...path, next])
      }
    }
    paths = longer
  }
  return undefined
}

/** @param {Graph} graph @returns {string[] | undefined} the shortest circle of all */
function shortestCircle (graph) {
  /** @type {string[] | undefined} */
  let best
  for (const file of graph.keys()) {
    const circle = circleThrough(graph, file)
    if (circle !== undefined && (best === undefined || circle.length < best.length)) best = circle
  }
  return best
}

const circle = shortestCircle(importGraph(sourceFiles('src', 'sim')))
if (circle !== undefined) {
  console.error(`import cycle:\n  ${circle.join('\n  -> ')}`)
  process.exitCode = 1
}
