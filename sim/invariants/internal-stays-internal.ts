/** What was stored and never published isn't given to anybody, and its reference isn't even spoken. */
import { fromHex, toHex } from '../../src/substrate/bytes.js'
import { digestOf, type Reference } from '../../src/substrate/reference.js'
import type { Invariant } from '../plugin.js'
import type { World } from '../world/world.js'

export const internalStaysInternal: Invariant = {
  name: 'internal-stays-internal',
  summary: 'No frame of an honest node holds internal content or its reference (V1 to V4, THREATS 22).',
  create: (world) => ({
    blocks (_node, refs, answer) {
      const at = refs.findIndex((r, i) => answer[i] !== undefined && world.oracle.internal.has(r))
      return at < 0 ? undefined : `it gave away the internal block ${(refs[at] as Reference).slice(4, 16)}`
    },
    frame: (_node, channel, direction, bytes) => spoken(world, bytes, `a ${channel} ${direction}`),
    // Small updates travel whole, bodies too.
    gossip: (_node, _domain, bytes) => spoken(world, bytes, 'gossip')
  })
}

function spoken (world: World, bytes: Uint8Array, what: string): string | undefined {
  for (const ref of world.oracle.internal) if (!world.oracle.fished.has(ref) && includes(bytes, fromHex(digestOf(ref)))) return `${what} speaks of the internal block ${ref.slice(4, 16)}: ${toHex(bytes.subarray(0, 16))}…`
  return undefined
}

function includes (bytes: Uint8Array, part: Uint8Array): boolean {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).includes(Buffer.from(part))
}
