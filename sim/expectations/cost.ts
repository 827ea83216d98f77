/** `cost: {FIGURE: {min, max}, …}` */
import { DiadError } from '../../src/substrate/errors.js'
import { baseExpectations, type Bounds, type CostArgs } from '../scenario/base-schemas.js'
import { expectation } from '../plugin.js'
import type { Cost } from '../trace.js'
import { found, within } from './kit.js'

const VALUE: Record<keyof CostArgs, (cost: Cost) => number> = {
  messages: (c) => c.messages,
  bytes: (c) => c.bytes,
  lost: (c) => c.lost,
  updates: (c) => c.updates,
  messagesPerDelivery: (c) => c.messagesPerDeliveryMilli,
  bytesPerDelivery: (c) => c.bytesPerDeliveryMilli,
  redundancy: (c) => c.redundancyMilli,
  maxHops: (c) => c.maxHops,
  delayMedian: (c) => c.delayMedian,
  delayP95: (c) => c.delayP95,
  delayMax: (c) => c.delayMax
}

export default expectation<CostArgs>({
  ...baseExpectations.get('cost')!,
  check (world, args) {
    const cost = world.meter.cost()
    const texts: string[] = []
    let ok = true
    for (const [figure, bounds] of Object.entries(args) as Array<[keyof CostArgs, Bounds]>) {
      const value = VALUE[figure](cost)
      if (!Number.isSafeInteger(value)) throw new DiadError('bad-scenario', `unknown figure ${figure}`)
      ok &&= within(value, bounds)
      texts.push(`${figure} ${value}`)
    }
    return found(ok, texts.join(', '))
  }
})
