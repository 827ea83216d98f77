/** `diad root rotate`: the committed roots take over and commit to fresh ones (M5). It ends what a thief of the live roots can do (M6). */
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { DomainKnowledge } from '../../../authority/knowledge.js'
import { rotateEntry } from '../../../authority/renew.js'
import { type OfflineRootSet, rootSetFrom } from '../../../authority/root-set.js'
import { DiadError } from '../../../substrate/errors.js'
import type { PublicKey } from '../../../substrate/reference.js'
import type { CommandIo } from '../../command.js'
import { makeDirectory, removeMade } from '../../home/make-directory.js'
import { demandRootsPlace, nextRootKeyName, writeOfflineNote } from '../../home/offline.js'
import { demandFolderOutside, OFFLINE_FOLDER } from '../../home/outside.js'
import { petnameOf, readPetnames } from '../../home/petnames.js'
import { findKeysOf } from '../../keys/find-keys.js'
import { createKeyFile } from '../../keys/key-file.js'
import type { PassphraseSource } from '../../keys/passphrase.js'
import { publicHalfAt } from '../../keys/public-half.js'
import { COMMITMENT_FILE, commitmentAdvice, commitmentOf, freshSalt, type NextCommitment, readNextCommitment, writeNextCommitment } from '../../roots/next-commitment.js'
import { namesBeside, rememberRoots, rootLabel } from '../../roots/root-names.js'
import { newRequest } from '../../roots/signing-request.js'
import { nextThresholdFor } from '../check-arguments.js'
import { type Context, inTurn } from '../context.js'
import { demandBase, demandBranch, goingBack } from './base-choice.js'
import { signOrAsk } from './establish.js'
import { askOnce, checkMayGoOn, demandHomeFor, epochFrom, rootsDomain } from './new-epoch.js'
import { rootDirectories } from './root-signers.js'
import type { RootsArgs, RotateArgs, RotateResult } from './types.js'

export async function rootRotate (context: Context, args: RootsArgs['root rotate'], io: CommandIo): Promise<RotateResult> {
  return await rotate(context, args, io, false)
}

async function rotate (context: Context, args: RootsArgs['root rotate'], io: CommandIo, stolen: boolean): Promise<RotateResult> {
  return await inTurn(context, async () => {
    const k = await rootsDomain(context, args.domain)
    if (args.rootKey === 'new') demandHomeFor(context, k.domain)
    demandFolderOutside(args.newRoots, [OFFLINE_FOLDER])
    if (stolen) demandBase(context, k, args.base, io)
    demandBranch(context, k, args.base, stolen || args.yes === true, io)
    goingBack(context, k, args.base, args.yes === true, io)()
    if (args.rootKey === 'keep' && args.request === undefined) demandKeyOfFork(context, k)
    await checkMayGoOn(context, k, args, io)
    const { set, salt } = committed(context, k, args)
    const passphrase = askOnce(io, 'the new keys')
    const epoch = await epochFrom(context, k, args, io, passphrase, stolen)
    const next = await makeNextSet(k, args, set, petnameOf(readPetnames(context.home), k.domain) ?? 'home', passphrase)
    try {
      const entry = rotateEntry(k, { ...epoch, newSet: set, salt, nextCommitment: commitmentOf(next.commitment) })
      const { result } = await signOrAsk(context, io, newRequest(k, entry), args)
      const live = result.request === null ? 'The keys that were next are the live roots now; those before them are worth nothing any more.' : 'Until the request is signed and applied, the roots stay as they are.'
      // Keys that were made elsewhere aren't in it: nobody shall wait for them there.
      io.warn(`${args.nextRootPubs.length > 0 ? commitmentAdvice(join(args.newRoots, COMMITMENT_FILE)) : `the next root set is in ${args.newRoots}: move that directory to a stick of its own and keep two copies`}. ${live}`)
      rememberRoots(context.home, new Map([...namesBeside([args.newRoots]), ...args.nextRootPubs.map((path) => [publicKeyAt(path), rootLabel(path)] as const)]))
      const { root_keys: keys, threshold } = next.commitment.set
      return { ...result, newRoots: args.newRoots, next: { total: keys.length, threshold } }
    } catch (err) {
      // A commitment to it may be in force already where only the rest failed.
      const inForce = (await context.runtime.knowledge(k.domain)).authority().rootChain.entries.some((e) => e.entry.next_commitment === commitmentOf(next.commitment))
      if (!inForce && (args.request === undefined || !existsSync(args.request))) next.takeBack()
      throw err
    }
  })
}

/** `diad recover roots`: live roots are lost or stolen, and a thief may have certified a root_key of his own. */
export async function recoverRoots (context: Context, args: RootsArgs['recover roots'], io: CommandIo): Promise<RotateResult> {
  return await rotate(context, { ...args, rootKey: 'new' }, io, true)
}

/** A rotation that settles a fork certifies the root_key of before it, unless it is given another: where that is gone, no manifest could be signed here. Throws DiadError `role-missing`. */
function demandKeyOfFork ({ home, runtime }: Context, k: DomainKnowledge): void {
  const { state, entries, judged } = k.authority().rootChain
  const certified = judged.get(entries.at(-1)?.ref ?? k.domain)?.certificate?.subject_pubkey
  if (state !== 'root-forked' || certified === undefined || runtime.own() !== k.domain || findKeysOf([home.paths.keys], [certified]).size > 0) return
  throw new DiadError('role-missing', `the root_key of before the fork, ${certified.slice(0, 16)}…, is not in ${home.paths.keys}: certified again, it would leave this home without one`, 'nothing was signed. Add --root-key new; or put the key file back')
}

/** What opens the commitment in force. Throws DiadError `commitment-missing`, `commitment-damaged`, `commitment-mismatch`. */
export function committed (context: Context, k: DomainKnowledge, args: Pick<RotateArgs, 'commitment'> & Parameters<typeof rootDirectories>[1]): NextCommitment {
  const path = args.commitment ?? rootDirectories(context, args).map((d) => join(d, COMMITMENT_FILE)).find((p) => existsSync(p))
  if (path === undefined) throw new DiadError('commitment-missing', `there is no ${COMMITMENT_FILE} where the root keys are looked for`, 'name the directory of the next root keys with --roots, or the file with --commitment')
  const found = readNextCommitment(path)
  if (found.domain !== k.domain) throw new DiadError('commitment-mismatch', `${path} belongs to another domain`, 'name the one of this domain')
  if (commitmentOf(found) !== k.authority().rootChain.entries.at(-1)?.entry.next_commitment) {
    throw new DiadError('commitment-mismatch', `${path} is not what the domain is committed to now`, 'it was used up by an earlier rotation, or made for a later one: take the newest')
  }
  return found
}

interface NextSet { readonly commitment: NextCommitment, readonly takeBack: () => void }

/** Makes the keys of the next set, or lists those made elsewhere, and writes what will open the commitment. */
async function makeNextSet (k: DomainKnowledge, args: RotateArgs, now: OfflineRootSet, name: string, ask: () => Promise<PassphraseSource>): Promise<NextSet> {
  const { newRoots, nextRootPubs } = args
  const count = nextRootPubs.length > 0 ? nextRootPubs.length : args.rootKeys ?? now.root_keys.length
  const threshold = nextThresholdFor(count, now.threshold, args.threshold, { keys: nextRootPubs.length > 0 ? '--next-root-pub' : '--next-keys', threshold: '--threshold' })
  if (existsSync(join(newRoots, COMMITMENT_FILE))) throw new DiadError('key-exists', `${newRoots} holds a commitment already, and keys are never overwritten`, 'name an empty or a new directory with --new-roots')
  if (nextRootPubs.length === 0) demandRootsPlace(newRoots, '--new-roots')
  const first = makeDirectory(newRoots, '--new-roots')
  const made: string[] = []
  const takeBack = (): void => {
    for (const path of made) rmSync(path, { force: true })
    removeMade(newRoots, first)
  }
  try {
    const keys: PublicKey[] = nextRootPubs.map(publicKeyAt)
    refuseInUse(k, now, keys)
    const passphrase = keys.length > 0 ? undefined : await ask()
    for (let n = 1; passphrase !== undefined && n <= count; n++) {
      const { path, publicKey } = await createKeyFile({ directory: newRoots, name: nextRootKeyName(n), passphrase })
      made.push(path, path.replace(/\.key(\.age)?$/, '.pub'))
      keys.push(publicKey)
    }
    const commitment = { domain: k.domain, set: rootSetFrom(keys, threshold), salt: freshSalt() }
    made.push(writeNextCommitment(newRoots, commitment))
    const note = writeOfflineNote(newRoots, k.domain, name, nextRootPubs.length > 0 ? 'commitment' : 'next')
    if (note !== undefined) made.push(note)
    return { commitment, takeBack }
  } catch (err) {
    takeBack()
    throw err
  }
}

/** A next set that holds a key which is in use could never take over, or would fall to the same thief (M1). Throws DiadError `root-set`. */
function refuseInUse (k: DomainKnowledge, live: OfflineRootSet, keys: readonly PublicKey[]): void {
  const manifest = k.authority().onChain.at(-1)?.manifest
  for (const key of keys) {
    const use = live.root_keys.includes(key) ? 'a live root' : key === manifest?.root_key ? 'the root_key' : manifest?.principals.some((p) => p.public_key === key) === true ? 'a principal' : undefined
    if (use !== undefined) throw new DiadError('root-set', `the key ${key} can't be ${use} and a next root`, 'make another key: `diad key new NAME --out DIR`')
  }
}

/** The key that a `.pub` file says, ours or OpenSSH's. Throws as {@link publicHalfAt}. */
export function publicKeyAt (path: string): PublicKey {
  return publicHalfAt(path)
}
