/**
 * Is fresh in all but who may say what: from a moment on it serves the authority of that day with everything that is published, as if nothing had been
 * revoked since (THREATS 10, 11; RULES S5).
 */
import type { DomainKnowledge } from '../../src/authority/knowledge.js'
import { answer } from '../../src/federation/serve-sync.js'
import type { Reference } from '../../src/substrate/reference.js'
import { adversary } from '../plugin.js'
import { map, quantity } from '../scenario/schema-parts.js'
import { frozen } from '../world/frozen.js'
import { answering, every, known, listeners, madeUpHash, paced, TARGET, targets, whisper, withDigests } from './kit.js'

interface StaleManifestArgs { readonly freeze: number, readonly of?: string }

const PERIOD = 5_000_000

export default adversary<StaleManifestArgs>({
  name: 'stale-manifest',
  summary: 'Serves the authority of one day for ever, with the newest of everything else: nobody hears of a revocation from it.',
  schema: map({ freeze: quantity('time', 'the moment at which its authority stays', { default: '30s' }), ...TARGET }),
  create (kit, { freeze, of }) {
    const domains = new Set(targets(kit, of))
    const objects = new Map<Reference, readonly Reference[]>()
    const shown = new Map<Reference, DomainKnowledge>()
    every(kit, { start: freeze, period: paced(kit, PERIOD) }, () => {
      for (const domain of domains) {
        const k = known(kit, domain)
        if (k === undefined) continue
        const then = objects.get(domain) ?? [...k.objects.relevant(domain)]
        objects.set(domain, then)
        shown.set(domain, frozen(k, then))
        whisper(kit, listeners(kit, domain), domain, { t: 'changed', domain, digest: madeUpHash(kit.random) })
      }
    })
    return {
      send: (effect) => [withDigests(effect, (d) => shown.get(d)?.inventoryDigest()) ?? effect],
      frame: answering(kit, domains, (request) => {
        const k = shown.get(request.domain)
        return k === undefined ? 'honest' : answer(k, request)
      })
    }
  }
})
