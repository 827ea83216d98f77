/** Gossip on topics: judged by the caller before it is forwarded, counted against the neighbour it came from. */
import { TopicValidatorResult, type GossipSub, type Message, type TopicValidatorFn } from '@libp2p/gossipsub'
import type { PeerId } from '@libp2p/interface'
import { DiadError } from '../../substrate/errors.js'
import { type HostLimits, Violation } from './budgets.js'
import type { HostEvents } from './types.js'

export interface GossipInit {
  readonly pubsub: GossipSub
  readonly limits: HostLimits
  readonly events: HostEvents
  readonly log: (message: string) => void
  /** Counts one message; throws `Violation`. */
  readonly spend: (peer: string, bytes: number) => void
  readonly violation: (peer: string, error: Error) => void
  readonly blame: (peer: string, points: number, why: string) => void
}

export class Gossip {
  constructor (private readonly init: GossipInit) {
    init.pubsub.topicValidators = new OneValidator((from, message) => this.#judge(from, message))
  }

  subscribe (topic: string): void {
    this.init.pubsub.subscribe(topic)
  }

  unsubscribe (topic: string): void {
    this.init.pubsub.unsubscribe(topic)
  }

  async publish (topic: string, bytes: Uint8Array): Promise<number> {
    const { limits, pubsub } = this.init
    if (bytes.length > limits.gossipBytes) throw new DiadError('gossip-too-large', `a gossip message of ${bytes.length} bytes; ${limits.gossipBytes} are allowed`, 'gossip a hint and let others fetch the rest')
    const { recipients } = await pubsub.publish(topic, bytes)
    return recipients.length
  }

  async #judge (from: PeerId, message: Message): Promise<TopicValidatorResult> {
    const { limits, events, pubsub, log, spend, violation, blame } = this.init
    const peer = from.toString()
    try {
      spend(peer, message.data.length)
    } catch (err) {
      if (!(err instanceof Violation)) throw err
      violation(peer, err)
      return TopicValidatorResult.Ignore
    }
    if (message.data.length > limits.gossipBytes) {
      blame(peer, limits.rejectPoints, 'forwarded an oversized gossip message')
      return TopicValidatorResult.Reject
    }
    // A topic we don't follow: nobody could judge the message, so it isn't kept and isn't passed on.
    if (!pubsub.getTopics().includes(message.topic) || events.onGossip === undefined) return TopicValidatorResult.Ignore
    try {
      const verdict = await events.onGossip(message.topic, peer, message.data)
      if (verdict === 'accept') return TopicValidatorResult.Accept
      if (verdict === 'ignore') return TopicValidatorResult.Ignore
      blame(peer, limits.rejectPoints, 'forwarded a gossip message that was rejected')
      return TopicValidatorResult.Reject
    } catch (err) {
      log(`onGossip failed: ${err instanceof Error ? err.message : String(err)}`)
      return TopicValidatorResult.Ignore
    }
  }
}

/** Gossipsub accepts what has no validator, also on topics nobody subscribed to. Here every topic has the one. */
class OneValidator extends Map<string, TopicValidatorFn> {
  constructor (private readonly validator: TopicValidatorFn) {
    super()
  }

  override get (): TopicValidatorFn {
    return this.validator
  }
}
