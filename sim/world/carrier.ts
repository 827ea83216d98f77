/**
 * State carried by hand: the receiver asks a copy of what the giver held, with no network between them. The same requests and answers as over the wire,
 * so it is judged exactly alike; content follows from whoever has it.
 */
import { MalformedError } from '../../src/substrate/errors.js'
import { answer } from '../../src/federation/serve-sync.js'
import { answerWire, helloWire, requestWire } from '../../src/federation/messages.js'
import type { SimDomain } from './domains.js'
import type { SimNode } from './node.js'
import type { World } from './world.js'

/** Rounds of question and answer after which a stick is put away: no honest one needs as many. */
const MAX_ROUNDS = 100_000

export function carry (world: World, from: SimNode, to: SimNode, domain: SimDomain): void {
  const k = from.engine?.replica.domains.get(domain.id)
  const { engine } = to
  const stick = `stick of ${from.name}`
  if (k === undefined || engine === undefined) return
  const questions: Uint8Array[] = []
  const outside = engine.outside
  if (outside === undefined) return
  engine.outside = {
    ...outside,
    send: (effect) => {
      if (effect.peer !== stick) outside.send(effect)
      else if (effect.channel === 'sync' && effect.direction === 'request') questions.push(effect.bytes)
    }
  }
  engine.step({ type: 'peer', peer: stick, up: true })
  engine.step({ type: 'frame', peer: stick, channel: 'hello', direction: 'request', bytes: helloWire.encode({ t: 'hello', version: 1, agent: 'stick', domains: [{ domain: domain.id, digest: k.inventoryDigest() }] }) })
  engine.step({ type: 'pull', domain: domain.id, peer: stick })
  let rounds = 0
  const turn = (): void => {
    if (to.engine !== engine) return
    const question = questions.shift()
    if (question === undefined || rounds++ > MAX_ROUNDS) {
      engine.step({ type: 'peer', peer: stick, up: false })
      engine.outside = outside
      return
    }
    try {
      engine.step({ type: 'frame', peer: stick, channel: 'sync', direction: 'response', bytes: answerWire.encode(answer(k, requestWire.decode(question))) })
    } catch (err) {
      if (!(err instanceof MalformedError)) throw err
    }
    // What the answer makes the receiver write takes its time; then it asks on.
    world.clock.after(STICK_STEP, turn)
  }
  world.clock.after(STICK_STEP, turn)
}

/** microseconds: longer than a barrier of any disk that isn't slow on purpose */
const STICK_STEP = 100_000
