/** The TypeScript files of some folders of this repository, as paths from its root with `/`. */
import { existsSync, readdirSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

export const ROOT = fileURLToPath(new URL('..', import.meta.url))

/** @param {string[]} folders @returns {string[]} sorted paths from the root */
export function sourceFiles (...folders) {
  return folders
    .filter(folder => existsSync(join(ROOT, folder)))
    .flatMap(folder => readdirSync(join(ROOT, folder), { withFileTypes: true, recursive: true }))
    .filter(entry => entry.isFile() && /(?<!\.d)\.[cm]?tsx?$/.test(entry.name))
    .map(entry => relative(ROOT, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort()
}
