/** Nodes joined until nobody has anything to say any more, what that took, and what a hostile key makes them speak of. */
import type { DomainKnowledge } from '../../src/authority/knowledge.js'
import { blamePoints } from '../../src/federation/blame.js'
import type { PullSink } from '../../src/federation/staging.js'
import { forkEvidenceCodec } from '../../src/publication/evidence.js'
import type { Artifact } from '../../src/substrate/artifact.js'
import type { TestDomain } from './authority-fixtures.js'
import { knowledgeOf, type MadeHead, type TestLane, Wires } from './lanes.js'

const ROUND_MS = 31_000

/** Each of them connected with each other. */
export function wired (nodes: Readonly<Record<string, DomainKnowledge>>): Wires {
  const wires = new Wires()
  const names = Object.keys(nodes)
  for (const [name, knowledge] of Object.entries(nodes)) wires.add(name, knowledge)
  names.forEach((a, i) => { for (const b of names.slice(i + 1)) wires.connect(a, b) })
  return wires
}

/** Lets rounds go by, the first at `from`. Returns how many requests each took; before them stands how many there were so far. */
export function settled (wires: Wires, count = 29, from = 1): number[] {
  const sums = [wires.requests.length]
  for (let i = from; i < from + count; i++) {
    wires.tick(i * ROUND_MS)
    sums.push(wires.requests.length)
  }
  return sums.map((sum, i) => sum - (sums[i - 1] ?? 0))
}

/** Joined until nobody has anything to say any more; how many requests that took, a round. */
export const rounds = (one: DomainKnowledge, other: DomainKnowledge): number[] => settled(wired({ one, other }))

export const sum = (all: readonly number[]): number => all.reduce((n, m) => n + m, 0)
export const joined = (one: DomainKnowledge, other: DomainKnowledge): number => sum(rounds(one, other))

/** Points that each node gave others so far; who gets 100 is banned. */
export function blamed (wires: Wires): Record<string, number> {
  const points = Object.fromEntries([...wires.replicas.keys()].map((name) => [name, 0]))
  for (const e of wires.effects) if (e.type === 'score') points[e.at] = (points[e.at] ?? 0) + blamePoints(e.code)
  return points
}

/** For pulls of which only what is held afterwards matters. */
export const QUIET: PullSink = { commit: () => undefined, refuse: () => undefined, note: () => undefined, evidence: () => undefined, digest: () => undefined }

/** Heads signed by the lane's key, with logs that nobody can show. */
export const bareHeads = (lane: TestLane, count: number): MadeHead[] =>
  Array.from({ length: count }, (_, i) => lane.head({ size: 100 + i, logseq: 100 + i, log_root: (i + 1).toString(16).padStart(64, '0') }))

export function proofOfFork (domain: TestDomain, lane: TestLane, twin: TestLane): Artifact {
  const k = knowledgeOf(domain)
  lane.give(k, lane.head())
  twin.give(k, twin.head())
  const proof = k.lanes.get(lane.ref)?.evidence
  if (proof === undefined) throw new Error('no fork')
  return forkEvidenceCodec.artifact(proof)
}
