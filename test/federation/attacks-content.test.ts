/** Attacks by what is named as content: objects that are none, blocks that nobody has, and what either makes others hold or work (B3, V4, THREATS 4, 14, 23, 31). */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { beforeAll, describe, expect, test } from 'vitest'
import { FETCHED } from '../../src/federation/audience.js'
import { exportBundle, type ImportOptions, importBundle } from '../../src/federation/bundle.js'
import { BundleContent } from '../../src/federation/bundle-content.js'
import { type ContentResult, fetchContent } from '../../src/federation/content.js'
import type { Engine } from '../../src/federation/engine.js'
import { isWhole, recordOp, wholeOp } from '../../src/federation/ledger.js'
import { Mirror } from '../../src/federation/mirror.js'
import { publishContent } from '../../src/federation/publish.js'
import { installNativeCrypto } from '../../src/node/native-crypto.js'
import { fileCodec } from '../../src/publication/file.js'
import { laneCodec } from '../../src/publication/lane.js'
import { treeCodec } from '../../src/publication/tree.js'
import { type Artifact, encodeArtifact, referenceOfArtifact } from '../../src/substrate/artifact.js'
import { concatBytes, utf8 } from '../../src/substrate/bytes.js'
import { carBlock } from '../../src/substrate/car.js'
import type { Reference } from '../../src/substrate/reference.js'
import { TAG } from '../../src/substrate/type-tags.js'
import { digestFrom, makeDomain, refFrom, type TestDomain, testKey, testSigner } from '../helpers/authority-fixtures.js'
import { engineOn, tended } from '../helpers/engines.js'
import { TestLane } from '../helpers/lanes.js'
import { MemoryStore } from '../helpers/memory-store.js'
import { joined } from '../helpers/rounds.js'

beforeAll(() => {
  installNativeCrypto()
  setFlagsFromString('--expose-gc')
})

const owner = testKey('owner')
const guest = testKey('guest')

async function put (engine: Engine, { typeTag, payload }: Artifact): Promise<Reference> {
  return await engine.ports.blocks.put(typeTag, payload)
}

async function publish (engine: Engine, domain: TestDomain, key: typeof owner, name: string, blocks: readonly Artifact[]): Promise<Reference> {
  const { content } = await publishContent(engine, await engine.knowledge(domain.domain), testSigner(key), name, async (onBlock) => {
    let ref = '' as Reference
    for (const block of blocks) onBlock(ref = await put(engine, block))
    return { ref, mode: 0o644 }
  })
  return content.ref
}

/** What `from` has is fetched for `engine`, with what was refused. */
async function fetched (engine: Engine, { domain }: TestDomain, from: Engine): Promise<ContentResult & { refused: string[] }> {
  const { audience, blocks } = engine.ports
  const refused: string[] = []
  const roots = [...(await engine.knowledge(domain)).view().current.values()].map(({ ref }) => ({ ref, expected: undefined }))
  const result = await fetchContent({
    domain, store: blocks, audience, peers: ['from'], fetch: givenBy(from), signal: { throwIfAborted: () => undefined }, onRefused: (_peer, code) => { refused.push(code) }
  }, roots)
  await engine.commit([])
  return { ...result, refused }
}

const givenBy = (engine: Engine) => async (_peer: string, refs: readonly Reference[], onBlock: (index: number, bytes: Uint8Array) => Promise<void> | undefined): Promise<{ missing: Reference[] }> => {
  for (const [i, ref] of refs.entries()) {
    const bytes = await engine.ports.blocks.getBytes(ref)
    if (bytes !== undefined) await onBlock(i, bytes)
  }
  return { missing: [] }
}

async function bundleOf (engine: Engine, { domain }: TestDomain): Promise<{ parts: Uint8Array[], missing: Reference[] }> {
  const parts: Uint8Array[] = []
  const missing: Reference[] = []
  for await (const p of exportBundle(engine, domain, { onMissing: (ref) => { missing.push(ref) } })) parts.push(p)
  return { parts, missing }
}

async function * chunks (bytes: Uint8Array): AsyncGenerator<Uint8Array> { yield bytes }
const taken = async (parts: readonly Uint8Array[], seed: string, options: ImportOptions = {}): Promise<{ to: Engine, got: Awaited<ReturnType<typeof importBundle>> }> => {
  const to = await engineOn(seed)
  return { to, got: await importBundle(to, chunks(concatBytes(...parts)), { follow: true, ...options }) }
}

describe('a scoped publisher names as content', () => {
  const domain = makeDomain({ seed: 'no content', principals: [{ key: owner }, { key: guest, prefixes: ['guests'], roles: ['publish', 'federate'] }] })
  const lane = laneCodec.artifact(new TestLane(domain, guest, 'any').lane)
  const genesis = domain.items.find((i) => i.ref === domain.domain)?.artifact as Artifact
  const unknown: Artifact = { typeTag: 0x0d1a00f0, payload: utf8('of a later version') }
  const treeOf = (other: Artifact): Artifact => treeCodec.artifact({ level: 0, entries: [{ kind: 'dir', name: 'd', mode: 0o755, ref: referenceOfArtifact(other) }] })
  const cases: ReadonlyArray<[string, Artifact, 'itself' | 'in a Tree']> = [
    ['a Lane', lane, 'itself'], ['the genesis', genesis, 'itself'], ['an object of an unknown type', unknown, 'itself'], ['a Lane', lane, 'in a Tree'], ['the genesis', genesis, 'in a Tree']
  ]

  async function named (other: Artifact, how: string): Promise<{ home: Engine, mallory: Engine, odd: Reference, root: Reference }> {
    const [home, mallory] = [await engineOn('home', domain), await engineOn('mallory', domain)]
    await publish(home, domain, owner, 'report', [{ typeTag: undefined, payload: utf8('a year of work') }])
    const root = await publish(mallory, domain, guest, 'guests/x', how === 'itself' ? [other] : [other, treeOf(other)])
    joined(await home.knowledge(domain.domain), await mallory.knowledge(domain.domain))
    return { home, mallory, odd: referenceOfArtifact(other), root }
  }

  test.each(cases)('%s (%#): its content can\'t be had, nobody is blamed for it, and bundles stay what they were', async (_what, other, how) => {
    const { home, mallory, odd, root } = await named(other, how)
    const before = home.ports.audience.heldBytes(domain.domain)
    const result = await fetched(home, domain, mallory)
    expect(result).toMatchObject({ refused: ['content-malformed'], missing: [odd] })
    expect([result.whole.includes(root), isWhole(home.ports.kv, domain.domain, root), home.ports.audience.noted(domain.domain, odd)]).toEqual([false, false, false])
    if (how === 'itself') expect(home.ports.audience.heldBytes(domain.domain)).toBe(before)
    await tended(home)
    const { parts, missing } = await bundleOf(home, domain)
    expect(missing).toEqual([odd])
    const { to, got } = await taken(parts, 'to')
    expect(got).toMatchObject({ status: 'accepted', refused: [], missing: 1 })
    // The record stays in force (R2).
    expect([...(await to.knowledge(domain.domain)).view().current.keys()].sort()).toEqual(['guests/x', 'report'])
  })

  test.each(cases)('%s (%#): a store that holds it all the same, as older versions did, gives none of it away in a bundle', async (_what, other, how) => {
    const { home, mallory, odd, root } = await named(other, how)
    await fetched(home, domain, mallory)
    await put(home, other)
    const { audience, kv } = home.ports
    await home.commit([audience.mark(domain.domain, odd, FETCHED) ?? [], audience.mark(domain.domain, root, FETCHED) ?? [], wholeOp(domain.domain, root)].flat())
    expect([audience.heldFor(domain.domain, odd), isWhole(kv, domain.domain, root)]).toEqual([true, true])
    const { parts, missing } = await bundleOf(home, domain)
    expect(missing).toEqual([odd])
    expect((await taken(parts, 'to')).got).toMatchObject({ status: 'accepted', refused: [], missing: 1 })
    // What is held is no reason to call it whole.
    const again = await fetched(home, domain, mallory)
    expect([again.whole.includes(root), again.missing]).toEqual([false, [odd]])
  })

  test('an object of an unknown type: a file that brings it is read, and it isn\'t kept', async () => {
    const { home, odd } = await named(unknown, 'itself')
    const { parts } = await bundleOf(home, domain)
    parts.splice(-1, 0, carBlock(odd, encodeArtifact(unknown)))
    const { to, got } = await taken(parts, 'to')
    expect(got).toMatchObject({ status: 'accepted', missing: 1, unreachable: 1 })
    expect([to.ports.blocks.has(odd), to.ports.audience.heldFor(domain.domain, odd)]).toEqual([false, false])
  })

  test('a Lane: a mirror brings it once', async () => {
    const { home, mallory, odd } = await named(lane, 'itself')
    home.records.set(domain.domain, { mode: 'mirror', own: false, dormant: false, peers: [] })
    await home.commit([recordOp(domain.domain, { mode: 'mirror', own: false, dormant: false, peers: [] })])
    const asked: Reference[] = []
    const mirror = new Mirror({
      engine: home,
      fetchBlocks: () => async (peer, refs, onBlock) => {
        asked.push(...refs)
        return await givenBy(mallory)(peer, refs, onBlock)
      },
      stop: { aborted: false, throwIfAborted: () => undefined },
      onContent: () => undefined,
      onFailure: (_domain, err) => { throw err as Error }
    })
    home.replica.providers = () => ['p']
    for (let i = 0; i < 3; i++) {
      await mirror.retry()
      await mirror.idle()
    }
    expect(asked).toEqual([odd])
  })
})

/** Of blocks that nobody has. */
function names (seed: number, count: number): Reference[] {
  const [front, back] = [digestFrom(`${seed} front`).slice(0, 28), digestFrom(`${seed} back`).slice(0, 28)]
  return Array.from({ length: count }, (_, i) => `0001${front}${(i * 0x9e3779b1 >>> 0).toString(16).padStart(8, '0')}${back}` as Reference)
}

/** Full Files of which nobody has a chunk. */
async function emptyFiles (count: number): Promise<{ made: MemoryStore, files: Reference[], root: Reference, total: number }> {
  const made = new MemoryStore()
  const parts: Array<{ size: number, ref: Reference }> = []
  for (let f = 0; f < count; f++) {
    const inner = names(f, 8192).map((ref) => ({ size: 1, ref }))
    parts.push({ size: 8192, ref: await made.put(TAG.file, fileCodec.encode({ level: 0, size: 8192, parts: inner })) })
  }
  const root = await made.put(TAG.file, fileCodec.encode({ level: 1, size: 8192 * count, parts }))
  return { made, files: parts.map((p) => p.ref), root, total: 8192 * count }
}

const inUse = (): number => {
  (runInNewContext('gc') as () => void)()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

describe('content of which nobody has the most', () => {
  const bytesOf = (made: MemoryStore, ref: Reference): Uint8Array | undefined => {
    const artifact = made.blocks.get(ref)
    return artifact === undefined ? undefined : encodeArtifact(artifact)
  }

  async function run (made: MemoryStore, root: Reference, peers: string[], onFetch: (peer: string, refs: readonly Reference[], given: () => number) => Promise<boolean>): Promise<{ looks: number, missing: number }> {
    const engine = await engineOn('run')
    const { audience, blocks } = engine.ports
    let looks = 0
    let given = 0
    const { missing } = await fetchContent({
      domain: refFrom('d'), store: blocks, audience, peers, signal: { throwIfAborted: () => { looks++ } },
      fetch: async (peer, refs, onBlock) => {
        if (await onFetch(peer, refs, () => given)) {
          for (const [i, ref] of refs.entries()) {
            const bytes = bytesOf(made, ref)
            if (bytes === undefined) continue
            await onBlock(i, bytes)
            given++
          }
        }
        return { missing: [] }
      }
    }, [{ ref: root, expected: undefined }])
    return { looks, missing: missing.length }
  }

  test('costs no more while another peer takes its time', async () => {
    const { made, root, total } = await emptyFiles(2)
    let end: () => void = () => undefined
    const held = new Promise<void>((resolve) => { end = resolve })
    const asked = new Map<string, number>()
    const { looks, missing } = await run(made, root, ['quick', 'slow'], async (peer, refs) => {
      asked.set(peer, (asked.get(peer) ?? 0) + refs.length)
      if (peer === 'slow') await held
      // What the slow one was asked for first waits for it.
      else if ((asked.get(peer) ?? 0) + 1024 > total) end()
      return peer === 'quick'
    })
    expect(missing).toBe(total)
    expect(looks).toBeLessThan(4 * total)
  })

  test('what lands together isn\'t opened together', async () => {
    const made = new MemoryStore()
    const below: Array<{ first: string, ref: Reference }> = []
    for (let t = 0; t < 120; t++) {
      const entries = names(t, 2048).map((ref, i) => ({ kind: 'dir' as const, name: `${t + 1000} ${i + 1000}`, mode: 0o755, ref }))
      below.push({ first: entries[0]?.name ?? '', ref: await made.put(TAG.tree, treeCodec.encode({ level: 0, entries })) })
    }
    const root = await made.put(TAG.tree, treeCodec.encode({ level: 1, entries: below }))
    const before = inUse()
    const seen: number[] = []
    await run(made, root, ['p'], async (_peer, refs, given) => {
      if (made.blocks.has(refs[0] as Reference)) return true
      // When all that was asked for together is here.
      for (let turns = 0; given() < 100 && turns < 10_000; turns++) await new Promise((resolve) => { setImmediate(resolve) })
      seen.push((inUse() - before) / 2 ** 20)
      if (seen.length > 5) throw new Error('seen enough')
      return false
    })
    // All at once they would be 240,000.
    expect(Math.max(...seen)).toBeGreaterThan(2)
    // The least: whatever waits for the collector comes on top of it.
    expect(Math.min(...seen)).toBeLessThan(42)
  })

  test('waits in little room while a bundle is written', async () => {
    const { made, files, root } = await emptyFiles(60)
    const domain = makeDomain({ seed: 'much', principals: [{ key: owner }] })
    const engine = await engineOn('writer', domain)
    await publish(engine, domain, owner, 'much', [...files, root].map((ref) => made.blocks.get(ref) as Artifact))
    const before = inUse()
    let most = 0
    let pieces = 0
    for await (const piece of exportBundle(engine, domain.domain)) if (piece.length > 100_000 && ++pieces % 20 === 0) most = Math.max(most, inUse() - before)
    expect(pieces).toBe(60)
    expect(most / 2 ** 20).toBeLessThan(60)
  })

  test('takes few bytes a name while a bundle is read', async () => {
    const { made, files, root, total } = await emptyFiles(20)
    const engine = await engineOn('reader')
    const content = new BundleContent(engine.ports, refFrom('d'), undefined)
    await content.want([root], true)
    const blocks = [root, ...files].map((ref) => ({ offset: 0, ref, bytes: bytesOf(made, ref) as Uint8Array }))
    const size = blocks.reduce((n, b) => n + b.bytes.length, 0)
    const before = inUse()
    for (const block of blocks) await content.take(block)
    await engine.commit([])
    // With the blocks themselves, which the store may still have in hand.
    expect((inUse() - before - 2 * size) / total).toBeLessThan(150)
    expect([content.counts.blocks, content.missing]).toEqual([21, total])
  })
})
