/**
 * The words in which the format and every plug-in describe their arguments: JSON schema (draft 7) and three keywords of our own.
 *
 *   x-quantity  time | bytes | rate | ppm | milli: text with a unit becomes a whole number; x-range: [least, most] bounds it
 *   x-names     node | domain | principal: one declared name, stays text;
 *               nodes | domains: a name, a group or a list of both becomes a flat list of names
 *   x-disjoint  nodes, on a list of lists: no node stands in two of them
 *
 * `description` is what a message says was expected, so it reads well after "expected".
 */
import type { Unit } from './quantity.js'

export type NameKind = 'node' | 'nodes' | 'domain' | 'domains' | 'principal'

export type Schema = Readonly<Record<string, unknown>>

export function quantity (unit: Unit, description?: string, options: { readonly range?: readonly [number, number], readonly default?: string | number } = {}): Schema {
  return {
    'x-quantity': unit,
    ...(options.range === undefined ? {} : { 'x-range': options.range }),
    ...(options.default === undefined ? {} : { default: options.default }),
    ...(description === undefined ? {} : { description })
  }
}

export function named (kind: NameKind, description?: string): Schema {
  return { 'x-names': kind, ...(description === undefined ? {} : { description }) }
}

export function text (description: string, options: { readonly most?: number, readonly default?: string } = {}): Schema {
  return { type: 'string', minLength: 1, maxLength: options.most ?? 1024, ...(options.default === undefined ? {} : { default: options.default }), description }
}

export function whole (description: string, least: number, most: number, otherwise?: number): Schema {
  return { type: 'integer', minimum: least, maximum: most, ...(otherwise === undefined ? {} : { default: otherwise }), description }
}

export function flag (description: string, otherwise = false): Schema {
  return { type: 'boolean', default: otherwise, description }
}

export function choice (values: readonly string[], otherwise?: string, description?: string): Schema {
  return { enum: values, ...(otherwise === undefined ? {} : { default: otherwise }), ...(description === undefined ? {} : { description }) }
}

/** A map that knows all of its keys. */
export function map (properties: Readonly<Record<string, Schema>>, required: readonly string[] = [], more: Schema = {}): Schema {
  return { type: 'object', properties, required, additionalProperties: false, ...more }
}

export function list (items: Schema, description: string, more: Schema = {}): Schema {
  return { type: 'array', items, description, ...more }
}

/** Arguments that many plug-ins take. */
export const DOMAIN = named('domain', 'the name of a domain')
export const NODE = named('node', 'the name of a node')
export const PUBLISHED: Schema = { ...text('a name to publish under, such as docs/a', { most: 1024 }), not: { pattern: '(^|/)\\.{0,2}(/|$)|\\u0000' } }
