/** Where vectors come from: a file, a directory of files, or a stream; a JSON document or one vector a line. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { readDocument, type Vector } from '../../../authority/conformance/vector.js'
import { DiadError, MalformedError } from '../../../substrate/errors.js'

/** Vectors of a release take one MiB in all. */
const MAX_BYTES = 64 * 1024 * 1024
const FORMAT = 'diad-verdicts/1'

/** Throws DiadError `no-such-path`, `vectors-malformed`, `vectors-too-large`, `vectors-none`. */
export function vectorsAt (path: string): Vector[] {
  let files: string[]
  try {
    files = statSync(path).isDirectory() ? readdirSync(path).filter((f) => f.endsWith('.json') || f.endsWith('.jsonl')).sort().map((f) => join(path, f)) : [path]
  } catch (err) {
    throw new DiadError('no-such-path', `${path} can't be read`, 'name a file of vectors, or a directory of them', { cause: err })
  }
  const single = files[0] === path
  const out = files.flatMap((file) => {
    const found = parseVectors(readFileSync(file, 'utf8'), basename(file), !single)
    return single ? found : found.map((v) => ({ ...v, name: `${basename(file, '.json')}: ${v.name}` }))
  })
  if (out.length === 0) throw new DiadError('vectors-none', `${path} holds no vectors`, `files of them say "format": "${FORMAT}"`)
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
  const out = parseVectors(Buffer.concat(parts).toString('utf8'), 'standard input', false)
  if (out.length === 0) throw new DiadError('vectors-none', 'standard input holds no vectors', 'diad conformance < protocols/vectors/verdicts/lanes.json')
  return out
}

/** `skip`: whether documents of other formats are passed over. */
function parseVectors (text: string, where: string, skip: boolean): Vector[] {
  try {
    const whole = tryJson(text)
    if (whole === undefined) return text.split('\n').filter((line) => line.trim() !== '').flatMap((line) => readDocument(JSON.parse(line)))
    const format = typeof whole === 'object' && whole !== null && 'format' in whole ? whole.format : FORMAT
    if (format !== FORMAT && skip) return []
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
