/** The floor of an import: what any program that makes a durable, hashed copy of a directory has to do. */
import { hash } from 'node:crypto'
import { closeSync, fdatasyncSync, openSync, readdirSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'

/** Milliseconds from the first readdir to the end of the fdatasync. */
export function copy (path: string, out: string): { ms: number, bytes: number } {
  const start = performance.now()
  const fd = openSync(out, 'wx')
  let bytes = 0
  const walk = (directory: string): void => {
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      const below = join(directory, entry.name)
      if (entry.isDirectory()) {
        walk(below)
        continue
      }
      const content = readFileSync(below)
      hash('sha256', content, 'buffer')
      for (let at = 0; at < content.length;) at += writeSync(fd, content, at)
      bytes += content.length
    }
  }
  walk(path)
  fdatasyncSync(fd)
  const ms = performance.now() - start
  closeSync(fd)
  return { ms, bytes }
}
