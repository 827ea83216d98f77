/** The network that a command works on, and the peers that it reaches there. */
import { DiadError } from '../../substrate/errors.js'
import { Network } from '../network.js'
import type { Context } from './context.js'

/** The daemon's network, or one of our own for as long as `work` takes. */
export async function withNetwork<T> (context: Context, work: (network: Network) => Promise<T>): Promise<T> {
  if (context.network !== undefined) return await work(context.network)
  const network = await Network.start({ home: context.home, runtime: context.runtime, listen: [], bootstrap: [], mdns: true, dht: true, autoMirror: false })
  try {
    return await work(network)
  } finally {
    await network.stop()
  }
}

/** `reached`: peer → the address that answered; `why`: in one line, with what to do where that isn't plain */
export interface Dialled { readonly reached: Map<string, string>, readonly unreached: Array<{ address: string, code: string, why: string }> }

/** Throws DiadError `malformed-address`; what merely doesn't answer is said in the result. */
export async function dialAll (network: Network, addresses: readonly string[], signal: AbortSignal): Promise<Dialled> {
  const out: Dialled = { reached: new Map(), unreached: [] }
  await Promise.all([...new Set(addresses)].map(async (address) => {
    try {
      out.reached.set(await network.host.dial(address, signal), address)
    } catch (err) {
      if (err instanceof DiadError && err.code === 'malformed-address') throw err
      const known = err instanceof DiadError ? err : new DiadError('peer-unreachable', `${address} does not answer`)
      out.unreached.push({ address, code: known.code, why: known.code === 'peer-self' ? `${known.message}: ${known.hint}` : known.message })
    }
  }))
  return out
}
