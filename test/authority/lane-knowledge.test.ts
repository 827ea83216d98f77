import { beforeAll, expect, test } from 'vitest'
import { DomainKnowledge } from '../../src/authority/knowledge.js'
import { installNativeCrypto } from '../../src/node/native-crypto.js'
import { bareLeaf, encodeLeaf } from '../../src/publication/leaf.js'
import { concatBytes } from '../../src/substrate/bytes.js'
import { Dice, World, type WorldHead } from '../helpers/worlds.js'

beforeAll(() => { installNativeCrypto() })

function world (): { heads: WorldHead[], k: DomainKnowledge, bytes: (h: WorldHead) => Uint8Array } {
  const w = new World('lane', new Dice([4, 8, 15, 16, 23, 42]))
  const lane = w.lanes[0]
  if (lane === undefined) throw new Error('no lane')
  w.append(lane, 0, [bareLeaf('tick', (lane.branches[0]?.at(-1)?.leaf.logseq ?? 0) + 1)])
  const heads = [...new Map(w.heads.filter((h) => h.lane === lane && h.branch === 0).map((h) => [h.size, h])).values()].sort((a, b) => a.size - b.size)
  const k = new DomainKnowledge(w.domain.domain)
  for (const { artifact } of w.domain.items) k.admit(artifact)
  w.give(k, heads[0] as WorldHead)
  for (const h of heads) {
    k.admit(h.snapshot.artifact)
    k.admit(h.signature.artifact)
  }
  return { heads, k, bytes: (h) => concatBytes(...(h.lane.branches[0] ?? []).slice(0, h.size).map((l) => encodeLeaf(l.leaf))) }
}

test('two pulls that bring the same log, in whatever order, leave one branch and no evidence', () => {
  const { heads, k, bytes } = world()
  const last = heads.at(-1) as WorldHead
  const lane = k.lanes.get(last.lane.ref)
  const first = lane?.branches[0]
  const head = lane?.heads.get(last.ref)
  if (lane === undefined || head === undefined || first === undefined) throw new Error('not held')
  // The second pull started when nothing was held, and ends after the first has brought a part.
  expect(lane.extend(head, 0, bytes(last)).result).toBe('extended')
  expect(lane.branches).toHaveLength(1)
  expect(lane.evidence).toBeUndefined()
  expect(first.head.ref).toBe(last.ref)
  // And the one that lags behind takes nothing away.
  const small = lane.heads.get((heads[0] as WorldHead).ref)
  if (small !== undefined) lane.extend(small, 0, bytes(heads[0] as WorldHead))
  expect(lane.held).toBe(last.size)
  expect(lane.branches).toHaveLength(1)
})
