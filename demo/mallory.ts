/**
 * The liar, a process of her own: `node mallory.js HOME DOMAIN ADDRESS`. First she follows the domain like anybody and so holds its true objects; then
 * she comes back as another node that lies about it. Says what she does as JSON lines; ends when killed or when her standard input is closed.
 */
import '../src/polyfill.js'
import type { DomainKnowledge } from '../src/authority/knowledge.js'
import { requestWire, answerWire } from '../src/federation/messages.js'
import type { Report } from '../src/federation/effects.js'
import { openHome } from '../src/node/home/home.js'
import { createHost, newHostKey } from '../src/node/host/index.js'
import { Network } from '../src/node/network.js'
import { Runtime } from '../src/node/runtime.js'
import { parseReference, type Reference } from '../src/substrate/reference.js'
import { type Lies, tell } from './lies.js'

const say = (event: object): void => { process.stdout.write(`${JSON.stringify(event)}\n`) }

/** The honest part: what any reader gets from `address`. */
async function learn (root: string, domain: Reference, address: string): Promise<DomainKnowledge> {
  const home = openHome(root, { create: 'reader' })
  const runtime = await Runtime.open(home.paths.store, true)
  try {
    const network = await Network.start({ home, runtime, listen: [], bootstrap: [], mdns: false, dht: false, autoMirror: false })
    try {
      const pulled = new Promise<void>((resolve, reject) => {
        runtime.onReport((r: Report) => {
          if (r.kind !== 'pulled' || r.domain !== domain) return
          if (r.outcome === 'updated') resolve()
          else reject(new Error(`nothing to learn from ${address}: ${r.outcome}`))
        })
      })
      await runtime.follow(domain, 'follow', [address])
      await network.host.dial(address)
      await pulled
      await runtime.settled()
      return await runtime.knowledge(domain)
    } finally {
      await network.stop()
    }
  } finally {
    await runtime.close()
  }
}

async function lie (lies: Lies): Promise<void> {
  const host = createHost({
    privateKey: await newHostKey(),
    listen: ['/ip4/127.0.0.1/tcp/0'],
    mdns: false,
    events: {
      onPeer: (peer, event) => {
        if (event === 'connected') host.send(peer, 'hello', 'request', lies.hello)
      },
      onFrame: (peer, protocol, direction, bytes) => {
        if (protocol === 'sync' && direction === 'request') host.send(peer, 'sync', 'response', answerWire.encode(lies.answer(requestWire.decode(bytes))))
      }
    }
  })
  host.serveBlocks(async (_peer, _domain, refs) => refs.map(() => lies.otherBytes))
  await host.start()
  say({ event: 'listening', peer: host.peerId, addresses: host.addresses() })
}

const [home, domain, address] = process.argv.slice(2)
if (home === undefined || domain === undefined || address === undefined) throw new Error('usage: mallory HOME DOMAIN ADDRESS')
process.stdin.on('end', () => process.exit()).resume()
const lies = await tell(await learn(home, parseReference(domain), address))
say({ event: 'learned', oldHead: lies.oldHead, forgedHead: lies.forgedHead })
await lie(lies)
