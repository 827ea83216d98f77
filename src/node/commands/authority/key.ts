/** `diad key new|list`: key files. */
import { basename } from 'node:path'
import { principalId } from '../../../publication/evidence.js'
import type { CommandArgs, CommandIo, CommandResults } from '../../command.js'
import { demandFolderOutside, KEY_FOLDERS } from '../../home/outside.js'
import { homeKeys } from '../../home/principal-names.js'
import { createKeyFile, findKeyFile } from '../../keys/key-file.js'
import { choosePassphrase } from '../../keys/passphrase.js'
import { droppedKey } from '../../own-key.js'
import type { Context } from '../context.js'
import { putAside } from './key-rotate.js'

/** Without a home where `out` says where the key goes: a stick's key is made on any machine. */
export async function keyNew (context: Context | undefined, args: CommandArgs['key new'], io: CommandIo): Promise<CommandResults['key new']> {
  const { name, out } = args
  const given = io.passphrase ?? { kind: 'none' as const }
  if (out !== undefined || context === undefined) {
    if (out !== undefined) demandFolderOutside(out, KEY_FOLDERS)
    const { path, publicKey } = await createKeyFile({ directory: out ?? '', name, passphrase: given, warn: io.warn })
    return { name, path, publicKey, principal: principalId(publicKey) }
  }
  const { keys } = context.home.paths
  const dropped = await droppedAt(context, name)
  // Asked before the old one is moved: a slip at the terminal then changes nothing.
  const passphrase = dropped === undefined || given.kind === 'none' ? given : { kind: 'given' as const, passphrase: await choosePassphrase(given, name, io.warn) as string }
  const retired = dropped === undefined ? undefined : putAside(keys, name)
  const { path, publicKey } = await createKeyFile({ directory: keys, name, passphrase, warn: io.warn })
  if (name === 'principal') context.signer = undefined
  if (retired !== undefined && dropped !== undefined) io.warn(`the old ${name}, which the domain has dropped, is called ${retired} now; the new one may do nothing yet: \`diad role grant ${name} --role ${dropped.principal.roles.join(',')}\``)
  return { name, path, publicKey, principal: principalId(publicKey), ...(retired === undefined ? {} : { retired }) }
}

/** Of the key file of this name, when the domain dropped its key: it is of no use any more, and its name is free for another one. */
async function droppedAt (context: Context, name: string): Promise<ReturnType<typeof droppedKey>> {
  const own = context.runtime.own()
  const key = homeKeys(context.home).find((h) => h.name === name)?.publicKey
  if (own === undefined || key === undefined || findKeyFile(context.home.paths.keys, name) === undefined) return undefined
  return droppedKey(await context.runtime.knowledge(own), key)
}

/** Opens none of them: what stands in the `.pub` files is shown. */
export async function keyList (context: Context, _args: CommandArgs['key list'], _io: CommandIo): Promise<CommandResults['key list']> {
  const own = context.runtime.own()
  const tip = own === undefined ? undefined : (await context.runtime.knowledge(own)).authority().onChain.at(-1)?.manifest
  const keys = homeKeys(context.home).flatMap(({ name, publicKey }) => {
    const path = findKeyFile(context.home.paths.keys, name)
    if (path === undefined) return []
    const principal = principalId(publicKey)
    const roles = tip?.principals.find((p) => p.principal_id === principal)?.roles ?? []
    return [{ name, path, publicKey, principal, encrypted: basename(path).endsWith('.age'), roles: tip?.root_key === publicKey ? ['root_key', ...roles] : [...roles] }]
  })
  return { keys }
}
