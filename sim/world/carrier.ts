/**
 * State carried by hand: the receiver asks a copy of what the giver held, with no network between them. The same requests and answers as over the wire,
 * so it is judged exactly alike, and a mirror takes the content too.
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
  const giver = from.engine
  const k = giver?.replica.domains.get(domain.id)
  const { engine } = to
  const stick = `stick of ${from.name}`
  // One stick a node: another domain's turn comes when this one is put away.
  if (to.plugged.has(stick)) {
    world.clock.after(STICK_STEP, () => { carry(world, from, to, domain) })
    return
  }
  if (giver === undefined || k === undefined || engine === undefined) return
  const questions: Uint8Array[] = []
  to.plugged.set(stick, {
    frame: ({ channel, direction, bytes }) => { if (channel === 'sync' && direction === 'request') questions.push(bytes) },
    blocks: async ({ domain: of, refs }) => of === domain.id ? await giver.blocksFor(of, refs) : refs.map(() => undefined)
  })
  const unplug = (): void => {
    to.plugged.delete(stick)
    if (to.engine === engine) engine.step({ type: 'peer', peer: stick, up: false })
  }
  engine.step({ type: 'peer', peer: stick, up: true })
  engine.step({ type: 'frame', peer: stick, channel: 'hello', direction: 'request', bytes: helloWire.encode({ t: 'hello', version: 1, agent: 'stick', domains: [{ domain: domain.id, digest: k.inventoryDigest() }] }) })
  engine.step({ type: 'pull', domain: domain.id, peer: stick })
  let rounds = 0
  // What a slow disk hasn't written yet makes it ask on.
  const rest = async (): Promise<void> => {
    await engine.settled().catch(() => undefined)
    if (questions.length > 0 && to.engine === engine && rounds < MAX_ROUNDS) {
      turn()
      return
    }
    await carryContent(world, to, domain, stick)
    unplug()
  }
  const turn = (): void => {
    const question = to.engine === engine && rounds++ < MAX_ROUNDS ? questions.shift() : undefined
    if (question === undefined) {
      void rest()
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

/** Whoever mirrors the domain takes the content of what it has just learnt, and of what it knew before. */
async function carryContent (world: World, to: SimNode, domain: SimDomain, stick: string): Promise<void> {
  const { engine, mirror } = to
  if (engine?.records.get(domain.id)?.mode !== 'mirror' || mirror === undefined) return
  const stop = { get aborted () { return to.engine !== engine }, throwIfAborted: () => { if (to.engine !== engine) throw new Unplugged() } }
  try {
    const result = await mirror.fetch(domain.id, { stop, peers: [stick] })
    if (result !== undefined && to.engine === engine) world.fetched(to, domain.id, result)
  } catch {
    // Its process is gone; or its store failed, of which the engine tells.
  }
}

class Unplugged extends Error {}
