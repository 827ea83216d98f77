/** Sends hellos, hints, requests and badly signed heads as fast as it can, at one victim after the other (THREATS 23, 27). */
import { type Gossip, helloWire, requestWire, WIRE } from '../../src/federation/messages.js'
import { type Reference, referenceBytes } from '../../src/substrate/reference.js'
import { NONE } from '../../src/substrate/reference.js'
import { map, quantity, whole } from '../scenario/schema-parts.js'
import { type AdversaryKit, adversary } from '../plugin.js'
import { type Forgery, forge } from './forgery.js'
import { every, FROM, known, listeners, madeUpHash, neighbours, strangersKey, targets, whisper } from './kit.js'

interface FlooderArgs { readonly start: number, readonly rate: number, readonly until?: number }

/** How it floods: what no rule but the budgets stops, what costs it its standing at once, and what costs more to answer than to send. */
const WAYS = ['hints', 'bad heads', 'requests', 'long hellos'] as const
const BURST = 100_000
/** bursts after which a victim that hasn't hung up is left for the next one */
const PATIENCE = 150
/** of so many messages that there could be, one long hello is sent: it has 80 KB */
const LONG = 20
/** bursts between two forgeries: each costs four signatures of our own */
const FORGE_EVERY = 50

export default adversary<FlooderArgs>({
  name: 'flooder',
  summary: 'Sends hellos, gossip and badly signed heads as fast as its links carry them.',
  schema: map({ ...FROM, rate: whole('messages a second, a whole number from 1 to 100000', 1, 100_000, 500), until: quantity('time', 'when it stops') }),
  create (kit, { start, rate, until }) {
    const { node, random } = kit
    const domains = targets(kit)
    const stranger = strangersKey(kit)
    let victim = ''
    let turn = -1
    let left = 0
    let forged: Forgery | undefined
    let bursts = 0
    /** made once: a thousand domains that nobody ever heard of */
    let longHello: Uint8Array | undefined

    every(kit, { start, period: BURST, until }, async () => {
      if (left-- <= 0 || !neighbours(kit).includes(victim)) {
        victim = chosen(kit, turn++ < 0)
        left = PATIENCE
      }
      const domain = random.pick(domains)
      const k = known(kit, domain)
      if (bursts++ % FORGE_EVERY === 0 && k !== undefined) forged = await forge(k, stranger, random)
      const count = Math.floor(rate * BURST / 1_000_000 / (wayNow() === 'long hellos' ? LONG : 1))
      for (let n = Math.max(1, count); n > 0; n--) send(domain)
    })

    function wayNow (): typeof WAYS[number] {
      return WAYS[Math.max(0, turn) % WAYS.length] as typeof WAYS[number]
    }

    function send (domain: Reference): void {
      const hear = listeners(kit, domain).includes(victim) ? [victim] : []
      switch (wayNow()) {
        case 'bad heads': {
          const heads = forged?.gossip.filter((g): g is Extract<Gossip, { t: 'head' }> => g.t === 'head') ?? []
          if (heads.length > 0) whisper(kit, hear, domain, random.pick(heads))
          break
        }
        case 'hints': whisper(kit, hear, domain, { t: 'changed', domain, digest: madeUpHash(random) }); break
        case 'requests': {
          const request = { t: 'inventory', id: random.u32(), domain, known: madeUpHash(random), after: referenceBytes(NONE) } as const
          node.rawSend({ type: 'send', peer: victim, channel: 'sync', direction: 'request', bytes: requestWire.encode(request) })
          break
        }
        case 'long hellos': {
          longHello ??= helloWire.encode({
            t: 'hello',
            version: 1,
            agent: 'diad-sim',
            domains: Array.from({ length: WIRE.helloDomains }, () => ({ domain: NONE.slice(0, 4) + random.hex(32) as Reference, digest: madeUpHash(random) })).sort((a, b) => (a.domain < b.domain ? -1 : 1))
          })
          node.rawSend({ type: 'send', peer: victim, channel: 'hello', direction: 'request', bytes: longHello })
          break
        }
      }
    }
    return {}
  }
})

/** Publishers first: if they are silent, everybody waits. */
function chosen (kit: AdversaryKit, first: boolean): string {
  const all = neighbours(kit)
  const publishers = all.filter((peer) => kit.world.node(peer).spec.keys.length > 0)
  return kit.random.pick(first && publishers.length > 0 ? publishers : all)
}
