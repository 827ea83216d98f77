/** Sends bytes that break their shape: cut, bit-flipped, too long, too deep, with lying lengths, on every channel (THREATS 3, 4, 6). */
import { WIRE } from '../../src/federation/messages.js'
import { map, whole } from '../scenario/schema-parts.js'
import { adversary } from '../plugin.js'
import type { SendEffect } from '../world/wire.js'
import { every, FROM, later, listeners, madeUpHash, neighbours, sayHello, targets, whisper } from './kit.js'
import { spoiled } from './spoil.js'

interface MalformedArgs { readonly start: number, readonly rate: number }

/** frames and messages that it saw, to be spoiled */
const TEMPLATES = 64
const SECOND = 1_000_000
/** timers run at most so often a second; above that several messages go at once */
const MAX_TURNS = 10
/** one frame in so many is longer than any frame may be */
const TOO_LONG_PPM = 2_000

export default adversary<MalformedArgs>({
  name: 'malformed',
  summary: 'Sends bytes that break their shape: cut, bit-flipped, too long, too deep, with lying lengths.',
  schema: map({ ...FROM, rate: whole('messages a second, a whole number from 1 to 100000', 1, 100_000, 50) }),
  create (kit, { start, rate }) {
    const { node, random, world } = kit
    const domains = targets(kit)
    const frames: SendEffect[] = []
    const gossip: Uint8Array[] = [Uint8Array.of(0xa0)]
    const works = (): boolean => world.clock.now >= start
    const keep = <T>(list: T[], item: T): void => {
      if (list.length < TEMPLATES) list.push(item)
      else list[random.below(TEMPLATES)] = item
    }

    // A well-formed lure first: a state that nobody else has. Whoever asks for it gets garbage, and then garbage without asking.
    later(kit, start, () => {
      for (const peer of neighbours(kit)) sayHello(kit, peer, new Map(domains.map((d) => [d, madeUpHash(random)])))
    })
    every(kit, { start: start + SECOND, period: Math.floor(SECOND / Math.min(rate, MAX_TURNS)) }, () => {
      for (let n = Math.max(1, Math.floor(rate / MAX_TURNS)); n > 0; n--) {
        const peers = neighbours(kit)
        if (peers.length === 0) return
        const domain = random.pick(domains)
        const hear = listeners(kit, domain)
        if (random.chance(300_000) && hear.length > 0) whisper(kit, [random.pick(hear)], domain, spoiled(random, random.pick(gossip)))
        else if (frames.length > 0) {
          const frame = random.pick(frames)
          const bytes = random.chance(TOO_LONG_PPM) ? new Uint8Array(WIRE.frameBytes + 1) : spoiled(random, frame.bytes)
          node.rawSend({ ...frame, peer: random.pick(peers), bytes })
        }
      }
    })
    return {
      // What it should say itself is a template too; answers always come out spoiled, the rest half of the time.
      send (effect) {
        keep(frames, effect)
        const answer = effect.channel === 'sync' && effect.direction === 'response'
        return [works() && (answer || random.chance(500_000)) ? { ...effect, bytes: spoiled(random, effect.bytes) } : effect]
      },
      frame (effect) {
        keep(frames, effect)
        return true
      },
      gossip (_from, { bytes }) {
        keep(gossip, bytes)
        return true
      },
      blocks: (_request, honest) => works() ? honest.map((b) => b === undefined ? random.bytes(random.below(64)) : spoiled(random, b)) : honest
    }
  }
})
