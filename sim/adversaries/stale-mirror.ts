/** Freezes: serves what it held at a moment for ever, and says that it is the newest (THREATS 24; RULES S5). */
import type { DomainKnowledge } from '../../src/authority/knowledge.js'
import { headGossip } from '../../src/federation/gossip.js'
import { answer } from '../../src/federation/serve-sync.js'
import type { Reference } from '../../src/substrate/reference.js'
import { map, quantity } from '../scenario/schema-parts.js'
import { adversary } from '../plugin.js'
import { frozen } from '../world/frozen.js'
import { answering, every, known, listeners, madeUpHash, paced, TARGET, targets, whisper, withDigests } from './kit.js'

interface StaleMirrorArgs { readonly freeze: number, readonly of?: string }

/** how often it says how new it is */
const BOAST = 10_000_000

export default adversary<StaleMirrorArgs>({
  name: 'stale-mirror',
  summary: 'Freezes: serves what it held at a moment for ever, and says that it is the newest.',
  schema: map({ freeze: quantity('time', 'the moment it stays at', { default: '30s' }), ...TARGET }),
  create (kit, { freeze, of }) {
    const domains = new Set(targets(kit, of))
    const old = new Map<Reference, DomainKnowledge>()
    every(kit, { start: freeze, period: paced(kit, BOAST) }, () => {
      for (const domain of domains) if (!old.has(domain)) freezeNow(domain)
      const boasts = old.size === 0 ? [] : [kit.random.pick([...old.values()])]
      for (const k of boasts) {
        const { domain } = k
        // A hint that something changed lures everybody into asking; the old head once more, as if it were news.
        whisper(kit, listeners(kit, domain), domain, { t: 'changed', domain, digest: madeUpHash(kit.random) })
        for (const lane of k.lanes.values()) {
          const head = headGossip(k, lane, kit.random.below(lane.held + 1))
          if (head !== undefined) whisper(kit, listeners(kit, domain), domain, head)
        }
      }
    })
    function freezeNow (domain: Reference): void {
      const k = known(kit, domain)
      if (k !== undefined) old.set(domain, frozen(k))
    }
    return {
      send: (effect) => [withDigests(effect, (d) => old.get(d)?.inventoryDigest()) ?? effect],
      frame: answering(kit, domains, (request) => {
        const k = old.get(request.domain)
        return k === undefined ? 'honest' : answer(k, request)
      }),
      gossip: (_from, { domain }) => !old.has(domain)
    }
  }
})
