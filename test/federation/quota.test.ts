/** A byte quota on a followed domain's content, against random trees, peers and crashes, on the real store over a disk in memory. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { AudienceIndex, FETCHED, HELD_BACK } from '../../src/federation/audience.js'
import { type ContentInit, type ContentResult, fetchContent } from '../../src/federation/content.js'
import { type DomainRecord, isWhole, loadRecords, recordOp } from '../../src/federation/ledger.js'
import { fetchWithin, isLeftOut, overQuota } from '../../src/federation/quota.js'
import { fileCodec } from '../../src/publication/file.js'
import { type Entry, treeCodec } from '../../src/publication/tree.js'
import { childrenOf } from '../../src/publication/walk.js'
import { encodeArtifact } from '../../src/substrate/artifact.js'
import { readU32, toHex, utf8 } from '../../src/substrate/bytes.js'
import { PackStore } from '../../src/substrate/pack-store.js'
import { KEYSPACE } from '../../src/substrate/ports.js'
import { digestOf, type Reference } from '../../src/substrate/reference.js'
import { TAG } from '../../src/substrate/type-tags.js'
import { refFrom } from '../helpers/authority-fixtures.js'
import { MemoryStore } from '../helpers/memory-store.js'
import { Dice } from '../helpers/worlds.js'
import { SimDisk } from '../../sim/world/disk.js'

const DOMAIN = refFrom('a neighbour')
const OTHER = refFrom('another domain')
const file = (name: string, ref: Reference, size: number): Entry => ({ kind: 'file', name, mode: 0o644, size, ref })

class Content extends MemoryStore {
  text = async (text: string): Promise<Reference> => await this.put(undefined, utf8(text))

  tree = async (...entries: Entry[]): Promise<Reference> => await this.put(TAG.tree, treeCodec.encode({ level: 0, entries: entries.sort((a, b) => a.name < b.name ? -1 : 1) }))

  async parts (...texts: string[]): Promise<{ ref: Reference, size: number }> {
    const parts = []
    for (const t of texts) parts.push({ size: t.length, ref: await this.text(t) })
    const size = parts.reduce((sum, p) => sum + p.size, 0)
    return { ref: await this.put(TAG.file, fileCodec.encode({ level: 0, size, parts })), size }
  }

  length (ref: Reference): number {
    return this.bytes(ref).length
  }

  bytes (ref: Reference): Uint8Array {
    const artifact = this.blocks.get(ref)
    if (artifact === undefined) throw new Error(`${ref} was never made`)
    return encodeArtifact(artifact)
  }

  below (root: Reference): Set<Reference> {
    const found = new Set<Reference>()
    const stack = [root]
    for (let ref = stack.pop(); ref !== undefined; ref = stack.pop()) {
      if (found.has(ref)) continue
      found.add(ref)
      const artifact = this.blocks.get(ref)
      if (artifact !== undefined) stack.push(...childrenOf(artifact).map((c) => c.ref))
    }
    return found
  }
}

class Node {
  readonly audience: AudienceIndex
  readonly records = new Map<Reference, DomainRecord>()
  asked = 0

  private constructor (readonly disk: SimDisk, readonly store: PackStore, quota: number) {
    this.audience = new AudienceIndex(disk.kv)
    this.limit(quota)
  }

  static async open (quota: number, disk = new SimDisk()): Promise<Node> {
    return new Node(disk, await PackStore.open(disk.kv, disk.packs), quota)
  }

  get ports (): { kv: SimDisk['kv'], audience: AudienceIndex } {
    return { kv: this.disk.kv, audience: this.audience }
  }

  limit (quota: number): void {
    this.records.set(DOMAIN, { mode: 'mirror', own: false, dormant: false, peers: [], quota })
  }

  get quota (): number {
    return this.records.get(DOMAIN)?.quota ?? Infinity
  }

  init (content: Content, stop = Infinity, lacking: ReadonlySet<Reference> = new Set()): ContentInit & { quota: () => number, kv: SimDisk['kv'] } {
    return {
      domain: DOMAIN,
      store: this.store,
      audience: this.audience,
      kv: this.disk.kv,
      peers: ['a', 'b'],
      quota: () => this.quota,
      signal: { throwIfAborted: () => { if (this.asked > stop) throw new Error('stop') } },
      fetch: async (_peer, refs, onBlock) => {
        const missing: Reference[] = []
        for (const [i, ref] of refs.entries()) {
          if (lacking.has(ref)) missing.push(ref)
          else await onBlock(i, content.bytes(ref))
          this.asked++
          expect(this.audience.usedBytes(DOMAIN)).toBeLessThanOrEqual(this.quota)
        }
        return { missing }
      }
    }
  }

  async fetch (content: Content, roots: readonly Reference[], stop?: number, lacking?: ReadonlySet<Reference>): Promise<ContentResult> {
    const rest = roots.filter((r) => !isWhole(this.disk.kv, DOMAIN, r) && !isLeftOut(this, DOMAIN, r))
    return await fetchWithin(this.init(content, stop, lacking), rest)
  }

  /** Bytes of what is marked as held for the domain: what it should have been charged. */
  async marked (content: Content): Promise<number> {
    let sum = 0
    const refs = new Map([...content.blocks.keys()].map((r) => [digestOf(r), r]))
    for await (const [key, value] of this.disk.kv.entries(Uint8Array.of(KEYSPACE.audience), Uint8Array.of(KEYSPACE.audience + 1))) {
      const hex = toHex(key)
      if (!hex.startsWith(digestOf(DOMAIN), 2)) continue
      expect([FETCHED, HELD_BACK]).toContain(readU32(value, 0))
      const ref = refs.get(hex.slice(66) as ReturnType<typeof digestOf>) as Reference
      expect(this.store.has(ref)).toBe(true)
      sum += content.length(ref)
    }
    return sum
  }
}

/** Roots that share directories and files. `odd`: a publisher who makes Files of little content, so that what Trees declare isn't what it takes. */
async function randomContent (dice: Dice, odd: boolean): Promise<{ content: Content, roots: Reference[] }> {
  const content = new Content()
  const made: Reference[] = [await content.tree()]
  const big = ['x', 'y', 'z'].map((c) => c.repeat(150_000))
  const entry = async (name: string): Promise<Entry> => {
    const kind = dice.next(12)
    if (kind < 4) return { kind: 'dir', name, mode: 0o755, ref: dice.pick(made) }
    const made2 = kind === 4 ? await content.parts(dice.pick(big), dice.pick(big)) : odd && kind < 8 ? await content.parts('a', 'bb', `${dice.next(4)}`) : undefined
    if (made2 !== undefined) return file(name, made2.ref, made2.size)
    const text = `content ${dice.next(30)} `.padEnd(dice.next(400), '.')
    return file(name, await content.text(text), text.length)
  }
  for (let t = 3 + dice.next(10); t > 0; t--) {
    const entries: Entry[] = []
    for (let n = dice.next(7); n > 0; n--) entries.push(await entry(`${n}`))
    made.push(await content.tree(...entries))
  }
  const roots = [...new Set([...made.slice(1), await content.text('alone'), (await content.parts(big[0] as string, big[1] as string)).ref].sort(() => dice.next(3) - 1))]
  return { content, roots: roots.slice(0, 1 + dice.next(8)) }
}

const numbers = fc.array(fc.nat(), { minLength: 30, maxLength: 80 })
const total = (content: Content, roots: readonly Reference[]): number => [...new Set(roots.flatMap((r) => [...content.below(r)]))].reduce((sum, r) => sum + content.length(r), 0)

it('takes the roots in their order, each whole or not at all, as far as the quota goes; a rerun asks for nothing', async () => {
  await fc.assert(fc.asyncProperty(numbers, fc.integer({ min: 0, max: 1100 }), async (seed, share) => {
    const dice = new Dice(seed)
    const { content, roots } = await randomContent(dice, false)
    const quota = Math.floor(total(content, roots) * share / 1000)
    const node = await Node.open(quota)
    // V2: what lies on the disk for somebody else is charged all the same.
    for (const ref of content.blocks.keys()) if (dice.next(3) === 0) node.store.putArtifactBytes(ref, content.bytes(ref))
    const held = new Set<Reference>()
    const taken: Reference[] = []
    for (const root of roots) {
      const lacking = [...content.below(root)].filter((r) => !held.has(r))
      if (total(content, [...taken, root]) > quota) continue
      for (const r of lacking) held.add(r)
      taken.push(root)
    }
    const result = await node.fetch(content, roots)
    expect([...result.whole].sort()).toEqual([...taken].sort())
    expect(result.missing).toEqual([])
    expect(node.audience.usedBytes(DOMAIN)).toBe(total(content, taken))
    expect(node.audience.heldBytes(OTHER)).toBe(0)
    for (const root of roots) {
      const needs = overQuota(node, DOMAIN, root)
      expect([needs !== undefined, isWhole(node.disk.kv, DOMAIN, root)]).toEqual(taken.includes(root) ? [false, true] : [true, false])
      // Never more than it takes: whoever gives that much more gets it.
      if (needs !== undefined) expect(needs).toBeLessThanOrEqual(total(content, [...taken, root]) - total(content, taken))
    }
    const again = await Node.open(quota, node.disk.restart())
    expect(await again.fetch(content, roots)).toEqual({ blocks: 0, bytes: 0, whole: [], missing: [] })
    expect(again.asked).toBe(0)
    // Lowered, nothing goes; lifted, the rest comes.
    again.limit(Math.floor(again.audience.usedBytes(DOMAIN) / 2))
    await fetchWithin({ ...again.init(content), fetch: async () => { throw new Error('nobody is asked') } }, roots)
    expect(again.audience.usedBytes(DOMAIN)).toBe(total(content, taken))
    again.limit(total(content, roots))
    await again.fetch(content, roots)
    for (const root of roots) expect(isWhole(again.disk.kv, DOMAIN, root)).toBe(true)
  }), { numRuns: 50 })
}, 30_000)

it('a greater quota measures anew what it still leaves out: what it needs is on top of all that is used', async () => {
  const content = new Content()
  const { ref: newest } = await content.parts('n'.repeat(200_000), 'm'.repeat(200_000))
  const { ref: older } = await content.parts('o'.repeat(50_000), 'p'.repeat(50_000))
  const node = await Node.open(50_000)
  await node.fetch(content, [newest, older])
  expect([overQuota(node, DOMAIN, newest), overQuota(node, DOMAIN, older)]).toEqual([total(content, [newest]), total(content, [older])])
  node.limit(150_000)
  expect((await node.fetch(content, [newest, older])).whole).toEqual([older])
  expect([node.audience.usedBytes(DOMAIN), overQuota(node, DOMAIN, newest)]).toEqual([total(content, [older]), total(content, [newest])])
  // And once only.
  const { asked } = node
  await node.fetch(content, [newest, older])
  expect(node.asked).toBe(asked)
})

it('nothing is measured anew under a greater quota that leaves no room at all', async () => {
  const content = new Content()
  const { ref: newest } = await content.parts('n'.repeat(200_000), 'm'.repeat(200_000))
  const { ref: older } = await content.parts('o'.repeat(50_000), 'p'.repeat(50_000))
  const node = await Node.open(50_000)
  await node.fetch(content, [newest])
  node.limit(150_000)
  await node.fetch(content, [older])
  const needs = overQuota(node, DOMAIN, newest)
  node.limit(60_000)
  await node.fetch(content, [newest])
  expect([overQuota(node, DOMAIN, newest), isLeftOut(node, DOMAIN, newest)]).toEqual([needs, true])
})

it('whatever happens, at no moment more is charged than the quota, all that is marked is charged once, and what is called whole is', async () => {
  await fc.assert(fc.asyncProperty(numbers, fc.integer({ min: 0, max: 1200 }), fc.array(fc.integer({ min: 0, max: 60 }), { maxLength: 4 }), async (seed, share, stops) => {
    const dice = new Dice(seed)
    const { content, roots } = await randomContent(dice, true)
    const quota = Math.floor(total(content, roots) * share / 1000)
    let node = await Node.open(quota)
    for (const stop of [...stops, Infinity, Infinity]) {
      const lacking = new Set([...content.blocks.keys()].filter(() => dice.next(20) === 0))
      await node.fetch(content, roots, stop, lacking).catch((err: unknown) => { expect(String(err)).toContain('stop') })
      expect(node.audience.usedBytes(DOMAIN)).toBeLessThanOrEqual(quota)
      node = await Node.open(quota, node.disk.restart())
      expect(await node.marked(content)).toBe(node.audience.heldBytes(DOMAIN))
      expect(node.audience.heldBytes(DOMAIN)).toBeLessThanOrEqual(quota)
      for (const root of roots) {
        if (!isWhole(node.disk.kv, DOMAIN, root)) continue
        for (const ref of content.below(root)) expect([node.audience.heldFor(DOMAIN, ref), node.store.has(ref)]).toEqual([true, true])
      }
    }
  }), { numRuns: 50 })
}, 30_000)

it('two runs at once charge what both bring once; so do a fetch and an import, whether the import ends or fails', async () => {
  const content = new Content()
  const root = await content.tree(file('a', await content.text('aaaa'), 4), file('b', await content.text('bb'), 2))
  const all = total(content, [root])
  const node = await Node.open(1_000_000)
  const plain = [{ ref: root, expected: undefined }]
  const both = await Promise.all([fetchContent(node.init(content), plain), fetchContent(node.init(content), plain)])
  expect(both.map((r) => r.whole)).toEqual([[root], [root]])
  expect([node.audience.heldBytes(DOMAIN), await node.marked(content)]).toEqual([all, all])

  for (const end of ['ends', 'fails']) for (const first of ['import', 'fetch']) {
    const { audience, store } = await Node.open(1_000_000)
    const { generation, op } = audience.begin(DOMAIN)
    store.enqueue(op)
    const refs = [...content.blocks.keys()]
    const bring = { import: () => { for (const r of refs) audience.take(DOMAIN, r, generation, content.length(r)) }, fetch: () => { for (const r of refs) audience.take(DOMAIN, r, FETCHED, content.length(r)) } }
    bring[first as 'import']()
    expect(audience.usedBytes(DOMAIN)).toBe(all)
    expect(refs.some((r) => audience.costs(DOMAIN, r))).toBe(false)
    bring[first === 'import' ? 'fetch' : 'import']()
    expect(audience.usedBytes(DOMAIN)).toBe(all)
    if (end === 'ends') await store.commit(audience.closingOps(DOMAIN, generation))
    else audience.giveUp(DOMAIN, generation)
    await store.commit(audience.settle(DOMAIN))
    expect([audience.usedBytes(DOMAIN), audience.heldBytes(DOMAIN)]).toEqual([all, all])
  }
})

it('what is held back stays charged, and costs nothing when it is fetched again', async () => {
  const content = new Content()
  const root = await content.text('something erased')
  const node = await Node.open(100)
  await node.fetch(content, [root])
  await node.store.commit([node.audience.holdBack(DOMAIN, root)])
  expect(node.audience.costs(DOMAIN, root)).toBe(false)
  await fetchContent(node.init(content), [{ ref: root, expected: undefined }])
  expect([node.audience.heldBytes(DOMAIN), await node.marked(content)]).toEqual([content.length(root), content.length(root)])
  // Given up for good, it costs again.
  await node.store.commit([node.audience.unmark(DOMAIN, root), node.audience.charge(DOMAIN, -content.length(root))])
  await fetchContent(node.init(content), [{ ref: root, expected: undefined }])
  expect(node.audience.heldBytes(DOMAIN)).toBe(content.length(root))
})

it('a record keeps its quota, and one without is as it always was', async () => {
  const { disk, store } = await Node.open(0)
  const without: DomainRecord = { mode: 'mirror', own: false, dormant: false, peers: ['/ip4/1.2.3.4'] }
  await store.commit([recordOp(DOMAIN, { ...without, quota: 0 }), recordOp(OTHER, without)])
  expect(await loadRecords(disk.restart().kv)).toEqual(new Map([[DOMAIN, { ...without, quota: 0 }], [OTHER, without]]))
})
