/**
 * libp2p's registrar as one service sees it, with every stream and byte that peers send to that service counted. Gossipsub and kad-dht have no
 * budgets of their own. (`registrar.use` would be the place, but libp2p 3.3.11 adds the handler to the shared list at each stream.)
 */
import type { Connection, Stream, StreamHandler, StreamHandlerOptions } from '@libp2p/interface'
import type { GossipSubComponents } from '@libp2p/gossipsub'

export type Registrar = GossipSubComponents['registrar']

export interface Meter {
  readonly stream: (peer: string) => void
  readonly bytes: (peer: string, bytes: number) => void
}

export function meteredRegistrar (registrar: Registrar, meter: Meter): Registrar {
  const wrap = (handler: StreamHandler): StreamHandler => (stream: Stream, connection: Connection) => {
    const peer = connection.remotePeer.toString()
    meter.stream(peer)
    // Added behind the handler's own listener: a stream hands what it has to whoever listens first.
    setImmediate(() => stream.addEventListener('message', ({ data }) => meter.bytes(peer, data.byteLength)))
    return handler(stream, connection)
  }
  return {
    getProtocols: () => registrar.getProtocols(),
    handle: (protocol: string, handler: StreamHandler, options?: StreamHandlerOptions) => registrar.handle(protocol, wrap(handler), options),
    unhandle: (protocol, options) => registrar.unhandle(protocol, options),
    getHandler: (protocol) => registrar.getHandler(protocol),
    use: (protocol, middleware) => registrar.use(protocol, middleware),
    unuse: (protocol) => registrar.unuse(protocol),
    getMiddleware: (protocol) => registrar.getMiddleware(protocol),
    register: (protocol, topology, options) => registrar.register(protocol, topology, options),
    unregister: (id) => registrar.unregister(id),
    getTopologies: (protocol) => registrar.getTopologies(protocol)
  }
}
