/** `cost: {FIGURE: {min, max}, …}` */
import { expectation } from '../plugin.js'
import { showQuantity, type Unit } from '../scenario/quantity.js'
import { type Bounds, sayBounds } from '../scenario/say.js'
import { map, quantity, type Schema } from '../scenario/schema-parts.js'
import type { Cost } from '../trace.js'
import { bounds, count, found, within } from './kit.js'

interface Figure { readonly of: (cost: Cost) => number, readonly words: string, readonly unit?: Unit }

// The names are those of Cost in trace.ts, without their unit.
const FIGURES = {
  messages: { of: (c) => c.messages, words: 'messages' },
  bytes: { of: (c) => c.bytes, words: 'bytes', unit: 'bytes' },
  lost: { of: (c) => c.lost, words: 'lost messages' },
  updates: { of: (c) => c.updates, words: 'updates' },
  messagesPerDelivery: { of: (c) => c.messagesPerDeliveryMilli, words: 'messages for each delivery', unit: 'milli' },
  bytesPerDelivery: { of: (c) => c.bytesPerDeliveryMilli, words: 'bytes for each delivery', unit: 'milli' },
  redundancy: { of: (c) => c.redundancyMilli, words: 'copies of a gossip message', unit: 'milli' },
  maxHops: { of: (c) => c.maxHops, words: 'hops', },
  delayMedian: { of: (c) => c.delayMedian, words: 'median delay', unit: 'time' },
  delayP95: { of: (c) => c.delayP95, words: '95% delay', unit: 'time' },
  delayMax: { of: (c) => c.delayMax, words: 'longest delay', unit: 'time' }
} as const satisfies Readonly<Record<string, Figure>>

type Name = keyof typeof FIGURES
type CostArgs = Readonly<Partial<Record<Name, Bounds>>>

const figures = (args: CostArgs): Array<readonly [Figure, Bounds]> => (Object.entries(args) as Array<[Name, Bounds]>).map(([name, is]) => [FIGURES[name], is])

function schemaOf ({ unit }: Figure): Schema {
  return bounds(unit === undefined ? count : (description) => quantity(unit, description))
}

export default expectation<CostArgs>({
  name: 'cost',
  node: 'none',
  summary: 'The figures of the whole run lie within bounds.',
  schema: map(Object.fromEntries(Object.entries(FIGURES).map(([name, figure]) => [name, schemaOf(figure)])), [], { minProperties: 1 }),
  words: (args) => `cost: ${figures(args).map(([{ words, unit }, is]) => `${words} ${sayBounds(is, unit)}`).join(', ')}`,
  check (world, args) {
    const cost = world.meter.cost()
    const all = figures(args).map(([figure, is]) => ({ ...figure, is, value: figure.of(cost) }))
    return found(all.every(({ value, is }) => within(value, is)), all.map(({ words, value, unit }) => `${words} ${unit === undefined ? value : showQuantity(unit, value)}`).join(', '))
  }
})
