import * as dagCbor from '@ipld/dag-cbor'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { concatBytes, fromHex, utf8 } from '../../src/substrate/bytes.js'
import { decodeCbor, encodeCbor } from '../../src/substrate/codec.js'
import { MalformedError } from '../../src/substrate/errors.js'
import { bool, bytes, hex, list, struct, text, tuple, uint } from '../../src/substrate/shape.js'

const shape = struct({ t: text(100_000) })
const encode = (t: string): Uint8Array => encodeCbor(shape, { t }, 'sample')
const decode = (bytes: Uint8Array): string => decodeCbor(shape, bytes, 'sample').t

describe('text is what its bytes say', () => {
  // Lengths on both sides of every form of the head, and of the library's own ways to read text.
  test.each(['\ufeff', '\ufeffa', '\ufeff\ufeff', 'a\ufeff', '\ufefe', '\uffef', ...[19, 20, 28, 29, 252, 253, 65_532, 65_533].map((n) => '\ufeff' + 'x'.repeat(n))])('%#', (t) => {
    expect(decode(encode(t)) === t).toBe(true)
  })

  test('for any text', () => {
    fc.assert(fc.property(fc.string({ unit: fc.oneof(fc.constant('\ufeff'), fc.string({ unit: 'binary', maxLength: 2 })), maxLength: 40 }), (t) => decode(encode(t)) === t))
  })

  test.each([['a mark in front of a key', 0x64, [0xef, 0xbb, 0xbf, 0x74]], ['bad UTF-8 behind a mark', 0x61, [0x74]]] as const)('%s is refused', (what, head, key) => {
    const value = what.startsWith('bad') ? [0x64, 0xef, 0xbb, 0xbf, 0xff] : [0x61, 0x61]
    expect(() => decode(Uint8Array.from([0xa1, head, ...key, ...value]))).toThrow(MalformedError)
  })

  test('a mark that stands in front of the whole item is refused', () => {
    expect(() => decode(concatBytes(utf8('\ufeff'), encode('a')))).toThrow(MalformedError)
  })
})

test('bytes that come out of a Buffer are plain and their own', () => {
  const shape = struct({ b: bytes(8) })
  const source = Buffer.from(encodeCbor(shape, { b: utf8('payload') }, 'sample'))
  const { b } = decodeCbor(shape, source, 'sample')
  source.fill(0)
  expect(Buffer.isBuffer(b)).toBe(false)
  expect(b).toEqual(utf8('payload'))
})

describe('against the library', () => {
  // Keys of several lengths, given in no order; every kind of item; numbers around each length of a head.
  const rich = struct({
    zz: list(tuple<[string, number]>(text(400), uint()), { max: 30 }),
    a: bytes(300),
    b: struct({ flag: bool, id: hex(4) }),
    longest: list(list(bool, { max: 3 }), { max: 3 })
  })
  const numbers = fc.oneof(fc.maxSafeNat(), fc.constantFrom(0, 23, 24, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1))
  const values = fc.record({
    zz: fc.array(fc.tuple(fc.string({ unit: 'binary', maxLength: 60 }), numbers), { maxLength: 30 }),
    a: fc.uint8Array({ maxLength: 300 }),
    b: fc.record({ flag: fc.boolean(), id: fc.constantFrom('00000000', 'deadbeef') }),
    longest: fc.array(fc.array(fc.boolean(), { maxLength: 3 }), { maxLength: 3 })
  })
  type Rich = typeof values extends fc.Arbitrary<infer T> ? T : never
  const model = (v: Rich): unknown => ({ ...v, b: { ...v.b, id: fromHex(v.b.id) } })

  test('the same bytes for any value, and they come back', () => {
    fc.assert(fc.property(values, (v) => {
      const out = encodeCbor(rich, v, 'rich')
      expect(out).toEqual(new Uint8Array(dagCbor.encode(model(v))))
      expect(decodeCbor(rich, out, 'rich')).toEqual(v)
    }))
  })

  test('bytes that were changed are refused, or are the library\'s own form of what they say', () => {
    const change = fc.record({ at: fc.nat(), byte: fc.nat(255), how: fc.constantFrom('put', 'insert', 'cut') })
    fc.assert(fc.property(values, fc.array(change, { minLength: 1, maxLength: 3 }), (v, changes) => {
      let out = encodeCbor(rich, v, 'rich')
      for (const { at, byte, how } of changes) {
        const i = at % out.length
        out = concatBytes(out.subarray(0, i), how === 'cut' ? new Uint8Array(0) : Uint8Array.of(byte), out.subarray(how === 'insert' ? i : i + 1))
        if (out.length === 0) return
      }
      let got: Rich
      try {
        got = decodeCbor(rich, out, 'rich') as Rich
      } catch (err) {
        expect(err).toBeInstanceOf(MalformedError)
        return
      }
      expect(new Uint8Array(dagCbor.encode(model(got)))).toEqual(out)
    }), { numRuns: 1000 })
  })
})

test('a fault names its place', () => {
  const deep = struct({ rows: list(tuple<[string, number]>(text(5), uint(9)), { max: 9 }) })
  expect(() => encodeCbor(deep, { rows: [['a', 1], ['b', 10]] as Array<[string, number]> }, 'Deep')).toThrow('Deep.rows[1][1]: expected an integer from 0 to 9')
  expect(() => decodeCbor(deep, dagCbor.encode({ rows: [['a', 1], ['b', 'c']] }), 'Deep')).toThrow('Deep.rows[1][1]: expected an integer from 0 to 9')
  expect(() => decodeCbor(deep, dagCbor.encode({ rows: 7 }), 'Deep')).toThrow('Deep.rows: expected a list')
})
