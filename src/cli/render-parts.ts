/** What the results of several commands are shown with. */
import { VERDICT_CODES, type VerdictCode } from '../authority/verdict.js'
import { domainText, shortDomain } from '../substrate/domain-id.js'
import { isReference } from '../substrate/reference.js'
import { type Fields, listOf, numberOf, optionalText, textOf, textsOf } from './field.js'
import type { Style } from './style.js'
import { columns, count, formatBytes } from './text.js'

/** The lines for one result; `args` are what the command was called with. */
export type Render = (result: Fields, style: Style, args: Fields) => string[]

/** One function a command. */
export type Renders<Args> = { readonly [N in keyof Args]: Render }

/** `dom1…` in full: where a person copies or compares it. */
export function domain (fields: Fields, name = 'domain'): string {
  const value = fields[name]
  return typeof value === 'string' && isReference(value) ? domainText(value) : textOf(fields, name)
}

/** `petname (dom1abcd…wxyz)`, as RULES N1 wants it in lists. */
export function named (fields: Fields): string {
  const value = fields['domain']
  const short = typeof value === 'string' && isReference(value) ? shortDomain(value) : textOf(fields, 'domain', 80)
  const petname = optionalText(fields, 'name', 80)
  return petname === undefined ? short : `${petname} (${short})`
}

/** `label  value` lines; what has no value is left out. */
export function facts (style: Style, rows: Array<[string, string | undefined]>): string[] {
  return columns(rows.filter((row): row is [string, string] => row[1] !== undefined).map(([label, value]) => [style.faint(label), value]))
}

/** `3 keys, of which 2 must sign`; nothing where that isn't known. */
export function setInWords (set: Fields): string | undefined {
  const [total, threshold] = [numberOf(set, 'total'), numberOf(set, 'threshold')]
  return total === undefined || threshold === undefined ? undefined : total === 1 ? '1 key' : `${total} keys, of which ${threshold} must sign`
}

export function amounts (fields: Fields): string {
  const parts: string[] = []
  for (const noun of ['record', 'file', 'block'] as const) {
    const n = numberOf(fields, `${noun}s`)
    if (n !== undefined) parts.push(count(n, noun))
  }
  const bytes = numberOf(fields, 'bytes')
  if (bytes !== undefined) parts.push(formatBytes(bytes))
  return parts.join(', ')
}

/** M8: where a domain's roots say that it goes on, with what to do about it. `from`: the domain as a person can type it. */
export function movedLines (fields: Fields, style: Style, from: string, indent: string): string[] {
  const moved = listOf(fields, 'moved')
  const own = fields['own'] === true
  const each = moved.map((m) => `${indent}${style.careful('says that it moved to')} ${domain(m, 'to')}${m['followed'] === true ? style.faint('  (followed here)') : ''}`)
  if (moved.length > 1) return [`${indent}${style.bad(`its roots name ${moved.length} different domains: trust none until you have asked`)}`, ...each]
  const [only] = moved
  if (only === undefined) return []
  if (own) return [...each, `${indent}${style.faint('if you didn\'t sign that')}  diad root rotate`]
  return only['followed'] === true ? each : [...each, `${indent}${style.faint('once its people have told you the same')}  diad follow ${domain(only, 'to')} --moved-from ${from}`]
}

export function statusText (status: string, code: string, style: Style): string {
  const colour = status === 'accepted' ? style.good : status === 'rejected' || status === 'void' || status === 'contested' ? style.bad : style.careful
  return colour(code === '-' || code === status ? status : `${status}: ${code}`)
}

export function meaning (code: string): string | undefined {
  return VERDICT_CODES.get(code as VerdictCode)?.meaning
}

export function verdictLine (fields: Fields, style: Style): string {
  const code = textOf(fields, 'code')
  const why = code === 'accepted' ? undefined : meaning(code)
  return statusText(textOf(fields, 'status'), code, style) + (why === undefined ? '' : style.faint(`  ${why}`))
}

/** What became void by a change of authority, a line a lane. */
export function lossLines (fields: Fields, style: Style): string[] {
  return listOf(fields, 'losses').map((l) => style.careful(`  void from now on: ${count((numberOf(l, 'to') ?? 0) - (numberOf(l, 'from') ?? 0), 'record')} of lane ${textOf(l, 'lane', 80).slice(0, 16)}…  ${textsOf(l, 'names').slice(0, 8).join(', ')}`))
}
