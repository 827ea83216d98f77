/** Honest nodes pass on only heads that a key of the domain really signed. */
import { gossipWire } from '../../src/federation/messages.js'
import { referenceOfArtifactBytes } from '../../src/substrate/artifact.js'
import { MalformedError } from '../../src/substrate/errors.js'
import type { Invariant } from '../plugin.js'

export const judgedBeforeForwarded: Invariant = {
  name: 'judged-before-forwarded',
  summary: 'What a node wouldn\'t believe itself it doesn\'t pass on (DESIGN §7, THREATS 23).',
  create: (world) => ({
    gossip (_node, domain, bytes, hops) {
      try {
        const message = gossipWire.decode(bytes)
        if (message.t !== 'head') return undefined
        const head = referenceOfArtifactBytes(message.snapshot)
        return world.oracle.signed.has(head) ? undefined : `after ${hops} hops it passes on the head ${head.slice(4, 16)} of ${world.nameOf(domain)}, which no key of the domain signed`
      } catch (err) {
        if (err instanceof MalformedError) return `it passes on bytes that break their shape: ${err.message}`
        throw err
      }
    }
  })
}
