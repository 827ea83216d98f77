/** Announces heads and never gives the log or the content (THREATS 24; RULES E2, A3). */
import { referenceOfArtifactBytes } from '../../src/substrate/artifact.js'
import { map } from '../scenario/schema-parts.js'
import { adversary } from '../plugin.js'
import { answering, FROM, gossipOf, listeners, swallow, TARGET, targets, whisper } from './kit.js'

interface WithholderArgs { readonly start: number, readonly of?: string }

export default adversary<WithholderArgs>({
  name: 'withholder',
  summary: 'Announces heads and never gives the log or the content.',
  schema: map({ ...FROM, ...TARGET }),
  create (kit, { start, of }) {
    const domains = new Set(targets(kit, of))
    const { clock } = kit.world
    const lies = (): boolean => clock.now >= start
    return {
      // Objects are true, so heads are believed; what lies behind them never comes.
      frame: answering(kit, domains, (_request, honest) => {
        if (!lies()) return 'honest'
        switch (honest.t) {
          case 'leaves-answer': return { ...honest, leaves: new Uint8Array(0), bodies: [], path: [] }
          case 'bodies-answer': return { ...honest, bodies: [] }
          case 'proofs-answer': return { ...honest, proofs: [] }
          case 'inclusion-answer': return { ...honest, path: [] }
          default: return 'honest'
        }
      }),
      blocks: (request, honest) => lies() && domains.has(request.domain) ? honest.map(() => undefined) : honest,
      // First with the news, and stripped: without leaves, or with leaves and without what they say. And again whenever somebody passes it on.
      gossip (from, message) {
        const head = gossipOf(message)
        if (!lies() || head?.t !== 'head' || !domains.has(message.domain)) return true
        // Chosen by the head itself, so that several of this kind agree.
        const bare = parseInt(referenceOfArtifactBytes(head.snapshot).slice(-1), 16) % 2 === 0
          ? { ...head, from: head.from + head.bodies.length, leaves: new Uint8Array(0), bodies: [] }
          : { ...head, bodies: head.bodies.map(() => new Uint8Array(0)) }
        whisper(kit, listeners(kit, message.domain).filter((p) => p !== from), message.domain, bare)
        return swallow(kit, from, message)
      }
    }
  }
})
