/**
 * Checks data against a schema of schema-parts.ts, says in one line what is wrong, and returns the data with quantities and names converted.
 * Conversions are collected while the schema is checked and made afterwards, so a branch that fails leaves nothing behind.
 */
import { Ajv, type ErrorObject, type SchemaValidateFunction, type ValidateFunction } from 'ajv'
import { parseQuantity, showQuantity, UNITS, type Unit } from './quantity.js'
import type { NameKind, Schema } from './schema-parts.js'
import { child, type Pointer } from './source.js'
import { oneOf, show } from './suggest.js'

/** The declared names; every list is in the order of the file. */
export interface Names {
  /** the nodes / domains that a name or a group stands for */
  nodes: (name: string) => readonly string[] | undefined
  domains: (name: string) => readonly string[] | undefined
  isPrincipal: (name: string) => boolean
  /** whether so many members more may stand in lists that nobody shares */
  spend: (members: number) => boolean
  /** what could have been meant */
  known: (kind: NameKind) => readonly string[]
}

export interface SchemaFault {
  /** within the data that was checked */
  readonly pointer: Pointer
  /** whether the key is wrong, not the value */
  readonly key: boolean
  readonly what: string
  readonly expected: string
}

type Checked = { readonly value: unknown, readonly fault?: undefined } | { readonly fault: SchemaFault }

// The check is synchronous, so what it works on can stand beside it; ajv has no better place that its keywords can reach.
let names: Names | undefined
let conversions = new Map<Pointer, unknown>()

const ajv = new Ajv({ strict: true, strictTypes: false, strictRequired: false, allowUnionTypes: true, useDefaults: true, verbose: true, messages: false })
ajv.addKeyword({ keyword: 'x-range', valid: true })
ajv.addKeyword({ keyword: 'x-quantity', errors: true, validate: keyword(checkQuantity) })
ajv.addKeyword({ keyword: 'x-names', errors: true, validate: keyword(checkNames) })
ajv.addKeyword({ keyword: 'x-disjoint', errors: true, validate: keyword(checkDisjoint) })

const compiled = new WeakMap<object, ValidateFunction>()

/** `data` is changed where defaults are filled in; `label` is what messages call it. */
export function check (schema: object, data: unknown, label: string, known?: Names): Checked {
  let validate = compiled.get(schema)
  if (validate === undefined) compiled.set(schema, validate = ajv.compile(schema))
  names = known
  conversions = new Map()
  if (!validate(data)) return { fault: explain(validate.errors ?? [], label) }
  let value = data
  for (const [pointer, converted] of conversions) {
    if (pointer === '') value = converted
    else put(data, pointer, converted)
  }
  return { value }
}

interface Found { readonly what: string, readonly expected: string, readonly pointer?: Pointer }

function keyword (find: (schema: unknown, data: unknown, parent: Schema, pointer: Pointer) => Found | undefined): SchemaValidateFunction {
  const validate: SchemaValidateFunction = (schema: unknown, data: unknown, parent, context): boolean => {
    const found = find(schema, data, parent ?? {}, context?.instancePath ?? '')
    if (found === undefined) return true
    validate.errors = [{ keyword: 'ours', params: { found } }]
    return false
  }
  return validate
}

function checkQuantity (unit: unknown, data: unknown, parent: Schema, pointer: Pointer): Found | undefined {
  const value = parseQuantity(unit as Unit, data)
  const { expected } = UNITS[unit as Unit]
  if (typeof value === 'string') return { what: `${show(data)}: ${value}`, expected }
  const [least, most] = (parent['x-range'] ?? [0, Number.MAX_SAFE_INTEGER]) as [number, number]
  if (value < least) return { what: `${show(data)} is too small`, expected: `at least ${showQuantity(unit as Unit, least)}` }
  if (value > most) return { what: `${show(data)} is too great`, expected: `at most ${showQuantity(unit as Unit, most)}` }
  conversions.set(pointer, value)
  return undefined
}

const KIND_TEXT: Readonly<Record<NameKind, string>> = {
  node: 'the name of a node', nodes: 'the name of a node or a group of nodes', domain: 'the name of a domain', domains: 'the name of a domain or a group of domains', principal: 'the name of a principal'
}

function checkNames (schema: unknown, data: unknown, _parent: Schema, pointer: Pointer): Found | undefined {
  const kind = schema as NameKind
  const many = kind === 'nodes' || kind === 'domains'
  const items: readonly unknown[] = many && Array.isArray(data) ? data : [data]
  const listed = items !== data ? undefined : pointer
  if (items.length === 0) return { what: 'the list is empty', expected: KIND_TEXT[kind] }
  const seen = new Set<unknown>()
  const members = new Set<string>()
  for (const [i, item] of items.entries()) {
    const at = listed === undefined ? pointer : child(pointer, i)
    if (typeof item !== 'string') return { what: `${show(item)} is no name`, expected: KIND_TEXT[kind] + (many ? ', or a list of them' : ''), pointer: at }
    if (seen.has(item)) return { what: `${show(item)} stands twice in the list`, expected: 'each name once', pointer: at }
    seen.add(item)
    const found = resolve(kind, item)
    if (found === undefined) return { what: unknownName(kind, item), expected: `${KIND_TEXT[kind]}: ${oneOf(item, names?.known(kind) ?? [])}`, pointer: at }
    // One name or group stays the list it is: a thousand nodes that draw from one group of domains share it.
    if (items.length === 1 && many) {
      conversions.set(pointer, found)
      return undefined
    }
    for (const name of found) members.add(name)
  }
  if (!many) return undefined
  if (names?.spend(members.size) === false) return { what: 'groups are written out too often', expected: 'one name for a group that is used again and again' }
  conversions.set(pointer, [...members])
  return undefined
}

function unknownName (kind: NameKind, name: string): string {
  const isGroup = (kind === 'node' && names?.nodes(name) !== undefined) || (kind === 'domain' && names?.domains(name) !== undefined)
  const noun = kind === 'principal' ? kind : kind.startsWith('node') ? 'node' : 'domain'
  return isGroup ? `${show(name)} is a group` : `there is no ${noun} ${show(name)}`
}

function resolve (kind: NameKind, name: string): readonly string[] | undefined {
  // Without names (an editor's schema, a test of a schema alone) every name is one.
  if (names === undefined) return [name]
  if (kind === 'principal') return names.isPrincipal(name) ? [name] : undefined
  const found = kind.startsWith('node') ? names.nodes(name) : names.domains(name)
  return kind === 'node' || kind === 'domain' ? (found?.length === 1 && found[0] === name ? found : undefined) : found
}

function checkDisjoint (_schema: unknown, data: unknown, _parent: Schema, pointer: Pointer): Found | undefined {
  if (!Array.isArray(data)) return undefined
  const side = new Map<string, number>()
  for (const [i, part] of data.entries() as Iterable<[number, unknown]>) {
    for (const name of Array.isArray(part) ? part : [part]) {
      for (const node of typeof name === 'string' ? resolve('nodes', name) ?? [] : []) {
        if ((side.get(node) ?? i) !== i) return { what: `node ${show(node)} stands on two sides`, expected: 'each node on one side', pointer: child(pointer, i) }
        side.set(node, i)
      }
    }
  }
  return undefined
}

function put (data: unknown, pointer: Pointer, value: unknown): void {
  const steps = pointer.slice(1).split('/').map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
  const last = steps.pop()!
  let target = data as Record<string, unknown>
  for (const step of steps) target = target[step] as Record<string, unknown>
  target[last] = value
}

/**
 * One line from what ajv found. Of the branches of an `anyOf` the one that fits the kind of the data says what is wrong; where none fits, the
 * description beside the `anyOf` does.
 */
function explain (errors: readonly ErrorObject[], label: string): SchemaFault {
  const last = errors.at(-1)!
  if (last.keyword !== 'anyOf') return fault(errors[0]!, label)
  const namesFit = typeof last.data === 'string' || Array.isArray(last.data)
  const inner = errors.find((e) => {
    if (e.instancePath !== last.instancePath) return true
    return e.keyword === 'ours' ? namesFit : !['type', 'enum', 'const', 'anyOf'].includes(e.keyword)
  })
  return fault(inner ?? last, label)
}

function fault (error: ErrorObject, label: string): SchemaFault {
  const pointer = error.instancePath
  const parent = (error.parentSchema ?? {}) as Schema
  const params = error.params as Readonly<Record<string, unknown>>
  const step = pointer.slice(pointer.lastIndexOf('/') + 1)
  const name = pointer === '' ? label : /^\d+$/.test(step) ? `entry ${Number(step) + 1} of ${label}` : `${show(step)} of ${label}`
  const described = typeof parent['description'] === 'string' ? parent['description'] : undefined
  const here = (what: string, expected: string): SchemaFault => ({ pointer, key: false, what, expected })
  switch (error.keyword) {
    case 'ours': {
      const found = params['found'] as Found
      return { pointer: found.pointer ?? pointer, key: false, what: `${name}: ${found.what}`, expected: found.expected }
    }
    case 'additionalProperties': {
      const unknown = String(params['additionalProperty'])
      return { pointer: child(pointer, unknown), key: true, what: `unknown key ${show(unknown)} in ${name}`, expected: oneOf(unknown, Object.keys(parent['properties'] ?? {})) }
    }
    case 'required': {
      const missing = String(params['missingProperty'])
      const schema = ((parent['properties'] ?? {}) as Record<string, Schema>)[missing] ?? {}
      return here(`${name} has no ${show(missing)}`, `${missing}: ${wanted(schema)}`)
    }
    case 'enum': return here(`${name} is ${show(error.data)}`, oneOf(error.data, (params['allowedValues'] as unknown[]).map(String)))
    case 'minProperties': return here(`${name} is empty`, `at least one of ${Object.keys(parent['properties'] ?? {}).join(', ')}`)
    case 'maxProperties': return here(`${name} has more than ${String(params['limit'])} entries`, described ?? `at most ${String(params['limit'])}`)
    case 'minItems': return here(`${name} has too few entries`, described ?? `at least ${String(params['limit'])}`)
    case 'maxItems': return here(`${name} has too many entries`, described ?? `at most ${String(params['limit'])}`)
    case 'uniqueItems': return here(`${name} lists something twice`, 'each entry once')
    case 'minLength': return here(`${name} is empty`, described ?? 'text')
    case 'maxLength': return here(`${name} is too long`, `at most ${String(params['limit'])} characters`)
    case 'minimum': case 'maximum': return here(`${name} is ${show(error.data)}`, described ?? `${error.keyword === 'minimum' ? 'at least' : 'at most'} ${String(params['limit'])}`)
    default: return here(`${name} is ${show(error.data)}`, wanted(parent))
  }
}

const TYPES: Readonly<Record<string, string>> = { string: 'text', integer: 'a whole number', number: 'a number', boolean: 'true or false', array: 'a list', object: 'a map', null: 'nothing' }

/** What a schema takes, in words. */
function wanted (schema: Schema): string {
  if (typeof schema['description'] === 'string') return schema['description']
  if (schema['x-quantity'] !== undefined) return UNITS[schema['x-quantity'] as Unit].expected
  if (schema['x-names'] !== undefined) return KIND_TEXT[schema['x-names'] as NameKind]
  if (Array.isArray(schema['enum'])) return `one of ${schema['enum'].join(', ')}`
  const types = [schema['type']].flat().filter((type) => typeof type === 'string')
  return types.map((type) => TYPES[type] ?? type).join(' or ') || 'something else'
}
