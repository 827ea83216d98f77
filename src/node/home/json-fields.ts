/** Small JSON files, of a home or carried by people: what they hold may be anything. */
import { MalformedError } from '../../substrate/errors.js'

/** The fields of a JSON object, in a Map because their names come from outside. Throws MalformedError for any other text. */
export function jsonFields (text: string): Map<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (err) {
    throw new MalformedError('it is not JSON', { cause: err })
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new MalformedError('it is not an object')
  return new Map<string, unknown>(Object.entries(value))
}

/** What a file says of itself first. */
export interface Format { readonly format: string, readonly version: number }

/** As {@link jsonFields}, of a file of that format. Throws MalformedError for any other. */
export function fieldsIn ({ format, version }: Format, text: string): Map<string, unknown> {
  const fields = jsonFields(text)
  if (fields.get('format') !== format || fields.get('version') !== version) throw new MalformedError(`it is not ${format}, version ${version}`)
  return fields
}

/** The text of a file that {@link fieldsIn} reads. */
export function textIn ({ format, version }: Format, fields: object): string {
  return JSON.stringify({ format, version, ...fields }, null, 2) + '\n'
}

/**
 * As {@link jsonFields}, for files that a person reads as well: of a field that stands twice `JSON.parse` takes the last, and the eye the first. The text
 * has to be what its value is written as, but for space between the parts.
 */
export function plainFields (text: string): Map<string, unknown> {
  const fields = jsonFields(text)
  if (JSON.stringify(JSON.parse(text)) !== withoutSpace(text)) throw new MalformedError('it says a field twice, or is not written plainly')
  return fields
}

/** `text` is JSON. Strings stay as they are. */
function withoutSpace (text: string): string {
  const parts: string[] = []
  let at = 0
  for (let quote = text.indexOf('"'); quote >= 0; quote = text.indexOf('"', at)) {
    let end = text.indexOf('"', quote + 1)
    while (isEscaped(text, end)) end = text.indexOf('"', end + 1)
    parts.push(text.slice(at, quote).replace(/[ \t\r\n]+/g, ''), text.slice(quote, end + 1))
    at = end + 1
  }
  return parts.join('') + text.slice(at).replace(/[ \t\r\n]+/g, '')
}

function isEscaped (text: string, quote: number): boolean {
  let slashes = 0
  while (text[quote - 1 - slashes] === '\\') slashes++
  return slashes % 2 === 1
}
