/** A head leaves the node that signed it only when a power cut couldn't take it back, and its marker stands. */
import { controlKey } from '../../src/federation/ledger.js'
import { gossipWire } from '../../src/federation/messages.js'
import { decodeArtifact } from '../../src/substrate/artifact.js'
import { laneCodec, snapshotCodec } from '../../src/publication/lane.js'
import type { Invariant } from '../plugin.js'

export const durableBeforeVisible: Invariant = {
  name: 'durable-before-visible',
  summary: 'A head is durable, and marked outside the store, before anybody hears of it (L4, THREATS 28).',
  create: (world) => ({
    gossip (node, domain, bytes, hops) {
      const { disk, markers } = node.machine
      if (hops !== 1 || node.machine.keys.size === 0 || disk.lyingSync) return undefined
      const message = gossipWire.decode(bytes)
      if (message.t !== 'head') return undefined
      const artifact = decodeArtifact(message.snapshot)
      const { log_size: size, log_root: root } = snapshotCodec.from(artifact)
      const lane = laneCodec.reference(laneCodec.from(decodeArtifact(message.lane)))
      if (!disk.durably(controlKey(domain, snapshotCodec.reference(snapshotCodec.from(artifact))))) return `a head of ${world.nameOf(domain)} with ${size} leaves left before it was durable`
      if (!markers.mayContinue(lane, { size, root })) return `a head of ${world.nameOf(domain)} with ${size} leaves left before its marker stood`
      return undefined
    }
  })
}
