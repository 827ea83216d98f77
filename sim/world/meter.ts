/** What a run costs: whole numbers, so that the same run always costs the same. */
import type { Cost, Micros } from '../trace.js'

interface Tally { messages: number, bytes: number }
interface NodeTally { sent: number, received: number, bytesSent: number, bytesReceived: number }

export class Meter {
  messages = 0
  bytes = 0
  lost = 0
  updates = 0
  private readonly kinds = new Map<string, Tally>()
  private readonly nodes = new Map<string, NodeTally>()
  private readonly delays: Micros[] = []
  private copies = 0
  private firsts = 0
  private maxHops = 0

  sent (from: string, to: string, what: string, bytes: number): void {
    this.messages++
    this.bytes += bytes
    const kind = this.kinds.get(what) ?? { messages: 0, bytes: 0 }
    kind.messages++
    kind.bytes += bytes
    this.kinds.set(what, kind)
    const a = this.node(from)
    a.sent++
    a.bytesSent += bytes
    const b = this.node(to)
    b.received++
    b.bytesReceived += bytes
  }

  private node (name: string): NodeTally {
    let tally = this.nodes.get(name)
    if (tally === undefined) this.nodes.set(name, tally = { sent: 0, received: 0, bytesSent: 0, bytesReceived: 0 })
    return tally
  }

  gossiped (hops: number, seen: boolean): void {
    this.copies++
    if (seen) return
    this.firsts++
    this.maxHops = Math.max(this.maxHops, hops)
  }

  delivered (delay: Micros): void {
    this.delays.push(delay)
  }

  cost (): Cost {
    const sorted = Float64Array.from(this.delays).sort()
    const at = (permille: number): Micros => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * permille / 1000))] ?? 0
    const deliveries = Math.max(1, sorted.length)
    return {
      messages: this.messages,
      bytes: this.bytes,
      lost: this.lost,
      updates: this.updates,
      messagesPerDeliveryMilli: Math.floor(this.messages * 1000 / deliveries),
      bytesPerDeliveryMilli: Math.floor(this.bytes * 1000 / deliveries),
      redundancyMilli: Math.floor(this.copies * 1000 / Math.max(1, this.firsts)),
      maxHops: this.maxHops,
      delayMedian: at(500),
      delayP95: at(950),
      delayMax: at(1000),
      byKind: [...this.kinds].sort(([a], [b]) => (a < b ? -1 : 1)).map(([what, t]) => ({ what, ...t })),
      byNode: [...this.nodes].sort(([a], [b]) => (a < b ? -1 : 1)).map(([node, t]) => ({ node, ...t }))
    }
  }
}
