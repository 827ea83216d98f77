/** Attacks on what is served and exported: private bytes, exports that were given up, erased content, and what a receiver is taken to hold (V1, V3, R7, B3). */
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { appendRecord } from '../../src/federation/append.js'
import { exportBundle, type ExportOptions, headsOf, importBundle, inspectBundle } from '../../src/federation/bundle.js'
import type { Engine } from '../../src/federation/engine.js'
import { wholeOp } from '../../src/federation/ledger.js'
import { publishContent } from '../../src/federation/publish.js'
import type { DomainKnowledge } from '../../src/authority/knowledge.js'
import { installNativeCrypto } from '../../src/node/native-crypto.js'
import { treeCodec } from '../../src/publication/tree.js'
import { concatBytes, utf8 } from '../../src/substrate/bytes.js'
import { carHeader } from '../../src/substrate/car.js'
import { NONE, type Reference } from '../../src/substrate/reference.js'
import { makeDomain, testKey, testSigner } from '../helpers/authority-fixtures.js'
import { engineOn, save, tended } from '../helpers/engines.js'
import { TestLane } from '../helpers/lanes.js'

beforeAll(() => { installNativeCrypto() })

const owner = testKey('owner')
const insider = testKey('insider')
const domain = makeDomain({ seed: 'serving', principals: [{ key: owner, roles: ['federate', 'publish', 'produce'] }, { key: insider, roles: ['produce'] }] })

const served = async (engine: Engine, ref: Reference): Promise<boolean> => (await engine.blocksFor(domain.domain, [ref]))[0] !== undefined

async function * chunks (bytes: Uint8Array): AsyncGenerator<Uint8Array> { yield bytes }

async function bundleOf (engine: Engine, options: ExportOptions = {}): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  for await (const p of exportBundle(engine, domain.domain, options)) parts.push(p)
  return concatBytes(...parts)
}

const treeOf = (ref: Reference, size: number): ReturnType<typeof treeCodec.artifact> => treeCodec.artifact({ level: 0, entries: [{ kind: 'file', name: 'f', mode: 0o644, size, ref }] })

test('V3: whether a private Tree is here makes no difference to what is erased', async () => {
  const answers: boolean[] = []
  for (const holds of [false, true]) {
    const engine = await engineOn('victim', domain)
    const k = await engine.wake(domain.domain)
    const x = await engine.ports.blocks.put(undefined, utf8('draft'))
    const mark = engine.ports.audience.mark(domain.domain, x, 0)
    await engine.commit([...mark === undefined ? [] : [mark], wholeOp(domain.domain, x)])
    expect(await served(engine, x)).toBe(true)
    const tree = treeOf(x, 5)
    // The same reference, on a disk that holds it or doesn't; never in anybody's audience.
    const elsewhere = await (await engineOn('elsewhere')).ports.blocks.put(tree.typeTag, tree.payload)
    if (holds) await engine.ports.blocks.put(tree.typeTag, tree.payload)
    const lane = new TestLane(domain, owner, 'probe')
    lane.append({ kind: 'publish', salt: lane.salt(), name: 'probe', ref: elsewhere, mode: 0o755 })
    lane.append({ kind: 'publish', salt: lane.salt(), name: 'x', ref: x, mode: 0o644 })
    lane.append({ kind: 'erase', salt: lane.salt(), lane: lane.ref, index: 1, leaf_hash: lane.log.leafHash(1) })
    lane.give(k, lane.head())
    await save(engine, k)
    engine.upkeep.start(k)
    await tended(engine)
    expect(k.view().erased.size).toBe(1)
    answers.push(await served(engine, x))
  }
  expect(answers).toEqual([false, false])
})

test('V1: what an export that was given up had marked is nobody\'s, whoever names it', async () => {
  const home = await engineOn('home', domain)
  const k = await home.wake(domain.domain)
  const text = utf8('confidential')
  let secret: Reference = NONE
  await expect(publishContent(home, k, testSigner(owner), 'oops', async (onBlock) => {
    secret = await home.ports.blocks.put(undefined, text)
    onBlock(secret)
    throw new Error('given up')
  })).rejects.toThrow('given up')
  await publishContent(home, k, testSigner(owner), 'other', async (onBlock) => {
    const ref = await home.ports.blocks.put(undefined, utf8('other'))
    onBlock(ref)
    return { ref, mode: 0o644 }
  })
  expect(home.ports.audience.noted(domain.domain, secret)).toBe(false)
  const far = await engineOn('far', domain)
  const proposed = await publishContent(far, await far.wake(domain.domain), testSigner(insider), 'mine', async (onBlock) => {
    const tree = treeOf(secret, text.length)
    const ref = await far.ports.blocks.put(tree.typeTag, tree.payload)
    onBlock(ref)
    return { ref, mode: 0o755 }
  })
  expect(await importBundle(home, chunks(await bundleOf(far, { proposals: true })))).toMatchObject({ status: 'accepted', missing: 1 })
  await appendRecord(home, k, testSigner(owner), { kind: 'vouch', lane: proposed.head.lane, snapshot: proposed.head.snapshot })
  await tended(home)
  expect(await served(home, secret)).toBe(false)
})

test('R7: what is erased isn\'t served while somebody takes his time to bring something in', async () => {
  const engine = await engineOn('gate', domain)
  const k = await engine.wake(domain.domain)
  const publish = async (name: string, text: string): Promise<{ ref: Reference, lane: Reference }> => {
    const { content, head } = await publishContent(engine, k, testSigner(owner), name, async (onBlock) => {
      const ref = await engine.ports.blocks.put(undefined, utf8(text))
      onBlock(ref)
      return { ref, mode: 0o644 }
    })
    return { ref: content.ref, lane: head.lane }
  }
  const gone = await publish('gone', 'gone')
  const stays = await publish('stays', 'stays')
  await tended(engine)
  let end: () => void = () => undefined
  let begun: () => void = () => undefined
  const reading = new Promise<void>((resolve) => { begun = resolve })
  const slow = importBundle(engine, (async function * () {
    yield carHeader(domain.domain)
    begun()
    await new Promise<void>((resolve) => { end = resolve })
  })())
  await reading
  const leafHash = k.lanes.get(gone.lane)?.branches[0]?.log.leafHash(0) ?? ''
  await appendRecord(engine, k, testSigner(owner), { kind: 'erase', lane: gone.lane, index: 0, leaf_hash: leafHash as never })
  await vi.waitFor(async () => { expect(await served(engine, gone.ref)).toBe(false) })
  expect(await served(engine, stays.ref)).toBe(true)
  end()
  await slow
  await tended(engine)
  expect([await served(engine, gone.ref), await served(engine, stays.ref)]).toEqual([false, true])
})

describe('a bundle since', () => {
  interface World { src: Engine, k: DomainKnowledge, lane: TestLane, x: Reference, y: Reference }

  async function world (): Promise<World> {
    const src = await engineOn('src', domain)
    const k = await src.wake(domain.domain)
    const x = await src.ports.blocks.put(undefined, utf8('x'))
    const y = await src.ports.blocks.put(undefined, utf8('y'))
    await src.commit([x, y].flatMap((r) => src.ports.audience.mark(domain.domain, r, 0) ?? []))
    return { src, k, lane: new TestLane(domain, owner, 'since'), x, y }
  }

  const put = (lane: TestLane, name: string, ref: Reference): void => { lane.append({ kind: 'publish', salt: lane.salt(), name, ref, mode: 0o644 }) }
  const steps: Array<[string, (w: World) => void, (w: World) => void]> = [
    ['a tombstone had won', ({ lane, x }) => {
      put(lane, 'a', x)
      lane.append({ kind: 'tombstone', salt: lane.salt(), name: 'a' })
    }, ({ lane, x }) => { put(lane, 'b', x) }],
    ['the winner was erased since', ({ lane, x, y }) => {
      put(lane, 'a', x)
      put(lane, 'a', y)
    }, ({ lane }) => { lane.append({ kind: 'erase', salt: lane.salt(), lane: lane.ref, index: 1, leaf_hash: lane.log.leafHash(1) }) }],
    ['the winner was erased since, and its loser is named anew', ({ lane, x, y }) => {
      put(lane, 'a', x)
      put(lane, 'a', y)
    }, ({ lane, x }) => {
      lane.append({ kind: 'erase', salt: lane.salt(), lane: lane.ref, index: 1, leaf_hash: lane.log.leafHash(1) })
      put(lane, 'b', x)
    }]
  ]

  test.each(steps)('brings what the receiver never had: %s', async (_what, before, then) => {
    const w = await world()
    const { src, k, lane, x, y } = w
    before(w)
    put(lane, 'y', y)
    lane.give(k, lane.head())
    await save(src, k)
    const receiver = await engineOn('receiver')
    expect(await importBundle(receiver, chunks(await bundleOf(src)), { follow: true })).toMatchObject({ missing: 0 })
    expect([receiver.ports.blocks.has(x), receiver.ports.blocks.has(y)]).toEqual([false, true])
    const since = headsOf(receiver, await receiver.knowledge(domain.domain))
    expect(since.whole).toBe(true)
    then(w)
    lane.give(k, lane.head())
    await save(src, k)
    const rest = await bundleOf(src, { since })
    expect(await importBundle(receiver, chunks(rest), { follow: true })).toMatchObject({ status: 'accepted', missing: 0, blocks: 1 })
    expect(receiver.ports.blocks.has(x)).toBe(true)
  })

  test('is read to its end on top of what it begins behind, and not without', async () => {
    const { src, k, lane, x, y } = await world()
    put(lane, 'x', x)
    lane.give(k, lane.head())
    await save(src, k)
    const since = headsOf(src, k)
    // A lane of which there is nothing new isn't in the file.
    const other = new TestLane(domain, owner, 'other')
    put(other, 'y', y)
    other.give(k, other.head())
    await save(src, k)
    const rest = await bundleOf(src, { since: { ...since, whole: true } })
    const cut = rest.subarray(0, rest.length - 5)
    expect(await inspectBundle(chunks(rest))).toMatchObject({ code: 'range-gap' })
    expect(await inspectBundle(chunks(rest), { base: k })).toMatchObject({ status: 'accepted', blocks: 1 })
    expect(await inspectBundle(chunks(cut), { base: k })).toMatchObject({ code: 'cut-off' })
  })
})
