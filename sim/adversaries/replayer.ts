/** Sends again what it once received, much later and to everybody: old heads, old answers, other people's hellos (THREATS 10, 19; RULES A4, S5). */
import { answerWire, helloWire, type SyncAnswer } from '../../src/federation/messages.js'
import { MalformedError } from '../../src/substrate/errors.js'
import { map, quantity } from '../scenario/schema-parts.js'
import { adversary } from '../plugin.js'
import type { GossipMessage } from '../world/gossip.js'
import type { SendEffect } from '../world/wire.js'
import { every, FROM, helloOf, known, listeners, neighbours, paced, reply, requestOf, targets, whisper } from './kit.js'

interface ReplayerArgs { readonly start: number, readonly delay: number }
interface Recorded<T> { readonly at: number, readonly what: T }

/** of each kind; the oldest go */
const TAPE = 500
const PERIOD = 2_000_000

export default adversary<ReplayerArgs>({
  name: 'replayer',
  summary: 'Sends again what it once received, much later and to everybody.',
  schema: map({ ...FROM, delay: quantity('time', 'how long it waits', { default: '30s' }) }),
  create (kit, { start, delay }) {
    const { node, random, world } = kit
    const gossip: Array<Recorded<GossipMessage>> = []
    const hellos: Array<Recorded<SendEffect>> = []
    const requests: Array<Recorded<SendEffect>> = []
    const answers: Array<Recorded<SyncAnswer>> = []
    const record = <T>(tape: Array<Recorded<T>>, what: T): void => {
      tape.push({ at: world.clock.now, what })
      if (tape.length > TAPE) tape.shift()
    }
    const old = <T>(tape: ReadonlyArray<Recorded<T>>): T[] => tape.filter((r) => r.at + delay <= world.clock.now).map((r) => r.what)
    const one = <T>(from: readonly T[]): T | undefined => from.length === 0 ? undefined : random.pick(from)

    every(kit, { start, period: paced(kit, PERIOD) }, () => {
      const message = one(old(gossip))
      if (message !== undefined) {
        whisper(kit, listeners(kit, message.domain), message.domain, message.bytes)
        // The same words where another domain is talked about.
        const other = one(targets(kit).filter((d) => d !== message.domain))
        if (other !== undefined && random.chance(100_000)) whisper(kit, listeners(kit, other), other, message.bytes)
      }
      for (const frame of [one(old(hellos)), one(old(requests))]) {
        const to = one(neighbours(kit))
        if (frame !== undefined && to !== undefined) node.rawSend({ ...frame, peer: to })
      }
    })
    return {
      frame (effect) {
        if (helloOf(effect) !== undefined) record(hellos, effect)
        else if (effect.channel === 'sync' && effect.direction === 'response') recordAnswer(effect.bytes)
        const request = requestOf(effect)
        if (request === undefined) return true
        record(requests, effect)
        // An answer of long ago to a question of now: right in its kind, and perhaps of another domain, lane or place.
        const past = one(old(answers).filter((a) => a.t === `${request.t}-answer`))
        if (world.clock.now < start || past === undefined || known(kit, request.domain) === undefined || random.chance(500_000)) return true
        reply(kit, effect.peer, { ...past, id: request.id })
        return false
      },
      send (effect) {
        const past = effect.channel === 'hello' && world.clock.now >= start ? one(old(hellos)) : undefined
        return past === undefined ? [effect] : [{ ...effect, bytes: helloWire.encode(helloWire.decode(past.bytes)) }]
      },
      gossip (_from, message) {
        record(gossip, message)
        return true
      }
    }

    function recordAnswer (bytes: Uint8Array): void {
      try {
        record(answers, answerWire.decode(bytes))
      } catch (err) {
        if (!(err instanceof MalformedError)) throw err
      }
    }
  }
})
