/** Reads the fields of a result with care: it may come from a daemon of another version, and a missing field must not become a crash. */
import { safe } from './text.js'

export type Fields = Readonly<Record<string, unknown>>

export function fieldsOf (value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value as Fields : {}
}

/** The text of a field, safe for a terminal; `-` where there is none. */
export function textOf (fields: Fields, name: string, cap?: number): string {
  return optionalText(fields, name, cap) ?? '-'
}

export function optionalText (fields: Fields, name: string, cap?: number): string | undefined {
  const value = fields[name]
  if (typeof value === 'string') return safe(value, cap)
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined
}

export function numberOf (fields: Fields, name: string): number | undefined {
  const value = fields[name]
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}

export function listOf (fields: Fields, name: string): Fields[] {
  const value = fields[name]
  return Array.isArray(value) ? value.map(fieldsOf) : []
}

/** A list of texts, safe for a terminal. */
export function textsOf (fields: Fields, name: string): string[] {
  const value = fields[name]
  return Array.isArray(value) ? value.filter((v) => typeof v === 'string').map((v) => safe(v)) : []
}
