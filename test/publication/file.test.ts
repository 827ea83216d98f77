import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FileBuilder } from '../../src/publication/file-builder.js'
import { type File, fileCodec } from '../../src/publication/file.js'
import { childrenOf, fileChunks, rootEntry } from '../../src/publication/walk.js'
import { concatBytes } from '../../src/substrate/bytes.js'
import { MalformedError } from '../../src/substrate/errors.js'
import { LIMITS } from '../../src/substrate/limits.js'
import { referenceOf } from '../../src/substrate/artifact.js'
import { NONE, type Reference } from '../../src/substrate/reference.js'
import { TAG } from '../../src/substrate/type-tags.js'
import { MemoryStore } from '../helpers/memory-store.js'

const REF = referenceOf(undefined, new Uint8Array(1))
const part = (size: number): { size: number, ref: Reference } => ({ size, ref: REF })
const MAX = Number.MAX_SAFE_INTEGER

async function gather (store: MemoryStore, ref: Reference, size: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  for await (const chunk of fileChunks(store, ref, size)) chunks.push(chunk)
  return concatBytes(...chunks)
}

/** Stores `count` equal chunks without holding them. */
async function build (store: MemoryStore, count: number, last = LIMITS.chunkBytes): Promise<{ ref: Reference, size: number }> {
  const builder = new FileBuilder(store.put)
  const chunk = await store.put(undefined, new Uint8Array(LIMITS.chunkBytes))
  for (let i = 1; i < count; i++) await builder.add(chunk, LIMITS.chunkBytes)
  if (count > 0) await builder.add(await store.put(undefined, new Uint8Array(last)), last)
  return builder.finish()
}

function levelOf (store: MemoryStore, ref: Reference): number | undefined {
  const artifact = store.blocks.get(ref)
  return artifact?.typeTag === TAG.file ? fileCodec.from(artifact).level : undefined
}

describe('File', () => {
  test('decodes what it encodes', () => {
    const file: File = { level: 2, size: 12, parts: [part(5), part(7)] }
    expect(fileCodec.decode(fileCodec.encode(file))).toEqual(file)
  })

  test.each<[string, unknown]>([
    ['sizes that do not sum up', { level: 0, size: 11, parts: [part(5), part(7)] }],
    ['a sum beyond 2^53', { level: 0, size: MAX, parts: [part(MAX), part(MAX)] }],
    ['no parts', { level: 0, size: 0, parts: [] }],
    ['an empty part', { level: 0, size: 5, parts: [part(5), part(0)] }],
    ['too many parts', { level: 0, size: 8193, parts: Array.from({ length: 8193 }, () => part(1)) }],
    ['level 4', { level: 4, size: 5, parts: [part(5)] }],
    ['the zero reference', { level: 0, size: 5, parts: [{ size: 5, ref: NONE }] }],
    ['a further field', { level: 0, size: 5, parts: [part(5)], extra: 1 }]
  ])('refuses %s', (_, file) => {
    expect(() => fileCodec.encode(file as File)).toThrow(MalformedError)
  })

  test('the greatest File fits into a block', () => {
    const parts = Array.from({ length: LIMITS.fileParts }, () => part(2 ** 39))
    expect(fileCodec.encode({ level: 3, size: 2 ** 52, parts }).length).toBeLessThan(LIMITS.payloadBytes)
  })

  test.each([
    [0, 0, undefined], [1, 1, undefined], [1, LIMITS.chunkBytes, undefined], [2, 1, 0], [2, LIMITS.chunkBytes, 0],
    [8192, LIMITS.chunkBytes, 0], [8193, 1, 1], [3 * 8192, 9, 1]
  ])('%i chunks, the last of %i bytes: File of level %s', async (count, last, level) => {
    const store = new MemoryStore()
    const { ref, size } = await build(store, count, last)
    expect(size).toBe(Math.max(0, count - 1) * LIMITS.chunkBytes + last)
    expect(levelOf(store, ref)).toBe(level)
    expect((await rootEntry(store, ref, 0)).kind).toBe('file')
    // Each File below is full but the last of its level, and sizes agree all the way down.
    if (count < 10_000) {
      let length = 0
      for await (const chunk of fileChunks(store, ref, size)) length += chunk.length
      expect(length).toBe(size)
    }
  })

  test('property: content comes back', async () => {
    await fc.assert(fc.asyncProperty(fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { maxLength: 20 }), async (pieces) => {
      const store = new MemoryStore()
      const builder = new FileBuilder(store.put)
      for (const p of pieces) await builder.add(await store.put(undefined, p), p.length)
      const { ref, size } = await builder.finish()
      expect(await gather(store, ref, size)).toEqual(concatBytes(...pieces))
    }), { numRuns: 50 })
  })

  test('contains its parts, with what each must be', async () => {
    expect(childrenOf(fileCodec.artifact({ level: 0, size: 1, parts: [part(1)] }))).toEqual([{ ref: REF, expected: { type: 'chunk', size: 1 } }])
    expect(childrenOf(fileCodec.artifact({ level: 2, size: 1, parts: [part(1)] }))).toEqual([{ ref: REF, expected: { type: 'file', level: 1, size: 1 } }])
    expect(childrenOf({ typeTag: undefined, payload: fileCodec.encode({ level: 0, size: 1, parts: [part(1)] }) })).toEqual([])
    expect(() => childrenOf({ typeTag: TAG.file, payload: new Uint8Array(3) })).toThrow(expect.objectContaining({ code: 'content-malformed' }))
  })
})

describe('a File that lies', () => {
  const store = new MemoryStore()
  const put = async (file: File): Promise<Reference> => store.put(TAG.file, fileCodec.encode(file))

  test.each<[string, () => Promise<[Reference, number]>]>([
    ['whose entry says another size', async () => [await store.put(undefined, new Uint8Array(5)), 6]],
    ['whose entry says another size than its File', async () => [await put({ level: 0, size: 5, parts: [{ size: 5, ref: await store.put(undefined, new Uint8Array(5)) }] }), 6]],
    ['whose chunk is shorter', async () => [await put({ level: 0, size: 6, parts: [{ size: 6, ref: await store.put(undefined, new Uint8Array(5)) }] }), 6]],
    ['of level 0 over a File', async () => {
      const inner = await put({ level: 0, size: 5, parts: [{ size: 5, ref: await store.put(undefined, new Uint8Array(5)) }] })
      return [await put({ level: 0, size: 5, parts: [{ size: 5, ref: inner }] }), 5]
    }],
    ['of level 1 over a chunk', async () => [await put({ level: 1, size: 5, parts: [{ size: 5, ref: await store.put(undefined, new Uint8Array(5)) }] }), 5]],
    ['of level 2 over level 0', async () => {
      const inner = await put({ level: 0, size: 5, parts: [{ size: 5, ref: await store.put(undefined, new Uint8Array(5)) }] })
      return [await put({ level: 2, size: 5, parts: [{ size: 5, ref: inner }] }), 5]
    }],
    ['that is a Tree', async () => [await store.put(TAG.tree, new Uint8Array(5)), 5]]
  ])('%s is refused', async (_, make) => {
    const [ref, size] = await make()
    await expect(gather(store, ref, size)).rejects.toMatchObject({ code: 'content-malformed' })
  })

  test('a missing chunk is named', async () => {
    const ref = await put({ level: 0, size: 9, parts: [part(9)] })
    await expect(gather(store, ref, 9)).rejects.toMatchObject({ code: 'content-missing', message: expect.stringContaining(REF) as unknown })
  })
})
