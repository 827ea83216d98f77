/** Takes every request and answers so slowly that it might as well not (THREATS 4). */
import { answerWire } from '../../src/federation/messages.js'
import { REFERENCE_LENGTH } from '../../src/substrate/reference.js'
import { map, quantity } from '../scenario/schema-parts.js'
import { adversary } from '../plugin.js'
import { answering, FROM, later, reply, swallow, targets } from './kit.js'

interface StallerArgs { readonly start: number, readonly rate: number }

/** the longest anybody waits for a block (HOST_LIMITS.blockIdleMs); what would take longer never comes */
const PATIENCE = 30_000_000
/** what would take longer than this isn't even begun */
const FOR_EVER = 3_600_000_000

export default adversary<StallerArgs>({
  name: 'staller',
  summary: 'Takes every request and answers byte by byte, or never.',
  schema: map({ ...FROM, rate: quantity('rate', 'how fast it answers', { range: [1, 1e12], default: '1B/s' }) }),
  create (kit, { start, rate }) {
    const stalls = (): boolean => kit.world.clock.now >= start
    const takes = (bytes: number): number => Math.floor(bytes * 1_000_000 / rate)
    return {
      frame: answering(kit, new Set(targets(kit)), (_request, honest, peer) => {
        if (!stalls()) return 'honest'
        const delay = takes(answerWire.encode(honest).length)
        if (delay < FOR_EVER) later(kit, delay, () => { reply(kit, peer, honest) })
        return undefined
      }),
      blocks (_request, honest) {
        const bytes = honest.reduce((n, b) => n + REFERENCE_LENGTH + (b?.length ?? 0), 0)
        return stalls() && takes(bytes) > PATIENCE ? undefined : honest
      },
      gossip: (from, message) => stalls() ? swallow(kit, from, message) : true
    }
  }
})
