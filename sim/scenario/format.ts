/**
 * The format itself as schemas: one for each section, as loader and editor both use them. What a schema can't say (a name used twice, an action after
 * the end, the keys of a node) stands in the files that load the section.
 */
import { UNITS, type Unit } from './quantity.js'
import { flag, choice, list, map, named, quantity, text, whole, type Schema } from './schema-parts.js'
import { isRecord } from './source.js'
import { MODES, ROLES, type Described, type Registry } from './types.js'

export const NAME_PATTERN = '^[a-z][a-z0-9-]{0,31}$'
export const MOST_MEMBERS = 10_000
const YEAR = 365 * 86_400_000_000

/** Names that stand for groups of nodes without being declared. */
export const RESERVED_GROUPS = ['all', 'honest'] as const

const COUNT = whole('how many there are of it: a whole number from 1 to 10000', 1, MOST_MEMBERS)
const LABEL: Schema = { type: 'string', pattern: NAME_PATTERN, description: 'a name of lower-case letters, digits and hyphens, at most 32, a letter first' }

export const PRINCIPAL = map({
  roles: list(choice(ROLES), 'a list of roles, such as [publish, federate]', { minItems: 1, uniqueItems: true, default: ['produce', 'publish', 'federate'] }),
  scope: list({ type: 'string', maxLength: 1024 }, 'a list of name prefixes; "" is the whole domain', { minItems: 1, uniqueItems: true, default: [''] }),
  later: flag('true: no manifest lists it until a grant does')
}, [], { description: 'a map with roles and scope' })

export const DOMAIN = map({
  count: COUNT,
  principals: { type: 'object', minProperties: 1, additionalProperties: PRINCIPAL, description: 'principals by name, such as main: {roles: [publish, federate]}' },
  roots: map({ count: whole('the number of root keys, from 1 to 9', 1, 9, 1), threshold: whole('how many of them have to agree, from 1 to 9', 1, 9, 1) }, [], { description: 'a map with count and threshold', default: {} }),
  trusted: named('domains', 'the domains that may see this one; without it everybody may')
})

export const NODE = map({
  count: COUNT,
  domain: named('domain', 'the domain it is a node of'),
  keys: list({ type: 'string' }, 'a list of principals of its domain whose keys it holds; without it, all', { uniqueItems: true }),
  follow: {
    anyOf: [named('domains'), map({ random: whole('how many domains are drawn for each node: a whole number, at least 1', 1, MOST_MEMBERS), of: named('domains') }, ['random', 'of'])],
    description: 'domains, such as [alice], or {random: 10, of: GROUP}'
  },
  mode: choice(MODES, 'follow'),
  later: flag('true: it is down until a restart or a rescue starts it'),
  adversary: { type: 'string', description: 'the name of an adversary' },
  with: { description: 'the arguments of the adversary' }
})

const LINK_PROPERTIES = {
  latency: quantity('time', 'the time a message takes'),
  jitter: quantity('time', 'up to this much is added to latency, drawn for each message'),
  bandwidth: quantity('rate', undefined, { range: [1, 1e12] }),
  loss: quantity('ppm', undefined, { range: [0, 1_000_000] }),
  duplicate: quantity('ppm', undefined, { range: [0, 1_000_000] }),
  reorder: quantity('ppm', undefined, { range: [0, 1_000_000] })
}

export const LINK_DEFAULT = map(LINK_PROPERTIES)

export const LINK = map({
  between: list({}, 'a list of two names of nodes or groups', { minItems: 2, maxItems: 2, items: named('nodes') }),
  from: named('nodes'),
  to: named('nodes'),
  ...LINK_PROPERTIES,
  cut: { type: 'boolean', description: 'true: nothing passes until it is healed' }
})

export const TOPOLOGY: Schema = {
  anyOf: [
    { enum: ['full', 'ring', 'line', 'none'] },
    map({ star: named('node') }, ['star']),
    map({ random: whole('how many links each node has, about: a whole number, at least 1', 1, MOST_MEMBERS) }, ['random'])
  ],
  description: 'full, ring, line, none, {star: NODE} or {random: 8}'
}

const DISCOVER: Schema = flag('false: nodes connect only as the links say; otherwise they also find and dial each other, with topology none too', true)
export const LINKS = map({ default: { type: ['object', 'null'] }, topology: {}, discover: DISCOVER, list: { type: ['array', 'null'] } })

export const GROUP = named('nodes', 'a list of nodes')

/** Everything; the sections themselves are checked one by one, so that a message can name the entry. */
export const TOP = map({
  name: { type: 'string', pattern: '^[a-z][a-z0-9-]{0,63}$', description: 'a name of lower-case letters, digits and hyphens, at most 64, a letter first' },
  shows: text('one sentence that says what the scenario shows', { most: 1000 }),
  threats: list({ type: 'integer', minimum: 1, maximum: 999 }, 'a list of numbers of threats, such as [14, 16]', { uniqueItems: true, default: [] }),
  seed: whole('a whole number from 0 to 2^53-1', 0, Number.MAX_SAFE_INTEGER, 1),
  duration: quantity('time', 'the time at which the run ends, such as 5m', { range: [1, YEAR] }),
  tick: quantity('time', 'how often a node ticks, such as 1s', { range: [1000, YEAR], default: '1s' }),
  domains: { type: 'object', minProperties: 1, description: 'a map of domains, such as alice: {}' },
  nodes: { type: 'object', minProperties: 1, description: 'a map of nodes, such as home: {domain: alice}' },
  groups: { type: 'object', description: 'a map of groups of nodes, such as north: [home, bob]' },
  links: { type: 'object', description: 'a map with default, topology and list' },
  timeline: { type: 'array', description: 'a list of entries such as {at: 1s, node: home, publish: {name: a, bytes: 1kB}}' },
  expect: { type: 'array', description: 'a list of entries such as {at: end, converged: [alice]}' }
}, ['name', 'shows', 'duration', 'domains', 'nodes'])

/** What stands in an entry of the timeline beside its action. `node` is checked after `{n}` in it has been replaced. */
export const ACTION_FRAME = map({
  at: quantity('time', 'when it happens, such as 10s'),
  every: quantity('time', 'the time between two repetitions, such as 5s', { range: [1, YEAR] }),
  from: quantity('time', 'when the first repetition happens, such as 10s'),
  until: quantity('time', 'the time before which the last repetition happens, such as 60s'),
  times: whole('the number of repetitions, at least 1', 1, 1_000_000),
  spread: quantity('time', 'a time over which the nodes of a group are spread, such as 10s'),
  node: { description: 'the node or group that does it' }
})

export const EXPECTATION_FRAME = map({
  at: quantity('time', 'when it is looked at, such as 90s or end'),
  by: quantity('time', 'when it has to hold at the latest, such as 90s or end'),
  node: { description: 'the node or group that it is about' }
})

/** The schema of the file for editors: draft 7 without keywords of our own, with every plug-in of the registry. */
export function scenarioSchema (registry: Registry): object {
  const adversaries = [...registry.adversaries.values()]
  const node = {
    ...NODE,
    properties: { ...(NODE['properties'] as object), adversary: choice(adversaries.map((a) => a.name)) },
    allOf: adversaries.map((a) => ({ if: map({ adversary: { const: a.name } }, ['adversary'], { additionalProperties: true }), then: { properties: { with: a.schema } } }))
  }
  const link = { ...LINK, oneOf: [{ required: ['between'] }, { required: ['from', 'to'] }] }
  const topology = { ...TOPOLOGY, description: `${String(TOPOLOGY['description'])}; besides, nodes find and dial each other unless discover is false` }
  const sections = {
    domains: section('domains', { ...DOMAIN, type: ['object', 'null'] }),
    nodes: section('nodes', node),
    groups: section('groups', GROUP),
    links: map({ default: LINK_DEFAULT, topology, discover: DISCOVER, list: list(link, 'links that differ, or that the topology lacks; a later line wins') }),
    timeline: list(entry(ACTION_FRAME, registry.actions, [['at'], ['every', 'from']]), 'what happens'),
    expect: list(entry(EXPECTATION_FRAME, registry.expectations, [['at'], ['by']]), 'what has to be true')
  }
  const top = { ...TOP, properties: { ...(TOP['properties'] as object), ...sections } }
  return { $schema: 'http://json-schema.org/draft-07/schema#', title: 'A scenario of diad sim', ...(standard(top) as object) }
}

function section (name: string, value: Schema): Schema {
  return { ...((TOP['properties'] as Record<string, Schema>)[name] ?? {}), propertyNames: LABEL, additionalProperties: value }
}

function entry (frame: Schema, plugins: ReadonlyMap<string, Described>, times: readonly string[][]): Schema {
  const properties: Record<string, unknown> = { ...(frame['properties'] as object), node: named('nodes', 'the node or group') }
  for (const { name, summary, schema } of plugins.values()) properties[name] = { ...schema, description: summary }
  const one = plugins.size === 0 ? {} : { oneOf: [...plugins.values()].map((p) => ({ required: p.node === 'required' ? [p.name, 'node'] : [p.name] })) }
  return { type: 'object', properties, additionalProperties: false, allOf: [{ oneOf: times.map((required) => ({ required })) }, one] }
}

/** Our keywords as what an editor knows: a pattern for a quantity, text or a list of text for names. Placeholders pass. */
function standard (schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(standard)
  if (!isRecord(schema)) return schema
  const out: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(schema)) {
    if (key === 'properties') out[key] = Object.fromEntries(Object.entries(value as object).map(([name, part]) => [name, standard(part)]))
    else if (key === 'default' || key === 'enum' || key === 'const' || key === 'required') out[key] = value
    else if (!key.startsWith('x-')) out[key] = standard(value)
  }
  const unit = schema['x-quantity']
  if (typeof unit === 'string') {
    const { pattern } = UNITS[unit as Unit]
    // A number without unit is 0, or one of the units that may be left out.
    Object.assign(out, { type: ['string', 'number'], minimum: 0, pattern: `(${pattern})|^end$|\\{(n|i|node)\\}` })
    if (unit !== 'bytes' && unit !== 'milli') out['maximum'] = 0
  }
  const names = schema['x-names']
  if (typeof names === 'string') {
    const one = { type: 'string', minLength: 1 }
    Object.assign(out, names.endsWith('s') ? { type: ['string', 'array'], minLength: 1, items: one, minItems: 1, uniqueItems: true } : one)
  }
  return out
}
