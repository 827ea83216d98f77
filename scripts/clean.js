/**
 * Makes `dist/` ready for an incremental build: what has no source any more is deleted, and when anything is
 * missing the compiler's memory of the last build is deleted too, since it would not write the file again.
 * With `--all` the whole of `dist/` goes.
 */
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { ROOT, sourceFiles } from './source-files.js'

const dist = join(ROOT, 'dist')
const memory = join(ROOT, 'node_modules/.cache/tsc/build.tsbuildinfo')
const OUTPUTS = ['.d.ts', '.js.map', '.js']

if (process.argv.includes('--all')) {
  rmSync(dist, { recursive: true, force: true })
  rmSync(memory, { force: true })
} else {
  const wanted = new Set(sourceFiles('src', 'sim', 'demo', 'bench')
    .flatMap(file => OUTPUTS.map(end => file.replace(/\.ts$/, end))))
  for (const file of filesIn(dist)) if (!wanted.delete(file)) rmSync(join(dist, file))
  if (wanted.size > 0) rmSync(memory, { force: true })
}

/** @param {string} folder @returns {string[]} every file below it, as paths from it with `/` */
function filesIn (folder) {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter(entry => entry.isFile())
    .map(entry => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
}
