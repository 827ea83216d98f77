/** The floor of a fetch: one libp2p stream over TCP, noise and yamux with their default settings, and nothing else of a node. */
import '../src/polyfill.js'
import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@libp2p/yamux'
import { tcp } from '@libp2p/tcp'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p, type Libp2p } from 'libp2p'

const PROTOCOL = '/diad/bench/bare/1'

async function node (listen: string[]): Promise<Libp2p> {
  return await createLibp2p({ addresses: { listen }, transports: [tcp()], connectionEncrypters: [noise()], streamMuxers: [yamux()] })
}

/** Sends `bytes` to whoever opens a stream. Returns where to dial. */
export async function bareServer (bytes: number, message: number): Promise<{ address: string, stop: () => Promise<void> }> {
  const server = await node(['/ip4/127.0.0.1/tcp/0'])
  const buffer = new Uint8Array(message).fill(7)
  await server.handle(PROTOCOL, (stream) => {
    let left = bytes
    const pump = (): void => {
      while (left > 0 && !stream.writableNeedsDrain) {
        const n = Math.min(left, message)
        stream.send(n === message ? buffer : buffer.subarray(0, n))
        left -= n
      }
      if (left > 0) return
      stream.removeEventListener('drain', pump)
      void stream.close().catch(() => undefined)
    }
    stream.addEventListener('drain', pump)
    pump()
  })
  const address = server.getMultiaddrs()[0]
  if (address === undefined) throw new Error('the bare server listens nowhere')
  return { address: address.toString(), stop: async () => { await server.stop() } }
}

/** From the dial to the last byte, in ms. */
export async function bareClient (address: string, bytes: number): Promise<number> {
  const client = await node([])
  const start = performance.now()
  const stream = await client.dialProtocol(multiaddr(address), PROTOCOL)
  await new Promise<void>((resolve, reject) => {
    let got = 0
    stream.addEventListener('message', ({ data }) => {
      got += data.byteLength
      if (got >= bytes) resolve()
    })
    stream.addEventListener('close', () => { reject(new Error(`the bare stream ended after ${got} of ${bytes} bytes`)) })
  })
  const ms = performance.now() - start
  await client.stop()
  return ms
}
