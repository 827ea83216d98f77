/** The fetcher against peers that lack, lie, repeat themselves and die, in every order that a seed gives; on the real store over a disk in memory. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AudienceIndex } from '../../src/federation/audience.js'
import { type ContentResult, fetchContent } from '../../src/federation/content.js'
import { isWhole } from '../../src/federation/ledger.js'
import { Opened } from '../../src/federation/want.js'
import { fileCodec } from '../../src/publication/file.js'
import { type Entry, treeCodec } from '../../src/publication/tree.js'
import { TreeBuilder } from '../../src/publication/tree-builder.js'
import { childrenOf } from '../../src/publication/walk.js'
import { encodeArtifact } from '../../src/substrate/artifact.js'
import { utf8 } from '../../src/substrate/bytes.js'
import { DiadError } from '../../src/substrate/errors.js'
import { PackStore } from '../../src/substrate/pack-store.js'
import type { Reference } from '../../src/substrate/reference.js'
import { TAG } from '../../src/substrate/type-tags.js'
import { refFrom } from '../helpers/authority-fixtures.js'
import { MemoryStore } from '../helpers/memory-store.js'
import { Dice } from '../helpers/worlds.js'
import { SimDisk } from '../../sim/world/disk.js'

const DOMAIN = refFrom('a domain')
const turn = (): Promise<void> => new Promise((resolve) => { setImmediate(resolve) })
const file = (name: string, ref: Reference, size: number): Entry => ({ kind: 'file', name, mode: 0o644, size, ref })
const dir = (name: string, ref: Reference): Entry => ({ kind: 'dir', name, mode: 0o755, ref })

/** What was published, and who asks for what. */
class Content extends MemoryStore {
  text (text: string): Promise<Reference> {
    return this.put(undefined, utf8(text))
  }

  tree (...entries: Entry[]): Promise<Reference> {
    return this.put(TAG.tree, treeCodec.encode({ level: 0, entries: entries.sort((a, b) => a.name < b.name ? -1 : 1) }))
  }

  /** `parts` are chunks of which each is a file's whole content elsewhere, too */
  async parts (...texts: string[]): Promise<{ ref: Reference, size: number }> {
    const parts = []
    for (const t of texts) parts.push({ size: utf8(t).length, ref: await this.text(t) })
    const size = parts.reduce((sum, p) => sum + p.size, 0)
    return { ref: await this.put(TAG.file, fileCodec.encode({ level: 0, size, parts })), size }
  }

  bytes (ref: Reference): Uint8Array {
    const artifact = this.blocks.get(ref)
    if (artifact === undefined) throw new Error(`${ref} was never made`)
    return encodeArtifact(artifact)
  }

  /** Everything that can be come to from `roots` through blocks for which `has` holds; with the gaps at its edge. */
  reach (roots: readonly Reference[], has: (ref: Reference) => boolean): { found: Set<Reference>, gaps: Set<Reference> } {
    const found = new Set<Reference>()
    const gaps = new Set<Reference>()
    const stack = [...roots]
    for (let ref = stack.pop(); ref !== undefined; ref = stack.pop()) {
      if (found.has(ref)) continue
      const artifact = this.blocks.get(ref)
      if (artifact === undefined || !has(ref)) gaps.add(ref)
      else {
        found.add(ref)
        stack.push(...childrenOf(artifact).map((c) => c.ref))
      }
    }
    return { found, gaps }
  }
}

interface Peer {
  readonly has: (ref: Reference) => boolean
  /** gives other bytes for these */
  readonly lies?: (ref: Reference) => boolean
  /** gives each block twice */
  readonly stutters?: boolean
  /** is gone after so many blocks */
  readonly dies?: number
  /** turns of the event loop before each block, at random */
  readonly slow?: number
}

class Node {
  audience: AudienceIndex
  /** what was asked of whom, in order */
  readonly asked: Array<[peer: string, ref: Reference]> = []
  readonly refused: Array<[peer: string, code: string, ref: Reference]> = []

  private constructor (public disk: SimDisk, public store: PackStore) {
    this.audience = new AudienceIndex(disk.kv)
  }

  static async open (disk = new SimDisk()): Promise<Node> {
    return new Node(disk, await PackStore.open(disk.kv, disk.packs))
  }

  /** The power goes and comes back. */
  async crash (): Promise<Node> {
    return await Node.open(this.disk.restart())
  }

  holds (ref: Reference): boolean {
    return this.audience.heldFor(DOMAIN, ref) && this.store.has(ref)
  }

  async fetch (content: Content, roots: readonly Reference[], peers: Readonly<Record<string, Peer>>, dice = new Dice([1]), signal: { throwIfAborted: () => void } = new AbortController().signal): Promise<ContentResult> {
    const given = new Map<string, number>()
    const run = fetchContent({
      domain: DOMAIN,
      store: this.store,
      audience: this.audience,
      peers: Object.keys(peers),
      signal,
      onRefused: (...what) => { this.refused.push(what) },
      fetch: async (name, refs, onBlock) => {
        const peer = peers[name] as Peer
        const missing: Reference[] = []
        const handed: Array<Promise<void>> = []
        for (const ref of refs) this.asked.push([name, ref])
        for (const [index, ref] of refs.entries()) {
          for (let n = dice.next((peer.slow ?? 0) + 1); n > 0; n--) await turn()
          const so = (given.get(name) ?? 0) + 1
          given.set(name, so)
          if (so > (peer.dies ?? Infinity)) throw new DiadError('peer-gone', `${name} is gone`)
          if (!peer.has(ref)) missing.push(ref)
          else {
            const bytes = peer.lies?.(ref) === true ? utf8('something else') : content.bytes(ref)
            for (let n = peer.stutters === true ? 2 : 1; n > 0; n--) handed.push(Promise.resolve(onBlock(index, bytes)))
          }
        }
        await Promise.all(handed)
        return { missing }
      }
    }, roots.map((ref) => ({ ref, expected: undefined })))
    // A run that waits for nobody would never end; the longest here takes some thousand turns.
    let ended = false
    run.finally(() => { ended = true }).catch(() => undefined)
    for (let n = 0; !ended; n++) {
      if (n > 50_000) throw new Error('the run does not end')
      await turn()
    }
    return await run
  }
}

const ALL: Peer = { has: () => true }

/** A few roots that share files, directories and chunks with each other. */
async function randomContent (dice: Dice): Promise<{ content: Content, roots: Reference[] }> {
  const content = new Content()
  const made: Reference[] = [await content.tree()]
  const texts = ['', 'a', 'bb', 'ccc', 'dddd', 'a longer one']
  const entry = async (name: string): Promise<Entry> => {
    const kind = dice.next(5)
    if (kind < 2) return dir(name, dice.pick(made))
    if (kind === 2) {
      const { ref, size } = await content.parts(dice.pick(texts.slice(1)), dice.pick(texts.slice(1)), `${dice.next(4)}`)
      return file(name, ref, size)
    }
    const text = dice.next(2) === 0 ? dice.pick(texts) : `content ${dice.next(40)}`
    return file(name, await content.text(text), utf8(text).length)
  }
  for (let t = 3 + dice.next(12); t > 0; t--) {
    const entries: Entry[] = []
    for (let n = dice.next(9); n > 0; n--) entries.push(await entry(`${n}`))
    made.push(await content.tree(...entries))
  }
  const roots = [...new Set([made.at(-1) as Reference, dice.pick(made), await content.text('a'), (await content.parts('a', 'bb')).ref])]
  return { content, roots: roots.slice(0, 1 + dice.next(4)) }
}

function randomPeer (dice: Dice, content: Content): Peer {
  const all = [...content.blocks.keys()]
  const some = (share: number): ((ref: Reference) => boolean) => {
    const set = new Set(all.filter(() => dice.next(10) < share))
    return (ref) => set.has(ref)
  }
  return {
    has: some(dice.pick([0, 5, 8, 10])),
    stutters: dice.next(3) === 0,
    slow: dice.next(3),
    ...dice.next(3) === 0 ? { lies: some(dice.pick([1, 5, 10])) } : {},
    ...dice.next(3) === 0 ? { dies: dice.next(20) } : {}
  }
}

const size = (content: Content, refs: Iterable<Reference>): number => [...refs].reduce((sum, ref) => sum + content.bytes(ref).length, 0)

it('whatever the peers do, a run ends, gets what some honest peer has, blames liars only and calls nothing whole that isn\'t', async () => {
  await fc.assert(fc.asyncProperty(fc.array(fc.nat(), { minLength: 20, maxLength: 60 }), fc.integer({ min: 0, max: 4 }), async (numbers, count) => {
    const dice = new Dice(numbers)
    const { content, roots } = await randomContent(dice)
    const peers: Record<string, Peer> = {}
    for (let i = 0; i < count; i++) peers[`peer-${i}`] = randomPeer(dice, content)
    const honest = Object.values(peers).filter((p) => p.dies === undefined)
    let node = await Node.open()
    const result = await node.fetch(content, roots, peers, dice)

    const least = content.reach(roots, (ref) => honest.some((p) => p.has(ref) && p.lies?.(ref) !== true))
    for (const ref of least.found) expect(node.holds(ref)).toBe(true)
    const { found, gaps } = content.reach(roots, (ref) => node.holds(ref))
    expect(result).toMatchObject({ blocks: found.size, bytes: size(content, found), missing: [...gaps].sort() })
    expect(node.audience.heldBytes(DOMAIN)).toBe(result.bytes)
    const complete = roots.filter((root) => content.reach([root], (ref) => node.holds(ref)).gaps.size === 0)
    expect([...result.whole].sort()).toEqual(complete.sort())
    for (const [peer, code, ref] of node.refused) {
      if (code === 'reference-mismatch') expect(peers[peer]?.lies?.(ref)).toBe(true)
      else expect([code, peers[peer]?.dies]).toEqual(['peer-gone', expect.any(Number)])
    }
    // Nobody is asked twice for one block.
    expect(new Set(node.asked.map((a) => a.join())).size).toBe(node.asked.length)

    // What it says is on disk, and the next run asks for the rest only.
    node = await node.crash()
    for (const root of roots) expect(isWhole(node.disk.kv, DOMAIN, root)).toBe(complete.includes(root))
    for (const ref of found) expect(node.holds(ref)).toBe(true)
    const rest = await node.fetch(content, roots, { all: { ...ALL, slow: 1 } }, dice)
    const all = content.reach(roots, () => true).found
    expect(rest).toEqual({ blocks: all.size - found.size, bytes: size(content, all) - size(content, found), whole: roots, missing: [] })
    expect(node.audience.heldBytes(DOMAIN)).toBe(size(content, all))
  }), { numRuns: 300 })
})

it('a run that is stopped ends, whoever is asked for what just then', async () => {
  await fc.assert(fc.asyncProperty(fc.array(fc.nat(), { minLength: 20, maxLength: 40 }), fc.integer({ min: 1, max: 3 }), fc.nat({ max: 60 }), async (numbers, count, stop) => {
    const dice = new Dice(numbers)
    const { content, roots } = await randomContent(dice)
    const peers = Object.fromEntries(Array.from({ length: count }, (_, i) => [`peer-${i}`, { ...randomPeer(dice, content), slow: 1 }]))
    const node = await Node.open()
    let looks = 0
    const stopped = node.fetch(content, roots, peers, dice, { throwIfAborted: () => { if (++looks > stop) throw new Error('stop') } })
    await stopped.catch((err: unknown) => { expect(String(err)).toContain('stop') })
  }), { numRuns: 300 })
})

it('a peer that had nothing at first is asked for what the others lead to', async () => {
  const content = new Content()
  const below = await content.tree(file('x', await content.text('x'), 1))
  const root = await content.tree(dir('below', below))
  const upper = new Set([root])
  const node = await Node.open()
  const result = await node.fetch(content, [root], { lower: { has: (ref) => !upper.has(ref) }, upper: { has: (ref) => upper.has(ref), slow: 9 } })
  expect(result).toMatchObject({ blocks: 3, whole: [root], missing: [] })
})

describe('a block of which two parents say different things', () => {
  const lyingTrees = async (content: Content): Promise<{ good: Reference, bad: Reference, x: Reference }> => {
    const x = await content.text('12345')
    const good = await content.tree(file('right', x, 5))
    return { good, x, bad: await content.tree(dir('good', good), file('wrong', x, 6)) }
  }

  it.each(['good first', 'bad first', 'held before'])('%s: the root above the lie is not whole, the other one is, and nobody is blamed', async (order) => {
    const content = new Content()
    const { good, bad, x } = await lyingTrees(content)
    const node = await Node.open()
    if (order === 'held before') await node.fetch(content, [good], { all: ALL })
    const result = await node.fetch(content, order === 'bad first' ? [bad, good] : [good, bad], { all: ALL })
    expect(result).toMatchObject({ whole: [good], missing: [x] })
    expect(node.refused.filter(([, code]) => code !== 'content-malformed')).toEqual([])
  })
})

it('a Tree damaged on disk is fetched again', async () => {
  const content = new Content()
  const below = await content.tree(file('x', await content.text('x'), 1))
  const root = await content.tree(dir('below', below))
  let node = await Node.open()
  await node.fetch(content, [root], { all: ALL })
  node = await node.crash()
  const [pack] = node.disk.files.keys()
  node.disk.flip(pack as number, 36 + content.bytes(root).length - 1)
  expect(await node.fetch(content, [root], { all: ALL })).toMatchObject({ blocks: 1, whole: [root], missing: [] })
  expect(node.asked).toEqual([['all', root]])
})

it('killed in the middle, most of what had landed is there, and a rerun asks for the rest', async () => {
  const content = new Content()
  const builder = new TreeBuilder(content.put)
  const count = 20_000
  for (let n = 0; n < count; n++) await builder.add(file(`${n}`.padStart(5, '0'), await content.text(`file ${n}`), `file ${n}`.length))
  const root = await builder.finish()
  let node = await Node.open()
  let landed = 0
  const stuck = new Promise<never>(() => undefined)
  const full = new Promise<void>((resolve) => {
    void fetchContent({
      domain: DOMAIN,
      store: node.store,
      audience: node.audience,
      peers: ['one'],
      signal: new AbortController().signal,
      fetch: async (_peer, refs, onBlock) => {
        for (const [i, ref] of refs.entries()) {
          if (landed >= 17_000) {
            resolve()
            return await stuck
          }
          landed++
          await onBlock(i, content.bytes(ref))
        }
        return { missing: [] }
      }
    }, [{ ref: root, expected: undefined }])
  })
  await full
  await turn()
  node = await node.crash()
  const held = [...content.blocks.keys()].filter((ref) => node.holds(ref))
  // Two barriers of 8,192; the second one may have been on its way.
  expect(held.length).toBeGreaterThan(8_192)
  expect(node.audience.heldBytes(DOMAIN)).toBe(size(content, held))
  expect(await node.fetch(content, [root], { all: ALL })).toMatchObject({ blocks: content.blocks.size - held.length, whole: [root], missing: [] })
})

describe('a ladder of directories, each level of which leads twice to the next', () => {
  const ladder = async (content: Content, levels: number, below: Reference[] = []): Promise<Reference> => {
    let pair = below
    for (let i = 0; i < levels; i++) pair = await Promise.all(['a', 'b'].map(async (side) => await content.tree(...pair.map((ref, n) => dir(`${side}${n}`, ref)))))
    return await content.tree(...pair.map((ref, n) => dir(`${n}`, ref)))
  }

  it('is fetched to the depth that a path may have, and is whole if that is all', async () => {
    const content = new Content()
    const fine = await ladder(content, 2_000)
    const node = await Node.open()
    expect(await node.fetch(content, [fine], { all: ALL })).toMatchObject({ blocks: 4_000, whole: [fine], missing: [] })
    const deep = await ladder(content, 60, [fine, fine])
    const result = await node.fetch(content, [deep], { all: ALL })
    expect(result).toMatchObject({ whole: [] })
    expect(result.missing.length).toBeGreaterThan(0)
  })

  it('takes nothing from what it lies above', async () => {
    const content = new Content()
    const good = await content.tree(file('x', await content.text('x'), 1))
    let over = good
    for (let i = 0; i < 2_048; i++) over = await content.tree(dir(`${i}`, over))
    const node = await Node.open()
    expect(await node.fetch(content, [over, good], { all: ALL })).toMatchObject({ blocks: 2_050, whole: [good], missing: [good] })
  })

  it('that is held is left when somebody says stop', async () => {
    const content = new Content()
    const root = await ladder(content, 50)
    const node = await Node.open()
    await node.fetch(content, [root], { all: ALL })
    let looks = 0
    const signal = { throwIfAborted: () => { if (++looks > 20) throw new Error('stop') } }
    const init = { domain: DOMAIN, store: node.store, audience: node.audience, fetch: async () => ({ missing: [] }), signal }
    await expect(fetchContent({ ...init, peers: ['p'] }, [{ ref: root, expected: undefined }])).rejects.toThrow('stop')
    looks = 0
    await expect(fetchContent({ ...init, peers: [] }, [{ ref: root, expected: undefined }])).rejects.toThrow('stop')
  })
})

it('what a walk still comes across stays in memory, and what it left behind goes', () => {
  const opened = new Opened(8)
  for (let n = 0; n < 100; n++) {
    opened.add(`${n}`)
    expect(opened.has('0')).toBe(true)
    expect(opened.has(`${Math.max(0, n - 1)}`)).toBe(true)
    if (n > 10) expect(opened.has(`${n - 9}`)).toBe(false)
  }
})
