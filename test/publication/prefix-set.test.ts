import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { pathWithin } from '../../src/publication/names.js'
import { outermost, prefixesCover } from '../../src/publication/prefix-set.js'
import { readsOf } from '../helpers/reads-of.js'

// Around the slash in both orders, and beyond U+FFFF, where JavaScript's order isn't that of the bytes.
const segment = fc.string({ minLength: 1, maxLength: 2, unit: fc.constantFrom('a', 'b', '!', '.x', '0', '\uffee', '😀') })
const path = fc.array(segment, { minLength: 1, maxLength: 4 }).map((s) => s.join('/'))
const prefixes = fc.array(fc.oneof({ weight: 60, arbitrary: path }, { weight: 1, arbitrary: fc.constant('') }), { maxLength: 40 })

describe('many prefixes', () => {
  test('property: cover what one of them covers', () => {
    fc.assert(fc.property(prefixes, fc.array(path, { maxLength: 20 }), (list, names) => {
      for (const name of [...names, ...list, '', ...list.map((p) => `${p}/a`), ...list.map((p) => `${p}a`)]) {
        expect([name, prefixesCover(list, name)]).toEqual([name, list.some((p) => pathWithin(p, name))])
      }
    }), { numRuns: 300 })
  })

  test('property: the outermost are those that no other covers', () => {
    fc.assert(fc.property(prefixes, (list) => {
      const each = [...new Set(list)]
      expect(outermost(list).sort()).toEqual(each.filter((p) => !each.some((q) => q !== p && pathWithin(q, p))).sort())
    }), { numRuns: 300 })
  })

  test('are looked through once, however many names are asked for', () => {
    const list = Array.from({ length: 2000 }, (_, i) => `p${i}`)
    const { watched, reads } = readsOf(list)
    for (let i = 0; i < 500; i++) expect(prefixesCover(watched, `p${i * 7}/x`)).toBe(i * 7 < 2000)
    expect(reads()).toBeLessThan(2 * list.length)
  })
})
