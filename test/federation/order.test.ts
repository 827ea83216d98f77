import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { DomainKnowledge } from '../../src/authority/knowledge.js'
import { Dice, honest, pullFrom, type Server, verdicts, World } from '../helpers/worlds.js'
import { encodeArtifact, referenceOf } from '../../src/substrate/artifact.js'
import { signatureCodec } from '../../src/substrate/signature.js'
import { snapshotCodec } from '../../src/publication/lane.js'
import { signed } from '../helpers/authority-fixtures.js'
import { useRememberingVerifier } from '../helpers/remembering-verifier.js'

beforeAll(useRememberingVerifier)

const numbers = fc.array(fc.nat(1000), { minLength: 24, maxLength: 24 })
/** `npm run test:long` sets more */
const RUNS = Number(process.env['DIAD_RUNS'] ?? 60)

/** Bytes flipped in every answer: what a liar without keys can do. */
function liar (server: Server, dice: Dice): Server {
  return (request) => {
    const got = server(request)
    const flip = (b: Uint8Array): Uint8Array => {
      if (b.length === 0) return b
      const out = b.slice()
      const at = dice.next(out.length)
      out[at] = (out[at] as number) ^ (1 + dice.next(255))
      return out
    }
    if (got.t === 'objects-answer') return { ...got, artifacts: got.artifacts.map(flip) }
    if (got.t === 'leaves-answer') return { ...got, leaves: flip(got.leaves), bodies: got.bodies.map(flip) }
    if (got.t === 'proofs-answer') return { ...got, proofs: got.proofs.map((p) => ({ ...p, path: p.path.slice(1) })) }
    return got
  }
}

/** Offers a head signed by a key of its own beside the true state. */
function forger (server: Server, world: World): Server {
  const forged = world.forgery()
  return (request) => {
    // Her inventory differs from everybody's, so nobody is told that nothing changed.
    const got = server(request.t === 'inventory' ? { ...request, known: '0'.repeat(64) as typeof request.known } : request)
    if (got.t === 'inventory-answer' && got.status === 'held') return { ...got, refs: [...new Set([...got.refs, ...forged.map((f) => f.ref)])].sort() }
    if (got.t === 'objects-answer' && request.t === 'objects') {
      return { ...got, artifacts: [...got.artifacts, ...forged.filter((f) => request.refs.includes(f.ref)).map((f) => encodeArtifact(f.artifact))] }
    }
    return got
  }
}

/** Offers heads that the lanes' own keys signed over the true logs, with a logseq that their last leaves don't have (S1). */
function twister (server: Server, world: World): Server {
  const twins = world.heads.flatMap(({ snapshot, lane: { key } }) => {
    const artifact = snapshotCodec.artifact({ ...snapshotCodec.from(snapshot.artifact), logseq: 12_345 })
    const ref = referenceOf(artifact.typeTag, artifact.payload)
    return [{ ref, artifact }, signed(key, 'snapshot', ref)]
  })
  return (request) => {
    const got = server(request.t === 'inventory' ? { ...request, known: '0'.repeat(64) as typeof request.known } : request)
    if (got.t === 'inventory-answer' && got.status === 'held') return { ...got, refs: [...new Set([...got.refs, ...twins.map((f) => f.ref)])].sort() }
    if (got.t === 'objects-answer' && request.t === 'objects') {
      return { ...got, artifacts: [...got.artifacts, ...twins.filter((f) => request.refs.includes(f.ref)).map((f) => encodeArtifact(f.artifact))] }
    }
    // She shows the leaves of the true head for those of the false one.
    if (request.t === 'leaves' && got.t === 'leaves-answer' && got.leaves.length === 0) {
      const at = twins.findIndex((t) => t.ref === request.head)
      const head = at < 0 ? undefined : world.heads[at / 2]
      if (head !== undefined) return server({ ...request, head: head.ref })
    }
    return got
  }
}

/** Pulls from all servers in an order that the dice choose, again and again until nothing changes. */
function settle (servers: readonly Server[], dice: Dice, world: World): DomainKnowledge {
  const k = new DomainKnowledge(world.domain.domain)
  let quiet = 0
  for (let n = 0; quiet < 2 * servers.length; n++) {
    if (n > 200) throw new Error('pulling never comes to rest')
    const before = verdicts(k)
    // Every server in turn, starting anywhere: fair, and another order each time.
    const left = [...servers]
    while (left.length > 0) pullFrom(k, left.splice(dice.next(left.length), 1)[0] as Server)
    quiet = verdicts(k) === before ? quiet + servers.length : 0
  }
  return k
}

/**
 * Worlds in which nodes once came to differ: one took the leaves from a server that showed less of their bodies than another; one had pulled what a lane
 * vouched for before it was known to fork.
 */
const FOUND: Array<[number[], number]> = [
  [[73, 720, 0, 73, 0, 632, 326, 79, 414, 750, 3, 0, 416, 0, 0, 910, 0, 385, 572, 25, 143, 41, 0, 0], 0],
  [[0, 0, 6, 5, 0, 5, 241, 504, 168, 0, 418, 0, 209, 0, 925, 0, 0, 3, 112, 0, 7, 299, 0, 0], 0]
]

describe('any held set, in any order, from any mix of peers', () => {
  test('replicas that heard the same servers agree to the byte', () => {
    fc.assert(fc.property(numbers, fc.nat(1000), (draw, extra) => {
      const world = new World(`w${draw[0] ?? 0}`, new Dice(draw))
      const servers: Server[] = []
      const dice = new Dice([extra, ...draw])
      servers.push(honest(world.server(dice, true)), honest(world.server(dice, true)), honest(world.server(dice, false)))
      // Each branch is held by somebody, or nobody could learn of it.
      for (const lane of world.lanes) {
        lane.branches.forEach((_, b) => {
          const k = world.server(dice, true)
          const fresh = new DomainKnowledge(world.domain.domain)
          for (const { artifact } of world.domain.items) fresh.admit(artifact)
          for (const other of world.lanes) {
            const head = world.heads.filter((h) => h.lane === other && h.branch === (other === lane ? b : 0)).at(-1)
            if (head !== undefined) world.give(fresh, head)
          }
          servers.push(honest(k), honest(fresh))
        })
      }
      const hostile = [twister(servers[0] as Server, world), ...servers, liar(servers[0] as Server, dice), forger(servers[1] as Server, world)]
      const a = settle(hostile, new Dice(draw), world)
      const b = settle([...servers].reverse(), new Dice([extra, 3, 1, 4, 1, 5]), world)
      const c = settle([...hostile, ...servers], new Dice([9, 2, 6, ...draw]), world)
      expect(verdicts(b, true)).toBe(verdicts(a, true))
      expect(verdicts(c, true)).toBe(verdicts(a, true))
    }), { numRuns: RUNS, examples: FOUND })
  }, RUNS * 2000 + 20_000)

  test('the worlds reach what they are for', () => {
    const seen = { forks: 0, closed: 0, contested: 0, vouched: 0, tombstones: 0 }
    for (let seed = 0; seed < 40; seed++) {
      const draw = Array.from({ length: 24 }, (_, i) => (seed * 7919 + i * i * 104_729) % 1000)
      const world = new World(`reach ${seed}`, new Dice(draw))
      const holders = [0, 1, 2].map((n) => world.server(new Dice([n, ...draw]), true))
      const lanes = [...settle(holders.map(honest), new Dice(draw), world).view().lanes.values()]
      if (lanes.some((v) => v.knowledge.evidence !== undefined)) seen.forks++
      // Of no effect, so nobody is given them: who holds one had it before it was closed.
      if (holders.some((k) => [...k.view().lanes.values()].some((v) => v.code === 'closed'))) seen.closed++
      if (lanes.some((v) => v.contested)) seen.contested++
      if (lanes.some((v) => v.exported > 0 && v.rights?.principal.roles.includes('federate') === false)) seen.vouched++
      if (lanes.some((v) => v.judged.some((j) => j.body?.kind === 'tombstone'))) seen.tombstones++
    }
    for (const n of Object.values(seen)) expect(n).toBeGreaterThan(0)
  })

  test('a forged head is refused by name and changes nothing', () => {
    const world = new World('forged', new Dice([1, 2, 3]))
    const server = honest(world.server(new Dice([5]), true))
    const k = new DomainKnowledge(world.domain.domain)
    pullFrom(k, server)
    const before = verdicts(k)
    expect(pullFrom(k, forger(server, world)).refused).toContain('bad-signature')
    expect(verdicts(k)).toBe(before)
  })

  test('a bad signature says nothing about its target: the true one still counts', () => {
    const world = new World('both', new Dice([1, 2, 3]))
    const [head] = world.heads
    const k = new DomainKnowledge(world.domain.domain)
    if (head === undefined) throw new Error('no head')
    const good = signatureCodec.from(head.signature.artifact)
    const bad = signatureCodec.artifact({ ...good, signature: good.signature.replace(/^../, good.signature.startsWith('00') ? '11' : '00') })
    expect(k.admit(bad)).toMatchObject({ result: 'rejected', code: 'bad-signature' })
    world.give(k, head)
    expect(k.lanes.get(head.lane.ref)?.heads.has(head.ref)).toBe(true)
  })
})
