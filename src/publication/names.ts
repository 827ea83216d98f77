/**
 * Names of published things and of directory entries. Refused always: `/`, NUL, `.`, `..`, empty, not UTF-8, more than 255 bytes a segment or 1,024
 * bytes a path. No normalisation: two names are one iff their bytes are. Case and Unicode twins, backslash and reserved names are legal here and
 * refused only where a target file system can't hold them (node/files/name-rules.ts). Source: DESIGN §3, SCHEMA `path` and `name`, THREATS 30.
 */
import { utf8 } from '../substrate/bytes.js'
import { LIMITS } from '../substrate/limits.js'
import { checked, type Shape, text } from '../substrate/shape.js'

/** What is wrong with `segment` as one segment of a path, or undefined when it is one. */
export function nameFault (segment: string): string | undefined {
  if (segment === '') return 'it is empty'
  if (segment === '.' || segment === '..') return `"${segment}" has a meaning of its own in paths`
  if (segment.includes('/')) return 'it holds a slash'
  if (segment.includes('\0')) return 'it holds a NUL'
  if (!segment.isWellFormed()) return 'it is not valid Unicode'
  // A UTF-16 unit becomes at most three bytes, so most names need no count.
  const tooLong = segment.length * 3 > LIMITS.segmentBytes && utf8(segment).length > LIMITS.segmentBytes
  return tooLong ? `it is longer than ${LIMITS.segmentBytes} bytes` : undefined
}

/** What is wrong with `path` as a published name, or undefined when it is one. */
export function pathFault (path: string): string | undefined {
  if (path === '') return 'it is empty'
  if (path.length > LIMITS.pathBytes || utf8(path).length > LIMITS.pathBytes) return `it is longer than ${LIMITS.pathBytes} bytes`
  for (const segment of path.split('/')) {
    const fault = nameFault(segment)
    if (fault !== undefined) return path.includes('/') ? `of its segment ${showName(segment)}: ${fault}` : fault
  }
  return undefined
}

/** One segment. */
export const name: Shape<string> = checked(text(LIMITS.segmentBytes, 1), (value) => expected('a name', nameFault(value)))
/** One or more segments joined by `/`. */
export const path: Shape<string> = checked(text(LIMITS.pathBytes, 1), (value) => expected('a path', pathFault(value)))
/** A path, or '' for everything. */
export const prefix: Shape<string> = checked(text(LIMITS.pathBytes), (value) => value === '' ? undefined : expected('a path or nothing', pathFault(value)))

function expected (what: string, fault: string | undefined): string | undefined {
  return fault === undefined ? undefined : `${what}, but ${fault}`
}

/** Whether `prefix` covers `path`: by whole segments, so `a` covers `a` and `a/b` and not `ab`; '' covers everything. */
export function pathWithin (prefix: string, path: string): boolean {
  return prefix === '' || (path.startsWith(prefix) && (path.length === prefix.length || path[prefix.length] === '/'))
}

/** The segments of a path that passed `pathFault`; none for ''. */
export function segmentsOf (path: string): string[] {
  return path === '' ? [] : path.split('/')
}

const MOST_SHOWN = 120
// Controls, separators, invisible and direction-changing characters, private use and lone surrogates: whatever a terminal could act upon.
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cn}\p{Cs}"\\]/gu

/** A name for a message: quoted, capped, and with nothing in it that a terminal could act upon (THREATS 32). */
export function showName (value: string): string {
  // Cut by units; a pair cut in two shows as an escape.
  const cut = value.length > MOST_SHOWN ? value.slice(0, MOST_SHOWN) : value
  const safe = cut.replace(UNPRINTABLE, (c) => c === '"' || c === '\\' ? `\\${c}` : `\\u{${(c.codePointAt(0) ?? 0).toString(16)}}`)
  return `"${safe}${cut === value ? '' : '…'}"`
}
