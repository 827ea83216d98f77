import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { concatBytes, utf8 } from '../../src/substrate/bytes.js'
import { decodeCbor, encodeCbor } from '../../src/substrate/codec.js'
import { MalformedError } from '../../src/substrate/errors.js'
import { bytes, struct, text } from '../../src/substrate/shape.js'

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
