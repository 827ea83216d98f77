/** Digests of a directory of small files, in the form that `sha256sum -c` reads. Links and other things have no place in a domain root. */
import { createHash } from 'node:crypto'
import { lstatSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DiadError } from '../../substrate/errors.js'

/** Path below the root → SHA-256 as hex; by path. */
export type Sums = ReadonlyMap<string, string>

export function sha256 (data: Uint8Array | string): string {
  return createHash('sha256').update(data).digest('hex')
}

/** Calls `each` for every file below `root`, folders first seen first. Throws DiadError `not-a-domain-root` for what is neither file nor directory. */
export function walkFiles (root: string, each: (path: string) => void, onFolder: (path: string) => void = () => undefined, at = ''): void {
  onFolder(at)
  for (const name of readdirSync(join(root, at)).sort()) {
    const path = at === '' ? name : `${at}/${name}`
    const info = lstatSync(join(root, path))
    if (info.isDirectory()) walkFiles(root, each, onFolder, path)
    else if (info.isFile()) each(path)
    else throw new DiadError('not-a-domain-root', `${join(root, path)} is neither a file nor a directory`, 'remove it: a domain root holds nothing else')
  }
}

export function sumsOf (root: string): Map<string, string> {
  const out = new Map<string, string>()
  walkFiles(root, (path) => out.set(path, sha256(readFileSync(join(root, path)))))
  return out
}

/** `DIGEST  ./PATH` lines. */
export function formatSums (sums: Sums): string {
  return [...sums].map(([path, digest]) => `${digest}  ./${path}\n`).join('')
}

/** How `root` differs from what was recorded, in words; empty = not at all. */
export function differences (root: string, sums: Sums): string[] {
  let held: Map<string, string>
  try {
    held = sumsOf(root)
  } catch (err) {
    return [err instanceof DiadError ? err.message : `${root} can't be read (${err instanceof Error ? err.message : String(err)})`]
  }
  const out: string[] = []
  for (const [path, digest] of sums) {
    const now = held.get(path)
    if (now === undefined) out.push(`${path} is missing`)
    else if (now !== digest) out.push(`${path} was changed`)
  }
  for (const path of held.keys()) if (!sums.has(path)) out.push(`${path} was added`)
  return out
}
