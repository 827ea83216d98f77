/** How nodes find each other and how news travels: the DHT, gossip with and without pulls, mDNS. Wants a build. */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { gossipWire } from '../../src/federation/messages.js'
import type { Report } from '../../src/federation/effects.js'
import { openHome } from '../../src/node/home/home.js'
import { findKeyFile, loadKey } from '../../src/node/keys/key-file.js'
import { Network } from '../../src/node/network.js'
import { publishPath } from '../../src/node/publish.js'
import { Runtime } from '../../src/node/runtime.js'
import type { Reference } from '../../src/substrate/reference.js'
import { type Event, Stage } from '../helpers/cli.js'

let stage: Stage
let file: string

beforeAll(() => {
  stage = new Stage()
  file = stage.path('file')
  writeFileSync(file, 'what was published\n')
})
afterAll(async () => { await stage.close() })

test('a publisher is found through a node that does not hold the domain', async () => {
  const domain = await stage.init('a')
  const { snapshot } = await stage.json('a', ['publish', file, '--as', 'file'])
  const b = await stage.serve('b')
  const a = await stage.serve('a', ['--peer', b.address])
  await b.next('the publisher', (e) => e.event === 'peer' && e['peer'] === a.peer)
  expect(await stage.json('c', ['sync', domain, '--peer', b.address])).toMatchObject({ status: 'accepted', snapshot, names: 1, refused: [] })
  // b gave the way and nothing else
  expect((await stage.json('b', ['status'])).domains).toEqual([])
  expect(await stage.run('cat', `${domain}/file`, '--home', stage.path('c'))).toMatchObject({ exit: 0, stdout: 'what was published\n' })
})

test('a follower hears of a publication by gossip and fetches its content', async () => {
  const domain = await stage.init('gossiper')
  await stage.json('gossiper', ['publish', file, '--as', 'name-0'])
  const a = await stage.serve('gossiper')
  await stage.json('hearer', ['follow', domain])
  const f = await stage.serve('hearer', ['--peer', a.address])
  const heard = (names: number) => (e: Event): boolean => e.event === 'changed' && e['domain'] === domain && e['names'] === names
  expect(await f.next('the first name', heard(1))).toMatchObject({ by: 'pull' })
  // The two may just be telling each other what they subscribe to: then the first news comes by pull. The next can't.
  let by: unknown = 'pull'
  let n = 1
  while (by !== 'gossip' && n < 4) {
    // through the daemon, which owns the store
    await stage.json('gossiper', ['publish', file, '--as', `name-${n++}`])
    by = (await f.next(`${n} names`, heard(n)))['by']
  }
  expect(by).toBe('gossip')
  expect(await stage.json('hearer', ['sync', domain])).toMatchObject({ status: 'accepted', names: n })
  expect(await stage.run('cat', `${domain}/name-${n - 1}`, '--home', stage.path('hearer'))).toMatchObject({ exit: 0, stdout: 'what was published\n' })
})

async function openNode (name: string, autoPull: boolean): Promise<{ runtime: Runtime, network: Network, stop: () => Promise<void> }> {
  const home = openHome(stage.path(name), { create: 'reader' })
  const runtime = await Runtime.open(home.paths.store, true, { autoPull })
  const network = await Network.start({ home, runtime, listen: ['/ip4/127.0.0.1/tcp/0'], bootstrap: [], mdns: false, dht: false, autoMirror: false })
  return {
    runtime,
    network,
    stop: async () => {
      await network.stop()
      await runtime.close()
    }
  }
}

test('with pulls switched off, gossip alone brings an update', async () => {
  const domain = await stage.init('speaker') as Reference
  const a = await openNode('speaker', true)
  const f = await openNode('listener', false)
  try {
    const { signer } = await loadKey(findKeyFile(stage.path('speaker', 'keys'), 'principal') as string, { kind: 'none' })
    const k = await a.runtime.wake(domain)
    await publishPath(a.runtime, k, signer, file, 'before', {})

    const reports: Report[] = []
    let wake = (): void => undefined
    f.runtime.onReport((r) => {
      reports.push(r)
      wake()
    })
    const report = async (kind: Report['kind']): Promise<Report> => {
      for (;;) {
        const found = reports.find((r) => r.kind === kind)
        if (found !== undefined) return found
        await new Promise<void>((resolve) => { wake = resolve })
      }
    }
    await f.runtime.follow(domain, 'follow', [])
    await f.network.host.dial(a.network.host.addresses()[0] as string)
    await report('hello')
    f.runtime.step({ type: 'pull', domain })
    await report('pulled')
    const held = await f.runtime.knowledge(domain)
    expect([...held.view().current.keys()]).toEqual(['before'])

    // Until the speaker knows who listens; a digest that the listener has already starts nothing.
    const known = gossipWire.encode({ t: 'changed', domain, digest: held.inventoryDigest() })
    await vi.waitFor(async () => expect(await a.network.host.publish(`/diad/domain/1/${domain}`, known)).toBe(1), { timeout: 10_000, interval: 20 })

    reports.length = 0
    const { snapshot } = await publishPath(a.runtime, k, signer, file, 'after', {})
    expect(await report('changed')).toEqual({ kind: 'changed', domain, by: 'gossip' })
    expect([...held.view().current.keys()].sort()).toEqual(['after', 'before'])
    expect(held.artifact(snapshot)).toBeDefined()
    expect(reports.filter((r) => r.kind === 'pulled')).toEqual([])
  } finally {
    await Promise.all([a.stop(), f.stop()])
  }
})

/** Whether a packet to mDNS's group comes back, with the settings that mDNS uses. */
async function multicastWorks (): Promise<string | undefined> {
  const socket = createSocket({ type: 'udp4', reuseAddr: true })
  try {
    socket.bind(0)
    await once(socket, 'listening')
    socket.addMembership('224.0.0.251')
    socket.setMulticastLoopback(true)
    const got = once(socket, 'message', { signal: AbortSignal.timeout(1000) })
    await new Promise<void>((resolve, reject) => { socket.send('?', socket.address().port, '224.0.0.251', (err) => err === null ? resolve() : reject(err)) })
    await got
    return undefined
  } catch (err) {
    return err instanceof Error ? err.message : String(err)
  } finally {
    socket.close()
  }
}

test('two nodes on one network find each other by mDNS alone', async ({ skip }) => {
  const why = await multicastWorks()
  if (why !== undefined) {
    console.warn(`mDNS is not tested: multicast doesn't work here (${why})`)
    skip()
  }
  const domain = await stage.init('neighbour')
  await stage.json('neighbour', ['publish', file, '--as', 'file'])
  await stage.serve('neighbour', [], { mdns: true })
  expect(await stage.json('stranger', ['sync', domain])).toMatchObject({ status: 'accepted', names: 1 })
})
