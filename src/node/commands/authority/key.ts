/** `diad key new|list`: key files. */
import { basename } from 'node:path'
import { principalId } from '../../../publication/evidence.js'
import type { CommandArgs, CommandIo, CommandResults } from '../../command.js'
import { homeKeys } from '../../home/principal-names.js'
import { createKeyFile, findKeyFile } from '../../keys/key-file.js'
import type { Context } from '../context.js'

/** Without a home where `out` says where the key goes: a stick's key is made on any machine. */
export async function keyNew (context: Context | undefined, args: CommandArgs['key new'], io: CommandIo): Promise<CommandResults['key new']> {
  const { path, publicKey } = await createKeyFile({ directory: args.out ?? (context as Context).home.paths.keys, name: args.name, passphrase: io.passphrase ?? { kind: 'none' } })
  return { name: args.name, path, publicKey, principal: principalId(publicKey) }
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
