/**
 * What can be wrong with a command's arguments without a look into the home. Asked before anything is made: a mistyped DomainID mustn't leave a home
 * behind, nor a bad name keys.
 */
import { DiadError } from '../../substrate/errors.js'
import type { CommandArgs, CommandName } from '../command.js'
import { checkPetname } from '../home/petname.js'
import { resolveDomain } from '../home/petnames.js'
import { homePaths } from '../home/paths.js'

/** UTF-16 units of an address: the ledger keeps no longer one. */
const MAX_ADDRESS = 256

/** For a home that isn't there yet. Throws what the command itself would: `malformed`, `malformed-address`, `unknown-domain-name`, `not-found`. */
export async function checkArguments (command: CommandName, args: object, root: string): Promise<void> {
  switch (command) {
    case 'init': checkInit(args); return
    case 'serve': {
      const { peers, listen } = args as CommandArgs['serve']
      await checkAddresses(peers)
      if (listen.length === 0) return
      const { parseListenAddress } = await import('../host/addresses.js')
      for (const address of listen) parseListenAddress(address)
      return
    }
    case 'follow': {
      const { domain, peers, name } = args as CommandArgs['follow']
      if (name !== undefined) checkPetname(name)
      resolveWithoutHome(domain, root)
      await checkAddresses(peers)
      return
    }
    case 'sync': {
      const { domain, peers } = args as CommandArgs['sync']
      if (domain === undefined) throw followsNothing()
      resolveWithoutHome(domain, root)
      await checkAddresses(peers)
      return
    }
    default:
  }
}

export function checkInit ({ name, rootPubs, nextRootPubs, rootKeys = rootPubs?.length ?? 1, threshold = 1, request, finish }: CommandArgs['init']): void {
  if (name !== undefined) checkPetname(name)
  if ((rootPubs === undefined) !== (nextRootPubs === undefined) || (rootPubs === undefined) !== (request === undefined)) {
    throw new DiadError('usage', '--root-pub, --next-root-pub and --request go together', 'name the public keys of both root sets, and where to write the request')
  }
  if (finish !== undefined && rootPubs !== undefined) throw new DiadError('usage', '--finish and --root-pub exclude each other', 'give one of the two')
  if (rootKeys < 1 || rootKeys > 9) throw new DiadError('root-set', `a root set has 1 to 9 keys, not ${rootKeys}`, 'see --root-keys')
  if (threshold < 1 || threshold > rootKeys) throw new DiadError('root-set', `a threshold of ${threshold} makes no sense with ${rootKeys} root key${rootKeys === 1 ? '' : 's'}`, 'see --threshold')
}

export function followsNothing (): DiadError {
  return new DiadError('not-found', 'this home follows no domain yet', 'name one: `diad sync DOMAIN --peer ADDRESS`')
}

/** Throws DiadError `malformed-address`. The parser is loaded only where there is an address. */
export async function checkAddresses (addresses: readonly string[]): Promise<void> {
  if (addresses.length === 0) return
  const { parseAddress } = await import('../host/addresses.js')
  for (const address of addresses) {
    parseAddress(address)
    if (address.length > MAX_ADDRESS) throw new DiadError('malformed-address', `"${address.slice(0, 60)}…" is longer than ${MAX_ADDRESS} characters`, 'write it like /ip4/192.0.2.1/tcp/4001/p2p/ID')
  }
}

/** Those of `addresses` that can be dialled, and those that can't: stored ones may come from another version, or from a hand. */
export async function sortAddresses (addresses: readonly string[]): Promise<{ good: string[], bad: string[] }> {
  const good: string[] = []
  const bad: string[] = []
  for (const address of addresses) await checkAddresses([address]).then(() => good.push(address), () => bad.push(address))
  return { good, bad }
}

function resolveWithoutHome (domain: string, root: string): void {
  resolveDomain({ paths: homePaths(root), domain: undefined, name: undefined }, domain, () => [])
}
