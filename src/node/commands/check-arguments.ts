/**
 * What can be wrong with a command's arguments without a look into the home. Asked before anything is made: a mistyped DomainID mustn't leave a home
 * behind, nor a bad name keys.
 */
import { DiadError } from '../../substrate/errors.js'
import type { CommandArgs, CommandName } from '../command.js'
import { demandCold } from '../home/cold-folder.js'
import { checkPetname } from '../home/petname.js'
import { resolveDomain } from '../home/petnames.js'
import { homePaths } from '../home/paths.js'

/** UTF-16 units of an address: the ledger keeps no longer one. */
const MAX_ADDRESS = 256

/** For a home that isn't there yet. Throws what the command itself would: `malformed`, `malformed-address`, `unknown-domain-name`, `not-found`. */
export async function checkArguments (command: CommandName, args: object, root: string): Promise<void> {
  switch (command) {
    case 'init': {
      const { roots } = args as CommandArgs['init']
      checkInit(args)
      if (roots !== undefined) demandCold(root, roots)
      return
    }
    case 'serve': {
      const { peers, listen } = args as CommandArgs['serve']
      await checkAddresses(peers)
      if (listen.length === 0) return
      const { parseListenAddress } = await import('../host/addresses.js')
      for (const address of listen) parseListenAddress(address)
      return
    }
    case 'follow': {
      const { domain, peers, name, quota, mode, movedFrom } = args as CommandArgs['follow']
      checkQuota(quota, mode)
      if (name !== undefined) checkPetname(name)
      resolveWithoutHome(domain, root)
      await checkAddresses(peers)
      if (movedFrom !== undefined) throw new DiadError('not-moved', 'this home follows no domain yet, so none that moved', 'without --moved-from `diad follow` follows any domain')
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

/** What came over the socket, or from the command line. Throws DiadError `usage`. */
export function checkQuota (quota: unknown, mode: string | undefined): void {
  if (quota === undefined) return
  if (quota !== 'none' && !(typeof quota === 'number' && Number.isSafeInteger(quota) && quota >= 0)) throw new DiadError('usage', 'a quota is a whole number of bytes, or none', 'write it like 500M, 2G or 1024')
  if (mode === 'follow') throw new DiadError('usage', '--mode follow keeps no content, so there is nothing to limit', 'leave out --quota, or follow with --mode mirror')
}

export function checkInit ({ name, rootPubs, nextRootPubs, rootKeys = rootPubs?.length ?? 1, threshold = 1, nextThreshold, request, finish }: CommandArgs['init']): void {
  if (name !== undefined) checkPetname(name)
  if ((rootPubs === undefined) !== (nextRootPubs === undefined) || (rootPubs === undefined) !== (request === undefined)) {
    throw new DiadError('usage', '--root-pub, --next-root-pub and --request go together', 'name the public keys of both root sets, and where to write the request')
  }
  if (finish !== undefined && rootPubs !== undefined) throw new DiadError('usage', '--finish and --root-pub exclude each other', 'give one of the two')
  if (rootKeys < 1 || rootKeys > 9) throw new DiadError('root-set', `a root set has 1 to 9 keys, not ${rootKeys}`, 'see --root-keys')
  if (threshold < 1 || threshold > rootKeys) throw new DiadError('root-set', `a threshold of ${threshold} makes no sense with ${rootKeys} root key${rootKeys === 1 ? '' : 's'}`, 'see --threshold')
  if (nextRootPubs === undefined && nextThreshold !== undefined) throw new DiadError('usage', '--next-threshold goes with --next-root-pub', 'root keys that are made here have one threshold: --threshold')
  if (nextRootPubs !== undefined) nextThresholdFor(nextRootPubs.length, threshold, nextThreshold, { keys: '--next-root-pub', threshold: '--next-threshold' })
}

/**
 * How many of the `count` keys of a next root set have to sign: as many as of the set before it, unless somebody said otherwise. A set that fewer keys can
 * speak for is never made by forgetting an argument. Throws DiadError `root-set`.
 */
export function nextThresholdFor (count: number, now: number, said: number | undefined, options: { readonly keys: string, readonly threshold: string }): number {
  if (said === undefined && count < now) {
    throw new DiadError('root-set', `the next root set would be weaker than the one before it: ${count} key${count === 1 ? '' : 's'}, where ${now} have to sign now`,
      `name ${now} or more keys (${options.keys}); or say with ${options.threshold} how many shall have to sign`)
  }
  const threshold = said ?? now
  if (threshold < 1 || threshold > count) throw new DiadError('root-set', `a threshold of ${threshold} makes no sense with ${count} next root key${count === 1 ? '' : 's'}`, `see ${options.threshold}`)
  return threshold
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
