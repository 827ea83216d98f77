/** Peers that break the rules of the wire (THREATS 4, 23, 27): they are cut, reported and kept out, memory stays flat, others notice nothing. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Connection, Stream } from '@libp2p/interface'
import { privateKeyFromProtobuf } from '@libp2p/crypto/keys'
import { multiaddr } from '@multiformats/multiaddr'
import { LevelDatastore } from 'datastore-level'
import { Key } from 'interface-datastore'
import { afterEach, expect, test } from 'vitest'
import { recordHead, responseHead } from '../../src/node/host/block-wire.js'
import { HOST_LIMITS, type HostLimits } from '../../src/node/host/budgets.js'
import { frameHeader } from '../../src/node/host/frame-intake.js'
import { createHost, newHostKey, type Host, type HostEvents } from '../../src/node/host/index.js'
import { createNode, type Node } from '../../src/node/host/libp2p-node.js'
import { ProviderStore } from '../../src/node/host/provider-store.js'
import { referenceOf } from '../../src/substrate/artifact.js'
import { concatBytes, writeU32 } from '../../src/substrate/bytes.js'

const DOMAIN = referenceOf(undefined, new Uint8Array([1]))
const running: Array<{ stop: () => unknown }> = []
afterEach(async () => {
  for (const one of running.splice(0)) await one.stop()
})

interface Victim {
  readonly host: Host
  /** what the first violation was */
  readonly reported: Promise<string>
}

async function victim (limits: Partial<HostLimits> = {}, events: HostEvents = {}): Promise<Victim> {
  let report: (message: string) => void = () => undefined
  const reported = new Promise<string>((resolve) => { report = resolve })
  const host = createHost({
    privateKey: await newHostKey(),
    listen: ['/ip4/127.0.0.1/tcp/0'],
    mdns: false,
    limits,
    events: { ...events, onViolation: (peer, message) => report(`${peer === attackerId ? 'attacker' : peer} ${message}`) }
  })
  running.push(host)
  await host.start()
  return { host, reported }
}

let attackerId = ''

/** The same libp2p node without the host around it, so that it can send anything. */
async function attacker (listen: string[] = []): Promise<Node> {
  const none = { stream: () => undefined, bytes: () => undefined }
  const node = await createNode({
    key: privateKeyFromProtobuf(await newHostKey()),
    listen,
    announce: [],
    serviceTag: undefined,
    datastore: undefined,
    limits: HOST_LIMITS,
    meters: { gossip: none, routing: none },
    banned: () => false,
    score: () => 0,
    onNeighbour: () => undefined
  })
  running.push(node)
  await node.start()
  attackerId = node.peerId.toString()
  return node
}

function connect (from: Node, to: Host): Promise<Connection> {
  return from.dial(multiaddr(to.addresses()[0]))
}

async function open (from: Node, to: Host, protocol: string): Promise<Stream> {
  return (await connect(from, to)).newStream(protocol)
}

/** Sends until the other end has had enough. */
function flood (stream: Stream, piece: Uint8Array, times: number): void {
  try {
    for (let i = 0; i < times && stream.status === 'open'; i++) stream.send(piece)
  } catch {
    // cut in the middle, as it should be
  }
}

test('a frame that declares more than 4 MiB is cut at its length, the peer is kept out, others go on', async () => {
  const { host, reported } = await victim({}, { onFrame: (peer, protocol, _, frame) => { host.send(peer, protocol, 'response', frame) } })
  let answered: (value: undefined) => void = () => undefined
  const answer = new Promise<undefined>((resolve) => { answered = resolve })
  const good = await victim({}, { onFrame: () => answered(undefined) })
  await good.host.dial(host.addresses()[0] ?? '')

  const bad = await attacker()
  const stream = await open(bad, host, '/diad/sync/1')
  stream.send(frameHeader(HOST_LIMITS.frameBytes + 1))
  expect(await reported).toBe('attacker declared a frame of 4194305 bytes, 4194304 are allowed')
  await expect(connect(bad, host).then((c) => c.newStream('/diad/sync/1'))).rejects.toThrow()
  await expect(host.dial(`/ip4/127.0.0.1/tcp/1/p2p/${attackerId}`)).rejects.toMatchObject({ code: 'peer-banned' })

  expect(good.host.send(host.peerId, 'sync', 'request', new Uint8Array(10))).toBe(true)
  await answer
})

const rules: Array<{ name: string, limits?: Partial<HostLimits>, protocol: string, send: (stream: Stream) => void, message: RegExp }> = [
  {
    name: 'a frame that drips',
    limits: { frameMs: 100 },
    protocol: '/diad/hello/1',
    send: (stream) => { stream.send(concatBytes(frameHeader(1000), new Uint8Array(999))) },
    message: /didn't finish a frame/
  },
  {
    name: 'requests over the budget',
    limits: { requestFramesPerSecond: 10, requestFramesBurst: 100 },
    protocol: '/diad/sync/1',
    send: (stream) => flood(stream, frameHeader(0), 200),
    message: /more than 10 requests a second/
  },
  {
    name: 'bytes over the budget',
    limits: { requestBytesPerSecond: 1000, requestBytesBurst: 10_000 },
    protocol: '/diad/sync/1',
    send: (stream) => flood(stream, concatBytes(frameHeader(1000), new Uint8Array(1000)), 20),
    message: /more than 1000 bytes of requests/
  },
  {
    name: 'questions about admission over the budget',
    limits: { admitFramesPerSecond: 1, admitFramesBurst: 8 },
    protocol: '/diad/admit/1',
    send: (stream) => flood(stream, frameHeader(0), 200),
    message: /more than 1 questions about admission a second/
  },
  {
    name: 'answers that nobody takes',
    limits: { stallMs: 200, queueBytes: 1024 * 1024, pauseBytes: 256 * 1024 },
    protocol: '/diad/sync/1',
    send: (stream) => {
      stream.pause()
      flood(stream, concatBytes(frameHeader(60_000), new Uint8Array(60_000)), 200)
    },
    message: /took nothing/
  },
  {
    name: 'a block request of the wrong length',
    protocol: '/diad/block/1',
    send: (stream) => { stream.send(concatBytes(frameHeader(50), new Uint8Array(50))) },
    message: /block request for 0 references in 50 bytes/
  },
  {
    name: 'a block request for more than 512',
    protocol: '/diad/block/1',
    send: (stream) => { stream.send(frameHeader(40 + 513 * 34)) },
    message: /declared a frame/
  },
  {
    name: 'too many block requests at once',
    protocol: '/diad/block/1',
    send (stream) {
      const request = new Uint8Array(4 + 40 + 34)
      writeU32(request, 0, 74)
      request.set([0, 1], 8)
      request.set([0, 1], 42)
      request.set([0, 1], 44)
      flood(stream, request, 40)
    },
    message: /more than 16 block requests waiting/
  }
]

test.each(rules)('$name: cut and reported', async ({ limits, protocol, send, message }) => {
  let sent = 0
  const { host, reported } = await victim(limits, {
    onFrame: (peer, of, _, frame) => { if (host.send(peer, of, 'response', frame)) sent += frame.length }
  })
  host.serveBlocks(() => new Promise(() => undefined))
  const bad = await attacker()
  const gone = new Promise((resolve) => { bad.addEventListener('peer:disconnect', resolve, { once: true }) })
  send(await open(bad, host, protocol))
  expect(await reported).toMatch(message)
  await gone
  expect(host.peers()).toEqual([])
  // The peer that doesn't read can't make us answer more than queue and windows hold.
  expect(sent).toBeLessThan(8 * 1024 * 1024)
})

const lies: Array<[string, (id: Uint8Array) => Uint8Array, RegExp]> = [
  ['an answer to no request', () => responseHead(77, true, 0), /never made/],
  ['an index that was not asked for', () => concatBytes(responseHead(1, true, 7), recordHead(2, 1), new Uint8Array(1)), /not asked for/],
  ['a block twice', () => concatBytes(responseHead(1, true, 14), recordHead(0, 1), new Uint8Array(1), recordHead(0, 1), new Uint8Array(1)), /twice/],
  ['an artifact larger than allowed', () => concatBytes(responseHead(1, true, 1_500_000), recordHead(0, 1_400_000)), /artifact of 1400000/],
  ['a record larger than its frame', () => concatBytes(responseHead(1, true, 10), recordHead(0, 100)), /artifact of 100/],
  ['a frame larger than allowed', () => responseHead(1, true, 4_000_000), /block frame/],
  ['silence', () => new Uint8Array(0), /sent nothing/]
]

test.each(lies)('a server that gives %s is cut, and the fetch rejects', async (name, lie, message) => {
  const bad = await attacker(['/ip4/127.0.0.1/tcp/0'])
  await bad.handle('/diad/block/1', (stream) => {
    const onRequest = (event: { data: { subarray: () => Uint8Array } }): void => {
      stream.removeEventListener('message', onRequest)
      const answer = lie(event.data.subarray())
      if (answer.length > 0) stream.send(answer)
    }
    stream.addEventListener('message', onRequest)
  })
  const { host, reported } = await victim(name === 'silence' ? { blockIdleMs: 100 } : {})
  const peer = await host.dial(bad.getMultiaddrs()[0]?.toString() ?? '')
  const fetched = host.fetchBlocks(peer, DOMAIN, [DOMAIN, DOMAIN], () => undefined)
  await expect(fetched).rejects.toMatchObject({ code: 'peer-gone' })
  expect(await reported).toMatch(message)
})

test('a muxer frame that declares a gigabyte is cut after its window, not kept', async () => {
  const { host } = await victim()
  const bad = await attacker()
  const connection = await connect(bad, host)
  const gone = new Promise((resolve) => { bad.addEventListener('peer:disconnect', resolve, { once: true }) })
  const header = new Uint8Array(12)
  writeU32(header, 4, 1)
  writeU32(header, 8, 2 ** 30)
  const raw = (connection as unknown as { muxer: { maConn: Stream } }).muxer.maConn
  let sent = 0
  raw.send(header)
  const more = async (): Promise<void> => {
    while (raw.status === 'open' && sent < 2 ** 28) {
      sent += 2 ** 16
      raw.send(new Uint8Array(2 ** 16))
      // One piece a turn, so that what is counted has also arrived.
      await new Promise((resolve) => { setImmediate(resolve) })
    }
  }
  await Promise.all([more().catch(() => undefined), gone])
  expect(sent).toBeLessThan(2 ** 23)
})

test('a gossip flood on a topic that nobody follows is cut', async () => {
  const { host, reported } = await victim({ gossipMessagesPerSecond: 10, gossipMessagesBurst: 50 })
  const bad = await attacker()
  host.subscribe('/diad/real')
  await connect(bad, host)
  const { pubsub } = bad.services
  while (pubsub.getSubscribers('/diad/real').length === 0) await new Promise((resolve) => { setTimeout(resolve, 10) })
  // Its own router would send on a topic only to who follows it, so it is told that the victim does.
  const { topics } = pubsub as unknown as { topics: Map<string, Set<string>> }
  topics.set('/diad/other', new Set([host.peerId]))
  let over = false
  const report = reported.finally(() => { over = true })
  for (let i = 0; i < 1000 && !over; i++) await pubsub.publish('/diad/other', new Uint8Array([i, i >> 8]))
  expect(await report).toMatch(/more than 10 gossip messages/)
})

test('provider records of one peer and of all are bounded, also across a restart; ours and renewals are not refused', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'diad-host-'))
  const level = new LevelDatastore(dir)
  await level.open()
  try {
    const limits = { ...HOST_LIMITS, providersPerPeer: 3, providers: 5 }
    const key = (cid: string, peer: string): Key => new Key(`/dht/provider/${cid}/${peer}`)
    const value = new Uint8Array(1)
    const store = new ProviderStore(level, 'self', limits)
    for (const cid of ['a', 'b', 'c', 'a', 'b']) await store.put(key(cid, 'p'), value)
    await expect(store.put(key('d', 'p'), value)).rejects.toThrow('p has 3 provider records')
    await store.put(key('a', 'q'), value)
    await store.put(key('a', 'r'), value)
    await expect(store.put(key('b', 's'), value)).rejects.toThrow('full')
    for (const cid of ['a', 'b', 'c', 'd', 'e', 'f']) await store.put(key(cid, 'self'), value)
    await store.delete(key('a', 'p'))
    await store.put(key('b', 's'), value)
    const again = new ProviderStore(level, 'self', limits)
    await expect(again.put(key('c', 's'), value)).rejects.toThrow('full')
  } finally {
    await level.close()
    await rm(dir, { recursive: true, force: true })
  }
})

test('stop leaves no socket behind', async () => {
  const sockets = (): number => process.getActiveResourcesInfo().filter((r) => /TCP|UDP/.test(r)).length
  const before = sockets()
  const { host: a } = await victim()
  const b = createHost({ privateKey: await newHostKey(), listen: ['/ip4/127.0.0.1/tcp/0'], mdns: { serviceTag: `_diad-stop-${process.pid}._udp.local` } })
  await b.start()
  const peer = await b.dial(a.addresses()[0] ?? '')
  b.send(peer, 'hello', 'request', new Uint8Array(1))
  void b.fetchBlocks(peer, DOMAIN, [DOMAIN], () => undefined).catch(() => undefined)
  expect(sockets()).toBeGreaterThan(before)
  await Promise.all([a.stop(), b.stop()])
  // A closed handle is reported until the turn ends.
  while (sockets() > before) await new Promise((resolve) => { setImmediate(resolve) })
  expect(b.addresses()).toEqual([])
})
