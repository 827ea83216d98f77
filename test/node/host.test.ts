import { createServer, type Server } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { createHost, newHostKey, type Host, type HostEvents, type HostInit } from '../../src/node/host/index.js'
import { artifactHeader, encodeArtifact, referenceOf } from '../../src/substrate/artifact.js'
import type { Reference } from '../../src/substrate/reference.js'

const LOOPBACK = '/ip4/127.0.0.1/tcp/0'
const DOMAIN = referenceOf(undefined, new Uint8Array([1]))

const running: Array<{ stop: () => Promise<void> }> = []
afterEach(async () => {
  await Promise.all(running.splice(0).map((h) => h.stop()))
})

async function host (events: HostEvents = {}, init: Partial<HostInit> = {}): Promise<Host> {
  const made = createHost({ privateKey: await newHostKey(), listen: [LOOPBACK], mdns: false, events, ...init })
  running.push(made)
  await made.start()
  return made
}

function address (of: Host): string {
  const first = of.addresses()[0]
  if (first === undefined) throw new Error('no address')
  return first
}

/** A value that something else brings, once. */
function later<T> (): { promise: Promise<T>, resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => undefined
  const promise = new Promise<T>((r) => { resolve = r })
  return { promise, resolve }
}

function text (bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes)
}

function bytes (value: string): Uint8Array {
  return new TextEncoder().encode(value)
}

test('addresses end in the PeerId, and a peer is dialled with it or without', async () => {
  const [a, b, c] = await Promise.all([host(), host(), host()])
  expect(address(a)).toMatch(new RegExp(`^/ip4/127\\.0\\.0\\.1/tcp/[1-9]\\d*/p2p/${a.peerId}$`))
  expect(await b.dial(address(a))).toBe(a.peerId)
  expect(await c.dial(address(a).replace(/\/p2p\/.*/, ''))).toBe(a.peerId)
})

test('hello goes there and back on one stream, between connected and disconnected', async () => {
  const seen: string[] = []
  const answered = later<string>()
  const gone = later<undefined>()
  const a: Host = await host({
    onPeer: (_, event) => {
      seen.push(`a ${event}`)
      if (event === 'disconnected') gone.resolve(undefined)
    },
    onFrame: (peer, protocol, direction, frame) => {
      seen.push(`a ${protocol} ${direction}`)
      expect(a.send(peer, protocol, 'response', bytes(`${text(frame)} yourself`))).toBe(true)
    }
  })
  const b = await host({
    onPeer: (_, event) => { seen.push(`b ${event}`) },
    onFrame: (_, protocol, direction, frame) => answered.resolve(`${protocol} ${direction} ${text(frame)}`)
  })
  const peer = await b.dial(address(a))
  expect(a.send(b.peerId, 'hello', 'response', bytes('nobody asked'))).toBe(false)
  expect(b.send(peer, 'hello', 'request', bytes('hello'))).toBe(true)
  expect(await answered.promise).toBe('hello response hello yourself')
  await b.disconnect(peer)
  await gone.promise
  expect(seen.filter((s) => s.startsWith('a'))).toEqual(['a connected', 'a hello request', 'a disconnected'])
  expect(b.send(peer, 'hello', 'request', bytes('hello'))).toBe(false)
})

test('1,000 sync requests are pipelined on one stream, in order, of all sizes', async () => {
  const N = 1000
  const size = (i: number): number => i % 100 === 99 ? 300_000 : i * 7 % 3000
  const got: number[] = []
  const done = later<undefined>()
  const a: Host = await host({ onFrame: (peer, protocol, _, frame) => { a.send(peer, protocol, 'response', frame) } })
  const b = await host({
    onFrame: (_, __, ___, frame) => {
      got.push(frame.length)
      if (got.length === N) done.resolve(undefined)
    }
  })
  const peer = await b.dial(address(a))
  for (let i = 0; i < N; i++) expect(b.send(peer, 'sync', 'request', new Uint8Array(size(i)).fill(i))).toBe(true)
  await done.promise
  expect(got).toEqual(Array.from({ length: N }, (_, i) => size(i)))
})

test('blocks are fetched in windows, from one path for all that is absent', async () => {
  const store = new Map<Reference, Uint8Array>()
  const refs: Reference[] = []
  for (let i = 0; i < 2000; i++) {
    const payload = new Uint8Array(i % 500 === 0 ? 1024 * 1024 : i % 50 === 0 ? 100_000 : 20 + i).fill(i)
    const ref = referenceOf(undefined, payload)
    refs.push(ref)
    if (i % 7 !== 3) store.set(ref, encodeArtifact({ typeTag: undefined, payload }))
  }
  const asked: string[] = []
  const a = await host()
  a.serveBlocks(async (peer, domain, wanted) => {
    asked.push(`${peer} ${domain}`)
    return wanted.map((r) => store.get(r))
  })
  const b = await host()
  const peer = await b.dial(address(a))
  const got = new Map<Reference, Uint8Array>()
  const { missing } = await b.fetchBlocks(peer, DOMAIN, refs, (i, artifact) => { got.set(refs[i] as Reference, artifact.slice()) })
  expect(missing).toEqual(refs.filter((_, i) => i % 7 === 3))
  expect(got.size).toBe(store.size)
  for (const [ref, artifact] of got) {
    expect(referenceOf(undefined, artifact.subarray(artifactHeader(undefined, 0).length))).toBe(ref)
  }
  expect(new Set(asked)).toEqual(new Set([`${b.peerId} ${DOMAIN}`]))
})

test('a slow consumer holds back the peer; a cancelled fetch leaves the stream usable; a lost peer rejects', async () => {
  const artifact = encodeArtifact({ typeTag: undefined, payload: new Uint8Array(256 * 1024) })
  const refs = Array.from({ length: 400 }, (_, i) => referenceOf(1, new Uint8Array([i, i >> 8])))
  let served = 0
  const a = await host()
  a.serveBlocks(async (_, __, wanted) => {
    served += wanted.length
    return wanted.map(() => artifact)
  })
  const b = await host({}, { limits: { holdBytes: 1024 * 1024 } })
  const peer = await b.dial(address(a))
  const first = later<undefined>()
  const release = later<undefined>()
  let most = 0
  let now = 0
  const slow = b.fetchBlocks(peer, DOMAIN, refs, async () => {
    most = Math.max(most, ++now)
    if (most === 4) first.resolve(undefined)
    await release.promise
    now--
  })
  await first.promise
  // 100 MiB are asked for; while nothing is taken, windows and queues of both ends fill and the server stops.
  for (let before = -1; before !== served;) {
    before = served
    await new Promise((resolve) => { setTimeout(resolve, 60) })
  }
  expect(served).toBeLessThan(refs.length / 2)
  expect(most).toBeLessThan(40)
  release.resolve(undefined)
  expect((await slow).missing).toEqual([])

  const stop = new AbortController()
  const cancelled = b.fetchBlocks(peer, DOMAIN, refs, () => stop.abort(new Error('enough')), stop.signal)
  await expect(cancelled).rejects.toThrow('enough')
  expect((await b.fetchBlocks(peer, DOMAIN, refs.slice(0, 3), () => undefined)).missing).toEqual([])

  const lost = b.fetchBlocks(peer, DOMAIN, refs, () => { void a.stop() })
  await expect(lost).rejects.toMatchObject({ code: 'peer-gone' })
})

test('gossip is judged before it is forwarded: a rejected message never reaches the node behind', async () => {
  const topic = '/diad/test'
  const atMiddle: string[] = []
  const atEnd: string[] = []
  const arrived = later<undefined>()
  const left = await host()
  const middle = await host({
    onGossip: async (_, from, message) => {
      expect(from).toBe(left.peerId)
      atMiddle.push(text(message))
      return text(message).startsWith('bad') ? 'reject' : text(message).startsWith('old') ? 'ignore' : 'accept'
    }
  })
  const right = await host({
    onGossip: (_, from, message) => {
      atEnd.push(`${text(message)} from ${from === middle.peerId ? 'middle' : from}`)
      arrived.resolve(undefined)
      return 'accept'
    }
  })
  for (const h of [left, middle, right]) h.subscribe(topic)
  await left.dial(address(middle))
  await right.dial(address(middle))
  // Subscriptions travel on their own streams: publish until the first good one has gone through.
  // Each time with other words, for the same ones are the same message.
  let n = 0
  await until(async () => await left.publish(topic, bytes(`ok ${n++}`)) > 0 && atEnd.length > 0)
  await left.publish(topic, bytes('bad'))
  await left.publish(topic, bytes('old'))
  const before = atEnd.length
  await left.publish(topic, bytes('ok last'))
  await until(async () => atEnd.length > before)
  expect(atMiddle).toContain('bad')
  expect(atMiddle).toContain('old')
  expect(atEnd.every((t) => /^ok (\d+|last) from middle$/.test(t))).toBe(true)
  await expect(left.publish(topic, new Uint8Array(300_000))).rejects.toMatchObject({ code: 'gossip-too-large' })
})

test('a provider is found through a third node, from one bootstrap address without a PeerId', async () => {
  const third = await host()
  const bare = address(third).replace(/\/p2p\/.*/, '')
  const provider = await host({}, { bootstrap: [bare] })
  const seeker = await host({}, { bootstrap: [bare] })
  await until(async () => await provider.provide(DOMAIN) > 0)
  const found: string[] = []
  await until(async () => {
    for await (const p of seeker.findProviders(DOMAIN)) found.push(p.peer, ...p.addresses)
    return found.length > 0
  })
  expect(found[0]).toBe(provider.peerId)
  expect(found).toContain(address(provider))
  expect(await seeker.dial(address(provider))).toBe(provider.peerId)
})

test('a bootstrap peer that comes back is dialled again', async () => {
  const key = await newHostKey()
  let seen = 0
  const twice = later<undefined>()
  const connected = later<undefined>()
  const first = await host({}, { privateKey: key })
  const listen = [address(first).replace(/\/p2p\/.*/, '')]
  await host({
    onPeer: (_, event) => {
      if (event !== 'connected') return
      connected.resolve(undefined)
      if (++seen === 2) twice.resolve(undefined)
    }
  }, { bootstrap: [address(first)], limits: { redialFromMs: 50 } })
  await connected.promise
  await first.stop()
  await host({}, { privateKey: key, listen })
  await twice.promise
})

test('neighbours find each other by mDNS', async (context) => {
  const serviceTag = `_diad-${process.pid}._udp.local`
  const met = later<string>()
  const a = await host({}, { mdns: { serviceTag } })
  const b = await host({ onPeer: (peer, event) => { if (event === 'connected') met.resolve(peer) } }, { mdns: { serviceTag } })
  const none = new Promise<undefined>((resolve) => { setTimeout(resolve, 3000, undefined).unref() })
  const peer = await Promise.race([met.promise, none])
  if (peer === undefined) {
    console.warn('mDNS: skipped, multicast does not work on this machine (no answer within 3 s)')
    context.skip()
    return
  }
  expect(peer).toBe(a.peerId)
  expect(b.peers()).toEqual([a.peerId])
})

test('what can\'t be done is said in one line with a code', async () => {
  const a = await host()
  const taken: Server = createServer()
  const port = await new Promise<number>((resolve) => { taken.listen(0, '127.0.0.1', () => resolve((taken.address() as { port: number }).port)) })
  const used = `/ip4/127.0.0.1/tcp/${port}`
  const second = createHost({ privateKey: await newHostKey(), listen: [LOOPBACK, used], mdns: false })
  await expect(second.start()).rejects.toMatchObject({ code: 'port-in-use', message: `the port of ${used} is in use` })
  await new Promise((resolve) => { taken.close(resolve) })
  // Nothing is left of the failed start, so the same host can start now.
  running.push(second)
  await second.start()

  const closed = createServer()
  const free = await new Promise<number>((resolve) => { closed.listen(0, '127.0.0.1', () => resolve((closed.address() as { port: number }).port)) })
  await new Promise((resolve) => { closed.close(resolve) })
  const silent = `/ip4/127.0.0.1/tcp/${free}`
  await expect(a.dial(silent)).rejects.toMatchObject({ code: 'peer-unreachable', message: `${silent} does not answer (ECONNREFUSED)` })
  await expect(a.dial(address(second).replace(second.peerId, a.peerId))).rejects.toMatchObject({ code: 'peer-self', hint: expect.stringContaining('node.key') as unknown })
  await expect(a.dial(address(a))).rejects.toMatchObject({ code: 'peer-self', message: `${address(a)} is this node itself` })
  const stranger = createHost({ privateKey: await newHostKey(), listen: [] }).peerId
  await expect(a.dial(address(second).replace(second.peerId, stranger))).rejects.toMatchObject({ code: 'peer-mismatch' })
  await expect(a.dial('127.0.0.1:4001')).rejects.toMatchObject({ code: 'malformed-address' })
  const signal = AbortSignal.abort(new Error('changed my mind'))
  await expect(a.dial(silent, signal)).rejects.toThrow('changed my mind')
  await expect(a.fetchBlocks(stranger, DOMAIN, [DOMAIN], () => undefined)).rejects.toMatchObject({ code: 'peer-gone' })
  for (const [init, code] of [
    [{ listen: ['/ip4/1.2.3.4/udp/4001'] }, 'malformed-address'],
    [{ bootstrap: ['/ip4/1.2.3.4/tcp/4001/p2p/nonsense'] }, 'malformed-address'],
    [{ privateKey: new Uint8Array(3) }, 'malformed-key']
  ] as const) {
    expect(() => createHost({ privateKey: key, listen: [], ...init })).toThrow(expect.objectContaining({ code }))
  }
})
const key = await newHostKey()

/** Tries until it holds; the test's own time limit ends it. */
async function until (holds: () => Promise<boolean>): Promise<void> {
  while (!await holds()) await new Promise((resolve) => { setTimeout(resolve, 20) })
}
