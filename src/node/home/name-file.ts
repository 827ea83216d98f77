/** Files of names that the owner of a home gave, `{name: what it names}`. Local, never published (RULES N1). */
import { readFileSync } from 'node:fs'
import { DiadError } from '../../substrate/errors.js'
import { errorCode, replaceFile } from './atomic-file.js'
import { jsonFields } from './json-fields.js'

/** What the file at `path` names, by name; nothing where there is none. `read` throws at what can't stand there. Throws DiadError `code`. */
export function readNameFile<T> (path: string, code: string, read: (name: string, value: unknown) => T): Map<string, T> {
  try {
    const names = new Map<string, T>()
    for (const [name, value] of jsonFields(readFileSync(path, 'utf8'))) names.set(name, read(name, value))
    return names
  } catch (err) {
    if (errorCode(err) === 'ENOENT') return new Map()
    throw new DiadError(code, `${path} can't be read as a list of names`, 'mend it or move it away; it holds names only, no keys', { cause: err })
  }
}

/** Durable on return. In the order of the names, so that a person finds them. */
export function writeNameFile (path: string, names: ReadonlyMap<string, string>): void {
  const sorted = [...names].sort(([a], [b]) => a < b ? -1 : 1)
  replaceFile(path, JSON.stringify(Object.fromEntries(sorted), null, 2) + '\n')
}
