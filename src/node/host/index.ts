/** The network host: see `types.ts` for the contract and `budgets.ts` for the limits. */
export { createHost, newHostKey } from './create-host.js'
export { HOST_LIMITS, TokenBucket, type HostLimits } from './budgets.js'
export type { OnBlock } from './block-client.js'
export type { BlockSource } from './block-server.js'
export type { Direction, FoundProvider, FrameProtocol, GossipVerdict, Host, HostEvents, HostInit, HostLog, Peer } from './types.js'
