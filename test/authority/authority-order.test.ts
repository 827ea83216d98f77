/** R5: same held artifacts, same verdicts, whatever the order; and `rejected` never changes as more arrives. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AuthorityObjects } from '../../src/authority/authority-store.js'
import { resolveAuthority } from '../../src/authority/manifest-chain.js'
import type { Reference } from '../../src/substrate/reference.js'
import { type Item, makeDomain, refFrom, summary, type TestDomain, testKey } from '../helpers/authority-fixtures.js'

interface Step { readonly what: number, readonly on: number, readonly under: number, readonly flaw: number }

const step = fc.record({ what: fc.nat(9), on: fc.nat(1000), under: fc.nat(1000), flaw: fc.nat(9) })
const KEYS = [testKey('p0'), testKey('p1'), testKey('p2')]

/** A random world: honest work, thieves on any branch, forks, bases anywhere, faults. */
function world (steps: readonly Step[]): TestDomain {
  const d = makeDomain({ seed: 'world', roots: 2, threshold: 2, principals: KEYS.map((key) => ({ key })) })
  const entries = [d.domain]
  const manifests = [d.tip]
  const pick = (from: Reference[], n: number): Reference => from[n % from.length] as Reference
  for (const { what, on, under, flaw } of steps) {
    if (what === 0) entries.push(d.rotate({ after: pick(entries, on), base: pick(manifests, under), ...(flaw === 0 ? { signers: [] } : {}) }).ref)
    else if (what <= 2) entries.push(d.renew({ after: pick(entries, on), base: pick(manifests, under), ...(flaw === 0 ? { entry: { salt: refFrom('salt').slice(4) } } : {}) }).ref)
    else {
      const after = flaw < 3 ? pick(manifests, on) : manifests.at(-1) as Reference
      const closed = what === 3 ? [KEYS[on % 3] as typeof KEYS[0]] : []
      const principals = d.principals(after).filter((p) => !(what === 4 && p.key === KEYS[under % 3]))
      if (principals.length === 0) continue
      const cuts = what === 5 ? [{ lane: refFrom(`lane ${on % 4}`), snapshot: refFrom(`head ${under % 4}`), ends: on % 2 === 0 }] : []
      manifests.push(d.manifest({
        after, under: flaw < 3 ? pick(entries, under) : entries.at(-1) as Reference, principals, closed: what === 4 && flaw > 1 ? KEYS : closed, cuts, ...(flaw === 9 ? { signer: false } : {})
      }).ref)
    }
  }
  return d
}

function order<T> (items: readonly T[], seed: number): T[] {
  let state = seed >>> 0
  const out = [...items]
  for (let i = out.length - 1; i > 0; i--) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    const j = state % (i + 1)
    ;[out[i], out[j]] = [out[j] as T, out[i] as T]
  }
  return out
}

const refs = (items: readonly Item[]): Set<Reference> => new Set(items.map((i) => i.ref))

describe('R5', () => {
  it('the order of arrival never shows, and what is final stays', () => {
    fc.assert(fc.property(fc.array(step, { minLength: 1, maxLength: 12 }), fc.nat(), (steps, seed) => {
      const d = world(steps)
      const held = refs(d.items)
      const expected = summary(d.authority(), held)
      const objects = new AuthorityObjects(d.domain)
      const final = new Map<Reference, string>()
      order([...d.items, ...d.items.slice(0, 5)], seed).forEach(({ ref, artifact }, i) => {
        objects.add(ref, artifact)
        if (i % 7 !== 0) return
        // Asking midway must not leave anything behind that changes later answers.
        const authority = resolveAuthority(objects, d.domain)
        for (const at of [...objects.rootEntries.keys(), ...objects.manifests.keys()]) {
          const verdict = authority.verdictOf(at)
          const text = JSON.stringify(verdict)
          if (final.has(at)) expect(text).toBe(final.get(at))
          else if (verdict.status === 'rejected') final.set(at, text)
        }
      })
      expect(summary(resolveAuthority(objects, d.domain), held)).toEqual(expected)
      expect(objects.relevant(d.domain)).toEqual(d.objects().relevant(d.domain))
    }), { numRuns: 50 })
  })

  it('the worlds tried reach forks, orphans and rejections', () => {
    const seen = new Set<string>()
    fc.assert(fc.property(fc.array(step, { minLength: 8, maxLength: 12 }), (steps) => {
      const d = world(steps)
      const authority = d.authority()
      seen.add(authority.state)
      for (const ref of refs(d.items)) seen.add(authority.verdictOf(ref).code)
    }), { numRuns: 40, seed: 7 })
    for (const code of ['ok', 'root-forked', 'authority-forked', 'deferred', 'orphaned', 'root-orphaned', 'reduction-without-cut', 'previous-out-of-place', 'signature-missing', 'base-invalid']) {
      expect([...seen]).toContain(code)
    }
  })

  it('a stolen root_key and stolen live roots never beat the owner\'s rotate', () => {
    fc.assert(fc.property(fc.array(step, { maxLength: 10 }), fc.nat(), (steps, seed) => {
      const d = makeDomain({ seed: 'owner', principals: KEYS.map((key) => ({ key })) })
      const base = d.tip
      const [start, entries, manifests] = [d.entry, [d.entry], [base]]
      for (const { what, on, under } of steps) {
        if (what < 3) entries.push(d.renew({ after: entries[on % entries.length] as Reference, base: manifests[under % manifests.length] as Reference }).ref)
        else manifests.push(d.manifest({ after: manifests[on % manifests.length] as Reference, under: entries[under % entries.length] as Reference, closed: KEYS.slice(0, 1) }).ref)
      }
      d.rotate({ after: start, base })
      const mine = d.manifest({ after: base }).ref
      const authority = d.authority(order(d.items, seed))
      expect(authority).toMatchObject({ state: 'ok', epoch: 1, tip: mine })
      expect(authority.onChain.map((m) => m.ref)).toEqual([base, mine])
    }), { numRuns: 40 })
  })
})
