/** /diad/admit/1 without a network: whose nonce counts where, what an answer may tell, and what a flood costs (D1, L2, V6; THREATS 19, 23). */
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Brought } from '../../src/authority/admission-brought.js'
import { type AdmissionRequest, admissionRequestCodec } from '../../src/authority/admission-objects.js'
import type { DomainKnowledge } from '../../src/authority/knowledge.js'
import { AdmissionExchange, requestMessage } from '../../src/federation/admission-exchange.js'
import { type AdmitAnswer, admitAnswerWire, type AdmitQuestion, admitQuestionWire, MAX_BROUGHT } from '../../src/federation/admission-messages.js'
import type { Report } from '../../src/federation/effects.js'
import type { Artifact } from '../../src/substrate/artifact.js'
import type { Reference } from '../../src/substrate/reference.js'
import { signatureCodec } from '../../src/substrate/signature.js'
import { digestFrom, makeDomain, refFrom, signed, type TestDomain, testKey } from '../helpers/authority-fixtures.js'
import { codeOf, codeThrown } from '../helpers/code-of.js'
import { knowledgeOf } from '../helpers/lanes.js'

const BOB = refFrom('bob')
const alice = makeDomain({ seed: 'alice' })

/** What an applicant makes of a nonce, or a thief. */
interface Made { readonly request: AdmissionRequest, readonly signature: Artifact, readonly objects: readonly Artifact[] }

function make (nonce: string, { of = alice, fields = {}, key = of.rootKey(), purpose = 'admission-request' as const, objects = of.items.map((i) => i.artifact), target }: {
  of?: TestDomain, fields?: Partial<AdmissionRequest>, key?: ReturnType<typeof testKey>, purpose?: 'admission-request' | 'manifest', objects?: readonly Artifact[], target?: Reference
} = {}): Made {
  const request: AdmissionRequest = { applicant: of.domain, root_entry: of.entry, manifest: of.tip, requested_scope: ['docs'], receiver: BOB, nonce, ...fields }
  return { request, signature: signed(key, purpose, target ?? admissionRequestCodec.reference(request)).artifact, objects }
}

/** A receiver, with its peers played by the test. */
class Receiver {
  readonly taken: Array<{ readonly brought: Brought, readonly peer: string }> = []
  readonly reports: Report[] = []
  readonly blamed: string[] = []
  readonly answers: Array<[string, AdmitAnswer]> = []
  shows = true
  private count = 0
  readonly exchange: AdmissionExchange

  constructor (held?: DomainKnowledge) {
    this.exchange = new AdmissionExchange({
      random: () => digestFrom(`nonce ${++this.count}`),
      send: (peer, direction, bytes) => {
        expect(direction).toBe('response')
        this.answers.push([peer, admitAnswerWire.decode(bytes)])
      },
      held: async (domain) => held?.domain === domain ? held : undefined,
      shows: () => this.shows,
      blame: (peer, code) => { this.blamed.push(`${peer} ${code}`) },
      report: (report) => { this.reports.push(report) },
      trouble: (err) => { throw err }
    })
    this.exchange.room = {
      receiver: BOB,
      isFull: () => false,
      brought: (applicant) => this.taken.flatMap(({ brought: b }) => b.request.applicant === applicant ? b.objects : []),
      take: async (brought, peer) => {
        this.taken.push({ brought, peer })
        return 'received'
      }
    }
  }

  up (...peers: string[]): this {
    for (const peer of peers) this.exchange.onPeer(peer, true)
    return this
  }

  frame (peer: string, bytes: Uint8Array): void {
    this.exchange.onFrame(peer, 'request', bytes)
  }

  async ask (peer: string, question: AdmitQuestion): Promise<AdmitAnswer | undefined> {
    const before = this.answers.length
    this.frame(peer, admitQuestionWire.encode(question))
    await this.exchange.idle()
    return this.answers[before]?.[1]
  }

  async nonce (peer: string, receiver = BOB): Promise<string> {
    const answer = await this.ask(peer, { t: 'challenge', id: 1, receiver })
    if (answer?.t !== 'challenge-answer') return 'none'
    return answer.status === 'nonce' ? answer.nonce : answer.status
  }

  async bring (peer: string, { request, signature, objects }: Made): Promise<string> {
    const answer = await this.ask(peer, { ...requestMessage(admissionRequestCodec.artifact(request), signature, objects), id: 2 })
    return answer?.t === 'request-answer' ? answer.code : 'none'
  }
}

test('a request made with the nonce of its own connection waits for a person, with what it needs and nothing else', async () => {
  const bob = new Receiver().up('a')
  const junk = signed(testKey('junk'), 'manifest', refFrom('junk')).artifact
  const made = make(await bob.nonce('a'), { objects: [junk, ...alice.items.map((i) => i.artifact)] })
  expect(await bob.bring('a', made)).toBe('received')
  expect(bob.taken).toMatchObject([{ peer: 'a', brought: { request: made.request } }])
  expect(bob.taken[0]?.brought.objects).not.toContainEqual(junk)
  expect(bob.reports).toEqual([{ kind: 'admission-request', peer: 'a', domain: alice.domain, request: admissionRequestCodec.reference(made.request), scope: ['docs'] }])
  expect(bob.blamed).toEqual([])
})

/** Everything here is refused, and whoever asks so has proved nothing. */
const REFUSED: ReadonlyArray<[string, string, (bob: Receiver) => Promise<string>]> = [
  ['request-invalid', 'made without any challenge', async (bob) => await bob.bring('a', make(digestFrom('made up')))],
  ['request-invalid', 'for another receiver: a challenge that was passed on', async (bob) => await bob.bring('a', make(await bob.nonce('a'), { fields: { receiver: refFrom('carol') } }))],
  ['request-invalid', 'of the receiver itself', async (bob) => await bob.bring('a', make(await bob.nonce('a'), { fields: { applicant: BOB } }))],
  ['request-invalid', 'with a nonce that another connection was given', async (bob) => {
    const stolen = await bob.nonce('a')
    await bob.nonce('b')
    return await bob.bring('b', make(stolen))
  }],
  ['request-invalid', 'with a nonce of the connection before', async (bob) => {
    const old = await bob.nonce('a')
    bob.exchange.onPeer('a', false)
    bob.up('a')
    return await bob.bring('a', make(old))
  }],
  ['request-invalid', 'with a nonce that a newer one replaced', async (bob) => {
    const old = await bob.nonce('a')
    await bob.nonce('a')
    return await bob.bring('a', make(old))
  }],
  ['request-invalid', 'the second on one nonce, after one that failed', async (bob) => {
    const nonce = await bob.nonce('a')
    await bob.bring('a', make(nonce, { purpose: 'manifest' }))
    return await bob.bring('a', make(nonce))
  }],
  ['bad-signature', 'signed over another request', async (bob) => await bob.bring('a', make(await bob.nonce('a'), { target: refFrom('other') }))],
  ['bad-signature', 'signed for another purpose', async (bob) => await bob.bring('a', make(await bob.nonce('a'), { purpose: 'manifest' }))],
  ['request-invalid', 'signed by a key that isn\'t the manifest\'s', async (bob) => await bob.bring('a', make(await bob.nonce('a'), { key: testKey('mallory') }))],
  ['request-invalid', 'signed by a principal', async (bob) => await bob.bring('a', make(await bob.nonce('a'), { key: alice.principals()[0]!.key }))],
  ['unknown-domain', 'that brings nothing along', async (bob) => await bob.bring('a', make(await bob.nonce('a'), { objects: [] }))],
  ['unknown-domain', 'that brings another domain along', async (bob) => await bob.bring('a', make(await bob.nonce('a'), { objects: makeDomain({ seed: 'other' }).items.map((i) => i.artifact) }))],
  ['manifest-missing', 'that leaves the manifest out which it names', async (bob) => await bob.bring('a', make(await bob.nonce('a'), { fields: { manifest: refFrom('none') } }))]
]

describe('a request is refused', () => {
  test.each(REFUSED)('%s: %s', async (code, _, run) => {
    const bob = new Receiver().up('a', 'b')
    expect(await run(bob)).toBe(code)
    expect(bob.taken).toEqual([])
    expect(bob.reports).toEqual([])
  })

  test('V6: in the same words whether the domain is known here or not, and whatever is known of it', async () => {
    const later = makeDomain({ seed: 'alice' })
    const after = later.tip
    later.manifest()
    later.manifest({ after, closed: [later.principals()[0]!.key] })
    for (const [code, what, run] of REFUSED) for (const held of [knowledgeOf(alice), knowledgeOf(later)]) expect([what, await run(new Receiver(held).up('a', 'b'))]).toEqual([what, code])
  })

  test('by what is known here once the asker has proved that the domain is its own: a key of an epoch that is over', async () => {
    const renewed = makeDomain({ seed: 'alice' })
    renewed.renew()
    renewed.manifest()
    const bob = new Receiver(knowledgeOf(renewed)).up('a')
    expect(await bob.bring('a', make(await bob.nonce('a')))).toBe('root-orphaned')
    expect(bob.taken).toEqual([])
  })

  test('by what the request that waits brought along: whoever stole the key of an epoch that is over can\'t take its place', async () => {
    const renewed = makeDomain({ seed: 'alice' })
    renewed.renew()
    renewed.manifest()
    const bob = new Receiver().up('a', 'thief')
    expect(await bob.bring('a', make(await bob.nonce('a'), { of: renewed }))).toBe('received')
    expect(await bob.bring('thief', make(await bob.nonce('thief')))).toBe('root-orphaned')
    // The other way round the newer epoch takes the place.
    const other = new Receiver().up('a', 'thief')
    expect(await other.bring('thief', make(await other.nonce('thief')))).toBe('received')
    expect(await other.bring('a', make(await other.nonce('a'), { of: renewed }))).toBe('received')
    expect([bob.taken.length, other.taken.length]).toEqual([1, 2])
  })

  test('the very same request a second time', async () => {
    const bob = new Receiver().up('a')
    const made = make(await bob.nonce('a'))
    expect([await bob.bring('a', made), await bob.bring('a', made)]).toEqual(['received', 'request-invalid'])
    expect(bob.taken.length).toBe(1)
  })
})

test('nothing is handed out or taken without a room, for another domain, for a restricted one, or to who isn\'t connected', async () => {
  const bob = new Receiver().up('a')
  expect(await bob.nonce('a', refFrom('carol'))).toBe('not-taken')
  expect(await bob.nonce('stranger')).toBe('none')
  const nonce = await bob.nonce('a')
  bob.shows = false
  expect([await bob.nonce('a'), await bob.bring('a', make(nonce))]).toEqual(['not-taken', 'not-taken'])
  bob.shows = true
  bob.exchange.room = undefined
  expect([await bob.nonce('a'), await bob.bring('a', make(nonce))]).toEqual(['not-taken', 'not-taken'])
  expect(bob.taken).toEqual([])
})

test('only the newest nonce of a connection counts there, once, whatever peers do in whatever order', async () => {
  type Step = readonly ['challenge' | 'again', string] | readonly ['bring', string, number]
  const peer = fc.constantFrom('a', 'b', 'c')
  const step: fc.Arbitrary<Step> = fc.oneof(fc.tuple(fc.constantFrom('challenge' as const, 'again' as const), peer), fc.tuple(fc.constant('bring' as const), peer, fc.nat(8)))
  await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 14 }), async (steps) => {
    const bob = new Receiver().up('a', 'b', 'c')
    const given: string[] = [digestFrom('never given')]
    const newest = new Map<string, string>()
    for (const [what, who, which] of steps) {
      if (what === 'challenge') {
        given.push(await bob.nonce(who))
        newest.set(who, given.at(-1) as string)
      } else if (what === 'again') {
        bob.exchange.onPeer(who, false)
        bob.up(who)
        newest.delete(who)
      } else {
        const nonce = given[(which ?? 0) % given.length] as string
        expect(await bob.bring(who, make(nonce))).toBe(newest.get(who) === nonce ? 'received' : 'request-invalid')
        newest.delete(who)
      }
    }
  }), { numRuns: 60 })
})

describe('bytes', () => {
  test('nothing but what the applicant signed is ever taken, whichever bits change on the way', async () => {
    const honest = new Receiver().up('a')
    const made = make(await honest.nonce('a'))
    const frame = admitQuestionWire.encode({ ...requestMessage(admissionRequestCodec.artifact(made.request), made.signature, made.objects), id: 2 })
    await fc.assert(fc.asyncProperty(fc.nat(frame.length - 1), fc.integer({ min: 1, max: 255 }), async (at, bits) => {
      const bob = new Receiver().up('a')
      await bob.nonce('a')
      const bytes = frame.slice()
      bytes[at] = (bytes[at] as number) ^ bits
      bob.frame('a', bytes)
      await bob.exchange.idle()
      for (const { brought } of bob.taken) expect(brought.request).toEqual(made.request)
    }), { numRuns: 150 })
  })

  test('malformed ones cost points, as in every protocol; too many objects are malformed', async () => {
    const bob = new Receiver().up('a')
    const { request, signature } = make(await bob.nonce('a'))
    const message = requestMessage(admissionRequestCodec.artifact(request), signature, [])
    const big = message.signature
    expect(() => admitQuestionWire.encode({ ...message, id: 1, objects: Array.from({ length: MAX_BROUGHT + 1 }, () => big) })).toThrow(/0 to 1024 items/)
    bob.frame('a', new Uint8Array([0xff]))
    bob.frame('a', new Uint8Array(5 * 1024 * 1024))
    bob.frame('a', admitQuestionWire.encode({ ...message, id: 1, signature: message.request }))
    bob.frame('a', admitQuestionWire.encode({ ...message, id: 1, request: new Uint8Array(9).fill(7) }))
    bob.exchange.onFrame('a', 'response', new Uint8Array([0xff]))
    expect(bob.blamed).toEqual(Array(5).fill('a malformed'))
    expect(bob.answers.length).toBe(1)
    expect(bob.reports).toEqual(Array(5).fill({ kind: 'malformed', peer: 'a' }))
  })

  test('what doesn\'t fit is said to the applicant before anybody is asked', () => {
    const { request, signature } = make(digestFrom('n'))
    const artifact = admissionRequestCodec.artifact(request)
    expect(codeThrown(() => requestMessage(artifact, signature, Array(MAX_BROUGHT + 1).fill(signature) as Artifact[]))).toBe('request-too-large')
    expect(codeThrown(() => requestMessage(artifact, signature, Array(4).fill({ typeTag: 1, payload: new Uint8Array(1024 * 1024) }) as Artifact[]))).toBe('request-too-large')
    expect(codeThrown(() => admitQuestionWire.encode({ ...requestMessage(artifact, signature, Array(MAX_BROUGHT).fill(signature) as Artifact[]), id: 1 }))).toBe('none')
  })
})

describe('a flood', () => {
  test('of PeerIds with good requests costs 16 judgements and then one a second; who comes too late may come again', async () => {
    const bob = new Receiver()
    bob.exchange.onTick(1000)
    const one = async (peer: string): Promise<string> => {
      bob.up(peer)
      return await bob.bring(peer, make(await bob.nonce(peer)))
    }
    const answered = (): Array<[string, string]> => bob.answers.flatMap(([peer, a]) => a.t === 'request-answer' ? [[peer, a.code] as [string, string]] : [])
    const codes: string[] = []
    for (let i = 0; i < 100; i++) codes.push(await one(`p${i}`))
    // Eight stand in line: nothing was said to them yet.
    expect(codes).toEqual([...Array(16).fill('received') as string[], ...Array(8).fill('none') as string[], ...Array(76).fill('busy') as string[]])
    bob.exchange.onTick(3500)
    await bob.exchange.idle()
    expect(answered().slice(-2).map(([, code]) => code)).toEqual(['received', 'received'])
    // Chance decided who of those that came too late stood there.
    const standing = Array.from({ length: 100 }, (_, i) => `p${i}`).filter((peer) => !answered().some(([to]) => to === peer))
    expect(standing.length).toBe(6)
    bob.exchange.onPeer(standing[0] as string, false)
    expect([await one('x'), await one('y'), await one('z'), await one('late')]).toEqual(['none', 'none', 'none', 'busy'])
    bob.exchange.onTick(10_000_000)
    await bob.exchange.idle()
    // Whoever stood there for too long has gone.
    expect(answered().slice(-9).map(([, code]) => code)).toEqual(Array(9).fill('busy'))
    expect(new Set(answered().slice(-9).map(([peer]) => peer))).toEqual(new Set([...standing.slice(1), 'x', 'y', 'z', 'late']))
    for (let i = 0; i < 16; i++) expect(await one(`q${i}`)).toBe('received')
    expect(await one('late')).toBe('none')
  })

  test.each([['have no place left in the room', 2], ['find a place each time', Infinity]])('of a few peers within their budgets (a frame a second each) that %s leaves an honest one its turn', async (_, places) => {
    const flood = Array.from({ length: 12 }, (__, i) => `flood ${i}`)
    const bob = new Receiver().up(...flood)
    const of = (peer: string): number => bob.taken.filter((t) => t.peer === peer).length
    const { room } = bob.exchange
    if (room === undefined) throw new Error('no room')
    bob.exchange.room = { ...room, isFull: (peer) => of(peer) >= places, brought: () => [] }
    let now = 0
    for (let s = 0; s < 120; s++) {
      bob.exchange.onTick(now += 1000)
      for (const [i, peer] of flood.entries()) if (i % 2 === s % 2) await bob.bring(peer, make(await bob.nonce(peer)))
      if (s % 30 !== 29) continue
      const honest = `honest ${s}`
      bob.up(honest)
      await bob.bring(honest, make(await bob.nonce(honest)))
      bob.exchange.onTick(now += 1000)
      await bob.exchange.idle()
      expect([s, of(honest)]).toEqual([s, 1])
    }
    for (const peer of flood) expect(of(peer)).toBeGreaterThan(1)
  })

  test('of peers that come again under new names doesn\'t keep an honest one out for ever', async () => {
    const bob = new Receiver().up('honest')
    const had = new Map<string, number>()
    bob.exchange.room = {
      receiver: BOB,
      isFull: (peer) => (had.get(peer) ?? 0) >= 2,
      brought: () => [],
      take: async (brought, peer) => {
        had.set(peer, (had.get(peer) ?? 0) + 1)
        bob.taken.push({ brought, peer })
        return 'received'
      }
    }
    const names: string[] = []
    for (let s = 1; s <= 120 && !had.has('honest'); s++) {
      bob.exchange.onTick(s * 1000)
      await bob.exchange.idle()
      for (let n = 0; n < (s === 1 ? 30 : 2); n++) {
        const peer = `flood ${names.push('')}`
        bob.up(peer)
        await bob.bring(peer, make(await bob.nonce(peer)))
      }
      if (s % 10 === 9) await bob.bring('honest', make(await bob.nonce('honest')))
    }
    expect(had.has('honest')).toBe(true)
  })

  test('of requests without a nonce, or badly signed, takes nothing from others', async () => {
    const bob = new Receiver().up('a', 'b')
    for (let i = 0; i < 100; i++) await bob.bring('a', make(i % 2 === 0 ? digestFrom('x') : await bob.nonce('a'), i % 2 === 0 ? {} : { purpose: 'manifest' }))
    expect(bob.blamed.length).toBe(100)
    expect(await bob.bring('b', make(await bob.nonce('b')))).toBe('received')
  })

  test('of a peer that has no place left takes nothing from others', async () => {
    const bob = new Receiver().up('full')
    bob.exchange.room = { receiver: BOB, brought: () => [], take: async () => 'received', isFull: (peer, applicant) => peer === 'full' && applicant === alice.domain }
    for (let i = 0; i < 40; i++) expect(await bob.bring('full', make(await bob.nonce('full')))).toBe('busy')
    for (let i = 0; i < 16; i++) expect(await bob.up(`p${i}`).bring(`p${i}`, make(await bob.nonce(`p${i}`)))).toBe('received')
  })

  test('of challenges keeps one nonce a peer, and none of who has gone', async () => {
    const bob = new Receiver().up('a')
    for (let i = 0; i < 1000; i++) await bob.nonce('a')
    bob.exchange.onPeer('a', false)
    expect((bob.exchange as unknown as { peers: Map<string, string> }).peers.size).toBe(0)
  })
})

test('a room that fails is no reason to fall over: the asker may come again', async () => {
  const bob = new Receiver().up('a')
  const trouble: unknown[] = []
  const exchange = new AdmissionExchange({ ...bob.exchange['ports'], trouble: (err) => { trouble.push(err) } })
  exchange.onPeer('a', true)
  exchange.room = { receiver: BOB, isFull: () => false, brought: () => [], take: async () => { throw new Error('no disk') } }
  exchange.onFrame('a', 'request', admitQuestionWire.encode({ t: 'challenge', id: 1, receiver: BOB }))
  const given = bob.answers.at(-1)?.[1]
  const { request, signature, objects } = make(given?.t === 'challenge-answer' ? given.nonce : '')
  exchange.onFrame('a', 'request', admitQuestionWire.encode({ ...requestMessage(admissionRequestCodec.artifact(request), signature, objects), id: 2 }))
  await exchange.idle()
  expect(bob.answers.at(-1)?.[1]).toEqual({ t: 'request-answer', id: 2, code: 'busy' })
  expect(trouble).toEqual([new Error('no disk')])
})

describe('the applicant', () => {
  class Asker {
    readonly sent: AdmitQuestion[] = []
    readonly exchange = new AdmissionExchange({
      random: () => '', held: async () => undefined, shows: () => false, blame: () => undefined, report: () => undefined, trouble: () => undefined,
      send: (_peer, _direction, bytes) => { this.sent.push(admitQuestionWire.decode(bytes)) }
    })

    get id (): number {
      return this.sent.at(-1)?.id ?? 0
    }

    answer (peer: string, nonce: string, id = this.id): void {
      this.hear(peer, { t: 'challenge-answer', id, status: 'nonce', nonce })
    }

    hear (peer: string, answer: AdmitAnswer): void {
      this.exchange.onFrame(peer, 'response', admitAnswerWire.encode(answer))
    }
  }

  test('hears who it asked, for what it asked, once', async () => {
    const asker = new Asker()
    const asked = asker.exchange.ask('b', { t: 'challenge', receiver: BOB })
    asker.answer('mallory', digestFrom('evil'))
    asker.answer('b', digestFrom('evil'), 77)
    asker.hear('b', { t: 'request-answer', id: asker.id, code: 'received' })
    asker.answer('b', digestFrom('n'))
    asker.answer('b', digestFrom('evil'))
    expect(await asked).toMatchObject({ nonce: digestFrom('n') })
  })

  test('doesn\'t wait for ever', async () => {
    const asker = new Asker()
    const gone = codeOf(asker.exchange.ask('b', { t: 'challenge', receiver: BOB }))
    asker.exchange.onPeer('b', false)
    expect(await gone).toBe('peer-gone')
    const silent = codeOf(asker.exchange.ask('c', { t: 'challenge', receiver: BOB }))
    for (const now of [5000, 34_000, 36_000]) asker.exchange.onTick(now)
    expect(await silent).toBe('peer-timeout')
  })
})

test('signatures of requests are their own purpose', () => {
  expect(signatureCodec.from(make(digestFrom('n')).signature).purpose).toBe('admission-request')
})
