/**
 * `diad key rotate`: a new key takes the place of one of the home's own, with the same roles and scope; what the old one did stays valid (K1). The new
 * one lies beside the old one as `NAME.next` until the manifest is in force, so an interrupted rotation is finished by the next.
 */
import { existsSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { principalsOf } from '../../../authority/amend.js'
import type { DomainKnowledge } from '../../../authority/knowledge.js'
import { principalId } from '../../../publication/evidence.js'
import { DiadError } from '../../../substrate/errors.js'
import type { PublicKey } from '../../../substrate/reference.js'
import { demandUnforked } from '../../authority.js'
import type { CommandArgs, CommandIo, CommandResults } from '../../command.js'
import { refreshProjection } from '../../authority-projection.js'
import { syncDirectory } from '../../home/atomic-file.js'
import { createKeyFile, findKeyFile, loadKey, recordedPublicKey } from '../../keys/key-file.js'
import { droppedKey, newPrincipalHint } from '../../own-key.js'
import { type Context, ownDomain } from '../context.js'
import { change } from './changing.js'
import type { Changed } from './types.js'

const SUFFIXES = ['.key', '.key.age', '.pub']

export async function keyRotate (context: Context, args: CommandArgs['key rotate'], io: CommandIo): Promise<CommandResults['key rotate']> {
  const { home, runtime } = context
  const domain = ownDomain(context)
  const { keys } = home.paths
  const name = args.name ?? 'principal'
  if (name === 'root_key') throw new DiadError('usage', 'root_key is certified by the roots, and only they can change it', 'see `diad root renew`')
  mendRecord(keys, name)
  const old = findKeyFile(keys, name)
  const waiting = findKeyFile(keys, `${name}.next`)
  if (old === undefined && waiting === undefined) throw new DiadError('key-missing', `there is no key file ${join(keys, name)}`, 'see `diad key list`')
  const k = await runtime.wake(domain)
  const listed = (key: PublicKey): boolean => k.authority().onChain.at(-1)?.manifest.principals.some((p) => p.public_key === key) ?? false
  let changed: Changed
  if (waiting !== undefined && listed(recordedPublicKey(waiting))) {
    // Signed already, and cut off before the files had their names.
    const { onChain } = k.authority()
    const last = onChain.at(-1)!
    changed = { domain, manifest: last.ref, version: last.manifest.version, closed: [...last.manifest.closed], losses: [] }
  } else {
    if (old === undefined) throw new DiadError('key-missing', `there is no key file ${join(keys, name)}`, `${name}.next was never granted anything; name it ${name} by hand if that is what you want`)
    const before = recordedPublicKey(old)
    if (!listed(before)) throw new DiadError('unknown-principal', `${name} is no principal of the domain any more`, rotateHint(k, name, before))
    // Before a key is made that nothing can list.
    demandUnforked(context, k)
    // As well protected as the one before it.
    const passphrase = old.endsWith('.age') ? io.passphrase ?? { kind: 'none' as const } : { kind: 'none' as const }
    const fresh = waiting === undefined ? (await createKeyFile({ directory: keys, name: `${name}.next`, passphrase, warn: io.warn })).publicKey : await takeUp(waiting, io)
    changed = await change(context, domain, io, args, (held) => ({
      principals: principalsOf(held.authority().onChain.at(-1)!.manifest).map((p) => p.publicKey === before ? { ...p, publicKey: fresh } : p)
    }))
  }
  const retired = retire(keys, name)
  if (name === 'principal') context.signer = undefined
  refreshProjection(context, k)
  const path = findKeyFile(keys, name) as string
  const publicKey = recordedPublicKey(path)
  return { ...changed, name, publicKey, principal: principalId(publicKey), path, retired }
}

function rotateHint (k: DomainKnowledge, name: string, key: PublicKey): string {
  const dropped = droppedKey(k, key)
  if (dropped === undefined) return 'see `diad role list`'
  return name === 'principal' ? newPrincipalHint(dropped) : `\`diad key new ${name}\` makes another one, and \`diad role grant ${name}\` gives it a role`
}

/**
 * What an earlier attempt made and never brought into force. It is used, so it has to open: its passphrase is that of the attempt. Nothing was signed with
 * it, so it may as well be removed.
 */
async function takeUp (waiting: string, io: CommandIo): Promise<PublicKey> {
  io.warn(`going on with ${waiting}, which an interrupted rotation left; its passphrase is the one that was given then`)
  try {
    return (await loadKey(waiting, io.passphrase ?? { kind: 'none' })).publicKey
  } catch (err) {
    if (!(err instanceof DiadError) || !/passphrase|key-damaged|key-unrecorded/.test(err.code)) throw err
    throw new DiadError(err.code, err.message, `nothing was signed. Give the passphrase of that attempt; or remove ${waiting} and its .pub, with which nothing was ever signed, and run this again`, { cause: err })
  }
}

/** Puts `NAME` aside as `NAME.retired-N` and `NAME.next` in its place. Returns the new name of the old one. */
function retire (keys: string, name: string): string {
  const aside = putAside(keys, name)
  for (const s of SUFFIXES) if (existsSync(join(keys, `${name}.next${s}`))) renameSync(join(keys, `${name}.next${s}`), join(keys, name + s))
  syncDirectory(keys)
  return aside
}

/** Calls the key file `NAME` and its record `NAME.retired-N`; returns that name. Nothing is ever written over. */
export function putAside (keys: string, name: string): string {
  const there = SUFFIXES.filter((s) => existsSync(join(keys, name + s)))
  let n = 1
  while (there.some((s) => existsSync(join(keys, `${name}.retired-${n}${s}`)))) n++
  const aside = `${name}.retired-${n}`
  for (const s of there) renameSync(join(keys, name + s), join(keys, aside + s))
  syncDirectory(keys)
  return aside
}

/** Cut off between the two renames of the new key: its record follows it. */
function mendRecord (keys: string, name: string): void {
  const [record, pending] = [join(keys, `${name}.pub`), join(keys, `${name}.next.pub`)]
  if (findKeyFile(keys, `${name}.next`) === undefined && existsSync(pending) && !existsSync(record)) renameSync(pending, record)
}
