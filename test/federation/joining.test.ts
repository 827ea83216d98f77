/**
 * Three nodes that hear what happens in a domain in any order and any part, joined by the real replicas, in the end with one who holds all; a last one
 * learns it all from them. R5: they come to one view, and a restart changes nobody's.
 */
import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import { DomainKnowledge } from '../../src/authority/knowledge.js'
import { branchOps, loadKnowledge, unpersistedOps } from '../../src/federation/ledger.js'
import { installNativeCrypto } from '../../src/node/native-crypto.js'
import { forkEvidenceCodec } from '../../src/publication/evidence.js'
import type { Artifact } from '../../src/substrate/artifact.js'
import { makeDomain, testKey } from '../helpers/authority-fixtures.js'
import { admitHead, knowledgeOf, type MadeHead, MemoryKv, TestLane, Wires } from '../helpers/lanes.js'
import { useRememberingVerifier } from '../helpers/remembering-verifier.js'
import { Dice } from '../helpers/worlds.js'

beforeAll(() => {
  installNativeCrypto()
  useRememberingVerifier()
})

const RUNS = Number(process.env['DIAD_RUNS'] ?? 25)
const NODES = ['a', 'b', 'c']
const LINKS: Array<[string, string]> = [['a', 'b'], ['b', 'c'], ['a', 'c']]
/** more than the slowest hello waits */
const ROUND_MS = 31_000

interface Given { readonly lane: TestLane, readonly head: MadeHead }
interface History { readonly domain: string, readonly authority: Artifact[], readonly heads: Given[], readonly all: DomainKnowledge }

/** Publications, vouches, erasures, forks, seals and cuts of a domain with two who federate, one who publishes and one who only produces. */
function historyOf (dice: Dice, seed: string): History {
  const keys = ['owner', 'second', 'writer', 'maker'].map((n) => testKey(`joining ${n}`))
  const [owner] = keys as [typeof keys[0], ...typeof keys]
  const roles = [undefined, ['federate', 'publish', 'produce'], ['publish'], ['produce']] as const
  const domain = makeDomain({ seed, principals: keys.map((key, i) => ({ key, ...(roles[i] === undefined ? {} : { roles: [...roles[i]] }) })) })
  const manifest = domain.tip
  const lanes: TestLane[] = []
  const twins: TestLane[] = []
  const heads: Given[] = []
  const said = (lane: TestLane): void => { heads.push({ lane, head: lane.head() }) }
  for (let i = 0, most = 3 + dice.next(4); i < most; i++) {
    const key = i === 0 ? owner : dice.pick(keys)
    const own = heads.filter((h) => h.lane.key === key)
    const lane = new TestLane(domain, key, `${seed} ${i}`, { manifest, ...(own.length > 0 && dice.next(2) === 0 ? { previous: dice.pick(own).head.ref } : {}) })
    lanes.push(lane)
    lane.publish(`n/${dice.next(6)}`, `${i}`)
    said(lane)
  }
  for (let step = 0, most = 20 + dice.next(25); step < most; step++) {
    const lane = dice.pick([...lanes, ...twins])
    const target = dice.pick(heads)
    switch (dice.next(7)) {
      case 3: lane.vouch(target.lane, target.head); break
      case 4: {
        if (dice.next(3) > 0 || lane.log.size < 2 || twins.length === 2) continue
        const twin = lane.fork(dice.next(lane.log.size))
        twin.publish(`n/${dice.next(8)}`, `twin ${step}`)
        twins.push(twin)
        said(twin)
        continue
      }
      case 5: lane.erase(target.lane, dice.next(target.head.size)); break
      case 6: {
        if (dice.next(3) > 0) continue
        const ends = dice.next(3) === 0 && target.lane.key !== owner
        domain.manifest({ cuts: [{ lane: target.lane.ref, snapshot: target.head.ref, ends }], closed: ends ? [target.lane.key] : [] })
        continue
      }
      default: lane.publish(`n/${dice.next(8)}`, `${step}`)
    }
    said(lane)
  }
  const all = knowledgeOf(domain)
  for (const h of heads) give(all, h)
  return { domain: domain.domain, authority: domain.items.map((i) => i.artifact), heads, all }
}

/** A head that is no longer than what is held of its log comes alone. */
function give (k: DomainKnowledge, { lane, head }: Given): void {
  const longer = k.lanes.get(lane.ref)?.branches.some((b) => b.log.size >= head.size && b.log.root(head.size) === lane.log.root(head.size))
  if (longer === true) admitHead(k, head)
  else lane.give(k, head)
}

async function restarted (k: DomainKnowledge): Promise<DomainKnowledge> {
  const kv = new MemoryKv()
  k.persisted.clear()
  kv.write([...[...k.lanes.values()].flatMap((l) => l.branches.flatMap((b) => branchOps(k, l, b, 0))), ...unpersistedOps(k)])
  return await loadKnowledge(kv, k.domain)
}

const seen = (k: DomainKnowledge): string => JSON.stringify({ digest: k.view().digest, authority: k.authority().stateText, exported: [...k.view().lanes].filter(([, v]) => v.exported > 0).map(([ref, v]) => [ref, v.exported]).sort() })

test('whatever each of them heard first, joined they agree, a latecomer with them, and after a restart', async () => {
  await fc.assert(fc.asyncProperty(fc.array(fc.nat(1000), { minLength: 40, maxLength: 40 }), async (draw) => {
    const dice = new Dice(draw)
    const { authority, heads, all } = historyOf(dice, `joining ${draw[0] ?? 0}`)
    const nodes = NODES.map(() => new DomainKnowledge(all.domain))
    const wires = new Wires()
    nodes.forEach((k, i) => wires.add(NODES[i] as string, k))
    const proofs = [...all.lanes.values()].flatMap((l) => l.evidence === undefined ? [] : [forkEvidenceCodec.artifact(l.evidence)])
    const events: Array<{ at: number, happens: () => void }> = []
    for (const k of nodes) {
      const maybe = (outOf: number, happens: () => void): void => { if (dice.next(outOf) === 0) events.push({ at: dice.next(1000), happens }) }
      for (const a of authority) if (dice.next(3) > 0) events.push({ at: dice.next(1000), happens: () => { k.admit(a) } })
      for (const h of heads) maybe(3, () => { give(k, h) })
      for (const p of proofs) maybe(2, () => { k.admit(p) })
    }
    let now = 1
    for (const { happens } of events.sort((x, y) => x.at - y.at)) {
      happens()
      if (dice.next(6) === 0) wires.connect(...dice.pick(LINKS))
      if (dice.next(4) === 0) wires.tick(now += 11_000)
    }
    const join = (name: string, k: DomainKnowledge, others: readonly string[]): void => {
      wires.add(name, k)
      for (const other of others) wires.connect(other, name)
      for (const link of LINKS) wires.connect(...link)
      for (let i = 0; i < 20; i++) wires.tick(now += ROUND_MS)
    }
    join('all', all, NODES)
    const late = new DomainKnowledge(all.domain)
    join('late', late, [...NODES, 'all'])
    for (const k of [...nodes, late]) expect(seen(k)).toBe(seen(all))
    for (const k of [...nodes, all, late]) expect(seen(await restarted(k))).toBe(seen(k))
  }), { numRuns: RUNS })
}, RUNS * 2000 + 20_000)
