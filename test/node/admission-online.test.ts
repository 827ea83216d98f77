/** Requests for admission over real sockets, from peers that play foul; and the room in which they wait (D1; THREATS 19, 23, 25). */
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Brought } from '../../src/authority/admission-brought.js'
import { readBrought } from '../../src/authority/admission-brought.js'
import { type AdmissionRequest, admissionRequestCodec } from '../../src/authority/admission-objects.js'
import { requestMessage } from '../../src/federation/admission-exchange.js'
import { type AdmitAnswer, admitAnswerWire, type AdmitQuestion, admitQuestionWire } from '../../src/federation/admission-messages.js'
import type { Report } from '../../src/federation/effects.js'
import { removeWaiting, ROOM, waitingPath, WaitingRoom, waits } from '../../src/node/admission/waiting.js'
import { type Home, openHome } from '../../src/node/home/home.js'
import { createHost, type Host, newHostKey } from '../../src/node/host/index.js'
import { Network } from '../../src/node/network.js'
import { Runtime } from '../../src/node/runtime.js'
import type { Reference } from '../../src/substrate/reference.js'
import { signatureCodec } from '../../src/substrate/signature.js'
import { digestFrom, makeDomain, signed, type TestDomain } from '../helpers/authority-fixtures.js'
import { codeOf } from '../helpers/code-of.js'
import { Homes } from '../helpers/homes.js'

let homes: Homes
let home: Home
let runtime: Runtime
let network: Network
let bob: Reference
const reports: Report[] = []
const peers: Peer[] = []

beforeAll(async () => {
  homes = new Homes('admission-online')
  bob = (await homes.run('bob', 'init', { name: 'bob' })).domain as Reference
  home = openHome(homes.at('bob'), { create: false })
  runtime = await Runtime.open(home.paths.store, false)
  network = await Network.start({ home, runtime, listen: ['/ip4/127.0.0.1/tcp/0'], bootstrap: [], mdns: false, dht: false, autoMirror: false })
  runtime.admission.room = new WaitingRoom(home, bob)
  runtime.onReport((r) => { reports.push(r) })
})
afterAll(async () => {
  for (const peer of peers) await peer.host.stop()
  await network.stop()
  await runtime.close()
  homes.remove()
})

const folder = (): string[] => existsSync(homes.at('bob', 'admission-requests')) ? readdirSync(homes.at('bob', 'admission-requests')).sort() : []

function make (of: TestDomain, nonce: string, fields: Partial<AdmissionRequest> = {}): Brought {
  const request: AdmissionRequest = { applicant: of.domain, root_entry: of.entry, manifest: of.tip, requested_scope: ['docs'], receiver: bob, nonce, ...fields }
  return readBrought(admissionRequestCodec.artifact(request), signed(of.rootKey(), 'admission-request', admissionRequestCodec.reference(request)).artifact, of.items.map((i) => i.artifact))
}

/** A node of our protocols that says what the test says. */
class Peer {
  private constructor (readonly host: Host, private readonly hear: { answer: (a: AdmitAnswer) => void }) {}

  static async start (): Promise<Peer> {
    const hear = { answer: (_: AdmitAnswer): void => undefined }
    const host = createHost({ privateKey: await newHostKey(), listen: [], mdns: false, events: { onFrame: (_peer, protocol, direction, bytes) => { if (protocol === 'admit' && direction === 'response') hear.answer(admitAnswerWire.decode(bytes)) } } })
    await host.start()
    const peer = new Peer(host, hear)
    peers.push(peer)
    await peer.dial()
    return peer
  }

  async dial (): Promise<void> {
    await this.host.dial(network.host.addresses()[0] as string)
  }

  async ask (question: AdmitQuestion): Promise<AdmitAnswer> {
    const answer = new Promise<AdmitAnswer>((resolve) => { this.hear.answer = resolve })
    expect(this.host.send(network.host.peerId, 'admit', 'request', admitQuestionWire.encode(question))).toBe(true)
    return await answer
  }

  async nonce (): Promise<string> {
    const answer = await this.ask({ t: 'challenge', id: 1, receiver: bob })
    return answer.t === 'challenge-answer' ? answer.nonce : ''
  }

  async bring (brought: Brought): Promise<string> {
    const answer = await this.ask({ ...requestMessage(admissionRequestCodec.artifact(brought.request), signatureCodec.artifact(brought.signature), brought.objects), id: 2 })
    return answer.t === 'request-answer' ? answer.code : ''
  }
}

test('THREATS 19: a challenge counts on its own connection; a peer in between can carry a request, and turn it into nothing else', async () => {
  const alice = makeDomain({ seed: 'carried' })
  const [a, mallory] = [await Peer.start(), await Peer.start()]
  const nonce = await a.nonce()
  // Seen by mallory, who has a nonce of its own as well.
  await mallory.nonce()
  expect(await mallory.bring(make(alice, nonce))).toBe('request-invalid')
  expect(await a.bring(make(alice, nonce, { receiver: alice.domain }))).toBe('request-invalid')
  // Gone and back: what was handed out before is worth nothing.
  const old = await a.nonce()
  await network.host.disconnect(a.host.peerId)
  await expect.poll(() => a.host.peers()).toEqual([])
  await a.dial()
  expect(await a.bring(make(alice, old))).toBe('request-invalid')
  expect(folder()).toEqual([])
  // Alice asked mallory, taking it for a node of bob's, and signed for bob: bob gets what she signed.
  const carried = make(alice, await mallory.nonce())
  expect(await mallory.bring(carried)).toBe('received')
  expect(folder()).toEqual([`${carried.ref}.json`])
  expect(reports.filter((r) => r.kind === 'admission-request')).toEqual([{ kind: 'admission-request', peer: mallory.host.peerId, domain: alice.domain, request: carried.ref, scope: ['docs'] }])
})

test('a peer brings two domains\' requests and no more; a domain that asks anew takes its own place', async () => {
  const [one, two, three] = ['one', 'two', 'three'].map((seed) => makeDomain({ seed })) as [TestDomain, TestDomain, TestDomain]
  const peer = await Peer.start()
  const before = folder().length
  const first = make(one, await peer.nonce())
  expect([await peer.bring(first), await peer.bring(make(two, await peer.nonce()))]).toEqual(['received', 'received'])
  expect(folder().length).toBe(before + 2)
  const held = folder()
  expect(await peer.bring(make(three, await peer.nonce()))).toBe('busy')
  expect(folder()).toEqual(held)
  const newer = make(one, await peer.nonce(), { requested_scope: [''] })
  expect(await peer.bring(newer)).toBe('received')
  expect([waits(home, first.ref), waits(home, newer.ref), folder().length]).toEqual([false, true, before + 2])
  expect(await (await Peer.start()).bring(make(three, digestFrom('none')))).toBe('request-invalid')
})

test('the key of an epoch that is over takes no place away: what waits is known too', async () => {
  const alice = makeDomain({ seed: 'renewed' })
  const [honest, thief] = [await Peer.start(), await Peer.start()]
  const stolen = await thief.nonce()
  const old = make(alice, stolen)
  alice.renew()
  alice.manifest()
  const waiting = make(alice, await honest.nonce())
  expect(await honest.bring(waiting)).toBe('received')
  expect(await thief.bring(old)).toBe('root-orphaned')
  expect([waits(home, waiting.ref), waits(home, old.ref)]).toEqual([true, false])
})

test('a peer that sends what is malformed is put out, and others go on being heard', async () => {
  const [bad, good] = [await Peer.start(), await Peer.start()]
  // 25 points each, and they fade.
  for (let i = 0; i < 5; i++) bad.host.send(network.host.peerId, 'admit', 'request', new Uint8Array([i]))
  await expect.poll(() => network.host.peers().includes(bad.host.peerId), { timeout: 5000 }).toBe(false)
  await bad.dial().catch(() => undefined)
  expect(network.host.peers()).not.toContain(bad.host.peerId)
  expect(reports.filter((r) => r.kind === 'malformed' && r.peer === bad.host.peerId).length).toBe(5)
  expect(await good.nonce()).toMatch(/^[0-9a-f]{64}$/)
})

test('THREATS 23: the room holds 64 requests and their bytes, over restarts too, and forgets what a person removes', async () => {
  const other = openHome(homes.at('other'), { create: 'reader' })
  const made = Array.from({ length: ROOM.requests + 1 }, (_, i) => make(makeDomain({ seed: `sybil ${i}` }), digestFrom(`n ${i}`)))
  const room = new WaitingRoom(other, bob)
  for (const [i, brought] of made.slice(0, ROOM.requests).entries()) expect(await room.take(brought, `peer ${i}`)).toBe('received')
  const last = made[ROOM.requests] as Brought
  expect(await room.take(last, 'late')).toBe('busy')
  // A full room says nothing of whose requests wait in it: only a peer's own places count before it has proved anything (V6).
  const [domains, two] = [made.slice(0, 3).map((m) => m.request.applicant), new WaitingRoom(openHome(homes.at('two'), { create: 'reader' }), bob)] as const
  for (const brought of made.slice(0, 2)) expect([two.isFull('p', brought.request.applicant), await two.take(brought, 'p')]).toEqual([false, 'received'])
  expect([...domains.map((d) => two.isFull('p', d)), ...domains.map((d) => two.isFull('q', d)), room.isFull('late', last.request.applicant)]).toEqual([false, false, true, false, false, false, false])
  expect([two.brought(domains[0] as Reference).length > 0, two.brought(domains[2] as Reference)]).toEqual([true, []])
  const again = new WaitingRoom(other, bob)
  expect(await again.take(last, 'late')).toBe('busy')
  // Whoever waits may ask anew, and a place that becomes free is free.
  const [first] = made as [Brought]
  expect(await again.take(make(makeDomain({ seed: 'sybil 0' }), digestFrom('anew')), 'peer 0')).toBe('received')
  expect(waits(other, first.ref)).toBe(false)
  writeFileSync(waitingPath(other, (made[1] as Brought).ref), '{')
  expect(await again.take(last, 'late')).toBe('busy')
  removeWaiting(other, (made[1] as Brought).ref)
  expect(await again.take(last, 'late')).toBe('received')
  const big = { ...last, objects: Array.from({ length: 40 }, () => ({ typeTag: 1, payload: new Uint8Array(1024 * 1024) })) }
  expect(await again.take(big, 'late')).toBe('busy')
})

test('THREATS 25: what a node says that takes the request is its own word, and never ends the applicant well but by `received`', async () => {
  await homes.run('alice', 'init', { name: 'alice' })
  const liar = createHost({
    privateKey: await newHostKey(),
    listen: ['/ip4/127.0.0.1/tcp/0'],
    mdns: false,
    events: {
      onFrame: (peer, protocol, direction, bytes) => {
        if (protocol !== 'admit' || direction !== 'request') return
        const { id, t } = admitQuestionWire.decode(bytes)
        if (t === 'challenge' && says !== 'busy') liar.send(peer, 'admit', 'response', admitAnswerWire.encode({ t: 'challenge-answer', id, status: 'nonce', nonce: digestFrom('n') }))
        else if (t === 'challenge') liar.send(peer, 'admit', 'response', admitAnswerWire.encode({ t: 'challenge-answer', id, status: 'busy', nonce: digestFrom('n') }))
        else if (says === 'gone') void liar.disconnect(peer)
        else if (says === 'malformed') liar.send(peer, 'admit', 'response', new Uint8Array([1]))
        else if (says !== 'silence') liar.send(peer, 'admit', 'response', admitAnswerWire.encode({ t: 'request-answer', id, code: says }))
      }
    }
  })
  let says = ''
  await liar.start()
  try {
    const ask = async (what: string): Promise<string> => {
      says = what
      return await codeOf(homes.run('alice', 'admit request', { to: bob, scope: ['docs'], peers: liar.addresses(), timeoutSeconds: 2 }))
    }
    for (const [what, code] of [
      ['received', 'none'], ['busy', 'busy'], ['root-orphaned', 'root-orphaned'], ['not-taken', 'not-taken'], ['accepted', 'request-refused'],
      ['superseded', 'request-refused'], ['\u001b[31mevil', 'request-refused'], ['gone', 'peer-gone'], ['malformed', 'wrong-answer'], ['silence', 'timeout']
    ] as const) expect([what, await ask(what)]).toEqual([what, code])
  } finally {
    await liar.stop()
  }
})
