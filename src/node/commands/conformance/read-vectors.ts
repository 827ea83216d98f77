/** Where vectors come from: a file, a directory of files, or a stream; a JSON document or one vector a line. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { readDocument, type Vector } from '../../../authority/conformance/vector.js'
import { DiadError, MalformedError } from '../../../substrate/errors.js'
import { inputFailure } from '../../files/failure.js'

/** Vectors of a release take one MiB in all. */
const MAX_BYTES = 64 * 1024 * 1024
const FORMAT = 'diad-verdicts/1'

/** Of a directory without vectors those one level deeper: where they lie in a release. Throws DiadError `no-such-path`, `vectors-malformed`, `vectors-too-large`, `vectors-none`. */
export function vectorsAt (path: string): Vector[] {
  let files: string[]
  try {
    files = statSync(path).isDirectory() ? jsonIn(path) : [path]
  } catch (err) {
    throw inputFailure(err, path, 'name a file of vectors, or a directory of them')
  }
  if (files[0] === path) return someOf(parseVectors(readFileSync(path, 'utf8'), basename(path), 'nothing'), path)
  const here = files.flatMap((file) => named(file, 'other formats'))
  return someOf(here.length > 0 ? here : foldersIn(path).flatMap((folder) => jsonIn(folder)).flatMap((file) => named(file, 'what says no format')), path)
}

function named (file: string, skip: Skipped): Vector[] {
  return parseVectors(readFileSync(file, 'utf8'), basename(file), skip).map((v) => ({ ...v, name: `${basename(file, '.json')}: ${v.name}` }))
}

const jsonIn = (folder: string): string[] => readdirSync(folder).filter((f) => f.endsWith('.json') || f.endsWith('.jsonl')).sort().map((f) => join(folder, f))

const foldersIn = (path: string): string[] => readdirSync(path, { withFileTypes: true }).filter((e) => e.isDirectory()).map((e) => join(path, e.name)).sort()

function someOf (out: Vector[], path: string): Vector[] {
  if (out.length === 0) throw new DiadError('vectors-none', `${path} holds no vectors, nor do the directories in it`, `files of them say "format": "${FORMAT}"`)
  return out
}

export async function vectorsFrom (input: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<Vector[]> {
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of input) {
    signal.throwIfAborted()
    size += part.length
    if (size > MAX_BYTES) throw new DiadError('vectors-too-large', `more than ${MAX_BYTES} bytes of vectors`, 'give them file by file')
    parts.push(part.slice())
  }
  const out = parseVectors(Buffer.concat(parts).toString('utf8'), 'standard input', 'nothing')
  if (out.length === 0) throw new DiadError('vectors-none', 'standard input holds no vectors', 'diad conformance < protocols/vectors/verdicts/lanes.json')
  return out
}

/** Documents that are passed over: somebody else's may lie beside vectors, above all where a person named only the directory around them. */
type Skipped = 'nothing' | 'other formats' | 'what says no format'

function parseVectors (text: string, where: string, skip: Skipped): Vector[] {
  try {
    const whole = tryJson(text)
    if (whole === undefined && skip === 'what says no format') return []
    if (whole === undefined) return text.split('\n').filter((line) => line.trim() !== '').flatMap((line) => readDocument(JSON.parse(line)))
    const format = typeof whole === 'object' && whole !== null && 'format' in whole ? whole.format : skip === 'what says no format' ? undefined : FORMAT
    if (format !== FORMAT && skip !== 'nothing') return []
    if (format !== FORMAT) throw new MalformedError(`its format is "${String(format)}", not "${FORMAT}"`)
    return readDocument(whole)
  } catch (err) {
    if (!(err instanceof MalformedError) && !(err instanceof SyntaxError)) throw err
    throw new DiadError('vectors-malformed', `${where}: ${err.message}`, 'protocols/vectors/README.md says how vectors are written', { cause: err })
  }
}

function tryJson (text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}
