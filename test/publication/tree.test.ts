import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { nameFault } from '../../src/publication/names.js'
import { type DirEntry, type Entry, type FileEntry, type LinkEntry, type Tree, treeCodec } from '../../src/publication/tree.js'
import { endsTree, entryBytes, NODE_MIN, TreeBuilder } from '../../src/publication/tree-builder.js'
import { checkChild, childrenOf, findEntry, resolvePath, treeEntries } from '../../src/publication/walk.js'
import { encodeArtifact, referenceOf } from '../../src/substrate/artifact.js'
import { compareUtf8, utf8 } from '../../src/substrate/bytes.js'
import { MalformedError } from '../../src/substrate/errors.js'
import { LIMITS } from '../../src/substrate/limits.js'
import { NONE, type Reference } from '../../src/substrate/reference.js'
import { TAG } from '../../src/substrate/type-tags.js'
import { MemoryStore } from '../helpers/memory-store.js'

const REF = referenceOf(undefined, new Uint8Array(1))
const file = (name: string, size = 1, mode = 0o644): FileEntry => ({ kind: 'file', name, mode, size, ref: REF })
const dir = (name: string, ref: Reference = REF): DirEntry => ({ kind: 'dir', name, mode: 0o755, ref })
const link = (name: string, target = 'x'): LinkEntry => ({ kind: 'link', name, target: utf8(target) })
const numbered = (count: number): Entry[] => Array.from({ length: count }, (_, i) => file(`entry-${String(i).padStart(7, '0')}`))
const sorted = (entries: Entry[]): Entry[] => entries.toSorted((a, b) => compareUtf8(a.name, b.name))

async function build (store: MemoryStore, entries: Entry[]): Promise<Reference> {
  const builder = new TreeBuilder(store.put)
  for (const e of entries) await builder.add(e)
  return builder.finish()
}

async function entriesOf (store: MemoryStore, ref: Reference): Promise<Entry[]> {
  const out: Entry[] = []
  for await (const e of treeEntries(store, ref)) out.push(e)
  return out
}

function treeAt (store: MemoryStore, ref: Reference): Tree {
  return treeCodec.from(store.blocks.get(ref)!)
}

/** The rule once more, over whole lists instead of a stream: cut, then cut the list of first names, until one Tree is left. */
async function buildWhole (store: MemoryStore, entries: Entry[]): Promise<Reference> {
  let items: unknown[] = entries
  let names = entries.map((e) => e.name)
  for (let level = 0; ; level++) {
    const trees: Array<{ first: string, ref: Reference }> = []
    let at = 0
    do {
      let end = at
      let bytes = 19
      while (end < items.length) {
        if (level === 0) bytes += entryBytes(items[end] as Entry)
        // Only an encoded Tree knows its length; it is asked around the limit.
        if (bytes > LIMITS.treeBytes - 9 && !encodes({ level, entries: items.slice(at, end + 1) } as Tree)) break
        end++
        if (end - at === LIMITS.treeEntries || (endsTree(names[end - 1]!) && (level === 0 || end - at >= NODE_MIN))) break
      }
      trees.push({ first: names[at] ?? '', ref: await store.put(TAG.tree, treeCodec.encode({ level, entries: items.slice(at, end) } as Tree)) })
      at = end
    } while (at < items.length)
    if (trees.length === 1) return trees[0]!.ref
    items = trees
    names = trees.map((t) => t.first)
  }
}

function encodes (tree: Tree): boolean {
  try {
    treeCodec.encode(tree)
    return true
  } catch {
    return false
  }
}

describe('Tree', () => {
  test.each<[string, Tree]>([
    ['an empty directory', { level: 0, entries: [] }],
    ['every kind of entry', { level: 0, entries: [dir('a'), file('b', 0, 0o4755), file('c', Number.MAX_SAFE_INTEGER, 0), link('d', '../../etc/passwd')] }],
    ['case twins, backslash, a name above U+FFFF after one below', { level: 0, entries: [file('A'), file('a'), file('a\\b'), file('\uff5e'), file('\u{1f600}')] }],
    ['long names outside of ASCII', { level: 0, entries: [file('é'.repeat(127)), file('名'.repeat(85))] }],
    ['a name like a property of every object', { level: 0, entries: [file('__proto__'), file('constructor')] }],
    ['a node', { level: 2, entries: [{ first: 'a', ref: REF }, { first: 'b', ref: REF }] }]
  ])('decodes what it encodes: %s', (_, tree) => {
    expect(treeCodec.decode(treeCodec.encode(tree))).toEqual(tree)
  })

  const leaf = (...entries: unknown[]): unknown => ({ level: 0, entries })
  test.each<[string, unknown]>([
    ['..', leaf(file('..'))], ['.', leaf(file('.'))], ['an empty name', leaf(file(''))], ['a slash', leaf(file('a/b'))], ['an absolute name', leaf(file('/etc'))],
    ['a NUL', leaf(file('a\0'))], ['a lone surrogate', leaf(file('\udc00'))], ['256 bytes', leaf(file('x'.repeat(256)))],
    ['unsorted names', leaf(file('b'), file('a'))], ['a name twice', leaf(file('a'), file('a'))], ['UTF-16 order', leaf(file('\u{1f600}'), file('\uff5e'))],
    ['a mode above 07777', leaf(file('a', 1, 0o10000))], ['a size below zero', leaf(file('a', -1))], ['the zero reference', leaf({ ...file('a'), ref: NONE })],
    ['an empty target', leaf(link('a', ''))], ['a target of 4,096 bytes', leaf(link('a', 'x'.repeat(4096)))],
    ['a node without entries', { level: 1, entries: [] }], ['level 4', { level: 4, entries: [{ first: 'a', ref: REF }] }],
    ['a node with unsorted first names', { level: 1, entries: [{ first: 'b', ref: REF }, { first: 'a', ref: REF }] }],
    ['a node with a bad first name', { level: 1, entries: [{ first: '..', ref: REF }] }],
    ['2,049 entries', leaf(...numbered(2049))],
    ['more than 512 KiB', leaf(...Array.from({ length: 200 }, (_, i) => link(`l${String(i).padStart(3, '0')}`, 'x'.repeat(4095))))]
  ])('refuses %s', (_, tree) => {
    expect(() => treeCodec.encode(tree as Tree)).toThrow(MalformedError)
  })

  test('bytes with a bad name are refused too, not only values', () => {
    const good = treeCodec.encode({ level: 0, entries: [file('ab')] })
    const at = good.findIndex((b, i) => b === 0x61 && good[i + 1] === 0x62)
    for (const [a, b] of [[0x2e, 0x2e], [0x2f, 0x62], [0x61, 0], [0xff, 0xfe], [0xc0, 0xaf]] as const) {
      const bad = good.slice()
      bad[at] = a
      bad[at + 1] = b
      expect(() => treeCodec.decode(bad)).toThrow(MalformedError)
    }
  })

  test('the size of an entry is known before it is encoded', () => {
    for (const e of [file('a'), file('x'.repeat(24), 23, 23), file('x'.repeat(255), 2 ** 32, 0o7777), file('é'.repeat(100), 65535, 255), dir('d'), link('l', 'x'.repeat(4095)), link('l', 'x'.repeat(24))]) {
      expect(treeCodec.encode({ level: 0, entries: [e] }).length).toBe(16 + 1 + entryBytes(e))
    }
  })
})

describe('TreeBuilder', () => {
  test('an empty directory is a leaf without entries', async () => {
    const store = new MemoryStore()
    expect(treeAt(store, await build(store, []))).toEqual({ level: 0, entries: [] })
  })

  test('refuses names that do not ascend', async () => {
    const builder = new TreeBuilder(new MemoryStore().put)
    await builder.add(file('b'))
    expect(() => builder.add(file('b'))).toThrow(MalformedError)
    expect(() => builder.add(file('a'))).toThrow(MalformedError)
  })

  test('5,000 entries: split, read back in order, found one by one', async () => {
    const store = new MemoryStore()
    const entries = numbered(5000)
    const ref = await build(store, entries)
    expect(treeAt(store, ref).level).toBe(1)
    expect(await entriesOf(store, ref)).toEqual(entries)
    for (const e of [entries[0]!, entries[511]!, entries[4999]!]) expect(await findEntry(store, ref, e.name)).toEqual(e)
    for (const name of ['a', 'entry-0000000x', 'z']) expect(await findEntry(store, ref, name)).toBeUndefined()
  })

  test('one more entry changes few Trees', async () => {
    const store = new MemoryStore()
    await build(store, numbered(20_000))
    const before = store.blocks.size
    await build(store, sorted([...numbered(20_000), file('entry-0010000x')]))
    expect(before).toBeGreaterThan(20)
    expect(store.blocks.size - before).toBeLessThanOrEqual(3)
  })

  test('property: the stream cuts where the rule says, and everything comes back', async () => {
    const name = fc.string({ unit: 'binary', minLength: 1, maxLength: 20 }).filter((s) => nameFault(s) === undefined)
    const item = fc.tuple(name, fc.nat({ max: 2 }), fc.nat({ max: 4095 }))
    await fc.assert(fc.asyncProperty(fc.uniqueArray(item, { selector: ([n]) => n, maxLength: 60 }), fc.nat({ max: 1200 }), fc.nat(), async (items, more, salt) => {
      const random = items.map(([n, kind, mode]) => kind === 0 ? file(n, mode, mode) : kind === 1 ? dir(n) : link(n, 'x'.repeat(Math.max(1, mode))))
      const entries = sorted([...random, ...numbered(more).map((e) => ({ ...e, name: `a name of no random one ${salt} ${e.name}` }))])
      const store = new MemoryStore()
      const ref = await build(store, entries)
      expect(ref).toBe(await buildWhole(new MemoryStore(), entries))
      expect(await entriesOf(store, ref)).toEqual(entries)
    }), { numRuns: 30 })
  })

  test('long entries cut at 512 KiB, exactly', async () => {
    const store = new MemoryStore()
    const entries = Array.from({ length: 400 }, (_, i) => link(`${String(i).padStart(4, '0')}${'n'.repeat(i % 200)}`, 'x'.repeat(4095 - (i % 7))))
    const ref = await build(store, entries)
    expect(ref).toBe(await buildWhole(new MemoryStore(), entries))
    for (const { payload } of store.blocks.values()) expect(payload.length).toBeLessThanOrEqual(LIMITS.treeBytes)
  })

  test('names that all end a Tree still come to one root', async () => {
    const entries: Entry[] = []
    for (let i = 0; entries.length < 600; i++) if (endsTree(`n${String(i).padStart(8, '0')}`)) entries.push(file(`n${String(i).padStart(8, '0')}`))
    for (const count of [2, 257, 600]) {
      const store = new MemoryStore()
      const ref = await build(store, entries.slice(0, count))
      expect(treeAt(store, ref).level).toBe(count > NODE_MIN ? 2 : 1)
      expect(ref).toBe(await buildWhole(new MemoryStore(), entries.slice(0, count)))
      expect(await entriesOf(store, ref)).toEqual(entries.slice(0, count))
    }
  })

  test('pinned: the References of three directories', async () => {
    const store = new MemoryStore()
    const empty = await build(store, [])
    const small = await build(store, [dir('d', empty), file('f', 1, 0o640), link('l', 'd/../f')])
    expect([empty, small, await build(store, numbered(5000))]).toEqual([
      '0001af98baceca23cd5524a573cd9c88015e3705c2c975611af1222e8e9a0bd38a50',
      '00015f35456ea19e3ca537782375331e630509627b11b54b885464e7e69c7e919153',
      '00014be7bc0acd2808d050651660064882fd1a0cc7f29666d6752a4c05b18ee9516c'
    ])
  })
})

describe('walking', () => {
  test('containment: entries of a leaf, subtrees of a node, nothing else', () => {
    expect(childrenOf(treeCodec.artifact({ level: 0, entries: [dir('a'), file('b', 7), link('c')] }))).toEqual([
      { ref: REF, expected: { type: 'tree' } }, { ref: REF, expected: { type: 'content', size: 7 } }
    ])
    expect(childrenOf(treeCodec.artifact({ level: 2, entries: [{ first: 'a', ref: REF }, { first: 'k', ref: REF }] }))).toEqual([
      { ref: REF, expected: { type: 'subtree', level: 1, first: 'a', before: 'k' } }, { ref: REF, expected: { type: 'subtree', level: 1, first: 'k', before: undefined } }
    ])
    expect(childrenOf({ typeTag: TAG.signature, payload: new Uint8Array(9) })).toEqual([])
  })

  test('paths', async () => {
    const store = new MemoryStore()
    const content = await store.put(undefined, utf8('hello'))
    const inner = await build(store, [{ ...file('f', 5), ref: content }, link('l', '../..')])
    const root = { ref: await build(store, [dir('d', inner), { ...file('g', 5), ref: content }]), mode: 0o700 }
    const kindAt = async (...segments: string[]): Promise<string | undefined> => (await resolvePath(store, root, segments))?.kind
    expect(await resolvePath(store, root, [])).toEqual({ kind: 'dir', name: '', mode: 0o700, ref: root.ref })
    expect(await kindAt('d')).toBe('dir')
    expect(await kindAt('d', 'f')).toBe('file')
    expect(await kindAt('d', 'l')).toBe('link')
    for (const absent of [['x'], ['d', 'x'], ['g', 'x'], ['d', 'l', 'd']]) expect(await kindAt(...absent)).toBeUndefined()
    expect(await resolvePath(store, { ref: content, mode: 0o600 }, [])).toEqual({ kind: 'file', name: '', mode: 0o600, size: 5, ref: content })
    await expect(resolvePath(store, { ref: await store.put(TAG.lane, utf8('no')), mode: 0 }, [])).rejects.toMatchObject({ code: 'content-malformed' })
  })

  const put = async (store: MemoryStore, tree: Tree): Promise<Reference> => store.put(TAG.tree, treeCodec.encode(tree))
  test.each<[string, (store: MemoryStore) => Promise<Tree>]>([
    ['a child of the wrong level', async (s) => ({ level: 2, entries: [{ first: 'a', ref: await put(s, { level: 0, entries: [file('a')] }) }] })],
    ['a child that begins elsewhere', async (s) => ({ level: 1, entries: [{ first: 'a', ref: await put(s, { level: 0, entries: [file('b')] }) }] })],
    ['an empty child', async (s) => ({ level: 1, entries: [{ first: 'a', ref: await put(s, { level: 0, entries: [] }) }] })],
    ['children that overlap', async (s) => ({ level: 1, entries: [{ first: 'a', ref: await put(s, { level: 0, entries: [file('a'), file('m')] }) }, { first: 'm', ref: await put(s, { level: 0, entries: [file('m')] }) }] })],
    ['grandchildren that overlap', async (s) => {
      const low = await put(s, { level: 1, entries: [{ first: 'a', ref: await put(s, { level: 0, entries: [file('a'), file('z')] }) }] })
      const high = await put(s, { level: 1, entries: [{ first: 'm', ref: await put(s, { level: 0, entries: [file('m')] }) }] })
      return { level: 2, entries: [{ first: 'a', ref: low }, { first: 'm', ref: high }] }
    }],
    ['a child that is no Tree', async (s) => ({ level: 1, entries: [{ first: 'a', ref: await s.put(undefined, treeCodec.encode({ level: 0, entries: [file('a')] })) }] })],
    ['a child that is no canonical Tree', async (s) => ({ level: 1, entries: [{ first: 'a', ref: await s.put(TAG.tree, new Uint8Array([0xa0])) }] })]
  ])('%s is refused, read through or looked up', async (_, make) => {
    const store = new MemoryStore()
    const ref = await put(store, await make(store))
    await expect(entriesOf(store, ref)).rejects.toMatchObject({ code: 'content-malformed' })
    await expect(findEntry(store, ref, 'a')).rejects.toMatchObject({ code: 'content-malformed' })
  })

  test('an entry whose child is of another type is refused', async () => {
    const content = { typeTag: undefined, payload: utf8('x') }
    const tree = treeCodec.artifact({ level: 0, entries: [] })
    expect(() => checkChild(content, { type: 'tree' })).toThrow(expect.objectContaining({ code: 'content-malformed' }))
    expect(() => checkChild(tree, { type: 'content', size: encodeArtifact(tree).length })).toThrow(expect.objectContaining({ code: 'content-malformed' }))
    expect(() => checkChild(content, { type: 'content', size: 1 })).not.toThrow()
    expect(() => checkChild(tree, { type: 'tree' })).not.toThrow()
  })

  test('a Tree is read lazily', async () => {
    const store = new MemoryStore()
    const ref = await build(store, numbered(5000))
    let gets = 0
    store.beforeGet = () => { gets++ }
    for await (const e of treeEntries(store, ref)) if (e.name !== '') break
    expect(gets).toBe(2)
  })
})
