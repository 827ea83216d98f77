import { describe, expect, test } from 'vitest'
import { nameFault, pathFault, pathWithin, prefix, segmentsOf, showName } from '../../src/publication/names.js'
import { MalformedError } from '../../src/substrate/errors.js'

describe('names', () => {
  test.each([
    ['a'], ['...'], ['.hidden'], ['a b'], ['a\\b'], ['NUL'], ['é'], ['e\u0301'], ['bom\ufeff'], ['\ufeffbom'], ['-rf'], ['a\nb'], ['😀'.repeat(63)], ['x'.repeat(255)], ['\u202egnp.exe']
  ])('%j is a name', (name) => {
    expect(nameFault(name)).toBeUndefined()
  })

  test.each([
    ['', 'empty'], ['.', 'meaning'], ['..', 'meaning'], ['a/b', 'slash'], ['/', 'slash'], ['a\0', 'NUL'], ['\ud800', 'Unicode'],
    ['x'.repeat(256), '255'], ['😀'.repeat(64), '255'], ['é'.repeat(128), '255']
  ])('%j is none', (name, why) => {
    expect(nameFault(name)).toContain(why)
  })

  test.each([
    ['a/b/c', undefined], ['a', undefined], [`${'x'.repeat(255)}/${'y'.repeat(255)}`, undefined], ['', 'empty'], ['/a', 'empty'], ['a/', 'empty'], ['a//b', 'empty'],
    ['a/../b', 'meaning'], ['a/./b', 'meaning'], ['a/b\0', 'NUL'], [`a/${'x'.repeat(256)}`, '255'], [Array.from({ length: 5 }, () => 'x'.repeat(255)).join('/'), '1024']
  ])('path %j', (path, why) => {
    const fault = pathFault(path)
    if (why === undefined) expect(fault).toBeUndefined()
    else expect(fault).toContain(why)
  })

  test('a prefix may be nothing, a path with faults may not', () => {
    expect(prefix.decode('')).toBe('')
    expect(() => prefix.decode('a/..')).toThrow(MalformedError)
    expect(() => prefix.decode(7)).toThrow(MalformedError)
  })

  test.each([
    ['', 'anything/at', true], ['a', 'a', true], ['a', 'a/b', true], ['a', 'ab', false], ['a/b', 'a', false], ['a/b', 'a/b/c', true], ['a/b', 'a/bc', false], ['b', 'a/b', false]
  ])('prefix %j over path %j: %s', (prefix, path, within) => {
    expect(pathWithin(prefix, path)).toBe(within)
  })

  test('segments', () => {
    expect(segmentsOf('')).toEqual([])
    expect(segmentsOf('a/b')).toEqual(['a', 'b'])
  })

  test.each([
    ['plain é 名', '"plain é 名"'], ['a"b\\', '"a\\"b\\\\"'], ['\x1b[31mred', '"\\u{1b}[31mred"'], ['\u202eevil', '"\\u{202e}evil"'], ['\ud800', '"\\u{d800}"'], ['x'.repeat(500), `"${'x'.repeat(120)}…"`]
  ])('%j in a message', (name, shown) => {
    expect(showName(name)).toBe(shown)
  })
})
