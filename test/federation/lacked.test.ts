/** What some peers lack, against a plain reckoning of who was asked for what. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Lacked } from '../../src/federation/lacked.js'
import type { Want } from '../../src/federation/want.js'
import type { Reference } from '../../src/substrate/reference.js'
import { refFrom } from '../helpers/authority-fixtures.js'
import { Dice } from '../helpers/worlds.js'

const want = (ref: Reference): Want => ({ ref, expected: undefined })

it('gives each peer what it wasn\'t asked for, once, and says so while there is any', () => {
  fc.assert(fc.property(fc.array(fc.nat(), { minLength: 50, maxLength: 200 }), (numbers) => {
    const dice = new Dice(numbers)
    const alive = new Set(['a', 'b', 'c', 'd'])
    const lacked = new Lacked(alive)
    const lies = new Set<Reference>()
    const asked = new Map<Reference, Set<string>>()
    const fail = (ref: Reference, peer: string): void => {
      asked.get(ref)?.add(peer)
      lacked.note(ref, peer)
      const open = [...alive].some((p) => asked.get(ref)?.has(p) !== true)
      expect(lacked.add([want(ref)], ref)).toBe(open)
      if (open) lies.add(ref)
      else lacked.giveUp(ref)
    }
    for (let step = 0; step < 400; step++) {
      const peer = dice.pick([...alive])
      const what = dice.next(12)
      if (what === 0 && alive.size > 1 && dice.next(8) === 0) {
        alive.delete(peer)
        expect(new Set(lacked.leave(peer).map((w) => w.ref))).toEqual(lies)
        lies.clear()
      } else if (what < 6) {
        const ref = refFrom(`${step}`)
        asked.set(ref, new Set())
        fail(ref, peer)
      } else {
        const found = lacked.next(peer)
        if (found === undefined) for (const ref of lies) expect(asked.get(ref)?.has(peer)).toBe(true)
        else {
          expect([lies.delete(found.ref), asked.get(found.ref)?.has(peer)]).toEqual([true, false])
          if (dice.next(3) === 0) lacked.forget(found.ref)
          else fail(found.ref, peer)
        }
      }
      expect(lacked.size).toBe(lies.size)
    }
    for (const p of alive) for (let w = lacked.next(p); w !== undefined; w = lacked.next(p)) lies.delete(w.ref)
    expect([lies.size, lacked.size, lacked.open]).toEqual([0, 0, false])
  }), { numRuns: 100 })
})

it('costs each peer one look, whatever the others do', () => {
  const lacked = new Lacked(['quick', 'slow', 'third'])
  const count = 40_000
  const begun = performance.now()
  for (let i = 0; i < count; i++) {
    const ref = `0001${i.toString(16).padStart(64, '0')}` as Reference
    lacked.note(ref, 'quick')
    lacked.add([want(ref)], ref)
    // All of them each time would be 800,000,000 looks.
    expect(lacked.next('quick')).toBe(undefined)
  }
  expect(performance.now() - begun).toBeLessThan(5_000)
  // From the middle on gaps are closed.
  let got = 0
  for (let w = lacked.next('third'); w !== undefined; w = lacked.next('third')) if (++got === count * 3 / 4) break
  expect([got, lacked.size, lacked.open]).toEqual([count * 3 / 4, count / 4, true])
  got = 0
  for (let w = lacked.next('slow'); w !== undefined; w = lacked.next('slow')) got++
  expect([got, lacked.size]).toEqual([count / 4, 0])
})

it('holds back whoever lacks too much while another one has still to look, and only then', () => {
  const lacked = new Lacked(['a', 'b'], 10)
  const add = (i: number): void => {
    lacked.note(refFrom(`${i}`), 'a')
    lacked.add([want(refFrom(`${i}`))], refFrom(`${i}`))
  }
  for (let i = 0; i < 9; i++) add(i)
  expect(lacked.holdsBack('a')).toBe(false)
  add(9)
  expect([lacked.holdsBack('a'), lacked.next('a'), lacked.holdsBack('a'), lacked.holdsBack('b')]).toEqual([true, undefined, true, false])
  expect([lacked.next('b')?.ref, lacked.holdsBack('a')]).toEqual([refFrom('0'), false])
  add(10)
  lacked.leave('b')
  for (let i = 20; i < 40; i++) lacked.add([want(refFrom(`${i}`))], refFrom(`${i}`))
  expect(lacked.holdsBack('a')).toBe(false)
})
