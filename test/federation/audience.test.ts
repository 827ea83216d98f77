import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AudienceIndex, FETCHED } from '../../src/federation/audience.js'
import { referenceOf } from '../../src/substrate/artifact.js'
import { utf8 } from '../../src/substrate/bytes.js'
import type { KvOp } from '../../src/substrate/ports.js'
import type { Reference } from '../../src/substrate/reference.js'
import { SimDisk } from '../../sim/world/disk.js'

const name = (text: string): Reference => referenceOf(undefined, utf8(text))
const [A, B] = [name('domain a'), name('domain b')] as const
const X = name('block x')

const write = (disk: SimDisk, ...ops: Array<KvOp | undefined>): Promise<void> => disk.kv.batch(ops.filter((op) => op !== undefined), true)

describe('held for a domain (RULES V1)', () => {
  it('a fetched block counts at once, for that domain only', async () => {
    const disk = new SimDisk()
    const audience = new AudienceIndex(disk.kv)
    expect(audience.heldFor(A, X)).toBe(false)
    await write(disk, audience.mark(A, X, FETCHED))
    expect([audience.heldFor(A, X), audience.heldFor(B, X), audience.heldFor(A, name('other'))]).toEqual([true, false, false])
    expect(audience.mark(A, X, FETCHED)).toBeUndefined()
    await write(disk, audience.unmark(A, X))
    expect(audience.heldFor(A, X)).toBe(false)
  })

  it('a publisher\'s mark counts once its generation is committed, not before', async () => {
    const disk = new SimDisk()
    const audience = new AudienceIndex(disk.kv)
    const { generation, op } = audience.begin(A)
    await write(disk, op, audience.mark(A, X, generation))
    expect(audience.heldFor(A, X)).toBe(false)
    expect(audience.mark(A, X, generation)).toBeUndefined() // there already
    await write(disk, audience.commitOp(A, generation))
    expect(audience.heldFor(A, X)).toBe(true)
    expect(new AudienceIndex(disk.kv).heldFor(A, X)).toBe(true)
  })

  it('asked for many, it misses what comes to count meanwhile and shows nothing that doesn\'t (the generations are read once)', async () => {
    const disk = new SimDisk()
    const audience = new AudienceIndex(disk.kv)
    const { generation, op } = audience.begin(A)
    const marks = [audience.mark(A, X, generation), audience.mark(A, name('fetched'), FETCHED)]
    const held = audience.heldBy(A)
    await write(disk, op, ...marks)
    expect([held(X), held(name('fetched')), held(name('other'))]).toEqual([false, true, false])
    await write(disk, audience.commitOp(A, generation))
    expect([held(X), audience.heldBy(A)(X), audience.heldBy(B)(X)]).toEqual([false, true, false])
    await write(disk, audience.unmark(A, name('fetched')))
    expect(held(name('fetched'))).toBe(false)
  })

  it('the marks of a crashed export never count, whatever is committed later', async () => {
    const disk = new SimDisk()
    let audience = new AudienceIndex(disk.kv)
    const first = audience.begin(A)
    await write(disk, first.op, audience.mark(A, X, first.generation))

    audience = new AudienceIndex(disk.kv)
    const second = audience.begin(A)
    expect(second.generation).toBeGreaterThan(first.generation)
    await write(disk, second.op, audience.mark(A, name('y'), second.generation), audience.commitOp(A, second.generation))
    expect([audience.heldFor(A, X), audience.heldFor(A, name('y'))]).toEqual([false, true])

    // The next export takes the stale mark over.
    const third = audience.begin(A)
    await write(disk, third.op, audience.mark(A, X, third.generation), audience.commitOp(A, third.generation))
    expect(audience.heldFor(A, X)).toBe(true)
  })

  it('a mark that counts is not replaced by one that does not yet', async () => {
    const disk = new SimDisk()
    const audience = new AudienceIndex(disk.kv)
    const first = audience.begin(A)
    await write(disk, first.op, audience.mark(A, X, first.generation), audience.commitOp(A, first.generation))
    const second = audience.begin(A)
    expect(audience.mark(A, X, second.generation)).toBeUndefined()
    await write(disk, second.op)
    expect(audience.heldFor(A, X)).toBe(true)
  })

  it('asks for the same two keys, in the same order, whatever the answer (V3)', async () => {
    const disk = new SimDisk()
    const asked: number[][] = []
    const audience = new AudienceIndex({ get: (key) => { asked.at(-1)?.push(key.length); return disk.kv.get(key) } })
    const { generation, op } = audience.begin(A)
    await write(disk, op, audience.mark(A, X, generation), audience.mark(A, name('fetched'), FETCHED))
    for (const [domain, ref] of [[A, X], [A, name('fetched')], [A, name('never seen')], [B, X]] as const) {
      asked.push([])
      audience.heldFor(domain, ref)
    }
    expect(asked).toEqual([[33, 65], [33, 65], [33, 65], [33, 65]])
  })
})

describe('one export of a domain at a time', () => {
  it('a newer one ends the older, whose marks and commit are refused', () => {
    const audience = new AudienceIndex(new SimDisk().kv)
    const first = audience.begin(A).generation
    const second = audience.begin(A).generation
    expect(audience.begin(B).generation).toBe(1)
    expect(() => audience.mark(A, X, first)).toThrow(expect.objectContaining({ code: 'export-over' }))
    expect(() => audience.commitOp(A, first)).toThrow(expect.objectContaining({ code: 'export-over' }))
    expect(audience.mark(A, X, second)).toBeDefined()
  })

  it('none begins while a commit is under way, unless it was abandoned', async () => {
    const disk = new SimDisk()
    const audience = new AudienceIndex(disk.kv)
    const { generation, op } = audience.begin(A)
    await write(disk, op, audience.mark(A, X, generation))
    audience.commitOp(A, generation)
    expect(() => audience.begin(A)).toThrow(expect.objectContaining({ code: 'export-busy' }))
    audience.abandon(A, generation)
    const next = audience.begin(A)
    await write(disk, next.op, audience.commitOp(A, next.generation))
    expect(audience.heldFor(A, X)).toBe(false)
  })
})

it('agrees with a simple model over any history of exports, crashes and fetches', async () => {
  const blocks = ['p', 'q', 'r'].map(name)
  const action = fc.oneof(
    fc.record({ do: fc.constant('export' as const), marks: fc.array(fc.nat(2)), end: fc.constantFrom('commit', 'crash', 'forget', 'crash unwritten') }),
    fc.record({ do: fc.constant('fetch' as const), block: fc.nat(2) })
  )
  await fc.assert(fc.asyncProperty(fc.array(action, { maxLength: 12 }), async (history) => {
    const disk = new SimDisk()
    let audience = new AudienceIndex(disk.kv)
    const held = new Set<Reference>()
    for (const a of history) {
      if (a.do === 'fetch') {
        const ref = blocks[a.block] as Reference
        await write(disk, audience.mark(A, ref, FETCHED))
        held.add(ref)
      } else {
        const { generation, op } = audience.begin(A)
        const refs = a.marks.map((i) => blocks[i] as Reference)
        if (a.end !== 'crash unwritten') await write(disk, op, ...refs.map((ref) => audience.mark(A, ref, generation)))
        if (a.end === 'commit') {
          await write(disk, audience.commitOp(A, generation))
          for (const ref of refs) held.add(ref)
        }
        if (a.end.startsWith('crash')) audience = new AudienceIndex(disk.kv)
      }
      expect(blocks.map((ref) => audience.heldFor(A, ref))).toEqual(blocks.map((ref) => held.has(ref)))
    }
  }))
})

it('counts the bytes charged to each domain, across restarts', async () => {
  const disk = new SimDisk()
  const audience = new AudienceIndex(disk.kv)
  await write(disk, audience.charge(A, 1000), audience.charge(A, 24), audience.charge(B, 7))
  const again = new AudienceIndex(disk.kv)
  await write(disk, again.charge(A, -1000))
  expect([again.heldBytes(A), again.heldBytes(B), new AudienceIndex(disk.kv).heldBytes(A)]).toEqual([24, 7, 24])
})
