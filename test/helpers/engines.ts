/** Engines on simulated disks. */
import type { DomainKnowledge } from '../../src/authority/knowledge.js'
import { AudienceIndex } from '../../src/federation/audience.js'
import { Engine } from '../../src/federation/engine.js'
import { branchOps, unpersistedOps } from '../../src/federation/ledger.js'
import { PackStore } from '../../src/substrate/pack-store.js'
import { SimDisk } from '../../sim/world/disk.js'
import { digestFrom, type TestDomain } from './authority-fixtures.js'
import { knowledgeOf } from './lanes.js'

/** With `of` it is the engine of that domain's owner. */
export async function engineOn (seed: string, of?: TestDomain, disk = new SimDisk()): Promise<Engine> {
  const { kv, packs } = disk
  const blocks = await PackStore.open(kv, packs, { bufferBytes: 65_536 })
  let n = 0
  const random = (b: number): string => digestFrom(`${seed} ${n++}`).slice(0, 2 * b)
  const engine = await Engine.load({ kv, blocks, audience: new AudienceIndex(kv), markers: { mayContinue: () => true, write: () => undefined }, random }, { agent: seed })
  if (of !== undefined) await engine.found(knowledgeOf(of))
  return engine
}

/** Resolves when nothing is under way. */
export async function tended (engine: Engine): Promise<void> {
  await engine.settled()
  await engine.upkeep.idle()
}

/** Writes all that is held of a domain to the engine's disk. */
export async function save (engine: Engine, k: DomainKnowledge): Promise<void> {
  await engine.commit([...[...k.lanes.values()].flatMap((l) => l.branches.flatMap((b) => branchOps(k, l, b, 0))), ...unpersistedOps(k)])
}
