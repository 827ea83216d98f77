/** The libp2p node under a host: which parts, with which limits. Nothing else in the house names libp2p's options. */
import '../../polyfill.js'
import { noise } from '@chainsafe/libp2p-noise'
import { StrictSign, gossipsub, type GossipSub } from '@libp2p/gossipsub'
import { identify, type Identify } from '@libp2p/identify'
import type { PeerId, PeerInfo, PrivateKey } from '@libp2p/interface'
import { kadDHT, passthroughMapper, type KadDHT } from '@libp2p/kad-dht'
import { mdns } from '@libp2p/mdns'
import { ping, type Ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import type { Datastore } from 'interface-datastore'
import { createLibp2p, type Libp2p } from 'libp2p'
import { utf8 } from '../../substrate/bytes.js'
import { sha256Bytes } from '../../substrate/hasher.js'
import type { HostLimits } from './budgets.js'
import { meteredRegistrar, type Meter } from './metered-registrar.js'
import { boundedYamux } from './muxer.js'
import { ProviderStore } from './provider-store.js'

type Services = { identify: Identify, ping: Ping, dht: KadDHT, pubsub: GossipSub }
export type Node = Libp2p<Services>

export interface NodeInit {
  readonly key: PrivateKey
  readonly listen: readonly string[]
  readonly announce: readonly string[]
  readonly serviceTag: string | undefined
  readonly datastore: Datastore | undefined
  readonly limits: HostLimits
  readonly meters: { readonly gossip: Meter, readonly routing: Meter }
  readonly banned: (peer: string) => boolean
  /** 0 or less; from −80 on a peer's gossip is ignored altogether */
  readonly score: (peer: string) => number
  readonly onNeighbour: (neighbour: PeerInfo) => void
}

/** A node that hasn't been started. */
export async function createNode (init: NodeInit): Promise<Node> {
  const { limits, meters, serviceTag } = init
  const banned = (peer: PeerId): boolean => init.banned(peer.toString())
  return createLibp2p<Services>({
    start: false,
    privateKey: init.key,
    nodeInfo: { name: 'diad', userAgent: 'diad' },
    addresses: { listen: [...init.listen], appendAnnounce: [...init.announce] },
    ...(init.datastore === undefined ? {} : { datastore: init.datastore }),
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [boundedYamux(limits)],
    connectionManager: {
      maxConnections: limits.connections,
      inboundConnectionThreshold: limits.connectionsPerSecond,
      maxIncomingPendingConnections: limits.pendingConnections,
      dialTimeout: limits.dialMs,
      addressDialTimeout: limits.dialMs
    },
    connectionGater: {
      denyInboundEncryptedConnection: banned,
      denyOutboundEncryptedConnection: banned,
      denyDialPeer: banned
    },
    peerDiscovery: serviceTag === undefined
      ? []
      : [(components) => {
          const discovery = mdns({ serviceTag })(components)
          discovery.addEventListener('peer', ({ detail }) => init.onNeighbour(detail))
          return discovery
        }],
    services: {
      identify: identify(),
      ping: ping(),
      dht: (components) => kadDHT({
        protocol: '/diad/kad/1',
        // The default mapper drops loopback and private addresses, and a LAN has no others.
        peerInfoMapper: passthroughMapper,
        clientMode: init.listen.length === 0,
        // Only provider records are used. The built-in `pk` records would let anyone store any key here.
        validators: { pk: () => { throw new Error('this DHT keeps no values') } },
        selectors: {},
        initialQuerySelfInterval: 100,
        maxInboundStreams: 32
      })({
        peerId: components.peerId,
        privateKey: components.privateKey,
        registrar: meteredRegistrar(components.registrar, meters.routing),
        addressManager: components.addressManager,
        peerStore: components.peerStore,
        connectionManager: components.connectionManager,
        datastore: new ProviderStore(components.datastore, components.peerId.toString(), limits),
        events: components.events,
        logger: components.logger,
        ping: components.ping
      }),
      pubsub: (components) => gossipsub({
        globalSignaturePolicy: StrictSign,
        fallbackToFloodsub: false,
        emitSelf: false,
        allowPublishToZeroTopicPeers: true,
        ignoreDuplicatePublishError: true,
        doPX: false,
        // The id of a signed message is (author, number): with it known before the signature check, copies from other neighbours cost none.
        fastMsgIdFn: (message) => `${hex(message.from)}:${hex(message.seqno)}`,
        // The same words are the same message, whoever signs them: nobody can have them passed on again under a new number.
        msgIdFn: (message) => sha256Bytes(utf8(message.topic), message.data),
        maxInboundStreams: 2,
        maxOutboundStreams: 2,
        maxInboundDataLength: 4 * limits.gossipBytes,
        maxOutboundBufferSize: 16 * limits.gossipBytes,
        maxTopicBytesPerPeer: limits.topicBytesPerPeer,
        decodeRpcLimits: {
          maxSubscriptions: 1024,
          maxMessages: 256,
          maxIhaveMessageIDs: 1024,
          maxIwantMessageIDs: 1024,
          maxIdontwantMessageIDs: 512,
          maxControlMessages: 1024,
          maxPeerInfos: 16
        },
        // Topics are many and quiet, so what is scored is behaviour, not traffic: our own points, broken promises and crowded addresses.
        scoreParams: {
          appSpecificScore: init.score,
          appSpecificWeight: 1,
          // Nodes of one machine (a test, a demo) share the loopback address without being one attacker.
          IPColocationFactorWhitelist: new Set(['127.0.0.1', '::1'])
        }
      })({
        privateKey: components.privateKey,
        peerId: components.peerId,
        peerStore: components.peerStore,
        registrar: meteredRegistrar(components.registrar, meters.gossip),
        connectionManager: components.connectionManager,
        logger: components.logger
      })
    }
  })
}

function hex (bytes: Uint8Array | undefined): string {
  return bytes === undefined ? '' : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex')
}
