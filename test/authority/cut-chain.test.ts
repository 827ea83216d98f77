import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { cutsOnce, walkCuts } from '../../src/authority/cut-chain.js'
import { type Cut, cutListCodec } from '../../src/authority/cut-list.js'
import { HeldObjects } from '../../src/authority/held-objects.js'
import { defaultPolicy, policyCodec } from '../../src/authority/policy.js'
import { NONE, type Reference } from '../../src/substrate/reference.js'
import { type Item, itemOf, refFrom } from '../helpers/authority-fixtures.js'

class Objects extends HeldObjects {
  override drop (ref: Reference): void {
    super.drop(ref)
  }
}

const policy = itemOf(policyCodec.artifact(defaultPolicy))
const lanes = Array.from({ length: 400 }, (_, i) => refFrom(`lane ${i}`)).sort()
const cut = (lane: number, of: string): Cut => ({ lane: lanes[lane] as Reference, snapshot: refFrom(`head ${lane} ${of}`), ends: lane % 2 === 0 })
const listOf = (cuts: readonly Cut[], next: Reference): Item => itemOf(cutListCodec.artifact({ cuts: [...cuts], next }))

/** M4 by its words: list by list from the first. */
function walked (objects: HeldObjects, first: Reference): { cuts: Cut[], fault: [Reference, Reference | undefined] | undefined } {
  const cuts: Cut[] = []
  for (let at = first; at !== NONE;) {
    const list = objects.cutLists.get(at)
    const after = cuts.at(-1)?.lane
    if (list === undefined) return { cuts: [], fault: [at, undefined] }
    if (after !== undefined && after >= (list.cuts[0] as Cut).lane) return { cuts: [], fault: [at, after] }
    cuts.push(...list.cuts)
    at = list.next
  }
  return { cuts, fault: undefined }
}

function endOf (objects: HeldObjects, first: Reference): Reference {
  let at = first
  while (objects.cutLists.has(at)) at = objects.cutLists.get(at)?.next ?? NONE
  return at
}

function agree (objects: HeldObjects, first: Reference): void {
  const { cuts, fault, end } = walkCuts(objects, first)
  const right = walked(objects, first)
  expect(fault === undefined ? undefined : [fault.at, fault.after]).toEqual(right.fault)
  expect(end).toBe(endOf(objects, first))
  expect([...cuts.values()]).toEqual(right.cuts)
  expect([...cuts.keys()]).toEqual(right.cuts.map((c) => c.lane))
  expect([...cuts]).toEqual(right.cuts.map((c) => [c.lane, c]))
  expect(cuts.size).toBe(right.cuts.length)
  for (const lane of lanes.slice(0, 10)) expect(cuts.get(lane)).toEqual(right.cuts.find((c) => c.lane === lane))
}

describe('the cuts of many manifests', () => {
  test('property: whatever is held, comes or is dropped, a walk says what the lists say', () => {
    const made = fc.record({ cuts: fc.uniqueArray(fc.nat(9), { minLength: 1, maxLength: 3 }), next: fc.nat(14) })
    const steps = fc.array(fc.record({ drop: fc.boolean(), at: fc.nat(30) }), { maxLength: 40 })
    fc.assert(fc.property(fc.array(made, { minLength: 1, maxLength: 10 }), steps, (specs, todo) => {
      const items: Item[] = [policy]
      for (const { cuts, next } of specs) {
        const ends = [NONE, refFrom('nowhere'), NONE, policy.ref]
        items.push(listOf(cuts.sort((a, b) => a - b).map((n) => cut(n, 'x')), ends[next] ?? items[next % items.length]?.ref ?? NONE))
      }
      const objects = new Objects()
      for (const { ref, artifact } of items.filter((_, i) => i % 3 !== 0)) objects.add(ref, artifact)
      for (const { drop, at } of todo) {
        const item = items[at % items.length] as Item
        if (drop) objects.drop(item.ref)
        else objects.add(item.ref, item.artifact)
        for (const { ref } of items) agree(objects, ref)
        agree(objects, NONE)
      }
    }))
  })

  test('a lane is found in a chain of any number of lists', () => {
    const objects = new Objects()
    const all = lanes.map((_, i) => cut(i, 'y'))
    let next: Reference = NONE
    for (const c of [...all].reverse()) {
      const item = listOf([c], next)
      objects.add(item.ref, item.artifact)
      const { cuts } = walkCuts(objects, next = item.ref)
      for (const [i, probe] of all.entries()) if (i % 7 === 0) expect(cuts.get(probe.lane)).toEqual(probe.lane < c.lane ? undefined : probe)
    }
  })

  test('a list to which many lead is held once, also when it was dropped and the others were not', () => {
    const objects = new Objects()
    const tail = listOf([cut(300, 'z'), cut(301, 'z')], NONE)
    objects.add(tail.ref, tail.artifact)
    const heads = Array.from({ length: 20 }, (_, i) => listOf([cut(i, 'z')], tail.ref))
    const other = listOf([cut(5, 'other')], NONE)
    for (const { ref, artifact } of [...heads, other]) objects.add(ref, artifact)
    const of = (): ReturnType<typeof walkCuts>['cuts'][] => heads.map((h) => walkCuts(objects, h.ref).cuts)
    const before = of()
    expect([...cutsOnce(before)]).toHaveLength(heads.length + 2)
    objects.drop(other.ref)
    expect(of().every((cuts, i) => cuts === before[i])).toBe(true)
  })
})
